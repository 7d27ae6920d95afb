"""Price, yield, average life, duration and convexity of cash flows that are known.

All take `Flows`, of one security or a row for each of many, and a price or yield that is a number or an array; arrays
out. Prices are clean, per 100 of today's balance; yields are percent, compounded twice a year (bond-equivalent).
Source: SIFMA Standard Formulas, SF-48 to SF-50.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from poolhouse.valuation import schedule, settlement, terms
from poolhouse.valuation.wrong import Floats, WrongInput, numbers, require

_STEPS = 100  # Newton needs six; each that leaves its bracket is halved instead
MOST_CELLS = 20_000_000
"""Pools x months of flows at once: 2 GB."""
_CELLS = 65_536
"""Securities x months solved at once, which stay in the cache; so memory does not grow with the prices asked."""
_MOST_PRICE = 1e100
"""Per 100: a yield near -200% would make it infinite, or too large to be written in 32nds."""
_EPS = np.finfo(np.float64).eps


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

    @property
    def shape(self) -> tuple[int, ...]:
        """() for one security."""
        return np.broadcast_shapes(
            self.cash_flow.shape[:-1], self.times.shape[:-1], np.shape(self.balance), np.shape(self.accrued)
        )

    def fit(self, name: str, value: Any) -> Floats:
        """A number for each security, or one for all, or a table with a column for each. Raises WrongInput."""
        found = numbers(name, value)
        try:
            np.broadcast_shapes(self.shape, found.shape)
        except ValueError:
            raise WrongInput(
                f"{name} has the shape {found.shape} for securities of {self.shape}: give one number, one for each, or "
                "rows of one for each"
            ) from None
        return found

    def settled(self, price: Any) -> Floats:
        """Dollars paid at a clean price."""
        return np.asarray((self.fit("price", price) + self.accrued) / 100 * self.balance)

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
    late = (times <= 0).any(axis=-1)
    if late.any():
        first = np.broadcast_to(settle, late.shape)[late][0]
        raise WrongInput(
            f"settle_days {first:g} is too late: the first payment must lie after settlement, fewer than "
            f"{settlement.MONTH_DAYS:g} days plus the delay after the 1st"
        )
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
    """Clean price per 100 at a yield above -200%; an array of yields gives an array. Raises WrongInput where a yield so
    far below 0 makes it larger than numbers go."""
    given = of.fit("yield", bond_equivalent_yield)
    with np.errstate(over="ignore"):
        found = of.clean(_value(of, _force(given)))
    require("yield", np.broadcast_to(given, found.shape), found < _MOST_PRICE, "has a price larger than numbers go")
    return found


def bond_equivalent_yield(of: Flows, price: Any) -> Floats:
    """The yield at a clean price: the one rate at which the payments are worth what is paid for them.

    Exact for any positive price, whatever the speed, below zero too: it lies between the rates at which all would be
    paid first or last, and the logarithm of value is convex in that of growth, so Newton's method cannot stray.
    Raises WrongInput when nothing is paid for, or nothing will be paid.
    """
    clean = of.fit("price", price)
    require("balance", of.balance, of.balance > 0, "must be above 0 for a price per 100 of it")
    dirty = np.asarray(clean + of.accrued)
    require("price with accrued interest", dirty, dirty > 0, "must be above 0")
    _pays(of)
    with np.errstate(over="ignore"):
        found = np.asarray(200 * np.expm1(_solved(of, dirty)))
    require("price", np.broadcast_to(clean, found.shape), np.isfinite(found), "has a yield larger than numbers go")
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
    """Years to payment, weighted by present value. SF-49. Raises WrongInput where nothing will be paid."""
    return _moment(of, _force(of.fit("yield", bond_equivalent_yield)), of.times)


def modified_duration(of: Flows, bond_equivalent_yield: Any) -> Floats:
    """Percent of price lost when the yield rises by 1, cash flows fixed. SF-49."""
    force = _force(of.fit("yield", bond_equivalent_yield))
    return np.asarray(_moment(of, force, of.times) * np.exp(-force))


def convexity(of: Flows, bond_equivalent_yield: Any) -> Floats:
    """Cash-flow convexity in years squared, not divided by 100. SF-49."""
    force = _force(of.fit("yield", bond_equivalent_yield))
    return np.asarray(_moment(of, force, of.times * (of.times + 0.5)) * np.exp(-2 * force))


def _force(bond_equivalent_yield: Any) -> Floats:
    """Logarithm of half a year's growth."""
    rate = numbers("yield", bond_equivalent_yield)
    require("yield", rate, rate > -200, "must be above -200%: more than all can't be lost in half a year")
    return np.asarray(np.log1p(rate / 200))


