"""What cash flows are projected from: pools or loans as columns, and their speeds month by month.

Speeds of many pools are kept as one strip of monthly rates with each pool's place in it, since most pools share
theirs: a strip by age for PSA, one row for all for CPR. So 53 million loans need no table of 53 million rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from poolhouse import rules
from poolhouse.valuation import speeds
from poolhouse.valuation.wrong import Floats, Ints, WrongInput, numbers, one_whole, require, truth, whole

LONGEST_TERM, OLDEST = 1200, 1200
"""Months: a hundred years, a bound for mistakes of unit."""
Places = npt.NDArray[np.int64]
Rows = slice | Places


@dataclass(frozen=True)
class Pools:
    """Columns of equal length: dollars, percent a year, months remaining, months since origination."""

    balance: Floats
    wac: Floats
    coupon: Floats
    wam: Ints
    age: Ints

    def __len__(self) -> int:
        return len(self.balance)

    @property
    def months(self) -> int:
        """Of the longest."""
        return int(self.wam.max(initial=0))

    def part(self, rows: Rows) -> Pools:
        """Only these rows; a slice copies nothing."""
        return Pools(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


def pools(balance: Any, wac: Any, coupon: Any, wam: Any, age: Any = None) -> Pools:
    """Checked columns; a single number holds for all. Raises WrongInput.

    `age` None: the pools are taken as of the shortest usual term that holds their remaining one (357 months: age 3).
    """
    given: dict[str, Any] = {
        "balance": numbers("balance", balance, 0),
        "wac": numbers("wac", wac, 0, 100),
        "coupon": numbers("coupon", coupon, 0, 100),
        "wam": whole("wam", wam, 1, LONGEST_TERM),
    }
    given["age"] = _usual_age(given["wam"]) if age is None else whole("age", age, 0, OLDEST)
    lengths = {name: len(column) for name, column in given.items() if column.ndim == 1}
    if any(column.ndim > 1 for column in given.values()) or len(set(lengths.values())) > 1:
        raise WrongInput(f"columns must be of one length, or single numbers: {_shapes(given)}")
    length = next(iter(lengths.values()), 1)
    if length == 0:
        raise WrongInput("there is no pool: every column is empty")
    full = {name: np.ascontiguousarray(np.broadcast_to(column, (length,))) for name, column in given.items()}
    require("coupon", full["coupon"], full["coupon"] <= full["wac"], "must not be above the WAC")
    return Pools(**full)


def _shapes(given: dict[str, Any]) -> str:
    return ", ".join(f"{name} {column.shape or 'one'}" for name, column in given.items())


def _usual_age(wam: Ints) -> Ints:
    terms = np.asarray(rules.load().get("valuation.usual_terms", date.max), dtype=np.int32)
    place = np.minimum(np.searchsorted(terms, wam), len(terms) - 1)
    return np.asarray(np.maximum(terms[place] - wam, 0), dtype=np.int32)


@dataclass(frozen=True)
class Strip:
    """Monthly rates as shares of 1: pool k's rate of its n-th month (from 0) is rates[start[k] + n * step]."""

    rates: Floats
    start: Places
    step: int  # 1, or 0 where a pool keeps one rate for life
    flat: int  # from this place of the strip on all rates are one; 0 with step 0; none: the strip's length

    @property
    def none(self) -> bool:
        """No rate in it at all."""
        return not self.rates.any()

    def of(self, months: int) -> Floats:
        """A row of `months` rates per pool."""
        return np.asarray(self.rates[self.start[:, None] + np.arange(months)[None, :] * self.step])


@dataclass(frozen=True)
class Speeds:
    """Which speed drives prepayment and which default, as the user gave them; checked, and not yet per pool."""

    prepay: str | None
    prepay_value: Floats
    default: str | None
    default_value: Floats
    severity: Floats  # a share: one, one a month, or a row of months for each pool
    lag: int
    advance: bool

    def strips(self, part: Pools, rows: Rows, months: int) -> tuple[Strip, Strip]:
        """Prepayment's and default's rates of these pools, which stand in these rows of all."""
        return (
            _strip(self.prepay, self.prepay_value, part, rows, months),
            _strip(self.default, self.default_value, part, rows, months),
        )

    @property
    def wide(self) -> bool:
        """A row of speeds by month for each pool: their strips are as large as the cash flows."""
        by_pool = [(n, v) for n, v in ((self.prepay, self.prepay_value), (self.default, self.default_value)) if _own(v)]
        return any(v.shape[1] > 1 or n in _BY_AGE for n, v in by_pool)

    @property
    def own_severities(self) -> bool:
        """Each pool loses its own share of what defaults."""
        return _own(self.severity)

    def severities(self, months: int, rows: Rows = slice(None)) -> Floats:
        """One a month; where pools have their own, a row of months for each of these rows."""
        return _stretched(self.severity[rows] if self.own_severities else self.severity, months)


