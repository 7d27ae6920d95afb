"""6, One owner: on every day a loan has one owner, one servicer and at most one pool.

Read from the assignments alone; and every month's loan rows must name the parties that the
assignments say.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from poolhouse.dates import last_day
from poolhouse.promises.evidence import Evidence, Ints, PartMonth, trusts
from poolhouse.promises.tally import Tally
from poolhouse.tables.codes import ROLES, SCHEDULED_SCHEDULED

_ALWAYS = ("owner", "servicer")
"""Roles that somebody holds from closing on."""


@dataclass(frozen=True)
class Standing:
    """Who holds a role on a day: changes in the order of their days."""

    days: Ints
    loans: Ints
    holders: Ints

    def on(self, day: date, loan_ids: Ints) -> Ints:
        """The holder of each loan at the end of a day, 0 none."""
        count = int(np.searchsorted(self.days, day.toordinal(), side="right"))
        size = int(max(loan_ids.max(initial=-1), self.loans.max(initial=-1))) + 1
        held = np.zeros(size, dtype=np.int64)
        held[self.loans[:count]] = self.holders[:count]  # of a loan's changes the last one stays
        found: Ints = held[loan_ids]
        return found


def standing(changes: pl.DataFrame) -> Standing:
    """From assignments of one role."""
    ordered = changes.sort("effective_date", "loan_id", maintain_order=True)
    days = ordered["effective_date"].to_physical().to_numpy().astype(np.int64) + date(1970, 1, 1).toordinal()
    return Standing(days, *(ordered[c].to_numpy().astype(np.int64) for c in ("loan_id", "to_id")))


def standings(evidence: Evidence) -> dict[str, Standing]:
    """Owner, servicer and pool; and `distributed`, the pool as the month's rows keep it: a loan that left its
    pool is the pool's until its last principal is distributed, so a buyout counts from the next day and
    the end of a loan paid off within the pool never."""
    rows = evidence.assignments
    found = {role: standing(rows.filter(pl.col("role") == role)) for role in ("owner", "servicer", "pool")}
    kept = rows.filter((pl.col("role") == "pool") & ((pl.col("to_id") != 0) | (pl.col("reason") == "buyout")))
    later = pl.when(pl.col("to_id") == 0).then(pl.col("effective_date").dt.offset_by("1d")).otherwise("effective_date")
    return found | {"distributed": standing(kept.with_columns(later.alias("effective_date")))}


def chains(evidence: Evidence) -> Tally:
    """A fact per assignment: it takes over from who held the role, on a later day."""
    tally, rows, say = Tally(), evidence.assignments, evidence.say
    tally.expect(rows, pl.col("role").is_in(list(ROLES)), say("{loan_id:loan}: expected a role, found {role!r}"))
    same = (pl.col("loan_id") == pl.col("loan_id").shift(1)) & (pl.col("role") == pl.col("role").shift(1))
    linked = rows.with_columns(
        before=pl.when(same.fill_null(False)).then(pl.col("to_id").shift(1)).otherwise(0),
        since=pl.when(same.fill_null(False)).then(pl.col("effective_date").shift(1)),
    )
    where = "{loan_id:loan}, {role} from {effective_date}: "
    tally.expect(
        linked,
        pl.col("from_id") == pl.col("before"),
        say(where + "handed over, expected by {before}, who held it, found by {from_id}"),
    )
    tally.expect(
        linked,
        pl.col("since").is_null() | (pl.col("effective_date") > pl.col("since")),
        say(where + "expected a day after {since}, when it changed hands before"),
    )
    tally.expect(
        linked, pl.col("from_id") != pl.col("to_id"), say(where + "expected another party, found {to_id} again")
    )
    _from_closing_on(tally, evidence)
    _in_pools(tally, evidence)
    _pledges(tally, evidence)
    return tally


def _from_closing_on(tally: Tally, evidence: Evidence) -> None:
    """A fact per loan and role that is never vacant: the lender's from the note date on, and somebody's ever after."""
    rows = evidence.assignments.filter(pl.col("role").is_in(_ALWAYS)).group_by("loan_id", "role").agg(
        pl.col("effective_date", "to_id").first(), pl.col("to_id").min().alias("least")
    )  # fmt: skip
    lender = pl.col("to_id") == pl.col("originator_party_id")
    for role in _ALWAYS:
        first = rows.filter(pl.col("role") == role)
        tally.expect(
            evidence.loans.join(first, on="loan_id", how="left", maintain_order="left"),
            lender & (pl.col("effective_date") == pl.col("note_date")) & (pl.col("least") > 0),
            evidence.say(
                "loan {loan_number}: {held_as}, expected {originator_party_id:party} from {note_date} and "
                "somebody ever after, "
                "found {to_id} from {effective_date}",
                held_as=role,
            ),
        )


def _in_pools(tally: Tally, evidence: Evidence) -> None:
    """A fact per pooled loan: it enters the pool it was put into, on the day the trusts become its owner."""
    rows = evidence.assignments
    into = rows.filter((pl.col("role") == "pool") & (pl.col("to_id") != 0)).select("loan_id", "to_id", "effective_date")
    owners = rows.filter((pl.col("role") == "owner") & (pl.col("to_id") == trusts())).select(
        "loan_id", "effective_date", owned=pl.lit(True)
    )
    named = evidence.book.scan("pool_loans").select("loan_id", "pool_id").collect()
    facts = into.join(owners, on=["loan_id", "effective_date"], how="full", coalesce=True)
    facts = facts.join(named, on="loan_id", how="full", coalesce=True).sort("loan_id", "effective_date")
    tally.expect(
        facts,
        pl.col("owned") & (pl.col("to_id") == pl.col("pool_id")),
        evidence.say(
            "{loan_id:loan}: from {effective_date} on, expected in {pool_id:pool} and owned by the trusts, found "
            "pool #{to_id}"
        ),
    )


def _pledges(tally: Tally, evidence: Evidence) -> None:
    """A fact per pledge: its pledgor owns the loan, and it ends by the day the loan is sold."""
    next_row = pl.when(pl.col("loan_id") == pl.col("loan_id").shift(-1)).then(pl.col("effective_date").shift(-1))
    rows = evidence.assignments
    pledges = rows.filter(pl.col("role") == "pledge").with_columns(ends=next_row).filter(pl.col("to_id") != 0)
    owners = rows.filter(pl.col("role") == "owner").select(
        "loan_id", until=next_row, since="effective_date", owner="to_id"
    )
    there = (pl.col("since") <= pl.col("effective_date")) & (
        pl.col("until").is_null() | (pl.col("until") > pl.col("effective_date"))
    )
    within = pledges.join(owners, on="loan_id").filter(there).select("loan_id", "effective_date", "owner", "until")
    tally.expect(
        pledges.join(within, on=["loan_id", "effective_date"], how="left").sort("loan_id", "effective_date"),
        pl.col("owner").is_not_null() & (pl.col("until").is_null() | (pl.col("ends") <= pl.col("until"))),
        evidence.say(
            "{loan_id:loan}: pledged to {to_id:party} from {effective_date} by {owner:party}, expected an end by "
            "{until}, when "
            "it is sold, found {ends}"
        ),
    )


_NAMED = {
    "owner_id": "owner_now",
    "servicer_id": "servicer_now",
    "pool_id": "pool_now",
    "payee_id": "was_owner_id",
    "payee_pool_id": "was_pool_id",
}
"""Who a loan's row names, and where it must come from."""


def agrees(view: PartMonth, held: dict[str, Standing], evidence: Evidence) -> Tally:
    """Facts per loan-month: owner, servicer and pool as assigned; payees as they were the month before."""
    tally, day = Tally(), last_day(view.month)
    ids = view.rows["loan_id"].to_numpy().astype(np.int64)
    now = [pl.Series(f"{role}_now", held[role].on(day, ids)) for role in held]
    distributing = (pl.col("remittance") == SCHEDULED_SCHEDULED) | (pl.col("pending_unscheduled_cents") != 0)
    rows = view.rows.with_columns(now).with_columns(
        pool_now=pl.when(distributing).then("distributed_now").otherwise("pool_now")
    )
    for column, wanted in _NAMED.items():
        what = column.removesuffix("_id").replace("_", " ")
        text = f"{{m:month}}, {{loan_id:loan}}: {what}, expected {{{wanted}}} by the assignments, found {{{column}}}"
        tally.expect(rows, pl.col(column) == pl.col(wanted), evidence.say(text, m=view.month))
    return tally
