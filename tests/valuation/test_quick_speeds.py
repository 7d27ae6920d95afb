"""The kernel's form of a prepayment model gives what the model's own columns give."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pytest
from test_oas import POOL, paths_of

from poolhouse.valuation import WrongInput, quick_speeds
from poolhouse.valuation.oas import oas
from poolhouse.valuation.path_values import worth
from poolhouse.valuation.quick_speeds import EXPOSURES, GAINS, Quick, Table, table

Array = npt.NDArray[np.float64]
PATHS = paths_of(count=256)


def logistic(at: Array, middle: float, slope: float) -> Array:
    return np.asarray(1 / (1 + np.exp(-(at - middle) / slope)))


@dataclass(frozen=True)
class Columns:
    """Turnover with lock-in, refinancing with lag and burnout, curtailment; rates were 7, then 6.9 before today."""

    past: tuple[float, ...] = (7.0, 6.9)
    lag: tuple[float, ...] = (0.2, 0.5, 0.3)
    seen: float = 0.4

    def shares(self, age: int, months: int) -> tuple[Array, Array, Array]:
        life = age + np.arange(1, months + 1)
        return 0.006 * np.minimum(life / 30, 1), 0.06 * np.minimum(life / 12, 1), np.full(months, 0.9995)

    def stays(self, gain: Array) -> Array:
        return 1 - 0.5 * logistic(-gain, 1, 0.5)

    def takes(self, gain: Array) -> Array:
        return logistic(gain, 0.7, 0.25)

    def burn(self, exposure: Array) -> Array:
        return np.asarray(0.3 + 0.7 * np.exp(-0.4 * exposure))

    def smm(self, rates: Array, wac: float, age: int, month0: int) -> Array:
        months = rates.shape[1]
        before = np.broadcast_to(np.array(self.past), (len(rates), len(self.past)))
        known = np.concatenate([before, rates], axis=1)
        ends = len(self.past)
        gain = wac - sum(w * known[:, ends - back : ends - back + months] for back, w in enumerate(self.lag))
        passed = np.maximum(gain - 0.2, 0)
        exposure = self.seen + (np.cumsum(passed, axis=1) - passed) / 12
        turnover, refinance, kept = self.shares(age, months)
        both = turnover * self.stays(gain) + refinance * self.takes(gain) * self.burn(exposure)
        return np.asarray(1 - (1 - np.clip(both, 0, 1)) * kept)


@dataclass(frozen=True)
class Both(Columns):
    """With the kernel's form."""

    @cached_property
    def tables(self) -> tuple[Table, Table, Table]:
        return table(self.stays, GAINS), table(self.takes, GAINS), table(self.burn, EXPOSURES)

    def quick(self, wac: float, age: int, month0: int, months: int) -> Quick:
        return Quick(
            *self.shares(age, months), *self.tables, np.array(self.lag), np.array(self.past), burn_from=0.2,
            exposure=self.seen,
        )  # fmt: skip


def test_the_two_forms_are_one_model() -> None:
    rates = np.ascontiguousarray(PATHS.mortgage[:357])
    for low in (0, 128):
        known = Columns().smm(rates[:, low : low + 128].T, 7.1, 3, 6)
        found = quick_speeds.speeds(Both().quick(7.1, 3, 6, 357), PATHS.mortgage, low, 128, 7.1, 357)
        assert np.abs(found.T - known).max() < 1e-6
    slow, fast = (oas(POOL, 101.5, PATHS, model) for model in (Columns(), Both()))
    assert fast.oas_bp == pytest.approx(slow.oas_bp, abs=1e-3)
    assert fast.effective_duration == pytest.approx(slow.effective_duration, abs=1e-4)
    assert fast.prepayment_duration == pytest.approx(slow.prepayment_duration, abs=1e-6)
    assert not (worth(POOL, PATHS, Both()) == worth(POOL, PATHS, Columns())).all()


def test_outside_its_bounds_a_curve_keeps_its_last_value() -> None:
    rates = np.array([[-40.0, 90.0, 7.0]])
    flat = table(lambda at: 0 * at + 1, EXPOSURES)
    ramp = table(lambda at: (at + 25) / 100, GAINS)
    of = Quick(np.zeros(1), np.ones(1), np.ones(1), flat, ramp, flat, np.ones(1), np.zeros(0))
    found = quick_speeds.speeds(of, rates, 0, 3, 7.0, 1)
    assert found[0] == pytest.approx([0.5, 0.0, 0.25], abs=1e-6)


def test_a_form_that_is_too_short_is_refused() -> None:
    with pytest.raises(WrongInput, match="357 months"):
        quick_speeds.speeds(Both().quick(7.1, 3, 6, 100), PATHS.mortgage, 0, 128, 7.1, 357)
    with pytest.raises(WrongInput, match="past rate"):
        quick_speeds.speeds(Both(past=(7.0,)).quick(7.1, 3, 6, 357), PATHS.mortgage, 0, 128, 7.1, 357)
    with pytest.raises(WrongInput, match="finite"):
        table(lambda at: at * np.nan, GAINS)
