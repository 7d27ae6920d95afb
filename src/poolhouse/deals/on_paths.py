"""A deal on paths of rates: what each class gets on each, by the deal's own steps in whole cents.

On a path the pools prepay by that path's mortgage rate, and floaters and inverses pay by its one-month rate, set at
each month's beginning. A path's months become cents at the door, as a projection's do, and then `deal.run` pays them
out: there is no second waterfall. What comes back is dollars, for valuation alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from poolhouse.deals import collateral
from poolhouse.deals.classes import Class, NetWac
from poolhouse.deals.collateral import PathCents, Pools
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
    workers: Executor | None = None, parts: int = 1,
) -> OnPaths:  # fmt: skip
    """A deal's life on each path. pools: instead of the deal's own; start: where the deal stands, instead of at its
    closing; month0: calendar month of the first payments; defaults: cdr or sda, severity, lag, advance, as
    `valuation.cashflows` takes them, alike on every path or with a row of months for each; set_e7: the first month's
    index, set already, instead of the paths'; workers: processes that share the paths, in so many parts. Raises
    WrongInput, Refused."""
    below = pools or pools_of(deal)
    brought = collateral.on_paths(below, _smm(below, paths, prepayment, month0), defaults or {})
    index = index_e7(paths, set_e7)
    edges = [len(brought) * part // parts for part in range(parts + 1)]
    pieces = [slice(low, high) for low, high in itertools.pairwise(edges) if low < high]
    jobs = [_Job(deal, brought.some(piece), index[piece], call, start) for piece in pieces]
    done = list(workers.map(_lives, jobs) if workers else map(_lives, jobs))
    whole = _Cents(*(np.concatenate([getattr(one, f.name) for one in done], axis=-1) for f in fields(_Cents)))
    got = [
        _got(whole, place, deal.classes.get(name), index[0][0]) for place, name in enumerate([*deal.classes, ""])
    ]  # the collateral at last, under no name
    return OnPaths(deal, paths, dict(zip(deal.classes, got, strict=False)), got[-1], whole.kept / 100, whole.called)


@dataclass(frozen=True)
class _Job:
    """Some paths to run: what goes to a process."""

    deal: Deal
    brought: PathCents
    index_e7: list[list[int]]
    call: bool
    start: State | None


@dataclass(frozen=True)
class _Cents:
    """What runs gave: of each class and at last of the collateral, x months x paths (cash, principal) or x paths (loss,
    first balance and interest); kept: months x paths; called: paths."""

    cash: Ints
    principal: Ints
    loss: Ints
    balance: Ints
    interest: Ints
    kept: Ints
    called: Ints


def _lives(job: _Job) -> _Cents:
    """The deal's life on each of these paths."""
    deal, count, months = job.deal, len(job.brought), max(job.brought.pools.wam)
    wide = (len(deal.classes) + 1, count, months)
    cash, principal = np.zeros((2, *wide), dtype=np.int64)
    loss, balance, interest = np.zeros((3, *wide[:2]), dtype=np.int64)
    kept, called = np.zeros(wide[1:], dtype=np.int64), np.zeros(count, dtype=np.int64)
    notional = [bool(c.notional) for c in deal.classes.values()]
    residual = any(c.residual for c in deal.classes.values())
    reserve = job.start.reserve if job.start else deal.reserve
    for path, rates in enumerate(job.index_e7):
        received = passed_on(deal, job.brought.months(path), rates)
        ran = run(deal, received, index_e7=rates, call=job.call, start=job.start)
        until = len(ran.fees)
        for place, life in enumerate([*ran.classes.values(), _life_of(ran)]):
            repaid = np.array(life.principal)
            cash[place, path, :until] = np.array(life.interest) + repaid
            if place < len(notional) and notional[place]:
                repaid = -np.diff([*life.balance, life.ending[-1]])
            principal[place, path, :until] = repaid
            loss[place, path], balance[place, path] = sum(life.loss), life.balance[0]
            interest[place, path] = life.interest[0]
        kept[path, :until] = np.diff(ran.reserve, prepend=reserve) + ran.fees
        kept[path, :until] += 0 if residual else np.array(ran.rest)
        called[path] = ran.called or 0
    cash, principal, kept = (np.ascontiguousarray(part.swapaxes(-1, -2)) for part in (cash, principal, kept))
    return _Cents(cash, principal, loss, balance, interest, kept, called)


def _got(cents: _Cents, place: int, of: Class | None, index_e7: int) -> Got:
    """Dollars of a class, or of the collateral. A rate of the collateral's own is what it pays in the first month."""
    balance, interest = int(cents.balance[place, 0]), int(cents.interest[place, 0])
    if of is None or isinstance(of.coupon, NetWac):
        rate = 1200 * interest / balance if balance else 0.0
    else:
        rate = of.coupon.rate(index_e7) / _E7_PER_PERCENT
    return Got(cents.cash[place] / 100, cents.principal[place] / 100, cents.loss[place] / 100, balance / 100, rate)


def _life_of(ran: Run) -> Life:
    """The collateral's months as a class's."""
    months = ran.received
    return Life(
        balance=[month.balance for month in months], principal=[month.principal for month in months],
        interest=[month.interest - short for month, short in zip(months, ran.shortfall, strict=True)],
        loss=[month.loss for month in months],
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
