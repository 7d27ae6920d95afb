"""Who holds what: positions derive from trades alone.

The issue itself is a trade of kind 'issue' from the trusts, so nothing else has to be known.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from poolhouse.rules import system_parties

POSITIONS_SCHEMA: dict[str, pl.DataType] = {
    "security_id": pl.Int32(),
    "holder_id": pl.Int32(),
    "face_cents": pl.Int64(),
}


def positions(trades: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Original face per security and holder at the end of a day: POSITIONS_SCHEMA, nonzero rows, sorted.

    trades: TRADES rows. A trade counts from its settlement date on, not from its trade date.
    """
    settled = trades.filter(pl.col("settlement_date") <= as_of)
    sides = [
        settled.select("security_id", pl.col(side).alias("holder_id"), pl.col("face_cents") * sign)
        for side, sign in (("buyer_id", 1), ("seller_id", -1))
    ]
    keys = ["security_id", "holder_id"]
    held = pl.concat(sides).group_by(keys).agg(pl.col("face_cents").sum())
    return (
        held.filter((pl.col("face_cents") != 0) & (pl.col("holder_id") != system_parties()["trusts"]["party_id"]))
        .sort(keys)
        .select(list(POSITIONS_SCHEMA))
    )


OFFERED_SCHEMA: dict[str, pl.DataType] = POSITIONS_SCHEMA | {
    "pool_id": pl.Int32(),
    "class_name": pl.String(),
    "loss_rank": pl.Int16(),
    "program": pl.Int8(),
    "coupon_rate_e7": pl.Int32(),
    "class_rate_e7": pl.Int32(),
    "term_bucket": pl.Int16(),
    "wac_e7": pl.Int32(),
    "wam_months": pl.Int16(),
    "wala_months": pl.Int16(),
    "issue_month": pl.Int32(),
    "pay_day": pl.Int8(),
    "guarantee": pl.String(),
    "factor_e8": pl.Int64(),
    "available_date": pl.Date(),
}
"""What `place` takes: a seller's face of one security, and what bidders must know of it and of its pool. wam_months and
wala_months are those at issue; coupon_rate_e7 is the pool's, class_rate_e7 what the security pays; available_date:
first day on which the seller can deliver."""


def offers(
    trades: pl.DataFrame, securities: pl.DataFrame, pools: pl.DataFrame, factors: pl.DataFrame, month: int
) -> pl.DataFrame:
    """OFFERED_SCHEMA rows for `place`: what is still with those who put the loans in.

    trades: all TRADES; every buyer of kind 'issue' is a seller of that security until nothing is left.
    securities: SECURITIES. pools: POOLS. factors: security_id, factor_e8 of the settlement month `month` (one issued in
    `month` needs none; an older one without its factor is not offered this month, nor one that is paid off).
    """
    issued = trades.filter(pl.col("kind") == "issue")
    issuers = issued.group_by("security_id", pl.col("buyer_id").alias("holder_id")).agg(
        pl.col("settlement_date").max().alias("available_date")
    )
    last = trades["settlement_date"].max()
    if not isinstance(last, date):
        return pl.DataFrame(schema=OFFERED_SCHEMA)
    held = positions(trades, last).join(issuers, on=["security_id", "holder_id"])
    facts = securities.join(pools.drop("face_cents"), on="pool_id")
    one = pl.when(pl.col("issue_month") == month).then(pl.lit(100_000_000, pl.Int64))
    return (
        held.join(facts, on="security_id")
        .join(factors.select("security_id", "factor_e8"), on="security_id", how="left")
        .with_columns(one.otherwise("factor_e8").alias("factor_e8"))
        .filter(pl.col("factor_e8") > 0)
        .filter(pl.col("face_cents") > 0)
        .sort("security_id", "holder_id")
        .select(list(OFFERED_SCHEMA))
    )


def rows(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Rows of a small frame (securities, holders, tickets: never loans)."""
    return list(frame.iter_rows(named=True))
