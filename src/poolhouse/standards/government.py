"""Rules of FHA, VA and USDA for the loans that Ginnie Mae's issuers pool.

Where the tape states the financed premium or fee, the base loan to value is exact and judged as such. Where it
doesn't, loan to values often include it, rounded up: a ratio between the base limit and that is taken to be one
(an assumption); above it, it can't be judged.
"""

from __future__ import annotations

import polars as pl

from poolhouse.money import RATE_ONE
from poolhouse.standards import cures
from poolhouse.standards.facts import FHA_PREMIUM, NO, Facts
from poolhouse.standards.frame import KIND_CELLS, PURPOSE_CELLS, flagged
from poolhouse.standards.verdict import Limit, Verdict
from poolhouse.standards.words import text
from poolhouse.standards.written import band_end, score_words

LTV, DTI, KIND, EXACT = pl.col("ltv_e4"), pl.col("dti_e4"), pl.col("kind"), pl.col("base_ltv_e4")
_POINT = 100
"""One percentage point in e4: ratios on tapes are rounded up to the next one."""
_PREMIUM = "financed premium or fee in the loan to value"


def fha_limit(facts: Facts, program: int) -> Verdict:
    """Within the area's limit. Every area has the floor. Where the county's conforming limit of the case's year is
    above the general limit, it is 115% of the median home value (or the ceiling), and FHA's limit equals it; where it
    is the general limit (the nation's, or by statute the state's), FHA's lies between the floor and that. Above the
    ceiling no area helps, but for the special areas of the statute. The premium doesn't count where the tape states
    it; imputed, the whole note is compared."""
    floor, ceiling = facts.by_units("fha_floor_cents"), facts.by_units("fha_ceiling_cents")
    county = pl.col("case_county_limit_cents")
    fee = pl.when(flagged("closing_costs_assumed")).then(0).otherwise(pl.col("financed_fee_cents"))
    base = pl.col("note_amount_cents") - fee
    special = pl.col("state").is_in(facts.value("statutory_area_states").value)
    most = pl.when(county.is_not_null()).then(county).when(special).then(None).otherwise(ceiling.number())
    above = base > floor.number()
    known = pl.col("case_high_cost").fill_null(NO)
    too_large = above & (base > most)
    shown = pl.when(too_large | known).then(most).otherwise(floor.number())
    return Verdict(
        applies=KIND == "fha",
        fails=too_large & ~flagged("closing_costs_assumed"),
        undetermined=above & (~known | too_large),
        value=lambda: text(base, "cents"),
        limit=Limit(
            lambda: text(shown, "cents"),
            lambda: pl.when(county.is_null() & too_large).then(ceiling.source()).otherwise(floor.source()),
            floor.nearest(),
        ),
        cure=lambda: cures.smaller_base(most, base),
        lacks=lambda: pl.when(pl.col("county_fips").is_null()).then(pl.lit("county_fips")),
    )


def fha_ltv(facts: Facts, program: int) -> Verdict:
    """Base limit by purpose, or by score when it is low; with the premium, rounded up to the next point."""
    base = facts.cells("fha_base_ltv_e4", "purpose_cell", PURPOSE_CELLS)
    low = facts.value("fha_low_score_max_ltv_e4")
    low_score = (pl.col("score") < facts.value("fha_full_financing_score").value) & ~flagged("score_band")
    limit = pl.when(low_score).then(pl.min_horizontal(base.number(), low.value)).otherwise(base.number())
    premium = facts.value(FHA_PREMIUM, kind="fha", streamline=False)
    highest = _next_point(limit * (RATE_ONE + premium.value), RATE_ONE)
    said = Limit(
        lambda: text(pl.when(EXACT.is_null()).then(highest).otherwise(limit), "e4"), base.source, base.nearest()
    )
    return _ltv(KIND == "fha", limit, highest, said)


def _ltv(applies: pl.Expr, limit: pl.Expr, highest: pl.Expr, said: Limit) -> Verdict:
    """The base ratio against the base limit where it is exact, else the stated ratio against the limit with the fee."""
    return Verdict(
        applies=applies,
        fails=limit < EXACT,
        undetermined=LTV.is_null() | (EXACT.is_null() & (highest < LTV)),
        assumptions={_PREMIUM: EXACT.is_null() & (limit < LTV)},
        value=lambda: text(pl.coalesce(EXACT, LTV), "e4"),
        limit=said,
        cure=lambda: cures.less_base_loan(EXACT, limit),
        lacks=lambda: pl.when(LTV.is_null()).then(pl.lit("ltv_e4")).otherwise(pl.lit("financed_fee_cents")),
    )


