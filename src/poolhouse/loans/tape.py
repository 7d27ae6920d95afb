"""Reads a loan tape: a file of any known layout to clean canonical rows, rejects and findings.

The way of a row: files (text) -> layouts, mapping (which column is what) -> parse (exact values) ->
checks (rejects) -> ama, freddie... (gaps of a known layout) -> defaults (a full TAPE row).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from pathlib import Path

import polars as pl

from poolhouse import dates
from poolhouse.findings import Finding, Refused
from poolhouse.loans import ama, fannie, freddie, hmda, uldd
from poolhouse.loans.checks import judge
from poolhouse.loans.content import content_hash
from poolhouse.loans.defaults import complete
from poolhouse.loans.files import Head, RawRows, read_head, read_rows
from poolhouse.loans.layouts import choose
from poolhouse.loans.mapping import Layout
from poolhouse.loans.notes import Notes, count
from poolhouse.loans.parse import parse, unknown
from poolhouse.tables import TAPE


@dataclass(frozen=True)
class TapeRead:
    """What a tape gave.

    `tape`: TAPE rows; `rejects`: REJECTS rows, one per bad (row, field); `findings`: counted remarks;
    `layout`: ama | canonical | fannie | freddie | hmda | mapped | uldd; `start_month`: January of the
    acquisition year (ama) or the month of the first note; `content_hash`: of the tape's values, the same
    for any file format; `rows`: loans of the file = loans read + rows rejected (a row each, except where
    a layout has a loan on many rows or rows that are no loan: docs/tapes.md).
    """

    tape: pl.DataFrame
    rejects: pl.DataFrame
    findings: list[Finding]
    layout: str
    start_month: int
    content_hash: str
    rows: int


def read_tape(source: Path | str, mapping: str | None = None) -> TapeRead:
    """Reads a tape. `mapping`: the text of a TOML mapping file, for columns with names of their own.

    Refused when the file is no tape, the mapping is wrong, or not one row can be used. A row that
    can't be used never stops the others.
    """
    head, layout, raw = _raw(read_head(source), mapping)
    if not raw.rows:
        raise Refused(f"{head.path} has a header but no loans" if head.header else f"{head.path} has no loans")
    notes = Notes()
    read = tuple(f for f in layout.fields if f.position >= 0 or f.constant is not None)
    work = parse(raw, read)
    if layout.name == "hmda":
        work = hmda.prepare(work, raw.frame, layout, notes)
    if "months" in raw.frame.columns:
        work = work.with_columns(raw.frame["months"])
    broken = raw.broken
    rows = work.height + broken.height
    del raw  # a large tape's text is as large as its loans
    if not rows:
        raise Refused(f"{head.path}: no row of it is a loan")
    unsaid = {f.name: unknown(f) for f in layout.fields if f.unknown and f.name in work.columns}
    said = work.select("tape_row", **unsaid)
    good, rejects = judge(work, broken, layout)
    del work
    if not good.height:
        row, field, value, reason = rejects.select("row", "field", "value", "reason").row(0)
        raise Refused(f"{head.path}: none of {rows:,} rows can be used; row {row}: {field} {value!r} {reason}")
    notes.add("rejected", "", rejects["row"].n_unique(), "row can't be used, see the rejects", "error")
    said = said.join(good.select("tape_row"), on="tape_row", how="semi")
    for name in unsaid:
        notes.add(f"{name}_unknown", name, count(said, pl.col(name)), f"{name} is not known")
    start = int(good["acquisition_year"].min()) * 12 if layout.name == "ama" else None  # type: ignore[arg-type]  # integers
    convert = _CONVERT.get(layout.name)
    tape = complete(convert(good, notes) if convert else good, notes)
    if tape.height + rejects["row"].n_unique() != rows:
        raise RuntimeError(f"{rows} rows became {tape.height} loans")
    start = dates.month_of(tape["note_date"].min()) if start is None else start  # type: ignore[arg-type]  # dates
    return TapeRead(tape, rejects, notes.findings, layout.name, start, content_hash(TAPE, tape), rows)


_CONVERT: dict[str, Callable[[pl.DataFrame, Notes], pl.DataFrame]] = {
    "ama": ama.convert,
    "fannie": fannie.convert,
    "freddie": freddie.convert,
    "hmda": hmda.convert,
    "uldd": uldd.convert,
}
"""Layouts that leave something open, and who fills it."""


def _raw(head: Head, mapping: str | None) -> tuple[Head, Layout, RawRows]:
    """The file's layout and its rows as text."""
    if head.kind == "xml":
        if mapping is not None:
            raise Refused(f"{head.path} is XML, which has no columns to map: leave the mapping away")
        return (head, *uldd.read(head.path))
    head, layout = choose(head, mapping)
    positions = sorted({f.position for f in layout.fields if f.position >= 0} | set(layout.identity))
    key = next((f.position for f in layout.fields if f.name == "loan_number" and f.position >= 0), None)
    fold = partial(fannie.fold, layout=layout) if layout.name == "fannie" else None
    return head, layout, read_rows(head, positions, key, fold)


def demo_tape() -> Path:
    """The shipped tape: the Federal Home Loan Banks' acquisitions of 2009 (data/SOURCE.md)."""
    return Path(str(files("poolhouse.loans") / "data" / "ama_2009.parquet"))
