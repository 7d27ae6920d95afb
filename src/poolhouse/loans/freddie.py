"""Freddie Mac's loan-level origination file: what its columns leave open, and how each gap is filled.

Source: file layout of the Single-Family Loan-Level Dataset (data/freddie.toml).
"""

from __future__ import annotations

import polars as pl

from poolhouse.loans.notes import Notes, count, drawn_days, flagged, limited_assumed


def convert(work: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """Canonical columns (as far as the layout has them) from the usable rows of the working frame."""
    work = work.with_columns(pl.lit(0, pl.Int64).alias("imputed_flags"))
    return limited_assumed(_maturity(_note_date(work, notes), notes), notes, ("R",))


def _note_date(work: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """The file has no note date: two months before the first instalment, the day drawn per loan."""
    month = pl.col("first_due_date").dt.offset_by("-2mo")
    day = pl.lit(pl.Series(drawn_days(work)))
    message = "note two months before its first instalment, day drawn: the tape has no note date"
    notes.add("note_date_derived", "note_date", work.height, message)
    work = work.with_columns(pl.date(month.dt.year(), month.dt.month(), day).alias("note_date"))
    work = work.with_columns(flagged(pl.lit(True), "note_month"))
    return work.with_columns(flagged(pl.lit(True), "note_day"))


def _maturity(work: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """The term runs from the first to the last instalment; a file that says otherwise is told so."""
    last = pl.col("first_due_date").dt.offset_by(pl.format("{}mo", pl.col("term_months") - 1))
    off = pl.col("maturity_date") != last
    notes.add("maturity_off", "term_months", count(work, off), "maturity is not the term's end; term kept", "warning")
    other = pl.col("originator_id").str.to_lowercase() == "other sellers"
    notes.add("seller_merged", "originator_id", count(work, other), "small sellers stand as one, 'Other sellers'")
    return work
