"""Whatever borrowers send, each loan-month conserves cash and keeps its two balances in step."""

from __future__ import annotations

import polars as pl
import pytest
from kit import held, month_index, no_changes, opening, random_payments

from poolhouse import rules
from poolhouse.servicing.month import run_month
from poolhouse.servicing.parameters import month_rules

START = month_index(2009, 1)


def months(seed: int, count: int = 1500, length: int = 30, year: int = 2009):
    start = month_index(year, 1)
    rows = opening(count, start, seed)
    for month in range(start + 1, start + 1 + length):
        payments = random_payments(rows.filter(pl.col("loan_id") % 7 != 0), month, seed)
        cover = pl.DataFrame({"loan_id": rows["loan_id"], "share_e4": 8000, "cap_e4": 3000}).with_columns(
            pl.col("share_e4", "cap_e4").cast(pl.Int64)
        )
        after, sent = run_month(rows, payments, no_changes(cover=cover), month, month_rules(rules.load(), month))
        yield rows, payments, after, sent
        rows = after


def cash_gap(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    opened = before.select("loan_id", held(before).alias("held_before"))
    c = pl.col
    pooled = pl.when(c("payee_pool_id") > 0).then(
        c("scheduled_principal_cents") + c("unscheduled_principal_cents") + c("investor_interest_cents")
    ).otherwise(0)  # fmt: skip
    sources = (
        c("paid_cents")
        - c("refunded_cents")
        + c("advanced_cents")
        + c("guarantor_advanced_cents")
        + c("buyout_cents")
        + c("claim_cents")
        + c("shortfall_cents")
    )
    uses = (
        pooled + c("owner_principal_cents") + c("owner_interest_cents") + c("guaranty_fee_cents")
        - c("guaranty_relief_cents") + c("recovered_cents") + c("guarantor_recovered_cents") + c("servicer_kept_cents")
    )  # fmt: skip
    return after.join(opened, on="loan_id").with_columns(
        gap=sources - uses - (held(after) - c("held_before"))
    ).filter(c("gap") != 0)  # fmt: skip


@pytest.mark.parametrize(("seed", "year"), [(1, 2009), (2, 2009), (3, 2022), (4, 2009), (6, 2022)])
def test_cash_is_conserved_and_balances_stay_in_step(seed: int, year: int) -> None:
    for before, payments, after, sent in months(seed, year=year):
        broken = cash_gap(before, after)
        assert broken.is_empty(), broken.head(2).to_dicts()
        negative = [
            name for name, kind in after.schema.items()
            if kind == pl.Int64 and name != "servicing_fee_cents" and (after[name].min() or 0) < 0
        ]  # fmt: skip
        assert not negative, (negative, after.filter(pl.col(negative[0]) < 0).head(1).to_dicts())
        assert sent.height == payments.height
        taken = sent.filter(pl.col("disposition") != "exception")["amount_cents"].sum()
        assert after["paid_cents"].sum() == taken
        fee = after["scheduled_interest_cents"] - after["investor_interest_cents"] - after["guaranty_fee_cents"]
        assert (fee == after["servicing_fee_cents"]).all()
        ended = after.filter(pl.col("end_code") > 0)
        assert ended.filter((pl.col("advance_balance_cents") > 0) | (pl.col("closing_actual_cents") > 0)).is_empty()


def test_scheduled_is_actual_less_advanced_plus_prepaid() -> None:
    """Current: scheduled = actual. Behind: actual is above by the principal of the missed instalments."""
    for _, _, after, _ in months(5, length=20):
        live = after.filter(
            (pl.col("end_code") == 0) & (pl.col("remittance") == 1) & (pl.col("closing_actual_cents") > 0)
        )
        own = live["closing_scheduled_cents"] - live["pending_unscheduled_cents"]
        month = after["month"][0]
        lpd = live["last_paid_due_date"].dt.year().cast(pl.Int32) * 12 + live["last_paid_due_date"].dt.month() - 1
        current = live.filter(
            (lpd == month)
            | (
                (lpd < month)
                & (lpd == month - 1)
                & (live["first_due_date"].dt.year() * 12 + live["first_due_date"].dt.month() - 1 > month)
            )
        )
        assert (
            current["closing_actual_cents"] == current["closing_scheduled_cents"] - current["pending_unscheduled_cents"]
        ).all()
        behind = live.with_columns(own=own).filter(lpd < month)
        assert (behind["closing_actual_cents"] >= behind["own"]).all()
        ahead = live.with_columns(own=own).filter(lpd > month)
        assert (ahead["closing_actual_cents"] <= ahead["own"]).all()
