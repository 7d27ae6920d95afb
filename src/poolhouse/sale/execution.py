"""Which coupon a note is bound for, and how its rate is divided: coupon, guaranty fee, servicing fee.

note rate = coupon + guaranty fee (with buy-up) + servicing fee, exactly. The highest coupon that
leaves the least servicing fee and the guaranty fee, or one some steps below it, is taken; what is
left goes to servicing up to its most, then to buy-up. Which of them is best, `choice` says.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from poolhouse.rules import Rulebook
from poolhouse.tables.codes import FHLMC, FNMA, GNMA, PRIVATE

STRIPS = {FNMA: "umbs", FHLMC: "umbs", GNMA: "ginnie2", PRIVATE: "private"}
"""Program -> name of its rules between note rate and coupon."""


def with_coupons(frame: pl.DataFrame, as_of: date, rulebook: Rulebook, below: int = 0) -> pl.DataFrame:
    """`frame` (program i8, note_rate_e7 i32) plus coupon_rate_e7, guaranty_fee_rate_e7,
    servicing_fee_rate_e7 and buy_up_rate_e7 (i32), in row order; coupon null where none is permitted.

    The highest permitted coupon, or one so many steps `below` it.
    """
    step = rulebook.get("sale.coupon_step_e7", as_of)
    rules = pl.DataFrame(
        [
            {"program": program, "fee": rulebook.get("sale.guaranty_fee_rate_e7", as_of, strip=strip)}
            | rulebook.get(f"sale.strip.{strip}", as_of)
            for program, strip in STRIPS.items()
        ]
    ).with_columns(pl.exclude("program").cast(pl.Int32), pl.col("program").cast(pl.Int8))
    names = [c for c in rules.columns if c != "program"]
    note, base = pl.col("note_rate_e7"), pl.col("servicing_min") + pl.col("fee")
    least = pl.max_horizontal(base, "spread_min")
    return (
        frame.join(rules, on="program", how="left", maintain_order="left")
        .with_columns((((note - least) // step - below) * step).cast(pl.Int32).alias("coupon_rate_e7"))
        .with_columns((note - pl.col("coupon_rate_e7")).alias("spread"))
        .with_columns(
            pl.min_horizontal(pl.col("servicing_min") + pl.col("spread") - base, "servicing_max").alias(
                "servicing_fee_rate_e7"
            )
        )
        .with_columns((pl.col("spread") - pl.col("fee") - pl.col("servicing_fee_rate_e7")).alias("buy_up_rate_e7"))
        .with_columns(
            (pl.col("fee") + pl.col("buy_up_rate_e7")).alias("guaranty_fee_rate_e7"),
            pl.when(
                (pl.col("coupon_rate_e7") > 0)
                & (pl.col("buy_up_rate_e7") <= pl.col("buy_up_max"))
                & (pl.col("spread") <= pl.col("spread_max"))
            )
            .then("coupon_rate_e7")
            .alias("coupon_rate_e7"),
        )
        .drop(*names, "spread")
    )


def with_term_bucket(frame: pl.DataFrame, as_of: date, rulebook: Rulebook) -> pl.DataFrame:
    """`frame` (term_months) plus term_bucket i16: the smallest bucket that holds the term, or the last."""
    buckets = sorted(rulebook.get("sale.term_buckets", as_of))
    bucket = pl.lit(buckets[-1], pl.Int16)
    for limit in reversed(buckets[:-1]):
        bucket = pl.when(pl.col("term_months") <= limit).then(pl.lit(limit, pl.Int16)).otherwise(bucket)
    return frame.with_columns(bucket.alias("term_bucket"))
