"""The record: SQL tables of everything with few rows, the same in SQLite and PostgreSQL.

Thousands of rows a month: events and their chain, ledger lines, the manifest of segments, the
answers of commands, the inbox, and one table for each contract of `tables.RECORDS`.
"""

from __future__ import annotations

from typing import Any

import polars as pl
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    CursorResult,
    Date,
    Index,
    Integer,
    MetaData,
    Select,
    SmallInteger,
    String,
)
from sqlalchemy import Table as SqlTable
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine

from poolhouse.book.canon import canonical_json, sha256_text
from poolhouse.tables import RECORDS
from poolhouse.tables.contract import Table

RECORD_VERSION = 1
"""Version of the record's own layout: opening a book compares this integer."""

METADATA = MetaData()

BOOK = SqlTable(
    "book", METADATA,
    Column("record_version", Integer, primary_key=True, autoincrement=False),
    Column("layout", String, nullable=False),
    Column("meta", String, nullable=False),
)  # fmt: skip
"""One row: which layout this is, and the small facts the book was made with."""

COMMANDS = SqlTable(
    "commands", METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("key", String, nullable=False, unique=True),
    Column("name", String, nullable=False),
    Column("body_sha256", String, nullable=False),
    Column("answer", String, nullable=False),
    Column("answer_sha256", String, nullable=False),
    Column("market_date", Date, nullable=False),
    Column("first_seq", BigInteger, nullable=False),
    Column("last_seq", BigInteger, nullable=False),
    Column("recorded_at", String, nullable=False),
    Column("actor", String, nullable=False),
)  # fmt: skip
"""One row per command; it made the events first_seq..last_seq (none when last < first).
`recorded_at` and `actor` are the audit trail: outside of all that is hashed."""

EVENTS = SqlTable(
    "events", METADATA,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String, nullable=False, index=True),
    Column("market_date", Date, nullable=False),
    Column("stored", String, nullable=False),
    Column("prev_hash", String, nullable=False),
    Column("hash", String, nullable=False),
)  # fmt: skip
"""`stored` is the exact text that is hashed: see chain.py."""

LINES = SqlTable(
    "lines", METADATA,
    Column("event_seq", BigInteger, primary_key=True, autoincrement=False),
    Column("line", Integer, primary_key=True, autoincrement=False),
    Column("party_id", Integer, nullable=False),
    Column("account", String, nullable=False),
    Column("value_date", Date, nullable=False),
    Column("cents", BigInteger, nullable=False),
)  # fmt: skip

SEGMENTS = SqlTable(
    "segments", METADATA,
    Column("event_seq", BigInteger, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("table", String, nullable=False),
    Column("month", Integer, nullable=False),
    Column("part", Integer, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("schema_version", Integer, nullable=False),
    Column("content_hash", String, nullable=False),
    Column("sha256", String, nullable=False),
    Index("segments_by_table", "table", "month", "part"),
)  # fmt: skip
"""The manifest: a file counts only when it stands here."""

INBOX = SqlTable(
    "inbox", METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("kind", String, nullable=False),
    Column("key", String, nullable=False, unique=True),
    Column("body", String, nullable=False),
    Column("event_seq", BigInteger, nullable=True),
    Column("recorded_at", String, nullable=False),
    Column("actor", String, nullable=False),
)  # fmt: skip
"""Facts that arrived one by one; `event_seq` is the event that took them, null while they wait."""

WRITER = SqlTable(
    "writer", METADATA,
    Column("name", String, primary_key=True),
    Column("since", String, nullable=False),
    Column("actor", String, nullable=False),
)  # fmt: skip
"""PostgreSQL only: what the holder of the advisory lock is doing."""

_TYPES: dict[pl.DataType, type[TypeEngine[Any]]] = {
    pl.Int8(): SmallInteger, pl.Int16(): SmallInteger, pl.Int32(): Integer, pl.Int64(): BigInteger, pl.String(): String,
    pl.Date(): Date, pl.Boolean(): Boolean,
}  # fmt: skip


def _record_table(contract: Table) -> SqlTable:
    columns: list[Column[Any]] = [
        Column(c.name, _TYPES[c.dtype], primary_key=c.name in contract.key, nullable=c.nullable, autoincrement=False)
        for c in contract.columns
    ]
    return SqlTable(contract.name, METADATA, *columns, Column("event_seq", BigInteger, nullable=False, index=True))


RECORD_TABLES = {name: _record_table(contract) for name, contract in RECORDS.items()}
"""A SQL table per contract, its key the primary key, with the event that carried each row."""

LINES_SCHEMA: dict[str, pl.DataType] = {
    "party_id": pl.Int32(), "account": pl.String(), "value_date": pl.Date(), "cents": pl.Int64(),
}  # fmt: skip
"""What a command gives as ledger lines: debits positive, credits negative."""


def layout() -> str:
    """A fingerprint of every column: a contract changed without a new RECORD_VERSION is seen on opening."""
    shape = [[t.name, [[c.name, str(c.type), bool(c.primary_key)] for c in t.columns]] for t in METADATA.sorted_tables]
    return sha256_text(canonical_json(sorted(shape)))[:16]


def insert_frame(connection: Connection, table: SqlTable, frame: pl.DataFrame) -> None:
    """Insert a frame's rows through the driver itself: no object per row, as lines come in thousands."""
    if not frame.height:
        return
    quote = connection.dialect.identifier_preparer.quote
    mark = "?" if connection.dialect.paramstyle == "qmark" else "%s"
    names = ", ".join(quote(name) for name in frame.columns)
    marks = ", ".join([mark] * frame.width)
    dates = [pl.col(name).dt.to_string("%Y-%m-%d") for name, dtype in frame.schema.items() if dtype == pl.Date]
    rows = frame.with_columns(dates).rows()
    connection.exec_driver_sql(f"INSERT INTO {quote(table.name)} ({names}) VALUES ({marks})", rows)


_FETCH_ROWS = 16_384


def select_frame(connection: Connection, query: Select[Any], schema: dict[str, pl.DataType]) -> pl.DataFrame:
    """The query's rows as a frame of that schema; the query's columns stand in the schema's order.

    Rows come straight from the driver, some thousands at a time: for a year's ledger lines an object per row
    is half of the time and most of the memory.
    """
    frames = [pl.DataFrame(schema=schema)]
    with connection.execute(query) as result:
        while rows := _fetch(connection, result):
            columns = zip(schema.items(), zip(*rows, strict=True), strict=True)
            frames.append(pl.DataFrame([_column(name, dtype, values) for (name, dtype), values in columns]))
    return pl.concat(frames, rechunk=True)


def _fetch(connection: Connection, result: CursorResult[Any]) -> list[Any]:
    """The next rows. A driver's error is raised as SQLAlchemy's, as everywhere else."""
    driver: Any = connection.dialect.dbapi
    try:
        return list(result.cursor.fetchmany(_FETCH_ROWS)) if result.cursor is not None else []
    except driver.Error as error:
        raise DBAPIError("fetch", None, error) from error


def _column(name: str, dtype: pl.DataType, values: tuple[Any, ...]) -> pl.Series:
    if dtype == pl.Date and isinstance(values[0], str):  # SQLite keeps days as text
        return pl.Series(name, values, dtype=pl.String).str.to_date("%Y-%m-%d")
    return pl.Series(name, values, dtype=dtype)
