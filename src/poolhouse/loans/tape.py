"""Reads a loan tape: any CSV, CSV.gz or Parquet file to clean canonical rows, rejects and findings.

The way of a row: files (text) -> mapping (which column is what) -> parse (exact values) ->
checks (rejects) -> ama (gaps of the public-use layout) -> defaults (a full TAPE row).
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import polars as pl

from poolhouse import dates
from poolhouse.findings import Finding, Refused
from poolhouse.loans import ama
from poolhouse.loans.checks import judge
from poolhouse.loans.content import content_hash
from poolhouse.loans.defaults import complete
from poolhouse.loans.files import read_head, read_rows
from poolhouse.loans.mapping import choose
from poolhouse.loans.notes import Notes
from poolhouse.loans.parse import parse
from poolhouse.tables import TAPE


@dataclass(frozen=True)
class TapeRead:
    """What a tape gave.

    `tape`: TAPE rows; `rejects`: REJECTS rows, one per bad (row, field); `findings`: counted remarks;
    `layout`: ama | canonical | mapped; `start_month`: January of the acquisition year (ama) or the
    month of the first note; `content_hash`: of the tape's values, the same for any file format;
    `rows`: data rows in the file = loans read + rows rejected.
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
    head = read_head(source)
    layout = choose(head, mapping)
    positions = sorted({f.position for f in layout.fields if f.position >= 0})
    key = next((f.position for f in layout.fields if f.name == "loan_number" and f.position >= 0), None)
    raw = read_rows(head, positions, key)
    if not raw.rows:
        raise Refused(f"{head.path} has a header but no loans")
    good, rejects = judge(parse(raw, layout.fields), raw, layout)
    rows = raw.rows
    del raw  # a large tape's text is as large as its loans
    if not good.height:
        row, field, value, reason = rejects.select("row", "field", "value", "reason").row(0)
        raise Refused(f"{head.path}: none of {rows:,} rows can be used; row {row}: {field} {value!r} {reason}")
    notes = Notes()
    notes.add("rejected", "", rejects["row"].n_unique(), "row can't be used, see the rejects", "error")
    start = _start(good, layout.name)
    if layout.name == "ama":
        good = ama.convert(good, notes)
    tape = complete(good, notes)
    if tape.height + rejects["row"].n_unique() != rows:
        raise RuntimeError(f"{rows} rows became {tape.height} loans")
    return TapeRead(tape, rejects, notes.findings, layout.name, start, content_hash(TAPE, tape), rows)


def _start(good: pl.DataFrame, layout: str) -> int:
    if layout == "ama":
        return int(good.select(pl.col("acquisition_year").min()).item()) * 12
    return dates.month_of(good.select(pl.col("note_date").min()).item())


def demo_tape() -> Path:
    """The shipped tape: the Federal Home Loan Banks' acquisitions of 2009 (data/SOURCE.md)."""
    return Path(str(files("poolhouse.loans") / "data" / "ama_2009.parquet"))
