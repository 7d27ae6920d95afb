"""The servicing month against the hand-worked one-loan table, cent by cent."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from poolhouse import rules
from poolhouse.dates import parse_month
from poolhouse.servicing.month import Changes, run_month
from poolhouse.servicing.parameters import month_rules
from poolhouse.tables import LOAN_MONTHS, PAYMENTS
from poolhouse.tables.codes import FNMA, SCHEDULED_SCHEDULED

TABLE = pl.read_csv(Path(__file__).parent / "one_loan.csv")
NOT_IN_A_LOAN_MONTH = {
    "case",
    "month",
    "factor_e8",
    "due_to_trust_cents",
    "holder_principal_cents",
    "holder_interest_cents",
}
COMPARED = [name for name in TABLE.columns if name not in NOT_IN_A_LOAN_MONTH]
NEVER = 10_000

OPENING = {
    "month": parse_month("2009-02"), "loan_id": 0, "program": FNMA, "owner_id": 2, "servicer_id": 1000, "pool_id": 1,
    "payee_id": 2, "payee_pool_id": 1, "remittance": SCHEDULED_SCHEDULED, "note_rate_e7": 650_000,
    "pass_through_rate_e7": 600_000, "guaranty_fee_rate_e7": 25_000, "payment_cents": 158_017,
    "first_due_date": date(2009, 3, 1), "maturity_date": date(2039, 2, 1), "last_paid_due_date": date(2009, 2, 1),
    "closing_actual_cents": 25_000_000, "closing_scheduled_cents": 25_000_000,
}  # fmt: skip
"""The loan at the end of February: pooled, nothing due yet."""

EXTRA_PAYMENTS = {
    ("c", "2009-05"): [("payoff", 25_129_844)],
    ("d", "2009-04"): [("instalment", 158_017), ("curtailment", 500_000)],
    ("e", "2009-05"): [("instalment", 316_034)],
    ("e", "2009-04"): [],
}
"""What the borrower sends on the 10th where it is not one instalment."""


def opening_row() -> pl.DataFrame:
    row = {c.name: pl.Series([OPENING.get(c.name, 0)], dtype=c.dtype) for c in LOAN_MONTHS.columns}
    return LOAN_MONTHS.conform(pl.DataFrame(row))


def no_changes() -> Changes:
    ids = {"loan_id": pl.Int32}
    rates = {"pass_through_rate_e7": pl.Int32, "guaranty_fee_rate_e7": pl.Int32}
    return Changes(
        sales=pl.DataFrame(schema=ids | {"buyer_id": pl.Int32, "program": pl.Int8} | rates),
        pooled=pl.DataFrame(schema=ids | {"pool_id": pl.Int32} | rates),
        servicers=pl.DataFrame(schema=ids | {"servicer_id": pl.Int32}),
        cover=pl.DataFrame(schema=ids | {"share_e4": pl.Int64, "cap_e4": pl.Int64}),
    )


def sent(case: str, name: str, gone: bool) -> pl.DataFrame:
    usual = [] if case == "b" or gone else [("instalment", 158_017)]
    rows = [
        {"loan_id": 0, "received_date": date(2009, int(name[5:]), 10), "amount_cents": amount, "kind": kind,
         "reference": f"{name}-{kind}", "servicer_id": 1000, "disposition": "applied"}
        for kind, amount in EXTRA_PAYMENTS.get((case, name), usual)
    ]  # fmt: skip
    return PAYMENTS.conform(pl.DataFrame(rows, schema=PAYMENTS.schema))


@pytest.mark.parametrize("case", TABLE["case"].unique(maintain_order=True).to_list())
def test_months_equal_the_hand_worked_table(case: str) -> None:
    rows = opening_row()
    for expected in TABLE.filter(pl.col("case") == case).to_dicts():
        month = parse_month(expected["month"])
        # The example stays in its pool: buyout is a rule of its own.
        edition = month_rules(rules.load(), month)
        stay = replace(edition, buyout_after=edition.buyout_after * 0 + NEVER)
        payments = sent(case, expected["month"], gone=rows["closing_actual_cents"][0] == 0)
        rows, dispositions = run_month(rows, payments, no_changes(), month, stay)
        got = rows.select(COMPARED).to_dicts()[0]
        assert got == {name: expected[name] for name in COMPARED}, expected["month"]
        assert set(dispositions["disposition"]) <= {"applied"}
