"""How a note's rate is divided, in the way that pays best: coupon, servicing fee, guaranty fee, excess.

note = coupon + servicing + guaranty fee after buy-up or buy-down + excess, exactly. What lies between note rate
and coupon beyond the least servicing fee can go to four places, each with a width and a price per bp: not buying
the guaranty fee down, buying it up, more servicing, excess. The dearest is filled first: with fixed prices and a
buy-down that costs no less than a buy-up pays, this is the best division there is, and ties go by that order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

PERMITTED, SPREAD_LOW, SPREAD_HIGH, LEAST_SERVICING, NO_PLACE = range(5)
"""Why a coupon is not for a note."""


@dataclass(frozen=True)
class Limits:
    """Of one program, all e7: see rules `sale.strip.*`. `buys_down`: whether its guaranty fee can be bought down."""

    servicing_min: int
    servicing_max: int
    buy_up_max: int
    spread_min: int
    spread_max: int
    excess_max: int
    buys_down: bool


@dataclass(frozen=True)
class Division:
    """By (note, coupon): `refusal` (PERMITTED ...), and the strips in e7; `buy_up` is negative where bought down."""

    refusal: Int64s
    servicing: Int64s
    buy_up: Int64s
    excess: Int64s


def divide(
    spread: Int64s, fee: int, limits: Limits, buy_down_e3: Int64s, buy_up_e3: Int64s, above_e3: int, excess_e3: int
) -> Division:
    """Divides `spread` (note rate less coupon, e7) given the guaranty fee before buy-up and the multiples in e3:
    asked for buy-down, paid for buy-up (each by element, buy-down at least buy-up), for servicing above the least
    and for excess."""
    fixed = limits.servicing_min + (0 if limits.buys_down else fee)
    widths = (
        fee if limits.buys_down else 0,
        limits.buy_up_max,
        limits.servicing_max - limits.servicing_min,
        limits.excess_max,
    )
    worths = [
        np.broadcast_to(np.asarray(w, dtype=np.int64), spread.shape)
        for w in (buy_down_e3, buy_up_e3, above_e3, excess_e3)
    ]
    left = spread - fixed
    filled = []
    for k, worth in enumerate(worths):
        before = np.zeros_like(spread)
        for j, other in enumerate(worths):
            if j != k:
                before += np.where((other > worth) | ((other == worth) & (j < k)), widths[j], 0)
        filled.append(np.clip(left - before, 0, widths[k]))
    kept_fee, up, servicing, excess = filled
    refusal = np.full_like(spread, PERMITTED)
    refusal[left > sum(widths)] = NO_PLACE
    refusal[left < 0] = LEAST_SERVICING
    refusal[spread > limits.spread_max] = SPREAD_HIGH
    refusal[spread < limits.spread_min] = SPREAD_LOW
    buy_up = up + (kept_fee - fee if limits.buys_down else 0)
    return Division(refusal, limits.servicing_min + servicing, buy_up, excess)
