"""How fast loans prepay and default: every measure of the standard formulas, and the way from each to the others.

All speeds are percent, as the field writes them (6.0 is 6% CPR, 150 is 150% PSA); numbers or arrays, arrays out.
MONTH is the month of the loan's life in which its age goes from MONTH - 1 to MONTH; below 1 counts as 1.
Source: SIFMA Uniform Practices, Standard Formulas, SF-4 to SF-15 (prepayment), SF-17 to SF-22 (default).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from poolhouse import rules
from poolhouse.valuation.wrong import Floats, WrongInput, numbers, require

Given = float | npt.ArrayLike
_MONTHS_A_YEAR = 12
_HALVINGS = 200  # a bisection of doubles ends before
_MOST_PSA = 1e6


@lru_cache(maxsize=1)
def psa_ramp() -> tuple[float, int]:
    """CPR a month of age adds at 100% PSA, and the month in which the ramp ends."""
    ramp = rules.load().get("investing.psa_ramp", date.max)
    return ramp["step_e7"] / 100_000, int(ramp["months"])  # e7 to percent


@lru_cache(maxsize=1)
def _sda() -> dict[str, Any]:
    return dict(rules.load().get("valuation.sda", date.max))


def cpr_to_smm(cpr: Given) -> Floats:
    """SMM = 100 [1 - (1 - CPR/100)^(1/12)]. SF-6."""
    return _compounded(numbers("cpr", cpr, high=100), 1 / _MONTHS_A_YEAR)


def smm_to_cpr(smm: Given) -> Floats:
    """CPR = 100 [1 - (1 - SMM/100)^12]. SF-6."""
    return _compounded(numbers("smm", smm, high=100), _MONTHS_A_YEAR)


def cdr_to_mdr(cdr: Given) -> Floats:
    """Monthly default rate of a yearly one. SF-21."""
    return _compounded(numbers("cdr", cdr, 0, 100), 1 / _MONTHS_A_YEAR)


def mdr_to_cdr(mdr: Given) -> Floats:
    """Yearly default rate of a monthly one. SF-21."""
    return _compounded(numbers("mdr", mdr, 0, 100), _MONTHS_A_YEAR)


def _compounded(rate: Floats, power: float) -> Floats:
    """100 [1 - (1 - rate/100)^power] without losing digits of a small rate."""
    with np.errstate(divide="ignore"):  # at 100% all is gone: exp(-inf) = 0 says it
        return np.asarray(-100 * np.expm1(np.log1p(-rate / 100) * power))


def psa_to_cpr(psa: Given, month: Given) -> Floats:
    """CPR of a month at a PSA speed, at most 100. SF-6."""
    step, months = psa_ramp()
    ramp = step * np.clip(numbers("month", month), 1, months)
    return np.minimum(numbers("psa", psa, 0) / 100 * ramp, 100.0)


def cpr_to_psa(cpr: Given, month: Given) -> Floats:
    """The PSA speed of a month's CPR. SF-8."""
    step, months = psa_ramp()
    return 100 * numbers("cpr", cpr, high=100) / (step * np.clip(numbers("month", month), 1, months))


def psa_to_smm(psa: Given, month: Given) -> Floats:
    """SMM of a month at a PSA speed. SF-6."""
    return cpr_to_smm(psa_to_cpr(psa, month))


def abs_to_smm(abs_speed: Given, month: Given) -> Floats:
    """SMM of a month at an ABS speed: a steady share of the original loans; all is gone when they are. SF-13."""
    speed, gone = np.broadcast_arrays(numbers("abs", abs_speed, 0, 100), np.maximum(numbers("month", month), 1) - 1)
    left = 100 - speed * gone
    return np.asarray(np.minimum(100 * speed / np.maximum(left, np.where(speed > 0, speed, 1)), 100.0))


def smm_to_abs(smm: Given, month: Given) -> Floats:
    """The ABS speed of a month's SMM: SF-13 turned round."""
    speed = numbers("smm", smm, 0, 100)
    return np.asarray(100 * speed / (100 + speed * (np.maximum(numbers("month", month), 1) - 1)))


def sda_to_cdr(sda: Given, month: Given) -> Floats:
    """Yearly default rate of a month at an SDA speed, at most 100. The last months, in which no loan could be
    liquidated before maturity, are the cash flows' matter. SF-20."""
    return np.minimum(numbers("sda", sda, 0) / 100 * _sda_curve(month), 100.0)


def cdr_to_sda(cdr: Given, month: Given) -> Floats:
    """The SDA speed of a month's yearly default rate. SF-20."""
    return 100 * numbers("cdr", cdr, 0, 100) / _sda_curve(month)


def _sda_curve(month: Given) -> Floats:
    sda, at = _sda(), np.maximum(numbers("month", month), 1)
    falling = sda["peak"] - sda["fall_step"] * (at - sda["fall_from_month"])
    return np.asarray(
        np.select(
            [at <= sda["rise_months"], at <= sda["fall_from_month"], at <= sda["tail_from_month"]],
            [sda["step"] * at, np.full(at.shape, sda["peak"]), falling],
            sda["tail"],
        )
    )


