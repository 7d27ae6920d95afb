"""Segments: Parquet files that are written once, named by their hash, and never changed.

One writer function with fixed settings: zstd 1 (measured on 262,144 rows of 49 columns: the time of
no compression at all plus a quarter, and half the bytes), statistics on, row groups of 16,384 rows so
that one loan is found without reading its month. A file counts once the manifest names it; until then it is
an orphan. File: `segments/<table>/<month>/<sha256>.parquet`.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from poolhouse.book.canon import canonical_hash
from poolhouse.findings import Refused
from poolhouse.tables import SEGMENTS
from poolhouse.tables.contract import Table, ascending

ROW_GROUP_ROWS = 16_384
PART_ROWS = 262_144
"""Rows of a full part: the unit of memory, threads and Spark."""

UPCASTS: dict[tuple[str, int], Callable[[pl.LazyFrame], pl.LazyFrame]] = {}
"""(table, version) -> pure function to the next version: files are never rewritten, they are read up."""

_counter = itertools.count()


@dataclass(frozen=True)
class Written:
    """A segment file as its manifest row will name it."""

    table: str
    month: int
    part: int
    rows: int
    schema_version: int
    content_hash: str
    sha256: str
    is_new: bool

    def entry(self) -> dict[str, Any]:
        """What the event's envelope says of it: all but the file's own bytes."""
        return {
            "table": self.table, "month": self.month, "part": self.part, "rows": self.rows,
            "schema_version": self.schema_version, "content_hash": self.content_hash,
        }  # fmt: skip


def contract(name: str) -> Table:
    """The segment table's contract, or ValueError with the names there are."""
    if name not in SEGMENTS:
        raise ValueError(f"no segment table {name!r}; there are {', '.join(sorted(SEGMENTS))}")
    return SEGMENTS[name]


def row_order(table: Table) -> tuple[str, ...]:
    """The columns rows are stored by: the contract's sort, then what else its key has."""
    return (*table.sort, *(name for name in table.key if name not in table.sort))


def is_ordered(frame: pl.DataFrame, order: tuple[str, ...]) -> bool:
    """Rows strictly ascending by the columns: in order and none twice."""
    return ascending(frame, order, strictly=True)


def arrange(table: Table, frame: pl.DataFrame) -> pl.DataFrame:
    """The frame as the contract wants it, rows in their one order. ValueError names a key that comes twice."""
    order = row_order(table)
    frame = table.conform(frame)
    if is_ordered(frame, order):
        return frame
    frame = frame.sort(order)
    if not is_ordered(frame, order):
        twice = frame.filter(pl.struct(order).is_duplicated()).select(order).row(0, named=True)
        raise ValueError(f"table {table.name}: more than one row for {twice}")
    return frame


def parquet_bytes(frame: pl.DataFrame) -> memoryview:
    """The one way a frame becomes a file."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd", compression_level=1, statistics=True, row_group_size=ROW_GROUP_ROWS)
    return buffer.getbuffer()


def write_durably(path: Path, data: bytes | memoryview) -> None:
    """Temp file, write, fsync, rename: the name never stands for half a file. The folder's fsync is the caller's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temp = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}-{next(_counter)}.tmp")
    try:
        with temp.open("wb", buffering=0) as file:
            view = memoryview(data)
            while view:
                view = view[file.write(view) :]
            os.fsync(file.fileno())
        temp.replace(path)
    finally:
        temp.unlink(missing_ok=True)


def fsync_folder(folder: Path) -> None:
    """Make the folder's names durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def segment_path(folder: Path, table: str, month: int, sha256: str) -> Path:
    """Where a segment's file is."""
    return folder / "segments" / table / str(month) / f"{sha256}.parquet"


def write_segment(folder: Path, name: str, frame: pl.DataFrame, month: int, part: int) -> Written:
    """Check a frame against its contract and write it durably; not yet in the manifest."""
    table = contract(name)
    frame = arrange(table, frame)
    content_hash = canonical_hash(frame)
    data = parquet_bytes(frame)
    sha256 = hashlib.sha256(data).hexdigest()
    path = segment_path(folder, name, month, sha256)
    is_new = not path.exists()
    write_durably(path, data)
    return Written(name, month, part, frame.height, table.version, content_hash, sha256, is_new)


def upcast(table: Table, version: int, frame: pl.LazyFrame) -> pl.LazyFrame:
    """Rows of an older schema version as today's. Refused when there is no way."""
    if version > table.version:
        raise Refused(f"table {table.name} version {version} is newer than this Poolhouse knows; upgrade Poolhouse")
    while version < table.version:
        step = UPCASTS.get((table.name, version))
        if step is None:
            raise Refused(f"table {table.name} version {version} can't be read as version {table.version}")
        frame, version = step(frame), version + 1
    return frame


def read_segment(path: Path, table: Table, version: int, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """A segment's rows under today's contract, some columns or all. Refused when missing, torn or of another shape."""
    wanted = {name: table.schema[name] for name in columns} if columns else table.schema
    try:
        frame = pl.read_parquet(path, columns=list(wanted) if columns and version == table.version else None)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise Refused(f"segment {path} can't be read: {error}; run `verify`, then restore it from a backup") from error
    if version != table.version:
        frame = upcast(table, version, frame.lazy()).collect()
    frame = frame.select(list(wanted)) if columns else frame
    if dict(frame.schema) != wanted:
        raise Refused(f"segment {path} doesn't have the columns of table {table.name} version {table.version}")
    return frame
