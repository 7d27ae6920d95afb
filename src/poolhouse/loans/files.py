"""Opens a user's tape, whatever it turns out to be, and hands on its rows as text.

CSV (plain or gzip, by content) is read in blocks, one physical line per row, so memory holds the
wanted columns and never the file. Lines that are no row (another number of fields, an open quote,
NUL bytes, no UTF-8) are kept as broken rows, to be rejected one by one. What is no tape at all is
refused before its bulk is read: no file is trusted to have short lines, few columns or an end.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, cast

import numpy as np
import numpy.typing as npt
import polars as pl

from poolhouse.findings import Refused

_BLOCK = 16 * 2**20
_LONGEST_LINE = 2**20
_LONGEST_FIELD = csv.field_size_limit()
_MOST_COLUMNS = 2_000
_LARGEST_FOOTER = 32 * 2**20
_DELIMITERS = (",", ";", "\t", "|")
_SHOWN = 80
_BOM = b"\xef\xbb\xbf"
_SAMPLE_BYTES, _SAMPLE_LINES = 2**16, 50

BROKEN_SCHEMA: dict[str, pl.DataType] = {
    "row": pl.Int64(),
    "loan_number": pl.String(),
    "value": pl.String(),
    "reason": pl.String(),
}


@dataclass(frozen=True)
class Head:
    """What the first bytes say: the kind of file and the names of its columns, in file order.

    `header`: the names stand in the first line; files of the agencies have none (layouts.py knows theirs).
    `sample`: the first lines of a file with bars, to tell such files by what stands in them.
    """

    path: Path
    kind: str  # csv | parquet | xml
    names: tuple[str, ...]
    delimiter: str = ","
    header: bool = True
    sample: tuple[str, ...] = ()


@dataclass(frozen=True)
class RawRows:
    """The wanted columns as text (named by position: '0', '7'...), plus `tape_row`, 1 = first data row.

    `broken` holds the lines that are no row; `rows` counts both.
    """

    frame: pl.DataFrame
    broken: pl.DataFrame
    rows: int


Fold = Callable[[pl.DataFrame], pl.DataFrame]


def read_head(source: Path | str) -> Head:
    """Kind and column names of a file. Refused when it can't be a table."""
    path = Path(source)
    if not path.exists():
        raise Refused(f"{path}: no such file")
    if not path.is_file():
        raise Refused(f"{path} is not a file: give one CSV, CSV.gz or Parquet file")
    if path.stat().st_size == 0:
        raise Refused(f"{path} is empty: it needs a header line and rows below it")
    try:
        with path.open("rb") as file:
            magic = file.read(4)
        return _parquet_head(path) if magic == b"PAR1" else _csv_head(path)
    except OSError as error:
        raise Refused(f"{path} can't be read: {error.strerror or error}") from error


def read_rows(head: Head, positions: list[int], key: int | None, fold: Fold | None = None) -> RawRows:
    """The rows of the wanted columns. `key`: position of the loan number, to name broken lines by it.

    `fold` makes fewer rows of many (a loan's months into one), block by block and once more at the end:
    folding what is folded already must be right.
    """
    if head.kind == "parquet":
        return _parquet_rows(head, positions)
    return _csv_rows(head, positions, key, fold)


# Parquet


def _parquet_head(path: Path) -> Head:
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(size - 8, 0))
        tail = file.read(8)
    if size < 12 or tail[4:] != b"PAR1":
        raise Refused(f"{path} begins as Parquet but has no end: the file is cut off, fetch it again")
    footer = struct.unpack("<I", tail[:4])[0]
    if footer > min(_LARGEST_FOOTER, size):
        raise Refused(f"{path}: its Parquet footer claims {footer:,} bytes: corrupt, or far too many columns")
    try:
        names = tuple(pl.read_parquet_schema(path))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError) as error:
        raise Refused(f"{path} is not readable Parquet: {_first_line(error)}") from error
    _check_columns(path, len(names))
    return Head(path, "parquet", names)


def _parquet_rows(head: Head, positions: list[int]) -> RawRows:
    try:
        frame = pl.read_parquet(head.path, columns=[head.names[p] for p in positions])
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError) as error:
        raise Refused(f"{head.path} is not readable Parquet: {_first_line(error)}") from error
    text = [_as_text(head, frame[head.names[p]]).alias(str(p)) for p in positions]
    rows = pl.int_range(1, frame.height + 1, dtype=pl.Int64, eager=True).alias("tape_row")
    return RawRows(pl.DataFrame([rows, *text]), pl.DataFrame(schema=BROKEN_SCHEMA), frame.height)


