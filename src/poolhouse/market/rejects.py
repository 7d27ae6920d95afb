"""The rejects file: every row of a tape or payments file that could not be used, as CSV in the book's folder.

It is derived from the book's `rejects` segments and may be written again at any time.
"""

from __future__ import annotations

from poolhouse.market.desk import Desk

NAME = "rejects.csv"


def write_rejects(desk: Desk) -> str | None:
    """Write all rejects so far, one line each in REJECTS columns; gives the path, None without any."""
    rows = desk.book.segment("rejects")
    if not rows.height:
        return None
    path = desk.book.folder / NAME
    fresh = path.with_suffix(".tmp")
    rows.write_csv(fresh)
    fresh.replace(path)
    return str(path)
