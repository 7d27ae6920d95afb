"""What a deal's collateral pays each month, in whole cents: projected pools, or a class of another deal.

A projection is in unrounded dollars. It becomes cents by rounding what has been paid so far and not each payment, so
that the cents of all months are the balance, and no month is off by more than one.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from poolhouse import money, valuation
from poolhouse.findings import Refused
from poolhouse.valuation import schedule, terms
from poolhouse.valuation.wrong import Floats

Speeds = Mapping[str, Any]
"""psa, cpr or smm, cdr or sda, severity, lag, advance: as `valuation.cashflows` takes them."""


@dataclass(frozen=True)
class Received:
    """A month's collateral, cents. after = balance - scheduled - unscheduled - loss. Part of unscheduled are prepaid
    and recovered (what liquidated loans brought, where it is known)."""

    balance: int
    interest: int
    scheduled: int
    unscheduled: int
    prepaid: int
    loss: int
    late: int = 0
    recovered: int = 0

    @property
    def principal(self) -> int:
        return self.scheduled + self.unscheduled

    @property
    def after(self) -> int:
        return self.balance - self.principal - self.loss


@dataclass(frozen=True)
class Pools:
    """Pools as `valuation` takes them, but in cents: percent, months. `guaranteed`: nothing is late, and
    losses are paid as principal.

    payoff_days_lost: days of interest that a prepaying borrower does not pay, on average; compensating_e7: what the
    servicer makes good of it, at most, a year on the balance.
    """

    balance: tuple[int, ...]
    wac: tuple[float, ...]
    coupon: tuple[float, ...]
    wam: tuple[int, ...]
    age: tuple[int, ...] | None
    guaranteed: bool = False
    payoff_days_lost: int = 0
    compensating_e7: int = 0

    @property
    def cents(self) -> int:
        return sum(self.balance)


def project(pools: Pools, speeds: Speeds) -> list[Received]:
    """The pools' months at these speeds. A guarantor pays what is late: it always advances."""
    speeds = {**speeds, "advance": True} if pools.guaranteed else speeds
    age = None if pools.age is None else np.array(pools.age)
    frame = valuation.cashflows(
        np.array(pools.balance) / 100,
        np.array(pools.wac),
        np.array(pools.coupon),
        np.array(pools.wam),
        age=age,
        **speeds,
    )
    return in_cents(pools, frame, int(speeds.get("lag", 12)))


def in_cents(pools: Pools, frame: pl.DataFrame, lag: int) -> list[Received]:
    """The months of a projection of these pools: a frame of `valuation.cashflows`, whatever made their speeds. lag:
    months from default to liquidation."""
    return _received(pools, {name: _cents(frame[name].to_numpy()).tolist() for name in _PARTS}, lag)


@dataclass(frozen=True)
class PathCents:
    """Pools on paths of rates. cents: by `_PARTS`, paths x months; lag: from default to liquidation."""

    pools: Pools
    cents: npt.NDArray[np.int64]
    lag: int

    def __len__(self) -> int:
        return int(self.cents.shape[1])

    def months(self, path: int) -> list[Received]:
        """Of one path."""
        return _received(self.pools, dict(zip(_PARTS, self.cents[:, path].tolist(), strict=True)), self.lag)

    def some(self, paths: slice) -> PathCents:
        """Those paths alone."""
        return replace(self, cents=self.cents[:, paths])


def on_paths(pools: Pools, smm: Iterable[Floats], speeds: Speeds) -> PathCents:
    """The pools on each path. smm: of each pool in turn, shares of 1, paths x its months, or as many more; speeds:
    defaults alone, the same on every path or with a row of months for each."""
    given = {"cdr": None, "sda": None, "severity": 0.0, "lag": 12, "advance": True, **speeds}
    given |= {"advance": True} if pools.guaranteed else {}
    totals: Floats | None = None
    ages = [None] * len(pools.wam) if pools.age is None else list(pools.age)
    columns = zip(pools.balance, pools.wac, pools.coupon, pools.wam, ages, smm, strict=True)
    for balance, wac, coupon, wam, age, shares in columns:
        count = len(shares)
        asked = terms.speeds_of(count, psa=None, cpr=None, smm=100 * shares[:, :wam], **given)
        found = schedule.monthly(terms.pools(np.full(count, balance / 100), wac, coupon, wam, age), asked)
        if totals is None:
            totals = np.zeros((len(_PARTS), count, max(pools.wam)))
        for total, name in zip(totals, _PARTS, strict=True):
            total[:, :wam] += found[name]
    return PathCents(pools, _cents(totals), given["lag"])


_PARTS = ("net_interest", "scheduled_principal", "prepayment", "recovery", "loss", "default")


def _received(pools: Pools, parts: dict[str, list[int]], lag: int) -> list[Received]:
    """Months of the parts' cents: no more is paid or lost than is left, and what is left is paid in the last."""
    months, left = [], pools.cents
    last = len(parts["loss"]) - 1
    failed = [0, *itertools.accumulate(parts["default"])]
    for i, (interest, due, paid_early, recovery, lost) in enumerate(zip(*(parts[n] for n in _PARTS[:5]), strict=True)):
        loss = min(lost, left)
        recovered = min(recovery, left - loss)
        prepaid = min(paid_early, left - loss - recovered)
        rest = left - loss - recovered - prepaid
        scheduled = rest if i == last else min(due, rest)
        # late for 60 days or more: what has defaulted and is not yet liquidated
        late = min(failed[i + 1] - failed[min(max(i - lag + 1, 0), i + 1)], left)
        month = Received(left, interest, scheduled, prepaid + recovered, prepaid, loss, late, recovered)
        months.append(_guaranteed(month) if pools.guaranteed and (loss or recovered) else month)
        left = month.after
    return months


def _guaranteed(month: Received) -> Received:
    """The guarantor pays what the loans don't: a default is a prepayment to holders."""
    paid = {"unscheduled": month.unscheduled + month.loss, "prepaid": month.prepaid + month.loss}
    return replace(month, **paid, loss=0, recovered=0)


def _cents(dollars: Any) -> npt.NDArray[np.int64]:
    """Each month's cents, months last, so that any number of months together is off by half a cent at most."""
    so_far = np.rint(np.cumsum(dollars, axis=-1) * 100).astype(np.int64)
    return np.asarray(np.diff(so_far, prepend=0))


def payoff_shortfall(pools: Pools, month: Received) -> int:
    """Interest that prepaid loans don't pay for their last month, less what the servicer makes good.

    Half-up(prepaid x rate x days / 360), the rate being what the collateral paid this month.
    """
    if not pools.payoff_days_lost or not month.balance:
        return 0
    missed = money.half_up_div(month.prepaid * month.interest * 12 * pools.payoff_days_lost, month.balance * 360)
    return max(missed - money.monthly_interest(month.balance, pools.compensating_e7), 0)


def steady(project_at: Callable[[Speeds], list[Received]], psa: float) -> list[int]:
    """Principal by month at one speed without default: what schedules are made of."""
    months = project_at({"psa": psa})
    if any(month.loss for month in months):
        raise Refused("a schedule needs collateral without losses")
    return [month.principal for month in months]
