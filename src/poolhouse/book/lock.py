"""One writer at a time; a second one hears what the first is doing since when.

A folder's lock is an operating-system lock on `writer.lock`, a database's is an advisory lock of the
writer's own connection: both end with the process, so a writer that was killed blocks nobody.
"""

from __future__ import annotations

import fcntl
import getpass
import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, delete, func, insert, select

from poolhouse.book.record import WRITER
from poolhouse.findings import Refused

_ADVISORY_KEY = int.from_bytes(b"poolhous", "big") >> 1
"""The advisory lock's number: one book per database, so one number."""


def now() -> str:
    """The wall clock, for the audit trail and lock messages only: never hashed."""
    return datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="seconds")


def actor() -> str:
    """Who is at it, for the audit trail: the system's user."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return f"uid {os.getuid()}"


class Lock(Protocol):
    """What a writer holds during a command."""

    def acquire(self, name: str) -> None:
        """Take the lock for a command of that name, or Refused saying who holds it."""

    def release(self) -> None:
        """Give it back."""


class FolderLock:
    """An exclusive lock on the folder's `writer.lock`, whose text says who holds it."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "writer.lock"
        self._handle = -1

    def acquire(self, name: str) -> None:
        """Take the lock, or Refused."""
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(handle, 4096, 0)
            os.close(handle)
            raise Refused(_busy(holder)) from None
        text = json.dumps({"name": name, "actor": f"{actor()} (process {os.getpid()})", "since": now()})
        os.ftruncate(handle, 0)
        os.pwrite(handle, text.encode(), 0)
        self._handle = handle

    def release(self) -> None:
        """Give it back."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def _busy(holder: bytes) -> str:
    try:
        found = json.loads(holder)
        return _busy_text(found["name"], found["actor"], found["since"])
    except (ValueError, KeyError):  # between its lock and its writing
        return "busy: another command is being committed to this book; try again"


def _busy_text(name: str, who: str, since: str) -> str:
    return f"busy: {name} by {who} since {since}; wait for it to end, then try again"


class AdvisoryLock:
    """A PostgreSQL advisory lock held by the connection that will commit: if that dies, so does the commit."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def acquire(self, name: str) -> None:
        """Take the lock, or Refused."""
        with self._connection.begin():
            if self._connection.execute(select(func.pg_try_advisory_lock(_ADVISORY_KEY))).scalar():
                self._connection.execute(delete(WRITER))
                self._connection.execute(insert(WRITER).values(name=name, since=now(), actor=actor()))
                return
            holder = self._connection.execute(select(WRITER.c.name, WRITER.c.actor, WRITER.c.since)).first()
        raise Refused(_busy_text(*holder) if holder else _busy(b""))

    def release(self) -> None:
        """Give it back; closing the connection would too."""
        if not self._connection.closed and not self._connection.invalidated:
            with self._connection.begin():
                self._connection.execute(select(func.pg_advisory_unlock(_ADVISORY_KEY)))
