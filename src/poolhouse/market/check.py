"""check: every loan not judged yet against every program's standards, as of its delivery month."""

from __future__ import annotations

from typing import Any

import polars as pl

from poolhouse import standards
from poolhouse.dates import first_day, month_name
from poolhouse.market.close import close_due
from poolhouse.market.desk import Desk, by_part
from poolhouse.tables import LOANS
from poolhouse.tables.codes import ANSWERS, PROGRAMS


def check(desk: Desk) -> dict[str, Any]:
    """Event LoansChecked; rows in `checks`. Loans whose note fell due are closed first."""
    close_due(desk)
    desk.require("check")
    month = desk.month
    key = f"check:{month_name(month)}"
    with desk.book.command("check", key, {}) as txn:
        if txn.replayed is not None:
            return txn.replayed
        counts: dict[str, int] = {}
        loans = 0
        for part in desk.book.parts("loans", month):
            fresh = desk.book.segment("loans", month, part)
            loans += fresh.height
            for rows in _judged(desk, fresh, month):
                for i, frame in by_part(rows):
                    txn.segment("checks", frame, month=month, part=i)
                _count(counts, rows)
        answer = {"month": month_name(month), "loans": loans, "answers": dict(sorted(counts.items()))}
        txn.event("LoansChecked", desk.today, answer)
        txn.finish(answer, desk.today)
    return answer


def _judged(desk: Desk, loans: pl.DataFrame, month: int) -> list[pl.DataFrame]:
    """CHECKS rows: loans of earlier notes are delivered this month, this month's notes the next."""
    note_month = pl.col("note_date").dt.year() * 12 + pl.col("note_date").dt.month() - 1
    rows = [
        standards.evaluate(group, first_day(delivery), desk.rulebook)
        for group, delivery in (
            (loans.filter(note_month < month), month),
            (loans.filter(note_month >= month), month + 1),
        )
        if group.height
    ]
    return [pl.concat(rows).sort("loan_id", "program")] if rows else []


def _count(counts: dict[str, int], rows: pl.DataFrame) -> None:
    found = rows.group_by("program", "answer").len().rows()
    for program, answer, count in found:
        name = f"{PROGRAMS[program]}: {ANSWERS[answer]}"
        counts[name] = counts.get(name, 0) + count


def deliverable(loans: pl.DataFrame, month: int) -> pl.DataFrame:
    """Loans whose note month is before `month`: what may be sold in it."""
    note_month = pl.col("note_date").dt.year() * 12 + pl.col("note_date").dt.month() - 1
    return loans.filter(note_month < month).select(list(LOANS.schema))
