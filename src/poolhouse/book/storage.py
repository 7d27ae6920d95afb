"""What a disk or a database refuses, said for people.

A full or read-only disk is the user's to mend, so it is a `Refused` that says what became of the
book. Any other failure is a programmer's and stays what it is.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError

from poolhouse.findings import Refused

_FULL = "no space left for the book; nothing was changed, make room and run it again"
_CLOSED = "the book's place can't be written to; nothing was changed, see its permissions"
_LOCKED = "another program holds the book's record; nothing was changed, close it and run it again"
_LOST = "the connection to the database was lost; run it again: what was committed is answered, the rest is done"

_BY_NUMBER = {
    errno.ENOSPC: _FULL, errno.EDQUOT: _FULL, errno.EFBIG: _FULL,
    errno.EACCES: _CLOSED, errno.EPERM: _CLOSED, errno.EROFS: _CLOSED, errno.ENOTDIR: _CLOSED,
}  # fmt: skip
_BY_WORDS = {
    "disk is full": _FULL, "disk i/o error": _FULL, "no space left": _FULL,
    "readonly database": _CLOSED, "unable to open database file": _CLOSED, "permission denied": _CLOSED,
    "database is locked": _LOCKED,
}  # fmt: skip
"""As SQLite and PostgreSQL say it."""


@contextmanager
def storage_refused(what: str) -> Iterator[None]:
    """Within it, a full or closed disk and a lost database are Refused, their message opened by `what`."""
    try:
        yield
    except OSError as error:
        if error.errno in _BY_NUMBER:
            raise Refused(f"{what}: {_BY_NUMBER[error.errno]} ({error.strerror})") from error
        raise
    except DBAPIError as error:
        said = str(error.orig).lower()
        message = _LOST if error.connection_invalidated else next((m for w, m in _BY_WORDS.items() if w in said), "")
        if message:
            raise Refused(f"{what}: {message} ({error.orig})") from error
        raise
