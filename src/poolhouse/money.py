"""Exact money: integer cents, one rounding rule, one way to divide a sum.

Units: amounts are integer cents; rates are integers in 1e-7 (6.875% = 687_500).
Every function takes Python integers or NumPy int64 arrays and never makes a float,
except `level_payment`, whose float estimate is settled by an exact comparison.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TypeVar, cast

import numpy as np
import numpy.typing as npt

Cents = TypeVar("Cents", int, npt.NDArray[np.int64])
Int64s = npt.NDArray[np.int64]

RATE_ONE = 10_000_000
"""A rate of 1 (100%) in e7."""

PRICE_PAR_E6 = 100_000_000
"""A price of 100 per 100 of face, in e6."""

_YEAR_RATE = 12 * RATE_ONE


def half_up_div(numerator: Cents, denominator: int) -> Cents:
    """Quotient rounded half away from zero: negatives round as -round(+x). denominator > 0."""
    if isinstance(numerator, np.ndarray):
        magnitude = np.abs(numerator)  # then in place: touching fresh memory costs more than the division
        magnitude *= 2
        magnitude += denominator
        magnitude //= 2 * denominator
        negative = numerator < 0
        if negative.any():
            np.negative(magnitude, out=magnitude, where=negative)
        return cast(Cents, magnitude)
    whole = (2 * abs(numerator) + denominator) // (2 * denominator)
    return -whole if numerator < 0 else whole


def monthly_interest(balance_cents: Cents, rate_e7: Cents | int) -> Cents:
    """One month's 30/360 interest: half-up(balance x rate / 12), in cents. Source: servicing.md 5.1."""
    return half_up_div(balance_cents * rate_e7, _YEAR_RATE)


def per_diem_interest(balance_cents: Cents, rate_e7: Cents | int, days: Cents | int) -> Cents:
    """Actual/365 interest for `days`, half-up to the cent (payoffs, odd days). Source: servicing.md 5.1.

    cents x rate x days must stay below 2^62: $600,000 at 12% for a year is 2.6e16, far below.
    """
    return half_up_div(balance_cents * rate_e7 * days, 365 * RATE_ONE)


def accrued_30_360(balance_cents: Cents, rate_e7: Cents | int, days: Cents | int) -> Cents:
    """30/360 interest for `days`, half-up to the cent: what a buyer pays from the 1st to settlement."""
    return half_up_div(balance_cents * rate_e7 * days, 360 * RATE_ONE)


def at_price(balance_cents: Cents, price_e6: Cents | int) -> Cents:
    """Amount paid for a balance at a price per 100, half-up to the cent."""
    return half_up_div(balance_cents * price_e6, PRICE_PAR_E6)


def level_payment(note_amount_cents: int, note_rate_e7: int, term_months: int) -> int:
    """The level instalment, half-up to the cent, settled exactly where a float can't tell.

    A zero rate divides the note evenly. Source: standard_formulas.md (level payment).
    """
    if term_months < 1:
        raise ValueError("term_months must be at least 1")
    if note_rate_e7 == 0:
        return half_up_div(note_amount_cents, term_months)
    rate = note_rate_e7 / _YEAR_RATE
    estimate = note_amount_cents * rate / -np.expm1(-term_months * np.log1p(rate))
    low = int(np.floor(estimate))
    if abs(estimate - low - 0.5) > 1e-4:
        return int(np.floor(estimate + 0.5))
    exact = Fraction(note_rate_e7, _YEAR_RATE)
    power = (1 + exact) ** term_months
    payment = note_amount_cents * exact * power / (power - 1)
    return int((2 * payment.numerator + payment.denominator) // (2 * payment.denominator))


def level_payments(note_amount_cents: Int64s, note_rate_e7: Int64s, term_months: Int64s) -> Int64s:
    """`level_payment` for columns: floats where they are safe, fractions for the near ties."""
    safe = np.where(note_rate_e7 == 0, 1, note_rate_e7)
    rate = safe / _YEAR_RATE
    estimate = note_amount_cents * rate / -np.expm1(-term_months * np.log1p(rate))
    payment = np.floor(estimate + 0.5).astype(np.int64)
    near_tie = np.abs(estimate - np.floor(estimate) - 0.5) <= 1e-4
    for i in np.flatnonzero(near_tie | (note_rate_e7 == 0)):
        payment[i] = level_payment(int(note_amount_cents[i]), int(note_rate_e7[i]), int(term_months[i]))
    return payment


def largest_remainder(total: int, weights: list[int]) -> list[int]:
    """Divide `total` pro rata among equals so that the shares sum to it; ties go to the first.

    Used only where a sum is shared, never for a contractual amount. All weights >= 0, not all 0.
    """
    whole = sum(weights)
    if whole <= 0 or min(weights) < 0:
        raise ValueError("weights must be non-negative and not all zero")
    if total == whole:
        return list(weights)
    shares = [total * w // whole for w in weights]
    order = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for i in order[: total - sum(shares)]:
        shares[i] += 1
    return shares


def dollars(cents: int) -> str:
    """Cents for people: 158017 -> '$1,580.17', -5 -> '-$0.05'."""
    sign = "-" if cents < 0 else ""
    return f"{sign}${abs(cents) // 100:,}.{abs(cents) % 100:02d}"


_DOLLARS = re.compile(
    r"(-?)\$?\s*(\d{1,3}(?:,\d{3})+(?:\.\d*)?|\d[\d_]*(?:\.\d*)?|\.\d+)(e[+-]?\d+|\s*(?:k|mm|bn))?", re.ASCII | re.I
)
_ZEROS = {"k": "e3", "mm": "e6", "bn": "e9"}


def dollars_of(text: str) -> float | None:
    """Dollars as people write them: $400,000,000, 400e6, 400k, 400mm (million), 1.2bn. None for anything else.

    A lone m is none of them: it is a thousand to one desk and a million to another.
    """
    found = _DOLLARS.fullmatch(text.strip())
    if not found:
        return None
    end = (found[3] or "").strip().lower()
    try:
        return float(f"{found[1]}{found[2].replace(',', '')}{_ZEROS.get(end, end)}")
    except ValueError:  # 4__0
        return None


_TICKS = re.compile(r"(\d{1,6})-(?:(\d{1,2})(\+|\.\d+)?|(\d\d)([0-7]))", re.ASCII)
_THIRTY_SECONDS = 32


def from_ticks(text: str) -> Fraction | None:
    """A price quoted in 32nds: 101-16, 101-16+ (half a 32nd more), 101-165 (5 eighths of one) or 101-16.25.

    None for anything else.
    """
    found = _TICKS.fullmatch(text)
    if not found or int(found[2] or found[4]) >= _THIRTY_SECONDS:
        return None
    if found[5]:
        part = Fraction(int(found[5]), 8)
    else:
        part = Fraction(1, 2) if found[3] == "+" else Fraction(f"0{found[3] or ''}")
    return int(found[1]) + (int(found[2] or found[4]) + part) / _THIRTY_SECONDS
