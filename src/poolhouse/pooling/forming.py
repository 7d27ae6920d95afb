"""A month's pooling: bought loans become pools and securities; what can't form a pool waits.

A loan waits three months at its own coupon; then a lower permitted coupon is tried, and when that
makes no pool either it stays in its owner's portfolio, reported.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from poolhouse.dates import month_name
from poolhouse.findings import Finding
from poolhouse.pooling.cells import gather, lowered, screen
from poolhouse.pooling.classes import cut, name_securities, shares_of_classes
from poolhouse.pooling.issue import describe, issue_trades, numbered, settlement_days, share_out
from poolhouse.pooling.limits import Limits
from poolhouse.rules import Rulebook, system_parties
from poolhouse.tables import ASSIGNMENTS, POOL_LOANS, POOL_WAITS, POOLS, Event, Outcome, Posting
from poolhouse.tables.codes import PRIVATE, PROGRAMS

_MINIMUM = "no pool of its kind reaches the minimum"


def form(
    waiting: pl.DataFrame, month: int, next_pool_id: int, rulebook: Rulebook, next_class: int = 0,
    private_deal: str | None = None,
) -> Outcome:  # fmt: skip
    """Form the pools with issue date 1 `month`.

    waiting, one row per loan bought and not pooled: loan_id i32, program i8, owner_id i32 (who pools it),
    kind str, coupon_rate_e7, guaranty_fee_rate_e7, note_rate_e7 i32, term_months i16, first_due_date,
    maturity_date, last_paid_due_date date, scheduled_upb_cents i64 (T of the issue month), sold_month i32,
    high_balance bool; optional settlement_date: the day its owner paid for it. Further columns are ignored.
    next_pool_id: number of the first pool; next_class: classes of deals in the book so far; private_deal: a deal's
    TOML for pools that nobody guarantees, instead of the assumed one. Returns tables pool_loans, pool_waits,
    assignments; records pools, securities, deals, trades (kind 'issue'); events PoolsFormed (one per program) and
    SecuritiesIssued. Each pool takes its loans on one day: 1 `month`, or with settlement dates the business day after
    the last purchase. Source: Fannie Mae Selling Guide C3-2 to C3-7; Ginnie Mae MBS Guide ch. 24.
    """
    limits = Limits(rulebook, month)
    screened = screen(waiting, limits)
    placed = _placed(screened, limits)
    pooled = numbered(placed, next_pool_id)
    waits = _waits(screened, pooled, limits)
    pools = describe(pooled, limits) if pooled.height else POOLS.empty()
    days = settlement_days(pooled, limits) if pooled.height else {}
    shares = share_out(pooled, pools, days)
    terms = cut(pools, limits, private_deal)
    securities = name_securities(pools, terms, next_class, limits)
    return Outcome(
        events=_events(pools, securities, shares, days, month),
        tables={
            "pool_loans": _pool_loans(pooled),
            "pool_waits": waits,
            "assignments": _assignments(pooled, days),
        },
        records={
            "pools": pools,
            "securities": securities,
            "deals": terms,
            "trades": issue_trades(shares_of_classes(shares, securities)),
        },
        findings=_findings(waits),
        answer=_answer(pools, pooled, waits, month),
    )


def _placed(screened: pl.DataFrame, limits: Limits) -> pl.DataFrame:
    """Loans in cells that make a pool, at their own coupon or, after the wait, a lower one."""
    cells = gather(screened, limits)
    late = (
        cells.filter(~pl.col("placed") & (pl.col("months_waited") > limits.plain("wait_months")))
        .select(screened.columns)
        .sort("loan_id")
    )
    steps = 1
    while late.height and (moved := lowered(late, steps, limits)).height:
        rest = screened.join(moved.select("loan_id"), on="loan_id", how="anti")
        trial = gather(pl.concat([rest, moved]).sort("loan_id"), limits)
        # Only a cell that fails without it is left: moving it down takes no loan out of a pool.
        stuck = moved.join(trial.filter("placed").select("loan_id"), on="loan_id", how="anti").select("loan_id")
        settled = moved.join(stuck, on="loan_id", how="anti")
        screened = pl.concat([screened.join(settled.select("loan_id"), on="loan_id", how="anti"), settled])
        screened = screened.sort("loan_id")
        cells = gather(screened, limits)
        late = late.join(settled.select("loan_id"), on="loan_id", how="anti").sort("loan_id")
        steps += 1
    return cells.filter("placed").sort("loan_id")


def _waits(screened: pl.DataFrame, pooled: pl.DataFrame, limits: Limits) -> pl.DataFrame:
    left = screened.join(pooled.select("loan_id"), on="loan_id", how="anti")
    given_up = pl.col("lasting") | (pl.col("months_waited") > limits.plain("wait_months"))
    tail = pl.when(pl.col("lasting")).then(pl.lit("")).otherwise(pl.lit(", at its own coupon or a lower one"))
    reason = pl.when(pl.col("blocked") == "").then(pl.lit(_MINIMUM)).otherwise("blocked")
    return POOL_WAITS.conform(
        left.select(
            "loan_id",
            "months_waited",
            pl.when(given_up).then(pl.lit("portfolio")).otherwise(pl.lit("waiting")).alias("outcome"),
            pl.when(given_up & (pl.col("blocked") == "")).then(reason + tail).otherwise(reason).alias("reason"),
        )
    )


def _pool_loans(pooled: pl.DataFrame) -> pl.DataFrame:
    return POOL_LOANS.conform(
        pooled.select(
            "pool_id",
            "loan_id",
            pl.col("scheduled_upb_cents").alias("scheduled_cents"),
            pl.col("coupon_rate_e7").alias("pass_through_rate_e7"),
            "guaranty_fee_rate_e7",
        )
    )


def _assignments(pooled: pl.DataFrame, days: dict[int, date]) -> pl.DataFrame:
    """Owner to the trusts and into the pool, on the pool's day. A private loan passes the depositor that day."""
    trusts = pl.lit(system_parties()["trusts"]["party_id"], pl.Int32)
    on = pl.col("pool_id").replace_strict(days, return_dtype=pl.Date) if days else pl.lit(None, pl.Date)
    zero = pl.lit(0, pl.Int64)
    parts = [
        pooled.select(
            "loan_id",
            pl.lit(role).alias("role"),
            before.alias("from_id"),
            after.alias("to_id"),
            on.alias("effective_date"),
            zero.alias("consideration_cents"),
            zero.alias("accrued_cents"),
            pl.lit("securitization").alias("reason"),
        )
        for role, before, after in (
            ("owner", pl.col("owner_id"), trusts),
            ("pool", pl.lit(0, pl.Int32), pl.col("pool_id")),
        )
    ]
    return ASSIGNMENTS.conform(pl.concat(parts))


