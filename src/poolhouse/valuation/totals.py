"""Totals by month over any number of loans, without a row of them: in memory, or streamed from files.

Loans are taken in runs of 65,536, which stay in the second-level cache while they are put in order of term and
projected. Each run's totals stand alone and are added at the end, so the answer depends on no thread and no timing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from poolhouse.findings import Refused
from poolhouse.valuation import schedule
from poolhouse.valuation.terms import LONGEST_TERM, Pools, Rows, Speeds, pools
from poolhouse.valuation.wrong import Floats, WrongInput

RUN, WIDE_RUN = 65_536, 4_096
FEW = 200_000
"""Loan-months up to which the rows themselves are added: Numba need not load for them."""
BATCH = 1_048_576
"""Loans read from a file at a time."""
_PARTS, _LEAST = 8, 4_096
"""Few loans are cut into so many runs, for threads to share; the cut must not depend on their number."""
_CELLS = 32_768
"""Loan-months of rows worked on at a time: they stay in the cache."""
_PREPAYING = 5
"""Leading SUMS that loans without defaults have."""


def totals(given: Pools, speeds: Speeds, *, threads: int | None = None, device: str = "cpu") -> dict[str, Floats]:
    """`schedule.COLUMNS` of all pools together, one value a month; device: cpu or gpu."""
    if device == "gpu":
        if speeds.own_severities:
            raise WrongInput("device 'gpu' knows one severity a month for all pools: leave device out")
        return _finished(_on_card()(given, speeds))
    if device != "cpu":
        raise WrongInput(f"device {device!r} is neither 'cpu' nor 'gpu'")
    if len(given) * given.months <= FEW:
        return summed(given, speeds)
    return parted(given, speeds, threads) if speeds.own_severities else compiled(given, speeds, threads)


def _on_card() -> Callable[[Pools, Speeds], Floats]:
    try:
        from poolhouse.valuation.kernels_gpu import sums
    except ImportError as error:
        raise Refused(f"device 'gpu' needs the extra: pip install 'poolhouse[gpu]' ({error})") from error
    return sums


def summed(given: Pools, speeds: Speeds) -> dict[str, Floats]:
    """By the rows, added."""
    return {name: column.sum(axis=0) for name, column in schedule.monthly(given, speeds).items()}


def parted(given: Pools, speeds: Speeds, threads: int | None = None) -> dict[str, Floats]:
    """By the rows of some pools at a time: where each has its own severity, which the kernels don't know."""
    months, some = given.months, max(_CELLS // given.months, 1)

    def one(first: int) -> Floats:
        rows = slice(first, first + some)
        found = schedule.monthly(given.part(rows), speeds, rows)
        return np.stack([found[name].sum(axis=0) for name in schedule.SUMS], axis=1)

    total = np.zeros((months, len(schedule.SUMS)))
    with ThreadPoolExecutor(threads or cores()) as pool:
        for part in pool.map(one, range(0, len(given), some)):
            total[: len(part)] += part
    return _finished(total)


def compiled(given: Pools, speeds: Speeds, threads: int | None = None) -> dict[str, Floats]:
    """By the kernels."""
    return _finished(_sums(given, speeds, threads))


def streamed(
    source: str | Path | Iterable[pl.DataFrame], speeds: Speeds, *, threads: int | None = None
) -> dict[str, Floats]:
    """The same from a Parquet file or batches with columns balance, wac, coupon, wam and (for PSA and SDA) age.

    Memory does not grow with the loans: one batch is read while the one before is projected. Speeds must hold for
    all loans: a row of them for each would have to be as long as the file. Raises WrongInput, with the batch.
    """
    if speeds.prepay_value.ndim == 2 or speeds.default_value.ndim == 2:
        raise WrongInput("streamed loans share their speeds: give a number or one a month")
    batches = _batches(source) if isinstance(source, str | Path) else iter(source)
    total = np.zeros((LONGEST_TERM, len(schedule.SUMS)))
    months = number = 0
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = reader.submit(next, batches, None)
            number += 1
            sums = _sums(_pools_of(batch, number), speeds, threads)
            total[: len(sums)] += sums
            months = max(months, len(sums))
    if number == 0:
        raise WrongInput("there is no loan in the file")
    return _finished(total[:months])


def _batches(path: str | Path) -> Iterator[pl.DataFrame]:
    lazy = pl.scan_parquet(path)
    try:
        wanted = [name for name in ("balance", "wac", "coupon", "wam", "age") if name in lazy.collect_schema()]
        rows = lazy.select(pl.len()).collect().item()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise WrongInput(f"{path} can't be read as Parquet: {error}") from error
    for low in range(0, rows, BATCH):
        yield lazy.select(wanted).slice(low, BATCH).collect()


def _pools_of(batch: pl.DataFrame, number: int) -> Pools:
    missing = [name for name in ("balance", "wac", "coupon", "wam") if name not in batch.columns]
    if missing:
        raise WrongInput(f"columns are missing: {', '.join(missing)}")
    try:
        columns = {name: batch[name].to_numpy() for name in ("balance", "wac", "coupon", "wam")}
        return pools(**columns, age=batch["age"].to_numpy() if "age" in batch.columns else None)
    except WrongInput as error:
        raise WrongInput(f"batch {number}: {error}") from error


def _sums(given: Pools, speeds: Speeds, threads: int | None) -> Floats:
    """`schedule.SUMS` by month, months x 8."""
    run = WIDE_RUN if speeds.wide else RUN
    workers = threads or cores()
    months = given.months
    run = min(run, max(-(-len(given) // _PARTS), _LEAST))

    def one(first: int) -> Floats:
        rows = slice(first, first + run)
        return _run(given.part(rows), speeds, rows, months)

    total = np.zeros((months, len(schedule.SUMS)))
    with ThreadPoolExecutor(workers) as pool:
        for part in pool.map(one, range(0, len(given), run)):
            total += part
    return total


def cores() -> int:
    """That this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _run(part: Pools, speeds: Speeds, rows: Rows, months: int) -> Floats:
    from poolhouse.valuation import kernels

    order = np.empty(len(part), dtype=np.int32)
    kernels.order_by_term(part.wam, order)
    prepay, default = speeds.strips(part, rows, months)
    out = np.zeros((months, len(schedule.SUMS)))
    loans: tuple[Any, ...] = (part.balance, part.wac, part.coupon, part.wam, order)
    if default.none:
        few = np.zeros((months, _PREPAYING))
        kernels.prepaying(*loans, prepay.rates, prepay.start, prepay.step, prepay.flat, few)
        out[:, :_PREPAYING] = few
        return out
    room = np.zeros((2, max(speeds.lag, 1), kernels.BLOCK))
    kernels.defaulting(
        *loans, prepay.rates, prepay.start, prepay.step, prepay.flat,
        default.rates, default.start, default.step, default.flat,
        np.ascontiguousarray(speeds.severities(months)), speeds.lag, speeds.advance, room[0], room[1], out,
    )  # fmt: skip
    return out


def _finished(sums: Floats) -> dict[str, Floats]:
    found = dict(zip(schedule.SUMS, sums.T.copy(), strict=True))
    found["ending_balance"] = np.append(found["balance"][1:], 0.0)
    return schedule.complete(found)
