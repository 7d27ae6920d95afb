"""What an investor earns by a day, at what speed two choices are equal, and what a dollar roll finances at.

Source: SIFMA Standard Formulas, SF-49 and SF-50 (effective measures, total return); a dollar roll compares selling
and buying back with holding: market practice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from poolhouse.valuation import yields
from poolhouse.valuation.settlement import MONTH_DAYS, YEAR_DAYS
from poolhouse.valuation.wrong import Floats, WrongInput, numbers
from poolhouse.valuation.yields import Flows

_HALVINGS = 200


@dataclass(frozen=True)
class Effective:
    """Of a price that follows rates: duration in years, convexity in years squared (not divided by 100)."""

    duration: Floats
    convexity: Floats


def effective(price_at: Callable[[float], Any], shift: float = 0.25) -> Effective:
    """By a parallel shift of rates up and down, in percent; price_at(0) is today's. The function must let cash flows
    follow rates, else these are modified duration and cash-flow convexity. SF-50."""
    today, down, up = (np.asarray(price_at(by), dtype=np.float64) for by in (0.0, -shift, shift))
    move = shift / 100
    return Effective(
        np.asarray((down - up) / (2 * today * move)), np.asarray((down + up - 2 * today) / (today * move**2))
    )


@dataclass(frozen=True)
class Return:
    """bond_equivalent: percent a year, compounded twice; percent: over the whole time."""

    bond_equivalent: Floats
    percent: Floats
    end_value: Floats


def total_return(
    of: Flows, price: Any, months: int, *, reinvestment: Any, exit_yield: Any = None, exit_price: Any = None
) -> Return:
    """Buying at a clean price and selling on the 1st, `months` months after the flows begin.

    reinvestment: bond-equivalent percent, at which payments grow to the horizon; those of record before it that come
    after, by delay, are discounted at it. The rest is sold at a yield or at a clean price per 100 of its balance.
    SF-50. Raises WrongInput.
    """
    if (exit_yield is None) == (exit_price is None):
        raise WrongInput("give an exit yield or an exit price")
    count = of.cash_flow.shape[-1]
    if not 1 <= months <= count:
        raise WrongInput(f"the horizon {months} must be 1 to {count} months")
    horizon = np.asarray((months * MONTH_DAYS - of.settle_days) / YEAR_DAYS)
    if (horizon <= 0).any():
        raise WrongInput("the horizon must lie after settlement")
    rate = numbers("reinvestment", reinvestment, -199.999)
    grown = np.exp(2 * (horizon[..., None] - of.times[..., :months]) * np.log1p(rate / 200)[..., None])
    value = (of.cash_flow[..., :months] * grown).sum(axis=-1)
    rest = replace(
        of, cash_flow=of.cash_flow[..., months:], times=of.times[..., months:] - horizon[..., None],
        accrued=np.zeros(()),
    )  # fmt: skip
    if months == count:
        sold: Floats = np.zeros(())
    elif exit_price is None:
        sold = np.asarray(yields.price(rest, exit_yield) * of.balance / 100)
    else:
        sold = np.asarray(numbers("exit_price", exit_price, 0) / 100 * of.remaining[..., months - 1])
    ratio = (value + sold) / of.settled(price)
    return Return(
        np.asarray(200 * np.expm1(np.log(ratio) / (2 * horizon))),
        np.asarray(100 * (ratio - 1)),
        np.asarray(value + sold),
    )


def break_even(price: Any, target_yield: float, flows_at: Callable[[float], Flows], *, highest: float = 100.0) -> float:
    """The speed from 0 to `highest` at which a security bought at a clean price yields the target.

    flows_at: its flows at a speed (say CPR in percent). Above par a faster speed costs yield, below par it earns.
    Raises WrongInput where every speed yields more, or every one less.
    """

    def gain(speed: float) -> float:
        return float(yields.price(flows_at(speed), target_yield)) - float(numbers("price", price))

    low, high = 0.0, highest
    at_low, at_high = gain(low), gain(high)
    if at_low == 0:
        return low
    if at_low * at_high > 0:
        side = "more" if at_low > 0 else "less"
        raise WrongInput(f"at no speed from 0 to {highest:g} is the yield {target_yield:g}%: it is always {side}")
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if gain(middle) * at_low > 0 else (low, middle)
    return (low + high) / 2


@dataclass(frozen=True)
class Roll:
    """A month's sale and buying back. All per 100 of today's balance, percent a year on actual/360.

    days: between the settlements; accrued_days: 30/360, from the 1st to each; payment_days: from the later
    settlement to the payment given up; remaining: share of today's balance left after the month's principal.
    """

    coupon: float
    remaining: float
    days: int
    near_accrued_days: int
    far_accrued_days: int
    payment_days: int

    def implied_financing(self, near_price: float, far_price: float) -> float:
        """The rate at which the seller borrows: who invests the proceeds at more gains by rolling. Raises WrongInput
        where no rate above -100% makes rolling and holding equal."""
        if not 0 < near_price < np.inf or not 0 < far_price < np.inf:
            raise WrongInput("prices must be above 0")
        low, high = -99.0, 1e4
        if self._rolled(low, near_price, far_price) > 0 or self._rolled(high, near_price, far_price) < 0:
            raise WrongInput("no rate makes rolling and holding equal: look at the prices and days")
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            if middle in (low, high):
                break
            low, high = (low, middle) if self._rolled(middle, near_price, far_price) > 0 else (middle, high)
        return (low + high) / 2

    def fair_drop(self, near_price: float, financing: float) -> float:
        """Near less far price at which rolling finances at a rate: a wider drop pays to roll, a narrower to hold."""
        left = self._rolled(financing, near_price, 0.0)
        return near_price - left / self.remaining

    def _rolled(self, rate: float, near_price: float, far_price: float) -> float:
        """What is left at the later settlement of the proceeds, after buying back and the payment given up."""
        proceeds = near_price + self.coupon * self.near_accrued_days / YEAR_DAYS
        payment = self.coupon / 12 + 100 * (1 - self.remaining)
        back = self.remaining * (far_price + self.coupon * self.far_accrued_days / YEAR_DAYS)
        grown = proceeds * (1 + rate / 100 * self.days / YEAR_DAYS)
        return grown - back - payment / (1 + rate / 100 * self.payment_days / YEAR_DAYS)
