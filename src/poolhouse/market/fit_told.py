"""What a fit of prepayment tells: estimates with both errors, the test out of sample, actual against predicted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from poolhouse.dates import month_name
from poolhouse.market.fit_history import Cells, driver
from poolhouse.rules import mortgage_rate
from poolhouse.valuation import speeds
from poolhouse.valuation.likelihood import Estimate
from poolhouse.valuation.prepayment import PrepaymentModel
from poolhouse.valuation.wrong import Floats

Answer = dict[str, Any]
_EVENTS_A_PARAMETER = 10
_WIDTH = 0.25
"""Percentage points of a class of incentive in the S-curve."""
MEANINGS = {
    "turnover": "turnover, % a year", "turnover_ramp": "months to season", "seasonality": "strength of the seasons",
    "refinance": "refinancing at most, % a year", "midpoint": "incentive for half of it, %",
    "slope": "scale of the curve, %", "refinance_ramp": "months to season", "size": "power of the balance",
    "lock_in": "turnover lost far below the market",
    "burnout": "per percent-year passed up", "credit": "per 100 points of score", "equity": "per 10% of loan to value",
}  # fmt: skip


def parameters(found: Estimate, assumed: PrepaymentModel, names: list[str]) -> list[Answer]:
    """A row each: the estimate, its errors and intervals as if independent and clustered by month, why it is held."""
    rows = []
    for name in names:
        alone = (found.standard_errors[name], found.intervals[name])
        by_month = found.clustered
        shared = (by_month.standard_errors[name], by_month.intervals[name]) if by_month else (None, None)
        row: Answer = {"name": name, "meaning": MEANINGS[name], "estimate": found.values[name]}
        for kind, (error, interval) in (("standard", alone), ("clustered", shared)):
            low, high = interval or (None, None)
            prefix = "" if kind == "standard" else "clustered_"
            row |= {f"{kind}_error": error, f"{prefix}low": low, f"{prefix}high": high}
        rows.append(row | {"assumed": getattr(assumed, name), "held": found.held.get(name, "")})
    return rows


def explained(cells: Cells, found: Estimate) -> float:
    """Share of the log-likelihood of one chance for all that the model makes up: McFadden's."""
    mean = cells.events.sum() / cells.count.sum()
    flat = float((cells.events * np.log(mean) + (cells.count - cells.events) * np.log1p(-mean)).sum())
    return 1 - found.log_likelihood / flat


def month_shock(cells: Cells, model: PrepaymentModel) -> float:
    """Standard deviation of what a month's prepayments have in common, as a share of those expected: what the months'
    totals scatter beyond the chance of independent loans. 0 where they scatter no more than that."""
    of = driver(cells, model)
    p = model.voluntary(*of.all)
    _, place = np.unique(cells.month, return_inverse=True)
    left, noise, expected = (
        np.bincount(place, by_cell)
        for by_cell in (cells.events - cells.count * p, cells.count * p * (1 - p), cells.count * p)
    )
    return float(max((left**2 - noise).sum() / (expected**2).sum(), 0.0) ** 0.5)


def tried(cells: Cells, model: PrepaymentModel, found: Estimate, logs: frozenset[str]) -> Answer:
    """Actual against predicted where the fit has not looked.

    standard_error of the difference: of chance alone in the count, and of the parameters through the prediction, all
    loan-months independent. clustered_error: with a shock to each month as large as those of the months that were
    fitted, and the parameters' clustered errors. logs: parameters whose covariance is that of their logarithm.
    """
    unseen = cells.part(cells.tried == 1)
    of = driver(unseen, model)
    p = model.voluntary(*of.all)
    predicted, actual = float(unseen.count @ p), float(unseen.events.sum())
    chance_part = float(unseen.count @ (p * (1 - p)))
    by_name = model.slopes(*of.all)
    scales = [getattr(model, name) if name in logs else 1.0 for name in found.free]
    slopes = np.array([unseen.count @ by_name[name] * scale for name, scale in zip(found.free, scales, strict=True)])
    error = (chance_part + _through(slopes, found.covariance)) ** 0.5
    shared = None
    if found.clustered is not None:
        _, place = np.unique(unseen.month, return_inverse=True)
        by_month = np.bincount(place, unseen.count * p)
        shocks = month_shock(cells.part(cells.tried == 0), model) ** 2 * float(by_month @ by_month)
        shared = (chance_part + shocks + _through(slopes, found.clustered.covariance)) ** 0.5
    return {
        "loan_months": int(unseen.count.sum()), "actual": int(actual), "predicted": predicted,
        "actual_over_predicted": actual / predicted if predicted else None, "standard_error": error,
        "deviations": (actual - predicted) / error if error else None, "clustered_error": shared,
        "clustered_deviations": (actual - predicted) / shared if shared else None,
    }  # fmt: skip


