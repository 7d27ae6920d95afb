"""The book: everything one market knows, in a folder or a team's database. Knows no mortgage."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import polars as pl
from sqlalchemy import insert, inspect, select
from sqlalchemy.exc import DBAPIError

from poolhouse.book import backup, check, inbox, lives, record
from poolhouse.book.place import OWN_NAMES, Place, place, reader_engine, writer_engine
from poolhouse.book.reader import Reader
from poolhouse.book.segments import fsync_folder
from poolhouse.book.storage import storage_refused
from poolhouse.book.writer import Txn
from poolhouse.findings import Refused


class Book(Reader):
    """An open book. Readers never wait; commands need `writable=True` and the writer's lock."""

    def __init__(self, at: Place, *, writable: bool) -> None:
        super().__init__(at)
        self._writer = writer_engine(at) if writable else None
        self._collected = False  # orphans are looked for once, by the first command

    @classmethod
    def exists(cls, url_or_path: str | Path) -> bool:
        """Is there a book?"""
        return _stored_row(place(url_or_path)) is not None

    @classmethod
    def create(cls, url_or_path: str | Path, meta: dict[str, Any]) -> Self:
        """Make an empty book and open it for writing. `meta`: small JSON kept with it. Refused when one is there."""
        at = place(url_or_path)
        if _stored_row(at) is not None:
            raise Refused(f"{at.name}: there is a book already; open it, or choose another place")
        strange = sorted(p.name for p in at.folder.iterdir() if p.name not in OWN_NAMES) if at.folder.is_dir() else []
        if strange:
            raise Refused(f"{at.folder}: the folder has other files ({strange[0]}); choose an empty or new one")
        row = {"record_version": record.RECORD_VERSION, "layout": record.layout(), "meta": json.dumps(meta)}
        with storage_refused(at.name):
            (at.folder / "segments").mkdir(parents=True, exist_ok=True)
            engine = writer_engine(at)
            with engine.begin() as connection:  # tables and first row at once: killed here, there is no book
                record.METADATA.create_all(connection)
                connection.execute(insert(record.BOOK).values(row))
            engine.dispose()
            fsync_folder(at.folder)
            fsync_folder(at.folder.parent)
        return cls(at, writable=True)

    @classmethod
    def open(cls, url_or_path: str | Path, *, writable: bool = False) -> Self:
        """Open a book. Refused when there is none, or it is of another version of the record."""
        at = place(url_or_path)
        found = _stored_row(at)
        if found is None:
            raise Refused(f"{at.name}: there is no book; make one with `poolhouse demo` or `poolhouse run`")
        if found != (record.RECORD_VERSION, record.layout()):
            raise Refused(
                f"{at.name}: the book has record version {found[0]} ({found[1]}), this Poolhouse knows "
                f"{record.RECORD_VERSION} ({record.layout()}); use the Poolhouse that made it, or make a new book"
            )
        return cls(at, writable=writable)

    def close(self) -> None:
        """Let go of the database's connections."""
        super().close()
        if self._writer is not None:
            self._writer.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def command(
        self, name: str, key: str, body: dict[str, Any], tables: Mapping[str, pl.DataFrame] | None = None
    ) -> Txn:
        """A command's transaction, for a `with` block: see writer.py.

        `key` derives from the inputs; `body` (and the values of `tables`) are what the same key must
        come with again. Refused when the key was used with another body, or another command is running.
        """
        if self._writer is None:
            raise Refused(f"{name}: the book was opened for reading only")
        collect, self._collected = not self._collected, True
        return Txn(self.place, self._writer, name, key, body, tables or {}, collect=collect)

    def inbox_add(self, kind: str, key: str, body: dict[str, Any]) -> bool:
        """Let a fact wait for the next command that takes its kind. False when it was there already."""
        if self._writer is None:
            raise Refused("the book was opened for reading only")
        with storage_refused("inbox"):
            return inbox.add(self._writer, kind, key, body)

    def inbox(self, kind: str) -> list[dict[str, Any]]:
        """Facts of a kind that still wait, oldest first, each with its `key`."""
        i = record.INBOX.c
        query = select(i.key, i.body).where(i.kind == kind, i.event_seq.is_(None)).order_by(i.number)
        return inbox.waiting(self.rows(query))

    def check(self) -> check.Report:
        """Recompute every hash the book has: see check.py."""
        return check.check(self)

    def write_lives(self, table: str, year: int) -> list[Path]:
        """Write a year's rows of a table sorted by subject and month: see lives.py."""
        return lives.write_lives(self, table, year)

    def life(self, table: str, subject_id: int) -> pl.DataFrame:
        """All rows of one loan (or whatever the table is sorted by first), months in order."""
        return lives.life(self, table, subject_id)

    def backup(self, to: str | Path) -> Path:
        """Copy the book to a new folder, the record first: see backup.py."""
        with storage_refused(f"backup to {to}"):
            return backup.backup(self, Path(to))


def _stored_row(at: Place) -> tuple[int, str] | None:
    """(record_version, layout) of the book at a place, None when there is none."""
    if at.is_folder and not Path(at.url.database or "").is_file():
        return None
    engine = reader_engine(at)
    try:
        with engine.begin() as connection:
            if not inspect(connection).has_table(record.BOOK.name):
                return None
            found = connection.execute(select(record.BOOK.c.record_version, record.BOOK.c.layout)).first()
            return (found[0], found[1]) if found else None
    except DBAPIError as error:
        raise Refused(f"{at.name}: can't be opened as a book: {error.orig}") from error
    finally:
        engine.dispose()
