"""The month's working state: one NumPy array per column, loans of one part in loan order.

`State` is read from the loan_months rows of the month before (plus the loans that enter the
book), changed in place while the month runs, and written out as this month's rows. Months are
integers here; dates appear only at the edges.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from poolhouse.dates import first_day, month_of
from poolhouse.tables.codes import ACTIVE, ACTUAL_ACTUAL, SCHEDULED_SCHEDULED
from poolhouse.tables.months import LOAN_MONTHS

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_EPOCH = date(1970, 1, 1)
_FIRST_MONTH, _LAST_MONTH = month_of(date(1950, 1, 1)), month_of(date(2150, 1, 1))
_DAY_OF_MONTH = np.array([(first_day(m) - _EPOCH).days for m in range(_FIRST_MONTH, _LAST_MONTH)], dtype=np.int64)
_MONTH_OF_DAY = np.repeat(np.arange(_FIRST_MONTH, _LAST_MONTH - 1, dtype=np.int64), np.diff(_DAY_OF_MONTH))


def to_months(dates: pl.Series) -> Ints:
    """First-of-month dates as month indexes."""
    months: Ints = _MONTH_OF_DAY[dates.to_physical().to_numpy() - _DAY_OF_MONTH[0]]
    return months


def to_dates(months: Ints) -> pl.Series:
    """Month indexes as first-of-month dates."""
    return pl.Series(_DAY_OF_MONTH[months - _FIRST_MONTH].astype(np.int32)).cast(pl.Date)


@dataclass
class State:
    """Balances and terms of each loan. Amounts in cents, rates in e7, months as indexes."""

    loan_id: Ints
    program: Ints
    owner: Ints
    servicer: Ints
    pool: Ints
    remittance: Ints
    note_rate: Ints
    pass_through_rate: Ints
    guaranty_rate: Ints
    payment: Ints
    first_due: Ints
    maturity: Ints
    actual: Ints
    scheduled: Ints  # trust balance T, pending unscheduled principal still in it
    pending: Ints  # unscheduled principal U received, not yet distributed
    pending_interest: Ints
    suspense: Ints
    prepaid: Ints
    last_paid: Ints
    advances: Ints
    guarantor_advances: Ints
    workout: Ints
    end_code: Ints

    def take(self, rows: Mask) -> State:
        return State(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})

    def __len__(self) -> int:
        return len(self.loan_id)


@dataclass(frozen=True)
class Opening:
    """What the month keeps of how it opened, before the state is changed in place."""

    owner: Ints
    pool: Ints
    actual: Ints
    scheduled: Ints

    @classmethod
    def of(cls, state: State) -> Opening:
        return cls(state.owner.copy(), state.pool.copy(), state.actual.copy(), state.scheduled.copy())


_COLUMNS = {
    "loan_id": "loan_id", "program": "program", "owner": "owner_id", "servicer": "servicer_id", "pool": "pool_id",
    "remittance": "remittance", "note_rate": "note_rate_e7", "pass_through_rate": "pass_through_rate_e7",
    "guaranty_rate": "guaranty_fee_rate_e7", "payment": "payment_cents", "actual": "closing_actual_cents",
    "scheduled": "closing_scheduled_cents", "pending": "pending_unscheduled_cents",
    "pending_interest": "pending_interest_cents", "suspense": "suspense_cents", "prepaid": "prepaid_cents",
    "advances": "advance_balance_cents", "guarantor_advances": "guarantor_advance_balance_cents",
    "workout": "workout", "end_code": "end_code",
}  # fmt: skip
_DATES = {"first_due": "first_due_date", "maturity": "maturity_date", "last_paid": "last_paid_due_date"}

_FLOWS = (
    "paid", "refunded", "interest_applied", "principal_applied", "curtailment", "scheduled_interest",
    "scheduled_principal",
    "unscheduled_principal", "investor_interest", "guaranty_fee", "servicing_fee", "advanced", "recovered",
    "guarantor_advanced", "guarantor_recovered", "shortfall", "servicer_kept", "owner_principal", "owner_interest",
    "claim", "buyout", "loss", "guaranty_relief", "buyout_principal",
)  # fmt: skip


@dataclass
class Flows:
    """What moved in the month, one array per loan_months amount column of that name (without _cents)."""

    paid: Ints
    refunded: Ints
    interest_applied: Ints
    principal_applied: Ints
    curtailment: Ints
    scheduled_interest: Ints
    scheduled_principal: Ints
    unscheduled_principal: Ints
    investor_interest: Ints
    guaranty_fee: Ints
    servicing_fee: Ints
    advanced: Ints
    recovered: Ints
    guarantor_advanced: Ints
    guarantor_recovered: Ints
    shortfall: Ints
    servicer_kept: Ints
    owner_principal: Ints
    owner_interest: Ints
    claim: Ints
    buyout: Ints
    loss: Ints
    guaranty_relief: Ints
    buyout_principal: Ints

    @classmethod
    def zero(cls, count: int) -> Flows:
        return cls(**{name: np.zeros(count, dtype=np.int64) for name in _FLOWS})


def read(opening: pl.DataFrame) -> State:
    """State from loan_months rows of the month before: loans that still live or have money pending."""
    lives = alive(opening)
    rows = opening if lives.all() else opening.filter(pl.Series(lives))
    arrays = {field: rows[column].to_numpy().astype(np.int64) for field, column in _COLUMNS.items()}
    arrays |= {field: to_months(rows[column]) for field, column in _DATES.items()}
    return State(**arrays)


def alive(opening: pl.DataFrame) -> Mask:
    """Rows of the month before that have a row this month: loans that still live or have money pending."""
    lives: Mask = opening.select(
        (pl.col("end_code") == ACTIVE)
        | (pl.col("closing_scheduled_cents") != 0)
        | (pl.col("pending_unscheduled_cents") != 0)
    ).to_series().to_numpy()  # fmt: skip
    return lives


OPENING_COLUMNS = ("month", "loan_id", *(c for c in (*_COLUMNS.values(), *_DATES.values()) if c != "loan_id"))
"""The loan_months columns a month is opened with: `read` needs no others."""

_NUMPY = {pl.Int8(): np.int8, pl.Int32(): np.int32, pl.Int64(): np.int64, pl.Date(): np.int32}


class Rows:
    """This month's loan_months rows of a part, each block written into its place: no column is copied twice."""

    def __init__(self, month: int, count: int) -> None:
        self._arrays: dict[str, npt.NDArray[Any]] = {}
        for kind in sorted(set(_NUMPY.values()), key=str):  # in one piece, which the system gives as large pages
            names = [c.name for c in LOAN_MONTHS.columns if _NUMPY[c.dtype] is kind]
            self._arrays |= dict(zip(names, np.empty((len(names), count), dtype=kind), strict=True))
        self._arrays["month"][:] = month

    def put(self, start: int, opening: Opening, state: State, flows: Flows) -> None:
        """Write a block's rows from position `start` on."""
        at = slice(start, start + len(state))
        for field, column in _COLUMNS.items():
            self._arrays[column][at] = getattr(state, field)
        for field, column in _DATES.items():
            self._arrays[column][at] = _DAY_OF_MONTH[getattr(state, field) - _FIRST_MONTH]
        for name in _FLOWS:
            self._arrays[f"{name}_cents"][at] = getattr(flows, name)
        self._arrays["payee_id"][at] = opening.owner
        self._arrays["payee_pool_id"][at] = opening.pool
        self._arrays["opening_actual_cents"][at] = opening.actual
        self._arrays["opening_scheduled_cents"][at] = opening.scheduled

    def frame(self) -> pl.DataFrame:
        """The rows under their contract's types."""
        return pl.DataFrame([pl.Series(c.name, self._arrays[c.name]).cast(c.dtype) for c in LOAN_MONTHS.columns])


