"""`poolhouse.cashflows`: the payments of a pool, or of many, month by month to the last."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from poolhouse.valuation import schedule, terms, totals
from poolhouse.valuation.wrong import Ints, WrongInput, one_whole, truth

MOST_ROWS = 150_000_000
"""Rows of loans and months asked for at once, 17 GB: more is a mistake, or a case for totals."""
MOST_THREADS = 1_024
_CELLS = 32_768
"""Loan-months worked on at a time: fresh memory costs more than the formulas."""


def cashflows(
    balance: Any, wac: Any, coupon: Any, wam: Any, *, age: Any = None, psa: Any = None, cpr: Any = None,
    smm: Any = None, cdr: Any = None, sda: Any = None, severity: Any = 0.0, lag: int = 12, advance: bool = True,
    rows: bool = False, threads: int | None = None, device: str = "cpu",
) -> pl.DataFrame:  # fmt: skip
    """Projected cash flows by the standard formulas; dollars in, dollars out, unrounded.

    balance, wac, coupon, wam: of one pool, or arrays of many; gross and pass-through rate in percent a year, months
    remaining. age: months since origination; left out, that of a 15- or 30-year pool with this remaining term.
    One of psa, cpr, smm (prepayment) and one of cdr, sda (default), percent, none is 0: a number; a vector by month
    from the first, the last one going on; or a row of months for each pool (n x 1: one number for each).
    severity: percent of a loan's balance at default: one, by month of liquidation, or a row of months for each pool;
    lag: months from default to liquidation; advance: the servicer pays investors the defaulted loans' interest and
    principal until then.

    Returns month, balance, scheduled_payment, gross_interest, net_interest, scheduled_principal, prepayment, default,
    recovery, loss, principal, cash_flow, ending_balance: one row a month, of all pools together; with `rows` one per
    pool and month, after a column `pool` (from 0). balance and ending_balance hold loans in foreclosure too;
    ending_balance = balance - principal - loss; net_interest is after servicing, cash_flow = net_interest + principal.
    threads: all cores unless given. device: "gpu" takes the totals on a CUDA card (extra `gpu`), else Refused.
    Raises WrongInput (a ValueError) for what can't be meant. Source: SIFMA Standard Formulas, SF-4 to SF-22.
    """
    pools = terms.pools(balance, wac, coupon, wam, age)
    speeds = terms.speeds_of(
        len(pools), psa=psa, cpr=cpr, smm=smm, cdr=cdr, sda=sda, severity=severity, lag=lag, advance=advance
    )
    threads = None if threads is None else one_whole("threads", threads, 1, MOST_THREADS, "threads")
    if truth("rows", rows):
        if device != "cpu":
            raise WrongInput(f"device {device!r} with rows: rows are made on the processor, only totals on a card")
        return _rows(pools, speeds, threads)
    found = totals.totals(pools, speeds, threads=threads, device=device)
    return pl.DataFrame({"month": np.arange(1, pools.months + 1, dtype=np.int32), **found})


def file_cashflows(
    source: str | Path | Iterable[pl.DataFrame], *, psa: Any = None, cpr: Any = None, smm: Any = None, cdr: Any = None,
    sda: Any = None, severity: Any = 0.0, lag: int = 12, advance: bool = True, threads: int | None = None,
) -> pl.DataFrame:  # fmt: skip
    """`cashflows` of all loans of a Parquet file, or of batches, together; see `totals.streamed` for the columns."""
    speeds = terms.speeds_of(
        0, psa=psa, cpr=cpr, smm=smm, cdr=cdr, sda=sda, severity=severity, lag=lag, advance=advance
    )
    found = totals.streamed(source, speeds, threads=threads)
    return pl.DataFrame({"month": np.arange(1, len(found["balance"]) + 1, dtype=np.int32), **found})


def _rows(pools: terms.Pools, speeds: terms.Speeds, threads: int | None) -> pl.DataFrame:
    """A row per pool and month; some pools at a time, so that only the answer is large."""
    count = int(pools.wam.sum(dtype=np.int64))
    if count > MOST_ROWS:
        raise WrongInput(f"{count:,} rows are too many for one frame: leave `rows` out, or ask in parts")
    first = np.concatenate([[0], np.cumsum(pools.wam, dtype=np.int64)])
    whose = np.repeat(np.arange(len(pools), dtype=np.int32), pools.wam)
    month = (np.arange(count, dtype=np.int64) - np.repeat(first[:-1], pools.wam) + 1).astype(np.int32)
    columns = {name: np.empty(count) for name in schedule.COLUMNS}
    order = np.argsort(pools.wam, kind="stable")  # pools of like term together, so that few months are none

    def write(rows: terms.Places) -> None:
        part = pools.part(rows)
        month_of = np.arange(part.months)
        kept = month_of < part.wam[:, None]
        place = (first[rows][:, None] + month_of)[kept]
        for name, found in schedule.monthly(part, speeds, rows).items():
            columns[name][place] = found[kept]

    with ThreadPoolExecutor(threads or totals.cores()) as pool:
        list(pool.map(write, _runs(order, pools.wam)))
    return pl.DataFrame({"pool": whose, "month": month, **columns})


def _runs(order: terms.Places, wam: Ints) -> Iterator[terms.Places]:
    """Pools in this order, as many at a time as stay in the cache."""
    low = 0
    while low < len(order):
        some = max(_CELLS // int(wam[order[low]]), 1)
        yield order[low : low + some]
        low += some
