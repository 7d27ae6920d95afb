"""How often borrowers default and what it costs: a monthly hazard and a severity, for `cashflows` month by month.

    default  = peak x age curve x exp(score) x exp(marked loan to value) x exp(unemployment) x months behind
    severity = 1 + months to liquidation x (interest + carry) - net sale / balance - mortgage insurance

The loan to value is marked to a path of house prices and falls as the loan amortises. The numbers at the start are
assumptions (`rules/assumptions/valuation.toml`), every one a parameter of `DefaultModel`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from poolhouse import rules
from poolhouse.rules.house_prices import house_price_e4
from poolhouse.valuation import speeds
from poolhouse.valuation.prepayment import OLDEST
from poolhouse.valuation.terms import LONGEST_TERM
from poolhouse.valuation.wrong import Floats, WrongInput, numbers, one_whole, require, whole

_SHARES = ("tail", "most", "discount", "sale_cost", "least")
_POSITIVE = ("rise", "fall", "ltv_low", "half_life")


@dataclass(frozen=True)
class DefaultModel:
    """Parameters; `default_model()` has the usual.

    peak (percent a year of a usual current loan), rise, stay, fall (months), tail (share of the peak);
    credit (per 100 points below usual_score, at most score_cap), equity (per 10% of marked loan to value above
    usual_ltv, between ltv_low and ltv_high), jobs (per point of unemployment above usual_unemployment);
    behind (factors of 0, 1, 2, 3 or more months behind) and half_life (months in which their excess halves),
    most (share a month); discount (of a foreclosure sale), sale_cost, carry (share of the balance a month), least.
    """

    peak: float
    rise: float
    stay: float
    fall: float
    tail: float
    credit: float
    usual_score: float
    score_cap: float
    equity: float
    usual_ltv: float
    ltv_low: float
    ltv_high: float
    jobs: float
    usual_unemployment: float
    behind: tuple[float, ...]
    half_life: float
    most: float
    discount: float
    sale_cost: float
    carry: float
    least: float

    def __post_init__(self) -> None:
        for field in fields(self):
            value = numbers(field.name, getattr(self, field.name), 0, 1 if field.name in _SHARES else None)
            if field.name in _POSITIVE:
                require(field.name, value, value > 0, "must be above 0")
        numbers("peak", self.peak, 0, 100)
        object.__setattr__(self, "behind", tuple(map(float, self.behind)))
        if not self.behind:
            raise WrongInput("behind needs a factor for current loans at least")

    def mdr(
        self, age: Any, months: int, *, ltv: Any, score: Any = None, unemployment: Any = None, behind: Any = 0,
        known: int = 0,
    ) -> Floats:  # fmt: skip
        """Share of 1 that defaults in each of `months` months: a row a loan.

        age: months since origination at the beginning; ltv: percent, marked to each month (a number, one a loan, or
        loans x months, see `marked_ltv`); score: None or NaN is unknown; unemployment: percent, one or one a month;
        behind: instalments unpaid now. known: so many of the months are over: nothing defaults in them, and `behind`
        is as of their end. Raises WrongInput.
        """
        at = np.arange(1, int(whole("months", months, 1, LONGEST_TERM)) + 1)
        over = one_whole("known", known, 0, LONGEST_TERM)
        life = _column("age", whole("age", age, 0, OLDEST)) + at
        given = np.asarray(np.nan if score is None else score, dtype=np.float64)
        scored = numbers("score", np.where(np.isnan(given), self.usual_score, given), 0, 1000)
        weak = (self.usual_score - np.minimum(_column("score", scored), self.score_cap)) / 100
        equity = np.clip(_column("ltv", numbers("ltv", ltv, 0)), self.ltv_low, self.ltv_high) - self.usual_ltv
        jobs = self._jobs(unemployment, len(at))
        late = _column("behind", whole("behind", behind, 0, OLDEST))
        factor = np.asarray(self.behind)[np.minimum(late, len(self.behind) - 1)]
        lasting = 1 + (factor - 1) * 0.5 ** (np.maximum(at - 1 - over, 0) / self.half_life)
        base = float(speeds.cdr_to_mdr(self.peak)) / 100
        found = base * self._curve(life) * np.exp(self.credit * weak + self.equity * equity / 10 + jobs) * lasting
        return np.asarray(np.minimum(found, self.most) * (at > over))

    def severity(self, ltv: Any, wac: Any, lag: int = 12, mi_pct: Any = 0.0, claim_pct: Any = 100.0) -> Floats:
        """Loss of a defaulted loan as a share of its balance then, element by element.

        ltv: percent, marked, at default; wac: percent; lag: months to liquidation; mi_pct: mortgage insurance coverage,
        percent, of balance and interest; claim_pct: of the loss, what an insurer pays within it. Between `least` and 1.
        Raises WrongInput.
        """
        worth = numbers("ltv", ltv, 0)
        require("ltv", worth, worth > 0, "must be above 0")
        months = int(whole("lag", lag, 0, LONGEST_TERM))
        interest = months * numbers("wac", wac, 0, 100) / 1200
        sale = 100 / worth * (1 - self.discount) * (1 - self.sale_cost)
        loss = 1 + interest + months * self.carry - sale
        insured = numbers("mi_pct", mi_pct, 0, 100) / 100 * (1 + interest)
        claim = numbers("claim_pct", claim_pct, 0, 100) / 100 * np.maximum(loss, 0.0)
        return np.asarray(np.clip(loss - np.minimum(insured, claim), self.least, 1.0))

    def vectors(
        self, balance: Any, wac: Any, wam: Any, age: Any, *, ltv: Any, score: Any = None, unemployment: Any = None,
        behind: Any = 0, house_prices: Any = 1.0, lag: int = 12, mi_pct: Any = 0.0, claim_pct: Any = 100.0,
        known: int = 0,
    ) -> dict[str, Any]:  # fmt: skip
        """What `cashflows` takes: `cdr` and, by month of liquidation, `severity`, percent, loans x months; `lag`.

        balance: one a loan. ltv: percent, of each loan, marked to today (`marked_ltv`); house_prices: their level by
        month against today's, 1 is unchanged, the last one going on; others as of `mdr` and `severity`. Raises
        WrongInput.
        """
        owed = np.atleast_1d(numbers("balance", balance, 0))
        months = int(whole("wam", wam, 1, LONGEST_TERM).max())
        given = {"wac": wac, "wam": wam, "ltv": ltv}
        columns = [_column(name, np.atleast_1d(numbers(name, value, 0))) for name, value in given.items()]
        left = speeds.amortised_balance(columns[0], columns[1], np.maximum(columns[1] - np.arange(months), 0))
        marked = columns[2] * left / _by_month("house_prices", house_prices, months)
        mdr = self.mdr(age, months, ltv=marked, score=score, unemployment=unemployment, behind=behind, known=known)
        cover = [_column(name, numbers(name, v, 0, 100)) for name, v in (("mi_pct", mi_pct), ("claim_pct", claim_pct))]
        share = self.severity(np.maximum(marked, 1e-9), columns[0], lag, *cover)
        later = np.maximum(np.arange(months) - lag, 0)  # by month of liquidation
        shape = (len(owed), months)
        return {
            "cdr": speeds.mdr_to_cdr(100 * np.broadcast_to(mdr, shape)),
            "severity": 100 * np.broadcast_to(share, shape)[:, later], "lag": lag,
        }  # fmt: skip

    def _curve(self, life: npt.NDArray[Any]) -> Floats:
        """Share of the peak by month of the loan's life: rises, stays, falls to the tail."""
        end = self.rise + self.stay
        falling = 1 - (1 - self.tail) * np.clip((life - end) / self.fall, 0.0, 1.0)
        return np.asarray(np.minimum(life / self.rise, 1.0) * falling)

    def _jobs(self, unemployment: Any, months: int) -> Floats:
        if unemployment is None:
            return np.zeros(months)
        return self.jobs * (_by_month("unemployment", unemployment, months) - self.usual_unemployment)


