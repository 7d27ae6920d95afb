"""Small frames that pass the contracts, and a small month's command, for the book's tests."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import polars as pl

from poolhouse.book import Book
from poolhouse.dates import last_day
from poolhouse.tables import RECORDS, SEGMENTS

JANUARY = 24108


def rows_of(contract_name: str, rows: int, **given: Any) -> pl.DataFrame:
    """Rows of a contract: every column a small pattern of its own, and the given ones as given."""
    table = (SEGMENTS | RECORDS)[contract_name]
    columns = []
    for i, column in enumerate(table.columns):
        pattern = (np.arange(rows) * (2 * i + 1) + i) % 97
        if column.name in given:
            series = pl.Series(column.name, given[column.name])
        elif column.dtype == pl.String:
            series = pl.Series([f"{column.name} é {v}" for v in pattern.tolist()], dtype=pl.String)
        elif column.dtype == pl.Boolean:
            series = pl.Series(pattern % 2 == 0)
        else:
            series = pl.Series(pattern)
        columns.append(series.cast(column.dtype).alias(column.name))
    return pl.DataFrame(columns)


def loan_months(month: int, ids: range) -> pl.DataFrame:
    """Loan months of these loans."""
    return rows_of("loan_months", len(ids), month=[month] * len(ids), loan_id=list(ids))


def ledger_lines(*lines: tuple[int, str, date, int]) -> pl.DataFrame:
    """Ledger lines from (party, account, value date, cents)."""
    names = ("party_id", "account", "value_date", "cents")
    schema = dict(zip(names, (pl.Int32, pl.String, pl.Date, pl.Int64), strict=True))
    return pl.DataFrame(list(lines), schema=schema, orient="row")


def parties(*ids: int) -> pl.DataFrame:
    """Parties with these numbers."""
    return rows_of("parties", len(ids), party_id=list(ids))


def close_month(book: Book, month: int, *, parts: int = 2, rows: int = 50, seed: int = 7) -> dict[str, Any]:
    """A month's command: `parts` segments, two events with lines, one party."""
    day = last_day(month)
    with book.command("close-month", f"close-month:{month}", {"month": month, "seed": seed}) as txn:
        if txn.replayed is not None:
            return txn.replayed
        txn.record("parties", parties(month))
        for part in range(parts):
            txn.segment(
                "loan_months", loan_months(month, range(part * rows, (part + 1) * rows)), month=month, part=part
            )
        txn.event(
            "Remitted", day, {"month": month}, ledger_lines((1, "cash", day, 500 + seed), (2, "cash", day, -500 - seed))
        )
        txn.event("MonthClosed", day, {"month": month}, ledger_lines((1, "fees", day, 3), (1, "cash", day, -3)))
        answer = {"month": month, "share": 0.25}
        txn.finish(answer, day)
        return answer
