"""The event chain: each event's hash covers the one before and everything the event carries.

An event is stored as one canonical JSON text, its envelope:

    {"body": {...}, "clock": "2009-01-31", "kind": "MonthClosed", "lines": {"content_hash", "rows"},
     "market_date": "2009-01-31", "records": {"pools": {"content_hash", "rows", "schema_version"}},
     "segments": [{"content_hash", "month", "part", "rows", "schema_version", "table"}], "seq": 17}

    hash = SHA-256(the hash before as 32 bytes, none for the first event + the envelope's exact stored bytes)

`clock` is the book's market date from here on, in the last event of a command, else null.
Content hashes are of values (canon.py), so the head is the same whatever wrote the Parquet files.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl

from poolhouse.book.canon import canonical_hash, canonical_json
from poolhouse.book.record import LINES_SCHEMA
from poolhouse.book.segments import Written
from poolhouse.tables import RECORDS


@dataclass
class Draft:
    """An event before it is sealed: what is given to it until the next event or the command's end."""

    seq: int
    kind: str
    market_date: date
    body: dict[str, Any]
    lines: pl.DataFrame
    segments: list[Written] = field(default_factory=list)
    records: dict[str, pl.DataFrame] = field(default_factory=dict)
    clock: date | None = None

    def envelope(self) -> str:
        """The exact text that is stored and hashed."""
        # segments may be written by several threads: their order is put right here, not left to chance
        self.segments.sort(key=lambda s: (s.table, s.month, s.part, s.content_hash))
        return canonical_json(
            {
                "seq": self.seq,
                "kind": self.kind,
                "market_date": self.market_date.isoformat(),
                "clock": self.clock.isoformat() if self.clock else None,
                "body": self.body,
                "lines": {"rows": self.lines.height, "content_hash": canonical_hash(self.lines)},
                "records": {name: record_entry(name, frame) for name, frame in self.records.items()},
                "segments": [s.entry() for s in self.segments],
            }
        )


def record_entry(name: str, frame: pl.DataFrame) -> dict[str, Any]:
    """What the envelope says of one record table's rows."""
    return {"rows": frame.height, "content_hash": canonical_hash(frame), "schema_version": RECORDS[name].version}


def link(prev_hash: str, stored: str) -> str:
    """The hash of an event from the hash before ('' for the first) and its stored text."""
    return hashlib.sha256(bytes.fromhex(prev_hash) + stored.encode()).hexdigest()


def sorted_lines(lines: pl.DataFrame | None) -> pl.DataFrame:
    """Lines in their one order. TypeError when columns or types are not those of a line."""
    if lines is None:
        return pl.DataFrame(schema=LINES_SCHEMA)
    if dict(lines.schema) != LINES_SCHEMA:
        raise TypeError(f"lines: {dict(lines.schema)} is not {LINES_SCHEMA}")
    if any(lines[name].null_count() for name in LINES_SCHEMA):
        raise TypeError("lines: a null where none may be")
    return lines.select(list(LINES_SCHEMA)).sort(list(LINES_SCHEMA))
