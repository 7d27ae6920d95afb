"""Floating-rate securities: the margin over an index at which their payments are worth their price.

Source: SIFMA Standard Formulas, SF-52 and SF-53.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from poolhouse.valuation.wrong import Floats, WrongInput, numbers, require, together

_HALVINGS = 120
_LARGEST = 1e6


def discount_margin(settled: Any, cash_flow: Any, times: Any, index: Any) -> Floats:
    """The margin in percent: settled = sum of cash flows / product of 1 + (index + margin)/100 x time between payments.

    settled: dollars paid, accrued interest included; cash_flow: payments, times: years from settlement to each, index:
    percent assumed for each period before a payment, one or all; payments along the last axis. Raises WrongInput.
    """
    wanted, paid = numbers("settlement value", settled, 0), numbers("cash_flow", cash_flow, 0)
    at = numbers("times", times, 0)
    gaps = np.diff(at, axis=-1, prepend=0.0)
    if (gaps <= 0).any():
        raise WrongInput("payment times must rise from settlement on")
    paid, gaps, rates = together(cash_flow=paid, times=gaps, index=numbers("index", index))
    together(settled=wanted, payments=paid[..., 0])
    wanted = np.broadcast_to(wanted, np.broadcast_shapes(wanted.shape, paid.shape[:-1]))
    low = np.broadcast_to((-100 / gaps - rates).max(axis=-1), wanted.shape).copy()
    high = np.full(wanted.shape, _LARGEST)

    def worth(margin: Floats) -> Floats:
        grown = np.cumprod(1 + (rates + margin[..., None]) / 100 * gaps, axis=-1)
        return np.asarray((paid / np.maximum(grown, np.finfo(np.float64).tiny)).sum(axis=-1))

    if (worth(high) > wanted).any() or (paid.sum(axis=-1) <= 0).any() or (wanted <= 0).any():
        raise WrongInput("no margin gives this price: the price and the payments in all must be above 0")
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        dear = worth(middle) > wanted
        low, high = np.where(dear, middle, low), np.where(dear, high, middle)
    return np.asarray((low + high) / 2)


def yield_spread(bond_equivalent_yield: Any, index: Any, *, per_year: int = 12, gross_up: float = 1.0) -> Floats:
    """Yield less the index's own, both bond-equivalent, in percent. `per_year`: how often the index compounds;
    `gross_up`: 365/360 for an index quoted on actual/360. SF-52."""
    times = numbers("per_year", per_year, 1)
    rate = numbers("index", index) * gross_up
    require("index", rate, rate > -100 * times, "must be above all that is lent")
    half_year = times / 2 * np.log1p(rate / (100 * times))
    return np.asarray(numbers("yield", bond_equivalent_yield) - 200 * np.expm1(half_year))
