"""Where the time goes: seconds per kind of work, each thread's own, nothing counted twice.

A watched function's time goes to its kind, less what watched functions inside it take. Threads add
up, so kinds may sum to more than the clock on the wall: they are shares of the work, not of the wait.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import wraps
from typing import Any

import polars as pl

from poolhouse import ledger, servicing
from poolhouse.book import chain, reader, segments, writer
from poolhouse.market import close_month, desk, market
from poolhouse.models import borrowers

ARITHMETIC, MODEL, READ, CONTRACT, WRITE, FSYNC, HASH, SQL, LEDGER, REST, WAIT = (
    "arithmetic", "model", "parquet read", "contract", "parquet write", "fsync", "hashing", "sql", "ledger", "rest",
    "wait",
)  # fmt: skip
KINDS = (ARITHMETIC, MODEL, READ, CONTRACT, WRITE, FSYNC, HASH, SQL, LEDGER, REST)
"""`model`: the borrowers; `contract`: each table checked and put in order; `wait`: the main thread, for the others."""


class Stopwatch:
    """Counts seconds per kind while it watches."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self._here = threading.local()
        self._guard = threading.Lock()

    def reset(self) -> None:
        """Start again from zero."""
        with self._guard:
            self.seconds.clear()

    def watched(self, kind: str, work: Callable[..., Any], *, outermost: bool = False) -> Callable[..., Any]:
        """The function, its time counted. `outermost`: only when no other watched function called it."""

        @wraps(work)
        def timed(*args: Any, **named: Any) -> Any:
            inside: list[float] = getattr(self._here, "inside", [])
            self._here.inside = inside
            if outermost and inside:
                return work(*args, **named)
            inside.append(0.0)
            began = time.perf_counter()
            try:
                return work(*args, **named)
            finally:
                took = time.perf_counter() - began
                own = took - inside.pop()
                if inside:
                    inside[-1] += took
                with self._guard:
                    self.seconds[kind] += own

        return timed

    def watch(self) -> Stopwatch:
        """Put watches on everything a month does; for a process that ends with its measurement."""
        for kind, owner, name in _WATCHED:
            setattr(owner, name, self.watched(kind, getattr(owner, name)))
        # a scan of Parquet files runs when it is collected
        pl.LazyFrame.collect = self.watched(READ, pl.LazyFrame.collect, outermost=True)  # type: ignore[method-assign]  # replaced on purpose
        return self


_WATCHED: tuple[tuple[str, Any, str], ...] = (
    (ARITHMETIC, servicing, "run_month"), (ARITHMETIC, servicing, "month_sums"), (ARITHMETIC, servicing, "pool_months"),
    (ARITHMETIC, servicing, "receipt_sums"), (ARITHMETIC, servicing, "claim_rows"), (ARITHMETIC, close_month, "exits"),
    (MODEL, borrowers, "payments"),
    (READ, reader, "read_segment"),
    (CONTRACT, segments, "arrange"), (CONTRACT, writer, "arrange"),
    (WRITE, segments, "parquet_bytes"), (WRITE, segments, "write_durably"), (FSYNC, os, "fsync"),
    (HASH, segments, "canonical_hash"), (HASH, chain, "canonical_hash"), (HASH, hashlib, "sha256"),
    (SQL, reader.Reader, "read"), (SQL, writer.Txn, "finish"), (SQL, writer.Txn, "__enter__"),
    (LEDGER, ledger, "lines"),
    (REST, desk.Desk, "opening"), (REST, close_month, "from_model"), (REST, market, "close_month"),
    (WAIT, close_month, "loan_phase"),
)  # fmt: skip
