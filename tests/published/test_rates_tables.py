"""Rates models as textbooks print them.

J. Hull, Options, Futures, and Other Derivatives, chapter on short-rate models: the put on a zero-coupon bond (its data
and its analytic value are cited from memory).
"""

from __future__ import annotations

import numpy as np
import pytest

from poolhouse.valuation.rates import from_zero, hull_white, payer_price

DAYS = [3, 31, 62, 94, 185, 367, 731, 1096, 1461, 1826, 2194, 2558, 2922, 3287, 3653]
ZERO_RATES = [5.01772, 4.98282, 4.97234, 4.96157, 4.99058, 5.09389, 5.79733, 6.30595, 6.73464, 6.94816, 7.08807,
              7.27527, 7.30852, 7.39790, 7.49015]  # fmt: skip
UNIT = 6
"""Years: a bond option is a swaption of one coupon period, so time is counted in periods of six years here."""


@pytest.mark.parametrize(("reversion", "volatility", "printed"), [(0.1, 1.0, 1.8093)])
def test_hulls_put_on_a_zero_coupon_bond(reversion: float, volatility: float, printed: float) -> None:
    """Three years on a nine-year bond of 100, strike 63, Hull-White with a = 0.1 and sigma = 0.01: 1.8093. Years of
    365 days, zero rates continuously compounded and linear between the table's days."""
    rates = np.interp([3 * 365, 9 * 365], DAYS, ZERO_RATES)
    curve = from_zero(np.array([3, 9]) / UNIT, 200 * np.expm1(UNIT * rates / 200))
    model = hull_white(UNIT * reversion, UNIT**1.5 * volatility)
    coupon = 100 * (100 / 63 - 1)
    assert round(63 * payer_price(curve, model, 3 / UNIT, 1, coupon), 4) == printed
