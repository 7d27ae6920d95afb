"""Option-adjusted spread, and how a price moves with rates, spreads and speeds.

On each path of rates the borrowers' payments follow that path's mortgage rate; the OAS is the one spread over all
short rates, compounded continuously, at which the mean of the paths' values is the price. Payments of a month lie at
one time on all paths, so their mean discounted flows are one stream, and solving for the spread is a yield.

The standard error is of the chance in the paths, of antithetic pairs or Sobol's shifted parts, after what matching
the discount bonds has taken out of it. It tells nothing of models that are wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from threading import local
from typing import Any, Protocol

import numpy as np
import polars as pl

from poolhouse.valuation import yields
from poolhouse.valuation.path_values import Borrowers, Security, by_path, worth
from poolhouse.valuation.rates.curve import Curve
from poolhouse.valuation.rates.paths import Paths
from poolhouse.valuation.totals import cores
from poolhouse.valuation.wrong import Floats, WrongInput, numbers
from poolhouse.valuation.yields import Flows

KEY_YEARS = (1.0, 2.0, 3.0, 5.0, 7.0, 10.0, 20.0, 30.0)
FASTER = 0.1
"""By how much, as a share, speeds are moved up and down for the prepayment duration."""
LOUDER = 0.1
"""By how much, as a share, volatilities are moved up and down for the volatility duration."""
_BP = 1e4
_STEPS, _CLOSE = 200, 1e-14


@dataclass(frozen=True)
class Priced:
    """Clean price per 100, its standard error, and the value of each path's payments per 100, accrued included."""

    price: float
    standard_error: float
    by_path: Floats


@dataclass(frozen=True)
class Oas:
    """Spreads in basis points, continuous; durations in percent of the settled price for 1 percent (100 bp).

    z_spread_bp: over the one path on which forwards come true; option_cost_bp: what the OAS is below it.
    spread_duration: for the OAS, payments as they are; effective_*: for all zero rates, bond-equivalent, the OAS kept;
    mortgage_spread_duration: for the mortgage rate over the curve alone; prepayment_duration: for speeds faster by
    1 percent of themselves; volatility_duration: for all volatilities higher by 1 percent of themselves;
    key_rate_durations: by years, they add up to the effective duration.
    None: not asked for (`risk=False`).
    """

    price: float
    oas_bp: float
    standard_error_bp: float
    price_standard_error: float
    z_spread_bp: float
    option_cost_bp: float
    spread_duration: float
    paths: int
    by_path: Floats
    effective_duration: float | None = None
    effective_convexity: float | None = None
    mortgage_spread_duration: float | None = None
    prepayment_duration: float | None = None
    volatility_duration: float | None = None
    key_rate_durations: dict[float, float] | None = None


@dataclass(frozen=True)
class Moved:
    """Paths with the same chance after a move of rates; shared by all securities. Built by `moved_paths`."""

    shift: float
    base: Paths
    down: Paths
    up: Paths
    tighter: Paths
    wider: Paths
    calmer: Paths
    louder: Paths
    keys: dict[float, tuple[Paths, Paths]]


def moved_paths(paths: Paths, shift: float = 0.25, key_years: Sequence[float] = KEY_YEARS) -> Moved:
    """shift: percent, up and down. Raises WrongInput."""
    by = float(numbers("shift", shift, 1e-6, 10))
    years = numbers("key years", key_years, 0)
    bumps = by * np.eye(len(years))
    keys = {
        float(year): (paths.moved(paths.curve.shifted(-bump, years)), paths.moved(paths.curve.shifted(bump, years)))
        for year, bump in zip(years, bumps, strict=True)
    }
    down, up = (paths.moved(paths.curve.shifted(move)) for move in (-by, by))
    tighter, wider = (paths.moved(coupon=paths.coupon.shifted(move)) for move in (-by, by))
    calmer, louder = (paths.louder(1 + move) for move in (-LOUDER, LOUDER))
    return Moved(by, paths, down, up, tighter, wider, calmer, louder, keys)


def oas(
    security: Security, price: float, paths: Paths, prepayment: Borrowers | Sequence[Borrowers], *,
    risk: bool = True, moved: Moved | None = None, into: Floats | None = None,
) -> Oas:  # fmt: skip
    """The spread at which the security is worth its clean price per 100, and its risks.

    prepayment: one model, or one for each loan group. moved: `moved_paths(paths)` made before, for many securities,
    or with another shift or key years. into: room for months x paths, for many securities. Raises WrongInput.
    """
    paid = _settled(security, paths, price)
    flows = worth(security, paths, prepayment, into=into)
    times = paths.times[1 : len(flows) + 1] + security.delay_days / 360
    mean = flows.mean(axis=1)
    spread = solved_spread(mean, times, paid)
    path_values, error = by_path(paths, security.delay_days, flows, np.exp(-spread * times))
    duration = float((times * mean) @ np.exp(-spread * times)) / paid
    still = worth(security, paths.still, prepayment)[:, 0]
    static = solved_spread(still, times, paid)
    size = 100 / security.balance
    found = {
        "price": float(price), "oas_bp": spread * _BP, "standard_error_bp": error / (paid * duration) * _BP,
        "price_standard_error": error * size, "z_spread_bp": static * _BP, "option_cost_bp": (static - spread) * _BP,
        "spread_duration": duration, "paths": paths.count, "by_path": path_values * size,
    }  # fmt: skip
    if not risk:
        return Oas(**found)  # type: ignore[arg-type]
    shifts = moved or moved_paths(paths)
    if shifts.base is not paths:
        raise WrongInput("`moved` was made from other paths: use moved_paths(paths)")

    def value(on: Paths, faster: float = 1.0) -> float:
        return float(worth(security, on, prepayment, faster=faster, into=into).mean(axis=1) @ np.exp(-spread * times))

    return Oas(**found, **risks(value, shifts, paid))  # type: ignore[arg-type]


