"""Maximum likelihood for events counted in cells: of `count` loan-months in a cell, `events` saw it happen.

The chance is any smooth function of the parameters, so the model that is fitted is the model that is used, and no
stand-in for it. Fisher scoring: the score and the information are sums over cells of the chance's derivatives; steps
learn from the ones before, and are damped until the likelihood rises. A few hundred thousand cells need neither SciPy
nor a library of statistics. Errors come from the information, under which all loan-months are independent, and beside
them from clusters that share shocks (`clusters`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from poolhouse.valuation.clusters import clustered_covariance, t_95
from poolhouse.valuation.wrong import Floats, WrongInput, numbers, require

Chance = Callable[[Floats], Floats]
Slopes = Callable[[Floats], Floats]
_LEAST = 1e-12  # a chance, so that a logarithm is finite
_NEAR, _DONE = 0.05, 1e-8
"""Squared distance from the maximum in standard errors: near enough to see what the data can't tell, and the end."""
_ITERATIONS = 100
_TANGLED = 1e5
"""How many times the others may blow up a parameter's variance: beyond it the data can't tell them apart."""
_Z_95 = 1.96
_TANGLE = "the data can't tell it from the others"
_LITTLE = "the data say too little of it"
_BOUND = "ran to the end of its range"


@dataclass(frozen=True)
class Parameter:
    """`low` and `high` bound it; `positive`: it works as its logarithm. `widest`: a standard error on that scale from
    which the data say too little of it, and it stays where it started."""

    name: str
    start: float
    low: float
    high: float
    positive: bool = False
    widest: float = np.inf


@dataclass(frozen=True)
class Estimate:
    """`values` and `standard_errors` by name; a held parameter's error is None and `held` says why.

    `covariance` of the free ones in the order of `free`, on the scale they work on (logarithms if positive). It takes
    all counted as independent; `clustered` is the same where those of one cluster are not, None if not asked for or
    not known.
    """

    values: dict[str, float]
    standard_errors: dict[str, float | None]
    intervals: dict[str, tuple[float, float] | None]
    free: tuple[str, ...]
    covariance: Floats
    held: dict[str, str]
    log_likelihood: float
    iterations: int
    clustered: Clustered | None = None


@dataclass(frozen=True)
class Clustered:
    """An estimate's errors where what is in one of so many clusters shares a shock; as in `Estimate`. Intervals are
    Student's, with one degree of freedom less than clusters."""

    standard_errors: dict[str, float | None]
    intervals: dict[str, tuple[float, float] | None]
    covariance: Floats
    clusters: int


@dataclass(frozen=True)
class _Place:
    """Where the search stands, on the scale it works on."""

    at: Floats
    likelihood: float
    free: tuple[int, ...]
    held: dict[str, str]
    iterations: int


def maximise(
    chance: Chance, slopes: Slopes, count: Floats, events: Floats, parameters: Sequence[Parameter],
    clusters: Floats | None = None,
) -> Estimate:  # fmt: skip
    """The parameters under which the events are likeliest, with standard errors from the information at the maximum.

    chance: takes all parameters in order, gives a chance for each cell; slopes: its derivatives, parameters x cells.
    What the data can't tell is held where it started, what runs into its bound is held there, and `held` says so.
    clusters: a number for each cell, the same for cells that share shocks (a calendar month): errors that allow for it.
    Raises WrongInput without any event, or where there is no maximum.
    """
    of, happened = numbers("count", count, 0), numbers("events", events, 0)
    require("events", happened, happened <= of, "must not be above the count of their cell")
    if not happened.sum() > 0:
        raise WrongInput("nothing happened in any cell: there is nothing to estimate")
    problem = _Problem(chance, slopes, of, happened, tuple(parameters))
    start = problem.working(np.array([one.start for one in parameters]))
    place = _Place(start, problem.log_likelihood(start), tuple(range(len(parameters))), {}, 0)
    place = problem.hold_unmoved(place)
    near = False
    while True:
        place = problem.climb(place, _DONE if near else _NEAR)
        left = problem.release_bound(problem.hold_tangled(place, start), start)
        if left is place and near:
            return problem.estimate(place, clusters)
        near, place = left is place, left


