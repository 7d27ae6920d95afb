"""trace: a month's payment of one loan, and where each cent of it went.

The split follows the money, not the formulas. Every cent that a loan's month used came from one of
these, in this order: principal and interest held since last month, the servicer's shortfall, the
guarantor's advance, the servicer's advance, a buyer's money, an insurer's claim, instalments held
ahead, money held in suspense; and the borrower's payment of the month. Each source but the last pays
first for what it is there for (`_PAYS_FIRST`: an advance pays the instalment due, last month's
unscheduled principal goes to who it is owed to), then for what is left in the order of `USES`. What
then is still unpaid was paid by the borrower this month: that is `split`, and since sources and uses
have the same sum, it sums to the payment exactly. Nothing is shared out pro rata until the holders.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from poolhouse import investing, rules
from poolhouse.dates import first_day, month_name, parse_month
from poolhouse.findings import Refused
from poolhouse.market.desk import Desk, trades
from poolhouse.market.find import Names, find_loan, position_columns
from poolhouse.money import RATE_ONE, half_up_div
from poolhouse.tables.codes import PROGRAMS

PAID = "paid"
SHARE_ONE_E8 = 10 * RATE_ONE


@dataclass(frozen=True)
class Use:
    """What money of a loan can go to: the party (a word of `_party`), its role, the account, in words."""

    party: str
    role: str
    account: str
    what: str


USES = {
    "refund": Use("borrowers", "borrower", "cash", "given back: more than the loan needed"),
    "suspense": Use("servicer", "held in custody", "suspense", "held: less than an instalment"),
    "prepaid": Use("servicer", "held in custody", "prepaid", "held: instalments not yet due"),
    "held_principal": Use("servicer", "held in custody", "pending_unscheduled", "held: principal due next month"),
    "held_interest": Use("servicer", "held in custody", "pending_interest", "held: interest due next month"),
    "guarantor_repaid": Use("guarantor", "advance repaid", "guarantor_advances", "the guarantor's earlier advance"),
    "servicer_repaid": Use("servicer", "advance repaid", "servicer_advances", "the servicer's earlier advance"),
    "fee": Use("guarantor", "guarantor", "guaranty_income", "guaranty fee"),
    "trust_interest": Use("trust", "investor", "interest_income", "interest to the pool"),
    "owner_interest": Use("owner", "investor", "interest_income", "interest to the owner"),
    "trust_scheduled": Use("trust", "investor", "loans_held", "scheduled principal to the pool"),
    "trust_unscheduled": Use("trust", "investor", "loans_held", "unscheduled principal to the pool"),
    "owner_principal": Use("owner", "investor", "loans_held", "principal to the owner"),
    "kept": Use("servicer", "servicer", "servicing_income", "servicing fee and excess"),
}  # fmt: skip
"""What money of a loan goes to, in the order in which money without a purpose of its own is used."""

_PAYS_FIRST: dict[str, tuple[str, ...]] = {
    "held_principal": ("trust_unscheduled", "owner_principal"),
    "held_interest": ("trust_interest", "owner_interest", "fee", "kept"),
    "shortfall": ("trust_interest", "fee", "owner_interest", "servicer_repaid"),
    "guarantor_advanced": ("trust_scheduled", "trust_interest", "owner_interest", "owner_principal"),
    "advanced": ("trust_scheduled", "trust_interest", "fee", "owner_interest", "owner_principal"),
    "buyout": ("guarantor_repaid", "servicer_repaid", "held_principal", "held_interest", "owner_principal"),
    "claim": ("owner_principal", "owner_interest", "held_principal", "held_interest", "servicer_repaid"),
    "prepaid": ("trust_scheduled", "owner_principal", "trust_interest", "owner_interest", "fee", "kept", "prepaid"),
    "suspense": ("suspense",),
}
"""Sources beside the payment, in the order they are used, and what each pays for first."""

_SOURCE_WORDS = {
    "held_principal": ("servicer", "principal held since last month"),
    "held_interest": ("servicer", "interest held since last month"),
    "shortfall": ("servicer", "the servicer makes a month's interest whole"),
    "guarantor_advanced": ("guarantor", "the guarantor's advance"),
    "advanced": ("servicer", "the servicer's advance"),
    "buyout": ("buyer", "the buyer's money for the loan"),
    "claim": ("insurer", "the insurer's claim payment"),
    "prepaid": ("servicer", "instalments held since last month"),
    "suspense": ("servicer", "suspense held since last month"),
}
_HELD = {
    "suspense": "suspense_cents", "prepaid": "prepaid_cents", "held_principal": "pending_unscheduled_cents",
    "held_interest": "pending_interest_cents",
}  # fmt: skip

_TRUSTS = int(rules.system_parties()["trusts"]["party_id"])

Row = dict[str, Any]
Moves = list[tuple[str, str, int]]
"""(source, use, cents): every cent of a loan's month, from where to where."""


