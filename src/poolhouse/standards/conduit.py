"""Rules of the private jumbo conduit. Its numbers are invented: rules/assumptions/standards.toml."""

from __future__ import annotations

import polars as pl

from poolhouse.standards.conventional import ratio_within, score_from
from poolhouse.standards.facts import Facts
from poolhouse.standards.frame import GRID
from poolhouse.standards.verdict import Limit, Verdict
from poolhouse.standards.words import text

AMOUNT, LTV = pl.col("note_amount_cents"), pl.col("ltv_e4")


def jumbo_only(facts: Facts, program: int) -> Verdict:
    """Larger than the baseline conforming limit: smaller loans go to the enterprises."""
    baseline = facts.by_units("conforming_limit_cents")
    return Verdict(
        fails=baseline.number() >= AMOUNT,
        value=text(AMOUNT, "cents"),
        limit=Limit.of_cells(baseline, "cents"),
    )


def max_amount(facts: Facts, program: int) -> Verdict:
    """Not larger than the conduit's largest loan."""
    largest = facts.value("conduit_max_amount_cents")
    return Verdict(fails=largest.value < AMOUNT, value=text(AMOUNT, "cents"), limit=Limit.of(largest, "cents"))


def max_ltv(facts: Facts, program: int) -> Verdict:
    """Loan to value by purpose, occupancy and units; a limit of 0% is a combination not bought."""
    highest = facts.by_units("conduit_max_ltv_e4", "grid", GRID)
    return Verdict(
        fails=(highest.number() == 0) | (highest.number() < LTV),
        undetermined=LTV.is_null(),
        value=text(LTV, "e4"),
        limit=Limit.of_cells(highest, "e4"),
    )


def min_score(facts: Facts, program: int) -> Verdict:
    """The lowest borrower's score reaches the conduit's minimum."""
    return score_from(facts, "conduit_min_score")


def max_dti(facts: Facts, program: int) -> Verdict:
    """All debt payments over income at most the conduit's limit."""
    return ratio_within(facts, "conduit_max_dti_e4")


def property_type(facts: Facts, program: int) -> Verdict:
    """None of the property types that the conduit leaves out; an unknown type passes."""
    excluded = facts.value("conduit_excluded_property_types")
    words = ", ".join(excluded.value)
    return Verdict(
        fails=pl.col("property_type").is_in(excluded.value),
        value=pl.col("property_type"),
        limit=Limit.of(excluded, "").shown_as(pl.lit(f"not {words}")),
    )
