"""Secondary trades: a desk's tickets are checked one by one and settled delivery versus payment.

The broker/dealer stands between the two as a riskless principal: it pays the seller what the buyer
pays it on the same day, so nothing is left in its books unless it is itself seller or buyer. A trade
settled after the record date doesn't move that month's payment, because positions count settled trades.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from poolhouse.dates import first_day, is_business_day, month_name, month_of
from poolhouse.findings import Finding
from poolhouse.investing.delivery import FACTOR_ONE_E8, postings, trade_row, trades_frame
from poolhouse.investing.placing import minimum_face
from poolhouse.investing.positions import rows
from poolhouse.investing.tickets import ticket_finding
from poolhouse.money import dollars
from poolhouse.rules import Rulebook
from poolhouse.tables import Event, Outcome

_NO_TRADERS = ("boundary", "trust", "borrowers", "paying_agent", "funding_line", "insurer")


@dataclass
class _Desk:
    """What a ticket is checked against. `moves` holds every settled and accepted change of face."""

    parties: dict[str, int]
    securities: dict[str, dict[str, Any]]  # by CUSIP, with their pool's terms
    factors: dict[int, int]  # of the open month, by security
    moves: dict[tuple[int, int], list[tuple[date, int]]]
    used_ids: set[str]
    market_date: date
    month: int
    rulebook: Rulebook

    def free_face(self, security_id: int, party_id: int, settlement: date) -> int:
        """Face that can leave on that day and leave every later delivery already agreed possible."""
        moves = sorted(self.moves.get((security_id, party_id), []))
        held = sum(face for day, face in moves if day <= settlement)
        least = held
        for _, face in [m for m in moves if m[0] > settlement]:
            held += face
            least = min(least, held)
        return least

    def book(self, row: dict[str, Any]) -> None:
        """Remember an accepted trade."""
        self.used_ids.add(row["trade_id"])
        for party, sign in ((row["buyer_id"], 1), (row["seller_id"], -1)):
            move = (row["settlement_date"], sign * row["face_cents"])
            self.moves.setdefault((row["security_id"], party), []).append(move)


def trade(
    tickets: pl.DataFrame,
    parties: pl.DataFrame,
    securities: pl.DataFrame,
    pools: pl.DataFrame,
    trades: pl.DataFrame,
    factors: pl.DataFrame,
    market_date: date,
    month: int,
    rulebook: Rulebook,
) -> Outcome:
    """Settle tickets in the open month: record trades (kind 'trade'), an event TradesSettled per day.

    tickets: TICKETS_SCHEMA (`read_tickets`). parties: PARTIES, by code or name. trades: all TRADES so far.
    factors: security_id, factor_e8 of the open month, needed unless the security was issued in it.
    market_date: the book's clock. A refused ticket is a finding with row, field, value and reason.
    """
    desk = _desk(parties, securities, pools, trades, factors, market_date, month, rulebook)
    accepted: list[dict[str, Any]] = []
    findings: list[Finding] = []
    # By settlement day, so that what is bought can be sold on in the same file.
    for ticket in rows(tickets.sort("settlement_date", "row")):
        wrong = _refusal(ticket, desk)
        if wrong is not None:
            findings.append(ticket_finding(ticket["row"], *wrong))
            continue
        row = _row(ticket, desk)
        desk.book(row)
        accepted.append(row)
    findings.sort(key=lambda finding: finding.row)
    frame = trades_frame(accepted)
    return Outcome(
        events=_events(accepted, month),
        records={"trades": frame},
        findings=findings,
        answer={
            "settled": frame.height,
            "refused": len(findings),
            "principal_cents": int(frame["principal_cents"].sum()),
            "accrued_cents": int(frame["accrued_cents"].sum()),
        },
    )


def _desk(
    parties: pl.DataFrame, securities: pl.DataFrame, pools: pl.DataFrame, trades: pl.DataFrame,
    factors: pl.DataFrame, market_date: date, month: int, rulebook: Rulebook,
) -> _Desk:  # fmt: skip
    traders = parties.filter(~pl.col("role").is_in(_NO_TRADERS)).sort("party_id", descending=True)
    names = {name: party["party_id"] for party in rows(traders) for name in (party["name"], party["code"])}
    by_cusip = {r["cusip"]: r for r in rows(securities.join(pools, on="pool_id"))}
    desk = _Desk(
        names, by_cusip, dict(factors.select("security_id", "factor_e8").iter_rows()), {}, set(), market_date, month,
        rulebook,
    )  # fmt: skip
    for row in rows(trades):
        desk.book(row)
    return desk


def _refusal(ticket: dict[str, Any], desk: _Desk) -> tuple[str, str, str] | None:
    """field, value and reason of the first thing wrong, or None."""
    if ticket["trade_id"] in desk.used_ids:
        return "trade_id", ticket["trade_id"], "is already booked: a trade is booked once"
    for side in ("seller", "buyer"):
        if ticket[side] not in desk.parties:
            return side, ticket[side], "is no party that trades in this book: write its code, such as investor:bank"
    if ticket["seller"] == ticket["buyer"] or desk.parties[ticket["seller"]] == desk.parties[ticket["buyer"]]:
        return "buyer", ticket["buyer"], "is the seller too"
    if ticket["cusip"] not in desk.securities:
        return "cusip", ticket["cusip"], "is no security of this book"
    return _bad_date(ticket, desk) or _bad_face(ticket, desk)


def _bad_date(ticket: dict[str, Any], desk: _Desk) -> tuple[str, str, str] | None:
    settlement, security = ticket["settlement_date"], desk.securities[ticket["cusip"]]
    text = settlement.isoformat()
    if settlement < ticket["trade_date"]:
        return "settlement_date", text, f"is before the trade date {ticket['trade_date']}"
    if settlement < security["issue_date"]:
        return "settlement_date", text, f"is before the security's issue on {security['issue_date']}"
    if settlement < desk.market_date or settlement < first_day(desk.month):
        clock = max(desk.market_date, first_day(desk.month))
        return "settlement_date", text, f"is before the book's date {clock}: closed days are not rewritten"
    if month_of(settlement) != desk.month:
        return "settlement_date", text, f"is after the open month {month_name(desk.month)}: bring it then"
    if not is_business_day(settlement):
        return "settlement_date", text, "is no business day"
    factor = _factor(security, desk)
    if factor is None:
        return "settlement_date", text, f"the factor of {month_name(desk.month)} is not published yet: bring it then"
    return ("cusip", ticket["cusip"], "is paid off: its factor is zero") if factor == 0 else None


def _bad_face(ticket: dict[str, Any], desk: _Desk) -> tuple[str, str, str] | None:
    security, face = desk.securities[ticket["cusip"]], ticket["face_cents"]
    text, settlement = dollars(face), ticket["settlement_date"]
    # A class smaller than the minimum is held and sold whole.
    least = min(minimum_face(security["program"], settlement, desk.rulebook), security["original_face_cents"])
    step = desk.rulebook.get("investing.face_step_cents", settlement)
    if face < least:
        return "face", text, f"is below the program's minimum of {dollars(least)}"
    if (face - least) % step:
        return "face", text, f"is no multiple of {dollars(step)} above the minimum"
    free = desk.free_face(security["security_id"], desk.parties[ticket["seller"]], settlement)
    if face > free:
        return "face", text, f"is more than the seller can deliver on {settlement}: {dollars(max(free, 0))}"
    return None


def _factor(security: dict[str, Any], desk: _Desk) -> int | None:
    if security["issue_month"] == desk.month:
        return FACTOR_ONE_E8
    return desk.factors.get(security["security_id"])


def _row(ticket: dict[str, Any], desk: _Desk) -> dict[str, Any]:
    security = desk.securities[ticket["cusip"]]
    return trade_row(
        ticket["trade_id"], security["security_id"], desk.parties[ticket["seller"]], desk.parties[ticket["buyer"]],
        ticket["face_cents"], ticket["price_e6"], _factor(security, desk) or 0, security["class_rate_e7"],
        ticket["trade_date"], ticket["settlement_date"], "trade",
    )  # fmt: skip


def _events(accepted: list[dict[str, Any]], month: int) -> list[Event]:
    events = []
    for day in sorted({row["settlement_date"] for row in accepted}):
        mine = [row for row in accepted if row["settlement_date"] == day]
        body = {
            "month": month_name(month),
            "trades": len(mine),
            "trade_ids": sorted(row["trade_id"] for row in mine),
            "face_cents": sum(row["face_cents"] for row in mine),
            "principal_cents": sum(row["principal_cents"] for row in mine),
            "accrued_cents": sum(row["accrued_cents"] for row in mine),
            "through": "dealer",
        }
        events.append(Event("TradesSettled", day, body, postings(mine)))
    return events
