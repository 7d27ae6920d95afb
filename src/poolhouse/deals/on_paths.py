"""A deal on paths of rates: what each class gets on each, by the deal's own steps in whole cents.

On a path the pools prepay by that path's mortgage rate, and floaters and inverses pay by its one-month rate, set at
each month's beginning. A path's months become cents at the door, as a projection's do, and then `deal.run` pays them
out: there is no second waterfall. What comes back is dollars, for valuation alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from poolhouse.deals import collateral
from poolhouse.deals.classes import Class, NetWac
from poolhouse.deals.collateral import Pools
from poolhouse.deals.deal import Deal, Life, Run, State, passed_on, pools_of, run
from poolhouse.valuation import path_values, terms
from poolhouse.valuation.path_values import Borrowers, Prepayment
from poolhouse.valuation.rates import Paths
from poolhouse.valuation.wrong import Floats

Ints = npt.NDArray[np.int64]
_E7_PER_PERCENT = 100_000


@dataclass(frozen=True)
class Got:
    """What a class, or the collateral, got on each path. Dollars, months x paths: cash, and principal, which of a
    notional balance is its decline; loss: dollars, of each path; balance: dollars before the first month; rate:
    percent, that accrues in the first."""

    cash: Floats
    principal: Floats
    loss: Floats
    balance: float
    rate: float


@dataclass(frozen=True)
class OnPaths:
    """A deal on paths. collateral: less interest that payoffs leave short; kept_back: dollars, months x paths, that
    no class got: fees, what nobody was due, and what the reserve took in; called: month of the clean-up call on each
    path, 0 where there was none."""

    deal: Deal
    paths: Paths
    classes: dict[str, Got]
    collateral: Got
    kept_back: Floats
    called: Ints


def on_paths(
    deal: Deal, paths: Paths, prepayment: Borrowers, *, pools: Pools | None = None, start: State | None = None,
    month0: int = 1, defaults: Mapping[str, Any] | None = None, call: bool = True, set_e7: int | None = None,
) -> OnPaths:  # fmt: skip
    """A deal's life on each path. pools: instead of the deal's own; start: where the deal stands, instead of at its
    closing; month0: calendar month of the first payments; defaults: cdr or sda, severity, lag, advance, as
    `valuation.cashflows` takes them, alike on every path; set_e7: the first month's index, set already, instead of the
    paths'. Raises WrongInput, Refused."""
    below = pools or pools_of(deal)
    months, reserve = max(below.wam), start.reserve if start else deal.reserve
    rooms = {name: _Room(paths.count, months, c) for name, c in deal.classes.items()}
    whole, kept = _Room(paths.count, months), np.zeros((paths.count, months))
    index = index_e7(paths, set_e7)
    called = np.zeros(paths.count, dtype=np.int64)
    residual = any(c.residual for c in deal.classes.values())
    projected = collateral.on_paths(below, _smm(below, paths, prepayment, month0), defaults or {})
    for path, (received, rates) in enumerate(zip(projected, index, strict=True)):
        ran = run(deal, passed_on(deal, received, rates), index_e7=rates, call=call, start=start)
        for name, life in ran.classes.items():
            rooms[name].keep(path, life)
        whole.keep(path, _life_of(ran))
        kept[path, : len(ran.fees)] = np.diff(ran.reserve, prepend=reserve) + ran.fees
        kept[path, : len(ran.fees)] += 0 if residual else np.array(ran.rest)
        called[path] = ran.called or 0
    got = {name: room.got(index[0][0]) for name, room in rooms.items()}
    return OnPaths(deal, paths, got, whole.got(0), np.ascontiguousarray(kept.T) / 100, called)


class _Room:
    """Cents of a class, or of the collateral, paths x months, while the paths run."""

    def __init__(self, paths: int, months: int, of: Class | None = None) -> None:
        self.of = of
        self.cash, self.principal = np.zeros((2, paths, months))
        self.loss = np.zeros(paths)
        self.balance = self.interest = 0

    def keep(self, path: int, life: Life) -> None:
        months = len(life.interest)
        principal = np.array(life.principal)
        self.cash[path, :months] = np.array(life.interest) + principal
        notional = self.of is not None and bool(self.of.notional)
        self.principal[path, :months] = -np.diff([*life.balance, life.ending[-1]]) if notional else principal
        self.loss[path] = sum(life.loss)
        self.balance, self.interest = life.balance[0], life.interest[0]

    def got(self, index_e7: int) -> Got:
        if self.of is None or isinstance(self.of.coupon, NetWac):
            rate = 1200 * self.interest / self.balance if self.balance else 0.0
        else:
            rate = self.of.coupon.rate(index_e7) / _E7_PER_PERCENT
        cash, principal = (np.ascontiguousarray(cents.T) / 100 for cents in (self.cash, self.principal))
        return Got(cash, principal, self.loss / 100, self.balance / 100, rate)


def _life_of(ran: Run) -> Life:
    """The collateral's months as a class's."""
    months = ran.received
    return Life(
        balance=[month.balance for month in months], principal=[month.principal for month in months],
        interest=[month.interest - short for month, short in zip(months, ran.shortfall, strict=True)],
        accrued=[0] * len(months), loss=[month.loss for month in months], ending=[month.after for month in months],
    )  # fmt: skip


def index_e7(paths: Paths, set_e7: int | None = None) -> list[list[int]]:
    """The one-month rate at each month's beginning, 1e-7, a list a path; set_e7: in the first one's place."""
    found = np.rint(paths.short.T * _E7_PER_PERCENT).astype(np.int64)
    if set_e7 is not None:
        found[:, 0] = set_e7
    rows: list[list[int]] = found.tolist()
    return rows


def _smm(pools: Pools, paths: Paths, prepayment: Borrowers, month0: int) -> Iterator[Floats]:
    """Of each pool in turn, shares of 1, paths x months."""
    given = terms.pools(np.array(pools.balance) / 100, pools.wac, pools.coupon, pools.wam, pools.age)
    path_values.check_length(paths, given)
    models: list[Prepayment] = path_values.models_of(prepayment, len(given))
    for which, model in enumerate(models):
        found = np.empty((paths.count, int(given.wam[which])))
        for low, smm in path_values.speeds(model, paths, given, which, month0, 1.0):
            found[low : low + smm.shape[1]] = smm.T
        yield found
