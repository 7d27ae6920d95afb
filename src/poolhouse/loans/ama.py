"""The public-use layout (AMA): what its columns leave open, and how each gap is filled.

Every filling is flagged on the loan (codes.IMPUTED) and counted in a finding. Month and day of the
note hang on a hash of the loan number, never on a remainder, which would tie them to other draws.
Source: counts on the 2009 file; the rules are assumptions (rules/assumptions/loans.toml).
"""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import polars as pl

from poolhouse import chance
from poolhouse.loans.notes import Notes, count, flagged
from poolhouse.rules import load


def convert(work: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """Canonical columns (as far as the layout has them) from the usable rows of the working frame."""
    work = work.with_columns(pl.lit(0, pl.Int64).alias("imputed_flags"))
    for step in (_identity, _rate, _note_date, _ratios, _scores, _purpose, _property, _insurance, _balance):
        work = step(work, notes)
    return work


def _rule(name: str, **dims: Any) -> Any:
    return load().get(f"loans.{name}", date.max, **dims)


def _or_null(work: pl.DataFrame, names: dict[str, pl.DataType]) -> pl.DataFrame:
    """The frame with a null column for each optional one that the file lacks."""
    return work.with_columns(pl.lit(None, t).alias(n) for n, t in names.items() if n not in work.columns)


def _identity(work: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """Lender key without leading zeros; state and county from the FIPS codes."""
    work = _or_null(work, {"fips_state": pl.String(), "state_code": pl.String(), "county_code": pl.String()})
    codes_ok = pl.col("state_code").str.contains(r"^\d{1,2}$") & pl.col("county_code").str.contains(r"^\d{1,3}$")
    county = pl.col("state_code").str.zfill(2) + pl.col("county_code").str.zfill(3)
    known = codes_ok & pl.col("fips_state").is_not_null() & ~pl.col("county_code").str.contains(r"^(0+|999)$")
    bare = pl.col("originator_id").str.strip_chars_start("0")
    return work.with_columns(
        pl.when(bare != "").then(bare).otherwise("originator_id").alias("originator_id"),
        pl.col("fips_state").fill_null("").alias("state"),
        pl.when(known).then(county).alias("county_fips"),
    )


def _rate(work: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """Rates rounded to the basis point go back to their eighth."""
    grid, within = _rule("note_rate_grid_e7"), _rule("ama_rate_snap_e7")
    rate = pl.col("note_rate_e7")
    nearest = (rate + grid // 2) // grid * grid
    off = rate != nearest
    snapped = off & ((rate - nearest).abs() <= within)
    notes.add("note_rate_snapped", "note_rate_e7", count(work, snapped), "note rate put back on its eighth")
    notes.add("note_rate_off_grid", "note_rate_e7", count(work, off & ~snapped), "note rate off the eighths, as stated")
    return work.with_columns(
        flagged(snapped, "note_rate_snapped"), pl.when(snapped).then(nearest).otherwise(rate).alias("note_rate_e7")
    )


def _note_date(work: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """Only the year is known: the month and the day are drawn per loan."""
    keys = chance.text_keys(work["loan_number"])
    draw = chance.draws(0, keys, 0, "note-month")
    first, last = _rule("ama_earlier_note_months")
    same_year = (work["note_year"] == work["acquisition_year"]).to_numpy()
    month = np.where(same_year, 1 + chance.below(draw, 12), first + chance.below(draw, last - first + 1))
    first_day, last_day = _rule("ama_note_days")
    day = first_day + chance.below(chance.draws(0, keys, 0, "note-day"), last_day - first_day + 1)
    earlier = pl.col("note_year") < pl.col("acquisition_year")
    notes.add("note_month", "note_date", work.height, "note month and day drawn: the tape has the year only")
    notes.add(
        "note_year_earlier", "note_date", count(work, earlier), f"note of an earlier year, month {first} to {last}"
    )
    return work.with_columns(
        flagged(pl.lit(True), "note_month"),
        pl.date(pl.col("note_year"), pl.lit(pl.Series(month)), pl.lit(pl.Series(day))).alias("note_date"),
    ).with_columns(flagged(pl.lit(True), "note_day"))


def _ratios(work: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """Loan-to-values scaled twice, debt ratios and incomes that mean 'none'."""
    work = _or_null(work, {"dti_e4": pl.Int64(), "income_cents": pl.Int64()})
    government = pl.col("kind") != "conventional"
    low, high = _rule("ama_ltv_scaled_e4")
    scaled = government & pl.col("ltv_e4").is_between(low, high)
    unusable = government & ~scaled & (pl.col("ltv_e4") < _rule("ama_ltv_unusable_below_e4"))
    none = pl.col("dti_e4") == _rule("ama_ratio_none_e4")
    streamline = none & (pl.col("kind") == "fha") & (pl.col("purpose") != "purchase")
    no_income = none | (pl.col("income_cents") < _rule("ama_income_none_below_cents"))
    notes.add("ltv_scaled", "ltv_e4", count(work, scaled), "loan-to-value divided by 100 twice, put right")
    notes.add("ltv_unusable", "ltv_e4", count(work, unusable), "loan-to-value can't be true, unknown", "warning")
    notes.add(
        "streamline_inferred", "dti_e4", count(work, streamline), "FHA streamline inferred, ratio and income unknown"
    )
    notes.add("ratio_none", "dti_e4", count(work, none & ~streamline), "debt ratio says none, unknown", "warning")
    notes.add("income_null", "income_cents", count(work, no_income), "income of a few dollars, unknown")
    return work.with_columns(
        pl.when(scaled).then(pl.col("ltv_e4") * 100).when(~unusable.fill_null(False)).then("ltv_e4").alias("ltv_e4"),
        pl.when(~none.fill_null(False)).then("dti_e4").alias("dti_e4"),
        pl.when(~no_income.fill_null(False)).then("income_cents").alias("income_cents"),
        streamline.fill_null(False).alias("streamline"),
        _flags((scaled, "ltv_scaled"), (unusable, "other"), (streamline, "streamline_inferred"),
               (no_income, "income_null"), (none & ~streamline, "other")),
    )  # fmt: skip


def _flags(*pairs: tuple[pl.Expr, str]) -> pl.Expr:
    total = pl.col("imputed_flags")
    for mask, name in pairs:
        total = total | flagged(mask, name)
    return total.alias("imputed_flags")


def _scores(work: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """The lowest borrower's band: its floor for eligibility, its midpoint for price."""
    work = _or_null(work, {"borrower_band": pl.String(), "co_borrower_band": pl.String()})
    bands = [pl.col(n).cast(pl.Int64, strict=False) for n in ("borrower_band", "co_borrower_band")]
    lowest = pl.min_horizontal(pl.when(b != 9).then(b) for b in bands)
    values = {dict(v.dims)["band"]: v.value for v in load().parameters["loans.score_band"].values}
    own = pl.col("borrower_band").cast(pl.Int64, strict=False)
    notes.add(
        "score_band", "score", count(work, lowest.is_not_null()), "score is its range's floor, for price its midpoint"
    )
    notes.add(
        "score_co_borrower", "score", count(work, lowest < own), "score of the co-borrower, who has the lower one"
    )
    notes.add("score_unknown", "score", count(work, lowest.is_null()), "no score", "warning")
    return work.with_columns(
        flagged(lowest.is_not_null(), "score_band"),
        *(
            lowest.replace_strict({b: v[i] for b, v in values.items()}, default=None, return_dtype=pl.Int64).alias(name)
            for i, name in enumerate(("score", "score_mid"))
        ),
    )


def _purpose(work: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """A refinance without a cash-out flag is a limited cash-out; a construction loan a purchase."""
    work = _or_null(work, {"lien_code": pl.String(), "hoepa_code": pl.String()})
    limited = pl.col("purpose") == "limited_cash_out"
    construction = pl.col("purpose_code").str.strip_chars_start("0") == "4"
    no_lien = pl.col("lien_code") == "not_applicable"
    high_cost = pl.col("hoepa_code") == "subject"
    notes.add("limited_cash_out_assumed", "purpose", count(work, limited), "refinance, limited cash-out assumed")
    notes.add("construction_as_purchase", "purpose", count(work, construction), "new construction, read as a purchase")
    notes.add("lien_assumed_first", "lien", count(work, no_lien), "lien not stated, first lien assumed")
    notes.add("high_cost", "hoepa", count(work, high_cost), "high-cost loan (HOEPA), read as any other", "warning")
    return work.with_columns(
        _flags((limited, "limited_cash_out_assumed"), (construction, "other"), (no_lien, "lien_assumed_first"))
    )


def _property(work: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """A cooperative is one whatever the type says; several units are no detached house."""
    work = _or_null(work, {"coop_code": pl.String(), "units": pl.Int64(), "property_type": pl.String()})
    several = (pl.col("units") > 1) & (pl.col("property_type") != "two_to_four")
    single = (pl.col("units") == 1) & (pl.col("property_type") == "two_to_four")
    notes.add(
        "units_over_type", "property_type", count(work, several), "two to four units, type says otherwise", "warning"
    )
    notes.add("type_over_units", "units", count(work, single), "one unit as stated, type says two to four", "warning")
    return work.with_columns(
        pl.when(pl.col("coop_code") == "coop").then(pl.lit("coop"))
        .when(several).then(pl.lit("two_to_four")).otherwise("property_type").alias("property_type"),
        flagged(several | single, "other"),
    )  # fmt: skip


def _insurance(work: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """Coverage in whole percent; a part of a percent is not counted."""
    work = _or_null(work, {"mi_e4": pl.Int64()})
    part = pl.col("mi_e4") % 100 != 0
    notes.add("mi_cut_off", "mi_pct", count(work, part), "insurance coverage cut to the whole percent")
    return work.with_columns((pl.col("mi_e4") // 100).alias("mi_pct"), flagged(part, "other"))


def _balance(work: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """The loan closes at its note amount; a much lower acquired balance was a curtailment."""
    work = _or_null(work, {"upb_cents": pl.Int64()})
    note, upb = pl.col("note_amount_cents"), pl.col("upb_cents")
    curtailed = upb * 10_000 < note * _rule("ama_curtailment_ratio_e4")
    below, above = count(work, (upb < note) & ~curtailed), upb > note
    notes.add(
        "seasoned_before_sale", "note_amount_cents", below, "acquired below the note amount, closes at the note amount"
    )
    notes.add(
        "curtailed_before_sale", "curtailment_cents", count(work, curtailed), "principal paid ahead before the sale"
    )
    notes.add("upb_above_note", "note_amount_cents", count(work, above), "acquired above the note amount", "warning")
    return work.with_columns(
        pl.when(curtailed).then(note - upb).otherwise(0).alias("curtailment_cents"),
        _flags((curtailed, "curtailed_before_sale"), (above, "other")),
    )
