"""The value of a note held, against its cash flows month by month in exact fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from poolhouse.models.holding import lasting_balance, margin_value_e6


def by_cash_flow(rate_e7: int, months: int, cost_e7: int, yield_e7: int, keep: Fraction) -> Fraction:
    """Present value of 1: interest less costs, scheduled principal and prepayments, each month."""
    rate, cost, wanted = (Fraction(x, 12 * 10**7) for x in (rate_e7, cost_e7, yield_e7))
    growth = (1 + rate) ** months
    payment = Fraction(1, months) if rate == 0 else rate * growth / (growth - 1)
    balance, alive, value = Fraction(1), Fraction(1), Fraction(0)
    for month in range(1, months + 1):
        after = balance * (1 + rate) - payment
        principal = alive * balance - alive * keep * after
        value += (alive * balance * (rate - cost) + principal) / (1 + wanted) ** month
        balance, alive = after, alive * keep
    assert abs(balance) < Fraction(1, 10**9)
    return value


@pytest.mark.parametrize("rate_e7", [0, 12_500, 300_000, 687_500, 1_250_000])
@pytest.mark.parametrize(("months", "prepaid_e4"), [(1, 1_000), (180, 0), (359, 2_500), (360, 1_000), (480, 6_000)])
def test_value_is_that_of_the_cash_flows(rate_e7: int, months: int, prepaid_e4: int) -> None:
    wanted, cost = 544_000, 64_500
    lasting = lasting_balance(np.array([rate_e7]), np.array([months]), wanted, np.array([prepaid_e4]))
    value = 100_000_000 + margin_value_e6(lasting, rate_e7 - wanted)[0] - margin_value_e6(lasting, cost)[0]
    keep = Fraction((1 - prepaid_e4 / 10_000) ** (1 / 12)).limit_denominator(10**15)
    exact = 10**8 * by_cash_flow(rate_e7, months, cost, wanted, keep)
    assert abs(value - exact) <= 2  # each part is rounded to a millionth of a point


def test_a_note_at_its_yield_without_cost_is_worth_par() -> None:
    lasting = lasting_balance(np.array([600_000]), np.array([360]), 600_000, np.array([1_500]))
    assert margin_value_e6(lasting, 0)[0] == 0
    assert 4 * 12 < lasting[0] < 6 * 12


def test_a_column_gives_what_each_note_gives() -> None:
    rates, months = np.array([0, 450_000, 687_500]), np.array([120, 240, 360])
    prepaid = np.array([500, 1_000, 3_000])
    together = lasting_balance(rates, months, 500_000, prepaid)
    alone = [lasting_balance(rates[i : i + 1], months[i : i + 1], 500_000, prepaid[i : i + 1])[0] for i in range(3)]
    assert together.tolist() == alone
