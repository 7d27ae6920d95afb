"""What would make a failing loan pass, computed: dollars less loan, points of score, income or payments."""

from __future__ import annotations

import polars as pl

from poolhouse.standards.words import dollars, percent_e4, plain

AMOUNT, INCOME = pl.col("note_amount_cents"), pl.col("income_cents")
_CENTS = 100
_MONTHS = 12
WHOLE = 10_000


def _up(numerator: pl.Expr, denominator: pl.Expr | int) -> pl.Expr:
    """Quotient of non-negative integers, rounded up."""
    return (numerator + denominator - 1) // denominator


def whole_dollars(cents: pl.Expr) -> pl.Expr:
    """Cents as dollars, rounded up: a cure may be a dollar too much, never a cent too little."""
    return dollars(_up(cents, _CENTS) * _CENTS)


def less_loan(ratio: pl.Expr, limit: pl.Expr) -> pl.Expr:
    """'$9,600 less loan': by how much the note must shrink for a ratio to value to come down to the limit."""
    over = AMOUNT * (ratio - limit)
    return pl.format("{} less loan", whole_dollars(_up(over, ratio)))


def smaller_note(limit_cents: pl.Expr, amount: pl.Expr = AMOUNT) -> pl.Expr:
    """'$1,000 less loan' for a limit in dollars."""
    return pl.format("{} less loan", whole_dollars(amount - limit_cents))


def debt_ratio(ratio: pl.Expr, limit: pl.Expr) -> pl.Expr:
    """'income of $2,100 more a year or payments of $88 less a month'; without an income, in points of the ratio."""
    income = _up(INCOME * (ratio - limit), limit)
    payments = _up(INCOME * (ratio - limit), WHOLE * _MONTHS)
    said = pl.format(
        "income of {} more a year or payments of {} less a month", whole_dollars(income), whole_dollars(payments)
    )
    return pl.when(INCOME.is_not_null() & (limit > 0)).then(said).otherwise(
        pl.format("debt payments of {} of income less", percent_e4(ratio - limit))
    )  # fmt: skip


def points(score: pl.Expr, limit: pl.Expr) -> pl.Expr:
    """'8 points'."""
    return pl.format("{} points more", plain(limit - score))


def insurance(needed: pl.Expr, ratio: pl.Expr, limit: pl.Expr) -> pl.Expr:
    """'mortgage insurance of 12% or $9,600 less loan'."""
    return pl.format("mortgage insurance of {}% or {}", needed, less_loan(ratio, limit))


def by_field(field: str, test: str, value: pl.Expr, limit: pl.Expr) -> pl.Expr:
    """The cure of a number on the wrong side of its limit, by what the field is."""
    if field == "dti_e4" and test == "at_most":
        return debt_ratio(value, limit)
    if field in ("ltv_e4", "combined_ltv_e4", "cltv_e4", "base_ltv_e4") and test == "at_most":
        return less_loan(value, limit)
    if field == "note_amount_cents" and test == "at_most":
        return smaller_note(limit)
    if field == "score":
        return points(value, limit)
    gap, word = (value - limit, "less") if test == "at_most" else (limit - value, "more")
    if field.endswith("_cents"):
        return pl.format("{} {}", whole_dollars(gap), pl.lit(word))
    if field.endswith("_e4"):
        return pl.format("{} {}", percent_e4(gap), pl.lit(word))
    if field.endswith("_e7"):
        return pl.format("{} bp {}", plain(_up(gap, 1_000)), pl.lit(word))
    noun = next((n for n in ("months", "days") if n in field), "")
    return pl.format(f"{{}} {noun} {{}}" if noun else "{} {}", plain(gap), pl.lit(word))
