"""Rules of Fannie Mae and Freddie Mac for conventional loans."""

from __future__ import annotations

import polars as pl

from poolhouse.standards.facts import Facts
from poolhouse.standards.frame import GRID, PURPOSE_CELLS, flagged
from poolhouse.standards.verdict import Limit, Verdict
from poolhouse.standards.words import text
from poolhouse.tables.codes import PROGRAMS

AMOUNT, LTV = pl.col("note_amount_cents"), pl.col("ltv_e4")


def conforming_limit(facts: Facts, program: int) -> Verdict:
    """The note is within its county's limit for its units. Without a county table a note between the
    baseline and the ceiling can't be judged; where statute sets a higher baseline, neither can one above."""
    baseline, ceiling = facts.by_units("conforming_limit_cents"), facts.by_units("high_cost_ceiling_cents")
    county = pl.col("county_limit_cents")
    above = baseline.number() < AMOUNT
    statutory = pl.col("state").is_in(facts.value("statutory_area_states").value)
    too_large = pl.when(county.is_not_null()).then(county < AMOUNT).otherwise((ceiling.number() < AMOUNT) & ~statutory)
    highest = pl.when(county.is_null() & too_large).then(ceiling.number()).otherwise(baseline.number())
    return Verdict(
        fails=above & too_large,
        undetermined=above & county.is_null(),
        limit=Limit(text(pl.coalesce(county, highest), "cents"), baseline.source(), baseline.nearest()),
        value=text(AMOUNT, "cents"),
    )


def max_ltv(facts: Facts, program: int) -> Verdict:
    """Loan to value by purpose, occupancy and units; a limit of 0% is a combination not bought."""
    highest = facts.by_units("max_ltv_e4", "grid", GRID, program=PROGRAMS[program])
    return Verdict(
        fails=(highest.number() == 0) | (highest.number() < LTV),
        undetermined=LTV.is_null(),
        value=text(LTV, "e4"),
        limit=Limit.of_cells(highest, "e4"),
    )


def manufactured_ltv(facts: Facts, program: int) -> Verdict:
    """A manufactured home's own loan to value; an unknown property type is not taken for one."""
    highest = facts.cells("manufactured_max_ltv_e4", "purpose_cell", PURPOSE_CELLS)
    return Verdict(
        applies=pl.col("property_type") == "manufactured",
        fails=highest.number() < LTV,
        undetermined=LTV.is_null(),
        value=text(LTV, "e4"),
        limit=Limit.of_cells(highest, "e4"),
    )


def mortgage_insurance(facts: Facts, program: int) -> Verdict:
    """Above 80% the loan is insured: the standard coverage of its band and term, or at least the minimum
    option, which costs a loan-level price and is assumed to have been chosen."""
    short = pl.col("term_months") <= facts.value("mi_short_term_months").value
    bands: list[int] = facts.value("mi_ltv_bands_e4").value
    standard_long = facts.value("mi_coverage_pct", option="standard_long")
    standard_short = facts.value("mi_coverage_pct", option="standard_short")
    minimum = facts.value("mi_coverage_pct", option="minimum")
    long, least = _by_band(bands, standard_long.value), _by_band(bands, minimum.value)
    standard = pl.when(short).then(_by_band(bands, standard_short.value)).otherwise(long)
    needed = facts.value("mi_above_ltv_e4")
    coverage = pl.col("mi_pct")
    shown = pl.when(coverage < least).then(least).otherwise(standard)
    return Verdict(
        applies=(needed.value < LTV) | LTV.is_null(),
        fails=LTV.is_not_null() & (coverage < least),
        undetermined=LTV.is_null(),
        assumptions={"minimum mortgage insurance option": coverage < standard},
        value=text(coverage, "percent"),
        limit=Limit.of(standard_long, "percent").shown_as(text(shown, "percent")),
    )


def _by_band(bands: list[int], coverage: list[int]) -> pl.Expr:
    """Coverage of the first band that holds the loan; above the last band, the last band's."""
    cases = [pl.when(end >= LTV).then(percent) for end, percent in zip(bands, coverage, strict=True)]
    return pl.coalesce(*cases, pl.lit(coverage[-1]))


def min_score(facts: Facts, program: int) -> Verdict:
    """The lowest borrower's score reaches the minimum, where one is stated."""
    return score_from(facts, "min_score", program=PROGRAMS[program])


def score_from(facts: Facts, name: str, **dims: str) -> Verdict:
    """A score of at least the parameter. A banded score is judged by its band: all below fails, all at or
    above passes, a band with the limit inside can't be judged."""
    lowest = facts.value(name, **dims)
    stated = pl.lit(lowest.value > 0)
    return Verdict(
        applies=stated,
        fails=(pl.col("score") < lowest.value) & (band_end() <= lowest.value),
        undetermined=pl.col("score").is_null() | (pl.col("score") < lowest.value),
        value=score_words(),
        limit=Limit.of(lowest, ""),
    )


def band_end() -> pl.Expr:
    """Where the loan's score band ends (exclusive): as far above the midpoint as the floor is below it.
    A score that is no band ends at itself."""
    score = pl.col("score")
    return pl.when(flagged("score_band")).then(2 * pl.col("score_mid") - score).otherwise(score)


def score_words() -> pl.Expr:
    """'640', or '300 to 620' for a band."""
    score = pl.col("score")
    return pl.when(band_end() > score).then(pl.format("{} to {}", score, band_end())).otherwise(text(score, ""))


def max_dti(facts: Facts, program: int) -> Verdict:
    """All debt payments over income at most the automated system's limit."""
    return ratio_within(facts, "max_dti_e4", program=PROGRAMS[program])


def ratio_within(facts: Facts, name: str, **dims: str) -> Verdict:
    """A debt ratio of at most the parameter."""
    highest = facts.value(name, **dims)
    dti = pl.col("dti_e4")
    return Verdict(
        fails=dti > highest.value,
        undetermined=dti.is_null(),
        value=text(dti, "e4"),
        limit=Limit.of(highest, "e4"),
    )
