"""convert TAPE: a tape of any layout written as our own columns, or as a ULDD file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from poolhouse import loans
from poolhouse.findings import Finding, Refused
from poolhouse.loans import uldd_write
from poolhouse.market.files import whole_file
from poolhouse.market.standards import text_of

ENDINGS = {"canonical": (".csv", ".parquet"), "uldd": (".xml",)}
FIRST = 10
"""Rejected rows that the answer shows."""


def convert(tape: str | Path, mapping: str | Path | None = None, *, to: str, out: str | Path) -> dict[str, Any]:
    """Writes the tape's loans, in the order of its rows. `to`: canonical (CSV or Parquet by the name of `out`) or uldd.

    Rows that can't be used are left out. Keys: tape, layout, to, out, rows, loans, rejected, findings (of reading,
    and of what the other layout has no place for), rejects (the first ten). Refused when `out` is the tape itself,
    has an ending of another format, or can't be written; a file of that name stays until the new one is whole.
    """
    place, write = Path(out), _writer(to, Path(out))
    if place.exists() and place.samefile(tape):
        raise Refused(f"{out} is the tape itself: write to another file")
    read = loans.read_tape(tape, text_of(mapping, "mapping") if mapping is not None else None)
    rows = read.tape.sort("tape_row")
    found = [*read.findings, *(uldd_write.left_behind(rows) if to == "uldd" else ())]
    whole_file(place, lambda part: write(rows, part))
    return {
        "tape": str(tape),
        "layout": read.layout,
        "to": to,
        "out": str(out),
        "rows": read.rows,
        "loans": rows.height,
        "rejected": read.rows - rows.height,
        "findings": [_shown(f) for f in found],
        "rejects": read.rejects.head(FIRST).to_dicts(),
    }


def _shown(found: Finding) -> dict[str, Any]:
    return {"rule": found.rule, "field": found.field, "count": found.count, "severity": found.severity,
            "message": found.message}  # fmt: skip


def _writer(to: str, out: Path) -> Callable[[pl.DataFrame, Path], None]:
    if to not in ENDINGS:
        raise Refused(f"--to {to}: a tape is written as {' or '.join(ENDINGS)}")
    if out.suffix.lower() not in ENDINGS[to]:
        raise Refused(f"{out}: {to} is written as {' or '.join(ENDINGS[to])}: name the file so")
    if not out.parent.is_dir():
        raise Refused(f"{out}: there is no folder {out.parent}")
    if to == "uldd":
        return _uldd
    return _parquet if out.suffix.lower() == ".parquet" else _csv


def _uldd(rows: pl.DataFrame, place: Path) -> None:
    with place.open("w", encoding="utf-8") as file:
        file.writelines(uldd_write.document(rows))


def _csv(rows: pl.DataFrame, place: Path) -> None:
    rows.drop("tape_row").write_csv(place)


def _parquet(rows: pl.DataFrame, place: Path) -> None:
    rows.drop("tape_row").write_parquet(place)
