"""Similar loans find each other: which loans may be pooled this month, and in which cell.

A cell is (program, series, term bucket, coupon, high balance), for Ginnie I also issuer and note
rate. A cell that reaches its program's minimum becomes one pool. All of it is columns.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from poolhouse.dates import first_day
from poolhouse.pooling.limits import GINNIE_1, SERIES, UMBS, Limits
from poolhouse.tables.codes import GNMA

CELL = ["program", "series", "term_bucket", "coupon_rate_e7", "issuer_id", "cell_note_rate_e7", "high"]
"""What a pool's loans have in common. issuer_id and cell_note_rate_e7 are 0 outside Ginnie I."""

_NO_TEXT = pl.lit("")


def screen(waiting: pl.DataFrame, limits: Limits) -> pl.DataFrame:
    """`waiting` plus term_bucket i16, months_waited i16, blocked str ('' = may be pooled) and lasting bool.

    `lasting` marks a reason that time doesn't cure. Delinquency: form runs before the month's payments,
    so a current loan has paid the instalment of the month before, or has none due yet.
    Source: Fannie Mae Selling Guide C3-2-01 (nothing older than the current instalment), C3-6-01.
    """
    frames = [
        _screen_program(waiting.filter(pl.col("program") == code), code, limits)
        for code in sorted(SERIES)
        if (waiting["program"] == code).any()
    ]
    if not frames:
        return _screen_program(waiting.clear(), min(SERIES), limits)
    return pl.concat(frames).sort("loan_id")


def _screen_program(loans: pl.DataFrame, program: int, limits: Limits) -> pl.DataFrame:
    issue, last_month = limits.issue_date, first_day(limits.month - 1)
    oldest = first_day(limits.month - limits.program("max_first_payment_age_months", program))
    strip, buckets = limits.strip(program), limits.program("term_buckets", program)
    spread = pl.col("note_rate_e7") - pl.col("coupon_rate_e7")
    bucket = pl.lit(None, pl.Int16)
    for months in sorted(buckets, reverse=True):
        bucket = pl.when(pl.col("term_months") <= months).then(pl.lit(months, pl.Int16)).otherwise(bucket)
    lasting = (
        pl.when(pl.col("scheduled_upb_cents") <= 0)
        .then(pl.lit("nothing is left to pool"))
        .when(bucket.is_null())
        .then(pl.lit(f"the term is longer than {max(buckets)} months"))
        .when(pl.col("first_due_date") < oldest)
        .then(pl.lit(f"the first instalment was due before {oldest}: too old for this program on {issue}"))
        .when((spread < strip.spread_min) | (spread > strip.spread_max))
        .then(pl.lit("note rate less coupon is outside the program's limits"))
        .otherwise(_NO_TEXT)
    )
    if SERIES[program] == UMBS:
        mixed = pl.lit("government loans don't mix with conventional ones")
        lasting = pl.when(pl.col("kind") != "conventional").then(mixed).otherwise(lasting)
    current = (pl.col("last_paid_due_date") >= last_month) | (pl.col("first_due_date") > last_month)
    return loans.with_columns(
        bucket.alias("term_bucket"),
        (limits.month - pl.col("sold_month") + 1).cast(pl.Int16).alias("months_waited"),
        lasting.alias("blocked"),
        (lasting != "").alias("lasting"),
    ).with_columns(
        pl.when((pl.col("blocked") == "") & ~current)
        .then(pl.lit("an instalment older than the current one is unpaid"))
        .otherwise("blocked")
        .alias("blocked")
    )


def gather(loans: pl.DataFrame, limits: Limits) -> pl.DataFrame:
    """`loans` (screened) plus the CELL columns and placed bool: whether the cell makes a pool."""
    free = _with_cells(loans.filter(pl.col("blocked") == ""), limits)
    minimum = pl.lit(0, pl.Int64)
    for code, series in sorted(SERIES.items()):
        for each in {series, GINNIE_1} if code == GNMA else {series}:
            here = (pl.col("program") == code) & (pl.col("series") == each)
            least = int(limits.program("min_pool_cents", code, series=each))
            minimum = pl.when(here).then(pl.lit(least, pl.Int64)).otherwise(minimum)
    total = pl.col("scheduled_upb_cents").sum().over(CELL)
    return free.with_columns((total >= minimum).alias("placed"))