@dataclass(frozen=True)
class _Problem:
    chance: Chance
    slopes: Slopes
    count: Floats
    events: Floats
    parameters: tuple[Parameter, ...]

    def working(self, values: Floats) -> Floats:
        pairs = zip(self.parameters, values, strict=True)
        return np.array([np.log(v) if one.positive else v for one, v in pairs], dtype=np.float64)

    def values(self, at: Floats) -> Floats:
        return np.array([np.exp(u) if p.positive else u for p, u in zip(self.parameters, at, strict=True)])

    def chances(self, at: Floats) -> Floats:
        return np.clip(self.chance(self.values(at)), _LEAST, 1 - _LEAST)

    def log_likelihood(self, at: Floats) -> float:
        """Of the events, without the binomial coefficients, which no parameter changes."""
        p = self.chances(at)
        return float((self.events * np.log(p) + (self.count - self.events) * np.log1p(-p)).sum())

    def score_and_information(self, place: _Place) -> tuple[Floats, Floats]:
        """Of the free parameters: slope of the log-likelihood, and its expected curvature."""
        weighted, slopes, left = self._by_cell(place)
        return weighted @ left, (weighted * self.count) @ slopes.T

    def _by_cell(self, place: _Place) -> tuple[Floats, Floats, Floats]:
        """Slopes of the chance over its variance, slopes, and events less expected ones, cell by cell."""
        p = self.chances(place.at)
        values = self.values(place.at)
        scale = np.array([v if one.positive else 1.0 for one, v in zip(self.parameters, values, strict=True)])
        free = list(place.free)
        slopes = self.slopes(values)[free] * scale[free, None]
        return slopes / (p * (1 - p)), slopes, self.events - self.count * p

    def hold_unmoved(self, place: _Place) -> _Place:
        """Without the parameters that no cell's chance moves with."""
        information = self.score_and_information(place)[1].diagonal()
        still = [which for which, known in zip(place.free, information, strict=True) if not known > _LEAST]
        return self._without(place, still, "nothing in the data moves with it")

    def climb(self, place: _Place, done: float) -> _Place:
        """Up to the maximum, or so near to it. Raises WrongInput where there is none within reach."""
        damp = 1e-3
        score, metric = self.score_and_information(place)
        for _ in range(_ITERATIONS):
            if not place.free or float(score @ np.linalg.pinv(metric) @ score) < done:
                return place
            taken = self._step(place, score, metric, damp)
            if taken is None:
                return place  # no step of any length rises: rounding is all that is left
            moved, damp = taken
            fresh, information = self.score_and_information(moved)
            if moved.free == place.free:
                free = list(place.free)
                metric = _updated(metric, moved.at[free] - place.at[free], score - fresh)
            else:
                metric = information
            place, score = moved, fresh
        raise WrongInput(f"no maximum after {_ITERATIONS} steps: the book is too small, or all of one kind")

    def _step(self, place: _Place, score: Floats, information: Floats, damp: float) -> tuple[_Place, float] | None:
        """The first damped step that rises; what runs into its bound stays there."""
        scale = np.diag(np.maximum(information.diagonal(), _LEAST))
        lows = self.working(np.array([one.low for one in self.parameters]))
        highs = self.working(np.array([one.high for one in self.parameters]))
        free = list(place.free)
        while damp < 1e12:
            at = place.at.copy()
            at[free] = at[free] + np.linalg.solve(information + damp * scale, score)
            at = np.clip(at, lows, highs)
            likelihood = self.log_likelihood(at)
            if likelihood > place.likelihood:
                moved = replace(place, at=at, likelihood=likelihood, iterations=place.iterations + 1)
                bound = [
                    which
                    for row, which in enumerate(free)
                    if (at[which] == lows[which] and score[row] < 0) or (at[which] == highs[which] and score[row] > 0)
                ]
                return self._without(moved, bound, _BOUND), max(damp / 10, 1e-9)
            damp *= 10
        return None

    def hold_tangled(self, place: _Place, start: Floats) -> _Place:
        """Without one parameter that the data can't tell from the others, or at all, back where it started."""
        if not place.free:
            return place
        information = self.score_and_information(place)[1]
        size = np.sqrt(np.maximum(information.diagonal(), _LEAST))
        least, direction = np.linalg.eigh(information / np.outer(size, size))
        if least[0] < 1 / _TANGLED:
            return self._back(place, start, int(np.argmax(np.abs(direction[:, 0]))), _TANGLE)
        excess = self._errors(place, information) / [self.parameters[which].widest for which in place.free]
        worst = int(np.argmax(excess))
        return place if excess[worst] <= 1 else self._back(place, start, worst, _LITTLE)

    def release_bound(self, place: _Place, start: Floats) -> _Place:
        """What ran to its bound for no more reason than chance goes back where it started."""
        for which in [row for row, one in enumerate(self.parameters) if place.held.get(one.name) == _BOUND]:
            free = replace(place, free=(*place.free, which))
            information = self.score_and_information(free)[1]
            known = np.linalg.eigvalsh(information)[0] > _LEAST
            if not known or self._errors(free, information)[-1] > self.parameters[which].widest:
                return self._back(free, start, len(place.free), _LITTLE)
        return place

    def _errors(self, place: _Place, information: Floats) -> Floats:
        return np.asarray(np.sqrt(np.linalg.inv(information).diagonal()))

    def _back(self, place: _Place, start: Floats, row: int, why: str) -> _Place:
        at = place.at.copy()
        at[place.free[row]] = start[place.free[row]]
        return self._without(replace(place, at=at, likelihood=self.log_likelihood(at)), [place.free[row]], why)

    def _without(self, place: _Place, which: list[int], why: str) -> _Place:
        held = place.held | {self.parameters[one].name: why for one in which}
        return replace(place, free=tuple(one for one in place.free if one not in which), held=held)

    def estimate(self, place: _Place, clusters: Floats | None) -> Estimate:
        covariance: Floats = np.zeros((0, 0))
        if place.free:
            covariance = np.asarray(np.linalg.inv(self.score_and_information(place)[1]), dtype=np.float64)
        names = [one.name for one in self.parameters]
        return Estimate(
            dict(zip(names, self.values(place.at).tolist(), strict=True)), *self._widths(place, covariance, _Z_95),
            tuple(names[one] for one in place.free), covariance, place.held, place.likelihood, place.iterations,
            None if clusters is None else self._clustered(place, clusters),
        )  # fmt: skip

    def _clustered(self, place: _Place, clusters: Floats) -> Clustered | None:
        """The same place, its score and information taken apart by cluster."""
        kinds, of = np.unique(clusters, return_inverse=True)
        order = np.argsort(of, kind="stable")
        ends = np.searchsorted(of[order], np.arange(len(kinds) + 1))
        weighted, slopes, left = self._by_cell(place)
        parts = [order[low:high] for low, high in pairwise(ends)]
        scores = np.array([weighted[:, part] @ left[part] for part in parts])
        informations = np.array([(weighted[:, part] * self.count[part]) @ slopes[:, part].T for part in parts])
        covariance = clustered_covariance(scores, informations) if place.free else None
        if covariance is None:
            return None
        return Clustered(*self._widths(place, covariance, t_95(len(kinds) - 1)), covariance, len(kinds))

    def _widths(
        self, place: _Place, covariance: Floats, points: float
    ) -> tuple[dict[str, float | None], dict[str, tuple[float, float] | None]]:
        """Standard errors and 95% intervals by name, of a covariance of the free ones."""
        errors: dict[str, float | None] = {one.name: None for one in self.parameters}
        intervals: dict[str, tuple[float, float] | None] = {one.name: None for one in self.parameters}
        for row, which in enumerate(place.free):
            one, width = self.parameters[which], float(np.sqrt(covariance[row, row]))
            ends = place.at[which] + points * width * np.array([-1, 1])
            low, high = np.exp(ends) if one.positive else ends
            errors[one.name] = float(np.exp(place.at[which])) * width if one.positive else width
            intervals[one.name] = (float(low), float(high))
        return errors, intervals


def _updated(metric: Floats, step: Floats, fall: Floats) -> Floats:
    """The curvature as the last step met it (BFGS): the information is its expectation, and can be far from it where a
    chance has sharp corners in a parameter."""
    met = float(step @ fall)
    stretched = metric @ step
    if met <= 1e-3 * float(step @ stretched):
        return metric
    return np.asarray(metric - np.outer(stretched, stretched) / float(step @ stretched) + np.outer(fall, fall) / met)
