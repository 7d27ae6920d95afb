"""What a table contract is, and the check at every command's edge.

A contract names each column with its exact Polars type, unit and meaning, the key and the sort.
`conform` refuses anything else: a missing column, a surplus one, another type, a null where none
may be. It is for programmers' errors; users' data was judged long before by `loans/`.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Column:
    """One column: exact type, unit, meaning; nullable only when said."""

    name: str
    dtype: pl.DataType
    meaning: str
    unit: str = ""
    nullable: bool = False


@dataclass(frozen=True)
class Table:
    """A table's contract. `key` identifies a row, `sort` is the order rows are stored in."""

    name: str
    version: int
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    sort: tuple[str, ...]

    @property
    def schema(self) -> dict[str, pl.DataType]:
        return {c.name: c.dtype for c in self.columns}

    def empty(self) -> pl.DataFrame:
        return pl.DataFrame(schema=self.schema)

    def conform(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame in contract order and sort, or TypeError saying what differs."""
        given, wanted = dict(frame.schema), self.schema
        if list(given.items()) != list(wanted.items()):
            wrong = [f"{n}: {given.get(n, 'missing')} is not {t}" for n, t in wanted.items() if given.get(n) != t]
            wrong += [f"{name}: not in the contract" for name in given if name not in wanted]
            if wrong:
                raise TypeError(f"table {self.name}: " + "; ".join(wrong))
            frame = frame.select(list(wanted))
        nulls = [c.name for c in self.columns if not c.nullable and frame[c.name].null_count()]
        if nulls:
            raise TypeError(f"table {self.name}: nulls in {', '.join(nulls)}")
        return frame if ascending(frame, self.sort) else frame.sort(self.sort)


def ascending(frame: pl.DataFrame, names: tuple[str, ...], *, strictly: bool = False) -> bool:
    """Do the rows stand in ascending order of these columns (strictly: and none twice)? No nulls among them."""
    if frame.height < 2 or not names:
        return True
    less, equal = pl.repeat(False, frame.height - 1, eager=True), pl.repeat(True, frame.height - 1, eager=True)
    for name in names:
        before, after = frame[name][:-1], frame[name][1:]
        less |= equal & (before < after)
        if less.all():
            return True  # the usual case: one number per row, no need to look further
        equal &= before == after
    return not strictly and bool((less | equal).all())


def columns(lines: str) -> tuple[Column, ...]:
    """Columns from lines `name type[?] [unit] - meaning`; `?` marks a nullable one."""
    return tuple(_column(line) for line in lines.strip().splitlines() if line.strip())


_TYPES: dict[str, pl.DataType] = {
    "i8": pl.Int8(), "i16": pl.Int16(), "i32": pl.Int32(), "i64": pl.Int64(), "u64": pl.UInt64(),
    "str": pl.String(), "date": pl.Date(), "bool": pl.Boolean(),
}  # fmt: skip


def _column(line: str) -> Column:
    head, _, meaning = line.strip().partition(" - ")
    name, kind, *unit = head.split()
    return Column(name, _TYPES[kind.rstrip("?")], meaning, " ".join(unit), kind.endswith("?"))
