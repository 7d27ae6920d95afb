"""loan: the whole life of one loan, in the order it happened, read from the book's tables."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from poolhouse import rules, standards
from poolhouse.dates import month_name, month_of
from poolhouse.market.desk import Desk
from poolhouse.market.find import Names, Row, find_loan
from poolhouse.tables import codes
from poolhouse.tables.codes import ACTIVE, END_CODES, PROGRAMS

_TERMS = (
    "loan_number", "kind", "note_amount_cents", "note_rate_e7", "term_months", "payment_cents", "note_date",
    "first_due_date", "maturity_date", "rate_type", "purpose", "streamline", "occupancy", "units", "property_type",
    "state", "county_fips", "value_cents", "ltv_e4", "score", "dti_e4", "income_cents", "mi_pct", "first_time_buyer",
    "borrowers",
)  # fmt: skip
_CLOSING = (
    "note_date", "note_amount_cents", "financed_fee_cents", "odd_days_interest_cents", "points_cents",
    "closing_costs_cents", "curtailment_cents",
)  # fmt: skip
_SALE = (
    "method", "settlement_date", "price_e6", "scheduled_upb_cents", "proceeds_cents", "accrued_cents", "coupon_rate_e7",
    "pass_through_rate_e7", "guaranty_fee_rate_e7", "servicing_fee_rate_e7", "servicing_released",
    "line_principal_cents", "line_interest_cents", "servicing_right_cents", "gain_cents",
)  # fmt: skip
_POOL = (
    "pool_number", "prefix", "guarantee", "coupon_rate_e7", "issue_date", "first_payment_date", "pay_day", "loans",
    "scheduled_cents", "wac_e7", "wam_months", "wala_months",
)  # fmt: skip
_TIES = {"": "the best price", "approvals": "equal prices: by the lender's approvals", "hash": "equal prices: by lot"}
_IMPUTED = {
    "note_rate_snapped": "note rate set to the nearest eighth",
    "note_month": "note month assumed",
    "ltv_scaled": "loan to value read in percent",
    "streamline_inferred": "streamline refinance inferred from what is missing",
    "limited_cash_out_assumed": "refinance assumed limited cash-out",
    "lien_assumed_first": "lien assumed first",
    "score_band": "credit score known only as a band",
    "curtailed_before_sale": "principal paid down between closing and sale",
    "first_due_date": "first due date derived from the note date",
    "value_from_ltv": "property value derived from amount and loan to value",
    "closing_costs_assumed": "closing costs assumed",
    "lender_type_assumed": "type of lender assumed",
    "income_null": "income unknown",
    "note_amount_from_upb": "note amount derived from the balance",
    "note_day": "day of the note drawn within its month",
    "other": "another value filled in",
    "purpose_assumed": "purpose not given, read as a purchase",
    "occupancy_assumed": "occupancy not given, read as the borrower's own home",
    "units_assumed": "units not given, read as one",
    "mi_assumed": "mortgage insurance not given, read as none",
}
"""Bits of `imputed_flags` in words."""
_BUCKETS = ("current", "30 days", "60 days", "90 days or more")


def loan(desk: Desk, asked: str) -> Row:
    """A loan's whole life. asked: the tape's loan number, or `#` and the loan's id in the book.

    Keys: loan, loan_id, status, terms, closing, eligibility (a program each: answer, reasons), sale,
    refusals, owners, pool, security, servicers, notices, payments, months; None or [] for what has
    not happened. Integer cents, ISO dates. Refused with the nearest numbers when there is no such loan.
    """
    found = find_loan(desk, asked)
    names, loan_id = Names(desk), int(found["loan_id"])
    rows = desk.book.life("loan_months", loan_id)
    moves = _of(desk, "assignments", loan_id).sort("effective_date", "role")
    sales = _of(desk, "sales", loan_id).head(1)
    pool_id = _of(desk, "pool_loans", loan_id).head(1)
    pooled = pool_id.row(0, named=True) if pool_id.height else None
    return {
        "loan": found["loan_number"],
        "loan_id": loan_id,
        "status": _status(found, rows, pooled, names),
        "terms": _plain(found, _TERMS),
        "closing": _closing(found, names),
        "eligibility": _eligibility(desk, loan_id),
        "sale": _sale(sales, names),
        "refusals": _refusals(desk, loan_id),
        "owners": _held_by(moves, "owner", names, pooled),
        "pool": _pool(desk, pooled, loan_id, names),
        "security": _security(pooled, names),
        "servicers": _held_by(moves, "servicer", names),
        "notices": _notices(desk, loan_id, names),
        "payments": _payments(desk, loan_id, names),
        "months": _months(rows, names),
    }


def delinquency(month: int, row: Row) -> str:
    """How late a loan is on the last day of a month, as the Mortgage Bankers Association counts."""
    if row["end_code"] != ACTIVE:
        return END_CODES[row["end_code"]]
    if row["workout"] == codes.FORECLOSURE:
        return "foreclosure"
    missed = min(month, month_of(row["maturity_date"])) - month_of(row["last_paid_due_date"])
    return _BUCKETS[min(max(missed, 0), len(_BUCKETS) - 1)]


def _of(desk: Desk, table: str, loan_id: int) -> pl.DataFrame:
    return desk.book.scan(table).filter(pl.col("loan_id") == loan_id).collect()


def _plain(row: Row, keys: tuple[str, ...]) -> Row:
    """Some columns of a row, dates as text."""
    return {key: row[key].isoformat() if isinstance(row[key], date) else row[key] for key in keys}


def _status(found: Row, rows: pl.DataFrame, pooled: Row | None, names: Names) -> str:
    """Where the loan stands, in one line."""
    if not rows.height:
        return "closed; no month has been serviced yet"
    last = rows.row(-1, named=True)
    when = month_name(last["month"])
    if last["end_code"] != ACTIVE:
        ended = rows.filter(pl.col("end_code") != ACTIVE).row(0, named=True)
        return f"{END_CODES[ended['end_code']]} in {month_name(ended['month'])}"
    where = names.pool(last["pool_id"])["name"] if last["pool_id"] and pooled else names.party(last["owner_id"])["name"]
    return f"{delinquency(last['month'], last)} at the end of {when}; owned by {where}"


def _closing(found: Row, names: Names) -> Row:
    lender = names.party(found["originator_party_id"])
    return {
        "lender": lender["name"],
        "code": lender["code"],
        "lender_type": found["originator_type"],
        **_plain(found, _CLOSING),
        "closed_month": month_name(found["closed_month"]),
        "tape_row": found["tape_row"],
        "imputed": [_IMPUTED[name] for name in codes.imputed_names(found["imputed_flags"])],
    }


def _eligibility(desk: Desk, loan_id: int) -> list[Row]:
    """The latest answer of each program and what it rests on."""
    checks = _of(desk, "checks", loan_id).sort("program", "as_of").unique("program", keep="last", maintain_order=True)
    if not checks.height:
        return []
    loans = _of(desk, "loans", loan_id)
    words = standards.explain(checks, loans, desk.rulebook)
    keep = ["rule", "outcome", "field", "limit", "value", "source", "message"]
    return [
        {
            "program": PROGRAMS[c["program"]],
            "answer": codes.ANSWERS[c["answer"]],
            "as_of": c["as_of"].isoformat(),
            "reasons": list(
                words.filter(pl.col("program") == PROGRAMS[c["program"]]).select(keep).iter_rows(named=True)
            ),
        }
        for c in checks.head(len(PROGRAMS)).iter_rows(named=True)
    ]


def _sale(sales: pl.DataFrame, names: Names) -> Row | None:
    if not sales.height:
        return None
    row = sales.row(0, named=True)
    return {
        "seller": names.party(row["seller_id"])["name"],
        "buyer": names.party(row["buyer_id"])["name"],
        "outlet": PROGRAMS[row["program"]],
        "chosen_by": _TIES.get(row["tie"], row["tie"]),
        **_plain(row, _SALE),
    }


def _refusals(desk: Desk, loan_id: int) -> list[Row]:
    found = [
        frame.filter(pl.col("loan_id") == loan_id).select(
            pl.lit(month_name(month)).alias("month"), "program", "reason"
        )
        for month in desk.book.months("refusals")
        for frame in [desk.book.scan("refusals", [month])]
    ]  # fmt: skip
    rows = pl.concat(found).collect().head(100) if found else pl.DataFrame()
    return [
        {
            "month": r["month"],
            "program": PROGRAMS[r["program"]] if r["program"] != codes.NO_PROGRAM else "all",
            "reason": r["reason"],
        }
        for r in rows.iter_rows(named=True)
    ]


def _held_by(moves: pl.DataFrame, role: str, names: Names, pooled: Row | None = None) -> list[Row]:
    """Who had the loan in a role, one after the other; `until` is None for the last. The trusts go by the pool."""
    held, trusts = moves.filter(pl.col("role") == role), rules.system_parties()["trusts"]["party_id"]
    until = [*held["effective_date"].to_list()[1:], None]
    return [
        {
            role: names.pool(pooled["pool_id"])["name"]
            if pooled and m["to_id"] == trusts
            else names.party(m["to_id"])["name"],
            "code": names.party(m["to_id"])["code"],
            "from": m["effective_date"].isoformat(),
            "until": end.isoformat() if end else None,
            "price_cents": m["consideration_cents"],
            "accrued_cents": m["accrued_cents"],
            "reason": m["reason"].replace("_", " "),
        }
        for m, end in zip(held.head(held.height).iter_rows(named=True), until, strict=True)
    ]


def _pool(desk: Desk, pooled: Row | None, loan_id: int, names: Names) -> Row | None:
    """The pool the loan went into; before it, how long it waited."""
    waits = _of(desk, "pool_waits", loan_id).sort("months_waited")
    waited = max(waits["months_waited"].to_list(), default=0)
    if pooled is None:
        return (
            {"waited_months": waited, "reason": waits["reason"][-1], "outcome": waits["outcome"][-1]}
            if waited
            else None
        )
    pool = names.pools[pooled["pool_id"]]
    return {
        "pool_id": pooled["pool_id"],
        "program": names.program(pool["program"]),
        **_plain(pool, _POOL),
        "loan_scheduled_cents": pooled["scheduled_cents"],
        "waited_months": waited,
    }


def _security(pooled: Row | None, names: Names) -> Row | None:
    if pooled is None:
        return None
    pool = names.pools[pooled["pool_id"]]
    return {
        "cusip": pool["cusip"],
        "classes": pool["classes"],
        "face_cents": pool["face_cents"],
        "issue_month": month_name(pool["issue_month"]),
        "coupon_rate_e7": pool["coupon_rate_e7"],
        "guarantor": names.party(pool["guarantor_id"])["name"] if pool["guarantor_id"] else "none",
    }


def _notices(desk: Desk, loan_id: int, names: Names) -> list[Row]:
    told = _of(desk, "notices", loan_id).sort("transfer_date", "kind")
    return [
        {
            "kind": n["kind"].replace("_", " "),
            "from": names.party(n["from_id"])["name"],
            "to": names.party(n["to_id"])["name"],
            **_plain(n, ("transfer_date", "due_date", "sent_date")),
            "exemption": n["exemption"].replace("_", " "),
        }
        for n in told.iter_rows(named=True)
    ]


def _payments(desk: Desk, loan_id: int, names: Names) -> list[Row]:
    received = _of(desk, "payments", loan_id).sort("received_date", "reference").head(100_000)
    return [
        {
            **_plain(p, ("received_date", "amount_cents", "kind", "disposition", "reference")),
            "servicer": names.party(p["servicer_id"])["name"],
        }
        for p in received.iter_rows(named=True)
    ]


_MONTH = (
    "paid_cents", "refunded_cents", "interest_applied_cents", "principal_applied_cents", "curtailment_cents",
    "suspense_cents", "prepaid_cents", "investor_interest_cents", "scheduled_principal_cents",
    "unscheduled_principal_cents", "owner_interest_cents", "owner_principal_cents", "guaranty_fee_cents",
    "guaranty_relief_cents", "servicer_kept_cents", "shortfall_cents", "advanced_cents", "recovered_cents",
    "advance_balance_cents", "guarantor_advanced_cents", "guarantor_recovered_cents", "guarantor_advance_balance_cents",
    "claim_cents", "buyout_cents", "loss_cents", "opening_actual_cents", "closing_actual_cents",
    "closing_scheduled_cents",
)  # fmt: skip


def _months(rows: pl.DataFrame, names: Names) -> list[Row]:
    """A row for each month serviced: who, what was due and paid, where it stands at the month's end."""
    return [
        {
            "month": month_name(r["month"]),
            "owner": names.pool(r["pool_id"])["name"] if r["pool_id"] else names.party(r["owner_id"])["name"],
            "servicer": names.party(r["servicer_id"])["name"],
            "payment_due_cents": _due(r),
            **_plain(r, _MONTH),
            "remittance": codes.REMITTANCES[r["remittance"]],
            "last_paid_due_date": r["last_paid_due_date"].isoformat(),
            "delinquency": delinquency(r["month"], r),
        }
        for r in rows.sort("month").head(rows.height).iter_rows(named=True)
    ]


def _due(row: dict[str, Any]) -> int:
    """The instalment due on the 1st of the month, 0 before the first and after the last."""
    due = month_of(row["first_due_date"]) <= row["month"] <= month_of(row["maturity_date"])
    return int(row["payment_cents"]) if due and row["opening_actual_cents"] > 0 else 0
