"""transfer and notify: servicing moves to another servicer; borrowers are told, in time, of every transfer."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from poolhouse import notices, primary, servicing
from poolhouse.dates import first_day, last_business_day, month_name, month_of, on_or_before
from poolhouse.findings import Refused
from poolhouse.market.close import FIRST_ORIGINATOR
from poolhouse.market.desk import Desk, by_part, commit
from poolhouse.market.files import read_table
from poolhouse.market.rejects import keep_rejects
from poolhouse.tables import PARTIES

SERVICERS = ("originator", "servicer", "issuer")


def transfer(desk: Desk, loans: Path | str, to: str, effective: date) -> dict[str, Any]:
    """Agree to move the servicing of the loans in a file (column `loan`) on a 1st. Event ServicingSold.

    A servicer the book does not know becomes a new party of it, endowed as a nonbank: the answer says so.
    Refused when the date can't be met with 15 days' notice, or no loan can move.
    Rows that can't move are answered as rejects; the others move.
    """
    if effective.day != 1 or month_of(effective) <= desk.month:
        raise Refused(
            f"transfer: effective {effective} must be the 1st of a month after {month_name(desk.month)}, the open one"
        )
    read = read_table(loans, ["loan"], "transfer")
    buyer, new = _servicer(desk, to)
    key = f"{read.name}:{buyer['party_id']}:{effective.isoformat()}"
    replayed = desk.book.answer(key)
    if replayed is not None:
        return replayed
    if f"notify:{month_name(desk.month)}" in desk.book.command_keys():
        raise Refused(
            f"transfer: notices of {month_name(desk.month)} are sent; close the month and transfer in the next"
        )
    moving, rejects = _movable(desk, read.frame, buyer["party_id"])
    broken = read.broken.select("row", "field", "value", "reason")
    rejects = [dict(zip(broken.columns, r, strict=True)) for r in broken.rows()] + rejects
    if not moving.height:
        why = "; ".join(f"row {r['row']}: {r['reason']}" for r in rejects[:5]) or "the file has no rows"
        raise Refused(f"transfer: no loan can move: {why}")
    terms = desk.rulebook.get("servicing.rights_sale", desk.today)
    outcome = servicing.agree(
        moving, buyer["party_id"], month_of(effective), desk.month, terms["multiple_e2"], buyer["code"]
    )
    with desk.book.command("transfer", key, {"loans": moving.height}) as txn:
        if txn.replayed is not None:
            return txn.replayed
        answer = {**outcome.answer, "new_servicer": bool(new.height), "rejected": len(rejects), "rejects": rejects}
        keep_rejects(txn, "transfer", rejects, desk.month)
        if new.height:
            txn.record("parties", new)
            endowed = primary.endow(new.select("party_id", "type"), desk.today, desk.rulebook)
            outcome.events.insert(0, endowed)
        commit(txn, outcome, desk.month)
        txn.finish(answer, desk.today)
    return answer


def _servicer(desk: Desk, name: str) -> tuple[dict[str, Any], pl.DataFrame]:
    """The party servicing goes to, by code or name, and the PARTIES row to add when the book has none such."""
    parties = desk.parties()
    wanted = name.strip()
    if not wanted:
        raise Refused("transfer: --to is empty: name the servicer")
    known = parties.filter((pl.col("code") == wanted) | (pl.col("name").str.to_lowercase() == wanted.lower()))
    if known.height > 1:
        codes = ", ".join(known["code"].to_list())
        raise Refused(f"transfer: {name!r} fits several parties: use a code ({codes})")
    if known.height:
        row = known.row(0, named=True)
        if row["role"] not in SERVICERS:
            raise Refused(f"transfer: {row['name']} is a {row['role']} and services no loans")
        return row, PARTIES.empty()
    code = "servicer:" + "-".join(wanted.lower().removeprefix("servicer:").split())
    new = {
        "party_id": max(FIRST_ORIGINATOR, int(parties["party_id"].to_numpy().max()) + 1), "code": code, "name": wanted,
        "role": "servicer", "type": "nonbank", "state": "",
    }  # fmt: skip
    return new, PARTIES.conform(pl.DataFrame([new], schema_overrides=PARTIES.schema))


def _movable(desk: Desk, asked: pl.DataFrame, buyer: int) -> tuple[pl.DataFrame, list[dict[str, Any]]]:
    """LOAN_MONTHS rows of the loans that can move, and why the others can't."""
    known = desk.loans(["loan_id", "loan_number"])
    rows = asked.join(known, left_on="loan", right_on="loan_number", how="left", maintain_order="left")
    state = desk.opening(desk.month).filter(pl.col("end_code") == 0)
    ahead = desk.book.scan("assignments").filter(
        (pl.col("role") == "servicer") & (pl.col("effective_date") > desk.today)
    ).select("loan_id").collect()  # fmt: skip
    rows = rows.join(state.select("loan_id", "servicer_id"), on="loan_id", how="left", maintain_order="left")
    reason = (
        pl.when(pl.col("loan_id").is_null()).then(pl.lit("no such loan in the book"))
        .when(pl.col("row") != pl.col("row").min().over("loan")).then(pl.lit("listed twice"))
        .when(pl.col("servicer_id").is_null()).then(pl.lit("the loan has ended"))
        .when(pl.col("servicer_id") == buyer).then(pl.lit("is serviced there already"))
        .when(pl.col("loan_id").is_in(ahead["loan_id"].implode())).then(pl.lit("another transfer is agreed already"))
    )  # fmt: skip
    rows = rows.with_columns(reason.alias("reason"))
    good = rows.filter(pl.col("reason").is_null())["loan_id"]
    bad = rows.filter(pl.col("reason").is_not_null()).select("row", pl.col("loan").alias("value"), "reason")
    rejects = [{"row": int(r[0]), "field": "loan", "value": r[1], "reason": r[2]} for r in bad.rows()]
    return state.filter(pl.col("loan_id").is_in(good.implode())), rejects


