"""structure --rates: a deal's classes on a desk's own paths of rates. Option-adjusted spreads at prices, or prices.

The deal's own steps pay out on every path; see `deals.on_paths`. Floaters follow the paths' one-month rate.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from poolhouse import valuation
from poolhouse.deals.collateral import Pools
from poolhouse.deals.deal import Deal, State, pools_of
from poolhouse.deals.on_paths import Got, index_e7, on_paths
from poolhouse.findings import Refused
from poolhouse.market.value_borrowers import after_known, without_buyouts
from poolhouse.market.value_groups import Later
from poolhouse.market.value_oas import read_market
from poolhouse.valuation import path_oas, rates, terms
from poolhouse.valuation.path_oas import Payments, Scenes
from poolhouse.valuation.settlement import YEAR_DAYS
from poolhouse.valuation.wrong import WrongInput

Answer = dict[str, Any]
DEFAULT_PATHS = 128
"""A deal runs on each three times, some five seconds of one core. The standard errors tell whether they are enough."""
MOST_PATHS = 10_000
"""Some ten minutes, and a gigabyte for a few classes."""
_SCENES = ("base", "still", "down", "up")
_DEFAULTS = ("cdr", "sda", "severity", "lag", "advance")
_SPREAD = (5, 95)
_EIGHTHS = 8
_MEASURES = (
    "price", "price_standard_error", "oas_bp", "standard_error_bp", "z_spread_bp", "option_cost_bp",
    "effective_duration", "duration_standard_error", "effective_convexity", "convexity_standard_error",
    "spread_duration",
)  # fmt: skip


def with_oas(
    answer: Answer, deal: Deal, path: str | Path, *, prices: Mapping[str, float], paths: int = DEFAULT_PATHS,
    settle_days: int = 0, month0: int = 1, call: bool = True, pools: Pools | None = None, start: State | None = None,
    known: int = 0, processes: int = 1,
) -> Answer:  # fmt: skip
    """The answer of `structure` plus `oas`. pools, start: what is left of a book's pool, instead of the deal's own;
    known: its first months that are over; processes: that share the paths; they are spawned, so a script that asks for
    more than one must guard its own start (`if __name__ == "__main__"`).

    Keys: paths, mortgage_rate, worst_fit_bp (of the vols), index (percent, of the first month), called_share,
    collateral and classes: price (given, else that at an OAS of 0: `priced` tells), the spreads, errors and durations
    of `valuation.Oas`, value (dollars, accrued included), wal (years from settlement, the mean of the paths) with
    wal_standard_error, wal_deviation, wal_5 and wal_95 (5% of paths are shorter, longer), loss_share (of paths on which
    principal is lost), loss_percent (of the balance, mean), by_path (settled value per 100). None where there is no
    such number. Refused: what can't be meant.
    """
    if paths > MOST_PATHS:
        raise Refused(f"{paths:,} paths are too many for a deal, which runs on each: ask for {MOST_PATHS:,} at most")
    market = read_market(path)
    below = pools_of(deal) if pools is None else _grouped(pools)
    given = {name: answer["speeds"][name] for name in _DEFAULTS if name in answer["speeds"]}
    model = Later(valuation.quick_model(without_buyouts(market.borrowers, given, None).at()), known)
    defaults = after_known(given, known)
    try:
        walked = rates.rate_paths(
            market.curve, market.model, market.coupon, count=paths, settle_days=settle_days, seed=market.seed,
            months=max(below.wam),
        )  # fmt: skip
        scenes = Scenes(walked)
        set_e7 = index_e7(scenes.still)[0][0]
        with _workers(processes) as workers:
            ran = {
                name: on_paths(
                    deal, getattr(scenes, name), model, pools=below, start=start, month0=month0, defaults=defaults,
                    call=call, set_e7=set_e7, workers=workers, parts=processes,
                )
                for name in _SCENES
            }  # fmt: skip
        rows = [
            _row(name, {scene: ran[scene].classes[name] for scene in _SCENES}, scenes, c.delay_days, prices.get(name))
            for name, c in deal.classes.items()
        ]
        whole = {scene: ran[scene].collateral for scene in _SCENES}
        collateral = None if deal.reference else _row("collateral", whole, scenes, _delay(deal), None)
    except WrongInput as error:
        raise Refused(str(error)) from error
    return answer | {
        "oas": {
            "paths": paths, "mortgage_rate": market.mortgage_rate, "worst_fit_bp": market.worst_fit_bp,
            "index": set_e7 / 100_000, "called_share": float((ran["base"].called > 0).mean()),
            "collateral": collateral, "classes": rows,
        }
    }  # fmt: skip


def _workers(processes: int) -> AbstractContextManager[Executor | None]:
    """Processes, or none. Spawned, for a fork would copy threads' locks."""
    if processes <= 1:
        return nullcontext()
    return ProcessPoolExecutor(processes, mp_context=get_context("spawn"))


