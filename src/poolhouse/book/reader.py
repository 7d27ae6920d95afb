"""Reading a book: what every query starts from. Readers never wait and never see half a command.

Each call is one SQL snapshot; segments named by it are never changed, so what was read stays true.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import polars as pl
from sqlalchemy import BigInteger, Connection, Select, cast, func, select

from poolhouse.book import record
from poolhouse.book.place import Place, reader_engine
from poolhouse.book.segments import contract, is_ordered, read_segment, row_order, segment_path, upcast
from poolhouse.findings import Refused
from poolhouse.tables import RECORDS

T = TypeVar("T")

_LINE_SCHEMA: dict[str, pl.DataType] = {"event_seq": pl.Int64(), "line": pl.Int32(), **record.LINES_SCHEMA}
_BALANCE_SCHEMA: dict[str, pl.DataType] = {"party_id": pl.Int32(), "account": pl.String(), "cents": pl.Int64()}
_EVENT_SCHEMA: dict[str, pl.DataType] = {
    "seq": pl.Int64(), "kind": pl.String(), "market_date": pl.Date(), "stored": pl.String(), "prev_hash": pl.String(),
    "hash": pl.String(),
}  # fmt: skip


@dataclass(frozen=True)
class SegmentRow:
    """A row of the manifest. `folder`: the book's."""

    table: str
    month: int
    part: int
    folder: Path
    sha256: str
    content_hash: str
    rows: int
    event_seq: int
    schema_version: int

    @property
    def path(self) -> Path:
        """Where the file stands."""
        return segment_path(self.folder, self.table, self.month, self.sha256)


