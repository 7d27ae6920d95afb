"""Builders for tests of whole markets: small tapes, books of some months, and the identities every book must keep.

The identities are written out here from the tables' meaning and share no code with the package.
"""

from __future__ import annotations

import csv
import gzip
import shutil
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from poolhouse import loans
from poolhouse.dates import parse_month
from poolhouse.loans.content import content_hash
from poolhouse.loans.tape import TapeRead
from poolhouse.market.market import Market
from poolhouse.market.run import run
from poolhouse.tables import TAPE

JANUARY = parse_month("2009-01")
STEPS = ("check", "sell", "pool", "issue", "notify", "close_month")
PAYMENT_COLUMNS = ("loan", "received_date", "amount_cents", "kind", "reference")

ONE_LOAN: dict[str, Any] = {
    "loan_number": "GUIDE-1", "originator_id": "first-bank", "originator_name": "First Bank",
    "originator_type": "depository", "originator_state": "OH", "kind": "conventional", "note_amount_cents": 25_000_000,
    "note_rate_e7": 650_000, "term_months": 360, "note_date": "2009-01-14", "first_due_date": "2009-03-01",
    "rate_type": "fixed", "purpose": "purchase", "occupancy": "principal", "units": 1, "property_type": "detached",
    "state": "OH", "county_fips": "39049", "value_cents": 31_250_000, "ltv_e4": 8_000, "score": 742, "dti_e4": 3_500,
    "income_cents": 9_600_000, "mi_pct": 0, "borrowers": 2, "points_cents": 250_000, "closing_costs_cents": 400_000,
}  # fmt: skip
"""$250,000 at 6.5% for 30 years, closed on 14 January 2009: the servicing guide's example, an ordinary borrower."""


def write_rows(path: Path, rows: Iterable[dict[str, Any]]) -> Path:
    """A CSV file of these rows; the header holds every key in the order it first appears."""
    rows = list(rows)
    header = list(dict.fromkeys(key for row in rows for key in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, header)
        writer.writeheader()
        writer.writerows(rows)
    return path


def alike(count: int, **changes: Any) -> list[dict[str, Any]]:
    """That many loans like ONE_LOAN, each with a number of its own."""
    return [{**ONE_LOAN, "loan_number": f"L-{i:04d}", **changes} for i in range(count)]


@cache
def shipped() -> TapeRead:
    """The shipped tape, read once for all tests."""
    return loans.read_tape(loans.demo_tape())


def sample(every: int, offset: int = 0) -> TapeRead:
    """Each n-th row of the shipped tape: all programs, many lenders."""
    whole = shipped()
    tape = whole.tape.filter(pl.col("tape_row") % every == offset)
    return replace(
        whole, tape=tape, rejects=whole.rejects.clear(), rows=tape.height, content_hash=content_hash(TAPE, tape)
    )


def build(place: Path, tape: TapeRead | Path, months: int, payments: Path | None = None, **terms: Any) -> Market:
    """A book of so many months. terms: seed, start."""
    market = Market(place, create=True, **terms)
    read = tape if isinstance(tape, TapeRead) else loans.read_tape(tape)
    run(market._desk_for(read), read, months, payments, lambda *_: None)
    return market


_LOST_IN, _SALES = 7, (70_000_000, 55_000_000)
"""Month of the first property's sale, and what the two sold in it and in the next bring."""


def lossy(folder: Path) -> Path:
    """A book of twenty loans of $900,000 in one private pool; two stop paying in April and are lost in July and August
    2009. November is open."""
    rows = alike(20, note_amount_cents=90_000_000, value_cents=120_000_000, ltv_e4=7_500, income_cents=40_000_000)
    sent = [
        (f"L-{i:04d}", f"2009-{m:02d}-05", 568_861, "instalment", f"{i}/{m}")
        for i in range(20) for m in range(3, 11) if i > 1 or m < 4
    ]  # fmt: skip
    sent += [
        (f"L-{i:04d}", f"2009-{_LOST_IN + i:02d}-20", cents, "liquidation", f"lost {i}")
        for i, cents in enumerate(_SALES)
    ]
    payments = write_rows(folder / "payments.csv", [dict(zip(PAYMENT_COLUMNS, one, strict=True)) for one in sent])
    build(folder / "book", write_rows(folder / "tape.csv", rows), 10, payments).close_book()
    return folder / "book"


def month_by_steps(market: Market, payments: Path | None = None) -> None:
    """The open month, one command after the other."""
    for step in STEPS[:-1]:
        getattr(market, step)()
    market.close_month(payments)


def balance(market: Market, code: str, account: str, as_of: date | None = None) -> int:
    """A party's balance of an account, in cents, debits positive."""
    party = market.book.records("parties").filter(pl.col("code") == code)["party_id"][0]
    rows = market.book.balances(as_of).filter((pl.col("party_id") == party) & (pl.col("account") == account))
    return int(rows["cents"].sum())


def content(market: Market, table: str) -> list[tuple[int, int, str]]:
    """Month, part and content hash of every segment of a table."""
    return [(r.month, r.part, r.content_hash) for r in market.book.segment_rows(table)]


def model_payments(market: Market, path: Path) -> Path:
    """The payments of a book as a payments file."""
    numbers = market.book.segment("loans").select("loan_id", loan="loan_number")
    rows = market.book.segment("payments").join(numbers, on="loan_id").sort("received_date", "reference")
    rows.select(PAYMENT_COLUMNS).write_csv(path)
    return path


def canonical_file(path: Path, tape: pl.DataFrame) -> Path:
    """TAPE rows as a user's canonical file, in the format of the path's ending: .csv, .csv.gz or .parquet."""
    frame = tape.drop("tape_row")
    if path.suffix == ".parquet":
        frame.write_parquet(path)
    elif path.suffix == ".gz":
        path.write_bytes(gzip.compress(frame.write_csv().encode()))
    else:
        frame.write_csv(path)
    return path


def account(code: str) -> pl.Expr:
    """Rows of an account."""
    return pl.col("account") == code


def copied(book: Path, to: Path) -> Market:
    """The market of a copy of a book: what is built once can be changed by many tests."""
    return Market(shutil.copytree(book, to))
