"""Lenders watched: loans that first became serious this month, and what that says about who made them."""

from __future__ import annotations

import polars as pl

from poolhouse import sale
from poolhouse.dates import first_day, last_day
from poolhouse.market.desk import Desk
from poolhouse.tables import SERIOUS, Event, Outcome
from poolhouse.tables.codes import ACTIVE, LIQUIDATED


def watch_lenders(desk: Desk, standing: pl.DataFrame, month: int) -> Outcome:
    """Table `serious`; LenderStateChanged for each lender that the aggregators stop buying from.

    standing: LOAN_MONTHS columns loan_id, last_paid_due_date, maturity_date, end_code. Only loans
    that aggregators bought are counted; lenders are judged in months that bring a new serious loan.
    """
    terms = desk.rulebook.get("sale.watch", first_day(month))
    fresh = _newly_serious(desk, standing, month, int(terms["serious_missed_instalments"]))
    tables = {"serious": fresh} if fresh.height else {}
    if not fresh.height:
        return Outcome()
    serious = pl.concat([desk.book.segment("serious"), fresh])["loan_id"]
    watch = watched(desk, serious)
    outcome = sale.rate_lenders(watch, desk.book.records("lender_states").drop("event_seq"), month, desk.rulebook)
    counted = Event("LendersWatched", last_day(month), {"serious_loans": fresh.height, **outcome.answer})
    return Outcome([counted, *outcome.events], {**outcome.tables, **tables}, outcome.records, outcome.findings)


def watched(desk: Desk, serious: pl.Series) -> pl.DataFrame:
    """The loans that aggregators bought, with what their lenders are compared by. serious: loan_ids."""
    sales = desk.book.scan("sales").select("loan_id", lender_id="seller_id")
    loans = desk.book.scan("loans").select("loan_id", "kind", "score_mid", "ltv_e4", "note_date")
    return sales.join(loans, on="loan_id").collect().sort("loan_id").select(
        "loan_id", "lender_id", "kind", "score_mid", "ltv_e4", vintage=pl.col("note_date").dt.year(),
        serious=pl.col("loan_id").is_in(serious.implode()),
    )  # fmt: skip


def _newly_serious(desk: Desk, standing: pl.DataFrame, month: int, missed_at_least: int) -> pl.DataFrame:
    def index(column: str) -> pl.Expr:
        return pl.col(column).dt.year() * 12 + pl.col(column).dt.month() - 1

    # most loans are paid up: told by one comparison, before months are counted
    late = pl.col("last_paid_due_date") <= first_day(month - missed_at_least)
    standing = standing.filter(late | (pl.col("end_code") == LIQUIDATED))
    missed = pl.min_horizontal(pl.lit(month), index("maturity_date")) - index("last_paid_due_date")
    bad = standing.select("loan_id", "end_code", missed=missed).filter(
        ((pl.col("missed") >= missed_at_least) & (pl.col("end_code") == ACTIVE)) | (pl.col("end_code") == LIQUIDATED)
    )
    bought = (
        desk.book.scan("sales").select("loan_id").filter(pl.col("loan_id").is_in(bad["loan_id"].implode())).collect()
    )
    known = desk.book.segment("serious").select("loan_id")
    new = bad.join(bought, on="loan_id", how="semi").join(known, on="loan_id", how="anti")
    return SERIOUS.conform(new.select("loan_id", pl.col("missed").cast(pl.Int16)))
