"""Which notices are to be sent now: two federal rules over the transfers the book knows.

A new owner tells the borrower within days after the transfer (12 CFR 1026.39); the old and the new
servicer tell of a servicing transfer before and after it (12 CFR 1024.33(b)). A loan's own closing
is no transfer. An exemption is a row too, with its reason, so that silence can be told from neglect.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from poolhouse.dates import last_day, month_of
from poolhouse.rules import system_parties
from poolhouse.rules.rulebook import Rulebook
from poolhouse.tables import NOTICES

_ENDS = ("closing", "payoff", "liquidation")
"""Reasons of assignment rows that open or end a role and transfer nothing."""

_KEY = ["loan_id", "kind", "transfer_date", "to_id"]


def due(
    assignments: pl.DataFrame, loans: pl.DataFrame, already: pl.DataFrame, as_of: date, rulebook: Rulebook
) -> pl.DataFrame:
    """NOTICES rows to record on `as_of`: notices sent that day, and exemptions that have become certain.

    assignments: ASSIGNMENTS rows, all of the book, future ones included; loans: loan_id and occupancy
    of every loan in them (a loan missing here is a ValueError); already: NOTICES rows recorded before,
    never repeated. A notice goes out when its last day is no later than the end of the next month, so
    a monthly run is never late unless it learns of a transfer late: the row then says so by its dates.
    An owner that has just bought is told of as soon as the transfer has happened.
    """
    transfers = _transfers(assignments, loans)
    rows = pl.concat(
        [
            _ownership(transfers.filter(pl.col("role") == "owner"), as_of, rulebook),
            _servicing(transfers.filter(pl.col("role").is_in(["servicer", "subservicer"])), as_of, rulebook),
        ]
    )
    horizon = last_day(month_of(as_of) + 1)
    now = (pl.col("exemption") != "") | (pl.col("due_date") <= horizon)
    sent = pl.when(pl.col("exemption") == "").then(pl.lit(as_of, pl.Date)).otherwise(None).alias("sent_date")
    new = rows.filter(now).join(already.select(_KEY), on=_KEY, how="anti")
    return NOTICES.conform(new.with_columns(sent).select(list(NOTICES.schema)))


def _transfers(assignments: pl.DataFrame, loans: pl.DataFrame) -> pl.DataFrame:
    """Rows that move a role from one party to another, in order of time, with the home's occupancy."""
    moved = assignments.filter(
        ~pl.col("reason").is_in(_ENDS)
        & (pl.col("from_id") != 0)
        & (pl.col("to_id") != 0)
        & (pl.col("from_id") != pl.col("to_id"))
    )
    known = moved.join(loans.select("loan_id", "occupancy"), on="loan_id", how="left", maintain_order="left")
    unknown = known.filter(pl.col("occupancy").is_null())
    if unknown.height:
        raise ValueError(f"notices: loan {unknown['loan_id'][0]} was transferred, and its occupancy is not given")
    return known.sort("loan_id", "role", "effective_date")


def _ownership(owners: pl.DataFrame, as_of: date, rulebook: Rulebook) -> pl.DataFrame:
    """Notices of sale or transfer, by the new owner. 12 CFR 1026.39."""
    within = rulebook.get("notices.resold_within_days", as_of)
    exempt_homes = rulebook.get("notices.ownership_exempt_occupancies", as_of)
    titled = owners.with_columns(_title_moves(rulebook, as_of).alias("moves"))
    # Only the next transfer of title ends an ownership: a securitisation that keeps title does not.
    same_loan = pl.col("loan_id").shift(-1) == pl.col("loan_id")
    sales = titled.filter("moves").with_columns(
        pl.when(same_loan).then(pl.col("effective_date").shift(-1)).otherwise(None).alias("sold_on")
    )
    rest = titled.filter(~pl.col("moves")).with_columns(pl.lit(None, pl.Date).alias("sold_on"))
    resold = (pl.col("sold_on") - pl.col("effective_date")).dt.total_days() <= within
    exemption = (
        pl.when(~pl.col("moves"))
        .then(pl.lit("no_change_of_title"))
        .when(pl.col("occupancy").is_in(exempt_homes))
        .then(pl.lit("not_principal_dwelling"))
        .when(resold.fill_null(False))
        .then(pl.lit("sold_within_30_days"))
        .otherwise(pl.lit(""))
    )
    days = rulebook.get("notices.ownership_days_after", as_of)
    happened = pl.concat([sales, rest]).filter(pl.col("effective_date") <= as_of)
    return _rows(happened, "ownership", pl.col("effective_date").dt.offset_by(f"{days}d"), exemption)


def _title_moves(rulebook: Rulebook, as_of: date) -> pl.Expr:
    """False where a loan enters or leaves a pool and its owner of record stays."""
    types = rulebook.get("notices.title_moves_into_pool_from_types", as_of)
    trusts = system_parties()["trusts"]["party_id"]
    private = [p["party_id"] for p in system_parties().values() if p["type"] in types]
    into_pool: pl.Expr = (pl.col("to_id") == trusts) & ~pl.col("from_id").is_in(private)
    bought_out: pl.Expr = (
        (pl.col("from_id") == trusts) & (pl.col("reason") == "buyout") & ~pl.col("to_id").is_in(private)
    )
    return ~(into_pool | bought_out)


def _servicing(servicers: pl.DataFrame, as_of: date, rulebook: Rulebook) -> pl.DataFrame:
    """Notices of transfer of servicing: the old servicer's before, the new one's after. 12 CFR 1024.33(b).

    The rule's effective date is the day on which the first payment is due to the new servicer: the
    1st of a month on or after the day the role moves.
    """
    before = rulebook.get("notices.goodbye_days_before", as_of)
    after = rulebook.get("notices.hello_days_after", as_of)
    exempt_homes = rulebook.get("notices.servicing_exempt_occupancies", as_of)
    first_payment = pl.col("effective_date").dt.offset_by("-1d").dt.month_start().dt.offset_by("1mo")
    exempt = pl.col("occupancy").is_in(exempt_homes)
    exemption = pl.when(exempt).then(pl.lit("not_principal_dwelling")).otherwise(pl.lit(""))
    return pl.concat(
        [
            _rows(servicers, "servicing_goodbye", first_payment.dt.offset_by(f"-{before}d"), exemption),
            _rows(servicers, "servicing_hello", first_payment.dt.offset_by(f"{after}d"), exemption),
        ]
    )


def _rows(transfers: pl.DataFrame, kind: str, due_date: pl.Expr, exemption: pl.Expr) -> pl.DataFrame:
    return transfers.select(
        "loan_id",
        pl.lit(kind).alias("kind"),
        "from_id",
        "to_id",
        pl.col("effective_date").alias("transfer_date"),
        due_date.alias("due_date"),
        exemption.alias("exemption"),
    )