def _pays(of: Flows) -> None:
    total = of.cash_flow.sum(axis=-1)
    require("cash flow in all", total, total > 0, "must be above 0: what pays nothing has no yield and no duration")


def _value(of: Flows, force: Floats) -> Floats:
    """Dollars at settlement."""
    return np.asarray((of.cash_flow * np.exp(-2 * of.times * force[..., None])).sum(axis=-1))


def _moment(of: Flows, force: Floats, weight: Floats) -> Floats:
    """Mean of a weight by present value. Scaled by the largest, so that no yield overflows."""
    _pays(of)
    exponent = -2 * of.times * force[..., None]
    exponent -= exponent.max(axis=-1, keepdims=True)
    worth = of.cash_flow * np.exp(exponent)
    return np.asarray((weight * worth).sum(axis=-1) / worth.sum(axis=-1))


def _solved(of: Flows, dirty: Floats) -> Floats:
    """The force at which flows are worth a price with accrued interest, per 100; so many securities at a time."""
    paid, times = np.broadcast_arrays(of.cash_flow * 100 / of.balance[..., None], of.times)
    lead, months = paid.shape[:-1], paid.shape[-1]
    shape = np.broadcast_shapes(lead, dirty.shape)
    whose = np.broadcast_to(np.arange(math.prod(lead)).reshape(lead), shape).reshape(-1)
    wanted = np.log(np.broadcast_to(dirty, shape)).reshape(-1)
    with np.errstate(divide="ignore"):  # a month that pays nothing: exp(-inf) = 0 says it
        amounts = np.log(paid).reshape(-1, months)
    at = times.reshape(-1, months)
    found = np.empty(len(whose))
    step = max(_CELLS // months, 1)
    for low in range(0, len(whose), step):
        some = whose[low : low + step]
        found[low : low + step] = _newton(amounts[some], at[some], wanted[low : low + step])
    return found.reshape(shape)


def _newton(amounts: Floats, times: Floats, wanted: Floats) -> Floats:
    """Per row the force at which the logarithm of value is `wanted`; amounts: logarithms of payments. A row goes on
    until it is as near as rounding lets it be, whatever the others do."""
    found = np.empty(len(wanted))
    row = np.arange(len(wanted))
    paying = amounts > -np.inf
    first, last = np.where(paying, times, np.inf).min(axis=-1), np.where(paying, times, 0.0).max(axis=-1)
    over, mean = _logarithm(amounts, times, wanted, np.zeros(len(wanted)))
    low, high = np.minimum(over / (2 * first), over / (2 * last)), np.maximum(over / (2 * first), over / (2 * last))
    at = over / (2 * mean)
    for _ in range(_STEPS):
        over, mean = _logarithm(amounts, times, wanted, at)
        low, high = np.where(over > 0, at, low), np.where(over > 0, high, at)
        new = at + over / (2 * mean)
        new = np.where((new >= low) & (new <= high), new, (low + high) / 2)
        found[row] = new
        near = (np.abs(new - at) <= 4 * _EPS * np.abs(at)) | (np.abs(over) <= 4 * _EPS * np.maximum(np.abs(wanted), 1))
        more = ~near
        if not more.any():
            break
        if near.any():
            row, amounts, times, wanted = row[more], amounts[more], times[more], wanted[more]
        at, low, high = new[more], low[more], high[more]
    return found


def _logarithm(amounts: Floats, times: Floats, wanted: Floats, force: Floats) -> tuple[Floats, Floats]:
    """By how much the logarithm of value is above `wanted`, and the mean time to payment."""
    worth = amounts - 2 * times * force[:, None]
    top = worth.max(axis=-1)
    worth = np.exp(worth - top[:, None])
    whole = worth.sum(axis=-1)
    return np.log(whole) + (top - wanted), (times * worth).sum(axis=-1) / whole
