"""7, Terms unchanged: whoever owned or serviced a loan, it is billed what its borrower signed.

The instalment is recomputed from amount, rate and term of the note in whole numbers: the annuity of
each distinct (rate, term) as a fraction, scaled by 2^60, and the few near ties settled by the fraction itself.
"""

from __future__ import annotations

from fractions import Fraction

import polars as pl

from poolhouse.promises.evidence import Evidence, PartMonth, index
from poolhouse.promises.tally import Tally

_SCALE = 2**60
_NEAR = 2**40
"""Cents below 2^40 times an annuity known to 2^-60 are within 2^-20 of the truth, 2^40 in the scale."""
_TAPE = ("note_amount_cents", "note_rate_e7", "term_months", "note_date", "first_due_date")


def billed(evidence: Evidence) -> pl.DataFrame:
    """loan_id, wanted_payment_cents, wanted_rate_e7, wanted_maturity (month index) from the closing terms."""
    loans = evidence.loans
    kinds = loans.select("note_rate_e7", "term_months").unique().sort("note_rate_e7", "term_months")
    annuities = [
        annuity(r, t) for r, t in zip(kinds["note_rate_e7"].to_list(), kinds["term_months"].to_list(), strict=True)
    ]
    kinds = kinds.with_columns(pl.Series("scaled", [int(a * _SCALE) for a in annuities], dtype=pl.Int128))
    exact = pl.col("note_amount_cents").cast(pl.Int128) * pl.col("scaled")
    rows = loans.join(kinds, on=["note_rate_e7", "term_months"], how="left", maintain_order="left").with_columns(
        payment=((exact + _SCALE // 2) // _SCALE).cast(pl.Int64), tie=(exact % _SCALE - _SCALE // 2).abs() <= _NEAR
    )
    return rows.select(
        "loan_id",
        pl.when("tie").then(_settled(rows.filter("tie"), rows)).otherwise("payment").alias("wanted_payment_cents"),
        pl.col("note_rate_e7").alias("wanted_rate_e7"),
        (index("first_due_date") + pl.col("term_months") - 1).alias("wanted_maturity"),
    )


def annuity(rate_e7: int, term: int) -> Fraction:
    """The level payment of a note of 1: r (1+r)^n / ((1+r)^n - 1), exactly; 1/n at a rate of zero."""
    if rate_e7 == 0:
        return Fraction(1, term)
    month = Fraction(rate_e7, 120_000_000)
    grown = (1 + month) ** term
    return month * grown / (grown - 1)


def _settled(ties: pl.DataFrame, rows: pl.DataFrame) -> pl.Series:
    """Payments of the rows too near a half cent for the scale, each by its fraction; others null."""
    columns = [ties[c].to_list() for c in ("note_amount_cents", "note_rate_e7", "term_months")]
    exact = [int(a * annuity(r, t) + Fraction(1, 2)) for a, r, t in zip(*columns, strict=True)]
    found = ties.select("loan_id").with_columns(pl.Series("exact", exact, dtype=pl.Int64))
    return rows.select("loan_id").join(found, on="loan_id", how="left", maintain_order="left")["exact"]


def closing_terms(evidence: Evidence, wanted: pl.DataFrame) -> Tally:
    """A fact per loan and term: the notes as closed are those of the tape, with their own level payment."""
    tally = Tally()
    tape = evidence.book.scan("tape").select("loan_number", *[pl.col(c).alias(f"tape_{c}") for c in _TAPE]).collect()
    rows = evidence.loans.join(tape.unique("loan_number"), on="loan_number", how="left", maintain_order="left")
    rows = rows.join(wanted, on="loan_id", how="left", maintain_order="left")
    for column in _TAPE:
        text = f"{column}, expected {{tape_{column}}} as on the tape, found {{{column}}}"
        tally.expect(
            rows, pl.col(column) == pl.col(f"tape_{column}"), evidence.say("closing of loan {loan_number}: " + text)
        )
    last = index("maturity_date") == pl.col("wanted_maturity")
    tally.expect(
        rows,
        (pl.col("payment_cents") == pl.col("wanted_payment_cents")) & last,
        evidence.say(
            "closing of loan {loan_number}: instalment, expected {wanted_payment_cents:cents} until "
            "{wanted_maturity:month} "
            "by amount, rate and term, found {payment_cents:cents} until {maturity_date}"
        ),
    )
    return tally


def unchanged(view: PartMonth, wanted: pl.DataFrame, evidence: Evidence) -> Tally:
    """A fact per loan-month: instalment, note rate and last due date are those of closing."""
    tally = Tally()
    rows = view.rows.select("loan_id", "payment_cents", "note_rate_e7", "maturity_date").join(
        wanted, on="loan_id", how="left", maintain_order="left"
    )
    same = (pl.col("payment_cents") == pl.col("wanted_payment_cents")) & (
        pl.col("note_rate_e7") == pl.col("wanted_rate_e7")
    )
    tally.expect(
        rows,
        same & (index("maturity_date") == pl.col("wanted_maturity")),
        evidence.say(
            "{m:month}, {loan_id:loan}: billed, expected {wanted_payment_cents:cents} at {wanted_rate_e7} e7 until "
            "{wanted_maturity:month} by its closing terms, found {payment_cents:cents} at {note_rate_e7} e7 "
            "until {maturity_date}",
            m=view.month,
        ),
    )
    return tally
