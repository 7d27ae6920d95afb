"""Loans priced a second: every outlet, coupon and kind of servicing of the shipped tape, `python -m benches.pricing`.

Pricing alone is timed (`sale.pricing.offers`): the tape is read, checked and its sheet made before.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from datetime import date
from typing import Any

import polars as pl

from poolhouse import loans, rules, standards
from poolhouse.sale import pricing as prices
from poolhouse.tables.codes import PROGRAMS

DAYS = (date(2009, 6, 1), date(2026, 11, 23))
"""When the tape was new (coupons to 250 bp below the note), and under today's strips."""


def loan_rows(rows: int | None = None) -> pl.DataFrame:
    """The shipped tape as loans, repeated until it has so many (None: as it is)."""
    tape = loans.as_loans(loans.read_tape(loans.demo_tape()).tape)
    if rows is None:
        return tape
    rounds = -(-rows // tape.height)
    many = pl.concat([tape] * rounds).head(rows)
    return many.with_columns(pl.int_range(0, rows, dtype=pl.Int32).alias("loan_id"))


def pricing(
    asked: pl.DataFrame, day: date, *, times: int = 5, threads: int = 2, open_to_all: bool = False
) -> dict[str, Any]:
    """Median of some timings: loans, offers, seconds, loans_per_second, offers_per_second. `open_to_all`: without the
    standards' answers, so that old loans have prices on any day. Notes are moved to the day's month, so that every
    day prices new loans."""
    book = rules.load()
    asked = asked.with_columns(
        pl.lit(day).alias("note_date"), pl.lit(day).dt.offset_by("2mo").dt.month_start().alias("first_due_date")
    )
    programs = tuple(range(1, len(PROGRAMS)))
    checks = None if open_to_all else standards.evaluate(asked, day, book, programs)
    sheet = prices.model_sheet(day, book)
    prices.offers(asked.head(1_000), checks, sheet, day, book)  # what is loaded once
    seconds = []
    for _ in range(times):
        began = time.perf_counter()
        offered = prices.offers(asked, checks, sheet, day, book, threads=threads)
        seconds.append(time.perf_counter() - began)
    middle = statistics.median(seconds)
    return {
        "day": day.isoformat(), "loans": asked.height, "offers": offered.height, "threads": threads,
        "seconds": round(middle, 4), "fastest": round(min(seconds), 4),
        "loans_per_second": round(asked.height / middle), "offers_per_second": round(offered.height / middle),
    }  # fmt: skip


def measure(rows: int | None = None) -> list[dict[str, Any]]:
    """`pricing` on each of DAYS, on one thread and on two."""
    asked = loan_rows(rows)
    return [pricing(asked, day, threads=threads) for day in DAYS for threads in (1, 2)]


if __name__ == "__main__":
    for line in measure(int(sys.argv[1]) if len(sys.argv) > 1 else None):
        print(json.dumps(line))
