"""Payments of a month: from a user's file, checked row by row, or from the borrower model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from poolhouse.dates import first_day, last_day
from poolhouse.market.desk import Desk
from poolhouse.market.files import read_table
from poolhouse.models import borrowers
from poolhouse.rules.mortgage_rate import mortgage_rate_e7
from poolhouse.tables import PAYMENTS, REJECTS
from poolhouse.tables.codes import ACTIVE, PAYMENT_KINDS

COLUMNS = ["loan", "received_date", "amount_cents", "kind", "reference"]
_SAME = {"payment": "instalment", "installment": "instalment", "prepayment": "curtailment", "pay-off": "payoff"}
_MODEL_LOANS = ["loan_id", "draw_key", "note_date", "score_mid", "ltv_e4", "value_cents"]


def from_model(desk: Desk, opening: pl.DataFrame, moves: pl.DataFrame, month: int) -> pl.DataFrame:
    """PAYMENTS rows the borrower model makes for one part's opening rows, paid to this month's servicer."""
    if not opening.height:
        return PAYMENTS.empty()
    if moves.height:
        opening = opening.join(moves.rename({"servicer_id": "new"}), on="loan_id", how="left", maintain_order="left")
        opening = opening.with_columns(pl.coalesce("new", "servicer_id").alias("servicer_id")).drop("new")
    ids = opening["loan_id"]
    loans = desk.book.scan("loans").select(_MODEL_LOANS).filter(pl.col("loan_id").is_between(ids[0], ids[-1])).collect()
    state = opening.with_columns(actual_cents=pl.col("closing_actual_cents"))
    if loans["loan_id"].equals(ids):
        state = state.hstack(loans.drop("loan_id"))
    else:
        state = state.join(loans, on="loan_id", how="left", maintain_order="left")
    return borrowers.payments(state, month, mortgage_rate_e7(month), desk.seed, desk.rulebook)


@dataclass(frozen=True)
class Received:
    """A payments file in a month: PAYMENTS rows, REJECTS rows, and how many rows wait, by later month."""

    good: pl.DataFrame
    rejects: pl.DataFrame
    waiting: dict[str, int]


def read_payments(desk: Desk, path: Path | str, month: int) -> Received:
    """Good rows of a payments file, and REJECTS rows for the others.

    Rows of later months are left for their month's close. A row of a closed month that was never booked
    is rejected, once. `loan` is the loan number; references are unique per servicer, in file and book.
    """
    read = read_table(path, COLUMNS, "payments")
    parsed = read.frame.with_columns(
        date=pl.col("received_date").str.to_date("%Y-%m-%d", strict=False),
        cents=pl.col("amount_cents").str.replace_all(",", "").cast(pl.Int64, strict=False),
        kind=pl.col("kind").str.to_lowercase().replace(_SAME),
    )
    later = parsed.filter(pl.col("date") > last_day(month)).group_by(pl.col("date").dt.strftime("%Y-%m")).len()
    parsed = parsed.filter(pl.col("date").is_null() | (pl.col("date") <= last_day(month)))
    known = desk.loans(["loan_id", "loan_number"])
    servicers = desk.opening(month).filter(pl.col("end_code") == ACTIVE).select("loan_id", "servicer_id")
    moves = servicer_moves(desk, month)
    rows = parsed.join(known, left_on="loan", right_on="loan_number", how="left").join(
        servicers, on="loan_id", how="left"
    )
    rows = rows.join(moves.rename({"servicer_id": "new"}), on="loan_id", how="left").with_columns(
        servicer_id=pl.coalesce("new", "servicer_id")
    )
    booked = desk.book.scan("payments").select("loan_id", "servicer_id", "reference").collect()
    used = booked.select("servicer_id", "reference").unique().with_columns(used=pl.lit(True))
    done = booked.select("loan_id", "reference").unique().with_columns(done=pl.lit(True))
    rows = rows.join(used, on=["servicer_id", "reference"], how="left").join(
        done, on=["loan_id", "reference"], how="left"
    )
    rows = rows.sort("row")
    again = pl.struct("servicer_id", "reference").is_duplicated() & (
        pl.col("row") != pl.col("row").min().over("servicer_id", "reference")
    )
    late = pl.col("date") < first_day(month)
    rows = rows.filter(~(late & pl.col("done").is_not_null()).fill_null(False))
    field, reason = _verdict(again, late)
    rows = rows.with_columns(field=field, reason=reason)
    good = rows.filter(pl.col("reason").is_null()).select(
        pl.col("loan_id").cast(pl.Int32),
        received_date="date",
        amount_cents="cents",
        kind="kind",
        reference="reference",
        servicer_id=pl.col("servicer_id").cast(pl.Int32),
        disposition=pl.lit("applied"),
    )
    bad = rows.filter(pl.col("reason").is_not_null()).select(
        "row",
        loan_number="loan",
        field="field",
        source_field="field",
        value=pl.coalesce(*[pl.when(pl.col("field") == c).then(pl.col(c)) for c in COLUMNS]).fill_null(""),
        reason="reason",
        file=pl.lit(read.name),
    )
    # The same file comes with every month's close: its undated and late rows are told the first time.
    told = desk.book.segment("rejects").select("row", "file").unique()
    rejects = pl.concat([bad, read.broken]).join(told, on=["row", "file"], how="anti", maintain_order="left")
    return Received(PAYMENTS.conform(good), REJECTS.conform(rejects), dict(later.sort("date").rows()))


def _verdict(again: pl.Expr, late: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """The first thing wrong with each row: its field and why; null when it is good."""
    tests = [
        (pl.col("loan_id").is_null(), "loan", "no such loan in the book: use the tape's loan number"),
        (pl.col("servicer_id").is_null(), "loan", "the loan has ended: return the money to the borrower"),
        (pl.col("date").is_null(), "received_date", "is no date: write YYYY-MM-DD"),
        (late, "received_date", "its month is closed: date it in the open month, as a correction"),
        (pl.col("cents").is_null(), "amount_cents", "is no whole number of cents"),
        (pl.col("cents") <= 0, "amount_cents", "must be above zero: corrections are entries of their own"),
        (pl.col("cents") > 10**12, "amount_cents", "is more than any loan owes: is it in cents?"),
        (~pl.col("kind").is_in(list(PAYMENT_KINDS)), "kind", f"must be one of {', '.join(PAYMENT_KINDS)}"),
        (pl.col("reference") == "", "reference", "is empty: servicer and reference identify a payment"),
        (pl.col("used").is_not_null(), "reference", "was received before: a payment is booked once"),
        (again, "reference", "stands twice in the file: a payment is booked once"),
    ]
    field: Any = pl.when(pl.lit(False)).then(pl.lit(""))
    reason: Any = pl.when(pl.lit(False)).then(pl.lit(""))
    for test, name, why in tests:
        field = field.when(test.fill_null(False)).then(pl.lit(name))
        reason = reason.when(test.fill_null(False)).then(pl.lit(why))
    return field.otherwise(None), reason.otherwise(None)


def servicer_moves(desk: Desk, month: int) -> pl.DataFrame:
    """loan_id, servicer_id: servicing that moves on the 1st of the month."""
    return (
        desk.book.scan("assignments")
        .filter(
            (pl.col("role") == "servicer") & (pl.col("effective_date") == first_day(month)) & (pl.col("from_id") != 0)
        )
        .select("loan_id", servicer_id="to_id")
        .collect()
        .sort("loan_id")
    )


def rejects_answer(rejects: pl.DataFrame) -> list[dict[str, Any]]:
    """The first rejects as JSON rows."""
    return [dict(zip(rejects.columns, r, strict=True)) for r in rejects.head(20).rows()]
