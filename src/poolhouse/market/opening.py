"""open: a new book with its parties, their endowments and the first price sheet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from poolhouse import investing, ledger, primary, rules, sale
from poolhouse.book import Book
from poolhouse.dates import first_day, month_name
from poolhouse.findings import Refused
from poolhouse.tables import PARTIES

DEFAULT_SEED = 1


def create(place: str | Path, *, start: int, seed: int = DEFAULT_SEED, edition: str | None = None) -> Book:
    """Make a book whose market opens on the 1st of `start`. Event Opened. Refused for an unknown edition."""
    edition = edition or rules.DEFAULT_EDITION
    try:
        rulebook = rules.load(edition)
    except KeyError as error:
        raise Refused(str(error.args[0])) from error
    sale.opening_sheet(start, rulebook)  # refuses a start without a mortgage rate before anything is made
    book = Book.create(place, {"edition": edition, "seed": seed, "start": start})
    ensure_open(book)
    return book


def ensure_open(book: Book) -> None:
    """Write the opening, unless it stands: a kill between the book's making and here leaves nothing half done."""
    meta = book.meta
    start, rulebook = int(meta["start"]), rules.load(str(meta["edition"]))
    opened = first_day(start)
    body: dict[str, Any] = {**meta, "start": month_name(start)}
    if book.answer("open") is not None:
        return
    with book.command("open", "open", body) as txn:
        if txn.replayed is not None:
            return
        txn.record("parties", _system_parties())
        txn.record("prices", sale.opening_sheet(start, rulebook))
        txn.event("Opened", opened, body)
        for event in (primary.endow_system(opened, rulebook), investing.endow(opened, rulebook)):
            txn.event(event.kind, event.market_date, event.body, ledger.lines(event))
        txn.finish(body, opened)


def _system_parties() -> pl.DataFrame:
    rows = [{**p, "state": p.get("state", "")} for p in rules.system_parties().values()]
    return PARTIES.conform(pl.DataFrame(rows, schema_overrides=PARTIES.schema).select(list(PARTIES.schema)))
