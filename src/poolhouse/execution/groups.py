"""Which offers a limit speaks of: conditions to masks, columns to exact integers, one group for each value of a column.

A column is looked for in the offers, then the pools, then the loans; `loan.NAME` and `pool.NAME` ask one table.
Words are compared without case and outer blanks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from poolhouse.execution.problem import POOL, Measure, Number, Problem, Where, exact
from poolhouse.findings import Refused

Ints = np.ndarray[Any, np.dtype[np.int64]]
Bools = np.ndarray[Any, np.dtype[np.bool_]]
E6 = 1_000_000


@dataclass(frozen=True)
class Group:
    """Some offers, by their row numbers, and what to call them."""

    label: str
    offers: Ints


class Offers:
    """The offers with every attribute at hand, one value for each offer."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.loan: Ints = problem.offers["loan"].cast(pl.Int64).to_numpy()
        self.pool: Ints = problem.offers["pool"].cast(pl.Int64).to_numpy()
        self.value: Ints = problem.offers["value_cents"].cast(pl.Int64).to_numpy()
        self.balance: Ints = problem.loans["balance_cents"].cast(pl.Int64).to_numpy()
        self._masks: dict[str, Bools] = {}

    def column(self, name: str) -> pl.Series:
        """The attribute for each offer."""
        table, _, rest = name.rpartition(".")
        problem = self.problem
        if not table and name in problem.offers.columns and name not in ("loan", "pool", "value_cents"):
            return problem.offers[name]
        if table in ("", "pool") and rest in problem.pools.columns:
            return problem.pools[rest].gather(self.pool)
        if table in ("", "pool") and rest == POOL:
            return pl.Series(self.pool)
        if table in ("", "loan") and rest in problem.loans.columns:
            return problem.loans[rest].gather(self.loan)
        known = sorted({*problem.offers.columns, *problem.pools.columns, *problem.loans.columns} - {"value_cents"})
        raise Refused(f"no column {name!r} in offers, pools or loans; there are: {', '.join(known)}")

    def mask(self, where: Where) -> Bools:
        """The offers that meet every condition."""
        key = repr(sorted((str(k), repr(v)) for k, v in where.items()))
        if key not in self._masks:
            mask = np.ones(len(self.loan), dtype=np.bool_)
            for name, wanted in where.items():
                mask &= self._meets(name, self.column(name), wanted)
            self._masks[key] = mask
        return self._masks[key]

    def _meets(self, name: str, series: pl.Series, wanted: object) -> Bools:
        if not isinstance(wanted, dict):
            return _is_in(series, wanted)
        mask = np.ones(len(series), dtype=np.bool_)
        for word, value in wanted.items():
            if word == "not":
                mask &= ~_is_in(series, value)
            elif word in ("min", "max"):
                numbers, known = _e6(name, series)
                bound = exact(value) * E6
                side = numbers * bound.denominator >= bound.numerator
                mask &= known & (side if word == "min" else ~side | (numbers * bound.denominator == bound.numerator))
            else:
                raise Refused(f"{name}: {word!r} is no condition; there are min, max and not")
        return mask

    def numbers(self, name: str) -> tuple[Ints, Bools]:
        """The attribute in millionths, and where it is known."""
        return _e6(name, self.column(name))

    def weight(self, measure: Measure) -> Ints:
        """Cents of balance, or 1, for each offer."""
        if measure == "balance":
            return self.weight_balance
        if measure == "count":
            return np.ones(len(self.loan), dtype=np.int64)
        raise Refused(f"{measure!r} is no measure: balance or count")

    @cached_property
    def weight_balance(self) -> Ints:
        return self.balance[self.loan]

    def groups(self, where: Where, per: str | None) -> Iterator[Group]:
        """The group, or one group for each value of a column."""
        chosen = np.flatnonzero(self.mask(where))
        if per is None:
            yield Group("", chosen)
            return
        for label, rows in split(self.column(per).gather(chosen)):
            yield Group(f"{per} {label}", chosen[rows])


def split(series: pl.Series) -> Iterator[tuple[str, Ints]]:
    """Row numbers for each value of a column, values in order; rows without one belong to none."""
    frame = pl.DataFrame({"value": series, "row": np.arange(len(series), dtype=np.int64)}).drop_nulls("value")
    for key, part in sorted(frame.partition_by("value", as_dict=True, maintain_order=True).items()):
        yield str(key[0]), part["row"].to_numpy()


def _words(series: pl.Series) -> pl.Series:
    return series.cast(pl.String).str.strip_chars().str.to_lowercase()


def _is_in(series: pl.Series, wanted: object) -> Bools:
    values: list[Any] = list(wanted) if isinstance(wanted, list | tuple | set | frozenset) else [wanted]
    if series.dtype.is_numeric() and not any(isinstance(v, bool | str) for v in values):
        numbers, known = _e6("", series)
        sought = [exact(v) * E6 for v in values]
        return known & np.isin(numbers, [int(s) for s in sought if s.denominator == 1])
    found = _words(series).is_in([str(v).strip().lower() for v in values])
    return np.asarray(found.fill_null(False).to_numpy(), dtype=np.bool_)


def _e6(name: str, series: pl.Series) -> tuple[Ints, Bools]:
    if series.dtype == pl.Boolean:
        series = series.cast(pl.Int64)
    if not series.dtype.is_numeric():
        raise Refused(f"{name!r} is not a column of numbers")
    known = series.is_not_null().to_numpy()
    if series.dtype.is_integer():
        return series.fill_null(0).cast(pl.Int64).to_numpy() * E6, known
    values = series.cast(pl.Float64).fill_null(0.0).to_numpy()
    if not np.all(np.isfinite(values)):
        raise Refused(f"{name!r} holds values that are no numbers")
    return np.rint(values * E6).astype(np.int64), known


def limit_e6(value: Number) -> Fraction:
    """A limit in the unit of `Offers.numbers`."""
    return exact(value) * E6
