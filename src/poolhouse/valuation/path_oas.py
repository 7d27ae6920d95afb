"""Option-adjusted spread of payments that are given on paths, whatever made them: a deal's class, for one.

The same spread, errors and durations as `oas`, which makes a pool's payments itself. Payments after a move of rates are
given too, on paths of the same chance.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from poolhouse.valuation.oas import Oas, Priced, solved_spread
from poolhouse.valuation.path_values import by_path, left_to_chance, standard_error
from poolhouse.valuation.rates.paths import Paths
from poolhouse.valuation.wrong import Floats, WrongInput, numbers

_BP = 1e4


@dataclass(frozen=True)
class Scenes:
    """Paths on which payments are wanted: as they are, and with the curve `shift` percent lower and higher; and
    `still`, on which today's forwards come true."""

    base: Paths
    shift: float = 0.25

    @cached_property
    def still(self) -> Paths:
        return self.base.still

    @cached_property
    def down(self) -> Paths:
        return self.base.moved(self.base.curve.shifted(-self.shift))

    @cached_property
    def up(self) -> Paths:
        return self.base.moved(self.base.curve.shifted(self.shift))


@dataclass(frozen=True)
class Payments:
    """One security's, undiscounted dollars, months x paths, on the paths of `Scenes`; down, up: None where durations
    are not wanted. balance: today's, an IO's notional; accrued: what a buyer pays for at settlement, dollars."""

    balance: float
    accrued: float
    delay_days: float
    base: Floats
    still: Floats
    down: Floats | None = None
    up: Floats | None = None

    def worth(self, cash_flow: Floats, on: Paths) -> Floats:
        """Discounted along each path to settlement."""
        return cash_flow * on.discount(self.delay_days)[: len(cash_flow)]

    def times(self, on: Paths) -> Floats:
        """Years to each payment."""
        return np.asarray(on.times[1 : len(self.base) + 1] + self.delay_days / 360)


@dataclass(frozen=True)
class PathOas(Oas):
    """`oas.Oas`, and the standard errors of effective duration and convexity, at the spread found."""

    duration_standard_error: float | None = None
    convexity_standard_error: float | None = None


def price_of(of: Payments, oas_bp: float, scenes: Scenes) -> Priced:
    """What the payments are worth at this OAS. Raises WrongInput."""
    _checked(of, scenes)
    spread = float(numbers("oas_bp", oas_bp, -_BP, 10 * _BP)) / _BP
    factors = np.exp(-spread * of.times(scenes.base))
    values, error = by_path(scenes.base, of.delay_days, of.worth(of.base, scenes.base), factors)
    size = 100 / of.balance
    return Priced((float(values.mean()) - of.accrued) * size, error * size, values * size)


def oas_of(of: Payments, price: float, scenes: Scenes) -> PathOas:
    """The spread at which the payments are worth a clean price per 100, and, with down and up, effective duration and
    convexity. z_spread_bp and option_cost_bp are NaN where forwards that come true pay nothing. Raises WrongInput."""
    _checked(of, scenes)
    paid = float(numbers("price", price)) / 100 * of.balance + of.accrued
    if paid <= 0:
        raise WrongInput(f"price {price:g} with accrued interest must be above 0")
    times, flows = of.times(scenes.base), of.worth(of.base, scenes.base)
    mean = flows.mean(axis=1)
    spread = solved_spread(mean, times, paid)
    factors = np.exp(-spread * times)
    values, error = by_path(scenes.base, of.delay_days, flows, factors)
    spread_duration = float((times * mean) @ factors) / paid
    still = of.worth(of.still, scenes.still)[:, 0]
    static = solved_spread(still, times, paid) if still.sum() > 0 else float("nan")
    size = 100 / of.balance
    found = PathOas(
        float(price), spread * _BP, error / (paid * spread_duration) * _BP, error * size, static * _BP,
        (static - spread) * _BP, spread_duration, scenes.base.count, values * size,
    )  # fmt: skip
    return replace(found, **_risk(of, scenes, flows, factors, paid))


def _risk(of: Payments, scenes: Scenes, flows: Floats, factors: Floats, paid: float) -> dict[str, Any]:
    """Effective duration and convexity, and how far chance may have moved them: of the same paths moved, so that most
    of it cancels."""
    if of.down is None or of.up is None:
        return {}
    low, high = of.worth(of.down, scenes.down), of.worth(of.up, scenes.up)
    down, up = (float(moved.mean(axis=1) @ factors) for moved in (low, high))
    lefts = [
        left_to_chance(on, of.delay_days, moved, factors)
        for on, moved in ((scenes.down, low), (scenes.base, flows), (scenes.up, high))
    ]
    slope, bend = 2 * paid * scenes.shift / 100, paid * (scenes.shift / 100) ** 2
    return {
        "effective_duration": (down - up) / slope, "effective_convexity": (down + up - 2 * paid) / bend,
        "duration_standard_error": standard_error(scenes.base, (lefts[0] - lefts[2]) / slope),
        "convexity_standard_error": standard_error(scenes.base, (lefts[0] + lefts[2] - 2 * lefts[1]) / bend),
    }  # fmt: skip


def _checked(of: Payments, scenes: Scenes) -> None:
    if of.balance <= 0:
        raise WrongInput("a price per 100 needs a balance above 0")
    if of.base.shape[0] > scenes.base.months or of.base.shape[1:] != (scenes.base.count,):
        raise WrongInput(f"payments of {of.base.shape} months x paths on {scenes.base.count} paths")
