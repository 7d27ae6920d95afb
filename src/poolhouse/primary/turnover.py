"""How long a lender's capital is tied up in a loan, and how often a year it turns."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import polars as pl

_DAYS_A_YEAR = 365


def turns(sales: pl.DataFrame, loans: pl.DataFrame) -> dict[str, Any]:
    """Days from closing to sale, and turns a year, over the loans sold.

    sales: SALES columns (loan_id, settlement_date); loans: LOANS columns (loan_id, note_date,
    note_amount_cents, originator_type). Returns days_to_sale_median (None when nothing is sold),
    turns_per_year = 365 / days weighted by note amount, and by_type: lender type -> loans,
    days_to_sale_median, turns_per_year. Turns are for reports: rounded to two decimals.
    """
    sold = sales.select("loan_id", "settlement_date").join(
        loans.select("loan_id", "note_date", "note_amount_cents", "originator_type"), on="loan_id"
    )
    sold = sold.with_columns((pl.col("settlement_date") - pl.col("note_date")).dt.total_days().alias("days"))
    types = sold["originator_type"].unique().sort().to_list()
    return _measure(sold) | {"by_type": {t: _of_type(sold.filter(pl.col("originator_type") == t)) for t in types}}


def _of_type(sold: pl.DataFrame) -> dict[str, Any]:
    return {"loans": sold.height} | _measure(sold)


def _measure(sold: pl.DataFrame) -> dict[str, Any]:
    if not sold.height:
        return {"days_to_sale_median": None, "turns_per_year": None}
    cents = int(sold["note_amount_cents"].sum())
    # Cents times days over a million loans stays below 2^63: $160 bn x 365 days is 5.8e15.
    cent_days = int((sold["note_amount_cents"] * sold["days"]).sum())
    median = sold["days"].median()
    return {
        "days_to_sale_median": median,
        "turns_per_year": float(round(Fraction(_DAYS_A_YEAR * cents, cent_days), 2)) if cent_days > 0 else None,
    }
