"""Immutable? Recomputes every hash of a book from the bytes that are stored, and names what differs.

Of another source than the thing checked: the chain from the stored texts, segments from their
files, records and lines from their rows, each against what the chained envelopes say.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from poolhouse.book import lives, record
from poolhouse.book.canon import canonical_hash, sha256_text
from poolhouse.book.chain import link, record_entry
from poolhouse.book.reader import Reader, SegmentRow
from poolhouse.tables import RECORDS, SEGMENTS


@dataclass(frozen=True)
class Problem:
    """One thing that is not as it was committed.

    `kind`: database, event, lines, record, segment, command or lives.
    """

    kind: str
    where: str
    message: str


@dataclass(frozen=True)
class Report:
    """What was found; `counts` says how many events, lines, records, segments... were recomputed."""

    problems: tuple[Problem, ...]
    counts: dict[str, int]
    head: str

    @property
    def ok(self) -> bool:
        """Nothing differs."""
        return not self.problems


def check(book: Reader) -> Report:
    """Recompute everything. Counts: events, lines, records, segments, segment_rows, commands, lives.

    What is so damaged that it can't even be read is a problem too, never an exception.
    """
    counts: Counter[str] = Counter(events=0, lines=0, records=0, segments=0, segment_rows=0, commands=0, lives=0)
    problems: list[Problem] = []
    envelopes: dict[int, dict[str, Any]] = {}
    head: list[str] = []
    parts: tuple[tuple[str, Callable[[], list[Problem]]], ...] = (
        ("database", lambda: _check_database(book)),
        ("event", lambda: _check_chain(book, envelopes, head, counts)),
        ("lines", lambda: _check_lines(book, envelopes, counts)),
        ("record", lambda: _check_records(book, envelopes, counts)),
        ("segment", lambda: _check_segments(book, envelopes, counts)),
        ("command", lambda: _check_commands(book, envelopes, counts)),
        ("lives", lambda: _check_lives(book, counts)),
    )
    for kind, part in parts:
        if kind == "lives" and any(p.kind == "segment" for p in problems):
            continue  # nothing sound to compare them with
        try:
            problems += part()
        except _UNREADABLE as error:
            problems.append(Problem(kind, "all", f"the record can't be read: {error}".splitlines()[0]))
    return Report(tuple(problems), dict(counts), head[-1] if head else "")


_UNREADABLE = (
    SQLAlchemyError, pl.exceptions.PolarsError, ValueError, TypeError, OverflowError, KeyError, AttributeError,
)  # fmt: skip
"""What reading altered rows may raise: a text where a number was, no date, a torn page."""


def _check_database(book: Reader) -> list[Problem]:
    """SQLite's own check: a row that differs from its index is read as either, depending on the question."""
    if not book.place.is_folder:
        return []
    found = book.read(lambda c: c.exec_driver_sql("PRAGMA integrity_check(3)").scalars().all())
    return [Problem("database", book.place.name, text) for text in found if text != "ok"]


def _check_chain(
    book: Reader, envelopes: dict[int, dict[str, Any]], head: list[str], counts: Counter[str]
) -> list[Problem]:
    """Fills `envelopes` by number and `head` with the hashes, in order."""
    problems, prev = [], ""
    for expected, (seq, kind, day, stored, prev_hash, this) in enumerate(book.stored_events().rows(), 1):
        where = f"event {seq}"
        if seq != expected:
            problems.append(Problem("event", where, f"number {expected} was expected: an event is missing"))
        if prev_hash != prev:
            problems.append(Problem("event", where, "doesn't follow from the event before"))
        if _link(prev_hash, stored) != this:
            problems.append(Problem("event", where, "its stored text doesn't give its hash"))
        else:
            envelope = json.loads(stored)
            envelopes[seq] = envelope
            if (envelope["seq"], envelope["kind"], envelope["market_date"]) != (seq, kind, day.isoformat()):
                problems.append(Problem("event", where, "number, kind or date differ from the stored text"))
        head.append(this)
        prev = this
        counts["events"] += 1
    return problems


def _link(prev_hash: str, stored: str) -> str:
    try:
        return link(prev_hash, stored)
    except ValueError:  # the hash before is no hexadecimal number
        return ""


def _by_event(frame: pl.DataFrame) -> dict[int, pl.DataFrame]:
    return {
        int(seq): part for (seq,), part in frame.partition_by("event_seq", as_dict=True, maintain_order=True).items()
    }


def _check_lines(book: Reader, envelopes: dict[int, dict[str, Any]], counts: Counter[str]) -> list[Problem]:
    problems = []
    lines = _by_event(book.lines())
    empty = pl.DataFrame(schema=record.LINES_SCHEMA)
    for seq in sorted(envelopes.keys() | lines.keys()):
        said = envelopes.get(seq, {}).get("lines", {"rows": 0, "content_hash": canonical_hash(empty)})
        found = lines.get(seq, empty)
        counts["lines"] += found.height
        numbered = not found.height or found["line"].to_list() == list(range(1, found.height + 1))
        content_hash = canonical_hash(found.select(list(record.LINES_SCHEMA)))
        if {"rows": found.height, "content_hash": content_hash} != said or not numbered:
            problems.append(Problem("lines", f"event {seq}", "its ledger lines are not those committed"))
    return problems


