"""Days, delay and what a buyer pays on settlement. Source: SIFMA Standard Formulas, SF-44 to SF-46."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np

from poolhouse import rules
from poolhouse.valuation.wrong import Floats, WrongInput, numbers, together

YEAR_DAYS, MONTH_DAYS = 360, 30
_FEBRUARY, _LONGEST_MONTH = 2, 31


def days_30_360(first: date, last: date) -> int:
    """Days between two dates, all months having 30; the end of February counts as the 30th. Never negative. SF-44."""
    start, end = first.day, last.day
    if first.month == _FEBRUARY and (first + timedelta(days=1)).month != _FEBRUARY:
        start = MONTH_DAYS
    start = min(start, MONTH_DAYS)
    if start == MONTH_DAYS and end == _LONGEST_MONTH:
        end = MONTH_DAYS
    months = 12 * (last.year - first.year) + last.month - first.month
    return max(MONTH_DAYS * months + end - start, 0)


def actual_delay_days(program: str, as_of: date = date.max) -> int:
    """Days from the borrower's due date to the investor's payment: umbs 24, ginnie1 14, ginnie2 19, gold 14. SF-45."""
    try:
        return int(rules.load().get("valuation.actual_delay_days", as_of, program=str(program).lower()))
    except KeyError:
        known = [dict(v.dims)["program"] for v in rules.load().lines("valuation.actual_delay_days", as_of)]
        raise WrongInput(f"program {program!r} is unknown: one of {', '.join(known)}") from None


def accrued_interest(balance: Any, coupon: Any, days: Any) -> Floats:
    """Interest from the 1st of the month to settlement, on today's balance; coupon in percent, 30/360 days. SF-46."""
    owed, rate, count = together(
        balance=numbers("balance", balance, 0), coupon=numbers("coupon", coupon, 0), days=numbers("days", days, 0)
    )
    return np.asarray(owed * rate / 100 * count / YEAR_DAYS)


def settlement_cost(face: Any, factor: Any, price: Any, coupon: Any, days: Any) -> Floats:
    """What the buyer pays: original face x factor x price per 100, and accrued interest. SF-46."""
    owed, share, quoted, rate, count = together(
        face=numbers("face", face, 0), factor=numbers("factor", factor, 0), price=numbers("price", price, 0),
        coupon=numbers("coupon", coupon, 0), days=numbers("days", days, 0),
    )  # fmt: skip
    return np.asarray(owed * share * quoted / 100 + accrued_interest(owed * share, rate, count))


def accrual_factor(last_factor: Any, coupon: Any, days: Any) -> Floats:
    """Estimated factor of an accrual (Z) bond whose current one is not published: the last, with interest. SF-46."""
    return np.asarray(
        numbers("factor", last_factor, 0)
        * (1 + numbers("coupon", coupon, 0) / 100 * numbers("days", days, 0) / YEAR_DAYS)
    )


def payment_times(months: int, delay_days: Any, settle_days: Any = 0) -> Floats:
    """Years from settlement to each payment, 30/360: payment k of loans whose month k ended comes `delay_days` later.

    settle_days: from the 1st of the first month of accrual to settlement. SF-48. Arrays give a row each.
    """
    delay, settle = numbers("delay_days", delay_days, 0), numbers("settle_days", settle_days, 0)
    return np.asarray((MONTH_DAYS * np.arange(1, months + 1) + (delay - settle)[..., None]) / YEAR_DAYS)
