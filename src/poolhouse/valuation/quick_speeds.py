"""Prepayment models in the form the kernel knows, ten times as fast as columns of NumPy.

    smm = 1 - (1 - voluntary) x kept[month]
    voluntary = turnover[month] x stays(gain) + refinance[month] x takes(gain) x burn(exposure)

gain: WAC less a weighted mean of this and earlier months' mortgage rates; exposure: what of it above `burn_from` was
passed up so far, in percent-years. The three curves are any functions, kept as tables; between their points they are
straight, which moves an OAS by less than a thousandth of a basis point. A model offers the form by a method
`quick(wac, age, month0, months)`; `smm` remains what it means.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from poolhouse.valuation.wrong import Floats, WrongInput, numbers

POINTS = 8193
GAINS, EXPOSURES = (-25.0, 25.0), (0.0, 50.0)
"""Percent, and percent-years: where the curves are tabled; outside they keep their last value."""


@dataclass(frozen=True)
class Table:
    """values of a function at equal steps from `low`; per_unit: steps in 1."""

    values: Floats
    low: float
    per_unit: float


@dataclass(frozen=True)
class Quick:
    """The form above. By month: turnover, refinance, kept, shares of 1; lag: weights, this month's first; past:
    mortgage rates before the first month, percent, the newest last, or none: they were as the first; exposure:
    percent-years before the first month."""

    turnover: Floats
    refinance: Floats
    kept: Floats
    stays: Table
    takes: Table
    burn: Table
    lag: Floats
    past: Floats
    burn_from: float = 0.0
    exposure: float = 0.0


def table(function: Callable[[Floats], Floats], bounds: tuple[float, float]) -> Table:
    """A function of arrays, tabled between two bounds (GAINS or EXPOSURES). Raises WrongInput."""
    at = np.linspace(*bounds, POINTS)
    values = numbers("table", np.broadcast_to(function(at), at.shape))
    return Table(np.ascontiguousarray(values), bounds[0], (POINTS - 1) / (bounds[1] - bounds[0]))


def speeds(of: Quick, rates: Floats, low: int, width: int, wac: float, months: int) -> Floats:
    """SMM, months x the `width` paths from `low` on, of rates, months x all paths. Raises WrongInput."""
    from poolhouse.valuation import kernels

    columns = [np.ascontiguousarray(numbers("quick", c)) for c in (of.lag, of.past, of.turnover, of.refinance, of.kept)]
    if 0 < len(columns[1]) < len(columns[0]) - 1 or min(len(column) for column in columns[2:]) < months:
        raise WrongInput(f"a quick form needs {months} months of each share, and one past rate fewer than the lag")
    out, room = np.empty((months, width)), np.empty((2, width))
    tables = [part for one in (of.stays, of.takes, of.burn) for part in (one.values, one.low, one.per_unit)]
    kernels.path_speeds(rates, low, wac, *columns, *tables, of.burn_from, of.exposure, out, room[0], room[1])
    return out
