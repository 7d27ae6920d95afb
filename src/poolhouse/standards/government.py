"""Rules of FHA, VA and USDA for the loans that Ginnie Mae's issuers pool.

Loan to values of these loans often include the financed premium or fee, rounded up: a ratio between
the base limit and that is taken to be one (an assumption); above it, it can't be judged.
"""

from __future__ import annotations

import polars as pl

from poolhouse.money import RATE_ONE
from poolhouse.standards.conventional import score_from
from poolhouse.standards.facts import FHA_PREMIUM, NO, Facts
from poolhouse.standards.frame import KIND_CELLS, PURPOSE_CELLS, flagged
from poolhouse.standards.verdict import Limit, Verdict
from poolhouse.standards.words import text

LTV, DTI, KIND = pl.col("ltv_e4"), pl.col("dti_e4"), pl.col("kind")
_POINT = 100
"""One percentage point in e4: ratios on tapes are rounded up to the next one."""
_PREMIUM = "financed premium or fee in the loan to value"


def occupancy(facts: Facts, program: int) -> Verdict:
    """Government programs insure the borrower's own home: no second home, no investment."""
    return Verdict(
        fails=pl.col("occupancy") != "principal",
        limit=Limit(pl.lit("principal"), pl.lit("HUD Handbook 4000.1 II.A.1; 38 USC 3704(c); 7 CFR 3555.10 (memory)")),
        value=pl.col("occupancy"),
    )


def fha_limit(facts: Facts, program: int) -> Verdict:
    """Within the floor that every county has. Above it the county's own limit decides, which is not known.
    The premium doesn't count where the tape states it; where it was imputed, the whole note is compared."""
    floor = facts.by_units("fha_floor_cents")
    fee = pl.when(flagged("closing_costs_assumed")).then(0).otherwise(pl.col("financed_fee_cents"))
    base = pl.col("note_amount_cents") - fee
    return Verdict(
        applies=KIND == "fha",
        fails=NO,
        undetermined=base > floor.number(),
        value=text(base, "cents"),
        limit=Limit.of_cells(floor, "cents"),
    )


def fha_ltv(facts: Facts, program: int) -> Verdict:
    """Base limit by purpose, or by score when it is low; with the premium, rounded up to the next point."""
    base = facts.cells("fha_base_ltv_e4", "purpose_cell", PURPOSE_CELLS)
    low = facts.value("fha_low_score_max_ltv_e4")
    low_score = (pl.col("score") < facts.value("fha_full_financing_score").value) & ~flagged("score_band")
    limit = pl.when(low_score).then(pl.min_horizontal(base.number(), low.value)).otherwise(base.number())
    premium = facts.value(FHA_PREMIUM, kind="fha", streamline=False)
    highest = _next_point(limit * (RATE_ONE + premium.value), RATE_ONE)
    return Verdict(
        applies=KIND == "fha",
        fails=NO,
        undetermined=LTV.is_null() | (highest < LTV),
        assumptions={_PREMIUM: limit < LTV},
        limit=Limit(text(highest, "e4"), base.source(), base.nearest()),
        value=text(LTV, "e4"),
    )


def va_ltv(facts: Facts, program: int) -> Verdict:
    """The value, and the largest funding fee on top of it, rounded up to the next point."""
    base, fee = facts.value("va_base_ltv_e4"), facts.value("va_largest_funding_fee_e4")
    highest = _next_point(pl.lit(base.value + fee.value), 1)
    return Verdict(
        applies=KIND == "va",
        fails=NO,
        undetermined=LTV.is_null() | (highest < LTV),
        assumptions={_PREMIUM: base.value < LTV},
        value=text(LTV, "e4"),
        limit=Limit.of(base, "e4").shown_as(text(highest, "e4")),
    )


def usda_ltv(facts: Facts, program: int) -> Verdict:
    """The value, and the guarantee fee on top of it as a share of the whole loan."""
    highest = facts.value("usda_max_ltv_e4")
    value_itself = facts.value("usda_base_ltv_e4").value
    return Verdict(
        applies=KIND == "usda",
        fails=NO,
        undetermined=LTV.is_null() | (highest.value < LTV),
        assumptions={_PREMIUM: value_itself < LTV},
        value=text(LTV, "e4"),
        limit=Limit.of(highest, "e4"),
    )


def _next_point(ratio_e4: pl.Expr, divisor: int) -> pl.Expr:
    """A ratio rounded up to the next whole percent, exactly: integers only."""
    step = divisor * _POINT
    return (ratio_e4 + step - 1) // step * _POINT


def fha_score(facts: Facts, program: int) -> Verdict:
    """The lowest score FHA insures; in a band that also holds the score for full financing, undetermined."""
    lowest = score_from(facts, "fha_min_score")
    return Verdict(
        applies=KIND == "fha",
        fails=lowest.fails,
        undetermined=lowest.undetermined
        | (flagged("score_band") & (pl.col("score") < facts.value("fha_full_financing_score").value)),
        limit=lowest.limit,
        value=lowest.value,
    )


def debt_ratio(facts: Facts, program: int) -> Verdict:
    """Above the review ratio the file holds an automated approval or enough residual income, which is assumed;
    above what the automated systems approve it fails. A streamline refinance is not asked."""
    review = facts.cells("government_review_dti_e4", "kind_cell", KIND_CELLS)
    highest = facts.cells("government_max_dti_e4", "kind_cell", KIND_CELLS)
    stated = highest.number() > 0
    over = stated & (highest.number() < DTI)
    shown = pl.when(over).then(highest.number()).otherwise(review.number())
    return Verdict(
        applies=~pl.col("streamline"),
        fails=over,
        undetermined=DTI.is_null(),
        assumptions={"automated approval or residual income": review.number() < DTI},
        limit=Limit(
            text(shown, "e4"), pl.when(over).then(highest.source()).otherwise(review.source()), review.nearest()
        ),
        value=text(DTI, "e4"),
    )


def streamline(facts: Facts, program: int) -> Verdict:
    """A streamline refinance is not tested for income and ratio; one that was inferred says so."""
    return Verdict(
        applies=pl.col("streamline"),
        fails=NO,
        assumptions={
            "streamline refinance inferred, income and ratio waived": flagged("streamline_inferred"),
        },
        limit=Limit(pl.lit("income and ratio tests waived"), pl.lit("HUD Handbook 4000.1 II.A.8 (memory)")),
        value=pl.lit("streamline"),
    )
