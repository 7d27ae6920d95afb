"""Loans waiting for a pool, for the tests."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from poolhouse.dates import parse_month
from poolhouse.tables.codes import FNMA

MONTH = parse_month("2009-02")
SOLD = parse_month("2009-02")

WAITING: dict[str, pl.DataType] = {
    "loan_id": pl.Int32(), "program": pl.Int8(), "owner_id": pl.Int32(), "servicer_id": pl.Int32(),
    "kind": pl.String(), "coupon_rate_e7": pl.Int32(), "pass_through_rate_e7": pl.Int32(),
    "guaranty_fee_rate_e7": pl.Int32(), "note_rate_e7": pl.Int32(), "term_months": pl.Int16(),
    "note_date": pl.Date(), "first_due_date": pl.Date(), "maturity_date": pl.Date(),
    "last_paid_due_date": pl.Date(), "scheduled_upb_cents": pl.Int64(), "sold_month": pl.Int32(),
    "high_balance": pl.Boolean(), "occupancy": pl.String(),
}  # fmt: skip

ORDINARY: dict[str, Any] = {
    "program": FNMA, "owner_id": 3, "servicer_id": 1000, "kind": "conventional", "coupon_rate_e7": 450_000,
    "pass_through_rate_e7": 450_000, "guaranty_fee_rate_e7": 22_000, "note_rate_e7": 500_000, "term_months": 360,
    "note_date": date(2009, 1, 14), "first_due_date": date(2009, 3, 1), "maturity_date": date(2039, 2, 1),
    "last_paid_due_date": date(2009, 2, 1), "scheduled_upb_cents": 60_000_000, "sold_month": SOLD,
    "high_balance": False, "occupancy": "principal",
}  # fmt: skip


def waiting(*loans: dict[str, Any]) -> pl.DataFrame:
    """Ordinary loans with what differs, numbered from 0."""
    rows = [{"loan_id": i} | ORDINARY | loan for i, loan in enumerate(loans)]
    return pl.DataFrame(rows, schema=WAITING, orient="row")
