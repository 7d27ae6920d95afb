"""Lenders watched: loans that came to a new depth of delinquency this month, and what that says about who made them."""

from __future__ import annotations

import polars as pl

from poolhouse import sale
from poolhouse.dates import first_day, last_day
from poolhouse.market.desk import Desk
from poolhouse.tables import DELINQUENCIES, Event, Outcome
from poolhouse.tables.codes import ACTIVE, LIQUIDATED

DEPTHS = (1, 2, 3)
"""Instalments missed that are told apart: 30, 60 and 90 days late. A loan that is lost has come to all of them."""
SERIOUS = 3


def watch_lenders(desk: Desk, standing: pl.DataFrame, month: int) -> Outcome:
    """Table `delinquencies`; LenderStateChanged for each lender whose state the tests change.

    standing: LOAN_MONTHS columns loan_id, last_paid_due_date, maturity_date, end_code of late and ended loans.
    Only loans that aggregators bought are counted; lenders are judged in months that bring a loan 60 days late
    or worse, or while one of them is in a state that time alone may end.
    """
    fresh = _newly_late(desk, standing, month)
    tables = {"delinquencies": fresh} if fresh.height else {}
    states = desk.book.records("lender_states").drop("event_seq")
    if not (fresh["missed"] > 1).any() and not _time_may_tell(desk, states, month):
        return Outcome(tables=tables)
    late = pl.concat([desk.book.segment("delinquencies"), fresh])
    outcome = sale.rate_lenders(watched(desk, late, month), states, month, desk.rulebook)
    serious = fresh.filter(pl.col("missed") == SERIOUS).height
    counted = Event("LendersWatched", last_day(month), {"serious_loans": serious, **outcome.answer})
    return Outcome([counted, *outcome.events], {**outcome.tables, **tables}, outcome.records, outcome.findings)


def watched(desk: Desk, late: pl.DataFrame, month: int) -> pl.DataFrame:
    """The loans that aggregators bought: who made them, what they are compared by, and how old they were when late.

    late: DELINQUENCIES rows. month: the last month closed. Columns as `sale.measured` takes them, and sold_month.
    """
    sales = desk.book.scan("sales").select(
        "loan_id", pl.col("seller_id").alias("lender_id"), sold_month=_index("settlement_date")
    )
    loans = desk.book.scan("loans").select("loan_id", "kind", "score_mid", "ltv_e4", age=_age("first_due_date", month))
    frame = sales.join(loans, on="loan_id").collect().sort("loan_id")
    for depth in DEPTHS:
        reached = late.filter(pl.col("missed") == depth).select("loan_id", pl.col("age").alias(f"age_{depth}"))
        frame = frame.join(reached, on="loan_id", how="left", maintain_order="left")
    return frame


def _time_may_tell(desk: Desk, states: pl.DataFrame, month: int) -> bool:
    rules = desk.rulebook.get("scorecard.transitions", first_day(month))
    waiting = {state for rule in rules if rule["by"] == "test" and rule["months"] for state in rule["from"]}
    return bool(sale.current_states(states)["state"].is_in(sorted(waiting)).any())


def _index(column: str) -> pl.Expr:
    return (pl.col(column).dt.year() * 12 + pl.col(column).dt.month() - 1).cast(pl.Int32)


def _age(first_due: str, month: int) -> pl.Expr:
    """Instalments due by a month's end, from the first one on; 0 before it."""
    return pl.max_horizontal(month - _index(first_due) + 1, pl.lit(0)).cast(pl.Int16)


def _newly_late(desk: Desk, standing: pl.DataFrame, month: int) -> pl.DataFrame:
    """DELINQUENCIES of the month: each depth that a bought loan has come to for the first time."""
    # most loans are paid up: told by one comparison, before months are counted
    late = pl.col("last_paid_due_date") < first_day(month)
    standing = standing.filter(late | (pl.col("end_code") == LIQUIDATED))
    missed = pl.min_horizontal(pl.lit(month), _index("maturity_date")) - _index("last_paid_due_date")
    lost = pl.col("end_code") == LIQUIDATED
    deep = pl.when(lost).then(SERIOUS).when(pl.col("end_code") == ACTIVE).then(missed.clip(0, SERIOUS)).otherwise(0)
    bad = standing.select("loan_id", deep=deep.cast(pl.Int16)).filter(pl.col("deep") > 0)
    if not bad.height:
        return DELINQUENCIES.empty()
    ids = bad["loan_id"].implode()
    loans = desk.book.scan("loans").filter(pl.col("loan_id").is_in(ids)).select(
        "loan_id", age=_age("first_due_date", month)
    ).collect()  # fmt: skip
    bought = desk.book.scan("sales").select("loan_id").filter(pl.col("loan_id").is_in(ids)).collect()
    known = desk.book.scan("delinquencies").filter(pl.col("loan_id").is_in(ids)).select("loan_id", "missed").collect()
    each = pl.concat([bad.filter(pl.col("deep") >= d).select("loan_id", missed=pl.lit(d, pl.Int16)) for d in DEPTHS])
    new = each.join(bought, on="loan_id", how="semi").join(known, on=["loan_id", "missed"], how="anti")
    return DELINQUENCIES.conform(new.join(loans, on="loan_id").select("loan_id", "missed", "age"))
