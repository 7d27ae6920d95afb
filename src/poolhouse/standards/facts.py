"""Picks the rule versions in force, so that rules see plain numbers and never a date.

A rule that takes effect by delivery or pool issue is picked for the day the loan is sold; by note, for the
note date; by application, casefile or case number for the application's date, or the note's where the
tape has none. Between two change dates of the rulebook all versions are the same: `stretches` cuts the
loans there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Any

import numpy as np
import polars as pl

from poolhouse.rules import Rulebook, Value
from poolhouse.standards.frame import SHAPES, filled
from poolhouse.tables.codes import IMPUTED

PREFIX = "standards."
NO = pl.lit(False)
"""For no loan. Rules share this one expression, so that `outcomes` can leave out what can't happen."""
_FEW = 4
"""Up to so many cells a chain of comparisons is faster than a lookup."""
FHA_PREMIUM = "loans.financed_fee_rate_e7"
"""The financed premium of FHA loans: closing and eligibility read the same number."""
BY_DELIVERY = {"delivery", "pool_issue"}
BY_NOTE = {"note", "note_date"}
BASES = sorted(BY_DELIVERY | BY_NOTE | {"application", "casefile", "case_number"})
"""What a standard's `basis` may be."""


@lru_cache(maxsize=4096)
def whole(number: int) -> pl.Expr:
    """A number as an expression. Expressions never change: rules share them, since to make one takes longer than to
    use it."""
    return pl.lit(number, pl.Int64)


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
            return pl.coalesce(
                pl.when(pl.col(self.key) == whole(k)).then(whole(v) if dtype == pl.Int64 else pl.lit(v, dtype))
                for k, v in column.items()
            )
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
    known = "nearest is " if value.nearest else ""
    return f"{value.source} ({known}from {value.effective.isoformat()}, {value.confidence})"


def date_column(basis: str) -> str:
    """The column (or 'as_of') whose date picks the version of a rule with this basis."""
    return "as_of" if basis in BY_DELIVERY else "note_date" if basis in BY_NOTE else "case_date"


ALL_GAPS = frozenset(SHAPES) | {filled(name) for name in IMPUTED}
"""For who doesn't look: any column may lack a value, any bit may be set."""


@dataclass(frozen=True)
class Facts:
    """The rulebook as it stands for loans of one stretch of case and note dates, delivered on one day.

    `gaps`: columns in which some loan has no value, and what the reader filled in for some loan (`frame.filled`);
    rules leave out what can't happen elsewhere."""

    rulebook: Rulebook
    delivered: date
    noted: date
    closed: date | None = None
    gaps: frozenset[str] = ALL_GAPS

    def day(self, full: str) -> date:
        """The date that picks the version of a parameter."""
        column = date_column(self.rulebook.parameters[full].basis)
        return {"as_of": self.delivered, "note_date": self.closed or self.noted, "case_date": self.noted}[column]

    def value(self, name: str, **dims: Any) -> Value:
        """The version in force of `standards.<name>` (or of a full name)."""
        full = name if "." in name else PREFIX + name
        return self.rulebook.lookup(full, self.day(full), **dims)

    def lines(self, full: str, **fixed: Any) -> list[Value]:
        """The lines in force of a rule written as data."""
        return self.rulebook.lines(full, self.day(full), **fixed)

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


def stretches(
    loans: pl.DataFrame, rulebook: Rulebook, names: Collection[str] = (PREFIX, FHA_PREMIUM)
) -> Iterator[tuple[tuple[date, date], pl.DataFrame]]:
    """Prepared loans cut at the rulebook's change dates: (a case date and a note date that stand for all of them,
    the loans). `names`: the parameters, or beginnings of their names, whose changes matter."""
    if loans.height == 0:
        return
    days = {day for name in names for day in rulebook.change_dates(name)}
    cuts = np.array(sorted(days), dtype="datetime64[D]")

    def place(column: str) -> np.ndarray:
        return np.searchsorted(cuts, loans[column].to_numpy().astype("datetime64[D]"), side="right")

    stretch = place("case_date") * (len(cuts) + 1)
    same = loans["application_date"].null_count() == loans.height
    stretch = stretch + (stretch // (len(cuts) + 1) if same else place("note_date"))
    if stretch.min() == stretch.max():
        yield (loans["case_date"][0], loans["note_date"][0]), loans
        return
    parts = loans.with_columns(pl.Series("stretch", stretch)).partition_by("stretch", maintain_order=True)
    for part in sorted(parts, key=lambda p: int(p["stretch"][0])):
        yield (part["case_date"][0], part["note_date"][0]), part.drop("stretch")
