"""What a pool pays on each path: the caller's prepayment model, chunk by chunk of paths, and the kernel.

A chunk's columns stay in the second-level cache from the rates through the model to the flows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, cast, runtime_checkable

import numpy as np

from poolhouse.valuation import quick_speeds, terms
from poolhouse.valuation.path_losses import Losses, losses
from poolhouse.valuation.prepayment import OwnModel
from poolhouse.valuation.rates.paths import Paths
from poolhouse.valuation.settlement import accrued_interest
from poolhouse.valuation.terms import Pools, Speeds
from poolhouse.valuation.wrong import Floats, WrongInput, numbers, require, whole

CHUNK = 128
"""Paths at a time: 360 months of them are 370 kB a column."""


class Prepayment(Protocol):
    """A user's or the library's own model of prepayment."""

    def smm(self, rates: Floats, wac: float, age: int, month0: int) -> Floats:
        """Shares of 1, paths x months, of what is left after the scheduled payment.

        rates: paths x months, percent, the mortgage rate at each month's beginning; wac: percent; age: months at the
        first month's beginning; month0: that month in the calendar, 1 to 12. A path's own past (lag, burnout) is the
        model's to follow, along the months; paths are independent. Columns, months, are contiguous in memory.
        A model may also have `quick`, its form for the kernel: see `quick_speeds`.
        """


Borrowers = Prepayment | Callable[..., Any]
"""A model, or its `smm` alone as a function."""


@runtime_checkable
class QuickPrepayment(Prepayment, Protocol):
    """A model that also has the kernel's form."""

    def quick(self, wac: float, age: int, month0: int, months: int) -> quick_speeds.Quick:
        """The same speeds as `smm`, for so many months."""


@dataclass(frozen=True)
class Security:
    """Groups of like loans, or loans, behind one security; built by `security`.

    interest, principal: the holder's share of each (an IO has 1 and 0); month0: of the first payments' loans' month.
    credit: how the loans default and what the holders lose; None: they don't.
    """

    pools: Pools
    month0: int
    delay_days: float
    interest: float
    principal: float
    credit: Speeds | None = None
    _lost: dict[int, Losses | None] = field(default_factory=dict, init=False, compare=False, repr=False)

    @property
    def balance(self) -> float:
        """Today's, dollars; an IO's notional."""
        return float(self.pools.balance.sum())

    def accrued(self, settle_days: float) -> float:
        """Interest from the 1st to settlement, dollars."""
        return self.interest * float(accrued_interest(self.pools.balance, self.pools.coupon, settle_days).sum())

    def losses(self, which: int, left: Floats) -> Losses | None:
        """What defaults do to a group whose scheduled balance is `left`; found once, for each move of the rates."""
        if which not in self._lost:
            self._lost[which] = losses(self, which, left)
        return self._lost[which]


def security(
    balance: Any, wac: Any, coupon: Any, wam: Any, *, age: Any = None, month0: int = 1, delay_days: float = 0,
    interest: float = 1.0, principal: float = 1.0, cdr: Any = None, sda: Any = None, severity: Any = 0.0, lag: int = 12,
    advance: bool = True,
) -> Security:  # fmt: skip
    """One pool, or arrays of the loan groups or loans in it: dollars, percent, months. Raises WrongInput.

    cdr or sda, severity, lag, advance: as `cashflows` takes them; the same on all paths.
    """
    found = terms.pools(balance, wac, coupon, wam, age)
    owed = np.asarray(found.balance.sum())
    require("balance in all", owed, owed > 0, "must be above 0")
    if not 1 <= int(whole("month0", month0, 1, 12)) <= 12 or interest + principal <= 0:
        raise WrongInput("a security pays interest, principal or both")
    interest, principal = float(numbers("interest", interest, 0, 1)), float(numbers("principal", principal, 0, 1))
    credit = None
    if cdr is not None or sda is not None:
        credit = terms.speeds_of(
            len(found), psa=None, cpr=None, smm=None, cdr=cdr, sda=sda, severity=severity, lag=lag, advance=advance
        )
    return Security(found, int(month0), float(numbers("delay_days", delay_days, 0, 360)), interest, principal, credit)


def scheduled(wac: float, wam: int) -> Floats:
    """Balance as a share of the first, at each month's beginning and at last 0, with no prepayment. SF-4."""
    rate, month = wac / 1200, np.arange(wam + 1)
    if rate == 0:
        return np.asarray(1 - month / wam)
    return np.asarray(-np.expm1(-(wam - month) * np.log1p(rate)) / -np.expm1(-wam * np.log1p(rate)))


