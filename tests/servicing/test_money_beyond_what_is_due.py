"""More money than is due: a few instalments are held ahead, a fortune pays the loan off; never future interest."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from kit import month_index, no_changes, opening

from poolhouse import rules
from poolhouse.servicing.month import run_month
from poolhouse.servicing.parameters import month_rules
from poolhouse.tables import PAYMENTS

MONTH = month_index(2009, 2)


def after(kind: str, amount: int, loan_id: int, loans: pl.DataFrame) -> dict[str, int]:
    row = {
        "loan_id": loan_id, "received_date": date(2009, 2, 5), "amount_cents": amount, "kind": kind, "reference": "a",
        "servicer_id": 1000, "disposition": "applied",
    }  # fmt: skip
    payments = pl.DataFrame([row], schema=PAYMENTS.schema)
    rows, _ = run_month(loans, payments, no_changes(), MONTH, month_rules(rules.load(), MONTH))
    return rows.filter(pl.col("loan_id") == loan_id).row(0, named=True)


@pytest.fixture(scope="module")
def loans() -> pl.DataFrame:
    """Long loans whose February instalment is due: pooled, with agencies and private."""
    frame = opening(400, MONTH - 1, seed=3)
    due_now = frame["first_due_date"] <= date(2009, 2, 1)
    return frame.filter(due_now & (frame["pool_id"] > 0) & (frame["maturity_date"] > date(2030, 1, 1)))


@pytest.mark.parametrize("kind", ["curtailment", "instalment"])
def test_a_fortune_pays_the_loan_off_and_the_rest_goes_back(loans: pl.DataFrame, kind: str) -> None:
    before = loans.row(0, named=True)
    sent = 99_999_999_999
    row = after(kind, sent, before["loan_id"], loans)
    assert row["closing_actual_cents"] == 0 and row["prepaid_cents"] == 0 and row["suspense_cents"] == 0
    assert row["end_code"] == 1
    interest = row["scheduled_interest_cents"]  # February's instalment carries January's interest, and no more
    assert sent - row["refunded_cents"] == before["closing_actual_cents"] + interest
    assert row["pending_unscheduled_cents"] == row["closing_scheduled_cents"]


def test_extra_principal_with_the_instalment_unpaid_first_brings_the_loan_current(loans: pl.DataFrame) -> None:
    before = loans.row(1, named=True)
    row = after("curtailment", before["payment_cents"] + 5_000_00, before["loan_id"], loans)
    assert row["curtailment_cents"] == 5_000_00
    assert row["last_paid_due_date"] == date(2009, 2, 1)
    own = row["closing_scheduled_cents"] - row["pending_unscheduled_cents"]
    assert row["closing_actual_cents"] == own and row["prepaid_cents"] == 0


def test_a_few_instalments_are_held_ahead(loans: pl.DataFrame) -> None:
    before = loans.row(2, named=True)
    row = after("instalment", 4 * before["payment_cents"], before["loan_id"], loans)
    assert row["prepaid_cents"] == 3 * before["payment_cents"]
    assert row["last_paid_due_date"] == date(2009, 5, 1) and row["curtailment_cents"] == 0


def test_a_performing_loan_is_not_liquidated(loans: pl.DataFrame) -> None:
    before = loans.row(3, named=True)
    paid = [("instalment", before["payment_cents"]), ("liquidation", 1_000_00)]
    rows = [
        {"loan_id": before["loan_id"], "received_date": date(2009, 2, 5), "amount_cents": amount, "kind": kind,
         "reference": kind, "servicer_id": 1000, "disposition": "applied"}
        for kind, amount in paid
    ]  # fmt: skip
    payments = pl.DataFrame(rows, schema=PAYMENTS.schema)
    months, sent = run_month(loans, payments, no_changes(), MONTH, month_rules(rules.load(), MONTH))
    assert dict(sent.select("kind", "disposition").rows()) == {"instalment": "applied", "liquidation": "exception"}
    assert months.filter(pl.col("loan_id") == before["loan_id"])["end_code"].item() == 0
