"""A deal's run, and its classes on paths: `python -m benches.structure [--paths 1000] [--seeds 12]`.

A run is payment dates in Python, each in whole cents. Beside its time stands the least that the same exact amounts
need: for each class with a balance, one interest and one share of principal a month, half up, by Python's integers. How
far seeds scatter tells how many paths are enough. Processor's seconds, for a busy machine.
"""

from __future__ import annotations

import argparse
import time
from functools import lru_cache
from pathlib import Path

import numpy as np
from rich.console import Console

from benches.quickest import best
from poolhouse import deals
from poolhouse.deals.deal import Deal, Run
from poolhouse.deals.on_paths import on_paths
from poolhouse.market.structure import read
from poolhouse.market.value_oas import Market, read_market
from poolhouse.money import RATE_ONE, half_up_div
from poolhouse.valuation import quick_model
from poolhouse.valuation.path_oas import Payments, Scenes, oas_of, price_of
from poolhouse.valuation.rates import rate_paths

OUT = Console(width=120)
EXAMPLES = Path(__file__).parents[1] / "examples"


def main() -> None:
    """Runs, then paths, then errors."""
    parser = argparse.ArgumentParser(prog="python -m benches.structure", description=__doc__)
    parser.add_argument("--paths", type=int, default=256)
    parser.add_argument("--seeds", type=int, default=12)
    given = parser.parse_args()
    listed = {path.stem: read(path) for path in sorted((EXAMPLES / "deals").glob("*.toml"))}
    OUT.print("one run at 165 PSA: milliseconds, microseconds a payment date, milliseconds of the least")
    for name, deal in listed.items():
        months = deals.months_of(deal, {"psa": 165})
        ran = deals.run(deal, months)
        seconds = best(lambda d=deal, m=months: deals.run(d, m), 7, time.process_time)
        bare = best(lambda r=ran: _least(r), 7, time.process_time)
        OUT.print(f"  {name:20} {1e3 * seconds:8.1f} {1e6 * seconds / len(ran.fees):8.1f} {1e3 * bare:8.2f}")
    OUT.print(f"{given.paths:,} paths, one process: milliseconds a path, seconds with both moves of the curve")
    for name in ("sequential", "market", "shifting"):
        scenes = _scenes(given.paths, 1)
        seconds = best(lambda d=listed[name], s=scenes: _paid(d, s), 1, time.process_time)
        OUT.print(f"  {name:20} {1e3 * seconds / given.paths:8.1f} {3 * seconds:8.1f}")
    _errors(listed["market"], given.seeds)


def _least(ran: Run) -> int:
    """The divisions alone."""
    total = 0
    for life in ran.classes.values():
        for balance, paid, month in zip(life.balance, life.principal, ran.received, strict=False):
            if balance:
                total += half_up_div(balance * 450_000, 12 * RATE_ONE) + half_up_div(paid * balance, month.balance)
    return total


@lru_cache(maxsize=1)
def _market() -> Market:
    return read_market(EXAMPLES / "rates.toml")


def _scenes(count: int, seed: int) -> Scenes:
    market = _market()
    return Scenes(rate_paths(market.curve, market.model, market.coupon, count=count, months=357, seed=seed))


def _paid(deal: Deal, scenes: Scenes) -> dict[str, Payments]:
    got = on_paths(deal, scenes.base, quick_model(_market().borrowers.at()))
    return {
        name: Payments(each.balance, 0.0, 24, each.cash, each.cash)
        for name, each in got.classes.items()
        if each.balance
    }


def _errors(deal: Deal, seeds: int) -> None:
    """Of the OAS at the price that the first seed's paths give at none."""
    OUT.print(f"{deal.name}: OAS in basis points, {seeds} seeds: scatter, standard error shown")
    for count in (64, 128, 256):
        spreads: dict[str, list[tuple[float, float]]] = {}
        prices: dict[str, float] = {}
        for seed in range(1, seeds + 1):
            scenes = _scenes(count, seed)
            for name, of in _paid(deal, scenes).items():
                price = prices.setdefault(name, price_of(of, 0.0, scenes).price)
                found = oas_of(of, price, scenes)
                spreads.setdefault(name, []).append((found.oas_bp, found.standard_error_bp))
        cells = []
        for name, pairs in spreads.items():
            solved, shown = np.array(pairs).T
            cells.append(f"{name} {solved.std(ddof=1):.1f} {np.sqrt((shown**2).mean()):.1f}")
        OUT.print(f"  {count:4} paths   " + "   ".join(cells))


if __name__ == "__main__":
    main()
