"""Users' small files: CSV (also .csv.gz) or Parquet with a few named columns, read as text by the tape's reader; and
how a file of ours appears, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from poolhouse.book import canonical_hash
from poolhouse.findings import Refused
from poolhouse.loans.files import Head, read_head, read_rows
from poolhouse.tables import REJECTS


@dataclass(frozen=True)
class TextTable:
    """`frame`: row (1 = first data row, i64) and the wanted columns as stripped text, '' for nothing.

    `broken`: REJECTS rows, the lines that are no row. `name`: what the rejects of this file are kept
    under: its kind and a hash of what was read.
    """

    frame: pl.DataFrame
    broken: pl.DataFrame
    name: str


def read_table(path: Path | str, columns: list[str], kind: str, optional: tuple[str, ...] = ()) -> TextTable:
    """The named columns of a file of a kind (payments, transfer). Refused with one clear sentence otherwise.

    `optional` columns may be missing: then they hold ''.
    """
    head = read_head(path)
    there = {name.strip().lower() for name in head.names}
    absent = [name for name in optional if name not in there]
    columns = [*columns, *(name for name in optional if name in there)]
    places = _places(head, columns)
    key = places.get("loan")
    raw = read_rows(head, sorted(places.values()), key)
    cells = [pl.col(str(places[c])).fill_null("").str.strip_chars().alias(c) for c in columns]
    frame = raw.frame.select(pl.col("tape_row").alias("row"), *cells)
    frame = frame.with_columns(pl.lit("").alias(column) for column in absent)
    name = f"{kind} {canonical_hash(pl.concat([frame.drop('row'), _padded(raw.broken, frame.columns[1:])]))[:12]}"
    broken = raw.broken.with_columns(field=pl.lit("row"), source_field=pl.lit(""), file=pl.lit(name))
    return TextTable(frame, REJECTS.conform(broken.select(list(REJECTS.schema))), name)


def _places(head: Head, columns: list[str]) -> dict[str, int]:
    """Where each wanted column stands; names count without case and spaces around them."""
    names = [n.strip().lower() for n in head.names]
    twice = [c for c in columns if names.count(c) > 1]
    if twice:
        raise Refused(f"{head.path}: column {', '.join(twice)} stands twice; keep one of each")
    missing = [c for c in columns if c not in names]
    if missing:
        raise Refused(f"{head.path}: column {', '.join(missing)} is missing; it needs {', '.join(columns)}")
    return {c: names.index(c) for c in columns}


def _padded(broken: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    """Broken lines in the shape of good ones, so that the file's hash covers them too."""
    empty = [pl.lit("").alias(c) for c in columns[1:]]
    return broken.select(pl.col("value").alias(columns[0]), *empty)


def whole_file(place: Path, write: Callable[[Path], object]) -> None:
    """The file appears when it is complete; one of that name stays until then. Refused where it can't be written."""
    part = place.with_name(f".{place.name}.part")
    try:
        write(part)
        part.replace(place)
    except OSError as error:
        raise Refused(f"{place} can't be written: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)
