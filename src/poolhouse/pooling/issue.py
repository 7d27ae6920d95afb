"""From cells to pools: what a pool is called, what it promises, and who gets how much of it.

Few rows (a pool a row), so plain Python; sums over loans come from columns in 128 bits.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl

from poolhouse.dates import day_in, on_or_after
from poolhouse.money import PRICE_PAR_E6, half_up_div, largest_remainder
from poolhouse.pooling.cells import CELL, settlement_dates
from poolhouse.pooling.limits import GINNIE_1, GINNIE_2, SERIES, UMBS, Limits
from poolhouse.rules import system_parties
from poolhouse.tables import POOLS, TRADES
from poolhouse.tables.codes import PROGRAMS

FACTOR_ONE_E8 = 100_000_000

SHARES_SCHEMA: dict[str, pl.DataType] = {
    "pool_id": pl.Int32(), "program": pl.Int8(), "owner_id": pl.Int32(), "scheduled_cents": pl.Int64(),
    "face_cents": pl.Int64(), "dropped_cents": pl.Int64(), "gained_cents": pl.Int64(), "value_date": pl.Date(),
}  # fmt: skip


def numbered(placed: pl.DataFrame, next_pool_id: int) -> pl.DataFrame:
    """`placed` plus pool_id i32: cells in the order of CELL, numbered from next_pool_id."""
    cells = placed.select(CELL).unique().sort(CELL)
    ids = pl.int_range(next_pool_id, next_pool_id + cells.height, dtype=pl.Int32, eager=True).alias("pool_id")
    return placed.join(cells.with_columns(ids), on=CELL, how="left").sort("pool_id", "loan_id")


def describe(pooled: pl.DataFrame, limits: Limits) -> pl.DataFrame:
    """POOLS rows. Weighted by scheduled balance, half-up: WAC, WAM, WALA and the guaranty fee.

    Remaining term counts the instalments after the issue date; age counts months of accrual.
    """
    issue = limits.month
    maturity = pl.col("maturity_date").dt.year().cast(pl.Int64) * 12 + pl.col("maturity_date").dt.month() - 1
    first_due = pl.col("first_due_date").dt.year().cast(pl.Int64) * 12 + pl.col("first_due_date").dt.month() - 1
    upb = pl.col("scheduled_upb_cents").cast(pl.Int128)
    weighted = {
        "wac": pl.col("note_rate_e7"),
        "wam": maturity - issue,
        "wala": pl.max_horizontal(issue + 1 - first_due, pl.lit(0, pl.Int64)),
        "fee": pl.col("guaranty_fee_rate_e7"),
    }
    cells = (
        pooled.group_by("pool_id", *CELL)
        .agg(
            pl.len().alias("loans"),
            pl.col("scheduled_upb_cents").sum().alias("scheduled"),
            *[(upb * column.cast(pl.Int128)).sum().alias(name) for name, column in weighted.items()],
        )
        .sort("pool_id")
    )
    rows = [_pool_row(cell, limits) for cell in cells.to_dicts()]
    return POOLS.conform(pl.DataFrame(rows, schema=POOLS.schema))


def _pool_row(cell: dict[str, Any], limits: Limits) -> dict[str, Any]:
    program, series, upb = cell["program"], cell["series"], cell["scheduled"]
    enterprise = system_parties()[PROGRAMS[program]]["party_id"] if program in _GUARANTORS else 0
    pay_day = limits.program("pay_day", program, series=series)
    return {
        "pool_id": cell["pool_id"],
        "pool_number": f"{limits.number_letter(program)}{cell['pool_id']:06d}",
        "program": program,
        "prefix": limits.prefix(program, series, cell["term_bucket"], cell["high"]),
        "issuer_id": _issuer(series, cell["issuer_id"], enterprise),
        "guarantor_id": enterprise,
        "guarantee": limits.guarantee(program),
        "term_bucket": cell["term_bucket"],
        "coupon_rate_e7": cell["coupon_rate_e7"],
        "guaranty_fee_rate_e7": half_up_div(cell["fee"], upb),
        "issue_date": limits.issue_date,
        "first_payment_date": on_or_after(day_in(limits.month + 1, pay_day)),
        "pay_day": pay_day,
        "delay_days": limits.program("delay_days", program, series=series),
        "scheduled_cents": upb,
        "truncation_cents": upb % 100,
        "face_cents": upb - upb % 100,
        "loans": cell["loans"],
        "wac_e7": half_up_div(cell["wac"], upb),
        "wam_months": half_up_div(cell["wam"], upb),
        "wala_months": half_up_div(cell["wala"], upb),
    }


_GUARANTORS = frozenset(code for code, series in SERIES.items() if series in (UMBS, GINNIE_2))


def _issuer(series: str, cell_issuer: int, enterprise: int) -> int:
    if series == GINNIE_1:
        return cell_issuer
    if series == GINNIE_2:
        return 0  # several issuers, each servicing its own package
    return enterprise or int(system_parties()["conduit"]["party_id"])


def settlement_days(pooled: pl.DataFrame, limits: Limits) -> dict[int, date]:
    """The day each pool takes its loans and its certificates are handed out.

    The issue date, unless loans are still being bought then: the business day after the last of them
    is paid for, so that a loan has one owner on every day.
    """
    days = settlement_dates(pooled, limits.issue_date)
    latest = dict(zip(days["pool_id"].to_list(), days["latest"].to_list(), strict=True))
    return {
        pool: day if day == limits.issue_date and "settlement_date" not in pooled.columns else _day_after(day)
        for pool, day in latest.items()
    }


def _day_after(day: date) -> date:
    return on_or_after(day + timedelta(days=1))


def share_out(pooled: pl.DataFrame, pools: pl.DataFrame, days: dict[int, date]) -> pl.DataFrame:
    """Who gets how much of each pool, pro rata in whole dollars: SHARES_SCHEMA, per pool and owner.

    dropped_cents: what an owner gave and got no face for; gained_cents: face beyond what it gave.
    """
    owners = (
        pooled.group_by("pool_id", "program", "owner_id").agg(pl.col("scheduled_upb_cents").sum()).sort(
            "pool_id", "owner_id"
        )
    )  # fmt: skip
    face_of = dict(zip(pools["pool_id"].to_list(), pools["face_cents"].to_list(), strict=True))
    rows: list[tuple[Any, ...]] = []
    for part in owners.partition_by("pool_id", maintain_order=True):
        pool, given = int(part["pool_id"][0]), part["scheduled_upb_cents"].to_list()
        shares = largest_remainder(face_of[pool] // 100, given)
        for owner, program, cents, share in zip(part["owner_id"], part["program"], given, shares, strict=True):
            over = cents - share * 100
            rows.append((pool, program, owner, cents, share * 100, max(over, 0), max(-over, 0), days[pool]))
    return pl.DataFrame(rows, schema=SHARES_SCHEMA, orient="row")


def issue_trades(shares: pl.DataFrame) -> pl.DataFrame:
    """TRADES rows of kind 'issue', from the trusts to each owner at par: positions start here.

    shares: security_id, owner_id, face_cents, value_date.
    """
    trusts = system_parties()["trusts"]["party_id"]
    rows = shares.filter(pl.col("face_cents") > 0)
    names = [f"issue:{p}:{o}" for p, o in zip(rows["security_id"], rows["owner_id"], strict=True)]
    return TRADES.conform(
        rows.select(
            pl.Series("trade_id", names, dtype=pl.String),
            "security_id",
            pl.lit(trusts, pl.Int32).alias("seller_id"),
            pl.col("owner_id").alias("buyer_id"),
            "face_cents",
            pl.lit(PRICE_PAR_E6, pl.Int64).alias("price_e6"),
            pl.lit(FACTOR_ONE_E8, pl.Int64).alias("factor_e8"),
            pl.col("face_cents").alias("principal_cents"),
            pl.lit(0, pl.Int64).alias("accrued_cents"),
            pl.col("value_date").alias("trade_date"),
            pl.col("value_date").alias("settlement_date"),
            pl.lit("issue").alias("kind"),
        )
    )
