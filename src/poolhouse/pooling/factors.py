"""Factors: what is left of each dollar of original face, published to eight decimals.

Face times factor exceeds 64 bits for a large pool, so a factor is an exact Python integer; a pool
is a row here, and there are few.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from poolhouse.dates import business_day, day_in, first_day, last_business_day, on_or_after
from poolhouse.money import half_up_div
from poolhouse.rules import Rulebook
from poolhouse.tables import POOL_FACTORS

FACTOR_ONE_E8 = 100_000_000


def factor_e8(closing_scheduled_cents: int, truncation_cents: int, face_cents: int) -> int:
    """half-up(1e8 x max(0, balance - truncation) / face): exact for any size of pool."""
    return half_up_div(FACTOR_ONE_E8 * max(0, closing_scheduled_cents - truncation_cents), face_cents)


def factors(
    totals: pl.DataFrame, previous: pl.DataFrame, pools: pl.DataFrame, month: int, rulebook: Rulebook
) -> pl.DataFrame:
    """The POOL_FACTORS frame of distribution month `month`, one row per pool issued before it.

    totals: pool_id i32, closing_scheduled_cents, received_cents i64, loans i32, one row per pool (a pool
    without a row has no loan left and received nothing). previous: POOL_FACTORS of the month before, or
    an empty one. pools: POOLS rows. paid_cents is 0 and rounding_balance_cents that of the month before
    until `settle`. ValueError when a pool issued two or more months ago is missing in `previous`.
    Source: Fannie Mae and Ginnie Mae factor calendars; record date: last business day of the month before.
    """
    publish = business_day(month, rulebook.get("pooling.factor_publish_business_day", first_day(month)))
    record = last_business_day(month - 1)
    now = {row["pool_id"]: row for row in totals.iter_rows(named=True)}
    before = {row["pool_id"]: row for row in previous.iter_rows(named=True)}
    rows = []
    for pool in pools.sort("pool_id").iter_rows(named=True):
        age = month - (pool["issue_date"].year * 12 + pool["issue_date"].month - 1)
        if age < 1:
            continue
        total = now.get(pool["pool_id"], {"closing_scheduled_cents": 0, "received_cents": 0, "loans": 0})
        prior = _prior(before.get(pool["pool_id"]), pool, age)
        closing = total["closing_scheduled_cents"]
        rows.append(
            {
                "month": month,
                "pool_id": pool["pool_id"],
                "closing_scheduled_cents": closing,
                "prior_factor_e8": prior["factor_e8"],
                "factor_e8": factor_e8(closing, pool["truncation_cents"], pool["face_cents"]),
                "received_cents": total["received_cents"],
                "paid_cents": 0,
                "rounding_balance_cents": prior["rounding_balance_cents"],
                "publish_date": publish,
                "record_date": record,
                "pay_date": on_or_after(day_in(month, pool["pay_day"])),
                "loans": total["loans"],
            }
        )
    return POOL_FACTORS.conform(pl.DataFrame(rows, schema=POOL_FACTORS.schema))


def _prior(row: dict[str, Any] | None, pool: dict[str, Any], age: int) -> dict[str, int]:
    if row is not None:
        return row
    if age > 1:
        raise ValueError(f"pool {pool['pool_number']}: no factor of the month before")
    return {"factor_e8": FACTOR_ONE_E8, "rounding_balance_cents": 0}


def settle(month_factors: pl.DataFrame, paid: pl.DataFrame) -> pl.DataFrame:
    """`factors`' frame with what holders got. paid: pool_id i32, paid_cents i64, one row per pool paid.

    The rounding balance grows by what the trust received and did not pay: factor rounding only, for
    the factor comes from the cumulative balance and corrects itself.
    """
    settled = (
        month_factors.drop("paid_cents")
        .join(paid.select("pool_id", "paid_cents"), on="pool_id", how="left")
        .with_columns(pl.col("paid_cents").fill_null(0))
        .with_columns(
            (pl.col("rounding_balance_cents") + pl.col("received_cents") - pl.col("paid_cents")).alias(
                "rounding_balance_cents"
            )
        )
    )
    return POOL_FACTORS.conform(settled.select(list(POOL_FACTORS.schema)))


def rounding_bound(face_cents: int, truncation_cents: int, holder_months: int, loan_months: int) -> int:
    """Most cents that a pool's rounding balance may be away from zero.

    0.5e-8 x face for the factor, the issue's truncation (its cents come in with the last principal and
    are nobody's face), 1 cent per holder and half a cent per loan for each month since issue:
    holder_months and loan_months are the sums over those months of holders paid and of loans with a
    balance before the distribution. Interest on the factor's own rounding is small beside the loans' half cents.
    """
    halves = 2 * truncation_cents + 2 * holder_months + loan_months
    return -(-(face_cents + halves * FACTOR_ONE_E8) // (2 * FACTOR_ONE_E8))
