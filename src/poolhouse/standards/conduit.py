"""Rules of the private jumbo conduit. Its numbers are invented: rules/assumptions/standards.toml."""

from __future__ import annotations

import polars as pl

from poolhouse.standards import cures
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
        value=lambda: text(AMOUNT, "cents"),
        limit=Limit.of_cells(baseline, "cents"),
        cure=lambda: pl.lit("sell it to an enterprise: it is within the conforming limit"),
    )


def max_ltv(facts: Facts, program: int) -> Verdict:
    """Loan to value by purpose, occupancy and units; a limit of 0% is a combination not bought."""
    highest = facts.by_units("conduit_max_ltv_e4", "grid", GRID)
    return Verdict(
        fails=(highest.number() == 0) | (highest.number() < LTV),
        undetermined=LTV.is_null(),
        value=lambda: text(LTV, "e4"),
        limit=Limit.of_grid(highest),
        cure=lambda: cures.less_loan_if_bought(LTV, highest.number()),
        lacks=lambda: pl.lit("ltv_e4"),
    )
