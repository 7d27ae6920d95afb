"""The columns that rules read: the loan's own, small integer cells for rule tables, and its county's limit."""

from __future__ import annotations

from datetime import date

import polars as pl

from poolhouse.rules import county_limits
from poolhouse.tables import codes

PURPOSES = ("purchase", "limited_cash_out", "cash_out")
OCCUPANCIES = ("principal", "second_home", "investment")
GOVERNMENT = ("fha", "va", "usda")

GRID = {
    (p * len(OCCUPANCIES) + o) * 4 + u: {"purpose": purpose, "occupancy": occupancy, "units": u + 1}
    for p, purpose in enumerate(PURPOSES)
    for o, occupancy in enumerate(OCCUPANCIES)
    for u in range(4)
}
"""Cells of the column `grid`: purpose x occupancy x units."""

PURPOSE_CELLS = {p: {"purpose": purpose} for p, purpose in enumerate(PURPOSES)}
KIND_CELLS = {k: {"kind": kind} for k, kind in enumerate(GOVERNMENT)}

COLUMNS = (
    "loan_id", "kind", "note_amount_cents", "term_months", "note_date", "rate_type", "purpose", "occupancy", "units",
    "property_type", "state", "county_fips", "ltv_e4", "score", "score_mid", "dti_e4", "mi_pct", "streamline",
    "financed_fee_cents",
    "imputed_flags",
)  # fmt: skip
"""What evaluation needs of a loan; other columns are dropped at the door."""


def flagged(name: str) -> pl.Expr:
    """Whether the reader imputed this (a name of codes.IMPUTED)."""
    return (pl.col("imputed_flags") & codes.IMPUTED[name]) != 0


def prepare(loans: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Loans with the cell columns `purpose_cell`, `kind_cell`, `grid` and the county's limit (null unknown)."""
    slim = loans.lazy().select(COLUMNS).with_columns(
        purpose_cell=_code("purpose", PURPOSES),
        kind_cell=_code("kind", GOVERNMENT),
        occupancy_cell=_code("occupancy", OCCUPANCIES),
    )  # fmt: skip
    grid = (pl.col("purpose_cell") * len(OCCUPANCIES) + pl.col("occupancy_cell")) * 4 + pl.col("units") - 1
    limits = county_limits(as_of.year)
    coded = slim.with_columns(grid=grid)
    if limits.is_empty():
        return coded.with_columns(county_limit_cents=pl.lit(None, pl.Int64)).collect()
    return coded.join(limits.lazy(), on=["county_fips", "units"], how="left", maintain_order="left").collect()


def _code(column: str, words: tuple[str, ...]) -> pl.Expr:
    """Position of the word among `words`; null for any other word."""
    cases = [pl.when(pl.col(column) == word).then(pl.lit(i, pl.Int8)) for i, word in enumerate(words)]
    return pl.coalesce(cases)