def _events(
    pools: pl.DataFrame, securities: pl.DataFrame, shares: pl.DataFrame, days: dict[int, date], month: int
) -> list[Event]:
    events = []
    for code in pools["program"].unique().sort().to_list():
        mine, part = pools.filter(pl.col("program") == code), shares.filter(pl.col("program") == code)
        body = {"month": month_name(month), "program": PROGRAMS[code]} | _totals(mine)
        if code == PRIVATE:
            body["title"] = "conduit to depositor to trust, on the same day"
        postings = tuple(Posting(name, part) for name in ("LoansPooled", "FaceRoundedDown", "FaceRoundedUp"))
        events.append(Event("PoolsFormed", max(days[p] for p in mine["pool_id"].to_list()), body, postings))
    events.sort(key=lambda event: event.market_date)
    if pools.height:
        body = {"month": month_name(month), "securities": securities.height, "holders": shares.height}
        body["face_cents"] = int(pools["face_cents"].sum())
        events.append(Event("SecuritiesIssued", max(days.values()), body))
    return events


def _totals(pools: pl.DataFrame) -> dict[str, int]:
    return {
        "pools": pools.height,
        "loans": int(pools["loans"].sum()),
        "scheduled_cents": int(pools["scheduled_cents"].sum()),
        "face_cents": int(pools["face_cents"].sum()),
        "truncation_cents": int(pools["truncation_cents"].sum()),
    }


def _findings(waits: pl.DataFrame) -> list[Finding]:
    kept = waits.filter(pl.col("outcome") == "portfolio").group_by("reason").len().sort("reason")
    return [
        Finding(
            "pooling",
            "pooling.wait_months",
            f"loans stay in their owner's portfolio: {reason}",
            count=count,
        )
        for reason, count in zip(kept["reason"].to_list(), kept["len"].to_list(), strict=True)
    ]


def _answer(pools: pl.DataFrame, pooled: pl.DataFrame, waits: pl.DataFrame, month: int) -> dict[str, object]:
    portfolio = int((waits["outcome"] == "portfolio").sum())
    return {
        "month": month_name(month),
        "pools": pools.height,
        "pooled": pooled.height,
        "waiting": waits.height - portfolio,
        "portfolio": portfolio,
        "face_cents": int(pools["face_cents"].sum()),
    }
