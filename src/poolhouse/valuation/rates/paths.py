"""Monthly paths of rates on which every discount bond is worth what the curve says, exactly.

The factors step from month to month without error of time. The rate earned between two months is not sampled but
averaged, given both ends: payments look at the ends only, so their value is the same and its noise less. Discount
factors of each payment date are then scaled by one number, near 1, so that their mean is the curve's.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from poolhouse.valuation.rates import draws
from poolhouse.valuation.rates.curve import Curve
from poolhouse.valuation.rates.gaussian import Gaussian, hull_white
from poolhouse.valuation.rates.mortgage_rate import CurrentCoupon
from poolhouse.valuation.settlement import MONTH_DAYS, YEAR_DAYS
from poolhouse.valuation.wrong import Floats, WrongInput, numbers, whole

LONGEST, MOST_CELLS = 1200, 50_000_000
"""Months; and months x paths of each factor, of which half a dozen tables are kept: 2.4 GB."""
_MONTH = 1 / 12
_LOUDEST = 100


@dataclass(frozen=True)
class Paths:
    """times: years from settlement, 0 and then each month's end; states: factors x times x paths; earned: logarithm
    of the discount factor over the curve's own, times x paths; group: which independent part a path is of."""

    curve: Curve
    model: Gaussian
    coupon: CurrentCoupon
    settle_days: float
    times: Floats
    states: Floats
    earned: Floats
    group: npt.NDArray[np.int64]
    _kept: dict[float, Floats] = field(default_factory=dict, compare=False, repr=False)

    @property
    def count(self) -> int:
        """Paths."""
        return int(self.states.shape[2])

    @property
    def months(self) -> int:
        """Months."""
        return len(self.times) - 1

    @cached_property
    def mortgage(self) -> Floats:
        """Percent, months x paths: the rate at each month's beginning."""
        return self.coupon.rates(self.curve, self.model, self.times[:-1], self.states[:, :-1])

    @cached_property
    def short(self) -> Floats:
        """Percent, months x paths: the one-month rate at each month's beginning, simple."""
        at = self.times[:-1]
        worth = self._ahead(at, _MONTH, self.states[:, :-1])
        return np.asarray(100 / _MONTH * np.expm1(-worth))

    def _ahead(self, times: Floats, years: float, states: Floats) -> Floats:
        """Logarithm of bonds of so many years, times x paths."""
        base = self.curve.log_discount(times + years) - self.curve.log_discount(times)
        base += self.model.bond_shift(times, np.full(times.shape, years))
        return np.asarray(base[:, None] - np.einsum("i,itp->tp", self.model.loading(years), states))

    def discount(self, delay_days: float) -> Floats:
        """Value today of 1 paid `delay_days` after each month's end, months x paths; their means are the curve's."""
        delay = float(numbers("delay_days", delay_days, 0, YEAR_DAYS))
        if delay not in self._kept:
            at, late = self.times[1:], delay / YEAR_DAYS
            worth = np.exp(self.earned[1:] + self._ahead(at, late, self.states[:, 1:]))
            target = self.curve.discount(at + late)
            worth *= (target / worth.mean(axis=1))[:, None]
            self._kept[delay] = worth
        return self._kept[delay]

    def moved(self, curve: Curve | None = None, coupon: CurrentCoupon | None = None) -> Paths:
        """The same chance on another curve, or with another mortgage spread."""
        kept = self._kept if curve is None else {}  # what a mortgage costs moves no bond
        return replace(self, curve=curve or self.curve, coupon=coupon or self.coupon, _kept=kept)

    def louder(self, by: float) -> Paths:
        """The same chance with each factor's volatility times `by`, and so every swaption's. Raises WrongInput."""
        scale = float(numbers("by", by, 0, _LOUDEST))
        model = replace(self.model, volatility=tuple(scale * volatility for volatility in self.model.volatility))
        gaps = np.round(np.diff(self.times), 12)
        left = {gap: _step(self.model, gap)[-1] for gap in set(gaps.tolist())}
        convexity = np.concatenate([[0.0], np.cumsum([left[gap] for gap in gaps.tolist()])])
        convexity = (convexity - self.model.bond_variance(self.times)) / 2  # goes with the square, all else with `by`
        earned = scale * self.earned + (scale * scale - scale) * convexity[:, None]
        return replace(self, model=model, states=scale * self.states, earned=earned, _kept={})

    @cached_property
    def still(self) -> Paths:
        """One path on which today's forwards come true."""
        model = hull_white(1.0, 0.0)
        shape = (1, len(self.times), 1)
        return replace(
            self, model=model, states=np.zeros(shape), earned=np.zeros(shape[1:]), group=np.zeros(1, np.int64), _kept={}
        )


