"""Amortisation against exact fractions, QuantLib and the $250,000 loan."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import QuantLib
from hypothesis import given, settings
from hypothesis import strategies as st

from poolhouse.loans import balances_after, schedule
from poolhouse.money import level_payments


def test_the_250_000_dollar_loan() -> None:
    rows = schedule(25_000_000, 650_000, 360)
    assert rows.row(0) == (1, 158_017, 135_417, 22_600, 24_977_400)
    assert rows["payment"][:-1].unique().to_list() == [158_017]
    assert rows.row(-1)[4] == 0
    assert rows["principal"].sum() == 25_000_000
    assert abs(rows["payment"][-1] - 158_017) < 360


def _fractions(amount: int, rate_e7: int, term: int) -> list[int]:
    """The balances by the book: exact fractions, each step rounded half-up."""
    rate = Fraction(rate_e7, 12 * 10**7)
    power = (1 + rate) ** term
    level = int(amount * rate * power / (power - 1) + Fraction(1, 2))
    balances = []
    for n in range(1, term + 1):
        interest = int(amount * rate + Fraction(1, 2))
        amount = 0 if n == term or level - interest >= amount else amount - (level - interest)
        balances.append(amount)
    return balances


@settings(max_examples=30, deadline=None)
@given(st.integers(1_000_000, 10**9), st.integers(50_000, 2_000_000), st.integers(2, 480))
def test_every_balance_equals_the_fractions(amount: int, rate_e7: int, term: int) -> None:
    expected = _fractions(amount, rate_e7, term)
    assert schedule(amount, rate_e7, term)["balance"].to_list() == expected
    n = np.arange(0, term + 3)
    columns = [np.full(len(n), x, dtype=np.int64) for x in (amount, rate_e7, term)]
    payment = level_payments(*columns)
    got = balances_after(columns[0], columns[1], payment, columns[2], n)
    assert got.tolist() == [amount, *expected, 0, 0]


def test_balances_follow_quantlib_to_the_rounding() -> None:
    rate = QuantLib.InterestRate(0.065 / 12, QuantLib.SimpleDayCounter(), QuantLib.Compounded, QuantLib.Annual)
    growth = rate.compoundFactor(1.0)
    start = QuantLib.Date(1, 1, 2009)
    bond = QuantLib.AmortizingFixedRateBond(
        0, QuantLib.sinkingNotionals(QuantLib.Period(30, QuantLib.Years), QuantLib.Monthly, 0.065, 250_000.0),
        QuantLib.sinkingSchedule(start, QuantLib.Period(30, QuantLib.Years), QuantLib.Monthly, QuantLib.NullCalendar()),
        [0.065], QuantLib.Thirty360(QuantLib.Thirty360.BondBasis),
    )  # fmt: skip
    notionals = list(bond.notionals())
    ours = [25_000_000, *schedule(25_000_000, 650_000, 360)["balance"].to_list()]
    assert growth == pytest.approx(1 + 0.065 / 12)
    for n, notional in enumerate(notionals[:360]):
        assert abs(ours[n] - notional * 100) <= n + 1


def test_loans_of_different_ages_in_one_call() -> None:
    amount = np.array([25_000_000, 25_000_000, 10_000_000, 5_000_000], dtype=np.int64)
    rate = np.array([650_000, 650_000, 500_000, 450_000], dtype=np.int64)
    term = np.array([360, 360, 120, 1], dtype=np.int64)
    n = np.array([0, 2, 119, 1], dtype=np.int64)
    payment = level_payments(amount, rate, term)
    got = balances_after(amount, rate, payment, term, n)
    assert got.tolist() == [25_000_000, 24_954_677, schedule(10_000_000, 500_000, 120)["balance"][118], 0]
    assert amount.tolist() == [25_000_000, 25_000_000, 10_000_000, 5_000_000]
