"""Small loans, checks and lenders for the tests of the first two steps."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from poolhouse import chance
from poolhouse.ledger import lines
from poolhouse.money import level_payment
from poolhouse.rules import system_parties
from poolhouse.tables import CHECKS, LOANS, Outcome

DEFAULTS: dict[str, Any] = {
    "originator_id": "10",
    "originator_name": "First Bank",
    "originator_type": "depository",
    "originator_state": "IA",
    "kind": "conventional",
    "note_amount_cents": 200_000_00,
    "note_rate_e7": 487_500,
    "term_months": 360,
    "note_date": date(2009, 1, 14),
    "first_due_date": date(2009, 3, 1),
    "maturity_date": date(2039, 2, 1),
    "rate_type": "fixed",
    "purpose": "purchase",
    "occupancy": "principal",
    "units": 1,
    "property_type": "detached",
    "state": "IA",
    "county_fips": None,
    "value_cents": 250_000_00,
    "ltv_e4": 8_000,
    "score": 740,
    "score_mid": 740,
    "dti_e4": 3_000,
    "income_cents": 90_000_00,
    "mi_pct": 0,
    "first_time_buyer": None,
    "borrowers": 2,
    "curtailment_cents": 0,
    "financed_fee_cents": 0,
    "points_cents": 0,
    "closing_costs_cents": 0,
    "streamline": False,
    "underwriting": "",
    "amortization": "",
    "documentation": "",
    "affordable": "",
    "mi_payer": "",
    "va_use": "",
    "tape_row": 1,
    "imputed_flags": 0,
    "odd_days_interest_cents": 0,
    "closed_month": 24108,
    "originator_party_id": 1000,
}


def loans(*rows: dict[str, Any]) -> pl.DataFrame:
    """A LOANS frame: each row changes some of the defaults; loans are numbered from 0."""
    full = []
    for i, row in enumerate(rows):
        loan = DEFAULTS | {"loan_id": i, "loan_number": f"L{i:05d}"} | row
        loan["draw_key"] = chance.text_key(loan["loan_number"])
        loan["payment_cents"] = level_payment(loan["note_amount_cents"], loan["note_rate_e7"], loan["term_months"])
        full.append(loan)
    return LOANS.conform(pl.DataFrame(full, schema=LOANS.schema))


def closing(*rows: dict[str, Any], interest: int = 0, principal: int = 0) -> pl.DataFrame:
    """Loans with what is deemed paid on each."""
    return loans(*rows).with_columns(
        pl.lit(interest, pl.Int64).alias("deemed_interest_cents"),
        pl.lit(principal, pl.Int64).alias("deemed_principal_cents"),
    )


def candidates(*rows: dict[str, Any]) -> pl.DataFrame:
    """Loans offered for sale, with the balance, the line and whether they are current."""
    extra = pl.DataFrame(
        {
            "scheduled_upb_cents": [r.get("scheduled_upb_cents", 200_000_00) for r in rows],
            "line_principal_cents": [r.get("line_principal_cents", 180_000_00) for r in rows],
            "current": [r.get("current", True) for r in rows],
        },
        schema={"scheduled_upb_cents": pl.Int64, "line_principal_cents": pl.Int64, "current": pl.Boolean},
    )
    frame = loans(*[{k: v for k, v in r.items() if k not in extra.columns} for r in rows])
    return frame.with_columns(pl.col("originator_party_id").alias("seller_id")).hstack(extra)


def checks(answers: dict[int, dict[int, int]]) -> pl.DataFrame:
    """CHECKS from loan -> program -> answer."""
    rows = [
        {
            "loan_id": loan,
            "program": program,
            "answer": answer,
            "reasons": 0,
            "assumptions": 0,
            "undetermined": 0,
            "as_of": date(2009, 2, 1),
        }
        for loan, programs in answers.items()
        for program, answer in programs.items()
    ]
    return CHECKS.conform(pl.DataFrame(rows, schema=CHECKS.schema))


def lender(party: int = 1000, kind: str = "depository", **approved: bool) -> dict[str, Any]:
    """One lender, approved everywhere but as a Ginnie issuer, unless said otherwise."""
    flags = {"fnma": True, "fhlmc": True, "gnma": False, "private": True} | approved
    return {"party_id": party, "code": f"originator:{party}", "type": kind} | flags


def lenders(*rows: dict[str, Any]) -> pl.DataFrame:
    """Lenders as the sale sees them."""
    return pl.DataFrame(list(rows)).with_columns(pl.col("party_id").cast(pl.Int32))


def balances(outcome: Outcome) -> dict[tuple[int, str], int]:
    """Party and account -> cents posted by all events; debits positive."""
    total: dict[tuple[int, str], int] = {}
    for event in outcome.events:
        for party, account, _, cents in lines(event).rows():
            total[party, account] = total.get((party, account), 0) + cents
    return {key: cents for key, cents in total.items() if cents}


def party(code: str) -> int:
    """A system party's number."""
    return int(system_parties()[code]["party_id"])
