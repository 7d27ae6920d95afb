"""Swaptions at the money: what a Gaussian model says of them, and the model that says what a table of vols says.

Vols are normal (Bachelier), in basis points a year, the market's own quote. Under the measure of the expiry's bond the
factors are normal with mean 0 once bonds are written by their forwards, so one factor needs Jamshidian's (1989) trick,
a root and normal shares; two factors the same for each value of the first, summed by Gauss and Hermite (the
semi-analytic price of Brigo and Mercurio, theorem 4.2.3).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from poolhouse.valuation.rates import gaussian, normal
from poolhouse.valuation.rates.curve import LONGEST_YEARS, Curve
from poolhouse.valuation.rates.gaussian import Gaussian
from poolhouse.valuation.wrong import Floats, WrongInput, numbers

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(32)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()
_ROOT_STEPS, _FIT_STEPS = 50, 200
_COLUMNS = ("expiry_years", "tenor_years", "volatility_bp")


@dataclass(frozen=True)
class Calibration:
    """table: expiry_years, tenor_years, volatility_bp, model_bp, difference_bp; rmse_bp: root mean square of it."""

    model: Gaussian
    table: pl.DataFrame
    rmse_bp: float


def payer_price(curve: Curve, model: Gaussian, expiry: float, tenor: float, rate: float, per_year: int = 1) -> float:
    """Value of the right to pay `rate` percent for `tenor` years from `expiry` on, per 1 of notional."""
    times = expiry + np.arange(1, round(tenor * per_year) + 1) / per_year
    amounts = np.full(len(times), rate / 100 / per_year)
    amounts[-1] += 1
    start = float(curve.discount(expiry))
    spread = model.state_covariance(expiry)
    loading = model.loading(times - expiry)
    convexity = np.einsum("ik,ij,jk->k", loading, spread, loading) / 2
    bonds = amounts * curve.discount(times) / start * np.exp(-convexity)
    if model.factors == 1:
        found = _put(bonds[None, :], loading[0], float(np.sqrt(spread[0, 0])))
        return start * float(found[0])
    first = np.sqrt(spread[0, 0])
    slope = spread[0, 1] / first  # of the second factor on the first's standard normal
    rest = np.sqrt(max(spread[1, 1] - slope**2, 0.0))
    given = bonds * np.exp(-np.outer(_NODES, loading[0] * first + loading[1] * slope))
    return start * float(_WEIGHTS @ _put(given, loading[1], rest))


def _put(bonds: Floats, loading: Floats, deviation: float) -> Floats:
    """E[max(1 - sum of bonds x exp(-loading z), 0)], z normal with this deviation; a row per case."""
    if deviation <= 0:
        return np.asarray(np.maximum(1 - bonds.sum(axis=1), 0))
    root = np.zeros(len(bonds))
    for _ in range(_ROOT_STEPS):  # log of the sum is convex and falls, nearly straight: Newton needs four
        worth = bonds * np.exp(-np.outer(root, loading))
        total = worth.sum(axis=1)
        step = np.log(total) * total / (worth * loading).sum(axis=1)
        root += step
        if (np.abs(step) <= 1e-14 * (1 + np.abs(root))).all():
            break
    away = -root / deviation
    moved = np.exp(np.outer(np.ones(len(bonds)), (loading * deviation) ** 2 / 2))
    shares = normal.below(away[:, None] - loading * deviation)
    return np.asarray(normal.below(away) - (bonds * moved * shares).sum(axis=1))


def normal_vol_bp(curve: Curve, model: Gaussian, expiry: Any, tenor: Any, per_year: int = 1) -> Floats:
    """The model's vols of swaptions at the money: Bachelier's, basis points a year; arrays of years."""
    starts, lengths = np.broadcast_arrays(numbers("expiry", expiry), numbers("tenor", tenor))
    found = [_vol(curve, model, float(e), float(n), per_year) for e, n in zip(starts.flat, lengths.flat, strict=True)]
    return np.array(found).reshape(starts.shape)


def _vol(curve: Curve, model: Gaussian, expiry: float, tenor: float, per_year: int) -> float:
    rate = curve.forward_par(expiry, tenor, per_year)
    annuity = float(curve.discount(expiry + np.arange(1, round(tenor * per_year) + 1) / per_year).sum()) / per_year
    return 1e4 * payer_price(curve, model, expiry, tenor, rate, per_year) / annuity * math.sqrt(2 * math.pi / expiry)


def calibrate(curve: Curve, table: Any, *, factors: int = 1, per_year: int = 1) -> Calibration:
    """The model of one or two factors nearest to a table of vols, each line of it weighing the same.

    table: a frame or mapping of expiry_years, tenor_years, volatility_bp; swaptions at the money whose fixed leg pays
    `per_year` (SOFR: 1). At least as many lines as the model has numbers: 2 or 5. Raises WrongInput.
    """
    given = _checked(table, factors)
    expiry, tenor, quoted = (given[name].to_numpy().astype(np.float64) for name in _COLUMNS)
    typical = float(np.median(quoted)) / 100

    def gap(point: Floats) -> Floats:
        return normal_vol_bp(curve, _model(point), expiry, tenor, per_year) - quoted

    starts = [_point(gaussian.hull_white(speed, typical)) for speed in (0.03, 0.2)]
    if factors == 2:
        starts = [
            _point(gaussian.gaussian2((fast, 0.04), (share * typical, typical), rho))
            for fast, share, rho in ((0.4, 0.8, -0.7), (1.0, 1.2, -0.9), (0.4, 0.5, 0.0))
        ]
    best = min((least_squares(gap, start) for start in starts), key=lambda point: float((gap(point) ** 2).sum()))
    model, off = _ordered(_model(best)), gap(best)
    fitted = given.with_columns(model_bp=pl.Series(off + quoted), difference_bp=pl.Series(off))
    return Calibration(model, fitted, float(np.sqrt((off**2).mean())))


def _checked(table: Any, factors: int) -> pl.DataFrame:
    if factors not in (1, 2):
        raise WrongInput("a model has 1 or 2 factors")
    columns = table.columns if isinstance(table, pl.DataFrame) else list(table)
    missing = [name for name in _COLUMNS if name not in columns]
    if missing:
        raise WrongInput(f"the table of swaptions lacks {', '.join(missing)}")
    read = {name: np.atleast_1d(numbers(name, table[name])) for name in _COLUMNS}  # a gap is a NaN, and refused
    if len({column.shape for column in read.values()}) > 1:
        lengths = ", ".join(f"{name} {len(column)}" for name, column in read.items())
        raise WrongInput(f"the table's columns must be of one length: {lengths}")
    given = pl.DataFrame(read)
    if given.height < (least := 2 if factors == 1 else 5):
        raise WrongInput(f"{given.height} swaptions can't tell {least} numbers: give {least} or more")
    for name in _COLUMNS:
        numbers(name, read[name], 1e-3, LONGEST_YEARS if name != "volatility_bp" else None)
    return given


def _point(model: Gaussian) -> Floats:
    """A model's numbers, each free to be anything."""
    tail = [np.arctanh(model.correlation)] if model.factors == 2 else []
    return np.concatenate([np.log(model.reversion), np.log(model.volatility), tail])