def z_spread(of: Flows, price: Any, curve: Curve) -> Floats:
    """The spread over a curve's zero rates at which known flows are worth a clean price, basis points, continuous.

    Of one security or a row for each; prices one or many, as of `bond_equivalent_yield`. Raises WrongInput.
    """
    today = replace(of, cash_flow=of.cash_flow * curve.discount(of.times))
    return np.asarray(2 * _BP * np.log1p(yields.bond_equivalent_yield(today, price) / 200))


def price_at_oas(
    security: Security, oas_bp: float, paths: Paths, prepayment: Borrowers | Sequence[Borrowers]
) -> Priced:
    """What the security is worth at this OAS."""
    spread = float(numbers("oas_bp", oas_bp, -_BP, 10 * _BP)) / _BP
    flows = worth(security, paths, prepayment)
    times = paths.times[1 : len(flows) + 1] + security.delay_days / 360
    path_values, error = by_path(paths, security.delay_days, flows, np.exp(-spread * times))
    size = 100 / security.balance
    value = float(path_values.mean()) - security.accrued(paths.settle_days)
    return Priced(value * size, error * size, path_values * size)


def oas_table(
    securities: Sequence[Security], prices: Sequence[float], paths: Paths,
    prepayments: Borrowers | Sequence[Borrowers], *, risk: bool = False, threads: int | None = None,
) -> pl.DataFrame:  # fmt: skip
    """A row for each security, on the same paths; prepayments: one model, or one for each security.

    risk: durations and convexity too, key rates as columns `key_rate_<years>`. threads: all cores unless given.
    """
    given = list(prepayments) if isinstance(prepayments, Sequence) else [prepayments] * len(securities)
    if not len(securities) == len(prices) == len(given):
        raise WrongInput(f"{len(securities)} securities, {len(prices)} prices, {len(given)} prepayment models")
    shifts = moved_paths(paths) if risk else None
    for delay in {one.delay_days for one in securities}:
        for each in _all(shifts) if shifts else [paths]:
            each.discount(delay)  # made once, before the threads
            _ = each.mortgage, each.still
    room = local()

    def one(place: int) -> dict[str, float]:
        if not hasattr(room, "into"):
            room.into = np.empty((paths.months, paths.count))
        got = oas(securities[place], prices[place], paths, given[place], risk=risk, moved=shifts, into=room.into)
        row = {f.name: getattr(got, f.name) for f in fields(got) if f.name not in ("by_path", "key_rate_durations")}
        keys = {f"key_rate_{year:g}": value for year, value in (got.key_rate_durations or {}).items()}
        return {name: value for name, value in (row | keys).items() if value is not None}

    with ThreadPoolExecutor(threads or cores()) as pool:
        return pl.DataFrame(list(pool.map(one, range(len(securities)))))


def _all(shifts: Moved) -> list[Paths]:
    pairs = [path for pair in shifts.keys.values() for path in pair]
    pairs += [shifts.down, shifts.up, shifts.tighter, shifts.wider, shifts.calmer, shifts.louder]
    return [shifts.base, *pairs]


def _settled(security: Security, paths: Paths, price: float) -> float:
    """Dollars paid, accrued interest included."""
    paid = float(numbers("price", price)) / 100 * security.balance + security.accrued(paths.settle_days)
    if paid <= 0:
        raise WrongInput(f"price {price:g} with accrued interest must be above 0")
    return paid


def solved_spread(mean: Floats, times: Floats, paid: float) -> float:
    """The continuous spread at which the mean discounted flows are worth what is paid: Newton's method on the
    logarithm of value, which is convex with a bounded slope, so that no step can run away."""
    if mean.sum() <= 0:
        raise WrongInput("nothing is paid on any path: there is no spread")
    spread, wanted = 0.0, np.log(paid)
    for _ in range(_STEPS):
        power = -spread * times
        top = power.max()  # so that no spread overflows
        worth = mean * np.exp(power - top)
        value = worth.sum()
        step = float((np.log(value) + top - wanted) * value / (times @ worth))
        spread += step
        if abs(step) <= _CLOSE:
            break
    return float(spread)


class Value(Protocol):
    """Dollars on these paths, with speeds times `faster`."""

    def __call__(self, on: Paths, faster: float = 1.0) -> float: ...


def risks(value: Value, shifts: Moved, paid: float) -> dict[str, Any]:
    """Durations and convexity by moving one thing up and down, the OAS and the chance kept."""
    move = shifts.shift / 100

    def slope(low: float, high: float, by: float) -> float:
        return (low - high) / (2 * by * paid)

    down, up = value(shifts.down), value(shifts.up)
    return {
        "effective_duration": slope(down, up, move),
        "effective_convexity": (down + up - 2 * paid) / (paid * move**2),
        "mortgage_spread_duration": slope(value(shifts.tighter), value(shifts.wider), move),
        "prepayment_duration": slope(value(shifts.base, 1 - FASTER), value(shifts.base, 1 + FASTER), FASTER),
        "volatility_duration": slope(value(shifts.calmer), value(shifts.louder), LOUDER),
        "key_rate_durations": {
            year: slope(value(low), value(high), move) for year, (low, high) in shifts.keys.items()
        },
    }  # fmt: skip
