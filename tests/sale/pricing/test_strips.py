"""Dividing the rate: against every division there is, and in the published examples of buy-down and excess."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poolhouse.sale.pricing.strips import LEAST_SERVICING, NO_PLACE, PERMITTED, SPREAD_HIGH, SPREAD_LOW, Limits, divide

UMBS = Limits(25_000, 50_000, 25_000, 25_000, 112_500, 0, True)
BEFORE_2019 = Limits(25_000, 50_000, 25_000, 25_000, 250_000, 150_000, True)
GINNIE = Limits(19_000, 69_000, 0, 25_000, 75_000, 0, False)


def one(spread: int, fee: int, limits: Limits, down: int, up: int, above: int, excess: int) -> tuple[int, ...]:
    array = np.array([spread], dtype=np.int64)
    part = divide(array, fee, limits, np.array([down]), np.array([up]), above, excess)
    return tuple(int(x[0]) for x in (part.refusal, part.servicing, part.buy_up, part.excess))


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([UMBS, BEFORE_2019, GINNIE]), st.integers(0, 60), st.integers(0, 270), st.integers(0, 9),
    st.integers(0, 9), st.integers(0, 9), st.integers(0, 9),
)  # fmt: skip
def test_no_division_pays_more(
    limits: Limits, fee: int, spread: int, up: int, more: int, above: int, excess: int
) -> None:
    """Whole bp, every servicing fee and buy-up tried; buy-down costs at least what buy-up pays."""
    down = up + more
    refusal, servicing, bought, kept = one(spread * 1_000, fee * 1_000, limits, down, up, above, excess)
    worth = {}
    for s, x in itertools.product(range(limits.servicing_min, limits.servicing_max + 1, 1_000),
                                  range(0, limits.excess_max + 1, 1_000)):  # fmt: skip
        b = spread * 1_000 - fee * 1_000 - s - x
        if b > limits.buy_up_max or (b < -fee * 1_000 if limits.buys_down else b != 0):
            continue
        worth[s, b, x] = (s - limits.servicing_min) * above + x * excess + (b * up if b > 0 else b * down)
    within = limits.spread_min <= spread * 1_000 <= limits.spread_max
    assert (refusal == PERMITTED) == (within and bool(worth))
    if refusal == PERMITTED:
        assert worth[servicing, bought, kept] == max(worth.values())


def test_a_published_choice_of_2012() -> None:
    """Note 3.875, fee 25 bp, 7 times: into 3.5 buy 12.5 bp down; with a fee of 35 bp 22.5; into 3.0 37.5 excess."""
    assert one(37_500, 25_000, BEFORE_2019, 7_000, 0, 0, 0) == (PERMITTED, 25_000, -12_500, 0)
    assert one(37_500, 35_000, BEFORE_2019, 7_000, 0, 0, 0) == (PERMITTED, 25_000, -22_500, 0)
    assert one(87_500, 25_000, BEFORE_2019, 7_000, 0, 0, 3_000) == (PERMITTED, 25_000, 0, 37_500)


@pytest.mark.parametrize(
    ("spread", "fee", "limits", "reason"),
    [
        (24_999, 10_000, UMBS, SPREAD_LOW), (25_000, 46_000, UMBS, PERMITTED), (112_500, 46_000, UMBS, PERMITTED),
        (112_501, 46_000, UMBS, SPREAD_HIGH), (100_000, 20_000, UMBS, NO_PLACE), (95_000, 20_000, UMBS, PERMITTED),
        (25_000, 6_000, GINNIE, PERMITTED), (75_000, 6_000, GINNIE, PERMITTED),
        (30_000, 12_000, GINNIE, LEAST_SERVICING),
    ],
)  # fmt: skip
def test_why_a_coupon_is_refused(spread: int, fee: int, limits: Limits, reason: int) -> None:
    assert one(spread, fee, limits, 6_000, 4_000, 3_000, 0)[0] == reason


def test_the_fee_is_never_bought_below_zero() -> None:
    assert one(25_000, 46_000, UMBS, 6_500, 4_500, 3_500, 0) == (PERMITTED, 25_000, -46_000, 0)