class Reader:
    """The reading half of a book."""

    def __init__(self, at: Place) -> None:
        self.place = at
        self.folder = at.folder
        self._engine = reader_engine(at)

    def close(self) -> None:
        """Let go of the database's connections."""
        self._engine.dispose()

    def read(self, work: Callable[[Connection], T]) -> T:
        """Do some reading in one snapshot."""
        with self._engine.begin() as connection:
            return work(connection)

    def rows(self, query: Select[Any]) -> list[Any]:
        """A query's rows."""
        return self.read(lambda c: list(c.execute(query).fetchall()))

    def frame(self, query: Select[Any], schema: dict[str, pl.DataType]) -> pl.DataFrame:
        """A query's rows as a frame."""
        return self.read(lambda c: record.select_frame(c, query, schema))

    # what the book is, and where its clock stands

    @property
    def meta(self) -> dict[str, Any]:
        """The small facts the book was made with."""
        meta: dict[str, Any] = json.loads(self.rows(select(record.BOOK.c.meta))[0][0])
        return meta

    @property
    def head(self) -> str:
        """The last event's hash in hex, '' when there is none. Keep it elsewhere: it proves the whole book."""
        return self.read(head)[1]

    @property
    def seq(self) -> int:
        """The last event's number, 0 when there is none."""
        return self.read(head)[0]

    @property
    def market_date(self) -> date:
        """The book's clock: the market date of the last committed command. Refused when there is none."""
        query = select(record.COMMANDS.c.market_date).order_by(record.COMMANDS.c.number.desc()).limit(1)
        found = self.rows(query)
        if not found:
            raise Refused(f"{self.place.name}: nothing has been committed to this book yet")
        day: date = found[0][0]
        return day

    # segments

    def segment_rows(self, table: str | None = None, months: Iterable[int] | None = None) -> list[SegmentRow]:
        """The manifest, in (table, month, part, event) order."""
        s = record.SEGMENTS.c
        query = select(
            s.table, s.month, s.part, s.sha256, s.content_hash, s.rows, s.event_seq, s.schema_version
        ).order_by(s.table, s.month, s.part, s.event_seq, s.number)  # fmt: skip
        if table is not None:
            query = query.where(s.table == contract(table).name)
        if months is not None:
            query = query.where(s.month.in_(list(months)))
        return [SegmentRow(r[0], r[1], r[2], self.folder, *r[3:]) for r in self.rows(query)]

    def segment(
        self, table: str, month: int | None = None, part: int | None = None, columns: Sequence[str] | None = None
    ) -> pl.DataFrame:
        """All committed rows under today's contract: months in order, within a month in the contract's order.

        `columns`: only these are read; those the table is sorted by must be among them.
        """
        rows = self.segment_rows(table, None if month is None else [month])
        if part is not None:
            rows = [r for r in rows if r.part == part]
        return read_rows(table, rows, columns)

    def months(self, table: str) -> list[int]:
        """Months the table has segments of."""
        return sorted({r.month for r in self.segment_rows(table)})

    def parts(self, table: str, month: int) -> list[int]:
        """Parts of that month."""
        return sorted({r.part for r in self.segment_rows(table, [month])})

    def scan(
        self, table: str, months: Iterable[int] | None = None, parts: Container[int] | None = None
    ) -> pl.LazyFrame:
        """The same rows, lazily: filters and columns reach down into the files. Files come in month and part order."""
        known = contract(table)
        rows = [r for r in self.segment_rows(table, months) if parts is None or r.part in parts]
        scans = [upcast(known, r.schema_version, pl.scan_parquet(r.path)) for r in rows]
        return pl.concat(scans) if scans else known.empty().lazy()

    # the record

    def records(self, table: str) -> pl.DataFrame:
        """A record table's rows in the contract's order, and the `event_seq` that carried each."""
        known = RECORDS[table]
        sql = record.RECORD_TABLES[table].c
        query = select(*(sql[c.name] for c in known.columns), sql.event_seq)
        return self.frame(query, {**known.schema, "event_seq": pl.Int64()}).sort(row_order(known))

    def events(self, kind: str | None = None) -> pl.DataFrame:
        """seq, kind, market_date, body (JSON), prev_hash, hash, stored (the exact hashed text), by seq."""
        frame = self.stored_events(kind)
        bodies = [json.dumps(json.loads(text)["body"], sort_keys=True) for text in frame["stored"]]
        body = pl.Series("body", bodies, dtype=pl.String)
        return frame.with_columns(body).select("seq", "kind", "market_date", "body", "prev_hash", "hash", "stored")

    def stored_events(self, kind: str | None = None) -> pl.DataFrame:
        """seq, kind, market_date, stored, prev_hash, hash as they stand, nothing parsed."""
        e = record.EVENTS.c
        query = select(e.seq, e.kind, e.market_date, e.stored, e.prev_hash, e.hash).order_by(e.seq)
        return self.frame(query if kind is None else query.where(e.kind == kind), _EVENT_SCHEMA)

    def event_bodies(self, kind: str) -> list[dict[str, Any]]:
        """The bodies of all events of a kind, by seq."""
        e = record.EVENTS.c
        return [json.loads(r[0])["body"] for r in self.rows(select(e.stored).where(e.kind == kind).order_by(e.seq))]

    def lines(
        self,
        event_seq: int | None = None,
        *,
        party_id: int | None = None,
        account: str | None = None,
        until: date | None = None,
    ) -> pl.DataFrame:
        """Ledger lines by event and line: event_seq, line, party_id, account, value_date, cents (debits positive)."""
        sql = record.LINES.c
        query = select(*(sql[name] for name in _LINE_SCHEMA)).order_by(sql.event_seq, sql.line)
        for column, value in ((sql.event_seq, event_seq), (sql.party_id, party_id), (sql.account, account)):
            if value is not None:
                query = query.where(column == value)
        return self.frame(query if until is None else query.where(sql.value_date <= until), _LINE_SCHEMA)

    def balances(
        self, as_of: date | None = None, *, account: str | None = None, parties: list[int] | None = None
    ) -> pl.DataFrame:
        """party_id, account, cents: sums of lines with a value date up to `as_of`, of one account or some parties."""
        sql = record.LINES.c
        total = cast(func.sum(sql.cents), BigInteger)
        query = select(sql.party_id, sql.account, total).group_by(sql.party_id, sql.account)
        if account is not None:
            query = query.where(sql.account == account)
        if parties is not None:
            query = query.where(sql.party_id.in_(parties))
        frame = self.frame(query if as_of is None else query.where(sql.value_date <= as_of), _BALANCE_SCHEMA)
        return frame.sort("party_id", "account")

    def command_keys(self) -> list[str]:
        """Keys of the committed commands, oldest first."""
        return [r[0] for r in self.rows(select(record.COMMANDS.c.key).order_by(record.COMMANDS.c.number))]

    def answer(self, key: str) -> dict[str, Any] | None:
        """What the command of that key answered, None when it was never committed."""
        found = self.rows(select(record.COMMANDS.c.answer).where(record.COMMANDS.c.key == key))
        return json.loads(found[0][0]) if found else None


def head(connection: Connection) -> tuple[int, str]:
    """Number and hash of the last event: (0, '') when there is none."""
    e = record.EVENTS.c
    found = connection.execute(select(e.seq, e.hash).order_by(e.seq.desc()).limit(1)).first()
    return (found[0], found[1]) if found else (0, "")


def read_rows(table: str, rows: list[SegmentRow], columns: Sequence[str] | None = None) -> pl.DataFrame:
    """The rows of some segments of one table, months in order, each month in the contract's order."""
    known = contract(table)
    months: dict[int, list[pl.DataFrame]] = {}
    for row in rows:
        months.setdefault(row.month, []).append(read_segment(row.path, known, row.schema_version, columns))
    if not months:
        return known.empty().select(columns or pl.all())
    order = row_order(known)
    frames = []
    for month in sorted(months):
        frame = pl.concat(months[month])
        whole = len(months[month]) == 1 or is_ordered(frame, order)
        frames.append(frame if whole else frame.sort(order, maintain_order=True))
    return pl.concat(frames)
