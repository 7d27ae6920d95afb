"""General qualified mortgages (12 CFR 1026.43(e)(2)): the price, and the points and fees.

Term and product are tests of their own. The enterprises buy no loan to a consumer that is none of these since
their own exemption ended; government loans have their own rules. A tape without the figures passes under
an assumption.
"""

from __future__ import annotations

import polars as pl

from poolhouse.rules import Value
from poolhouse.standards import cures
from poolhouse.standards.facts import NO, Facts, cite
from poolhouse.standards.verdict import YES, Limit, Said, Verdict
from poolhouse.standards.words import text

AMOUNT, FEES = pl.col("note_amount_cents"), pl.col("points_and_fees_cents")
SPREAD = pl.col("apr_e7") - pl.col("apor_e7")
_WHOLE = 10_000


def _by_tier(tiers: list[int], values: list[pl.Expr]) -> pl.Expr:
    """The value of the first tier (descending lower ends) that the loan reaches; the last value below them all."""
    cases = [pl.when(low <= AMOUNT).then(value) for low, value in zip(tiers, values, strict=False)]
    return pl.coalesce(*cases, values[-1])


def price(facts: Facts, program: int) -> Verdict:
    """APR less the average prime offer rate stays below the tier's threshold."""
    on, tiers = facts.value("qm_in_force"), facts.value("qm_tiers_cents")
    spreads = facts.value("qm_spreads_e7")
    most = _by_tier(tiers.value[: len(spreads.value) - 1], [pl.lit(v) for v in spreads.value])
    return Verdict(
        applies=_asked(on.value),
        fails=most <= SPREAD,
        assumptions={"a price within the qualified mortgage's": SPREAD.is_null()},
        value=lambda: text(SPREAD, "e7"),
        limit=_cited(lambda: pl.format("below {} over the prime offer rate", text(most, "e7")), spreads, tiers),
        cure=lambda: pl.format("an APR lower by {} bp", (SPREAD - most) // 1_000 + 1),
    )


def points_and_fees(facts: Facts, program: int) -> Verdict:
    """Points and fees within the tier's share of the loan or its flat amount."""
    on, tiers, limits = facts.value("qm_in_force"), facts.value("qm_tiers_cents"), facts.value("qm_points_and_fees")
    most = _by_tier(tiers.value, [_share(limit) for limit in limits.value])
    return Verdict(
        applies=_asked(on.value),
        fails=most < FEES,
        assumptions={"points and fees within the qualified mortgage's": FEES.is_null()},
        value=lambda: text(FEES, "cents"),
        limit=_cited(lambda: text(most, "cents"), limits, tiers),
        cure=lambda: pl.format("{} less of points and fees", cures.whole_dollars(FEES - most)),
    )


def _cited(words: Said, value: Value, tiers: Value) -> Limit:
    return Limit(words, lambda: pl.lit(cite(value)), YES if value.nearest or tiers.nearest else NO)


def _share(limit: dict[str, int]) -> pl.Expr:
    """A limit is a share of the loan (e4) or an amount (cents)."""
    return AMOUNT * limit["share_e4"] // _WHOLE if "share_e4" in limit else pl.lit(limit["cents"])


def _asked(in_force: bool) -> pl.Expr:
    """Loans to consumers on a home they live in; a rented home is business credit."""
    return pl.lit(in_force) & (pl.col("occupancy") != "investment")