def _through(slopes: Floats, covariance: Floats) -> float:
    """Variance of a prediction that has these slopes in the parameters."""
    return float(slopes @ covariance @ slopes) if len(slopes) else 0.0


def by(cells: Cells, model: PrepaymentModel, what: str, tried: int | None) -> list[Answer]:
    """Actual and predicted prepayments by month or by class of incentive, as CPR too."""
    some = cells if tried is None else cells.part(cells.tried == tried)
    if not len(some.count):
        return []
    of = driver(some, model)
    group = some.month if what == "month" else np.floor(of.incentive / _WIDTH + 1e-9) * _WIDTH + _WIDTH / 2
    kinds, place = np.unique(group, return_inverse=True)
    chances = model.voluntary(*of.all)
    sums = [np.bincount(place, of_cell) for of_cell in (some.count, some.events, some.count * chances)]
    noise = np.sqrt(np.bincount(place, some.count * chances * (1 - chances))) / sums[0]
    seen = np.bincount(place, some.tried * some.count) > 0
    smm = [sums[1] / sums[0], sums[2] / sums[0]]
    columns = {
        what: [month_name(int(kind)) for kind in kinds] if what == "month" else kinds.tolist(),
        "loan_months": sums[0].astype(int).tolist(), "actual": sums[1].astype(int).tolist(),
        "predicted": sums[2].tolist(), "actual_cpr": _cprs(smm[0]), "predicted_cpr": _cprs(smm[1]),
        "low_cpr": _cprs(np.clip(smm[1] - 2 * noise, 0, 1)), "high_cpr": _cprs(np.clip(smm[1] + 2 * noise, 0, 1)),
        "tried": seen.tolist(),
    }  # fmt: skip
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _cprs(smm: Floats) -> list[float]:
    return [float(one) for one in speeds.smm_to_cpr(100 * smm)]


def curve(model: PrepaymentModel) -> list[Answer]:
    """The model's S-curve: a seasoned usual loan in a mean month, nothing burned out, as CPR by incentive."""
    incentives = np.arange(-12.0, 17.0) * _WIDTH
    seasoned = max(model.turnover_ramp, model.refinance_ramp, 1.0)
    level = replace(model, seasonality=0.0)
    facts = [np.asarray(getattr(model, f"usual_{name}")) for name in ("balance", "score", "ltv")]
    smm = level.voluntary(incentives, np.zeros(()), np.asarray(seasoned), np.asarray(1), *facts)
    return [{"incentive": x, "cpr": y} for x, y in zip(incentives.tolist(), _cprs(smm), strict=True)]


def notes(cells: Cells, found: Estimate, parameters: int) -> list[str]:
    """What a reader must know: what is held and why, too few prepayments, months without a rate."""
    said = [f"{name} stays at {found.values[name]:g}: {why}" for name, why in found.held.items()]
    if cells.events.sum() < _EVENTS_A_PARAMETER * parameters:
        said.append(
            f"{int(cells.events.sum())} prepayments for {parameters} parameters: read the standard errors first"
        )
    if found.free and found.clustered is None:
        said.append("no errors clustered by month: one month alone tells a parameter")
    last, known = int(cells.month.max()), mortgage_rate.known_months()[1]
    if last > known:
        said.append(f"the mortgage rate is known to {month_name(known)}; later months use that one")
    return said