def _row(name: str, got: Mapping[str, Got], scenes: Scenes, delay_days: int, price: float | None) -> Answer:
    """A class's measures."""
    base = got["base"]
    row: Answer = {"class": name, "priced": price is not None} | dict.fromkeys(_MEASURES)
    row |= {"value": None, "by_path": None, **_lives(base, scenes, delay_days), **_losses(base)}
    worth = base.cash * scenes.base.discount(delay_days)[: len(base.cash)]
    if base.balance <= 0 or worth.sum() <= 0:  # the residual, and what is retired
        return row | {"value": float(worth.sum(axis=0).mean())}
    accrued = base.balance * base.rate / 100 * scenes.base.settle_days / YEAR_DAYS
    of = Payments(base.balance, accrued, delay_days, *(got[scene].cash for scene in _SCENES))
    at = path_oas.price_of(of, 0.0, scenes).price if price is None else price
    found = path_oas.oas_of(of, at, scenes)
    row |= {name: number if np.isfinite(number := getattr(found, name)) else None for name in _MEASURES}
    row |= {"oas_bp": 0.0} if price is None else {}
    return row | {"value": at / 100 * base.balance + accrued, "by_path": found.by_path.tolist()}


def _lives(base: Got, scenes: Scenes, delay_days: int) -> Answer:
    """Average life over the paths on which principal is paid."""
    names = ("wal", "wal_standard_error", "wal_deviation", "wal_5", "wal_95")
    repaid = base.principal.sum(axis=0)
    paid = repaid > 0
    if not paid.any():
        return dict.fromkeys(names)
    times = scenes.base.times[1 : len(base.principal) + 1] + delay_days / YEAR_DAYS
    lives = (times @ base.principal)[paid] / repaid[paid]
    sizes = np.bincount(scenes.base.group[paid])
    means = (np.bincount(scenes.base.group[paid], lives)[sizes > 0]) / sizes[sizes > 0]
    error = means.std(ddof=1) / np.sqrt(len(means)) if len(means) > 1 else 0.0
    low, high = np.percentile(lives, _SPREAD)
    found = (lives.mean(), error, lives.std(), low, high)
    return {name: float(number) for name, number in zip(names, found, strict=True)}


def _losses(base: Got) -> Answer:
    share = 100 * float(base.loss.mean()) / base.balance if base.balance > 0 else None
    return {"loss_share": float((base.loss > 0).mean()), "loss_percent": share}


def _delay(deal: Deal) -> int:
    """The classes' own where they share one; else none."""
    delays = {c.delay_days for c in deal.classes.values()}
    return delays.pop() if len(delays) == 1 else 0


def _grouped(pools: Pools) -> Pools:
    """Loans of like rate (to an eighth), term and age as one, as `value` takes them; cents stay whole."""
    ages = terms.pools(1.0, pools.wac, pools.coupon, pools.wam, pools.age).age
    loans = pl.DataFrame(
        {"balance": pools.balance, "wac": pools.wac, "coupon": pools.coupon, "wam": pools.wam, "age": ages}
    )
    means = [(pl.col(name) * pl.col("balance")).sum() / pl.col("balance").sum() for name in ("wac", "coupon")]
    near = (pl.col("wac") * _EIGHTHS).round().alias("near")
    alike = loans.group_by(near, "wam", "age").agg(*means, pl.col("balance").sum()).sort("near", "wam", "age")
    balance, wac, coupon, wam, age = (tuple(alike[name].to_list()) for name in loans.columns)
    return replace(pools, balance=balance, wac=wac, coupon=coupon, wam=wam, age=age)