_SHARES: dict[str, Callable[[Floats, npt.NDArray[Any]], Floats]] = {
    "psa": lambda psa, month: speeds.psa_to_smm(psa, month) / 100,
    "cpr": lambda cpr, month: speeds.cpr_to_smm(cpr) / 100,
    "smm": lambda smm, month: smm / 100,
    "sda": lambda sda, month: speeds.cdr_to_mdr(speeds.sda_to_cdr(sda, month)) / 100,
    "cdr": lambda cdr, month: speeds.cdr_to_mdr(cdr) / 100,
}
"""Monthly rate as a share of 1, of a speed in percent in a month of the loan's life."""
_BY_AGE = ("psa", "sda")


def speeds_of(
    count: int, *, psa: Any, cpr: Any, smm: Any, cdr: Any, sda: Any, severity: Any, lag: int, advance: bool
) -> Speeds:
    """Checked speeds for `count` pools, percent. Raises WrongInput."""
    prepay = _one_of({"psa": psa, "cpr": cpr, "smm": smm})
    default = _one_of({"cdr": cdr, "sda": sda})
    given = {"psa": psa, "cpr": cpr, "smm": smm, "cdr": cdr, "sda": sda}
    values = [_speed(name, given[name], count) if name else np.zeros(()) for name in (prepay, default)]
    share = _shaped("severity", numbers("severity", severity, 0, 100) / 100, count)
    return Speeds(
        prepay, values[0], default, values[1], share, one_whole("lag", lag, 0, LONGEST_TERM), truth("advance", advance)
    )


def _one_of(given: dict[str, Any]) -> str | None:
    named = [name for name, value in given.items() if value is not None]
    if len(named) > 1:
        raise WrongInput(f"{' and '.join(named)} say the same thing twice: give one")
    return named[0] if named else None


def _speed(name: str, value: Any, count: int) -> Floats:
    return _shaped(name, numbers(name, value, 0, None if name in _BY_AGE else 100), count)


def _shaped(name: str, found: Floats, count: int) -> Floats:
    """One number, one a month, or a row for each pool; a single row is one a month."""
    if found.size == 0 or found.ndim > 2:
        raise WrongInput(f"{name} must be a number, one a month, or a row of months for each pool")
    if found.ndim == 2 and len(found) not in (1, count):
        raise WrongInput(f"{name} has {len(found)} rows for {count} pools")
    return found[0] if found.ndim == 2 and len(found) == 1 else found


def _own(value: Floats) -> bool:
    """Each pool has a speed of its own."""
    return value.ndim == 2


def _stretched(value: Floats, months: int) -> Floats:
    """A value for each month, the last one going on."""
    row = np.atleast_1d(value)
    return np.asarray(row[..., np.minimum(np.arange(months), row.shape[-1] - 1)])


def _strip(name: str | None, value: Floats, part: Pools, rows: Rows, months: int) -> Strip:
    count = len(part)
    nowhere = np.zeros(count, dtype=np.int64)
    if name is None:
        return Strip(np.zeros(1), nowhere, 0, 0)
    shares, by_age = _SHARES[name], name in _BY_AGE
    if _own(value):
        value = value[rows]
        if not by_age and value.shape[1] == 1:
            return Strip(shares(value[:, 0], nowhere), np.arange(count, dtype=np.int64), 0, 0)
        return _rows(shares, value, part.age, months, np.arange(count))
    if by_age and value.size == 1:
        curve = shares(value.reshape(()), np.arange(1, int(part.age.max()) + months + 1))
        return _curve(curve, part.age.astype(np.int64))
    if by_age:
        ages, row = np.unique(part.age, return_inverse=True)
        return _rows(shares, value, ages, months, row)
    return _curve(shares(_stretched(value, months), nowhere), nowhere)


def _curve(rates: Floats, start: Places) -> Strip:
    """One strip for all, each pool from its place on."""
    changes = np.nonzero(rates != rates[-1])[0]
    return Strip(rates, start, 1, int(changes[-1]) + 1 if len(changes) else 0)


def _rows(
    shares: Callable[[Floats, npt.NDArray[Any]], Floats], value: Floats, ages: Ints, months: int, row: Places
) -> Strip:
    """A row of months per age or pool, one after the other; `row`: whose row is whose."""
    life = ages[:, None] + np.arange(1, months + 1)
    rates = shares(np.broadcast_to(_stretched(value, months), life.shape), life)
    return Strip(np.ascontiguousarray(rates).reshape(-1), row.astype(np.int64) * months, 1, rates.size)