def speeds(
    model: Prepayment, paths: Paths, pool: Pools, which: int, month0: int, faster: float
) -> Iterator[tuple[int, Floats]]:
    """Chunks of paths: the first one's place, and SMM, months x paths, checked; `faster`: all times this, 1 at most."""
    months, wac, age = int(pool.wam[which]), float(pool.wac[which]), int(pool.age[which])
    form = model.quick(wac, age, month0, months) if isinstance(model, QuickPrepayment) else None
    for low in range(0, paths.count, CHUNK):
        width = min(CHUNK, paths.count - low)
        if form:
            found = quick_speeds.speeds(form, paths.mortgage, low, width, wac, months).T
        else:
            rates = paths.mortgage[:months, low : low + width].T
            found = np.asarray(model.smm(rates, wac, age, month0), dtype=np.float64)
        if found.shape != (width, months):
            raise WrongInput(f"the prepayment model gave {found.shape} for {(width, months)} paths x months of rates")
        numbers("smm", found, 0, 1)
        yield low, np.ascontiguousarray(found.T if faster == 1 else np.minimum(found.T * faster, 1.0))


def models_of(model: Borrowers | Sequence[Borrowers], groups: int) -> list[Prepayment]:
    """One for each group; a function is made a model. Raises WrongInput."""
    given = list(model) if isinstance(model, Sequence) else [model] * groups
    if len(given) != groups:
        raise WrongInput(f"{len(given)} prepayment models for {groups} loan groups: give one, or one each")
    return [_model_of(one) for one in given]


def _model_of(one: Borrowers) -> Prepayment:
    if callable(getattr(one, "smm", None)):
        return cast("Prepayment", one)
    if callable(one):
        return OwnModel(one)
    raise WrongInput(f"{one!r} is no prepayment model: give a function(rates, wac, age, month0), or an object's smm")


def check_length(paths: Paths, pools: Pools) -> None:
    """WrongInput where a pool outlives the paths."""
    if pools.months > paths.months:
        raise WrongInput(f"the paths end after {paths.months} months, a pool after {pools.months}: make longer paths")


def worth(
    of: Security, paths: Paths, model: Borrowers | Sequence[Borrowers], *, faster: float = 1.0,
    into: Floats | None = None,
) -> Floats:  # fmt: skip
    """Dollars of each payment on each path, discounted along it to settlement, months x paths.

    into: room to write in, at least as large. The caller may go on discounting it by a spread.
    """
    from poolhouse.valuation import kernels

    check_length(paths, of.pools)
    months = of.pools.months
    found = np.empty((months, paths.count)) if into is None else into[:months]
    found[:] = 0.0
    discount, alive = paths.discount(of.delay_days), np.empty(CHUNK)
    for which, one in enumerate(models_of(model, len(of.pools))):
        left = scheduled(float(of.pools.wac[which]), int(of.pools.wam[which])) * float(of.pools.balance[which])
        kept = of.interest * left[:-1] * float(of.pools.coupon[which]) / 1200 + of.principal * (left[:-1] - left[1:])
        prepaid, lost = np.ascontiguousarray(of.principal * left[1:]), of.losses(which, left)
        for low, smm in speeds(one, paths, of.pools, which, of.month0, faster):
            if lost is None:
                kernels.path_flows(smm, low, discount, kept, prepaid, found, alive)
            else:
                lost.add(smm, low, discount, found)
    return found


def by_path(paths: Paths, delay_days: float, flows: Floats, spread: Floats) -> tuple[Floats, float]:
    """Dollars of each path at a spread's discount factors by month, and the standard error of their mean."""
    return spread @ flows, standard_error(paths, left_to_chance(paths, delay_days, flows, spread))


def left_to_chance(paths: Paths, delay_days: float, flows: Floats, spread: Floats) -> Floats:
    """Of each path's dollars, what matching leaves to chance: it makes each month's mean a ratio, flows by discount
    factors, so that of flow less the mean payment x discount factor (the delta method)."""
    discount = paths.discount(delay_days)[: len(flows)]
    payment = flows.mean(axis=1) / discount.mean(axis=1)
    return np.asarray(spread @ flows - (spread * payment) @ discount)


def standard_error(paths: Paths, left: Floats) -> float:
    """Of the mean over paths, from how their independent parts differ."""
    groups = np.bincount(paths.group, left) / np.bincount(paths.group)
    return float(groups.std(ddof=1) / np.sqrt(len(groups))) if len(groups) > 1 else 0.0