def entering(loans: pl.DataFrame, deemed: pl.DataFrame, month: int) -> pl.DataFrame:
    """Rows 'at the end of the month before' for loans the book closes in `month`.

    loans: LOANS rows; deemed: loan_id, opening_actual_cents, last_paid_due_date for loans closed
    before the book opened, in the same order (instalments due since then are deemed paid).
    The lender owns and services its loan, actual/actual.
    """
    zero = pl.lit(0, pl.Int64)
    joined = loans.join(deemed, on="loan_id", how="left", validate="1:1", maintain_order="left")
    given = {
        "month": pl.lit(month - 1, pl.Int32),
        "loan_id": pl.col("loan_id"),
        "owner_id": pl.col("originator_party_id"),
        "servicer_id": pl.col("originator_party_id"),
        "payee_id": pl.col("originator_party_id"),
        "remittance": pl.lit(ACTUAL_ACTUAL, pl.Int8),
        "note_rate_e7": pl.col("note_rate_e7"),
        "pass_through_rate_e7": pl.col("note_rate_e7"),
        "payment_cents": pl.col("payment_cents"),
        "first_due_date": pl.col("first_due_date"),
        "maturity_date": pl.col("maturity_date"),
        "last_paid_due_date": pl.col("last_paid_due_date"),
        "closing_actual_cents": pl.col("opening_actual_cents"),
        "closing_scheduled_cents": pl.col("opening_actual_cents"),
    }
    expressions = [given.get(c.name, zero).cast(c.dtype).alias(c.name) for c in LOAN_MONTHS.columns]
    return LOAN_MONTHS.conform(joined.select(expressions))


def days_after_epoch(day: date) -> int:
    """Days since 1970-01-01, the physical value of a Date."""
    return (day - _EPOCH) // timedelta(days=1)


def is_scheduled(state: State) -> Mask:
    """Rows remitted scheduled/scheduled."""
    scheduled: Mask = state.remittance == SCHEDULED_SCHEDULED
    return scheduled
