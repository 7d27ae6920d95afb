"""Lives: a year's twelve months of a table, sorted by (loan, month), so that one loan's history is
one row group instead of many files.

Derived: a file is named by the content hashes of the segments it was made of, so one that is out of
date is simply not found, and any of them may be deleted. `check` compares them with the months.
File: `lives/<table>/<year>/<part>-<fingerprint>.parquet`.
"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from poolhouse.book.canon import sha256_text
from poolhouse.book.reader import Reader, SegmentRow, read_rows
from poolhouse.book.segments import contract, fsync_folder, parquet_bytes, row_order, upcast, write_durably

if TYPE_CHECKING:
    from collections.abc import Iterator


def groups(book: Reader, table: str) -> Iterator[tuple[int, int, list[SegmentRow], Path]]:
    """(year, part, its segments, where its life file would be), in order."""
    rows = sorted(book.segment_rows(table), key=lambda r: (r.month // 12, r.part, r.month, r.event_seq))
    for (year, part), found in groupby(rows, key=lambda r: (r.month // 12, r.part)):
        mine = list(found)
        version = contract(table).version
        fingerprint = sha256_text(f"{version} " + " ".join(f"{r.month}:{r.content_hash}" for r in mine))[:32]
        yield year, part, mine, book.folder / "lives" / table / str(year) / f"{part}-{fingerprint}.parquet"


def by_subject(table: str, rows: list[SegmentRow]) -> pl.DataFrame:
    """The segments' rows sorted by subject; a subject's rows stay in month order."""
    return read_rows(table, rows).sort(_subject(table), maintain_order=True)


def write_lives(book: Reader, table: str, year: int) -> list[Path]:
    """Write the year's life files of a table, one per part, and remove those that are out of date."""
    made = []
    for found, _, rows, path in groups(book, table):
        if found == year:
            if not path.exists():
                write_durably(path, parquet_bytes(by_subject(table, rows)))
            made.append(path)
    if made:
        for path in made[0].parent.glob("*.parquet"):
            if path not in made:
                path.unlink()
        fsync_folder(made[0].parent)
    return made


def life(book: Reader, table: str, subject_id: int) -> pl.DataFrame:
    """One subject's rows, months in order: from life files where there are, else from the months' segments.

    Only row groups whose statistics admit the subject are read.
    """
    known = contract(table)
    subject = pl.col(_subject(table)) == subject_id
    frames: list[tuple[int, pl.LazyFrame]] = []
    for year, _, rows, path in groups(book, table):
        if path.exists():
            frames.append((year * 12, pl.scan_parquet(path)))
        else:
            frames += [(r.month, upcast(known, r.schema_version, pl.scan_parquet(r.path))) for r in rows]
    if not frames:
        return known.empty()
    found = [frame.filter(subject) for _, frame in sorted(frames, key=lambda f: f[0])]
    return pl.concat(pl.collect_all(found))


def _subject(table: str) -> str:
    return row_order(contract(table))[0]
