"""The columns that rules read: the loan's own, what is derived from them, cells for rule tables, county limits.

Words become enumerations and '' becomes null, so that a comparison costs a byte and an unknown is one.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from poolhouse.loans.mapping import VOCABULARY
from poolhouse.money import RATE_ONE
from poolhouse.rules import Rulebook, county_limits
from poolhouse.tables import LOANS, codes

PURPOSES = VOCABULARY["purpose"]
OCCUPANCIES = VOCABULARY["occupancy"]
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
    "loan_id", "kind", "note_amount_cents", "term_months", "note_date", "first_due_date", "rate_type", "purpose",
    "occupancy", "units", "property_type", "state", "county_fips", "value_cents", "ltv_e4", "score", "score_mid",
    "dti_e4", "income_cents", "mi_pct", "first_time_buyer", "borrowers", "streamline", "financed_fee_cents",
    "imputed_flags", "lien_position", "cltv_e4", "application_date", "underwriting", "amortization", "documentation",
    "affordable", "escrowed", "mi_payer", "relocation", "buydown", "community_second", "contributions_e4",
    "reserves_months", "late_30_12m", "late_60_24m", "title_months", "apr_e7", "apor_e7", "points_and_fees_cents",
    "ami_ratio_e4", "residual_income_cents", "household_size", "va_use", "va_entitlement_cents", "rural",
    "paid_to_date", "dscr_e4", "note_rate_e7",
)  # fmt: skip
"""What evaluation needs of a loan; other columns are dropped at the door."""

DERIVED = {
    "combined_ltv_e4": "all liens over value; the first lien's own ratio where the tape has no other",
    "base_ltv_e4": "loan to value without the financed fee; unknown where the fee was imputed",
    "base_amount_cents": "the note without the financed fee; unknown where the fee was imputed",
    "financed_fee_rate_e7": "financed fee over base loan, to a thousandth of a percent; unknown where it was imputed",
    "months_since_first_payment": "delivery month less the first instalment's month",
    "days_since_paid": "days from the due date of the last instalment paid to delivery",
    "high_balance": "the note is above its baseline conforming limit: the nation's, or by statute the state's",
}
"""Columns worked out from the loan's own, with their meaning."""

_FEE_STEPS = 100_000
"""A fee's rate is read to a thousandth of a percent: one rounded to a cent or a dollar is not above its rate."""

WORDS = {name: pl.Enum(VOCABULARY[name]) for name in VOCABULARY if name in COLUMNS}


def flagged(name: str) -> pl.Expr:
    """Whether the reader imputed this (a name of codes.IMPUTED)."""
    return (pl.col("imputed_flags") & codes.IMPUTED[name]) != 0


def filled(name: str) -> str:
    """How a bit of `imputed_flags` that some loan has stands among the gaps of a tape."""
    return f"imputed_flags:{name}"


def prepare(loans: pl.DataFrame, as_of: date, rulebook: Rulebook) -> pl.DataFrame:
    """Loans with DERIVED columns, the cells `purpose_cell`, `kind_cell`, `grid`, `case_date` (the application's,
    else the note's) and two county limits, null unknown: of the delivery's year, and of the case's year with
    `case_high_cost`, whether that is above the general limit."""
    lazy = loans.lazy().select(COLUMNS).with_columns(
        *(_word(name).cast(words, strict=False) for name, words in WORDS.items()),
        case_date=pl.coalesce("application_date", "note_date"),
    ).with_columns(
        purpose_cell=_place("purpose"),
        kind_cell=_place("kind") - 1,
        grid=(_place("purpose") * len(OCCUPANCIES) + _place("occupancy")) * 4 + pl.col("units") - 1,
        high_balance=pl.col("note_amount_cents") > _general_limit(rulebook, as_of),
        **_derived(as_of),
    )  # fmt: skip
    ready = _with_limits(lazy, as_of.year, "county_limit_cents")
    return _with_case_limits(ready.collect(), rulebook)


def _word(column: str) -> pl.Expr:
    """A word column; an unknown property type has a word of its own on tapes, here it is null as others are."""
    stated = pl.col(column)
    return pl.when(stated != "unknown").then(stated) if column == "property_type" else stated


