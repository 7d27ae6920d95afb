"""Price, yield, average life, duration and convexity of cash flows that are known.

All take `Flows`, of one security or a row for each of many, and a price or yield that is a number or an array; arrays
out. Prices are clean, per 100 of today's balance; yields are percent, compounded twice a year (bond-equivalent).
Source: SIFMA Standard Formulas, SF-48 to SF-50.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from poolhouse.valuation import schedule, settlement, terms
from poolhouse.valuation.wrong import Floats, WrongInput, numbers, require

_STEPS = 100  # Newton needs six; each that leaves its bracket is halved instead
MOST_CELLS = 20_000_000
"""Pools x months of flows at once: 2 GB."""
_CLOSE = 4 * np.finfo(np.float64).eps


@dataclass(frozen=True)
class Flows:
    """Payments to come, months along the last axis: dollars, dollars of principal, years from settlement.

    balance: today's, dollars; remaining: after each payment; accrued: interest the buyer pays for, per 100 of balance;
    settle_days: from the 1st of the first month to settlement.
    """

    cash_flow: Floats
    principal: Floats
    times: Floats
    balance: Floats
    remaining: Floats
    accrued: Floats
    settle_days: Floats

    def settled(self, price: Any) -> Floats:
        """Dollars paid at a clean price."""
        return np.asarray((numbers("price", price) + self.accrued) / 100 * self.balance)

    def clean(self, value: Floats) -> Floats:
        """Clean price per 100 of a value in dollars."""
        require("balance", self.balance, self.balance > 0, "must be above 0 for a price per 100 of it")
        return np.asarray(value * 100 / self.balance - self.accrued)


def flows_of(frame: pl.DataFrame, coupon: float, *, delay_days: float = 0, settle_days: float = 0) -> Flows:
    """The flows of a `cashflows` frame of totals; coupon in percent, for what is accrued at settlement."""
    return flows(
        frame["cash_flow"].to_numpy(), frame["principal"].to_numpy(), frame["balance"][0], coupon,
        remaining=frame["ending_balance"].to_numpy(), delay_days=delay_days, settle_days=settle_days,
    )  # fmt: skip


def flows(
    cash_flow: Any, principal: Any, balance: Any, coupon: Any, *, remaining: Any = None, delay_days: Any = 0,
    settle_days: Any = 0,
) -> Flows:  # fmt: skip
    """Monthly flows, the first for the month in which settlement falls, with their payment dates.

    remaining: balance after each payment; left out, nothing but principal lowers it. Raises WrongInput.
    """
    paid, repaid = numbers("cash_flow", cash_flow, 0), numbers("principal", principal)
    if paid.ndim == 0 or paid.size == 0 or paid.shape != repaid.shape:
        raise WrongInput("cash flows and principal need the same months, one at least")
    owed, settle = numbers("balance", balance, 0), numbers("settle_days", settle_days, 0)
    times = settlement.payment_times(paid.shape[-1], delay_days, settle)
    if (times <= 0).any():
        raise WrongInput("settle_days is too late: the first payment must lie after settlement")
    left = owed[..., None] - np.cumsum(repaid, axis=-1) if remaining is None else numbers("remaining", remaining)
    return Flows(paid, repaid, times, owed, left, settlement.accrued_interest(100.0, coupon, settle), settle)


def pool_flows(
    balance: Any, wac: Any, coupon: Any, wam: Any, *, age: Any = None, psa: Any = None, cpr: Any = None,
    smm: Any = None, cdr: Any = None, sda: Any = None, severity: Any = 0.0, lag: int = 12, advance: bool = True,
    delay_days: Any = 0, settle_days: Any = 0,
) -> Flows:  # fmt: skip
    """Each pool's own flows, a row for each (one pool of plain numbers: no rows); arguments as of `cashflows`."""
    pools = terms.pools(balance, wac, coupon, wam, age)
    speeds = terms.speeds_of(
        len(pools), psa=psa, cpr=cpr, smm=smm, cdr=cdr, sda=sda, severity=severity, lag=lag, advance=advance
    )
    if len(pools) * pools.months > MOST_CELLS:
        raise WrongInput(f"{len(pools):,} pools x {pools.months} months are too many at once: ask in parts")
    found = schedule.monthly(pools, speeds)
    single = all(np.ndim(given) == 0 for given in (balance, wac, coupon, wam, age))

    def of(column: Floats) -> Floats:
        return np.asarray(column[0] if single else column)

    return flows(
        of(found["cash_flow"]), of(found["principal"]), of(pools.balance), of(pools.coupon),
        remaining=of(found["ending_balance"]), delay_days=delay_days, settle_days=settle_days,
    )  # fmt: skip


def price(of: Flows, bond_equivalent_yield: Any) -> Floats:
    """Clean price per 100 at a yield above -200%; an array of yields gives an array."""
    return of.clean(_value(of, _force(bond_equivalent_yield)))


