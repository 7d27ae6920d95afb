"""What a note is worth to one who keeps it: the present value of its flows net of what keeping it costs.

With constant rates of prepayment, loss and cost the sum over months telescopes to one weighted balance:
value = 1 + lasting x (note rate - yield - costs), all a month. Floats inside, by multiplication and addition only,
so that every processor gets the same; one rounding at the end.
"""

from __future__ import annotations

from decimal import Decimal, localcontext

import numpy as np
import numpy.typing as npt

from poolhouse.money import RATE_ONE

Int64s = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_MONTHS = 12
_ONE_E4 = 10_000


def lasting_balance(note_rate_e7: Int64s, months: Int64s, yield_e7: int, prepaid_e4: Int64s) -> Floats:
    """Sum over the months t = 1 .. n of the balance at the month's start, of 1 at first, discounted to today:
    a monthly margin times this is its present value.

    note_rate_e7, months left (>= 1) and prepaid_e4 (share of the balance prepaid a year, below one) by loan;
    yield_e7: nominal monthly. Source: standard_formulas.md (balance factor, single monthly mortality).
    """
    shares, which = np.unique(prepaid_e4, return_inverse=True)
    discount = 1 / (1 + Decimal(yield_e7) / (_MONTHS * RATE_ONE))
    keep = np.array([float(_stays(int(share)) * discount) for share in shares])[which]
    rate = note_rate_e7 / (_MONTHS * RATE_ONE)
    growth = 1 + rate
    plain, _ = _geometric(keep, months)
    fading, _ = _geometric(keep * growth, months)
    total, grown = _geometric(growth, months)
    safe = np.where(rate == 0, 1.0, rate)
    level = (grown * plain - fading) / (safe * total)  # balance after k: (g^n - g^k) / (g^n - 1), and g^n - 1 = r S(n)
    even = plain - _ramp(keep, months) / months  # without interest: (1 - k/n)
    lasting: Floats = np.where(rate == 0, even, level) * float(discount)
    return lasting


def _stays(prepaid_e4: int) -> Decimal:
    """Share of the balance not prepaid in a month. A decimal root: the same on every machine."""
    with localcontext() as exact:
        exact.prec = 40
        return (1 - Decimal(prepaid_e4) / _ONE_E4) ** (Decimal(1) / _MONTHS)


def margin_value_e6(lasting: Floats, rate_e7: Int64s | int) -> Int64s:
    """Present value of a yearly margin on the balance, in e6 per 100, half-up (towards plus infinity)."""
    value: Int64s = np.floor(lasting * (rate_e7 * (10 / _MONTHS)) + 0.5).astype(np.int64)
    return value


def _geometric(ratio: Floats, months: Int64s) -> tuple[Floats, Floats]:
    """1 + x + ... + x^(n-1), and x^n, by doubling over the bits of n: exact to rounding also near x = 1."""
    total, power = np.zeros_like(ratio), np.ones_like(ratio)
    for bit in range(int(months.max(initial=1)).bit_length() - 1, -1, -1):
        total = total * (1 + power)
        power = power * power
        odd = (months >> bit) & 1 == 1
        total = np.where(odd, 1 + ratio * total, total)
        power = np.where(odd, power * ratio, power)
    return total, power


def _ramp(keep: Floats, months: Int64s) -> Floats:
    """Sum of k x keep^k for k = 0 .. n-1, by doubling as above."""
    total, ramp, power = np.zeros_like(keep), np.zeros_like(keep), np.ones_like(keep)
    count = np.zeros_like(months)
    for bit in range(int(months.max(initial=1)).bit_length() - 1, -1, -1):
        ramp = ramp + power * (ramp + count * total)
        total, power, count = total * (1 + power), power * power, 2 * count
        odd = (months >> bit) & 1 == 1
        ramp = np.where(odd, keep * (ramp + total), ramp)
        total = np.where(odd, 1 + keep * total, total)
        power = np.where(odd, power * keep, power)
        count = np.where(odd, count + 1, count)
    return ramp