def default_model(**changes: Any) -> DefaultModel:
    """The documented model, with some parameters changed. Raises WrongInput for an unknown one."""
    known = {field.name for field in fields(DefaultModel)}
    unknown = sorted(set(changes) - known)
    if unknown:
        raise WrongInput(f"{unknown[0]!r} is no parameter of default: one of {', '.join(sorted(known))}")
    return DefaultModel(**{**_assumed(), **changes})


@lru_cache(maxsize=1)
def _assumed() -> dict[str, Any]:
    groups = ("hazard", "borrower", "severity")
    found = [rules.load().get(f"default.{group}", date.max) for group in groups]
    return {name: value for group in found for name, value in group.items()}


def marked_ltv(ltv: Any, states: pl.Series | str, note_month: Any, month: Any, *, left: Any = 1.0) -> Floats:
    """Loan to value of a later month, percent: that at closing, amortised, over the rise of house prices since.

    states: postal codes, 'US' or '' for the nation's index; months: indexes as everywhere; left: balance over that at
    closing. Prices after the index's end are taken as unchanged. Raises WrongInput, Refused before the index's start.
    """
    closing = house_price_e4(states, note_month)
    return np.asarray(numbers("ltv", ltv, 0) * numbers("left", left, 0) * closing / house_price_e4(states, month))


def _by_month(name: str, value: Any, months: int) -> Floats:
    """One for each month, the last going on."""
    row = np.atleast_1d(numbers(name, value, 0))
    if row.ndim > 1 or row.size == 0:
        raise WrongInput(f"{name} must be one number or one a month")
    if name == "house_prices":
        require(name, row, row > 0, "must be above 0")
    return np.asarray(row[np.minimum(np.arange(months), len(row) - 1)])


def _column(name: str, value: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A number for all, one a loan, or loans x months as they are."""
    if value.ndim > 2:
        raise WrongInput(f"{name} must be one number, one a loan, or a row of months for each loan")
    return value if value.ndim in (0, 2) else value[:, None]