def bond_equivalent_yield(of: Flows, price: Any) -> Floats:
    """The yield at a clean price: the one rate at which the payments are worth what is paid for them.

    Exact for any positive price, whatever the speed, below zero too: it lies between the rates at which all would be
    paid first or last, and the logarithm of value is convex in that of growth, so Newton's method cannot stray.
    Raises WrongInput when nothing is paid for, or nothing will be paid.
    """
    wanted = of.settled(price)
    require("balance", of.balance, of.balance > 0, "must be above 0 for a price per 100 of it")
    dirty = numbers("price", price) + of.accrued
    require("price with accrued interest", dirty, dirty > 0, "must be above 0")
    total = of.cash_flow.sum(axis=-1)
    require("cash flow in all", total, total > 0, "must be above 0")
    with np.errstate(over="ignore"):
        found = np.asarray(200 * np.expm1(_solved(of, np.log(wanted))))
    require("price", np.broadcast_to(price, found.shape), np.isfinite(found), "has a yield larger than numbers go")
    return found


def mortgage_yield(bond_equivalent: Any) -> Floats:
    """The same yield compounded monthly. SF-48."""
    return np.asarray(1200 * np.expm1(_force(bond_equivalent) / 6))


def from_mortgage_yield(mortgage: Any) -> Floats:
    """The bond-equivalent yield of a monthly compounded one."""
    return np.asarray(200 * np.expm1(6 * np.log1p(numbers("mortgage yield", mortgage, -1199.999) / 1200)))


def wal(of: Flows) -> Floats:
    """Weighted average life, years to principal. Negative principal (GPM, ARM) counts; for Z bonds pass only the
    positive. SF-49, SF-56. Raises WrongInput where there is no principal."""
    total = of.principal.sum(axis=-1)
    require("principal in all", total, total > 0, "must be above 0: without it there is no average life")
    return np.asarray((of.times * of.principal).sum(axis=-1) / total)


def macaulay_duration(of: Flows, bond_equivalent_yield: Any) -> Floats:
    """Years to payment, weighted by present value. SF-49."""
    return _moment(of, _force(bond_equivalent_yield), of.times)


def modified_duration(of: Flows, bond_equivalent_yield: Any) -> Floats:
    """Percent of price lost when the yield rises by 1, cash flows fixed. SF-49."""
    force = _force(bond_equivalent_yield)
    return np.asarray(_moment(of, force, of.times) * np.exp(-force))


def convexity(of: Flows, bond_equivalent_yield: Any) -> Floats:
    """Cash-flow convexity in years squared, not divided by 100. SF-49."""
    force = _force(bond_equivalent_yield)
    return np.asarray(_moment(of, force, of.times * (of.times + 0.5)) * np.exp(-2 * force))


def _force(bond_equivalent_yield: Any) -> Floats:
    """Logarithm of half a year's growth."""
    rate = numbers("yield", bond_equivalent_yield)
    require("yield", rate, rate > -200, "must be above -200%: more than all can't be lost in half a year")
    return np.asarray(np.log1p(rate / 200))


def _value(of: Flows, force: Floats) -> Floats:
    """Dollars at settlement."""
    return np.asarray((of.cash_flow * np.exp(-2 * of.times * force[..., None])).sum(axis=-1))


def _moment(of: Flows, force: Floats, weight: Floats) -> Floats:
    """Mean of a weight by present value. Scaled by the largest, so that no yield overflows."""
    exponent = -2 * of.times * force[..., None]
    exponent -= exponent.max(axis=-1, keepdims=True)
    worth = of.cash_flow * np.exp(exponent)
    return np.asarray((weight * worth).sum(axis=-1) / worth.sum(axis=-1))


def _solved(of: Flows, wanted: Floats) -> Floats:
    """The force at which the logarithm of value is `wanted`."""
    paid = of.cash_flow > 0
    times = np.broadcast_to(of.times, of.cash_flow.shape)
    first = np.where(paid, times, np.inf).min(axis=-1)
    last = np.where(paid, times, 0.0).max(axis=-1)
    gain = np.log(of.cash_flow.sum(axis=-1)) - wanted
    low = np.minimum(gain / (2 * first), gain / (2 * last))
    high = np.maximum(gain / (2 * first), gain / (2 * last))
    at = gain / (2 * _moment(of, np.zeros(np.shape(gain)), times))
    amounts = np.log(np.where(paid, of.cash_flow, 1.0))
    for _ in range(_STEPS):
        exponent = np.where(paid, amounts - 2 * times * at[..., None], -np.inf)
        top = exponent.max(axis=-1, keepdims=True)
        worth = np.exp(exponent - top)
        whole = worth.sum(axis=-1)
        over = np.log(whole) + top[..., 0] - wanted
        low, high = np.where(over > 0, at, low), np.where(over > 0, high, at)
        step = over * whole / (2 * (times * worth).sum(axis=-1))
        new = np.where((at + step >= low) & (at + step <= high), at + step, (low + high) / 2)
        done = np.abs(new - at) <= _CLOSE * np.abs(at)
        at = new
        if done.all():
            break
    return np.asarray(at)
