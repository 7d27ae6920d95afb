"""What every command needs at hand: the book, its rulebook and clock, and how an Outcome is committed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date
from functools import cached_property
from typing import Any

import polars as pl

from poolhouse import ledger, rules, servicing
from poolhouse.book import PART_ROWS, Book, Txn
from poolhouse.dates import first_day, month_name, month_of
from poolhouse.findings import Finding, Refused
from poolhouse.rules import Rulebook
from poolhouse.tables import LOAN_MONTHS, Outcome

STEPS = ("check", "sell", "pool", "issue", "notify", "close-month")
"""The steps of a month that must run, in order. `close` comes first, by itself when notes fall due."""


class Desk:
    """One open book with its rulebook. Commands take a Desk; nothing is kept between them."""

    def __init__(self, book: Book) -> None:
        self.book = book

    @cached_property
    def meta(self) -> dict[str, Any]:
        return self.book.meta

    @property
    def rulebook(self) -> Rulebook:
        return rules.load(str(self.meta["edition"]))

    @property
    def seed(self) -> int:
        return int(self.meta["seed"])

    @property
    def start(self) -> int:
        return int(self.meta["start"])

    @property
    def month(self) -> int:
        """The open month."""
        return month_of(self.book.market_date)

    @property
    def today(self) -> date:
        """The 1st of the open month."""
        return first_day(self.month)

    def require(self, step: str) -> None:
        """Refuse a step whose predecessor in this month has not run, or whose successor has."""
        month = month_name(self.month)
        done = set(self.book.command_keys())
        position = STEPS.index(step)
        if f"{step}:{month}" in done:
            return
        for earlier in STEPS[:position]:
            if f"{earlier}:{month}" not in done:
                raise Refused(f"{step}: out of order; {month} is open and `{earlier}` has not run yet: run it first")

    def parties(self) -> pl.DataFrame:
        return self.book.records("parties")

    def lenders(self) -> pl.DataFrame:
        """Originators: party_id, code, name, type, state."""
        return self.parties().filter(pl.col("role") == "originator").select("party_id", "code", "name", "type", "state")

    def party(self, code: str) -> int:
        return int(rules.system_parties()[code]["party_id"])

    def loans(self, columns: list[str] | None = None) -> pl.DataFrame:
        """LOANS rows closed so far, in loan order."""
        frame = self.book.scan("loans")
        return (frame.select(columns) if columns else frame).collect().sort("loan_id")

    def opening(self, month: int, part: int | None = None, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """LOAN_MONTHS rows at the end of month - 1: last month's, and the loans that closed in `month`.

        `columns`: only these, month and loan_id among them.
        """
        known = self.book.segment("loan_months", month - 1, part, columns)
        fresh = self.entering(month, part).select(known.columns)
        rows = pl.concat([known, fresh]) if fresh.height else known
        return rows if rows["loan_id"].is_sorted() else rows.sort("loan_id")

    def entering(self, month: int, part: int | None = None) -> pl.DataFrame:
        """The opening rows of loans closed in the month."""
        loans = self.book.segment("loans", month, part)
        if not loans.height:
            return LOAN_MONTHS.empty()
        return servicing.entering(loans, servicing.deemed(loans, month), month)

    def parts(self, month: int) -> list[int]:
        """Parts with loans to service in a month."""
        return sorted({*self.book.parts("loan_months", month - 1), *self.book.parts("loans", month)})


def trades(desk: Desk) -> pl.DataFrame:
    """TRADES rows so far."""
    return desk.book.records("trades").drop("event_seq")


def commit(txn: Txn, outcome: Outcome, month: int) -> None:
    """Segments, records and events of an Outcome into the transaction. Findings go into the first event's body."""
    for table, frame in sorted(outcome.tables.items()):
        for part, rows in by_part(frame):
            txn.segment(table, rows, month=month, part=part)
    for table, frame in sorted(outcome.records.items()):
        if frame.height:
            txn.record(table, frame)
    notes = finding_dicts(outcome.findings)
    for event in outcome.events:
        body = event.body | ({"findings": notes} if notes else {})
        notes = []
        txn.event(event.kind, event.market_date, body, ledger.lines(event))


def finding_dicts(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Findings as JSON."""
    return [asdict(f) for f in findings]


def by_part(frame: pl.DataFrame) -> list[tuple[int, pl.DataFrame]]:
    """Rows by the part of their loan; a table without loans is one part. Empty frames have none."""
    if not frame.height:
        return []
    if "loan_id" not in frame.columns:
        return [(0, frame)]
    parts = frame.with_columns(_part=pl.col("loan_id") // PART_ROWS)
    return [(int(p[0]), rows.drop("_part")) for p, rows in sorted(parts.group_by("_part"), key=lambda pair: pair[0])]
