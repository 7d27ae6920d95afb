"""The least a month can cost here: what this machine does in a second, and what a month must do.

The month needs each opening row's state read, each closing row written, hashed and made durable.
`least` multiplies those bytes by this machine's own speeds, on two threads, and leaves out all thinking.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import polars as pl
from blake3 import blake3

from poolhouse.book import Book
from poolhouse.book.segments import parquet_bytes, row_order, write_durably
from poolhouse.dates import month_of
from poolhouse.market.close_month import THREADS
from poolhouse.money import monthly_interest
from poolhouse.tables import LOAN_MONTHS

INTERESTS = 8
"""Divisions of a loan-month: interest of the trust balance and of the loan's own, at three rates each; the
instalment's, and what of it is owed."""

KINDS = ("parquet read", "arithmetic", "order", "parquet write", "hashing", "durable write")


def _seconds(work: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(3):
        began = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - began)
    return best


def _both(work: Callable[[], object]) -> Callable[[], object]:
    """The work once on each thread."""

    def run() -> None:
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(lambda _: work(), range(THREADS)))

    return run


def least(book: str, folder: Path) -> dict[str, float]:
    """Seconds that one month of the book's last segment needs at the least, by kind, and its bytes."""
    opened = Book.open(book)
    segment = opened.segment_rows("loan_months", [month_of(opened.market_date) - 1])[0]
    rows = sum(r.rows for r in opened.segment_rows("loan_months", [segment.month]))
    times = rows / segment.rows / THREADS
    frame = pl.read_parquet(segment.path)
    raw = np.zeros(int(frame.estimated_size()), dtype=np.uint8)
    balance, rate = frame["closing_scheduled_cents"].to_numpy(), frame["note_rate_e7"].to_numpy().astype(np.int64)
    data = bytes(parquet_bytes(frame))

    def durably() -> None:
        write_durably(folder / f"floor-{os.getpid()}-{time.perf_counter_ns()}", data)

    each = {
        "parquet read": _seconds(lambda: pl.read_parquet(segment.path))
        * THREADS
        * times,  # Polars reads on all threads
        "arithmetic": INTERESTS * _seconds(_both(lambda: monthly_interest(balance, rate))) * times,
        "order": _seconds(_both(lambda: frame.select(pl.col(row_order(LOAN_MONTHS)[0]).is_sorted()))) * times,
        "parquet write": _seconds(_both(lambda: parquet_bytes(frame))) * times,
        "hashing": _seconds(_both(lambda: blake3(raw))) * times,
        "durable write": _seconds(durably) * THREADS * times,
    }
    return {
        **each, "seconds": sum(each.values()), "rows": rows, "row_bytes": raw.nbytes / segment.rows,
        "file_row_bytes": len(data) / segment.rows,
    }  # fmt: skip