def va_ltv(facts: Facts, program: int) -> Verdict:
    """The value, and the largest funding fee on top of it, rounded up to the next point."""
    base, fee = facts.value("va_base_ltv_e4"), facts.value("va_largest_funding_fee_e4")
    highest = _next_point(pl.lit(base.value + fee.value), 1)
    shown = pl.when(EXACT.is_null()).then(highest).otherwise(pl.lit(base.value))
    return _ltv(KIND == "va", pl.lit(base.value), highest, Limit.of(base, "e4").shown_as(lambda: text(shown, "e4")))


def usda_ltv(facts: Facts, program: int) -> Verdict:
    """The value, and the guarantee fee on top of it as a share of the whole loan."""
    highest, base = facts.value("usda_max_ltv_e4"), facts.value("usda_base_ltv_e4")
    shown = pl.when(EXACT.is_null()).then(pl.lit(highest.value)).otherwise(pl.lit(base.value))
    said = Limit.of(highest, "e4").shown_as(lambda: text(shown, "e4"))
    return _ltv(KIND == "usda", pl.lit(base.value), pl.lit(highest.value), said)


def _next_point(ratio_e4: pl.Expr, divisor: int) -> pl.Expr:
    """A ratio rounded up to the next whole percent, exactly: integers only."""
    step = divisor * _POINT
    return (ratio_e4 + step - 1) // step * _POINT


def fha_score(facts: Facts, program: int) -> Verdict:
    """The lowest score FHA insures; in a band that also holds the score for full financing, undetermined."""
    lowest, full = facts.value("fha_min_score"), facts.value("fha_full_financing_score")
    score = pl.col("score")
    fails = (score < lowest.value) & (band_end() <= lowest.value)
    return Verdict(
        applies=KIND == "fha",
        fails=fails,
        undetermined=score.is_null() | (score < lowest.value) | (flagged("score_band") & (score < full.value)),
        value=score_words,
        limit=Limit.of(lowest, ""),
        cure=lambda: cures.points(score, pl.lit(lowest.value)),
        lacks=lambda: pl.lit("score"),
    )


def debt_ratio(facts: Facts, program: int) -> Verdict:
    """Above the review ratio the file holds an automated approval or enough residual income, which is assumed;
    above what the automated systems approve it fails. A streamline refinance is not asked."""
    review = facts.cells("government_review_dti_e4", "kind_cell", KIND_CELLS)
    highest = facts.cells("government_max_dti_e4", "kind_cell", KIND_CELLS)
    stated = highest.number() > 0
    over = stated & (highest.number() < DTI)
    shown_residual = (KIND == "va") & pl.col("residual_income_cents").is_not_null()  # `va_residual` judges it
    shown = pl.when(over).then(highest.number()).otherwise(review.number())
    return Verdict(
        applies=~pl.col("streamline"),
        fails=over,
        undetermined=DTI.is_null(),
        assumptions={"automated approval or residual income": (review.number() < DTI) & ~shown_residual},
        limit=Limit(
            lambda: text(shown, "e4"),
            lambda: pl.when(over).then(highest.source()).otherwise(review.source()),
            pl.when(review.number() < DTI).then(highest.nearest()).otherwise(review.nearest()),
        ),
        value=lambda: text(DTI, "e4"),
        cure=lambda: cures.debt_ratio(DTI, highest.number()),
        lacks=lambda: pl.lit("dti_e4"),
    )


def streamline(facts: Facts, program: int) -> Verdict:
    """A streamline refinance is not tested for income and ratio; one that was inferred says so."""
    return Verdict(
        applies=pl.col("streamline"),
        fails=NO,
        assumptions={
            "streamline refinance inferred, income and ratio waived": flagged("streamline_inferred"),
        },
        limit=Limit(lambda: pl.lit("income and ratio tests waived"), lambda: pl.lit("HUD Handbook 4000.1 II.A.8")),
        value=lambda: pl.lit("streamline"),
    )