def amortised_balance(wac: Given, term: Given, remaining: Given) -> Floats:
    """Scheduled balance as a fraction of the original, with `remaining` of `term` months to go. SF-4."""
    rate = numbers("wac", wac, 0) / 1200
    left, of = numbers("remaining", remaining, 0), numbers("term", term, 1)
    require("remaining", left, np.asarray(left <= of), "must not be above the term")
    growth = np.log1p(rate)
    safe = np.where(rate > 0, growth, 1.0)
    return np.asarray(np.where(rate > 0, np.expm1(-left * safe) / np.expm1(-of * safe), left / of))


def level_payment(wac: Given, term: Given) -> Floats:
    """Scheduled gross payment a month as a fraction of the original balance, not rounded. SF-4."""
    rate, of = numbers("wac", wac, 0) / 1200, numbers("term", term, 1)
    safe = np.where(rate > 0, rate, 1.0)
    return np.asarray(np.where(rate > 0, rate / -np.expm1(-of * np.log1p(safe)), 1 / of))


def calculated_age(term: Given, original_wam: Given, months: Given, *, current_wam: Given | None = None) -> Floats:
    """Loan age where none is published (CAGE): original term less the WAM at issue, and the months since; no more than
    the current WAM leaves, and never below 0 (loans of the issue month). SF-41."""
    age = numbers("term", term, 1) - numbers("original_wam", original_wam, 0) + numbers("months", months, 0)
    if current_wam is not None:
        age = np.minimum(age, numbers("term", term, 1) - numbers("current_wam", current_wam, 0))
    return np.maximum(age, 0.0)


def survival(factor: Given, balance: Given) -> Floats:
    """Share of the loans still there: pool factor over amortised balance. SF-4."""
    return np.asarray(numbers("factor", factor, 0) / numbers("balance", balance, 0))


def historical_smm(first: Given, last: Given, balance_first: Given, balance_last: Given, months: Given = 1) -> Floats:
    """Average SMM of a period from the pool factors and amortised balances at its ends; negative when the factor fell
    less than scheduled, a sign of wrong data. SF-5, SF-12."""
    return aggregate_smm(
        numbers("last factor", last, 0),
        numbers("first factor", first, 0)
        * numbers("last balance", balance_last, 0)
        / numbers("balance", balance_first),
        months,
    )


def aggregate_smm(actual: Given, scheduled: Given, months: Given) -> Floats:
    """Average SMM of a group of pools: their balances at the end, and what they would be without prepayment. SF-12."""
    ratio = numbers("actual balance", actual, 0) / numbers("scheduled balance", scheduled, 0)
    return np.asarray(100 * (1 - ratio ** (1 / numbers("months", months, 1))))


def aggregate_psa(actual: float, scheduled: Given, first_month: Given, months: int) -> float:
    """The one PSA speed that takes all pools together from their scheduled to their actual balance.

    `actual`: their balance at the end in all. `scheduled`: each pool's at the end without prepayment. `first_month`:
    each pool's month of life at the start. By iteration, never as a mean of speeds. SF-12. Raises WrongInput where no
    speed from 0 up does it.
    """
    balances = np.atleast_1d(numbers("scheduled balance", scheduled, 0))
    month = np.atleast_1d(numbers("first month", first_month))[:, None] + np.arange(months)

    def left(psa: float) -> float:
        return float((balances * np.prod(1 - psa_to_smm(psa, month) / 100, axis=-1)).sum())

    return _speed_that(left, float(numbers("actual balance", actual, 0)), _MOST_PSA, "PSA")


def historical_psa(
    first: float, last: float, balance_first: float, balance_last: float, first_month: int, months: int = 1
) -> float:
    """The steady PSA speed of a pool over a period, from factors and amortised balances at its ends. SF-8, SF-12."""
    return aggregate_psa(last, first * balance_last / balance_first, first_month, months)


def historical_abs(
    first: Given, last: Given, balance_first: Given, balance_last: Given, age_first: Given, age_last: Given
) -> Floats:
    """The ABS speed of a period from factors, amortised balances and loan ages at its ends. SF-14."""
    factor = numbers("last factor", last, 0) / numbers("first factor", first, 0)
    balance = numbers("last balance", balance_last, 0) / numbers("balance", balance_first, 0)
    ages = numbers("first age", age_first, 0) * factor - numbers("last age", age_last, 0) * balance
    return np.asarray(100 * (factor - balance) / ages)


def _speed_that(left: Callable[[float], float], wanted: float, most: float, name: str) -> float:
    """The speed from 0 to `most` at which a falling function reaches a value, by halving."""
    low, high = 0.0, most
    if not left(high) <= wanted <= left(low):
        raise WrongInput(f"no {name} speed from 0 gives this balance: factors or terms are wrong")
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if left(middle) > wanted else (low, middle)
    return (low + high) / 2
