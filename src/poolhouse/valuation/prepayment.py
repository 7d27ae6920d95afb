"""How fast borrowers prepay when rates move: a model of few parameters, each with a name that says what it does.

    voluntary = able x (turnover x seasoning x season x lock-in  +  refinance x seasoning x S-curve x burnout x size)
    smm       = 1 - (1 - voluntary)(1 - curtailment)(1 - buyout)

Each speed is a yearly rate turned into a month's share; the rest are factors. The S-curve is logistic in the incentive,
note rate less a weighted mean of this month's and earlier mortgage rates. Everything a path remembers, lag and burnout,
is a sum along its months, so a thousand paths are a few passes over one array. The numbers at the start are
assumptions (`rules/assumptions/valuation.toml`); `poolhouse fit prepayment` estimates a book's own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import date
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from poolhouse import rules
from poolhouse.valuation.wrong import Floats, WrongInput, numbers, require, whole

OLDEST = 1200
_GROUPS = ("turnover", "season", "refinance", "lock_in", "burnout", "borrower", "other")
_POSITIVE = ("turnover_ramp", "refinance_ramp", "buyout_ramp", "slope", "lock_in_slope", "size_reference", "size_low",
             "size_high", "usual_balance")  # fmt: skip
_SPEEDS = ("turnover", "refinance", "curtailment", "buyout")
_SHARES = ("burnout_floor",)


@dataclass(frozen=True)
class PrepaymentModel:
    """Parameters; speeds in percent a year (CPR), incentives in percentage points, `prepayment_model()` has the usual.

    turnover, turnover_ramp (months, linear), seasons (12 factors, January first), seasonality (their power);
    refinance, midpoint, slope, refinance_ramp, lag (weights of the rate of this month and each before, sum 1),
    size (power of balance / size_reference between size_low and size_high, dollars);
    lock_in (share of turnover lost), lock_in_midpoint (points below the market), lock_in_slope;
    burnout (per percent-year of incentive above burnout_from), burnout_floor (share of refinancing that stays);
    credit (per 100 points below credit_from), equity (per 10% of loan to value above equity_from);
    curtailment; buyout, buyout_ramp, weak (per 100 points below usual_score); usual_*: what unknown counts as.
    """

    turnover: float
    turnover_ramp: float
    seasons: tuple[float, ...]
    seasonality: float
    refinance: float
    midpoint: float
    slope: float
    refinance_ramp: float
    lag: tuple[float, ...]
    size: float
    size_reference: float
    size_low: float
    size_high: float
    lock_in: float
    lock_in_midpoint: float
    lock_in_slope: float
    burnout: float
    burnout_floor: float
    burnout_from: float
    credit: float
    credit_from: float
    equity: float
    equity_from: float
    usual_score: float
    usual_ltv: float
    usual_balance: float
    curtailment: float
    buyout: float
    buyout_ramp: float
    weak: float

    def __post_init__(self) -> None:
        for field in fields(self):
            value = numbers(field.name, getattr(self, field.name))
            low = 0 if field.name in (*_POSITIVE, *_SPEEDS, *_SHARES) else None
            numbers(field.name, value, low, 100 if field.name in _SPEEDS else 1 if field.name in _SHARES else None)
            if field.name in _POSITIVE:
                require(field.name, value, value > 0, "must be above 0")
        object.__setattr__(self, "seasons", tuple(np.atleast_1d(numbers("seasons", self.seasons)).tolist()))
        object.__setattr__(self, "lag", tuple(np.atleast_1d(numbers("lag", self.lag)).tolist()))
        if len(self.seasons) != 12 or min(self.seasons) <= 0:
            raise WrongInput("seasons must be 12 factors above 0, January first")
        if not self.lag or min(self.lag) < 0 or abs(sum(self.lag) - 1) > 1e-9:
            raise WrongInput(f"lag {self.lag} must be weights of 0 or more that add up to 1, this month's first")

    def smm(
        self, rates: Any, wac: Any, age: Any, month0: int, *, balance: Any = None, score: Any = None, ltv: Any = None,
        history: Any = None, exposure: Any = 0.0,
    ) -> Floats:  # fmt: skip
        """Prepayment of each month as a share of 1 of what the scheduled payment leaves; one row a path, or a loan.

        rates: paths x months (or months), the mortgage rate in percent of each month projected; month0: the first one's
        calendar month, 1 to 12. wac: percent; age: months since origination at its beginning. balance: dollars of a
        loan; score; ltv: percent. Each a number, or one a row (against one row of rates: loan by loan); None or NaN:
        unknown. history: mortgage rates of the months before, oldest first, for lag and burnout; without it rates were
        always the first one's. exposure: percent-years of incentive passed up before the history. Raises WrongInput.
        """
        paths = _checked_rates(rates)
        months = paths.shape[1]
        first = whole("age", age, 0, OLDEST)
        rate = _column("wac", numbers("wac", wac, 0, 100), len(paths))
        past = _past(history, int(first.max(initial=0)), len(self.lag))
        life = _column("age", first, len(paths)) + np.arange(1 - len(past), months + 1)
        incentive = rate - _lagged(paths, past, self.lag)
        exposed = np.maximum(incentive - self.burnout_from, 0.0)
        if len(past):
            exposed *= life > 0  # before its first month there was no loan
        passed = np.add.accumulate(exposed, axis=1, out=np.empty_like(exposed))
        passed -= exposed
        passed = (passed[:, len(past) :]) / 12 + _column("exposure", numbers("exposure", exposure, 0), len(paths))
        calendar = (int(whole("month0", month0, 1, 12)) - 1 + np.arange(months)) % 12 + 1
        facts = [
            _column(name, self.known(name, value), len(paths))
            for name, value in (("balance", balance), ("score", score), ("ltv", ltv))
        ]
        life = life[:, len(past) :]
        voluntary = self.voluntary(incentive[:, len(past) :], passed, life, calendar, *facts)
        kept = (1 - _monthly(self.curtailment)) * (1 - self._bought_out(life, facts[1]))
        return np.asarray(1 - (1 - voluntary) * kept)

    def voluntary(
        self, incentive: Floats, exposure: Floats, life: npt.NDArray[Any], calendar: npt.NDArray[Any], balance: Floats,
        score: Floats, ltv: Floats,
    ) -> Floats:  # fmt: skip
        """Turnover and refinancing of a month as a share of 1, element by element of arrays that broadcast.

        incentive: percentage points, lagged; exposure: percent-years; life: month of the loan's life, from 1;
        calendar: 1 to 12; balance, score, ltv: known (see `known`).
        """
        moving, held, refinanced, able = self._parts(incentive, exposure, life, calendar, balance, score, ltv)
        held *= -self.lock_in
        held += 1
        held *= moving
        held += refinanced
        held *= able
        return np.asarray(np.clip(held, 0.0, 1.0))

    def _parts(
        self, incentive: Floats, exposure: Floats, life: npt.NDArray[Any], calendar: npt.NDArray[Any], balance: Floats,
        score: Floats, ltv: Floats,
    ) -> tuple[Floats, Floats, Floats, Floats]:  # fmt: skip
        """Turnover before lock-in, how far its curve locks in, refinancing, and who is able."""
        season = np.asarray(self.seasons)[np.asarray(calendar) - 1] ** self.seasonality
        moving = _monthly(self.turnover) * _seasoning(life, self.turnover_ramp) * season
        worth = np.clip(balance, self.size_low, self.size_high) / self.size_reference
        gaining = _monthly(self.refinance) * _seasoning(life, self.refinance_ramp) * worth**self.size
        refinanced = _logistic(incentive, self.midpoint, self.slope)
        refinanced *= gaining
        refinanced *= self.burnout_floor + (1 - self.burnout_floor) * np.exp(-self.burnout * exposure)
        short = self.credit * np.maximum(self.credit_from - score, 0.0) / 100
        able = np.exp(-short - self.equity * np.maximum(ltv - self.equity_from, 0.0) / 10)
        return moving, _logistic(-incentive, self.lock_in_midpoint, self.lock_in_slope), refinanced, able

    def slopes(
        self, incentive: Floats, exposure: Floats, life: npt.NDArray[Any], calendar: npt.NDArray[Any], balance: Floats,
        score: Floats, ltv: Floats,
    ) -> dict[str, Floats]:  # fmt: skip
        """Derivatives of `voluntary` with respect to each parameter that is fitted, by name."""
        facts = incentive, exposure, life, calendar, balance, score, ltv
        moving, locked, refinanced, able = self._parts(*facts)
        turnover, gain = moving * able, refinanced * able
        stays = turnover * (1 - self.lock_in * locked)
        both = stays + gain
        far = 1 - _logistic(incentive, self.midpoint, self.slope)
        burned = (1 - self.burnout_floor) * np.exp(-self.burnout * exposure)
        worth = np.clip(balance, self.size_low, self.size_high) / self.size_reference
        found = {
            "turnover": stays * _growth(self.turnover),
            "turnover_ramp": stays * _ramp_growth(life, self.turnover_ramp),
            "seasonality": stays * np.log(np.asarray(self.seasons))[np.asarray(calendar) - 1],
            "refinance": gain * _growth(self.refinance),
            "midpoint": -gain * far / self.slope,
            "slope": -gain * far * (incentive - self.midpoint) / self.slope**2,
            "refinance_ramp": gain * _ramp_growth(life, self.refinance_ramp),
            "size": gain * np.log(worth),
            "lock_in": -turnover * locked,
            "burnout": -gain * exposure * burned / (self.burnout_floor + burned),
            "credit": -both * np.maximum(self.credit_from - score, 0.0) / 100,
            "equity": -both * np.maximum(ltv - self.equity_from, 0.0) / 10,
        }
        inside = (both > 0) & (both < 1)
        return {name: np.asarray(slope * inside) for name, slope in found.items()}

    def known(self, name: str, value: Any) -> Floats:
        """A loan's fact, what is unknown (None, NaN) as the usual one. Raises WrongInput."""
        given = np.asarray(np.nan if value is None else value, dtype=np.float64)
        filled = np.where(np.isnan(given), getattr(self, f"usual_{name}"), given)
        return numbers(name, filled, 0, 1000 if name == "score" else None)

    def at(self, **facts: Any) -> LoanPrepayment:
        """This model of a loan or pool with these facts: what a pricer calls with rates, WAC, age and month alone."""
        wrong = set(facts) - {"balance", "score", "ltv", "history", "exposure"}
        if wrong:
            raise WrongInput(f"{', '.join(sorted(wrong))}: not among balance, score, ltv, history, exposure")
        return LoanPrepayment(self, facts)

    def _bought_out(self, life: npt.NDArray[Any], score: Floats) -> Floats:
        seasoned = _seasoning(life, self.buyout_ramp)
        share = _monthly(self.buyout) * seasoned * np.exp(self.weak * (self.usual_score - score) / 100)
        return np.asarray(np.minimum(share, 1.0))