def _as_text(head: Head, column: pl.Series) -> pl.Series:
    kind = column.dtype
    if kind == pl.String:
        return column
    if kind in (pl.Float32, pl.Float64):
        # A float has no exact decimal: ten places undo its noise and keep every rate and cent.
        return column.cast(pl.Float64).round(10).cast(pl.String)
    if isinstance(kind, pl.Datetime):
        return column.cast(pl.Date).cast(pl.String)
    if kind.is_nested() or kind in (pl.Binary, pl.Object, pl.Duration):
        raise Refused(f"{head.path}: column {column.name!r} holds {kind}; a tape has one plain value per cell")
    return column.cast(pl.String)


# CSV


def open_bytes(path: Path) -> IO[bytes]:
    """The file's bytes, unpacked when its content is gzip."""
    with path.open("rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
    return cast(IO[bytes], gzip.open(path)) if zipped else path.open("rb")


def read_bytes(path: Path, file: IO[bytes], size: int) -> bytes:
    """At most `size` bytes more; none at the end. Refused when a gzip file is damaged."""
    try:
        return file.read(size)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise Refused(f"{path} is a gzip file that is cut off or damaged ({error}): fetch it again") from error


def _csv_head(path: Path) -> Head:
    with open_bytes(path) as file:
        start = read_bytes(path, file, _LONGEST_LINE)
    if not start:
        raise Refused(f"{path} is empty: it needs a header line and rows below it")
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise Refused(f"{path} is UTF-16 text: save it in UTF-8")
    if start.removeprefix(_BOM).lstrip()[:1] == b"<":
        return Head(path, "xml", ())
    line, newline, _ = start.removeprefix(_BOM).partition(b"\n")
    if b"\0" in line or start[:4] == b"PAR1":
        raise Refused(f"{path} is binary: give CSV text, gzip of it, or a bare Parquet file")
    if not newline and b"\r" in line:
        raise Refused(f"{path} ends its lines in the old Macintosh way (CR only): save it again as CSV in UTF-8")
    if not newline and len(start) == _LONGEST_LINE:
        raise Refused(f"{path}: its first line is longer than {_LONGEST_LINE:,} bytes: this is no table of rows")
    delimiter = max(_DELIMITERS, key=lambda d: line.count(d.encode()))
    _check_columns(path, line.count(delimiter.encode()) + 1)
    try:
        names = next(csv.reader([line.decode().rstrip("\r")], delimiter=delimiter, strict=True), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise Refused(f"{path}: its first line is no header of a UTF-8 CSV file ({error})") from error
    sample = start[:_SAMPLE_BYTES].removeprefix(_BOM).decode(errors="replace").splitlines()[:_SAMPLE_LINES]
    shown = tuple(sample) if delimiter == "|" else ()
    return Head(path, "csv", tuple(n.strip() for n in names), delimiter, sample=shown)


def _check_columns(path: Path, count: int) -> None:
    if count > _MOST_COLUMNS:
        raise Refused(f"{path} has {count:,} columns: at most {_MOST_COLUMNS:,} can be meant")


def _csv_rows(head: Head, positions: list[int], key: int | None, fold: Fold | None) -> RawRows:
    frames, broken, rows = [], [], 0
    for block in _blocks(head.path, head.header):
        part = _block_rows(block, head, positions, key, rows)
        frames.append(part.frame if fold is None else fold(part.frame))
        broken.append(part.broken)
        rows += part.rows
    if not frames:
        schema = {"tape_row": pl.Int64(), **{str(p): pl.String() for p in positions}}
        return RawRows(pl.DataFrame(schema=schema), pl.DataFrame(schema=BROKEN_SCHEMA), 0)
    frame = pl.concat(frames)
    return RawRows(frame if fold is None else fold(frame), pl.concat(broken), rows)


def _blocks(path: Path, header: bool) -> Iterator[bytes]:
    """The file after its header, where it has one, in blocks of whole lines."""
    with open_bytes(path) as file:
        rest, first = b"", True
        while chunk := read_bytes(path, file, _BLOCK):
            if first:
                chunk = chunk[chunk.find(b"\n") + 1 or len(chunk) :] if header else chunk.removeprefix(_BOM)
                first = False
            end = chunk.rfind(b"\n") + 1
            if max(len(rest) + (chunk.find(b"\n") + 1 or len(chunk)), len(chunk) - end) > _LONGEST_LINE:
                raise Refused(f"{path} has a line longer than {_LONGEST_LINE:,} bytes: this is no table of rows")
            if end:
                yield rest + chunk[:end]
                rest = chunk[end:]
            else:
                rest += chunk
        if rest:
            yield rest + b"\n"


def _block_rows(block: bytes, head: Head, positions: list[int], key: int | None, before: int) -> RawRows:
    data = np.frombuffer(block, dtype=np.uint8)
    ends = np.flatnonzero(data == 10)
    starts = np.concatenate([np.zeros(1, np.int64), ends[:-1] + 1])
    blank = (ends == starts) | ((ends == starts + 1) & (data[starts] == 13))
    number = before + np.cumsum(~blank)
    found = np.searchsorted(np.flatnonzero(data == ord(head.delimiter)), ends)
    delimiters = np.diff(found, prepend=0)
    odd = np.zeros(len(starts), dtype=np.bool_)
    for mark in (b'"', b"\0"):
        if mark in block:
            odd[np.searchsorted(ends, np.flatnonzero(data == mark[0]))] = True
    if not block.isascii():
        odd |= _undecodable(block, data, starts, ends)
    plain = ~blank & ~odd & (delimiters == len(head.names) - 1)
    frame = _plain_rows(block, data, plain, starts, ends, head, positions)
    frame = frame.insert_column(0, pl.Series("tape_row", number[plain], pl.Int64))
    rest = np.flatnonzero(~blank & ~plain)
    lines = [(int(number[i]), block[starts[i] : ends[i]]) for i in rest]
    quoted, broken = _quoted_rows(lines, head, positions, key)
    if quoted.height:
        frame = pl.concat([frame, quoted]).sort("tape_row")
    return RawRows(frame, broken, int((~blank).sum()))


def _undecodable(
    block: bytes, data: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Lines that are not UTF-8; only those with a byte above ASCII are looked at."""
    bad = np.zeros(len(starts), dtype=np.bool_)
    try:
        block.decode()
        return bad
    except UnicodeDecodeError:
        pass
    for i in np.unique(np.searchsorted(ends, np.flatnonzero(data >= 128))):
        try:
            block[starts[i] : ends[i]].decode()
        except UnicodeDecodeError:
            bad[i] = True
    return bad


def _plain_rows(
    block: bytes,
    data: npt.NDArray[np.uint8],
    plain: npt.NDArray[np.bool_],
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    head: Head,
    positions: list[int],
) -> pl.DataFrame:
    wanted = [str(p) for p in positions]
    if not plain.any():
        return pl.DataFrame(schema=dict.fromkeys(wanted, pl.String))
    if not plain.all():
        block = data[np.repeat(plain, ends - starts + 1)].tobytes()
    frame = pl.read_csv(
        io.BytesIO(block),
        has_header=False,
        schema={f"column_{i + 1}": pl.String for i in range(len(head.names))},
        columns=positions,
        separator=head.delimiter,
        quote_char=None,
    )
    frame = frame.select(pl.col(f"column_{p + 1}").alias(str(p)) for p in positions)
    if frame.height != int(plain.sum()):
        raise RuntimeError(f"{head.path}: {frame.height} rows read of {int(plain.sum())}")
    return frame


def _quoted_rows(
    lines: list[tuple[int, bytes]], head: Head, positions: list[int], key: int | None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Lines with quotes, one by one, and the lines that are no row."""
    good: list[list[object]] = []
    bad: list[tuple[int, str, str, str]] = []
    for number, line in lines:
        text = line.decode(errors="replace").rstrip("\r")
        fields, reason = _fields(line, text, head)
        if reason:
            name = fields[key].strip() if key is not None and key < len(fields) else ""
            bad.append((number, name, text[:_SHOWN], reason))
        else:
            good.append([number, *(fields[p] or None for p in positions)])
    schema = {"tape_row": pl.Int64(), **{str(p): pl.String() for p in positions}}
    return (
        pl.DataFrame(good, schema=schema, orient="row"),
        pl.DataFrame(bad, schema=BROKEN_SCHEMA, orient="row"),
    )


def _fields(line: bytes, text: str, head: Head) -> tuple[list[str], str]:
    """The fields of one line and why it is no row ('' when it is one)."""
    loose = text.split(head.delimiter)
    if b"\0" in line:
        return loose, "the line holds NUL bytes: save the file as plain text"
    if "�" in text and not _decodes(line):
        return loose, "the line is not UTF-8: save the file in UTF-8"
    if len(line) > _LONGEST_FIELD:
        return loose, f"the line is longer than {_LONGEST_FIELD:,} bytes"
    if not _quoting(head.delimiter).fullmatch(text):
        return loose, "a quote stands open or inside a cell: quote the cell, double the quote, keep a row on one line"
    fields = next(csv.reader([text], delimiter=head.delimiter, strict=True))
    if len(fields) != len(head.names):
        than = "the header" if head.header else "the file's first lines"
        return fields, f"the line has {len(fields)} fields and {than} {len(head.names)}"
    return fields, ""


@lru_cache(maxsize=len(_DELIMITERS))
def _quoting(delimiter: str) -> re.Pattern[str]:
    """A line whose quotes stand around whole cells. A quote elsewhere may be half of a broken row. Source: RFC 4180."""
    mark = re.escape(delimiter)
    cell = f'(?:"(?:[^"]|"")*+"|[^"{mark}]*+)'
    return re.compile(f"{cell}(?:{mark}{cell})*+")


def _decodes(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
