"""Rules of Fannie Mae and Freddie Mac for conventional loans."""

from __future__ import annotations

import polars as pl

from poolhouse.standards import cures
from poolhouse.standards.facts import NO, Facts, cite, whole
from poolhouse.standards.frame import GRID, PURPOSE_CELLS, filled, flagged
from poolhouse.standards.verdict import YES, Limit, Verdict
from poolhouse.standards.words import MISSING, text
from poolhouse.tables.codes import PROGRAMS

AMOUNT, LTV = pl.col("note_amount_cents"), pl.col("ltv_e4")


def conforming_limit(facts: Facts, program: int) -> Verdict:
    """The note is within its county's limit for its units. Without a county table a note between the baseline and
    the ceiling can't be judged. Where statute sets a higher baseline, the ceiling is higher by as much."""
    ceiling, general = facts.by_units("high_cost_ceiling_cents"), general_limit(facts)
    baseline, county = facts.by_units("conforming_limit_cents"), pl.col("county_limit_cents")
    above, highest = general < AMOUNT, raised(ceiling.number(), facts, unknown=None)
    too_large = pl.coalesce(county, highest) < AMOUNT
    most = pl.coalesce(county, pl.when(too_large).then(highest).otherwise(general))
    return Verdict(
        fails=above & too_large,
        undetermined=above & county.is_null(),
        limit=Limit(
            lambda: text(most, "cents"),
            lambda: pl.when(county.is_null() & too_large).then(ceiling.source()).otherwise(baseline.source()),
            baseline.nearest(),
        ),
        value=lambda: text(AMOUNT, "cents"),
        cure=lambda: cures.smaller_note(most),
        lacks=lambda: pl.when(pl.col("county_fips").is_null()).then(pl.lit("county_fips")),
    )


def general_limit(facts: Facts) -> pl.Expr:
    """The limit outside high-cost areas, by units: the nation's baseline, or the one that statute sets for a state."""
    baseline = facts.by_units("conforming_limit_cents").number()
    return raised(baseline, facts, unknown=baseline)


