"""Our prepayment model with the kernel's form: the same speeds, six times as fast on a thousand paths.

`quick_model(model.at(balance=..., score=...))` goes where the model would. Its parts are taken from the model itself:
with no refinancing only turnover is left, with no turnover only refinancing, so its formulas stay in `prepayment`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from poolhouse.valuation.prepayment import LoanPrepayment, PrepaymentModel
from poolhouse.valuation.quick_speeds import EXPOSURES, GAINS, Quick, Table, table
from poolhouse.valuation.wrong import Floats, WrongInput, numbers

_ALL, _NONE = GAINS[1], 0.0
"""An incentive at which nobody is locked in and everybody refinances, and no exposure."""


@dataclass(frozen=True)
class QuickModel:
    """A loan's or pool's model in both forms; built by `quick_model`."""

    loan: LoanPrepayment

    def smm(self, rates: Floats, wac: float, age: int, month0: int) -> Floats:
        """The model's own."""
        return self.loan.smm(rates, wac, age, month0)

    def quick(self, wac: float, age: int, month0: int, months: int) -> Quick:
        """Its months' shares with the three curves; a history's rates give the exposure it has seen."""
        life = age + np.arange(1, months + 1)
        calendar = (month0 - 1 + np.arange(months)) % 12 + 1
        turnover, refinance = (self._part(model, _ALL, _NONE, life, calendar) for model in (self._moving, self._saving))
        other = replace(self.loan.model, turnover=0.0, refinance=0.0)
        facts = {name: value for name, value in self.loan.facts.items() if name in ("balance", "score", "ltv")}
        kept = 1 - other.smm(np.full((1, months), wac), wac, age, month0, **facts)[0]
        past, exposure = self._before(wac, age)
        lag = np.asarray(self.loan.model.lag)
        return Quick(turnover, refinance, kept, *self._tables, lag, past, self.loan.model.burnout_from, exposure)

    @cached_property
    def _moving(self) -> PrepaymentModel:
        return replace(self.loan.model, refinance=0.0)

    @cached_property
    def _saving(self) -> PrepaymentModel:
        return replace(self.loan.model, turnover=0.0)

    @cached_property
    def _tables(self) -> tuple[Table, Table, Table]:
        """Shares of what is there with no lock-in, all refinancing and no burnout."""
        late, june = np.array([1200]), np.array([6])

        def share(model: PrepaymentModel, gain: Any, exposure: Any) -> Floats:
            most = self._part(model, _ALL, _NONE, late, june)
            return self._part(model, gain, exposure, late, june) / most if most > 0 else np.ones(1)

        return (
            table(lambda gain: share(self._moving, gain, _NONE), GAINS),
            table(lambda gain: share(self._saving, gain, _NONE), GAINS),
            table(lambda passed: share(self._saving, _ALL, passed), EXPOSURES),
        )

    def _part(
        self, model: PrepaymentModel, gain: Any, exposure: Any, life: npt.NDArray[Any], calendar: npt.NDArray[Any]
    ) -> Floats:
        facts = [model.known(name, self.loan.facts.get(name)) for name in ("balance", "score", "ltv")]
        at, passed, _ = np.broadcast_arrays(np.asarray(gain, dtype=float), np.asarray(exposure, dtype=float), life)
        return model.voluntary(at, passed, life, calendar, facts[0], facts[1], facts[2])

    def _before(self, wac: float, age: int) -> tuple[Floats, float]:
        """Rates before today, and the percent-years of incentive passed up, in them and before."""
        model, facts = self.loan.model, self.loan.facts
        seen = float(numbers("exposure", facts.get("exposure", 0.0), 0))
        if facts.get("history") is None or not np.size(facts["history"]):
            return np.empty(0), seen
        lags = len(model.lag)
        known = numbers("history", facts["history"], -100, 100)[-(age + lags - 1) or None :]
        past = np.concatenate([np.full(lags - 1, known[0]), known])
        gain = wac - np.convolve(past, model.lag, mode="valid")
        life = age + np.arange(1 - len(known), 1)
        return past, seen + float((np.maximum(gain - model.burnout_from, 0) * (life > 0)).sum()) / 12


def quick_model(model: PrepaymentModel | LoanPrepayment) -> QuickModel:
    """For one loan or pool: its facts are numbers. Raises WrongInput."""
    loan = model if isinstance(model, LoanPrepayment) else model.at()
    for name in ("balance", "score", "ltv", "exposure"):
        if np.size(np.asarray(loan.facts.get(name))) != 1:
            raise WrongInput(f"the quick form is one loan's or pool's: {name} must be a number")
    return QuickModel(loan)
