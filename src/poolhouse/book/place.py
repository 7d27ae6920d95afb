"""Where a book is: a folder with its SQLite record, or a PostgreSQL database with a segments folder.

* `my-book` (any path): `my-book/record.sqlite`, `my-book/segments/`, `my-book/lives/`, `my-book/writer.lock`.
* `postgresql://user@host/db?segments=/srv/poolhouse`: the record in that database (one book per
  database), files under the given folder. Without `segments`: `./db.poolhouse` in the current folder.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, NullPool, create_engine, event, make_url

from poolhouse.findings import Refused

RECORD_FILE = "record.sqlite"
OWN_NAMES = frozenset(
    {
        RECORD_FILE,
        RECORD_FILE + "-wal",
        RECORD_FILE + "-shm",
        RECORD_FILE + "-journal",
        "segments",
        "lives",
        "writer.lock",
        "rejects.csv",
    }
)
"""What a book's folder holds; anything else there is not ours."""

_WAIT_S = 30  # for the short commits of others (the inbox); never for a whole command


@dataclass(frozen=True)
class Place:
    """The record's URL and the folder of its files."""

    url: URL
    folder: Path

    @property
    def is_folder(self) -> bool:
        """A SQLite record inside the folder, as against a team's database."""
        return self.url.get_backend_name() == "sqlite"

    @property
    def name(self) -> str:
        """What to call the book in a message; never shows a password."""
        return str(self.folder) if self.is_folder else self.url.render_as_string(hide_password=True)


def place(url_or_path: str | Path) -> Place:
    """The place that a user's path or URL means. Refused when it is neither."""
    text = str(url_or_path)
    if "://" not in text:
        folder = Path(text).expanduser().absolute()
        return Place(URL.create("sqlite", database=str(folder / RECORD_FILE)), folder)
    url = make_url(text)
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise Refused(f"{url.render_as_string()}: a book is a folder or a postgresql:// URL")
    segments = url.query.get("segments")
    if isinstance(segments, tuple):
        raise Refused(f"{url.render_as_string()}: `segments` is given more than once")
    folder = Path(segments).expanduser() if segments else Path(f"{url.database}.poolhouse")
    url = url.set(drivername="postgresql+psycopg").difference_update_query(["segments"])
    return Place(url, folder.absolute())


def reader_engine(at: Place) -> Engine:
    """An engine whose transactions only read, each a snapshot: readers never wait for the writer."""
    if not at.is_folder:
        return create_engine(at.url, isolation_level="REPEATABLE READ", execution_options={"postgresql_readonly": True})
    engine = create_engine(at.url, connect_args={"timeout": _WAIT_S})
    _own_transactions(engine, "BEGIN", ("PRAGMA query_only=ON",))
    return engine


def writer_engine(at: Place) -> Engine:
    """An engine that writes durably, one connection at a time.

    SQLAlchemy's default begin lets two SQLite writers read the same head and fork the chain, so a
    transaction begins IMMEDIATE here: it owns the database before it reads.
    """
    if not at.is_folder:
        return create_engine(at.url, poolclass=NullPool)
    engine = create_engine(at.url, poolclass=NullPool, connect_args={"timeout": _WAIT_S})
    _own_transactions(engine, "BEGIN IMMEDIATE", ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL"))
    return engine


def _own_transactions(engine: Engine, begin: str, pragmas: tuple[str, ...]) -> None:
    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # the driver must not begin on its own
        for pragma in pragmas:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql(begin)
