"""What would make a failing loan pass, computed: dollars less loan, points of score, income or payments."""

from __future__ import annotations

import polars as pl

from poolhouse.standards.words import dollars, percent_e4, plain
from poolhouse.tables.codes import IMPUTED

AMOUNT, INCOME, FEE = pl.col("note_amount_cents"), pl.col("income_cents"), pl.col("financed_fee_cents")
_CENTS = 100
_MONTHS = 12
WHOLE = 10_000


def _up(numerator: pl.Expr, denominator: pl.Expr | int) -> pl.Expr:
    """Quotient of non-negative integers, rounded up."""
    return (numerator + denominator - 1) // denominator


def whole_dollars(cents: pl.Expr) -> pl.Expr:
    """Cents as dollars, rounded up: a cure may be a dollar too much, never a cent too little."""
    return dollars(_up(cents, _CENTS) * _CENTS)


def _value() -> pl.Expr:
    """The property's value where it says more than the ratio: stated, and the ratio is amount over it, cut off."""
    value, stated = pl.col("value_cents"), (pl.col("imputed_flags") & IMPUTED["value_from_ltv"]) == 0
    return pl.when(stated & (AMOUNT * WHOLE // value == pl.col("ltv_e4"))).then(value)


def _less_of_ratio(ratio: pl.Expr, limit: pl.Expr, part: pl.Expr) -> pl.Expr:
    """Cents by which the note must shrink for `part` of it (all, or without the fee, which shrinks alike) over value
    to come down to the limit. A stated ratio is cut off at its fourth digit: with a value, the true one comes down."""
    by_ratio = _up(AMOUNT * (ratio - limit), ratio)
    over = part - _value() * limit // WHOLE
    return pl.max_horizontal(by_ratio, _up(AMOUNT * over, part))


def less_loan(ratio: pl.Expr, limit: pl.Expr) -> pl.Expr:
    """'$9,600 less loan': by how much the note must shrink for a ratio to value to come down to the limit."""
    return _less(_less_of_ratio(ratio, limit, AMOUNT))


def less_loan_if_bought(ratio: pl.Expr, limit: pl.Expr) -> pl.Expr:
    """The same by purpose, occupancy and units, of which some are not bought at any ratio (limit 0)."""
    bought = pl.when(limit > 0).then(less_loan(ratio, limit))
    return bought.otherwise(pl.lit("only another purpose, occupancy or number of units"))


def less_base_loan(ratio: pl.Expr, limit: pl.Expr) -> pl.Expr:
    """The same for the ratio of the loan without its financed fee."""
    return _less(_less_of_ratio(ratio, limit, AMOUNT - FEE))


def less_first_lien(combined: pl.Expr, limit: pl.Expr) -> pl.Expr:
    """The same for all liens over value: the first lien alone shrinks. Null where the value is unknown."""
    over = combined - limit
    by_value, by_ratio = _up(_value() * over, WHOLE), _up(AMOUNT * over, pl.col("ltv_e4"))
    return _less(pl.coalesce(by_value, by_ratio))


def less_high_balance(limit: pl.Expr, baseline_cents: pl.Expr) -> pl.Expr:
    """A ratio that is asked only above the baseline: down to the one or to the other, whichever is less."""
    by_ratio = _less_of_ratio(pl.col("ltv_e4"), limit, AMOUNT)
    return _less(pl.min_horizontal(by_ratio, AMOUNT - baseline_cents))


def smaller_note(limit_cents: pl.Expr) -> pl.Expr:
    """'$1,000 less loan' for a limit in dollars."""
    return _less(AMOUNT - limit_cents)


def smaller_base(limit_cents: pl.Expr, base: pl.Expr) -> pl.Expr:
    """The same for a limit of the loan without its financed fee, which shrinks alike."""
    return _less(_up(AMOUNT * (base - limit_cents), base))


def _less(cents: pl.Expr) -> pl.Expr:
    return pl.format("{} less loan", whole_dollars(cents))


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


def insurance(standard: pl.Expr, least: pl.Expr, to: pl.Expr) -> pl.Expr:
    """'$9,600 less loan, or MI of 12% (6% at a price)'. `to`: the ratio at which the coverage in force is enough."""
    cheaper = pl.when(least < standard).then(pl.format(" ({}% at a price)", least)).otherwise(pl.lit(""))
    return pl.format("{}, or MI of {}%{}", less_loan(pl.col("ltv_e4"), to), standard, cheaper)


def _combined(ratio: pl.Expr, limit: pl.Expr) -> pl.Expr:
    alone = pl.col("cltv_e4").is_null()
    return pl.when(alone).then(less_loan(ratio, limit)).otherwise(less_first_lien(ratio, limit))


_RATIOS = {
    "ltv_e4": less_loan,
    "base_ltv_e4": less_base_loan,
    "cltv_e4": less_first_lien,
    "combined_ltv_e4": _combined,
}


def by_field(field: str, test: str, value: pl.Expr, limit: pl.Expr) -> pl.Expr:
    """The cure of a number on the wrong side of its limit, by what the field is."""
    if field == "dti_e4" and test == "at_most":
        return debt_ratio(value, limit)
    if field in _RATIOS and test == "at_most":
        return _RATIOS[field](value, limit)
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
