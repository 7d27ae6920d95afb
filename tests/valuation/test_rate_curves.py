"""Curves from par rates, beside QuantLib's bootstrap, and moved."""

from __future__ import annotations

import numpy as np
import pytest
import QuantLib as ql
from hypothesis import given, settings
from hypothesis import strategies as st
from quantlib_curves import COUNTER, RATES, TODAY, YEARS

from poolhouse.valuation import WrongInput
from poolhouse.valuation.rates import curve as curves


@pytest.mark.parametrize("per_year", [1, 2])
def test_the_bootstrap_is_quantlibs(per_year: int) -> None:
    """Piecewise log-linear discount factors through bonds at par, bills before them."""
    years, rates = ([0.25, 0.5, *YEARS], [5.3, 5.2, *RATES])
    ours = curves.from_par(years, rates, per_year=per_year)
    ql.Settings.instance().evaluationDate = TODAY
    helpers = []
    for year, rate in zip(years, rates, strict=True):
        length = ql.Period(round(year * 12), ql.Months)
        if year * per_year <= 1:
            helpers.append(
                ql.DepositRateHelper(rate / 100, length, 0, ql.NullCalendar(), ql.Unadjusted, False, COUNTER)
            )
            continue
        dates = ql.Schedule(
            TODAY, TODAY + length, ql.Period(12 // per_year, ql.Months), ql.NullCalendar(), ql.Unadjusted,
            ql.Unadjusted, ql.DateGeneration.Forward, False,
        )  # fmt: skip
        par = ql.QuoteHandle(ql.SimpleQuote(100.0))
        helpers.append(ql.FixedRateBondHelper(par, 0, 100.0, dates, [rate / 100], COUNTER))
    theirs = ql.PiecewiseLogLinearDiscount(TODAY, helpers, COUNTER)
    for month in range(1, 361):
        day = TODAY + ql.Period(month, ql.Months)
        assert float(ours.discount(month / 12)) == pytest.approx(theirs.discount(day), rel=1e-10)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(-1, 15), min_size=8, max_size=8), st.sampled_from([1, 2, 4]))
def test_par_rates_come_out_as_they_went_in(rates: list[float], per_year: int) -> None:
    try:
        curve = curves.from_par(YEARS, rates, per_year=per_year)
    except WrongInput as error:  # a long rate may be too high after low ones: coupons alone are worth par
        assert "no discount factor" in str(error)
        return
    assert curve.par(YEARS, per_year) == pytest.approx(np.array(rates), abs=1e-9)


def test_a_move_is_of_zero_rates_and_key_rates_add_up() -> None:
    curve = curves.from_par(YEARS, RATES)
    at = np.array([0.1, 1, 4, 6.5, 12, 30, 45])
    assert curve.shifted(0.75).zero(at) == pytest.approx(curve.zero(at) + 0.75, abs=1e-12)
    keys = np.array([2.0, 5.0, 10.0])
    each = curve
    for bump in 0.75 * np.eye(3):
        each = each.shifted(bump, keys)
    assert each.zero(at) == pytest.approx(curve.zero(at) + 0.75, abs=1e-12)
    tent = curve.shifted([0, 0.75, 0], keys)
    assert tent.zero(at) - curve.zero(at) == pytest.approx([0, 0, 0.5, 0.525, 0, 0, 0], abs=1e-12)


def test_a_flat_curve_by_hand() -> None:
    curve = curves.flat(6.0)
    assert float(curve.discount(10)) == pytest.approx(1.03**-20, rel=1e-14)
    assert float(curve.par(30)) == pytest.approx(6.0, abs=1e-12)
    assert curve.forward_par(7.3, 10) == pytest.approx(6.0, abs=1e-12)


def test_a_curve_of_zero_rates_is_quantlibs() -> None:
    """Log-linear discount factors through zero rates compounded twice a year; par bonds of it give it back."""
    ours = curves.from_zero(YEARS, RATES)
    assert ours.zero(YEARS) == pytest.approx(np.array(RATES), abs=1e-12)
    dates = [TODAY + ql.Period(year, ql.Years) for year in (0, *YEARS)]
    factors = [1.0] + [(1 + rate / 200) ** (-2 * year) for year, rate in zip(YEARS, RATES, strict=True)]
    theirs = ql.DiscountCurve(dates, factors, COUNTER)
    for month in range(1, 361):
        assert float(ours.discount(month / 12)) == pytest.approx(
            theirs.discount(TODAY + ql.Period(month, ql.Months)), rel=1e-12
        )
    again = curves.from_par(YEARS, ours.par(YEARS, 1), per_year=1)
    assert again.discount(YEARS) == pytest.approx(ours.discount(YEARS), rel=1e-12)


@pytest.mark.parametrize(
    ("years", "rates", "word"),
    [
        ([1, 2], [5], "as many rates as years"), ([2, 1], [5, 5], "must rise"), ([0, 1], [5, 5], "above 0"),
        ([1, 2.3], [5, 5], "whole number of coupons"), ([1, 30], [5, np.nan], "finite"),
        ([1, 20, 40], [1, 1, 60], "no discount factor"), ([1], [101], "above 100"),
        ([], [], "one at least"),
    ],
)  # fmt: skip
def test_what_is_no_curve_is_refused(years: list[float], rates: list[float], word: str) -> None:
    with pytest.raises(WrongInput, match=word):
        curves.from_par(years, rates)
