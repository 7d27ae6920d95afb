"""The current-coupon model: what a new mortgage costs where the factors are what they are.

The rate is a mean of par rates (the ten-year alone, unless told otherwise) plus a spread that stays, which is what
today's mortgage rate is above it. The spread holds guaranty fee, servicing, the lender's margin and what the
secondary market asks over the curve; that it stays is this model's simplification, and `spread_shift` tells what it
is worth: see `oas`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from poolhouse.valuation.rates.curve import Curve
from poolhouse.valuation.rates.gaussian import Gaussian
from poolhouse.valuation.wrong import Floats, WrongInput, numbers

TEN_YEARS: Mapping[float, float] = {10.0: 1.0}
_PER_YEAR = 2


@dataclass(frozen=True)
class CurrentCoupon:
    """spread: percent over the mean of the par rates; weights: of each, by years (whole half-years), their sum 1."""

    spread: float
    weights: Mapping[float, float] = field(default_factory=lambda: TEN_YEARS)

    def __post_init__(self) -> None:
        numbers("spread", self.spread, -100, 100)
        years = numbers("weights' years", list(self.weights), 0.5, 100)
        if abs(sum(self.weights.values()) - 1) > 1e-9 or (years * _PER_YEAR % 1 != 0).any():
            raise WrongInput("weights must add up to 1, of par rates of whole half-years")

    def shifted(self, by: float) -> CurrentCoupon:
        """The spread moved by percent."""
        return replace(self, spread=self.spread + by)

    def rates(self, curve: Curve, model: Gaussian, times: Floats, states: Floats) -> Floats:
        """Mortgage rates in percent, times x paths, where the factors are `states` (factors x times x paths).

        From each state's own par rates, which are of bonds in closed form: no approximation.
        """
        longest = max(self.weights)
        ahead = np.arange(1, round(longest * _PER_YEAR) + 1) / _PER_YEAR
        loading = model.loading(ahead)
        ends = times[:, None] + ahead
        base = curve.log_discount(ends) - curve.log_discount(times)[:, None]
        base += model.bond_shift(times[:, None], np.broadcast_to(ahead, ends.shape))
        found = np.full(states.shape[1:], float(self.spread))
        for place, row in enumerate(base):
            bonds = np.exp(row[:, None] - loading.T @ states[:, place])
            for years, weight in self.weights.items():
                count = round(years * _PER_YEAR)
                annuity = bonds[:count].sum(axis=0)
                found[place] += weight * 100 * _PER_YEAR * (1 - bonds[count - 1]) / annuity
        return found


def current_coupon(curve: Curve, mortgage_rate: float, weights: Mapping[float, float] | None = None) -> CurrentCoupon:
    """The model whose rate today is this one, percent."""
    given = CurrentCoupon(0.0, weights or TEN_YEARS)
    today = sum(weight * float(curve.par(years, _PER_YEAR)) for years, weight in given.weights.items())
    return replace(given, spread=float(numbers("mortgage rate", mortgage_rate, -100, 100)) - today)
