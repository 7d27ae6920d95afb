"""Loans by hand: one plain conventional loan, and whatever a test changes about it."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from poolhouse.tables import LOANS
from poolhouse.tables.codes import IMPUTED

PLAIN: dict[str, Any] = {
    "originator_party_id": 1000, "draw_key": 1, "payment_cents": 158017, "maturity_date": date(2056, 12, 1),
    "odd_days_interest_cents": 0, "closed_month": 24321, "loan_number": "1", "originator_id": "A",
    "originator_name": "A", "originator_type": "depository", "originator_state": "OH", "kind": "conventional",
    "note_amount_cents": 25_000_000, "note_rate_e7": 650_000, "term_months": 360, "note_date": date(2026, 10, 14),
    "first_due_date": date(2026, 12, 1), "rate_type": "fixed", "purpose": "purchase", "occupancy": "principal",
    "units": 1, "property_type": "detached", "state": "OH", "county_fips": "39037", "value_cents": 35_000_000,
    "ltv_e4": 7_142, "score": 760, "score_mid": 760, "dti_e4": 3_000, "income_cents": 10_000_000, "mi_pct": 0,
    "first_time_buyer": False, "borrowers": 1, "curtailment_cents": 0, "financed_fee_cents": 0, "points_cents": 0,
    "closing_costs_cents": 0, "streamline": False, "tape_row": 1, "imputed_flags": 0,
    "late_30_12m": 0, "contributions_e4": 0, "title_months": 24, "apr_e7": 660_000, "apor_e7": 640_000,
    "points_and_fees_cents": 200_000, "reserves_months": 12, "ami_ratio_e4": 7_500, "residual_income_cents": 200_000,
    "household_size": 2, "rural": True,
    "underwriting": "du", "amortization": "", "documentation": "", "affordable": "", "mi_payer": "", "va_use": "",
}  # fmt: skip


def loans(*changes: dict[str, Any]) -> pl.DataFrame:
    """A LOANS frame, a loan for each dict of changes, numbered from 1. `imputed` may list names of IMPUTED; without
    a `cltv_e4` there is no other lien."""
    rows = []
    for number, change in enumerate(changes, start=1):
        row = PLAIN | {k: v for k, v in change.items() if k != "imputed"}
        row.setdefault("cltv_e4", row["ltv_e4"])
        row["imputed_flags"] = sum(IMPUTED[name] for name in change.get("imputed", []))
        rows.append(row | {"loan_id": number, "loan_number": str(number)})
    return LOANS.conform(pl.DataFrame(rows, schema=LOANS.schema))
