"""A tape's loans as they close in a book: numbered, with their level payment and odd days."""

from __future__ import annotations

import numpy as np
import polars as pl

from poolhouse import chance, money
from poolhouse.tables import LOANS


def at_closing(tape: pl.DataFrame, first_loan_id: int, party_ids: pl.DataFrame, closed_month: int) -> pl.DataFrame:
    """LOANS rows of a TAPE frame, numbered from `first_loan_id` in order of loan number.

    `party_ids`: originator_id (str), originator_party_id (i32), one row per lender of the tape.
    ValueError for a lender that is in no row of it.
    """
    return _numbered(tape.sort("loan_number"), first_loan_id, party_ids, closed_month)


def as_loans(tape: pl.DataFrame) -> pl.DataFrame:
    """A TAPE frame as LOANS outside any book, for checking, pricing and execution: loan_id = row of the frame, from 0.

    Rows keep their order. Originators are numbered from 0 in order of their key; `closed_month` is the month of the
    note (an index). Everything else is as `at_closing` gives it.
    """
    parties = tape.select("originator_id").unique().sort("originator_id").with_row_index("originator_party_id")
    loans = _numbered(tape, 0, parties.with_columns(pl.col("originator_party_id").cast(pl.Int32)), 0)
    note = pl.col("note_date")
    month = note.dt.year() * 12 + note.dt.month().cast(pl.Int32) - 1
    return loans.with_columns(month.alias("closed_month"))


def _numbered(tape: pl.DataFrame, first_loan_id: int, party_ids: pl.DataFrame, closed_month: int) -> pl.DataFrame:
    """LOANS rows in the tape's order."""
    tape = tape.join(party_ids, on="originator_id", how="left", maintain_order="left")
    unknown = tape.filter(pl.col("originator_party_id").is_null())["originator_id"].unique().sort()
    if len(unknown):
        raise ValueError(f"no party for originators {unknown.to_list()[:5]}")
    amount, rate, term = (
        tape[name].to_numpy().astype(np.int64) for name in ("note_amount_cents", "note_rate_e7", "term_months")
    )
    odd_days = tape.select(_odd_days()).to_series().to_numpy().astype(np.int64)
    loans = tape.with_columns(
        pl.int_range(first_loan_id, first_loan_id + tape.height, dtype=pl.Int32).alias("loan_id"),
        pl.col("originator_party_id").cast(pl.Int32),
        pl.Series("draw_key", chance.text_keys(tape["loan_number"]), pl.UInt64),
        pl.Series("payment_cents", money.level_payments(amount, rate, term), pl.Int64),
        pl.col("first_due_date").dt.offset_by(pl.format("{}mo", pl.col("term_months") - 1)).alias("maturity_date"),
        pl.Series("odd_days_interest_cents", money.per_diem_interest(amount, rate, odd_days), pl.Int64),
        pl.lit(closed_month, pl.Int32).alias("closed_month"),
    )
    return LOANS.conform(loans.select(list(LOANS.schema)))


def _odd_days() -> pl.Expr:
    """Days of interest due at closing: from the note day to the end of its month, the note day
    included; negative, a credit for the days before it, when the first instalment falls due on the
    1st of the next month and pays for the whole month of the note."""
    note = pl.col("note_date")
    month_start = note.dt.month_start()
    next_month = month_start.dt.offset_by("1mo")
    soon = pl.col("first_due_date") == next_month
    before = (note - month_start).dt.total_days()
    after = (next_month - note).dt.total_days()
    return pl.when(soon).then(-before).otherwise(after)