@dataclass(frozen=True)
class LoanPrepayment:
    """A model and the facts of one loan or pool."""

    model: PrepaymentModel
    facts: dict[str, Any]

    def smm(self, rates: Any, wac: Any, age: Any, month0: int) -> Floats:
        """See `PrepaymentModel.smm`."""
        return self.model.smm(rates, wac, age, month0, **self.facts)


@dataclass(frozen=True)
class OwnModel:
    """A user's function(rates, wac, age, month0) -> shares of 1, rows x months, in the model's place; checked."""

    function: Callable[..., Any]

    def smm(self, rates: Any, wac: Any, age: Any, month0: int) -> Floats:
        """What the function says. Raises WrongInput for another shape, or a share below 0 or above 1."""
        asked = _checked_rates(rates)
        found = numbers("smm of your function", self.function(asked, wac, age, month0), 0, 1)
        if found.shape != asked.shape:
            raise WrongInput(f"your function gave {found.shape} for {asked.shape} paths x months of rates")
        return found


def prepayment_model(**changes: Any) -> PrepaymentModel:
    """The documented model, with some parameters changed. Raises WrongInput for an unknown one."""
    known = {field.name for field in fields(PrepaymentModel)}
    unknown = sorted(set(changes) - known)
    if unknown:
        raise WrongInput(f"{unknown[0]!r} is no parameter of prepayment: one of {', '.join(sorted(known))}")
    return PrepaymentModel(**{**_assumed(), **changes})