def flow(row: Row, before: Row | None) -> Moves:
    """Each cent of a loan's month as (source, use, cents), cents > 0; what `paid` reaches sums to paid_cents.

    row: the LOAN_MONTHS row of the month; before: that of the month before, None for a loan that just
    came in. ValueError when the row's cash doesn't add up: the month conserves every cent.
    """
    sources, uses = _sources(row, before), _uses(row)
    for use, cents in list(uses.items()):
        if cents < 0:  # whoever would have got it makes it up instead
            sources[use], uses[use] = sources.get(use, 0) - cents, 0
    gap = sum(sources.values()) + row["paid_cents"] - sum(uses.values())
    if gap or row["paid_cents"] < 0:
        raise ValueError(f"the month's cash misses by {gap} cents; paid {row['paid_cents']}")
    moves: Moves = []
    for source, cents in [*sources.items(), (PAID, row["paid_cents"])]:
        for use in dict.fromkeys((*_PAYS_FIRST.get(source, ()), *USES)):
            moved = min(cents, uses[use])
            if moved > 0:
                moves.append((source, use, moved))
                uses[use] -= moved
                cents -= moved
    return moves


def _sources(row: Row, before: Row | None) -> dict[str, int]:
    given = {name: row[f"{name}_cents"] for name in ("shortfall", "guarantor_advanced", "advanced", "buyout", "claim")}
    given |= {name: before[column] if before else 0 for name, column in _HELD.items()}
    return {name: given[name] for name in _PAYS_FIRST}


def _uses(row: Row) -> dict[str, int]:
    pooled = row["payee_pool_id"] > 0
    found = {
        "refund": row["refunded_cents"],
        **{name: row[column] for name, column in _HELD.items()},
        "guarantor_repaid": row["guarantor_recovered_cents"],
        "servicer_repaid": row["recovered_cents"],
        "fee": row["guaranty_fee_cents"] - row["guaranty_relief_cents"],
        "trust_interest": row["investor_interest_cents"] if pooled else 0,
        "owner_interest": row["owner_interest_cents"],
        "trust_scheduled": row["scheduled_principal_cents"] if pooled else 0,
        "trust_unscheduled": row["unscheduled_principal_cents"] if pooled else 0,
        "owner_principal": row["owner_principal_cents"],
        "kept": row["servicer_kept_cents"],
    }
    return {name: found[name] for name in USES}


def trace(desk: Desk, loan: str, month: str) -> Row:
    """Where each cent of a month's payment of a loan went.

    loan: the tape's loan number, or `#` and the loan's id. month: 'YYYY-MM', one that has closed.
    Keys: loan, loan_id, month, paid_cents (money accepted in the month), received (each payment),
    exceptions (money not accepted), split (party, code, role, account, what, cents: sums to paid_cents
    exactly), pool, holders (the pool's share of the payment on to those who hold it: an attribution,
    they own a share of the pool), other_money (everything the month's uses were paid with beside the
    payment). Refused: unknown loan, a month in which the loan had no row.
    """
    found = find_loan(desk, loan)
    index = _month(month)
    rows = {
        r["month"]: r
        for r in desk.book.scan("loan_months", [index - 1, index])
        .filter(pl.col("loan_id") == found["loan_id"]).collect().iter_rows(named=True)
    }  # fmt: skip
    received = _received(desk, found["loan_id"], index)
    answer: Row = {
        "loan": found["loan_number"], "loan_id": found["loan_id"], "month": month_name(index), "paid_cents": 0,
        "received": [r for r in received if r["disposition"] != "exception"],
        "exceptions": [r for r in received if r["disposition"] == "exception"],
        "split": [], "pool": None, "holders": [], "other_money": [],
    }  # fmt: skip
    if index not in rows:
        if received:
            return answer
        raise Refused(_no_month(desk, found, index))
    return answer | _traced(desk, rows[index], rows.get(index - 1), found["kind"])


def _traced(desk: Desk, row: Row, before: Row | None, kind: str) -> Row:
    try:
        moves = flow(row, before)
    except ValueError as error:
        raise Refused(f"trace: {error}; the book is damaged: run `poolhouse verify`") from error
    parties = _parties(desk, row, kind)
    mine = [(use, cents) for source, use, cents in moves if source == PAID]
    to_trust = [sum(c for s, u, c in moves if u.startswith("trust_") and (s == PAID) is paid) for paid in (True, False)]
    pool = _pool(desk, row, to_trust)
    return {
        "paid_cents": row["paid_cents"],
        "split": [_entry(parties, use, cents, row) for use, cents in mine],
        "pool": pool,
        "holders": _holders(desk, row, to_trust) if pool else [],
        "other_money": [_other(parties, source, use, cents, row) for source, use, cents in moves if source != PAID],
    }  # fmt: skip


def _entry(parties: dict[str, Row], use: str, cents: int, row: Row) -> Row:
    kind = USES[use]
    party, role = parties[kind.party], kind.role
    if kind.party == "owner" and row["payee_id"] != row["owner_id"] and role == "investor":
        role = "prior owner"  # it sold the loan this month; this month's distribution is still its own
    return {"party": party["name"], "code": party["code"], "role": role, "account": kind.account, "what": kind.what,
            "cents": cents}  # fmt: skip


