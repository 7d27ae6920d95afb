"""9, Told: whoever's loan or servicing moved has been told in time, or need not be.

Transfers come from the assignments, deadlines and exemptions from the rulebook by the day of the
transfer: each has its notice in time, an exemption that is true, or a deadline still ahead of the clock.
Sources: 12 CFR 1026.39 (ownership), 12 CFR 1024.33(b) (servicing).
"""

from __future__ import annotations

from typing import Any

import polars as pl

from poolhouse.promises.evidence import Evidence, trusts
from poolhouse.promises.tally import Tally
from poolhouse.rules import system_parties

_NO_TRANSFER = ("closing", "payoff", "liquidation")
_KEY = ["loan_id", "kind", "transfer_date", "to_id"]


def told(evidence: Evidence) -> Tally:
    """A fact per transfer and kind of notice, and per notice: it tells of a transfer that is there."""
    tally = Tally()
    wanted = _wanted(evidence)
    notices = evidence.book.segment("notices").select(
        *_KEY, "from_id", "due_date", "sent_date", "exemption", told=pl.lit(True)
    )
    facts = wanted.join(notices, on=_KEY, how="full", coalesce=True, suffix="_found").sort(_KEY)
    moves = "{loan_id:loan}, {kind} to {to_id:party} on {transfer_date}: "
    tally.expect(
        facts.filter(pl.col("told").is_not_null()),
        (pl.col("from_id") == pl.col("from_id_found")) & (pl.col("due_date") == pl.col("due_date_found")),
        evidence.say(
            moves
            + "a transfer from {from_id} and a notice by {due_date} were expected, found a notice from {from_id_found} "
            "due {due_date_found}"
        ),
    )
    ahead = pl.col("told").is_null() & (pl.col("due_date") >= evidence.clock)
    exempt = pl.col("sent_date").is_null() & (pl.col("exemption") != "") & (pl.col("exemption") == pl.col("why"))
    after = pl.col("sent_date") >= pl.when(pl.col("kind") == "ownership").then("transfer_date").otherwise("sent_date")
    sent = (pl.col("sent_date") <= pl.col("due_date")) & after & (pl.col("exemption") == "")
    tally.expect(
        facts.filter(pl.col("due_date").is_not_null()).with_columns(pl.col("exemption").fill_null("no notice")),
        ahead | exempt.fill_null(False) | sent.fill_null(False),
        evidence.say(
            moves
            + "expected a notice by {due_date} (exemption that is true: {why!r}), found sent {sent_date}, exemption "
            "{exemption!r}"
        ),
    )
    return tally


def _wanted(evidence: Evidence) -> pl.DataFrame:
    """Every notice the transfers call for: the key, from_id, due_date and `why` none need be sent ('' when it must)."""
    rows = evidence.assignments.filter(
        ~pl.col("reason").is_in(list(_NO_TRANSFER)) & (pl.col("from_id") != 0) & (pl.col("to_id") != 0)
    ).join(evidence.loans.select("loan_id", "occupancy"), on="loan_id", how="left", maintain_order="left")  # fmt: skip
    rules = _rules(evidence, rows)
    rows = rows.join(rules, on="effective_date", how="left", maintain_order="left")
    owners = _ownership(rows.filter(pl.col("role") == "owner"))
    moves = rows.filter(pl.col("role").is_in(["servicer", "subservicer"])).with_columns(
        # The first payment due to the new servicer: the 1st of a month, on the day it moves or after.
        first=pl.when(pl.col("effective_date").dt.day() == 1).then("effective_date")
        .otherwise(pl.col("effective_date").dt.month_start().dt.offset_by("1mo")),
        why=pl.when(pl.col("occupancy").is_in(pl.col("servicing_exempt"))).then(pl.lit("not_principal_dwelling")).otherwise(pl.lit("")),
    )  # fmt: skip
    one_day = pl.duration(days=1)
    return pl.concat(
        [
            owners,
            _notice(moves, "servicing_goodbye", pl.col("first") - one_day * pl.col("goodbye")),
            _notice(moves, "servicing_hello", pl.col("first") + one_day * pl.col("hello")),
        ]
    )


def _rules(evidence: Evidence, rows: pl.DataFrame) -> pl.DataFrame:
    """The rulebook on each day of a transfer."""
    get, days = evidence.rulebook.get, rows["effective_date"].unique().sort().to_list()
    names = {
        "after": "notices.ownership_days_after",
        "within": "notices.resold_within_days",
        "goodbye": "notices.goodbye_days_before",
        "hello": "notices.hello_days_after",
        "owner_exempt": "notices.ownership_exempt_occupancies",
        "servicing_exempt": "notices.servicing_exempt_occupancies",
        "private": "notices.title_moves_into_pool_from_types",
    }
    found: dict[str, list[Any]] = {short: [get(name, day) for day in days] for short, name in names.items()}
    schema: dict[str, Any] = {"effective_date": pl.Date} | {
        n: pl.List(pl.String) if n in ("owner_exempt", "servicing_exempt", "private") else pl.Int64 for n in names
    }
    return pl.DataFrame({"effective_date": days, **found}, schema=schema)


def _ownership(rows: pl.DataFrame) -> pl.DataFrame:
    """Notices of a new owner. Title stays where an enterprise or issuer puts a loan into its pool or takes it out."""
    types = {int(p["party_id"]): str(p["type"]) for p in system_parties().values()}

    def kind(column: str) -> pl.Expr:
        return pl.col(column).cast(pl.Int32).replace_strict(types, default="", return_dtype=pl.String)

    rows = rows.sort("loan_id", "effective_date").with_columns(
        keeps=((pl.col("to_id") == trusts()) & ~kind("from_id").is_in(pl.col("private")))
        | ((pl.col("from_id") == trusts()) & (pl.col("reason") == "buyout") & ~kind("to_id").is_in(pl.col("private")))
    )
    titled = rows.filter(~pl.col("keeps")).with_columns(
        sold_on=pl.when(pl.col("loan_id") == pl.col("loan_id").shift(-1)).then(pl.col("effective_date").shift(-1))
    )
    soon = (pl.col("sold_on") - pl.col("effective_date")).dt.total_days() <= pl.col("within")
    titled = titled.with_columns(
        why=pl.when(pl.col("occupancy").is_in(pl.col("owner_exempt"))).then(pl.lit("not_principal_dwelling"))
        .when(soon.fill_null(False)).then(pl.lit("sold_within_30_days")).otherwise(pl.lit(""))
    ).drop("sold_on")  # fmt: skip
    kept = rows.filter("keeps").with_columns(why=pl.lit("no_change_of_title"))
    due = pl.col("effective_date") + pl.duration(days=1) * pl.col("after")
    return _notice(pl.concat([titled, kept]), "ownership", due)


def _notice(rows: pl.DataFrame, kind: str, due: pl.Expr) -> pl.DataFrame:
    return rows.select(
        "loan_id",
        "to_id",
        "from_id",
        "why",
        kind=pl.lit(kind),
        transfer_date="effective_date",
        due_date=due.cast(pl.Date),
    )
