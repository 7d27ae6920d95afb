"""What an investor bids: the price at which a security yields what its mandate asks, at its speed.

A model, not a valuation: level-pay cash flows at a constant PSA, discounted at a bond-equivalent
yield with the actual delay. Floats live only here, and end as a price in 32nds at once. Only
+ - x / and square roots are used, which every processor rounds alike, so a bid is the same anywhere;
roots of higher order and the part of a month before the first payment are built from these.
Source of the cash flows and speeds: SIFMA standard formulas SF-4 to SF-8.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_NEWTON_STEPS = 60  # from 1 to a cube root of anything between 1e-12 and 10, with many to spare


@dataclass(frozen=True)
class Flows:
    """Securities to price, arrays of length S: yearly rates as shares of 1, months as integers.

    first_days: 30/360 days from settlement to the first payment; accrued_days: from the 1st to settlement.
    """

    wac: Floats
    coupon: Floats
    remaining_months: Ints
    age_months: Ints
    first_days: Ints
    accrued_days: Ints


@dataclass(frozen=True)
class Discounts:
    """`first`: of the first payment; `monthly`: growth a month, what each later one is divided by."""

    first: Floats
    monthly: Floats

    @classmethod
    def of(cls, yields: Floats, first_days: Ints | int) -> Discounts:
        """yields: (S, I) bond-equivalent; first_days: (S,), or one for all."""
        days = np.broadcast_to(np.asarray(first_days, dtype=np.int64), yields.shape[:1])
        monthly = _cube_root(np.sqrt(1 + yields / 2))  # the sixth root of half a year's
        whole, part = days // 30, (days % 30)[:, None] / 30
        discount = 1 / (1 + (monthly - 1) * part)
        for step in range(int(whole.max(initial=0))):
            discount = np.where((step < whole)[:, None], discount / monthly, discount)
        return cls(discount, monthly)


def prices(flows: Flows, yields: Floats, speeds: Floats, ramp_step: float, ramp_months: int) -> Floats:
    """Clean price per 1 of current face, shape (S, I).

    yields: (S, I) bond-equivalent, speeds: (I,) as a share of 100% PSA. ramp_step, ramp_months: the PSA ramp.
    """
    smm = mortality(speeds, ramp_step, ramp_months)
    annuity = annuities(flows.wac, int(flows.remaining_months.max(initial=0)))
    wac, coupon = flows.wac[:, None] / 12, flows.coupon[:, None] / 12
    discounts = Discounts.of(yields, flows.first_days)
    discount, monthly = discounts.first, discounts.monthly
    balance, value = np.ones_like(yields), np.zeros_like(yields)
    for k in range(1, int(flows.remaining_months.max(initial=0)) + 1):
        left = np.maximum(flows.remaining_months - k + 1, 0)
        owed = annuity[left, np.arange(len(left))][:, None]
        scheduled = np.where((left <= 1)[:, None], balance, balance / owed - balance * wac)
        speed = smm[np.minimum(flows.age_months + k, ramp_months)]
        principal = scheduled + (balance - scheduled) * speed
        value += discount * (balance * coupon + principal)
        balance = balance - principal
        discount = discount / monthly
    return value - flows.coupon[:, None] * flows.accrued_days[:, None] / 360


def annuities(wac: Floats, months: int) -> Floats:
    """Row n: what 1 a month for n months is worth at each note rate; row 0 stands for 'none left'."""
    rows = [np.zeros(len(wac))]
    for _ in range(months):
        rows.append((rows[-1] + 1) / (1 + wac / 12))
    rows[0] = np.ones(len(wac))
    return np.stack(rows)


def mortality(speeds: Floats, ramp_step: float, ramp_months: int) -> Floats:
    """Single monthly mortality, shape (ramp_months + 1, I), for each month of age up to the ramp's end."""
    month = np.arange(ramp_months + 1)[:, None]
    cpr = np.minimum(speeds[None, :] * ramp_step * month, 1.0)
    return 1 - _cube_root(np.sqrt(np.sqrt(1 - cpr)))


def _cube_root(x: Floats) -> Floats:
    """Newton's method with a fixed number of steps; 0 stays 0."""
    safe = np.where(x > 0, x, 1.0)
    root = np.ones_like(safe)
    for _ in range(_NEWTON_STEPS):
        root = (2 * root + safe / (root * root)) / 3
    return np.where(x > 0, root, 0.0)
