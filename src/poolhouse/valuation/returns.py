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
from poolhouse.valuation.wrong import Floats, WrongInput, numbers, one_whole, require, together
from poolhouse.valuation.yields import Flows

_HALVINGS = 200
_LEAST_SHIFT, _LEAST_PRICE, _LEAST = 1e-6, 1e-6, 1e-6
"""Percent, dollars per 100, share of a balance: less can't be meant."""


@dataclass(frozen=True)
class Effective:
    """Of a price that follows rates: duration in years, convexity in years squared (not divided by 100)."""

    duration: Floats
    convexity: Floats


def effective(price_at: Callable[[float], Any], shift: float = 0.25) -> Effective:
    """By a parallel shift of rates up and down, in percent; price_at(0) is today's. The function must let cash flows
    follow rates, else these are modified duration and cash-flow convexity. SF-50."""
    move = float(numbers("shift", shift, _LEAST_SHIFT)) / 100
    today, down, up = (numbers("price", price_at(by)) for by in (0.0, -shift, shift))
    require("price", today, today != 0, "must not be 0: percent of it are meant")
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
    months = one_whole("horizon", months, 1, count)
    paid = of.settled(price)
    require("what is paid", paid, paid > 0, "must be above 0")
    horizon = np.asarray((months * MONTH_DAYS - of.settle_days) / YEAR_DAYS)
    if (horizon <= 0).any():
        raise WrongInput("the horizon must lie after settlement")
    rate = of.fit("reinvestment", numbers("reinvestment", reinvestment, -199.999))
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
        sold = np.asarray(
            of.fit("exit_price", numbers("exit_price", exit_price, 0)) / 100 * of.remaining[..., months - 1]
        )
    try:
        ratio = np.asarray((value + sold) / paid)
    except ValueError:
        raise WrongInput("price, reinvestment and exit need one number, or as many as each other") from None
    require("return", ratio, ratio > 0, "must leave something: nothing is paid and nothing sold")
    return Return(
        np.asarray(200 * np.expm1(np.log(ratio) / (2 * horizon))),
        np.asarray(100 * (ratio - 1)),
        np.asarray(value + sold),
    )


def break_even(
    price: Any, target_yield: Any, flows_at: Callable[[float], Flows], *, highest: float = 100.0
) -> Floats:  # fmt: skip
    """The speed from 0 to `highest` at which a security bought at a clean price yields the target; arrays of prices
    and targets give an array.

    flows_at: its flows at a speed (say CPR in percent). Above par a faster speed costs yield, below par it earns.
    Raises WrongInput where every speed yields more, or every one less.
    """
    prices, targets = together(price=numbers("price", price, 0), target_yield=numbers("target_yield", target_yield))
    found = [
        _break_even(float(p), float(t), flows_at, highest)
        for p, t in zip(prices.reshape(-1), targets.reshape(-1), strict=True)
    ]
    return np.asarray(found).reshape(prices.shape)


def _break_even(price: float, target_yield: float, flows_at: Callable[[float], Flows], highest: float) -> float:
    def gain(speed: float) -> float:
        return float(yields.price(flows_at(speed), target_yield)) - price

    low, high = 0.0, highest
    at_low, at_high = gain(low), gain(high)
    if at_low == 0:
        return low
    if at_low * at_high > 0:
        side = "more" if at_low > 0 else "less"
        raise WrongInput(
            f"at no speed from 0 to {highest:g} does {price:g} yield {target_yield:g}%: it is always {side}"
        )
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if gain(middle) * at_low > 0 else (low, middle)
    return (low + high) / 2


@dataclass(frozen=True)
class Roll:
    """A month's sale and buying back; numbers or arrays. All per 100 of today's balance, percent a year on actual/360.

    days: between the settlements; accrued_days: 30/360, from the 1st to each; payment_days: from the later
    settlement to the payment given up; remaining: share of today's balance left after the month's principal.
    """

    coupon: Any
    remaining: Any
    days: Any
    near_accrued_days: Any
    far_accrued_days: Any
    payment_days: Any

    def implied_financing(self, near_price: Any, far_price: Any) -> Floats:
        """The rate at which the seller borrows: who invests the proceeds at more gains by rolling. Raises WrongInput
        where no rate above -100% makes rolling and holding equal.

        proceeds (1 + rate days/360) = buying back + payment / (1 + rate payment_days/360): a quadratic, of whose roots
        the larger leaves both brackets positive.
        """
        near, far = numbers("near_price", near_price, _LEAST_PRICE), numbers("far_price", far_price, _LEAST_PRICE)
        proceeds, back, payment, days, later, _ = self._terms(near, far)
        square, slope, rest = (
            proceeds * days * later,
            proceeds * (days + later) - back * later,
            proceeds - back - payment,
        )
        root = np.sqrt(np.maximum(slope**2 - 4 * square * rest, 0.0))
        with np.errstate(divide="ignore", invalid="ignore"):  # whichever form loses no digits; the other may be 0/0
            rate = np.asarray(100 * np.where(slope > 0, -2 * rest / (slope + root), (root - slope) / (2 * square)))
        require("implied financing", rate, rate > -100, "is no rate: look at the prices and days")  # a NaN too
        return rate

    def fair_drop(self, near_price: Any, financing: Any) -> Floats:
        """Near less far price at which rolling finances at a rate: a wider drop pays to roll, a narrower to hold."""
        near, rate = numbers("near_price", near_price, _LEAST_PRICE), numbers("financing", financing, -100) / 100
        proceeds, accrued, payment, days, later, remaining = self._terms(near, np.zeros(()), rate)
        left = proceeds * (1 + rate * days) - accrued - payment / (1 + rate * later)
        return np.asarray(near - left / remaining)

    def _terms(self, near: Floats, far: Floats, *others: Floats) -> tuple[Floats, ...]:
        """Proceeds, buying back, the payment given up, both spans in years, what is left of the balance."""
        own = {
            "coupon": numbers("coupon", self.coupon, 0, 100), "remaining": numbers("remaining", self.remaining, _LEAST),
            "days": numbers("days", self.days, 1), "near_days": numbers("near_accrued_days", self.near_accrued_days, 0),
            "far_days": numbers("far_accrued_days", self.far_accrued_days, 0),
            "payment_days": numbers("payment_days", self.payment_days, 0),
        }  # fmt: skip
        together(near_price=near, far_price=far, **own, **{f"other_{n}": o for n, o in enumerate(others)})
        coupon, remaining = own["coupon"], own["remaining"]
        return (
            near + coupon * own["near_days"] / YEAR_DAYS,
            remaining * (far + coupon * own["far_days"] / YEAR_DAYS),
            coupon / 12 + 100 * (1 - remaining),
            own["days"] / YEAR_DAYS,
            own["payment_days"] / YEAR_DAYS,
            remaining,
        )
