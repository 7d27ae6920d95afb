"""The inbox: facts that arrive one by one wait here until a command takes them as a batch.

Adding is a short transaction of its own that needs no writer's lock, so a payment can come in
while a month is being closed. The same key and body again changes nothing; another body is refused.
"""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Engine, insert, select
from sqlalchemy.exc import IntegrityError

from poolhouse.book.canon import canonical_json
from poolhouse.book.lock import actor, now
from poolhouse.book.record import INBOX
from poolhouse.findings import Refused


def add(engine: Engine, kind: str, key: str, body: dict[str, Any]) -> bool:
    """Put a fact in. True when it is new, False when it was there; Refused when its key has another body."""
    text = canonical_json(body)
    row = {"kind": kind, "key": key, "body": text, "recorded_at": now(), "actor": actor()}
    try:
        with engine.begin() as connection:
            connection.execute(insert(INBOX).values(row))
        return True
    except IntegrityError:
        with engine.begin() as connection:
            found = connection.execute(select(INBOX.c.kind, INBOX.c.body).where(INBOX.c.key == key)).one()
    if (found[0], found[1]) != (kind, text):
        raise Refused(f"inbox: {key!r} came before with other contents; give a new fact a new key")
    return False


def waiting(rows: list[Any]) -> list[dict[str, Any]]:
    """Rows (key, body) as dictionaries with their key."""
    return [{"key": row[0], **json.loads(row[1])} for row in rows]