def raised(limit: pl.Expr, facts: Facts, unknown: pl.Expr | None) -> pl.Expr:
    """A limit in dollars, higher in the states of the statute; `unknown` there when it is not known how much."""
    share = facts.value("statutory_area_share_e4").value
    there = pl.col("state").is_in(facts.value("statutory_area_states").value).fill_null(NO)
    return pl.when(there).then(limit * share // cures.WHOLE if share else unknown).otherwise(limit)


def max_ltv(facts: Facts, program: int) -> Verdict:
    """Loan to value by purpose, occupancy and units; a limit of 0% is a combination not bought."""
    highest = facts.by_units("max_ltv_e4", "grid", GRID, program=PROGRAMS[program])
    return Verdict(
        fails=(highest.number() == 0) | (highest.number() < LTV),
        undetermined=LTV.is_null(),
        value=lambda: text(LTV, "e4"),
        limit=Limit.of_grid(highest),
        cure=lambda: cures.less_loan_if_bought(LTV, highest.number()),
        lacks=lambda: pl.lit("ltv_e4"),
    )


def max_cltv(facts: Facts, program: int) -> Verdict:
    """All liens over value: the first lien's own limit, or more where the second is a Community Second. A tape
    without the ratio is read as having no other lien, which is an assumption."""
    first = facts.by_units("max_ltv_e4", "grid", GRID, program=PROGRAMS[program])
    with_second = facts.value("community_second_max_cltv_e4", program=PROGRAMS[program])
    eligible = pl.col("community_second").fill_null(False) & (pl.col("occupancy") == "principal")
    raised = eligible & (pl.col("purpose") != "cash_out")
    highest = pl.when(raised).then(pl.lit(with_second.value, pl.Int64)).otherwise(first.number())
    stated = pl.col("cltv_e4")
    return Verdict(
        applies=highest > 0,
        fails=stated > highest,
        assumptions={"no other lien": stated.is_null()} if "cltv_e4" in facts.gaps else {},
        value=lambda: text(stated, "e4"),
        limit=Limit(
            lambda: text(highest, "e4"),
            lambda: pl.when(raised).then(pl.lit(cite(with_second))).otherwise(first.source()),
            first.nearest() if not with_second.nearest else pl.when(raised).then(YES).otherwise(first.nearest()),
        ),
        cure=lambda: cures.less_first_lien(stated, highest),
    )


def high_balance_ltv(facts: Facts, program: int) -> Verdict:
    """A note above the general limit, in a county with a higher one, stops at a lower loan to value."""
    highest = facts.value("high_balance_max_ltv_e4", program=PROGRAMS[program])
    general = general_limit(facts)
    return Verdict(
        applies=pl.col("high_balance"),
        fails=highest.value < LTV,
        undetermined=LTV.is_null() if "ltv_e4" in facts.gaps else NO,
        value=lambda: text(LTV, "e4"),
        limit=Limit.of(highest, "e4"),
        cure=lambda: cures.less_high_balance(pl.lit(highest.value), general),
        lacks=lambda: pl.lit("ltv_e4"),
    )


def manufactured_ltv(facts: Facts, program: int) -> Verdict:
    """A manufactured home's own loan to value; an unknown property type is assumed to be none."""
    highest = facts.cells("manufactured_max_ltv_e4", "purpose_cell", PURPOSE_CELLS)
    kind = pl.col("property_type")
    known = "property_type" not in facts.gaps
    return Verdict(
        applies=(kind == "manufactured")
        if known
        else (kind == "manufactured") | (kind.is_null() & (highest.number() < LTV)),
        fails=highest.number() < LTV if known else (highest.number() < LTV) & kind.is_not_null(),
        undetermined=LTV.is_null(),
        assumptions={} if known else {"no manufactured home": kind.is_null()},
        value=lambda: text(LTV, "e4"),
        limit=Limit.of_cells(highest, "e4"),
        cure=lambda: cures.less_loan(LTV, highest.number()),
        lacks=lambda: pl.lit("ltv_e4"),
    )


def mortgage_insurance(facts: Facts, program: int) -> Verdict:
    """Above 80% the loan is insured: the standard coverage of its band and term (less for HomeReady, Home Possible and
    housing finance agencies' loans), or at least the minimum option, which costs a loan-level price and is assumed
    to have been chosen."""
    short = pl.col("term_months") <= facts.value("mi_short_term_months").value
    bands: list[int] = facts.value("mi_ltv_bands_e4").value
    standard_long = facts.value("mi_coverage_pct", option="standard_long")
    standard_short = facts.value("mi_coverage_pct", option="standard_short")
    minimum = facts.value("mi_coverage_pct", option="minimum")
    long, least = _by_band(bands, standard_long.value), _by_band(bands, minimum.value)
    columns = {option: facts.value("mi_coverage_pct", option=option).value for option in _AFFORDABLE}
    affordable = pl.when(short).then(_by_band(bands, columns["affordable_short"])).otherwise(
        _by_band(bands, columns["affordable_long"])
    )  # fmt: skip
    standard = pl.when(short).then(_by_band(bands, standard_short.value)).otherwise(long)
    kind = pl.col("affordable")
    standard = (
        pl.when((kind == "homeready") | (kind == "home_possible")).then(affordable)
        .when(kind == "hfa").then(_by_band(bands, columns["hfa"]))
        .otherwise(standard)
    )  # fmt: skip
    needed = facts.value("mi_above_ltv_e4")
    coverage = pl.col("mi_pct")
    shown = pl.when(coverage < least).then(least).otherwise(standard)
    unsaid = flagged("mi_assumed") if filled("mi_assumed") in facts.gaps else NO
    return Verdict(
        applies=(needed.value < LTV) | LTV.is_null(),
        fails=LTV.is_not_null() & (coverage < least) & ~unsaid,
        undetermined=LTV.is_null() | unsaid,
        assumptions={"minimum mortgage insurance option": coverage < standard},
        value=lambda: pl.when(unsaid).then(pl.lit(MISSING)).otherwise(text(coverage, "percent")),
        limit=Limit.of(standard_long, "percent").shown_as(lambda: text(shown, "percent")),
        cure=lambda: cures.insurance(standard, least, _insured_to(bands, minimum.value, needed.value)),
        lacks=lambda: pl.when(LTV.is_null()).then(pl.lit("ltv_e4")).otherwise(pl.lit("mi_pct")),
    )


_AFFORDABLE = ("affordable_long", "affordable_short", "hfa")
"""Columns of the coverage table for affordable loans."""


def _insured_to(bands: list[int], least: list[int], uninsured: int) -> pl.Expr:
    """The highest loan to value for which the coverage in force is enough."""
    enough = [pl.when(pl.col("mi_pct") >= need).then(whole(end)) for end, need in zip(bands, least, strict=True)]
    return pl.coalesce(*reversed(enough), whole(uninsured))


def _by_band(bands: list[int], coverage: list[int]) -> pl.Expr:
    """Coverage of the first band that holds the loan; above the last band, the last band's."""
    cases = [pl.when(whole(end) >= LTV).then(whole(percent)) for end, percent in zip(bands, coverage, strict=True)]
    return pl.coalesce(*cases, whole(coverage[-1]))