def _model(point: Floats) -> Gaussian:
    count = len(point) // 2
    speed = np.clip(np.exp(point[:count]), gaussian.SLOWEST, gaussian.FASTEST)
    vol = np.clip(np.exp(point[count : 2 * count]), 1e-6, 50)
    rho = float(np.clip(np.tanh(point[-1]), -0.9999, 0.9999)) if count == 2 else 0.0
    return Gaussian(tuple(speed.tolist()), tuple(vol.tolist()), rho)


def _ordered(model: Gaussian) -> Gaussian:
    """The fast factor first: the two have no order of their own."""
    if model.factors == 1 or model.reversion[0] >= model.reversion[1]:
        return model
    return Gaussian(model.reversion[::-1], model.volatility[::-1], model.correlation)


def least_squares(gap: Callable[[Floats], Floats], start: Floats) -> Floats:
    """The point with the least sum of squares near `start`: Levenberg and Marquardt's method."""
    at, off = start, gap(start)
    damping = 1e-2
    for _ in range(_FIT_STEPS):
        slopes = np.stack([(gap(at + move) - off) / 1e-5 for move in 1e-5 * np.eye(len(at))], axis=1)
        square, fall = slopes.T @ slopes, slopes.T @ off
        scale = np.diag(np.diag(square) + 1e-12)
        gained = 0.0
        while damping < 1e10:
            tried = at - np.clip(np.linalg.solve(square + damping * scale, fall), -1, 1)
            new = gap(tried)
            gained = float((off**2).sum() - (new**2).sum())
            if gained > 0:
                at, off, damping = tried, new, damping / 5
                break
            damping *= 4
        if gained <= 1e-12 * (1e-12 + float((off**2).sum())):
            break
        damping = max(damping, 1e-12)
    return at
