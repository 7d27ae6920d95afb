"""What an investor bids for a deal's classes: the deal is run at its speed, each class discounted at what it asks.

As `bids` does for whole pools: constant PSA, nobody defaults, a bond-equivalent yield, floats of + - x / and square
roots only. The collateral is projected to whole cents, so from there on the deal's own rules are exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from poolhouse import deals
from poolhouse.deals.collateral import Received
from poolhouse.investing import bids
from poolhouse.money import monthly_interest


class Trust(NamedTuple):
    """A deal as it stands after the settlement month's payment date, and the balance of the loans behind it."""

    deal: deals.Deal
    state: deals.State
    balance_cents: int


@dataclass(frozen=True)
class Loans:
    """The loans behind a deal as one: yearly rates, months."""

    wac_e7: int
    coupon_rate_e7: int
    remaining_months: int
    age_months: int


def prices(
    trust: Trust, loans: Loans, names: Sequence[str], rates_e7: Sequence[int], yields: bids.Floats,
    speeds: bids.Floats, first_days: bids.Ints, accrued_days: bids.Ints, ramp: dict[str, Any],
) -> bids.Floats:  # fmt: skip
    """Clean price per 1 of current face of each class, shape (classes, investors).

    rates_e7: what each class accrues at from the 1st; yields: (classes, investors); speeds: (investors,) as a share of
    100% PSA; first_days, accrued_days: as of `bids.Flows`; ramp: step_e7 and months of PSA.
    """
    found = np.zeros(yields.shape)
    balance = np.array([trust.state.balance[name] for name in names], dtype=np.float64)
    discounts = bids.Discounts.of(yields, first_days)
    for speed in sorted(set(speeds.tolist())):
        at = speeds == speed
        discount, monthly = discounts.first[:, at], discounts.monthly[:, at]
        ran = deals.run(trust.deal, project(trust.balance_cents, loans, speed, ramp), start=trust.state, call=False)
        flows = np.array(
            [[i + p for i, p in zip(ran.classes[n].interest, ran.classes[n].principal, strict=True)] for n in names],
            dtype=np.float64,
        )  # fmt: skip
        value = np.zeros((len(names), int(at.sum())))
        for month in range(flows.shape[1]):
            value += discount * flows[:, month, None]
            discount = discount / monthly
        found[:, at] = value / balance[:, None]
    accrued = np.array(rates_e7, dtype=np.float64) / 10_000_000 * accrued_days / 360
    return found - accrued[:, None]


def project(balance: int, loans: Loans, speed: float, ramp: dict[str, Any]) -> list[Received]:
    """The loans' months to their last, level pay at a share of 100% PSA, in whole cents."""
    smm = bids.mortality(np.array([speed]), ramp["step_e7"] / 10_000_000, ramp["months"])[:, 0]
    rate = loans.wac_e7 / 10_000_000 / 12
    owed = bids.annuities(np.array([rate * 12]), loans.remaining_months)[:, 0]
    months = []
    for number in range(1, loans.remaining_months + 1):
        left = loans.remaining_months - number + 1
        scheduled = balance if left == 1 else min(max(_cents(balance / owed[left] - balance * rate), 0), balance)
        speed_now = float(smm[min(loans.age_months + number, ramp["months"])])
        prepaid = _cents((balance - scheduled) * speed_now)
        interest = monthly_interest(balance, loans.coupon_rate_e7)
        months.append(Received(balance, interest, scheduled, prepaid, prepaid, 0))
        balance = months[-1].after
    return months


def _cents(amount: float) -> int:
    return int(np.floor(amount + 0.5))