def _untold(desk: Desk, month: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Assignments that may still need a notice, and the notices recorded for such.

    A notice goes out when it is due by the end of the next month, so transfers up to the month before
    last are all told: only later ones, and those the book learned of since, are read.
    """
    since = first_day(month - 1)
    moves = pl.col("role").is_in(["owner", "servicer"])
    before = desk.book.scan("assignments", range(desk.start, month - 1)).filter(
        moves & (pl.col("effective_date") >= since)
    )
    recent = desk.book.scan("assignments", [month - 1, month]).filter(moves)
    assignments = pl.concat([before, recent]).collect()
    oldest = min(assignments["effective_date"].to_list(), default=since)
    return assignments, desk.book.scan("notices").filter(pl.col("transfer_date") >= oldest).collect()


def _came_back(assignments: pl.DataFrame) -> pl.DataFrame:
    """The owners of loans that were bought out or repurchased."""
    owners = assignments.filter(pl.col("role") == "owner")
    moved = owners.filter(pl.col("reason").is_in(["buyout", "repurchase"]))["loan_id"]
    return owners.filter(pl.col("loan_id").is_in(moved.implode()))


def notify(desk: Desk) -> dict[str, Any]:
    """Event NoticesSent: every notice that falls due before the next month's, on the last business day.

    Goodbye letters for servicing that moves on the next 1st go out 15 days before it, and on that day also what is
    owed for loans that left a pool or went back to their lender: a transfer of 30 November is told by 30 December.
    """
    desk.require("notify")
    month = desk.month
    with desk.book.command("notify", f"notify:{month_name(month)}", {}) as txn:
        if txn.replayed is not None:
            return txn.replayed
        assignments, already = _untold(desk, month)
        loans = desk.loans(["loan_id", "occupancy"])
        goodbye = on_or_before(first_day(month + 1) - timedelta(days=15))
        soon = assignments.filter((pl.col("role") == "servicer") & (pl.col("effective_date") == first_day(month + 1)))
        early = notices.due(soon, loans, already, goodbye, desk.rulebook)
        back = notices.due(_came_back(assignments), loans, already, goodbye, desk.rulebook)
        sent = [already, early, back]
        late = notices.due(assignments, loans, pl.concat(sent), last_business_day(month), desk.rulebook)
        rows = pl.concat([early, back, late])
        counts = dict(rows.group_by("kind").len().sort("kind").rows())
        answer = {"month": month_name(month), "notices": rows.height, "kinds": counts,
                  "exempt": rows.filter(pl.col("exemption") != "").height}  # fmt: skip
        for part, frame in by_part(rows):
            txn.segment("notices", frame, month=month, part=part)
        txn.event("NoticesSent", last_business_day(month), answer)
        txn.finish(answer, desk.today)
    return answer
