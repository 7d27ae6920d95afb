"""How a promise keeps count: so many facts checked, and the first that fails, in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import polars as pl

Say = Callable[[dict[str, Any]], str]
"""Puts a fact that fails into words, from its row."""


@dataclass
class Tally:
    """Facts checked so far and the first failure. Not shared between threads: each makes its own."""

    checked: int = 0
    first_failure: str | None = None

    @property
    def ok(self) -> bool:
        """No fact has failed."""
        return self.first_failure is None

    def expect(self, facts: pl.DataFrame, ok: pl.Expr, say: Say) -> None:
        """Every row is a fact; one where `ok` is false or null fails, and `say` puts the first into words."""
        self.checked += facts.height
        if self.first_failure is not None or not facts.height:
            return
        held = ok.fill_null(False)
        if not facts.select(held.all().alias("all")).item():  # the wide rows are only looked for when one is wrong
            self.first_failure = say(facts.filter(~held).row(0, named=True))

    def fact(self, ok: bool, say: Say) -> None:
        """One fact that is no row."""
        self.checked += 1
        if not ok and self.first_failure is None:
            self.first_failure = say({})

    def fail(self, words: str) -> None:
        """Something that stops the promise from being checked at all."""
        if self.first_failure is None:
            self.first_failure = words

    def add(self, other: Tally) -> None:
        """Count another's facts too; the failure that came first stays."""
        self.checked += other.checked
        if self.first_failure is None:
            self.first_failure = other.first_failure


def beside(left: pl.DataFrame, right: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """Two small tables of sums side by side, sorted by keys: what only one of them has is 0 in the other.

    left and right: the keys (compared as i64) and columns of integers with different names.
    """

    def widened(frame: pl.DataFrame) -> pl.DataFrame:
        whole = [pl.col(k).cast(pl.Int64) for k in keys if frame.schema[k].is_integer()]
        return frame.with_columns(whole)

    both = widened(left).join(widened(right), on=keys, how="full", coalesce=True)
    return both.with_columns(pl.col(pl.Int64).exclude(keys).fill_null(0)).sort(keys)
