"""Factors, their dates, and the rounding that they leave in the trust."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pooling_frames import MONTH, waiting

from poolhouse import pooling, rules
from poolhouse.pooling.factors import factor_e8
from poolhouse.tables import POOL_FACTORS

RULES = rules.load()
POOLS = pooling.form(waiting({"scheduled_upb_cents": 100_000_050}), MONTH, 1, RULES).records["pools"]


def totals(closing: int, received: int = 0, loans: int = 1) -> pl.DataFrame:
    schema = {"pool_id": pl.Int32, "closing_scheduled_cents": pl.Int64, "received_cents": pl.Int64, "loans": pl.Int32}
    return pl.DataFrame([(1, closing, received, loans)], schema=schema, orient="row")


def paid(cents: int) -> pl.DataFrame:
    return pl.DataFrame([(1, cents)], schema={"pool_id": pl.Int32, "paid_cents": pl.Int64}, orient="row")


@given(st.integers(0, 10**13), st.integers(0, 99), st.integers(10**8, 10**13))
def test_factor_is_the_nearest_eighth_decimal(balance: int, truncation: int, face: int) -> None:
    exact = Fraction(10**8 * max(0, balance - truncation), face)
    assert abs(factor_e8(balance, truncation, face) - exact) <= Fraction(1, 2)


def test_factor_by_hand() -> None:
    # 999,096.37 of 1,000,000 dollars, 50 cents truncated at issue: 0.99909587
    assert factor_e8(99_909_637, 50, 100_000_000) == 99_909_587
    assert factor_e8(0, 50, 100_000_000) == 0
    # halves go up: 0.5 of the last place
    assert factor_e8(5, 0, 10**9) == 1
    # ten billion dollars: the product is far above 64 bits
    assert factor_e8(10**12 - 1, 0, 10**12) == 10**8


def test_the_month_of_factors() -> None:
    first = pooling.factors(totals(99_909_687, 562_863), POOL_FACTORS.empty(), POOLS, MONTH + 1, RULES)
    (row,) = first.to_dicts()
    assert (row["prior_factor_e8"], row["factor_e8"], row["paid_cents"]) == (100_000_000, 99_909_637, 0)
    assert row["record_date"] == date(2009, 2, 27)  # the 28th is a Saturday
    assert row["publish_date"] == date(2009, 3, 5)
    assert row["pay_date"] == date(2009, 3, 25)
    settled = pooling.settle(first, paid(562_860))
    assert settled["rounding_balance_cents"].to_list() == [3]
    second = pooling.factors(totals(99_800_000, 1), settled, POOLS, MONTH + 2, RULES)
    assert second["prior_factor_e8"].to_list() == [99_909_637]
    assert second["pay_date"].to_list() == [date(2009, 4, 27)]  # the 25th is a Saturday
    assert pooling.settle(second, paid(5))["rounding_balance_cents"].to_list() == [-1]


def test_no_factor_before_the_first_distribution_and_none_without_its_forerunner() -> None:
    assert pooling.factors(totals(1), POOL_FACTORS.empty(), POOLS, MONTH, RULES).is_empty()
    with pytest.raises(ValueError, match="month before"):
        pooling.factors(totals(1), POOL_FACTORS.empty(), POOLS, MONTH + 2, RULES)


def test_a_pool_without_loans_ends_at_zero() -> None:
    (row,) = pooling.factors(totals(1).clear(), POOL_FACTORS.empty(), POOLS, MONTH + 1, RULES).to_dicts()
    assert (row["factor_e8"], row["loans"], row["received_cents"]) == (0, 0, 0)


def test_rounding_bound() -> None:
    # 10,000,000,000 dollars: 0.5e-8 x 10^12 cents = 5,000; 20 cents truncated; 3 holder-months; 5 half cents
    assert pooling.rounding_bound(10**12, 20, 3, 5) == 5_000 + 20 + 3 + 3
    assert pooling.rounding_bound(10**8, 0, 1, 1) == 2  # 0.5 + 1 + 0.5
    assert pooling.rounding_bound(10**8 + 1, 0, 1, 1) == 3


def test_a_pool_of_halves_stays_inside_the_bound() -> None:
    """A thousand equal loans whose interest all rounds up: the worst that loans can do in a month."""
    loans, balance, rate = 1_000, 10_000_100, 450_000
    interest = (2 * balance * rate + 12 * 10**7) // (2 * 12 * 10**7)  # 37500.375 -> 37500
    pool = POOLS.with_columns(
        pl.lit(loans * balance).alias("face_cents"), pl.lit(0, pl.Int64).alias("truncation_cents")
    )
    holder = (2 * loans * balance * rate + 12 * 10**7) // (2 * 12 * 10**7)
    frame = pooling.factors(
        totals(loans * balance, loans * interest, loans), POOL_FACTORS.empty(), pool, MONTH + 1, RULES
    )
    balance_left = pooling.settle(frame, paid(holder))["rounding_balance_cents"][0]
    assert balance_left == loans * interest - holder == -375
    assert abs(balance_left) <= pooling.rounding_bound(loans * balance, 0, 1, loans)
