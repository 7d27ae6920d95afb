"""What the promises look at: the book's tables as they stand, and one part of one month of loans.

Everything is read from the book; nothing is taken from the code that wrote it. Large tables are
read part by part, so memory doesn't grow with the months.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from string import Formatter
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from sqlalchemy.exc import SQLAlchemyError

from poolhouse.book import Book
from poolhouse.dates import month_name, month_of
from poolhouse.findings import Refused
from poolhouse.money import dollars
from poolhouse.promises.tally import Say
from poolhouse.rules import Rulebook, system_parties
from poolhouse.tables.codes import ACTUAL_ACTUAL, PROGRAMS

Ints = npt.NDArray[np.int64]

THREADS = 2
"""Parts, months and deliveries looked at side by side."""

UNREADABLE = (
    Refused, SQLAlchemyError, pl.exceptions.PolarsError, ValueError, TypeError, OverflowError, LookupError,
    AttributeError, OSError,
)  # fmt: skip
"""What reading an altered book may raise: a torn file, a text where a number was, a row that is gone."""

HELD = ("suspense_cents", "prepaid_cents", "pending_unscheduled_cents", "pending_interest_cents")
"""What a servicer holds in custody for a loan: the parts of its custodial balance."""

_WAS = (
    "owner_id", "servicer_id", "pool_id", "remittance", "note_rate_e7", "pass_through_rate_e7", "guaranty_fee_rate_e7",
    "closing_actual_cents", "closing_scheduled_cents", "end_code", *HELD,
)  # fmt: skip
"""Columns of the month before that stand beside a row, under the name `was_...`."""


class Evidence:
    """A book opened for verification. Tables that fit in memory are read once."""

    def __init__(self, book: Book, rulebook: Rulebook) -> None:
        self.book, self.rulebook = book, rulebook

    @cached_property
    def closed(self) -> dict[int, int]:
        """Closed months, in order, and the number of the event that closed each."""
        events = self.book.stored_events("MonthClosed")
        return {
            month_of(d): int(s) for s, d in zip(events["seq"].to_list(), events["market_date"].to_list(), strict=True)
        }

    @cached_property
    def kinds(self) -> pl.DataFrame:
        """event_seq and kind of every event."""
        return self.book.stored_events().select(pl.col("seq").alias("event_seq"), "kind")

    @cached_property
    def lines(self) -> pl.DataFrame:
        """All ledger lines: event_seq, party_id, account, value_date, cents, and `month`: the closed month they
        belong to, null in the open one. A line belongs to the month of its value date, or, when the book
        learned of it later (a tape of older notes), to the month that was open then."""
        frame = self.book.lines().drop("line")
        months, seqs = list(self.closed), list(self.closed.values())
        opened = np.searchsorted(np.array(seqs, dtype=np.int64), frame["event_seq"].to_numpy(), side="left")
        told = pl.Series(np.array([*months, 2**31 - 1], dtype=np.int32)[opened])
        valued = pl.col("value_date").dt.year() * 12 + pl.col("value_date").dt.month() - 1
        month = pl.max_horizontal(valued, told)
        last = months[-1] if months else -1
        return frame.with_columns(pl.when(month <= last).then(month).otherwise(None).cast(pl.Int32).alias("month"))

    def lines_of(self, month: int) -> pl.DataFrame:
        """A closed month's lines: kind, party_id, account, value_date, cents."""
        return self._month_lines.get(month, self._month_lines[0])

    @cached_property
    def _month_lines(self) -> dict[int, pl.DataFrame]:
        """By month; 0: none, for a month in which no money moved."""
        frame = self.lines.join(self.kinds, on="event_seq", how="left").drop("event_seq")
        months = frame.filter(pl.col("month").is_not_null()).partition_by("month", as_dict=True, maintain_order=True)
        return {0: frame.clear().drop("month")} | {int(m): part.drop("month") for (m,), part in months.items()}

    @cached_property
    def assignments(self) -> pl.DataFrame:
        """All assignments, by loan, role and day."""
        return self.book.scan("assignments").collect().sort("loan_id", "role", "effective_date", maintain_order=True)

    @cached_property
    def loans(self) -> pl.DataFrame:
        """Closing terms of all loans, by loan."""
        names = [
            "loan_id", "loan_number", "originator_party_id", "note_amount_cents", "note_rate_e7", "term_months",
            "note_date", "first_due_date", "payment_cents", "maturity_date", "occupancy",
        ]  # fmt: skip
        return self.book.scan("loans").select(names).collect().sort("loan_id")

    @cached_property
    def pools(self) -> pl.DataFrame:
        """The pools' record."""
        return self.book.records("pools").drop("event_seq")

    @cached_property
    def securities(self) -> pl.DataFrame:
        """The securities' record: whole pools, and classes of pools' deals."""
        return self.book.records("securities").drop("event_seq")

    def by_pool(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Rows of securities with pool_id beside; one that the book doesn't know stands for a pool of its own."""
        of = self.securities.select("security_id", "pool_id")
        known = frame.join(of, on="security_id", how="left", maintain_order="left")
        return known.with_columns(pl.col("pool_id").fill_null(pl.col("security_id")))

    @cached_property
    def trades(self) -> pl.DataFrame:
        """The trades' record, by settlement date."""
        return self.book.records("trades").drop("event_seq").sort("settlement_date", "trade_id")

    @cached_property
    def clock(self) -> date:
        """The book's market date."""
        return self.book.market_date

    def say(self, template: str, **fixed: Any) -> Say:
        """What to say of a fact that fails: a text with the fact's values in braces.

        {name:cents} is money, {name:month} a month, {name:factor} a factor to eight decimals; {name:party},
        {name:pool}, {name:security} and {name:loan} are called as people call them.
        """
        return lambda row: _Words(self).vformat(template, (), {**row, **fixed})

    @cached_property
    def _names(self) -> dict[int, str]:
        parties = self.book.records("parties")
        return dict(zip(parties["party_id"].to_list(), parties["name"].to_list(), strict=True))

    def name(self, spec: str, value: int | None) -> str | None:
        """A party, pool, security or loan by its number in the book; None for another spec."""
        if spec == "party":
            return f"{self._names.get(value or 0, 'party')} ({value})"
        if spec == "security":
            return self._security(value)
        if spec == "pool":
            found = self.pools.filter(pl.col("pool_id") == value)["pool_number"].to_list()
        elif spec == "loan":
            found = self.loans.filter(pl.col("loan_id") == value)["loan_number"].to_list()
        else:
            return None
        return f"{spec} {found[0]}" if found else f"{spec} #{value}, which the book doesn't have"

    def _security(self, value: int | None) -> str:
        found = self.securities.filter(pl.col("security_id") == value).rows(named=True)
        if not found:
            return f"security #{value}, which the book doesn't have"
        pool = self.name("pool", found[0]["pool_id"])
        return f"class {found[0]['class_name']} of {pool}" if found[0]["class_name"] else f"security of {pool}"


def _factor(factor_e8: int) -> str:
    return f"{factor_e8 // 10**8}.{factor_e8 % 10**8:08d}"


_SPECS: dict[str, Callable[[int], str]] = {
    "cents": dollars,
    "month": month_name,
    "factor": _factor,
    "program": lambda code: PROGRAMS[code],
}


class _Words(Formatter):
    """Format specs for a fact's values."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence

    def format_field(self, value: Any, spec: str) -> str:
        named = self._evidence.name(spec, value)
        if named is not None:
            return named
        if value is None:
            return "none"
        if spec in _SPECS:
            return _SPECS[spec](int(value))
        return str(super().format_field(value, spec))


@dataclass(frozen=True)
class PartMonth:
    """One part of one month.

    rows: loan_months columns, `was_...` (the month before, or the closing terms of a loan that entered), `entered`,
    `sold` (sold or pooled this month) and `accepted_cents` (its payments that were not exceptions).
    gone: loan_id and held_cents of the month before's rows that have no row now. payments: the part's payments.
    """

    month: int
    part: int
    rows: pl.DataFrame
    gone: pl.DataFrame
    payments: pl.DataFrame


def look(book: Book, month: int, part: int) -> PartMonth:
    """Read one part of a month and put what it hangs on beside each row."""
    rows = book.segment("loan_months", month, part)
    before = book.segment("loan_months", month - 1, part, ["loan_id", *_WAS])
    payments = book.segment("payments", month, part)
    was = before.select("loan_id", *[pl.col(c).alias(f"was_{c}") for c in _WAS], entered=pl.lit(False))
    was = pl.concat([was, _entering(book.segment("loans", month, part), month).select(was.columns)])
    accepted = payments.filter(pl.col("disposition") != "exception").group_by("loan_id").agg(
        accepted_cents=pl.col("amount_cents").sum()
    )  # fmt: skip
    moved = [book.segment(t, month).select("loan_id", sold=pl.lit(True)) for t in ("sales", "pool_loans")]
    joined = (
        rows.join(was, on="loan_id", how="left", maintain_order="left")
        .join(accepted, on="loan_id", how="left", maintain_order="left")
        .join(pl.concat(moved).unique("loan_id"), on="loan_id", how="left", maintain_order="left")
        .with_columns(pl.col("accepted_cents").fill_null(0), pl.col("sold").fill_null(False))
    )
    owing = (pl.col("was_closing_actual_cents") != 0) | (pl.col("was_closing_scheduled_cents") != 0)
    held = pl.sum_horizontal(f"was_{c}" for c in HELD)
    gone = was.join(rows, on="loan_id", how="anti").filter(owing | (held != 0)).select("loan_id", held_cents=held)
    return PartMonth(month, part, joined, gone, payments)


def _entering(loans: pl.DataFrame, month: int) -> pl.DataFrame:
    """`was_` columns of loans closed in the month: their lender owns and services what the note still owes."""
    zero = pl.lit(0, pl.Int64)
    balance = pl.Series("balance", standing_at_entry(loans, month))
    given = {
        "owner_id": pl.col("originator_party_id"), "servicer_id": pl.col("originator_party_id"),
        "remittance": pl.lit(ACTUAL_ACTUAL, pl.Int8), "note_rate_e7": pl.col("note_rate_e7"),
        "pass_through_rate_e7": pl.col("note_rate_e7"), "closing_actual_cents": pl.col("balance"),
        "closing_scheduled_cents": pl.col("balance"),
        "pool_id": zero.cast(pl.Int32), "guaranty_fee_rate_e7": zero.cast(pl.Int32), "end_code": zero.cast(pl.Int8),
    }  # fmt: skip
    return loans.with_columns(balance).select(
        "loan_id", *[given.get(c, zero).alias(f"was_{c}") for c in _WAS], entered=pl.lit(True)
    )


def standing_at_entry(loans: pl.DataFrame, month: int) -> Ints:
    """What each note owes at the end of the month before: instalments due by then are deemed paid, then the
    principal that the tape says was paid down."""
    owed = loans["note_amount_cents"].to_numpy().astype(np.int64)
    payment = loans["payment_cents"].to_numpy()
    rate = loans["note_rate_e7"].to_numpy().astype(np.int64)
    first = loans.select(pl.col("first_due_date").dt.year() * 12 + pl.col("first_due_date").dt.month() - 1).to_series()
    term = loans["term_months"].to_numpy().astype(np.int64)
    due = month - first.to_numpy().astype(np.int64)
    owed = owed.copy()
    for number in range(1, int(min(due.max(initial=0), term.max(initial=0))) + 1):
        now = (number <= due) & (number <= term)
        after = owed - payment + cents_of(owed * rate)
        owed = np.where(now, np.where(number == term, 0, np.maximum(after, 0)), owed)
    paid_down: Ints = np.maximum(owed - loans["curtailment_cents"].to_numpy(), 0)
    return paid_down


def cents_of(product: Ints) -> Ints:
    """A month's interest from balance (cents >= 0) x yearly rate (e7): quotient and remainder, a half goes up."""
    whole, rest = np.divmod(product, 120_000_000)
    interest: Ints = whole + (rest >= 60_000_000)
    return interest


def index(column: str) -> pl.Expr:
    """A date column as month index."""
    return pl.col(column).dt.year() * 12 + pl.col(column).dt.month() - 1


def trusts() -> int:
    """The trusts' party."""
    return int(system_parties()["trusts"]["party_id"])