def _check_records(book: Reader, envelopes: dict[int, dict[str, Any]], counts: Counter[str]) -> list[Problem]:
    problems = []
    for table in RECORDS:
        found = _by_event(book.records(table))
        said = {seq: e["records"][table] for seq, e in envelopes.items() if table in e["records"]}
        for seq in sorted(found.keys() | said.keys()):
            rows = found[seq].drop("event_seq") if seq in found else RECORDS[table].empty()
            counts["records"] += rows.height
            if record_entry(table, rows) != said.get(seq):
                problems.append(Problem("record", f"{table}, event {seq}", "its rows are not those committed"))
    return problems


def _check_segments(book: Reader, envelopes: dict[int, dict[str, Any]], counts: Counter[str]) -> list[Problem]:
    problems = []
    manifest = book.segment_rows()
    said = Counter((seq, json.dumps(s, sort_keys=True)) for seq, e in envelopes.items() for s in e["segments"])
    have = Counter((r.event_seq, json.dumps(_entry(r), sort_keys=True)) for r in manifest)
    for seq, entry in sorted((said - have) + (have - said)):
        segment = json.loads(entry)
        where = f"{segment['table']} month {segment['month']} part {segment['part']}, event {seq}"
        problems.append(Problem("segment", where, "the manifest's row is not the one committed"))
    s = record.SEGMENTS.c
    numbers = select(s.event_seq, func.min(s.number), func.max(s.number), func.count()).group_by(s.event_seq)
    for seq, low, high, count in book.rows(numbers.order_by(s.event_seq)):
        if (low, high) != (1, count):
            problems.append(Problem("segment", f"event {seq}", "its manifest rows are not numbered as committed"))
    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as threads:
        for row, message in zip(manifest, threads.map(_check_file, manifest), strict=True):
            counts["segments"] += 1
            counts["segment_rows"] += row.rows
            if message:
                where = f"{row.table} month {row.month} part {row.part}, {row.path.name}"
                problems.append(Problem("segment", where, message))
    return problems


def _entry(row: SegmentRow) -> dict[str, Any]:
    names = ("table", "month", "part", "rows", "schema_version", "content_hash")
    return {name: getattr(row, name) for name in names}


def _check_file(row: SegmentRow) -> str:
    """What is wrong with a segment's file, '' when nothing is."""
    try:
        data = row.path.read_bytes()
    except OSError as error:
        return f"the file can't be read: {error.strerror}"
    if hashlib.sha256(data).hexdigest() != row.sha256:
        return "the file's bytes are not those committed"
    frame = pl.read_parquet(data)
    if frame.height != row.rows:
        return f"{frame.height} rows, {row.rows} were committed"
    return "" if canonical_hash(frame) == row.content_hash else "the rows' content hash is not the one committed"


def _check_commands(book: Reader, envelopes: dict[int, dict[str, Any]], counts: Counter[str]) -> list[Problem]:
    """Commands follow one another: each event was made by exactly one; no answer and no clock was altered."""
    c = record.COMMANDS.c
    problems, seq = [], 0
    query = select(c.number, c.key, c.answer, c.answer_sha256, c.first_seq, c.last_seq, c.market_date)
    for expected, row in enumerate(book.rows(query.order_by(c.number)), 1):
        number, key, answer, answer_sha256, first, last, market_date = row
        counts["commands"] += 1
        if number != expected or first != seq + 1 or last < seq:
            problems.append(Problem("command", key, "doesn't follow the command before: one is missing or altered"))
        if sha256_text(answer) != answer_sha256:
            problems.append(Problem("command", key, "its answer is not the one committed"))
        if last >= first and envelopes.get(last, {}).get("clock") != market_date.isoformat():
            problems.append(Problem("command", key, "its clock is not that of its last event"))
        seq = last
    if seq != max(envelopes, default=0):
        problems.append(
            Problem("command", "last", f"commands made {seq} events, there are {max(envelopes, default=0)}")
        )
    return problems


def _check_lives(book: Reader, counts: Counter[str]) -> list[Problem]:
    problems = []
    for table in SEGMENTS:
        if not (book.folder / "lives" / table).is_dir():
            continue
        for year, part, rows, path in lives.groups(book, table):
            if not path.exists():
                continue
            counts["lives"] += 1
            if not _same_life(path, lives.by_subject(table, rows)):
                message = "the life file doesn't equal its months; delete it and write it again"
                problems.append(Problem("lives", f"{table} {year} part {part}", message))
    return problems


def _same_life(path: Path, rows: pl.DataFrame) -> bool:
    try:
        return canonical_hash(pl.read_parquet(path)) == canonical_hash(rows)
    except (OSError, pl.exceptions.PolarsError):
        return False
