"""Hand-made opening rows and random payments for tests of the servicing month."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from poolhouse.dates import first_day, month_of
from poolhouse.money import level_payments
from poolhouse.servicing.month import Changes
from poolhouse.tables import LOAN_MONTHS, PAYMENTS

I32, I64 = pl.Int32, pl.Int64


def no_changes(**frames: pl.DataFrame) -> Changes:
    empty = {
        "sales": {
            "loan_id": I32,
            "buyer_id": I32,
            "program": pl.Int8,
            "pass_through_rate_e7": I32,
            "guaranty_fee_rate_e7": I32,
        },
        "pooled": {"loan_id": I32, "pool_id": I32, "pass_through_rate_e7": I32, "guaranty_fee_rate_e7": I32},
        "servicers": {"loan_id": I32, "servicer_id": I32},
        "cover": {"loan_id": I32, "share_e4": I64, "cap_e4": I64},
    }
    return Changes(**{k: frames.get(k, pl.DataFrame(schema=v)) for k, v in empty.items()})


def opening(count: int, month: int, seed: int) -> pl.DataFrame:
    """Random current loans at the end of `month`: pooled under each program, whole loans, own portfolio."""
    rng = np.random.default_rng(seed)
    amount = rng.integers(50_000_00, 700_000_00, count)
    rate = rng.integers(300, 900, count) * 1000
    term = rng.choice([2, 5, 24, 120, 180, 360], count)
    payment = level_payments(amount, rate, term)
    program = rng.integers(0, 5, count)
    pooled = (program > 0) & (rng.random(count) < 0.8)
    own = program == 0
    first = month + rng.integers(0, 2, count)
    first = np.where(pooled, month + 1, first)
    lpd = np.full(count, month)  # paid up to date
    guaranty = np.where(own | (program == 4), 0, 22_000)
    pass_through = np.where(own, rate, rate - guaranty - 25_000)
    columns = {
        "month": month, "loan_id": np.arange(count), "program": program,
        "owner_id": np.where(pooled, 2, np.where(own, 1000, program + 2)), "servicer_id": 1000,
        "pool_id": np.where(pooled, program, 0), "payee_id": 1000, "payee_pool_id": 0,
        "remittance": np.where(own, 0, 1), "note_rate_e7": rate, "pass_through_rate_e7": pass_through,
        "guaranty_fee_rate_e7": guaranty, "payment_cents": payment,
        "first_due_date": [first_day(int(m)) for m in first],
        "maturity_date": [first_day(int(m)) for m in first + term - 1],
        "last_paid_due_date": [first_day(int(m)) for m in lpd],
        "closing_actual_cents": amount, "closing_scheduled_cents": amount,
    }  # fmt: skip
    frame = pl.DataFrame(
        {
            c.name: pl.Series(
                np.broadcast_to(columns.get(c.name, 0), count).copy()
                if not isinstance(columns.get(c.name, 0), list)
                else columns[c.name]
            ).cast(c.dtype)
            for c in LOAN_MONTHS.columns
        }
    )
    return LOAN_MONTHS.conform(frame)


def random_payments(rows: pl.DataFrame, month: int, seed: int) -> pl.DataFrame:
    """Anything a borrower or a bad file may send: none, part, one, several, extra, payoffs, sales."""
    rng = np.random.default_rng(seed * 1000 + month)
    parts = []
    for k in range(3):
        chosen = rows.sample(fraction=(0.7, 0.25, 0.1)[k], seed=seed + month + k, shuffle=True)
        n = chosen.height
        if not n:
            continue
        kind = rng.choice(["instalment", "curtailment", "payoff", "liquidation"], n, p=[0.9, 0.06, 0.03, 0.01])
        payment = chosen["payment_cents"].to_numpy()
        factor = rng.choice([0.3, 1, 1, 1, 1, 2, 3, 5, 12], n)
        amount = np.maximum((payment * factor).astype(np.int64) + rng.integers(0, 2, n) * rng.integers(0, 50_000, n), 1)
        big = (chosen["closing_actual_cents"].to_numpy() * rng.choice([0.0, 0.5, 1.0, 1.2], n)).astype(np.int64) + 1
        amount = np.where(np.isin(kind, ["payoff", "liquidation"]), big, amount)
        day = rng.integers(1, 29, n)
        parts.append(pl.DataFrame({
            "loan_id": chosen["loan_id"], "received_date": [date(month // 12, month % 12 + 1, int(d)) for d in day],
            "amount_cents": amount, "kind": kind, "reference": [f"{month}-{k}-{i}" for i in range(n)],
        }))  # fmt: skip
    frame = pl.concat(parts).with_columns(
        pl.lit(1000, I32).alias("servicer_id"), pl.lit("applied").alias("disposition")
    )
    return PAYMENTS.conform(frame)


def held(rows: pl.DataFrame) -> pl.Expr:
    return (
        pl.col("suspense_cents") + pl.col("prepaid_cents") + pl.col("pending_unscheduled_cents")
        + pl.col("pending_interest_cents")
    )  # fmt: skip


def month_index(year: int, month: int) -> int:
    return month_of(date(year, month, 1))
