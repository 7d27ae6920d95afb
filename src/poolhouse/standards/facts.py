"""Picks the rule versions in force, so that rules see plain numbers and never a date.

A rule that takes effect by delivery is picked for the day the loan is sold; any other (casefile,
application, case number, note) for the note date, which stands for the dates a tape doesn't carry.
Between two change dates of the rulebook all versions are the same: `stretches` cuts the loans there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from poolhouse.rules import Rulebook, Value

PREFIX = "standards."
NO = pl.lit(False)
"""For no loan. Rules share this one expression, so that `outcomes` can leave out what can't happen."""
_FEW = 4
"""Up to so many cells a chain of comparisons is faster than a lookup."""
FHA_PREMIUM = "loans.financed_fee_rate_e7"
"""The financed premium of FHA loans: closing and eligibility read the same number."""


Dims = dict[int, dict[str, Any]]
UNIT_CELLS: Dims = {units: {"units": units} for units in (1, 2, 3, 4)}
"""Cells of the column `units` itself."""


@dataclass(frozen=True)
class Cells:
    """One parameter over the cells of a key column (such as purpose x occupancy), as expressions."""

    key: str
    values: dict[int, Value]

    def _over(self, column: dict[int, Any], dtype: pl.DataType) -> pl.Expr:
        if len(set(column.values())) == 1:
            return pl.lit(next(iter(column.values())), dtype)
        if len(column) <= _FEW:
            return pl.coalesce(pl.when(pl.col(self.key) == k).then(pl.lit(v, dtype)) for k, v in column.items())
        return pl.col(self.key).replace_strict(list(column), list(column.values()), default=None, return_dtype=dtype)

    def number(self) -> pl.Expr:
        """The number of the loan's cell."""
        return self._over({k: v.value for k, v in self.values.items()}, pl.Int64())

    def nearest(self) -> pl.Expr:
        """Whether the cell's version is only the nearest known one."""
        if not any(v.nearest for v in self.values.values()):
            return NO
        return self._over({k: v.nearest for k, v in self.values.items()}, pl.Boolean())

    def source(self) -> pl.Expr:
        """Where the cell's number comes from, in words."""
        return self._over({k: cite(v) for k, v in self.values.items()}, pl.String())


def cite(value: Value) -> str:
    """Source, first day and confidence of a version: 'Selling Guide B3-6-02 (from 2017-07-29, found)'."""
    if value.override:
        return f"override: {value.override}"
    return f"{value.source} (from {value.effective.isoformat()}, {value.confidence})"


@dataclass(frozen=True)
class Facts:
    """The rulebook as it stands for loans of one stretch of note dates delivered on one day."""

    rulebook: Rulebook
    delivered: date
    noted: date

    def value(self, name: str, **dims: Any) -> Value:
        """The version in force of `standards.<name>` (or of a full name)."""
        full = name if "." in name else PREFIX + name
        day = self.delivered if self.rulebook.parameters[full].basis == "delivery" else self.noted
        return self.rulebook.lookup(full, day, **dims)

    def cells(self, name: str, key: str, dims: Dims, **fixed: Any) -> Cells:
        """A parameter over cells: `dims` gives each cell's dimensions."""
        return Cells(key, {cell: self.value(name, **d, **fixed) for cell, d in dims.items()})

    def by_units(self, name: str, key: str = "units", dims: Dims = UNIT_CELLS, **fixed: Any) -> Cells:
        """A parameter listed for 1 to 4 units, over cells whose dimensions include `units`."""
        values = {}
        for cell, each in dims.items():
            others = {k: v for k, v in each.items() if k != "units"}
            listed = self.value(name, **others, **fixed)
            values[cell] = replace(listed, value=listed.value[each["units"] - 1])
        return Cells(key, values)


def stretches(loans: pl.DataFrame, rulebook: Rulebook) -> Iterator[tuple[date, pl.DataFrame]]:
    """Loans cut at the rulebook's change dates: (a note date that stands for all of them, the loans)."""
    cuts = np.array([*rulebook.change_dates(PREFIX), *rulebook.change_dates(FHA_PREMIUM)], dtype="datetime64[D]")
    stretch = np.searchsorted(np.unique(cuts), loans["note_date"].to_numpy().astype("datetime64[D]"), side="right")
    if loans.height == 0 or stretch.min() == stretch.max():
        if loans.height:
            yield loans["note_date"][0], loans
        return
    parts = loans.with_columns(pl.Series("stretch", stretch)).partition_by("stretch", maintain_order=True)
    for part in sorted(parts, key=lambda p: int(p["stretch"][0])):
        yield part["note_date"][0], part.drop("stretch")
