"""advice: purchase advices of a month or a lender, each beside what the ledger says moved on its day."""

from __future__ import annotations

from typing import Any

import polars as pl

from poolhouse.dates import month_name, parse_month
from poolhouse.findings import Refused
from poolhouse.market.desk import Desk
from poolhouse.market.lenders import the_lender
from poolhouse.sale.advice import advices, lines
from poolhouse.tables.codes import PROGRAMS

Answer = dict[str, Any]


def advice(desk: Desk, lender: str | None = None, month: str | None = None) -> Answer:
    """Advices per lender, settlement date, program and buyer; with a lender also loan by loan.

    month: YYYY-MM; without it the last month with sales, or every month when a lender is named. `wires`: each
    lender's net cash of a day beside the ledger's. Refused: no such lender, no sale there.
    """
    chosen = None if lender is None else the_lender(desk, lender)
    months = desk.book.months("sales")
    if month is not None:
        months = [m for m in months if m == _month(month)]
    elif chosen is None:
        months = months[-1:]
    sales = desk.book.scan("sales", months).collect() if months else desk.book.segment("sales").clear()
    if chosen is not None:
        sales = sales.filter(pl.col("seller_id") == chosen["party_id"])
    if not sales.height:
        who, when = f" of {chosen['name']}" if chosen else "", f" in {month}" if month else ""
        raise Refused(f"advice: there is no sale{who}{when}")
    rows = lines(sales)
    found = advices(rows)
    parties = desk.parties()
    names = dict(zip(parties["party_id"].to_list(), parties["name"].to_list(), strict=True))
    total = {name: int(found[name].sum()) for name in found.columns if name.endswith("_cents")}
    answer: Answer = {
        "months": [month_name(m) for m in months],
        "advices": [_told(row, names) for row in found.iter_rows(named=True)],
        "loans": rows.height,
        **total,
        "wires": _wires(desk, found, names),
    }
    if chosen is not None:
        answer["lines"] = _loans(desk, rows, names)
    return answer


def _month(text: str) -> int:
    try:
        return parse_month(text)
    except ValueError as error:
        raise Refused(f"advice: --month {error}") from error


def _told(row: dict[str, Any], names: dict[int, str]) -> Answer:
    """An advice, or a loan's line of it, in words."""
    kept = {k: v for k, v in row.items() if k not in ("seller_id", "buyer_id", "program", "settlement_date", "loan_id")}
    return {
        "lender": names[row["seller_id"]], "settlement_date": row["settlement_date"].isoformat(),
        "program": PROGRAMS[row["program"]], "buyer": names[row["buyer_id"]], **kept,
    }  # fmt: skip


def _loans(desk: Desk, rows: pl.DataFrame, names: dict[int, str]) -> list[Answer]:
    numbered = rows.join(desk.loans(["loan_id", "loan_number"]), on="loan_id", how="left", maintain_order="left")
    return [_told(loan, names) for loan in numbered.head(rows.height).iter_rows(named=True)]


def _wires(desk: Desk, found: pl.DataFrame, names: dict[int, str]) -> list[Answer]:
    """Net cash by lender and day: by the advices, by the ledger's lines of the sales, and their difference."""
    keys = ["seller_id", "settlement_date"]
    net = found.group_by(keys).agg(pl.col("net_wire_cents").sum()).sort(keys)
    events = desk.book.stored_events("LoansSold")["seq"]
    posted = desk.book.lines(account="cash").filter(pl.col("event_seq").is_in(events.implode()))
    ledger = posted.group_by(seller_id="party_id", settlement_date="value_date").agg(ledger_cents=pl.col("cents").sum())
    both = net.join(ledger, on=keys, how="left", maintain_order="left").with_columns(
        pl.col("ledger_cents").fill_null(0)
    )
    return [
        {"lender": names[r[0]], "settlement_date": r[1].isoformat(), "net_wire_cents": r[2], "ledger_cents": r[3],
         "difference_cents": r[2] - r[3]}
        for r in both.head(both.height).rows()
    ]  # fmt: skip
