"""Files that no manifest row names: what a killed command left behind.

They are collected only under the writer's lock, as the lock's holder may be writing files that it
will name soon, and only when older than a day, as a backup may still be copying by an older manifest.
"""

from __future__ import annotations

import time
from pathlib import Path

from sqlalchemy import Connection, select

from poolhouse.book.record import SEGMENTS
from poolhouse.book.segments import segment_path

ORPHAN_AGE_S = 24 * 3600


def collect_orphans(folder: Path, connection: Connection, age_s: float = ORPHAN_AGE_S) -> list[Path]:
    """Remove segment and temp files that nothing names and that are older than `age_s`. Lock held by the caller."""
    before = time.time() - age_s
    old = [path for path in (folder / "segments").glob("*/*/*") if path.stat().st_mtime < before]
    if not old:
        return []
    s = SEGMENTS.c
    named = {segment_path(folder, *row) for row in connection.execute(select(s.table, s.month, s.sha256))}
    orphans = sorted(path for path in old if path not in named)
    for path in orphans:
        path.unlink(missing_ok=True)
    return orphans
