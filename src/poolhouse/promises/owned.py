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
    tally, rows = Tally(), evidence.assignments
    tally.expect(
        rows, pl.col("role").is_in(list(ROLES)), lambda r: f"{evidence.loan(r['loan_id'])}: no role {r['role']!r}"
    )
    group = ["loan_id", "role"]
    same = (pl.col("loan_id") == pl.col("loan_id").shift(1)) & (pl.col("role") == pl.col("role").shift(1))
    linked = rows.with_columns(
        before=pl.when(same.fill_null(False)).then(pl.col("to_id").shift(1)).otherwise(0),
        since=pl.when(same.fill_null(False)).then(pl.col("effective_date").shift(1)),
    )
    tally.expect(
        linked, pl.col("from_id") == pl.col("before"),
        lambda r: f"{evidence.loan(r['loan_id'])}, {r['role']} from {r['effective_date']}: handed over by {r['from_id']}; expected "
        f"{r['before']}, who held it then",
    )  # fmt: skip
    later = pl.col("since").is_null() | (pl.col("effective_date") > pl.col("since"))
    tally.expect(
        linked, later & (pl.col("from_id") != pl.col("to_id")),
        lambda r: f"{evidence.loan(r['loan_id'])}, {r['role']}: passes from {r['from_id']} to {r['to_id']} on "
        f"{r['effective_date']}; expected another party, after {r['since']}",
    )  # fmt: skip
    firsts = rows.filter(pl.col("role").is_in(_ALWAYS)).group_by(group).agg(
        pl.col("effective_date", "reason", "to_id").first(), pl.col("to_id").min().alias("least")
    )  # fmt: skip
    for role in _ALWAYS:
        mine = evidence.loans.join(
            firsts.filter(pl.col("role") == role), on="loan_id", how="left", maintain_order="left"
        )
        tally.expect(
            mine,
            (pl.col("effective_date") == pl.col("note_date")) & (pl.col("least") > 0)
            & (pl.col("to_id") == pl.col("originator_party_id")),
            lambda r, role=role: f"loan {r['loan_number']}: its first {role} is {r['to_id']} from {r['effective_date']}; expected "
            f"{r['originator_party_id']} from {r['note_date']}, and somebody ever after",
        )  # fmt: skip
    _in_pools(tally, evidence)
    _pledges(tally, evidence)
    return tally


def _in_pools(tally: Tally, evidence: Evidence) -> None:
    """A fact per pooled loan: it enters its pool the day the trust becomes its owner, and a pool it was put into."""
    rows = evidence.assignments
    into = rows.filter((pl.col("role") == "pool") & (pl.col("to_id") != 0)).select("loan_id", "to_id", "effective_date")
    owners = rows.filter((pl.col("role") == "owner") & (pl.col("to_id") == trusts())).select(
        "loan_id", "effective_date", owned=pl.lit(True)
    )
    named = evidence.book.scan("pool_loans").select("loan_id", "pool_id").collect()
    facts = into.join(owners, on=["loan_id", "effective_date"], how="full", coalesce=True).join(
        named, on="loan_id", how="full", coalesce=True
    )
    tally.expect(
        facts.sort("loan_id"), pl.col("owned") & (pl.col("to_id") == pl.col("pool_id")),
        lambda r: f"{evidence.loan(r['loan_id'])}: in pool {r['to_id']} from {r['effective_date']}; expected pool {r['pool_id']}, and "
        "the trusts as its owner from that day",
    )  # fmt: skip


def _pledges(tally: Tally, evidence: Evidence) -> None:
    """A fact per pledge: within its pledgor's ownership, and ended by the day the loan is sold."""
    rows = evidence.assignments
    pledges = rows.filter(pl.col("role") == "pledge").with_columns(
        ends=pl.when(pl.col("loan_id") == pl.col("loan_id").shift(-1)).then(pl.col("effective_date").shift(-1))
    ).filter(pl.col("to_id") != 0).select("loan_id", "to_id", "ends", start="effective_date")  # fmt: skip
    owners = rows.filter(pl.col("role") == "owner").with_columns(
        until=pl.when(pl.col("loan_id") == pl.col("loan_id").shift(-1)).then(pl.col("effective_date").shift(-1))
    ).select("loan_id", "until", since="effective_date", owner="to_id")  # fmt: skip
    facts = pledges.join(owners, on="loan_id", how="left").filter(
        (pl.col("since") <= pl.col("start")) & (pl.col("until").is_null() | (pl.col("until") > pl.col("start")))
    )
    found = pledges.join(facts, on=["loan_id", "start"], how="left").sort("loan_id", "start")
    # Until the loan is sold the pledge may stand; a sale that is still ahead of the clock doesn't end it yet.
    sold = pl.col("until").is_not_null() & (pl.col("until") < evidence.clock)
    ended = ~sold | (pl.col("ends") <= pl.col("until")).fill_null(False)
    early = pl.col("ends").is_null() | pl.col("until").is_null() | (pl.col("ends") <= pl.col("until"))
    tally.expect(
        found, pl.col("owner").is_not_null() & ended & early,
        lambda r: f"{evidence.loan(r['loan_id'])}, pledged to {r['to_id']} from {r['start']}: ends {r['ends'] or 'never'}; expected "
        f"within the ownership of {r['owner']}, which ends {r['until'] or 'never'}",
    )  # fmt: skip


def agrees(view: PartMonth, held: dict[str, Standing], evidence: Evidence) -> Tally:
    """Facts per loan-month: owner, servicer and pool are those of the assignments; payees those of the month before."""
    tally, day = Tally(), last_day(view.month)
    ids = view.rows["loan_id"].to_numpy().astype(np.int64)
    found = {role: held[role].on(day, ids) for role in held}
    rows = view.rows.select(
        "loan_id", "owner_id", "servicer_id", "pool_id", "payee_id", "payee_pool_id", "was_owner_id", "was_pool_id",
        tail=(pl.col("remittance") == SCHEDULED_SCHEDULED) | (pl.col("pending_unscheduled_cents") != 0),
    ).with_columns(pl.Series(f"{role}_now", values) for role, values in found.items())  # fmt: skip
    rows = rows.with_columns(pool_now=pl.when("tail").then("distributed_now").otherwise("pool_now"))
    for column, wanted in (
        ("owner_id", "owner_now"), ("servicer_id", "servicer_now"), ("pool_id", "pool_now"), ("payee_id", "was_owner_id"),
        ("payee_pool_id", "was_pool_id"),
    ):  # fmt: skip
        tally.expect(
            rows, pl.col(column) == pl.col(wanted),
            lambda r, c=column, w=wanted: f"{view.name}, {evidence.loan(r['loan_id'])}: {c.removesuffix('_id').replace('_', ' ')}, "
            f"expected {r[w]} by the assignments, found {r[c]}",
        )  # fmt: skip
    return tally
