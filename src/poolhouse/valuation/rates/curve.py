"""Discount factors from the par rates of Treasuries or swaps, and what happens to them when rates move.

The bootstrap is our own: with flat forwards between points each new point needs one root of a convex function, thirty
lines in all, and a library for it would weigh a hundred times Poolhouse. QuantLib checks it in the tests. Flat
forwards reprice every point exactly, cannot oscillate, and move only where a point moves, which key rates need.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from poolhouse.valuation.wrong import Floats, WrongInput, numbers, require

_STEPS = 100
_CLOSE = 1e-15
_NEAR = 1e-9  # years: a thirtieth of a second
LONGEST_YEARS = 100
"""A bound for mistakes of unit: a coupon is made for every period up to it."""


@dataclass(frozen=True)
class Curve:
    """times: years, from 0; logs: logarithms of the discount factors there; between them forwards are flat, and the
    last goes on. bump_years, bump: percent added to the bond-equivalent zero rates, linear between, flat outside."""

    times: Floats
    logs: Floats
    bump_years: Floats = field(default_factory=lambda: np.zeros(1))
    bump: Floats = field(default_factory=lambda: np.zeros(1))

    def log_discount(self, years: Any) -> Floats:
        """Logarithm of today's value of 1 paid then."""
        at = numbers("years", years, 0)
        slope = (self.logs[-1] - self.logs[-2]) / (self.times[-1] - self.times[-2])
        logs = np.interp(at, self.times, self.logs) + slope * np.maximum(at - self.times[-1], 0)
        if not self.bump.any():
            return np.asarray(logs)
        some = np.maximum(at, _NEAR)
        growth = np.exp(-logs / (2 * some)) + np.interp(at, self.bump_years, self.bump) / 200
        require("half a year's growth", growth, growth > 0, "must be above 0: the rates are moved too far down")
        return np.asarray(np.where(at > 0, -2 * some * np.log(growth), 0.0))

    def discount(self, years: Any) -> Floats:
        """Today's value of 1 paid then."""
        return np.asarray(np.exp(self.log_discount(years)))

    def zero(self, years: Any) -> Floats:
        """Zero rate in percent, compounded twice a year."""
        at = numbers("years", years, _NEAR)
        return np.asarray(200 * np.expm1(-self.log_discount(at) / (2 * at)))

    def par(self, years: Any, per_year: int = 2) -> Floats:
        """Coupon in percent of a bond or swap at par, `per_year` coupons a year, a whole number of them left."""
        return np.asarray([_par(self, float(n), 0.0, per_year) for n in np.ravel(years)]).reshape(np.shape(years))

    def forward_par(self, start: float, years: float, per_year: int = 2) -> float:
        """The same for one that starts later: a forward swap rate."""
        return _par(self, years, float(numbers("start", start, 0)), per_year)

    def shifted(self, by: Any, years: Any = None) -> Curve:
        """All bond-equivalent zero rates moved by percent; with `years`, by this much there, linear between, flat
        outside them. Moves add up."""
        at = np.zeros(1) if years is None else np.atleast_1d(numbers("years", years, 0))
        move = np.atleast_1d(numbers("shift", by))
        if move.shape != at.shape or move.ndim != 1 or (np.diff(at) <= 0).any():
            raise WrongInput("a shift needs one number, or one for each of some rising years")
        both = np.union1d(self.bump_years, at)
        total = np.interp(both, self.bump_years, self.bump) + np.interp(both, at, move)
        return replace(self, bump_years=both, bump=total)


def flat(rate: float) -> Curve:
    """All zero rates alike: percent, compounded twice a year, above -200."""
    given = numbers("rate", rate)
    require("rate", given, given > -200, "must be above -200%")
    return Curve(np.array([0.0, 1.0]), np.array([0.0, -2 * np.log1p(float(given) / 200)]))


def from_zero(years: Any, rates: Any) -> Curve:
    """The curve through these zero rates: percent, compounded twice a year, by years, rising. Raises WrongInput."""
    at, given = _points(years, rates)
    return Curve(np.append(0.0, at), np.append(0.0, -2 * at * np.log1p(given / 200)))


def from_par(years: Any, rates: Any, *, per_year: int = 2) -> Curve:
    """The curve that reprices these par rates: percent, by years to maturity, rising.

    Treasuries: per_year=2; SOFR swaps: per_year=1. Up to one coupon period a rate is simple interest paid at the end,
    as bills' and short swaps' are; longer maturities must be whole coupon periods. Periods are of equal length: days
    are not counted, and the curve that discounts is the one that projects. Raises WrongInput.
    """
    at, given = _points(years, rates)
    _period(per_year)
    times, logs = [0.0], [0.0]
    for year, rate in zip(at.tolist(), (given / 100).tolist(), strict=True):
        if year * per_year <= 1 + _NEAR:
            logs.append(-float(np.log1p(rate * year)))
        else:
            logs.append(_next(np.array(times), np.array(logs), year, rate, per_year))
        times.append(year)
    return Curve(np.array(times), np.array(logs))


def _points(years: Any, rates: Any) -> tuple[Floats, Floats]:
    at, given = (
        np.atleast_1d(numbers("years", years, None, LONGEST_YEARS)),
        np.atleast_1d(numbers("rates", rates, -100, 100)),
    )
    if at.ndim != 1 or at.shape != given.shape or not at.size:
        raise WrongInput("give as many rates as years, one at least")
    require("years", at, at > 0, "must be above 0")
    if (np.diff(at) <= 0).any():
        raise WrongInput("years must rise from point to point")
    return at, given


def _next(times: Floats, logs: Floats, year: float, rate: float, per_year: int) -> float:
    """The log discount factor at `year` that prices its bond at par: Newton's method on the logarithm of what is still
    to be paid, which falls with the forward, convex and with a bounded slope, so that no step can run away."""
    paid = _coupon_times(year, per_year)
    amounts = np.full(len(paid), rate / per_year)
    amounts[-1] += 1
    known = paid <= times[-1] + _NEAR
    rest = 1 - float((amounts[known] * np.exp(np.interp(paid[known], times, logs))).sum())
    later, owed = paid[~known] - times[-1], amounts[~known] * np.exp(logs[-1])
    refused = f"no discount factor prices {rate * 100:g}% for {year:g} years at par after the points before"
    if rest <= 0 or owed.sum() <= 0:
        raise WrongInput(refused)
    force, off = 0.0, np.inf
    for _ in range(_STEPS):
        worth = owed * np.exp(-force * later)
        total = worth.sum()
        if total <= 0:  # negative coupons, of rates below 0, would outweigh the rest
            break
        off = float(np.log(total / rest))
        step = off * total / (later * worth).sum()
        force += step
        if abs(step) <= _CLOSE * max(abs(force), 1):
            break
    if not abs(off) < _NEAR:
        raise WrongInput(refused)
    return float(logs[-1] - force * later[-1])


def _period(per_year: int) -> None:
    if per_year not in (1, 2, 4, 12):
        raise WrongInput(f"per_year {per_year!r} must be 1, 2, 4 or 12")


def _coupon_times(years: float, per_year: int) -> Floats:
    _period(per_year)
    count = round(years * per_year)
    if count < 1 or abs(count - years * per_year) > _NEAR * per_year:
        raise WrongInput(f"{years:g} years are not a whole number of coupons at {per_year} a year")
    return np.arange(1, count + 1) / per_year


def _par(curve: Curve, years: float, start: float, per_year: int) -> float:
    worth = curve.discount(start + _coupon_times(years, per_year))
    return float(100 * per_year * (curve.discount(start) - worth[-1]) / worth.sum())