def _place(column: str) -> pl.Expr:
    """Position of the word in its vocabulary; null for any other word."""
    return pl.col(column).to_physical().cast(pl.Int8)


def _derived(as_of: date) -> dict[str, pl.Expr]:
    due, amount = pl.col("first_due_date"), pl.col("note_amount_cents")
    base = pl.col("ltv_e4") * (amount - pl.col("financed_fee_cents")) // amount
    fee, stated = pl.col("financed_fee_cents"), ~flagged("closing_costs_assumed")
    return {
        "base_amount_cents": pl.when(stated).then(amount - fee),
        "financed_fee_rate_e7": pl.when(stated & (amount > fee))
        .then(fee * _FEE_STEPS // (amount - fee) * (RATE_ONE // _FEE_STEPS))
        .cast(pl.Int32),
        "combined_ltv_e4": pl.coalesce("cltv_e4", "ltv_e4"),
        "base_ltv_e4": pl.when(stated).then(base).cast(pl.Int32),
        "months_since_first_payment": (
            as_of.year * 12 + as_of.month - due.dt.year().cast(pl.Int32) * 12 - due.dt.month().cast(pl.Int32)
        ),
        "days_since_paid": (pl.lit(as_of) - pl.col("paid_to_date")).dt.total_days().cast(pl.Int32),
    }


def _general_limit(rulebook: Rulebook, day: date) -> pl.Expr:
    """The conforming limit outside high-cost areas: the nation's baseline, or by statute the state's, by units."""
    baseline: list[int] = rulebook.get("standards.conforming_limit_cents", day)
    share = rulebook.get("standards.statutory_area_share_e4", day) or 10_000
    there = pl.col("state").is_in(rulebook.get("standards.statutory_area_states", day)).fill_null(False)
    cases = [pl.when(pl.col("units") == u).then(pl.lit(most, pl.Int64)) for u, most in enumerate(baseline, start=1)]
    nation = pl.coalesce(cases)
    return pl.when(there).then(nation * share // 10_000).otherwise(nation)


def _with_limits(lazy: pl.LazyFrame, year: int, name: str) -> pl.LazyFrame:
    limits = county_limits(year)
    if limits.is_empty():
        return lazy.with_columns(pl.lit(None, pl.Int64).alias(name))
    renamed = limits.lazy().rename({"county_limit_cents": name})
    return lazy.join(renamed, on=["county_fips", "units"], how="left", maintain_order="left")


def _with_case_limits(loans: pl.DataFrame, rulebook: Rulebook) -> pl.DataFrame:
    """The county's limit in the year of the case number, which government programs go by, and whether it is above the
    general one: then the county's home values set it."""
    name, high = "case_county_limit_cents", "case_high_cost"
    government = loans.select(
        "loan_id", "county_fips", "state", "units", "kind", year=pl.col("case_date").dt.year()
    ).filter(pl.col("kind") != "conventional")
    parts = []
    for part in government.partition_by("year"):
        year = int(part["year"][0])
        above = pl.col(name) > _general_limit(rulebook, date(year, 1, 1))
        parts.append(_with_limits(part.lazy(), year, name).select("loan_id", name, above.alias(high)).collect())
    known = [part for part in parts if part[name].null_count() < part.height]
    if not known:
        return loans.with_columns(pl.lit(None, pl.Int64).alias(name), pl.lit(None, pl.Boolean).alias(high))
    return loans.join(pl.concat(known), on="loan_id", how="left", maintain_order="left")


SHAPES = {name: LOANS.schema[name] for name in COLUMNS if name not in ("loan_id",)} | {
    "combined_ltv_e4": pl.Int32(),
    "base_ltv_e4": pl.Int32(),
    "base_amount_cents": pl.Int64(),
    "financed_fee_rate_e7": pl.Int32(),
    "months_since_first_payment": pl.Int32(),
    "days_since_paid": pl.Int32(),
    "high_balance": pl.Boolean(),
}
"""Type of every column that a rule written as data may name."""