def _with_cells(free: pl.DataFrame, limits: Limits) -> pl.DataFrame:
    """Ginnie I where issuer, coupon, note rate and term make its minimum; the default series otherwise."""
    spread, least = limits.plain("ginnie1_spread_e7"), limits.program("min_pool_cents", GNMA, series=GINNIE_1)
    exact = (
        (pl.col("program") == GNMA)
        & (pl.col("note_rate_e7") == pl.col("coupon_rate_e7") + spread)
        & ~pl.col("high_balance")
    )
    alike = ["owner_id", "term_bucket", "coupon_rate_e7", "exact"]
    together = pl.col("scheduled_upb_cents").sum().over(alike)
    free = free.with_columns(exact.alias("exact")).with_columns((pl.col("exact") & (together >= least)).alias("first"))
    default = pl.lit("")
    for code, series in sorted(SERIES.items()):
        default = pl.when(pl.col("program") == code).then(pl.lit(series)).otherwise(default)
    nobody = pl.lit(0, pl.Int32)
    cells = free.with_columns(
        pl.when("first").then(pl.lit(GINNIE_1)).otherwise(default).alias("series"),
        pl.when("first").then("owner_id").otherwise(nobody).alias("issuer_id"),
        pl.when("first").then("note_rate_e7").otherwise(nobody).alias("cell_note_rate_e7"),
    ).drop("exact", "first")
    return _apart(cells, limits)


def _apart(cells: pl.DataFrame, limits: Limits) -> pl.DataFrame:
    """`high`: the high-balance loans that don't fit a TBA pool's share, in the order of loan numbers.

    Balance of high <= share x (high + other) is the same as high x (1 - share) <= other x share.
    Source: Fannie Mae Selling Guide C3-4-02.
    """
    share = pl.lit(0, pl.Int64)
    for code in sorted(SERIES):
        most = pl.lit(int(limits.program("high_balance_max_e4", code)), pl.Int64)
        share = pl.when(pl.col("program") == code).then(most).otherwise(share)
    keys = ["program", "series", "term_bucket", "coupon_rate_e7", "issuer_id"]
    upb = pl.col("scheduled_upb_cents")
    high_upb = pl.when("high_balance").then(upb).otherwise(0)
    other = (upb - high_upb).sum().over(keys)
    running = high_upb.cum_sum().over(keys)
    return cells.sort("loan_id").with_columns(
        (pl.col("high_balance") & (running * (10_000 - share) > other * share)).alias("high")
    )


def lowered(loans: pl.DataFrame, steps: int, limits: Limits) -> pl.DataFrame:
    """The loans that may go to a coupon `steps` steps lower, with coupon and guaranty fee moved.

    What the lower coupon frees goes to the servicer up to the program's most, the rest is buy-up of the
    guaranty fee, up to the program's most. Loans for which that leaves something over are left out.
    Source: Fannie Mae Selling Guide C3-3-03; Ginnie Mae MBS Guide ch. 24.
    """
    parts = []
    for code in sorted(SERIES):
        strip = limits.strip(code)
        spread = pl.col("note_rate_e7") - pl.col("coupon_rate_e7")
        after_fee = spread - pl.col("guaranty_fee_rate_e7")
        fee = pl.col("guaranty_fee_rate_e7") + pl.max_horizontal(after_fee - strip.servicing_max, pl.lit(0, pl.Int32))
        parts.append(
            loans.filter(pl.col("program") == code)
            .with_columns((pl.col("coupon_rate_e7") - steps * limits.coupon_step).cast(pl.Int32))
            .filter((pl.col("coupon_rate_e7") > 0) & (spread <= strip.spread_max))
            .with_columns(fee.cast(pl.Int32).alias("guaranty_fee_rate_e7"))
            .filter(pl.col("guaranty_fee_rate_e7") - strip.base_fee <= strip.buy_up_max)
        )
    return pl.concat(parts).sort("loan_id")


def settlement_dates(pooled: pl.DataFrame, issue: date) -> pl.DataFrame:
    """pool_id, latest: the last day on which an owner bought one of the pool's loans, at least `issue`."""
    latest = pl.col("settlement_date").max() if "settlement_date" in pooled.columns else pl.lit(issue, pl.Date)
    return pooled.group_by("pool_id").agg(pl.max_horizontal(latest, pl.lit(issue, pl.Date)).alias("latest")).sort(
        "pool_id"
    )  # fmt: skip