def _other(parties: dict[str, Row], source: str, use: str, cents: int, row: Row) -> Row:
    """Money beside the payment: whose it was, whose it became, and what for."""
    party, what = _SOURCE_WORDS.get(source) or (USES[source].party, f"makes up: {USES[source].what}")
    to = _entry(parties, use, cents, row)
    return {"from": parties[party]["name"], "source": what, "to": to["party"],
            "what": "still held" if source == use else to["what"], "cents": cents}  # fmt: skip


def _parties(desk: Desk, row: Row, kind: str) -> dict[str, Row]:
    """Who the words of `USES` are in this month: name and code."""
    names = Names(desk)
    nobody = {"name": "Nobody", "code": ""}
    system = rules.system_parties()
    guarantor = system.get(PROGRAMS[row["program"]], nobody)
    insurer = system["mi" if kind == "conventional" else kind]
    trust = names.pool(row["payee_pool_id"]) if row["payee_pool_id"] else nobody
    return {
        "borrowers": {"name": "The borrower", "code": "borrowers"},
        "servicer": names.party(row["servicer_id"]),
        "guarantor": guarantor,
        "trust": trust,
        # Money of a loan bought out of its pool goes to the buyer; otherwise to who owned it a month ago.
        "owner": names.party(row["owner_id"] if row["payee_id"] == _TRUSTS else row["payee_id"]),
        "buyer": names.party(row["owner_id"]),
        "insurer": insurer,
    }


def _pool(desk: Desk, row: Row, to_trust: list[int]) -> Row | None:
    if not row["payee_pool_id"]:
        return None
    known = Names(desk).pool(row["payee_pool_id"])
    return {
        "pool_id": row["payee_pool_id"], "pool_number": known["pool_number"], "cusip": known["cusip"],
        "from_payment_cents": to_trust[0], "from_other_money_cents": to_trust[1],
    }  # fmt: skip


def _holders(desk: Desk, row: Row, to_trust: list[int]) -> list[Row]:
    """The pool's share of the payment on to its holders of the record date, and through funds: by face, and of a pool
    in classes by the cash that each got of the pool in the month."""
    pool = row["payee_pool_id"]
    factors = desk.book.scan("pool_factors", [row["month"]]).filter(pl.col("pool_id") == pool).collect()
    if not factors.height:
        return []
    held = investing.positions(trades(desk), factors["record_date"][0])
    securities = desk.book.records("securities").filter(pl.col("pool_id") == pool).select("security_id", "class_name")
    mine = held.join(securities, on="security_id").sort("security_id", "holder_id")
    stakes = list(mine.select("holder_id", "face_cents").iter_rows())
    if (securities["class_name"] != "").any():
        got = desk.book.segment("holder_months", row["month"]).join(securities, on="security_id", how="semi")
        stakes = list(got.select("holder_id", pl.col("principal_cents") + pl.col("interest_cents")).iter_rows())
    faces = dict(mine.group_by("holder_id").agg(pl.col("face_cents").sum()).iter_rows())
    funds = investing.fund_shares(first_day(desk.start), desk.rulebook)
    names = Names(desk)
    paid, other = (investing.loan_shares(cents, stakes, funds) for cents in to_trust)
    whole = sum(p["weight"] for p in paid)
    return [
        position_columns(names, p["holder_id"]) | {
            "face_cents": faces[p["holder_id"]], "share_e8": half_up_div(SHARE_ONE_E8 * p["weight"], whole),
            "cents": p["cents"], "other_money_cents": o["cents"],
            "through": [
                position_columns(names, t["holder_id"]) | {"share_e8": t["share_e8"], "cents": t["cents"]}
                for t in p["through"]
            ],
        }
        for p, o in zip(paid, other, strict=True)
    ]  # fmt: skip


def _received(desk: Desk, loan_id: int, month: int) -> list[Row]:
    rows = (
        desk.book.scan("payments", [month])
        .filter(pl.col("loan_id") == loan_id)
        .collect()
        .sort("received_date", "reference")
    )
    return [
        {"received_date": r["received_date"].isoformat(), "amount_cents": r["amount_cents"], "kind": r["kind"],
         "disposition": r["disposition"], "reference": r["reference"]}
        for r in rows.iter_rows(named=True)
    ]  # fmt: skip


def _month(text: str) -> int:
    try:
        return parse_month(text)
    except ValueError as error:
        raise Refused(f"trace: {error}") from error


def _no_month(desk: Desk, found: Row, month: int) -> str:
    months = desk.book.life("loan_months", found["loan_id"])["month"]
    number, asked = found["loan_number"], month_name(month)
    if not len(months):
        return f"trace: loan {number} closed in {month_name(found['closed_month'])} and no month has closed since"
    first, last = month_name(months[0]), month_name(months[-1])
    return f"trace: loan {number} has no month {asked}: its months in this book are {first} to {last}"
