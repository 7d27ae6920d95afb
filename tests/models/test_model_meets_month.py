"""What the model pays, the month takes: no payment of the model ends as an exception or in suspense."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl

from poolhouse import chance, rules
from poolhouse.dates import parse_month
from poolhouse.models.borrowers import payments
from poolhouse.money import level_payments
from poolhouse.servicing.month import Changes, run_month
from poolhouse.servicing.parameters import month_rules
from poolhouse.tables import LOAN_MONTHS
from poolhouse.tables.codes import FNMA, LIQUIDATED, MATURED, PAID_OFF

COUNT = 4_000
START = parse_month("2009-03")


def opening() -> pl.DataFrame:
    """Pooled and whole loans of many terms, some a few months from maturity."""
    ids = np.arange(COUNT)
    amount = 5_000_000 + ids * 9_973
    rate = 450_000 + ids % 13 * 12_500
    term = np.array([4, 12, 24, 180, 360])[ids % 5]
    pooled = ids % 3 > 0
    values = {
        "month": START - 1, "loan_id": ids, "program": np.where(pooled, FNMA, 0), "owner_id": np.where(pooled, 2, 1000),
        "servicer_id": 1000, "pool_id": np.where(pooled, 1, 0), "payee_id": 1000, "remittance": np.where(pooled, 1, 0),
        "note_rate_e7": rate, "pass_through_rate_e7": np.where(pooled, rate - 50_000, rate),
        "guaranty_fee_rate_e7": np.where(pooled, 25_000, 0), "payment_cents": level_payments(amount, rate, term),
        "closing_actual_cents": amount, "closing_scheduled_cents": amount,
    }  # fmt: skip
    end = START + term - 1
    dates = {
        "first_due_date": [date(2009, 3, 1)] * COUNT,
        "last_paid_due_date": [date(2009, 2, 1)] * COUNT,
        "maturity_date": [date(int(m) // 12, int(m) % 12 + 1, 1) for m in end],
    }
    columns = {
        c.name: pl.Series(dates.get(c.name, np.broadcast_to(values.get(c.name, 0), COUNT).copy())).cast(c.dtype)
        for c in LOAN_MONTHS.columns
    }
    return LOAN_MONTHS.conform(pl.DataFrame(columns))


def no_changes(rows: pl.DataFrame) -> Changes:
    ids, rates = {"loan_id": pl.Int32}, {"pass_through_rate_e7": pl.Int32, "guaranty_fee_rate_e7": pl.Int32}
    cover = rows.select("loan_id", share_e4=pl.lit(0, pl.Int64), cap_e4=pl.lit(0, pl.Int64))
    return Changes(
        pl.DataFrame(schema=ids | {"buyer_id": pl.Int32, "program": pl.Int8} | rates),
        pl.DataFrame(schema=ids | {"pool_id": pl.Int32} | rates),
        pl.DataFrame(schema=ids | {"servicer_id": pl.Int32}),
        cover,
    )


def test_every_payment_of_two_years_is_applied() -> None:
    rows = opening()
    note = pl.DataFrame(
        {
            "loan_id": pl.Series(np.arange(COUNT), dtype=pl.Int32),
            "draw_key": chance.mix(np.arange(COUNT, dtype=np.uint64)),
            "note_date": [date(2008, 1, 14)] * COUNT,
            "score_mid": pl.Series(np.where(np.arange(COUNT) % 2, 610, 790), dtype=pl.Int16),
            "ltv_e4": pl.Series(np.full(COUNT, 9_200), dtype=pl.Int32),
            "value_cents": rows["closing_actual_cents"] * 10_000 // 9_200,
        }
    )
    kinds: set[str] = set()
    ends: set[int] = set()
    for month in range(START, START + 26):
        state = rows.rename({"closing_actual_cents": "actual_cents"}).join(note, on="loan_id", maintain_order="left")
        paid = payments(state, month, 470_000, 3, rules.load())
        edition = month_rules(rules.load(), month)
        rows, sent = run_month(rows, paid, no_changes(rows), month, replace(edition, buyout_after=edition.stop_after))
        assert sent.filter(pl.col("disposition") != "applied").is_empty(), month
        assert rows["refunded_cents"].sum() == 0
        assert rows["suspense_cents"].sum() == rows["prepaid_cents"].sum() == 0
        assert rows["paid_cents"].sum() == paid["amount_cents"].sum()
        kinds |= set(paid["kind"])
        ends |= set(rows["end_code"])
    assert kinds == {"instalment", "curtailment", "payoff", "liquidation"}
    assert ends == {0, PAID_OFF, MATURED, LIQUIDATED}
