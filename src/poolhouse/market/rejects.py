"""The rejects file: every row of a tape or payments file that could not be used, as CSV in the book's folder.

It is derived from the book's `rejects` segments and may be written again at any time.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from poolhouse.book import Txn
from poolhouse.market.desk import Desk, commit
from poolhouse.tables import REJECTS, Event, Outcome

NAME = "rejects.csv"
_FILES = ("tickets", "transfer", "repurchase", "commit")
_SHELVES = {name: 2**24 + i for i, name in enumerate(_FILES)}
"""Part numbers of the rejects of small files, past those of tapes and payments."""


def keep_rejects(txn: Txn, file: str, rejects: list[dict[str, Any]], month: int) -> None:
    """Rejects of a small file (row, field, value, reason) into the book; `file`: one of `_FILES`."""
    if not rejects:
        return
    rows = [{**r, "loan_number": "", "source_field": r["field"], "file": file} for r in rejects]
    frame = pl.DataFrame(rows, schema_overrides=REJECTS.schema).select(list(REJECTS.schema))
    frame = REJECTS.conform(frame.unique(["row", "field"], keep="first"))
    txn.segment("rejects", frame, month=month, part=_SHELVES[file])


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


def keep_file(
    desk: Desk, command: str, name: str, event: str, record: str, rows: pl.DataFrame, answer: dict[str, Any], *,
    counted: str = "",
) -> dict[str, Any]:  # fmt: skip
    """A user's file as one command: its rows to the record, its `rejects` kept, `answer` without them as the event's
    body. `counted`: what the command's body calls the rows, the record's own name unless given. Twice the same file
    (`name`) is the stored answer."""
    with desk.book.command(command, name, {counted or record: rows.height}) as txn:
        if txn.replayed is not None:
            return txn.replayed
        keep_rejects(txn, command, answer["rejects"], desk.month)
        body = {key: value for key, value in answer.items() if key != "rejects"}
        commit(txn, Outcome([Event(event, desk.today, body)], records={record: rows}), desk.month)
        txn.finish(answer, desk.today)
    return answer