@lru_cache(maxsize=1)
def _assumed() -> dict[str, Any]:
    book = rules.load()
    return {name: value for group in _GROUPS for name, value in book.get(f"prepayment.{group}", date.max).items()}


def _checked_rates(rates: Any) -> Floats:
    found = np.atleast_2d(numbers("rates", rates, -100, 100))
    if found.ndim > 2 or found.size == 0:
        raise WrongInput("rates must be paths x months, at least one of each")
    return found


def _past(history: Any, oldest: int, lags: int) -> Floats:
    """As much of the history as lag and burnout look at."""
    if history is None:
        return np.empty(0)
    found = numbers("history", history, -100, 100)
    if found.ndim != 1:
        raise WrongInput("history must be one mortgage rate a month, oldest first")
    return found[max(len(found) - oldest - lags + 1, 0) :]


def _lagged(paths: Floats, past: Floats, lag: tuple[float, ...]) -> Floats:
    """Weighted mean of the rates of this month and before, for the past and the months projected."""
    months = len(past) + paths.shape[1]
    before = np.full(len(lag) - 1, past[0]) if len(past) else np.broadcast_to(paths[:, :1], (len(paths), len(lag) - 1))
    earlier = np.broadcast_to(
        np.concatenate([before, past]) if len(past) else before, (len(paths), len(lag) - 1 + len(past))
    )
    whole_path = np.empty_like(paths, shape=(len(paths), earlier.shape[1] + paths.shape[1]))
    whole_path[:, : earlier.shape[1]] = earlier
    whole_path[:, earlier.shape[1] :] = paths
    found = np.zeros_like(whole_path[:, :months])
    for back, weight in enumerate(lag):
        if weight:
            start = len(lag) - 1 - back
            found += weight * whole_path[:, start : start + months]
    return found


