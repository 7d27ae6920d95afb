"""close: a tape is read and registered once; its loans close in the book in the month of their note."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from poolhouse import ledger, loans, primary, servicing
from poolhouse.book import PART_ROWS, Txn
from poolhouse.dates import first_day, last_day, month_name
from poolhouse.findings import Refused
from poolhouse.market.desk import Desk, by_part, commit, finding_dicts
from poolhouse.tables import PARTIES, REJECTS

FIRST_ORIGINATOR = 1000
_SHELF = 4096  # parts of `tape` and `rejects` segments per tape


def register(desk: Desk, tape: loans.TapeRead) -> dict[str, Any]:
    """Keep a tape in the book: event TapeRead, its rows, its rejects, its lenders with their capital."""
    key = f"tape:{tape.content_hash}"
    known = desk.book.answer(key)
    if known is not None:
        return known
    body = {"content_hash": tape.content_hash, "layout": tape.layout, "rows": tape.rows}
    with desk.book.command("close", key, {"content_hash": tape.content_hash}) as txn:
        if txn.replayed is not None:
            return txn.replayed
        month, number = desk.month, len(desk.book.event_bodies("TapeRead"))
        for table, frame in (("tape", tape.tape), ("rejects", tape.rejects)):
            for i, start in enumerate(range(0, frame.height, PART_ROWS)):
                txn.segment(table, frame[start : start + PART_ROWS], month=month, part=number * _SHELF + i)
        answer = {
            **body, "number": number, "month": month_name(month), "loans": tape.tape.height,
            "rejected": tape.rejects["row"].n_unique(),
        }  # fmt: skip
        new = _new_lenders(desk, tape.tape)
        txn.record("parties", new)
        txn.event("TapeRead", desk.today, {**answer, "findings": finding_dicts(tape.findings)})
        if new.height:
            endowed = primary.endow(new.select("party_id", "type"), desk.today, desk.rulebook)
            txn.event(endowed.kind, endowed.market_date, endowed.body, ledger.lines(endowed))
        txn.finish(answer, desk.today)
    return answer


def _new_lenders(desk: Desk, tape: pl.DataFrame) -> pl.DataFrame:
    """Lenders not in the book yet, numbered in the order of their keys."""
    known = desk.lenders()
    found = (
        tape.select("originator_id", "originator_name", "originator_type", "originator_state")
        .sort("originator_id", "originator_name", "originator_state")
        .unique("originator_id", keep="first", maintain_order=True)
        .with_columns(code=pl.lit("originator:") + pl.col("originator_id"))
        .join(known.select("code"), on="code", how="anti", maintain_order="left")
    )
    first = max(FIRST_ORIGINATOR, int(desk.parties()["party_id"].to_numpy().max(initial=0)) + 1)
    return PARTIES.conform(
        found.select(
            pl.int_range(first, first + pl.len(), dtype=pl.Int32).alias("party_id"),
            "code",
            pl.col("originator_name").alias("name"),
            pl.lit("originator").alias("role"),
            pl.col("originator_type").alias("type"),
            pl.col("originator_state").alias("state"),
        )
    )


def close_due(desk: Desk) -> list[dict[str, Any]]:
    """Close the loans of every registered tape whose note falls due in the open month. Idempotent."""
    return [_close_tape(desk, body) for body in desk.book.event_bodies("TapeRead")]


def _close_tape(desk: Desk, tape: dict[str, Any]) -> dict[str, Any]:
    month = desk.month
    key = f"close:{month_name(month)}:{tape['content_hash']}"
    known = desk.book.answer(key)
    if known is not None:
        return known
    with desk.book.command("close", key, {"content_hash": tape["content_hash"]}) as txn:
        if txn.replayed is not None:
            return txn.replayed
        answer = _close_rows(desk, txn, tape, _due(desk, tape))
        txn.finish(answer, desk.today)
    return answer


def _due(desk: Desk, tape: dict[str, Any]) -> pl.DataFrame:
    """Rows of the tape whose note month is the open one, or any month before when the tape is new."""
    shelf = range(tape["number"] * _SHELF, (tape["number"] + 1) * _SHELF)
    due = pl.col("note_date") <= last_day(desk.month)
    if tape["month"] != month_name(desk.month):
        due &= pl.col("note_date") >= first_day(desk.month)
    return desk.book.scan("tape", parts=shelf).filter(due).collect()


def _close_rows(desk: Desk, txn: Txn, tape: dict[str, Any], due: pl.DataFrame) -> dict[str, Any]:
    month = desk.month
    if not due.height:
        answer = {
            "content_hash": tape["content_hash"],
            "month": month_name(month),
            "loans": 0,
            "rejected": 0,
            "note_amount_cents": 0,
        }
        txn.event("LoansClosed", desk.today, answer)
        return answer
    known = desk.loans(["loan_id", "loan_number"])
    again = due.join(known, on="loan_number", how="semi")
    due = due.join(known, on="loan_number", how="anti", maintain_order="left")
    ids = desk.lenders().select(
        pl.col("code").str.strip_prefix("originator:").alias("originator_id"),
        pl.col("party_id").alias("originator_party_id"),
    )
    next_id = int(known["loan_id"].to_numpy().max(initial=-1)) + 1
    frame = loans.at_closing(due, next_id, ids, month)
    stand = servicing.deemed(frame, month)
    ended = frame.filter(stand["opening_actual_cents"] == 0)
    frame = _renumber(frame.filter(stand["opening_actual_cents"] > 0), next_id)
    stand = servicing.deemed(frame, month)
    rejects = _rejects(again, ended)
    if rejects.height:
        txn.segment("rejects", rejects, month=month, part=_SHELF * (1000 + tape["number"]))
    for part, rows in by_part(frame):
        txn.segment("loans", rows, month=month, part=part)
    answer = {
        "content_hash": tape["content_hash"], "month": month_name(month), "loans": frame.height,
        "rejected": rejects["row"].n_unique(), "note_amount_cents": int(frame["note_amount_cents"].sum()),
    }  # fmt: skip
    if frame.height:
        extra = stand.select("deemed_interest_cents", "deemed_principal_cents")
        commit(
            txn,
            primary.close(pl.concat([frame, extra], how="horizontal"), _named(desk), month, desk.today, desk.rulebook),
            month,
        )
    else:
        txn.event("LoansClosed", desk.today, answer)
    return answer


def _named(desk: Desk) -> pl.DataFrame:
    return desk.lenders().select("party_id", "type", "name")


def _renumber(frame: pl.DataFrame, first: int) -> pl.DataFrame:
    return frame.with_columns(pl.int_range(first, first + pl.len(), dtype=pl.Int32).alias("loan_id"))


def _rejects(again: pl.DataFrame, ended: pl.DataFrame) -> pl.DataFrame:
    """Rows that can't close: a loan number the book has already, a loan paid off before the book opened."""
    parts = [
        rows.select(
            pl.col("tape_row").alias("row"),
            "loan_number",
            pl.lit(field).alias("field"),
            pl.lit(field).alias("source_field"),
            pl.col(field).cast(pl.String).alias("value"),
            pl.lit(reason).alias("reason"),
            pl.lit("tape").alias("file"),
        )
        for rows, field, reason in (
            (again, "loan_number", "the book has this loan already: give each loan its own number"),
            (
                ended,
                "maturity_date" if "maturity_date" in ended.columns else "note_date",
                "nothing is owed any more when the book opens: start the market earlier",
            ),
        )
    ]
    return REJECTS.conform(pl.concat(parts).unique(["row", "field"], keep="first"))


def close(desk: Desk, tape: Path | str, mapping: str | None) -> dict[str, Any]:
    """Read a tape, register it, close what is due now. The answer says how many closed and how many wait."""
    read = loans.read_tape(tape, mapping)
    return close_read(desk, read)


def close_read(desk: Desk, read: loans.TapeRead) -> dict[str, Any]:
    """`close` of a tape already read."""
    name = month_name(desk.month)
    if desk.book.answer(f"tape:{read.content_hash}") is None and desk.book.answer(f"check:{name}") is not None:
        raise Refused(f"close: {name}'s loans were checked already; close the month, then bring this tape")
    registered = register(desk, read)
    closed = close_due(desk)
    done = sum(a["loans"] for a in closed if a["content_hash"] == read.content_hash)
    return {
        "month": month_name(desk.month), "content_hash": read.content_hash, "rows": read.rows,
        "loans": registered["loans"], "rejected": registered["rejected"], "closed_now": done,
        "findings": finding_dicts(read.findings),
        "rejects": [dict(zip(read.rejects.columns, r, strict=True)) for r in read.rejects.head(20).rows()],
    }  # fmt: skip
