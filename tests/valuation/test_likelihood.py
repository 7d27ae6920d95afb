"""Maximum likelihood against closed forms, numerical derivatives, and parameters known because they made the data."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pytest

from poolhouse import rules
from poolhouse.models.behaviour import behaviour
from poolhouse.valuation import PrepaymentModel, WrongInput, prepayment_model
from poolhouse.valuation.likelihood import Estimate, Parameter, maximise

FREE = {
    "turnover": True, "turnover_ramp": True, "seasonality": False, "refinance": True, "midpoint": False, "slope": True,
    "refinance_ramp": True, "size": False, "lock_in": False, "burnout": False, "credit": False, "equity": False,
}  # fmt: skip


def constant(values: Any) -> Any:
    return np.array([values[0]])


def logistic(values: Any) -> Any:
    return 1 / (1 + np.exp(-np.array([values[0], values[0] + values[1]])))


def logistic_slopes(values: Any) -> Any:
    p = logistic(values)
    return np.array([p * (1 - p), [0, p[1] * (1 - p[1])]])


def test_one_chance_for_all() -> None:
    """k of n: the share, and sqrt(p (1 - p) / n)."""
    found = maximise(
        constant, lambda v: np.ones((1, 1)), np.array([5000.0]), np.array([150.0]), [Parameter("p", 0.5, 0, 1)]
    )
    assert found.values["p"] == pytest.approx(0.03, rel=1e-5)
    assert found.standard_errors["p"] == pytest.approx(math.sqrt(0.03 * 0.97 / 5000), rel=1e-4)
    assert found.log_likelihood == pytest.approx(150 * math.log(0.03) + 4850 * math.log(0.97), rel=1e-9)


def test_two_groups() -> None:
    """A logistic slope of two groups is the log odds ratio; its variance the sum of 1 over the four counts."""
    count, events = np.array([400.0, 900.0]), np.array([20.0, 90.0])
    found = maximise(logistic, logistic_slopes, count, events, [Parameter("a", 0, -20, 20), Parameter("b", 0, -20, 20)])
    assert found.values["b"] == pytest.approx(math.log((90 / 810) / (20 / 380)), abs=1e-4)
    assert found.standard_errors["b"] == pytest.approx(math.sqrt(1 / 90 + 1 / 810 + 1 / 20 + 1 / 380), rel=1e-4)
    low, high = found.intervals["b"]
    assert high - low == pytest.approx(2 * 1.96 * found.standard_errors["b"])


def test_what_the_data_cannot_tell_is_held() -> None:
    count, events = np.array([400.0, 900.0]), np.array([20.0, 90.0])
    twins = [Parameter(name, 0.1, -20, 20) for name in "abc"]
    found = maximise(
        lambda v: logistic([v[0], v[1] + v[2]]), lambda v: logistic_slopes([v[0], v[1] + v[2]])[[0, 1, 1]], count,
        events, twins,
    )  # fmt: skip
    assert len(found.held) == 1 and "tell it from the others" in next(iter(found.held.values()))
    assert found.values["b"] + found.values["c"] == pytest.approx(math.log((90 / 810) / (20 / 380)), abs=1e-4)
    still = maximise(
        logistic, lambda v: logistic_slopes(v) * [[1], [0]], count, events, [twins[0], Parameter("b", 0.3, -20, 20)]
    )
    assert still.values["b"] == 0.3 and still.standard_errors["b"] is None and "nothing in the data" in still.held["b"]
    bound = maximise(logistic, logistic_slopes, count, events, [twins[0], Parameter("b", 0.0, -20, 0.5)])
    assert bound.values["b"] == 0.5 and "end of its range" in bound.held["b"]
    wide = maximise(logistic, logistic_slopes, count, events, [twins[0], Parameter("b", 0.0, -20, 20, widest=0.01)])
    assert wide.values["b"] == 0.0 and "too little" in wide.held["b"]


def test_no_events_and_impossible_ones() -> None:
    one = [Parameter("p", 0.5, 0, 1)]
    with pytest.raises(WrongInput, match="nothing happened"):
        maximise(constant, lambda v: np.ones((1, 1)), np.array([10.0]), np.array([0.0]), one)
    with pytest.raises(WrongInput, match="above the count"):
        maximise(constant, lambda v: np.ones((1, 1)), np.array([10.0]), np.array([11.0]), one)


# the prepayment model's own parameters


def fit(model: PrepaymentModel, cells: tuple[Any, ...], count: Any, events: Any, start: PrepaymentModel) -> Estimate:
    low = {"turnover": 0.01, "turnover_ramp": 1, "refinance": 0.05, "slope": 0.02, "refinance_ramp": 1}
    parameters = [
        Parameter(name, getattr(start, name), low.get(name, -10), 95 if positive else 10, positive)
        for name, positive in FREE.items()
    ]

    def at(values: Any) -> PrepaymentModel:
        return prepayment_model(**{**vars(model), **dict(zip(FREE, map(float, values), strict=True))})

    def slopes(values: Any) -> Any:
        found = at(values).slopes(*cells)
        return np.array([found[name] for name in FREE])

    return maximise(lambda v: at(v).voluntary(*cells), slopes, count, events, parameters)


def cells_of(count: int, seed: int) -> tuple[Any, ...]:
    chance = np.random.default_rng(seed)
    return (
        chance.uniform(-2, 3, count), chance.exponential(1.0, count), chance.integers(1, 120, count),
        chance.integers(1, 13, count), np.exp(chance.normal(12.4, 0.7, count)), chance.uniform(600, 820, count),
        chance.uniform(50, 105, count),
    )  # fmt: skip


def test_known_parameters_come_back() -> None:
    """Two million simulated loan-months: every parameter within 3.5 standard errors of the one that made them, all
    together as chi-squared has it; the score is zero, and the errors are those of the observed curvature."""
    truth = prepayment_model(
        turnover=8, turnover_ramp=24.3, seasonality=0.8, refinance=35, midpoint=0.6, slope=0.3, refinance_ramp=10.4,
        size=0.4, lock_in=0.6, burnout=0.5, credit=0.5, equity=0.35,
    )  # fmt: skip
    cells, count = cells_of(40_000, 7), np.full(40_000, 50.0)
    events = np.random.default_rng(8).binomial(50, truth.voluntary(*cells)).astype(float)
    found = fit(truth, cells, count, events, prepayment_model())
    assert not found.held
    off = {name: (found.values[name] - getattr(truth, name)) / found.standard_errors[name] for name in FREE}
    assert max(map(abs, off.values())) < 3.5, off
    true = {name: getattr(truth, name) for name in FREE}
    apart = np.array([
        math.log(found.values[name] / true[name]) if FREE[name] else found.values[name] - true[name]
        for name in found.free
    ])  # fmt: skip
    assert 2.2 < apart @ np.linalg.inv(found.covariance) @ apart < 32.9  # 0.1% on either side, 12 degrees of freedom

    def log_likelihood(values: dict[str, float]) -> float:
        p = prepayment_model(**{**vars(truth), **values}).voluntary(*cells)
        return float((events * np.log(p) + (count - events) * np.log(1 - p)).sum())

    assert log_likelihood(found.values) == pytest.approx(found.log_likelihood, rel=1e-12)
    assert found.log_likelihood > log_likelihood(true)
    hessian = _curvature(log_likelihood, found)
    observed = np.sqrt(np.linalg.inv(-hessian).diagonal())
    claimed = np.array([found.standard_errors[name] for name in FREE])
    assert claimed == pytest.approx(observed, rel=0.15)


def _curvature(log_likelihood: Callable[[dict[str, float]], float], found: Estimate) -> Any:
    """Second differences of the log-likelihood over a tenth of a standard error; the score is checked on the way."""
    steps = {name: found.standard_errors[name] / 10 for name in FREE}

    def at(**moves: float) -> float:
        return log_likelihood({n: found.values[n] + moves.get(n, 0) * steps[n] for n in FREE})

    here, second = at(), np.zeros((len(FREE), len(FREE)))
    for i, a in enumerate(FREE):
        up, down = at(**{a: 1}), at(**{a: -1})
        # the score times a standard error is zero: no parameter could rise the likelihood by moving
        assert abs(up - down) / 2 * 10 < 0.02, a
        second[i, i] = (up + down - 2 * here) / steps[a] ** 2
        for j, b in enumerate(FREE):
            if j < i:
                both = at(**{a: 1, b: 1}) - at(**{a: 1, b: -1}) - at(**{a: -1, b: 1}) + at(**{a: -1, b: -1})
                second[i, j] = second[j, i] = both / (4 * steps[a] * steps[b])
    return second


def test_the_borrowers_of_a_simulated_book_are_recognised() -> None:
    """The book's own borrowers prepay by tables of another shape. Fitted to exactly those chances, the model finds
    their ramp and levels, no burnout, no seasons and no effect of size, and the same curve within 0.5% CPR in the mean.

    Theirs is logistic in the yearly rate and the model's in the month's: half of it comes a little later, at 0.64.
    """
    book = rules.load()
    truth = behaviour(book, date(2010, 6, 1))
    incentive, life, score, ltv = (
        a.reshape(-1)
        for a in np.meshgrid(np.arange(-1.9375, 3, 0.125), np.arange(1, 31), [640, 690, 720, 790], [70, 85, 95])
    )
    wish = truth.prepay[truth.prepay_class((incentive * 1e5).astype(np.int64), life)] / 2**64
    able = truth.able[truth.borrower_class(np.zeros(len(life), int), score, (ltv * 100).astype(np.int64))] / 2**64
    chance = np.random.default_rng(3)
    passed = np.maximum(incentive - 0.5, 0) * (life - 1) / 12 * chance.uniform(0, 1.5, len(life))
    calendar, balance = chance.integers(1, 13, len(life)), np.exp(chance.normal(12.4, 0.7, len(life)))
    cells = (incentive, passed, life, calendar, balance, score.astype(float), ltv.astype(float))
    found = fit(prepayment_model(), cells, np.full(len(life), 1e4), 1e4 * wish * able, prepayment_model())
    values = found.values
    assert values["midpoint"] == pytest.approx(0.64, abs=0.03) and values["slope"] == pytest.approx(0.30, abs=0.03)
    assert values["turnover"] == pytest.approx(4.0, abs=0.4) and values["refinance"] == pytest.approx(30, abs=3)
    assert values["turnover_ramp"] == pytest.approx(15, abs=1) and values["refinance_ramp"] == pytest.approx(15, abs=1)
    assert max(abs(values[name]) for name in ("seasonality", "size", "burnout", "lock_in")) < 0.1
    fitted = prepayment_model(**values).voluntary(*cells)
    best = (life >= 15) & (score == 790) & (ltv == 70)
    gap = 100 * (1 - (1 - fitted[best]) ** 12) - 100 * (1 - (1 - wish[best]) ** 12)
    assert np.abs(gap).max() < 1.5 and np.abs(gap).mean() < 0.5


# errors where a month's loan-months share a shock


def test_clustered_errors_of_one_chance() -> None:
    """Months of like size: the error of their mean share, exactly; that of independent loans knows nothing of it."""
    count, events = np.full(8, 1000.0), np.array([20.0, 45, 31, 12, 60, 25, 33, 40])
    found = maximise(
        constant, lambda v: np.ones((1, 8)), count, events, [Parameter("p", 0.5, 0, 1)], clusters=np.arange(8.0)
    )
    assert found.clustered is not None and found.clustered.clusters == 8
    error = found.clustered.standard_errors["p"]
    assert error == pytest.approx((events / count).std(ddof=1) / math.sqrt(8), rel=1e-4)
    assert found.standard_errors["p"] == pytest.approx(math.sqrt(0.03325 * 0.96675 / 8000), rel=1e-4)
    low, high = found.clustered.intervals["p"]  # type: ignore[misc]
    assert (high - low) / 2 / error == pytest.approx(2.3646, rel=1e-4)  # Student's, of 7 degrees of freedom
    halves = maximise(  # cells of one month are one cluster, whatever their order
        constant, lambda v: np.ones((1, 16)), np.repeat(count, 2) / 2, np.repeat(events, 2) / 2,
        [Parameter("p", 0.5, 0, 1)], clusters=np.repeat(np.arange(8.0)[::-1], 2),
    )  # fmt: skip
    assert halves.clustered is not None and halves.clustered.standard_errors["p"] == pytest.approx(error)


def test_leaving_a_cluster_out() -> None:
    """Two parameters, clusters of unlike size: close to the jackknife that fits again without each."""
    draw = np.random.default_rng(4)
    count, month = draw.integers(200, 3000, 24).astype(float), np.repeat(np.arange(12.0), 2)
    events = draw.binomial(count.astype(int), np.tile([0.05, 0.11], 12) * np.repeat(draw.uniform(0.8, 1.2, 12), 2))
    shape = [Parameter("a", 0, -20, 20), Parameter("b", 0, -20, 20)]

    def fitted(kept: Any) -> Estimate:
        many = int(kept.sum()) // 2
        return maximise(
            lambda v: np.tile(logistic(v), many), lambda v: np.tile(logistic_slopes(v), many), count[kept],
            events[kept].astype(float), shape, clusters=month[kept],
        )  # fmt: skip

    whole = fitted(month >= 0)
    without = np.array([list(fitted(month != one).values.values()) for one in range(12)])
    apart = without - list(whole.values.values())
    assert whole.clustered is not None
    assert whole.clustered.covariance == pytest.approx(11 / 12 * apart.T @ apart, rel=0.05)


def test_one_cluster_alone_tells_it() -> None:
    count, events = np.array([400.0, 900.0]), np.array([20.0, 90.0])
    shape = [Parameter("a", 0, -20, 20), Parameter("b", 0, -20, 20)]
    found = maximise(logistic, logistic_slopes, count, events, shape, clusters=np.array([1.0, 2.0]))
    assert found.clustered is None and found.standard_errors["b"] is not None
