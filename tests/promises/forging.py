"""A forger's tools: alter one cent, row or byte of a book, and seal it again so that no hash tells.

With the chain sealed anew only the promises that read what the cent means can see it; they must.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from pathlib import Path
from typing import Any

import polars as pl

from poolhouse.book import Book, canonical_hash
from poolhouse.book.canon import canonical_json
from poolhouse.book.chain import link, record_entry
from poolhouse.book.segments import parquet_bytes, segment_path
from poolhouse.dates import parse_month


def alter(folder: Path, alteration: dict[str, Any]) -> None:
    """Do what a row of promises.toml says: `sql` statements, or `table`, `month` (the last when not given) and

    `where` for the first row that fits, with `set` (column -> SQL expression), `drop` (the row is gone) or, for the
    table's first file, `byte` (one byte of it is another). `sealed`: all hashes are made to fit again.
    """
    for statement in alteration.get("sql", ()):
        _execute(folder, statement)
    if "table" in alteration:
        month = parse_month(alteration["month"]) if "month" in alteration else None
        with Book.open(folder) as book:
            rows = [r for r in book.segment_rows(alteration["table"]) if month is None or r.month == month]
        if alteration.get("byte"):
            _flip(rows[0].path)
            return
        for row in reversed(rows):
            frame = _altered(pl.read_parquet(row.path), alteration)
            if frame is not None:
                _replace(folder, row.table, row.month, row.sha256, frame)
                break
        else:
            raise ValueError(f"no row for {alteration['what']}")
    if alteration.get("sealed", True):
        seal(folder)


def _execute(folder: Path, statement: str) -> None:
    with sqlite3.connect(folder / "record.sqlite") as connection:
        if not connection.execute(statement).rowcount:
            raise ValueError(f"nothing altered by {statement}")


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def _altered(frame: pl.DataFrame, alteration: dict[str, Any]) -> pl.DataFrame | None:
    fits = frame.select(pl.sql_expr(alteration["where"]).alias("fits"))["fits"].arg_true()
    if not len(fits):
        return None
    chosen = pl.int_range(pl.len()) == fits[0]
    if alteration.get("drop"):
        return frame.filter(~chosen)
    sets = [
        pl.when(chosen).then(pl.sql_expr(text).cast(frame.schema[name])).otherwise(pl.col(name)).alias(name)
        for name, text in alteration["set"].items()
    ]
    return frame.with_columns(sets)


def _replace(folder: Path, table: str, month: int, old: str, frame: pl.DataFrame) -> None:
    """Put another file in a segment's place, and its hashes into the manifest."""
    data = bytes(parquet_bytes(frame))
    sha256 = hashlib.sha256(data).hexdigest()
    segment_path(folder, table, month, sha256).write_bytes(data)
    with sqlite3.connect(folder / "record.sqlite") as connection:
        connection.execute(
            "UPDATE segments SET sha256 = ?, content_hash = ?, rows = ? WHERE sha256 = ? AND month = ?",
            (sha256, canonical_hash(frame), frame.height, old, month),
        )


def seal(folder: Path) -> None:
    """Make the whole chain fit the rows, files and texts as they stand now."""
    with Book.open(folder) as book:
        lines = book.lines().partition_by("event_seq", as_dict=True)
        records = {
            name: book.records(name).partition_by("event_seq", as_dict=True)
            for name in ("pools", "securities", "deals", "trades", "repurchases", "commitments")
        }
        events, manifest = book.stored_events(), book.segment_rows()
    prev, sealed = "", []
    for seq, stored in zip(events["seq"].to_list(), events["stored"].to_list(), strict=True):
        envelope = json.loads(stored)
        if (seq,) in lines:
            mine = lines[(seq,)].drop("event_seq", "line")
            envelope["lines"] = {"rows": mine.height, "content_hash": canonical_hash(mine)}
        for name, frames in records.items():
            if name in envelope["records"]:
                envelope["records"][name] = record_entry(name, frames[(seq,)].drop("event_seq"))
        names = ("table", "month", "part", "rows", "schema_version", "content_hash")
        envelope["segments"] = [{n: getattr(r, n) for n in names} for r in manifest if r.event_seq == seq]
        text = canonical_json(envelope)
        this = link(prev, text)
        sealed.append((text, prev, this, seq))
        prev = this
    with sqlite3.connect(folder / "record.sqlite") as connection:
        connection.executemany("UPDATE events SET stored = ?, prev_hash = ?, hash = ? WHERE seq = ?", sealed)