def rate_paths(
    curve: Curve, model: Gaussian, coupon: CurrentCoupon, *, count: int = 1024, months: int = 360,
    settle_days: float = 0, method: str = "sobol", seed: int = 1,
) -> Paths:  # fmt: skip
    """Paths from settlement, which is `settle_days` after the 1st of the first month of payments, under 30.

    method: "sobol" (see `draws`), whose error is a fourth or less of that of "antithetic", each path with its mirror
    image. The same seed gives the same paths. Raises WrongInput.
    """
    length, number = int(whole("months", months, 1, LONGEST)), int(numbers("count", count, 1))
    if number != count or number * length * model.factors > MOST_CELLS:
        raise WrongInput(f"{count} paths x {length} months are too many, or no whole number: ask for fewer")
    settled = float(numbers("settle_days", settle_days, 0, MONTH_DAYS - 1))
    times = np.concatenate([[0.0], (MONTH_DAYS * np.arange(1, length + 1) - settled) / YEAR_DAYS])
    if method == "antithetic":
        shocks, group = draws.antithetic(seed, model.factors, length, number)
    elif method == "sobol":
        shocks, group = draws.sobol(seed, model.factors, times, number)
    else:
        raise WrongInput(f'method {method!r} is unknown: "antithetic" or "sobol"')
    states, earned = _walked(model, times, shocks)
    return Paths(curve, model, coupon, settled, times, states, earned, group)


def _walked(model: Gaussian, times: Floats, shocks: Floats) -> tuple[Floats, Floats]:
    """States at all times, and the logarithm of the mean discount factor given them, over the curve's own."""
    states = np.zeros((model.factors, len(times), shocks.shape[2]))
    earned = np.zeros(states.shape[1:])
    variance = model.bond_variance(times)
    gaps = np.round(np.diff(times), 12)
    steps = {gap: _step(model, gap) for gap in set(gaps.tolist())}
    for k, gap in enumerate(gaps.tolist()):
        root, decay, loading, weight, rest = steps[gap]
        new = root @ shocks[:, k]
        states[:, k + 1] = decay[:, None] * states[:, k] + new
        earned[k + 1] = earned[k] - loading @ states[:, k] - weight @ new
        earned[k + 1] += (rest - variance[k + 1] + variance[k]) / 2
    return states, earned


def _step(model: Gaussian, gap: float) -> tuple[Floats, Floats, Floats, Floats, float]:
    """Of a step: the shocks' root, each factor's decay and loading, the integral's weight on the new shock, and the
    variance left to it."""
    spread = model.state_covariance(gap)
    with_integral = model.state_integral_covariance(gap)
    weight = np.linalg.pinv(spread) @ with_integral
    rest = float(model.bond_variance(gap)) - float(weight @ with_integral)
    deviation = np.sqrt(np.diag(spread))
    mixed = spread / np.where(np.outer(deviation, deviation) > 0, np.outer(deviation, deviation), 1.0)
    np.fill_diagonal(mixed, 1.0)
    root = deviation[:, None] * np.linalg.cholesky(mixed)
    return root, np.exp(-np.array(model.reversion) * gap), model.loading(gap), weight, max(rest, 0.0)