def _column(name: str, value: npt.NDArray[Any], rows: int) -> npt.NDArray[Any]:
    """A number for all rows, or a column of one a row."""
    if value.ndim == 0:
        return value.reshape(1, 1)
    if value.ndim > 1 or (rows not in (1, len(value)) and len(value) != 1):
        raise WrongInput(f"{name} must be one number or one a row: {value.shape} against {rows} rows of rates")
    return value[:, None]


def _monthly(cpr: float) -> float:
    return float(-np.expm1(np.log1p(-cpr / 100) / 12)) if cpr < 100 else 1.0


def _seasoning(life: npt.NDArray[Any], ramp: float) -> Floats:
    """Linear from 0 to 1 at `ramp` months; its corner is rounded over one month, so that a likelihood has no corner."""
    end = np.clip(life, ramp - 0.5, ramp + 0.5)
    corner = (ramp**2 - (end - 0.5) ** 2) / (2 * ramp) + end + 0.5 - ramp
    return np.asarray(np.where(life < ramp - 0.5, life / ramp, corner))


def _ramp_growth(life: npt.NDArray[Any], ramp: float) -> Floats:
    """Derivative of the logarithm of the seasoning, of the ramp."""
    end = np.clip(life, ramp - 0.5, ramp + 0.5)
    corner = (((end - 0.5) / ramp) ** 2 - 1) / 2
    return np.asarray(np.where(life < ramp - 0.5, -1 / ramp, corner / _seasoning(end, ramp)))


def _growth(cpr: float) -> float:
    """Derivative of the logarithm of a month's share, of the yearly rate."""
    return float((1 - cpr / 100) ** (1 / 12 - 1) / 1200 / _monthly(cpr))


def _logistic(x: Floats, midpoint: float, slope: float) -> Floats:
    with np.errstate(over="ignore"):  # far below the midpoint exp() is infinite, and the share 0
        found = np.exp((midpoint - x) / slope)
    found += 1
    return np.asarray(np.divide(1.0, found, out=found))
