"""Commitments to deliver: what fills them at a month's sale, and what is paid for what is missing when they end.

A mandatory commitment pairs off: the lender pays a fee on what is missing, and what the market moved against the
buyer. A best-efforts one costs nothing. Source: cash-window mechanics (pricing.md 3.4).
"""

from __future__ import annotations

from datetime import date

import polars as pl

from poolhouse.dates import last_day, month_name
from poolhouse.money import PRICE_PAR_E6, half_up_div
from poolhouse.rules import Rulebook
from poolhouse.sale.outlets import SALEABLE, with_worth
from poolhouse.tables import COMMITMENTS, DELIVERIES, Event, Outcome, Posting

KINDS = ("mandatory", "best_efforts")
MILLION = 1_000_000

_MATCH = {
    "seller_id": "lender_id",
    "program": "program",
    "term_bucket": "term_bucket",
    "coupon_rate_e7": "coupon_rate_e7",
}
_TERMS = ["commitment_id", "committed_date", "expires", "kind", "pair_off_e6", "room_cents", "price_e6"]

NONE_OPEN = COMMITMENTS.empty().with_columns(room_cents=pl.lit(0, pl.Int64))
"""`fillable` commitments of a desk that made none."""


def standing(records: pl.DataFrame) -> pl.DataFrame:
    """The commitments that are open: COMMITMENTS rows."""
    done = records.filter(pl.col("state") != "open").select("commitment_id")
    return records.filter(pl.col("state") == "open").join(done, on="commitment_id", how="anti").sort("commitment_id")


def tolerance(rows: pl.DataFrame) -> pl.Series:
    """What may be missing or over of each commitment, in cents, rounded down."""
    return (rows["amount_cents"] * rows["tolerance_e6"] // MILLION).alias("tolerance_cents")


def fillable(rows: pl.DataFrame, deliveries: pl.DataFrame) -> pl.DataFrame:
    """Open commitments and `room_cents`: what may still be delivered. deliveries: DELIVERIES rows so far."""
    return delivered(rows, deliveries).with_columns(
        room_cents=rows["amount_cents"] + tolerance(rows) - pl.col("delivered_cents")
    )


def delivered(rows: pl.DataFrame, deliveries: pl.DataFrame) -> pl.DataFrame:
    """COMMITMENTS rows with delivered_cents and loans counted from DELIVERIES rows."""
    counted = deliveries.group_by("commitment_id").agg(
        delivered_cents=pl.col("scheduled_upb_cents").sum(), loans=pl.len().cast(pl.Int64)
    )
    return (
        rows.drop("delivered_cents", "loans")
        .join(counted, on="commitment_id", how="left", maintain_order="left")
        .with_columns(pl.col("delivered_cents", "loans").fill_null(0))
    )


def fill(
    offered: pl.DataFrame, commitments: pl.DataFrame, days: pl.DataFrame, month: int, rulebook: Rulebook
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The offers with those of delivered loans at their commitment's price and no other, and DELIVERIES rows.

    offered: `outlets.offers`. commitments: `fillable`. days: seller_id, settlement_date. A loan is delivered where
    that gains most over its best other offer, the pair-off fee that it saves counted in, and nowhere at a loss; of a
    commitment's loans those that gain most come first, while there is room.
    """
    pairs = _pairs(offered, commitments, days, month, rulebook)
    room = commitments.select("commitment_id", "room_cents")
    parts: list[pl.DataFrame] = []
    while pairs.height:
        pairs = pairs.drop("room_cents").join(room, on="commitment_id")
        pairs = pairs.filter(pl.col("scheduled_upb_cents") <= pl.col("room_cents"))
        first = pairs.sort("loan_id", "gain_cents", "commitment_id", descending=[False, True, False])
        first = first.unique("loan_id", keep="first", maintain_order=True)
        first = first.sort("commitment_id", "gain_cents", "loan_id", descending=[False, True, False])
        fits = first.filter(pl.col("scheduled_upb_cents").cum_sum().over("commitment_id") <= pl.col("room_cents"))
        parts.append(fits)
        taken = fits.group_by("commitment_id").agg(taken=pl.col("scheduled_upb_cents").sum())
        room = room.join(taken, on="commitment_id", how="left").select(
            "commitment_id", pl.col("room_cents") - pl.col("taken").fill_null(0)
        )
        pairs = pairs.join(fits, on="loan_id", how="anti")
    if not parts:
        return offered, DELIVERIES.empty()
    filled = pl.concat(parts)
    others = offered.join(filled, on="loan_id", how="anti")
    chosen = pl.concat([others, filled.select(offered.columns)]).sort("loan_id", "program")
    return chosen, DELIVERIES.conform(filled.select(list(DELIVERIES.schema)).sort("loan_id"))


def _pairs(
    offered: pl.DataFrame, commitments: pl.DataFrame, days: pl.DataFrame, month: int, rulebook: Rulebook
) -> pl.DataFrame:
    """Offers at the commitments they would fill, with gain_cents over the loan's best offer of the sheet, >= 0."""
    if not commitments.height:
        return offered.clear()
    saleable = offered.filter(pl.col("stage") == SALEABLE)
    best = saleable.group_by("loan_id").agg(best_cents=pl.col("worth_cents").max())
    terms = commitments.select(*_TERMS, **{theirs: pl.col(ours) for theirs, ours in _MATCH.items()})
    pairs = (
        saleable.filter(~pl.col("self_issued"))
        .drop("price_e6", "proceeds_cents", "right_cents", "worth_cents")
        .join(terms, on=list(_MATCH))
        .join(days.select("seller_id", "settlement_date"), on="seller_id")
        .filter(pl.col("settlement_date").is_between(pl.col("committed_date"), pl.col("expires")))
        .with_columns(pl.lit("flow").alias("method"), committed_price_e6="price_e6")
        .sort("loan_id", "commitment_id")
    )
    pairs = with_worth(pairs, month, rulebook).join(best, on="loan_id", how="left", maintain_order="left")
    fee = pl.when(pl.col("kind") == "mandatory").then("pair_off_e6").otherwise(0)
    saved = half_up_div(pairs.select(pl.col("scheduled_upb_cents") * fee).to_series().to_numpy(), PRICE_PAR_E6)
    gain = pl.col("worth_cents") + pl.Series("saved", saved, dtype=pl.Int64) - pl.col("best_cents")
    return pairs.with_columns(gain_cents=gain).filter(pl.col("gain_cents") >= 0)


def end(open_rows: pl.DataFrame, deliveries: pl.DataFrame, prices: pl.DataFrame, month: int) -> Outcome:
    """End the commitments that expire by a month's end: events PairedOff, CommitmentsEnded; record commitments.

    open_rows: `standing`. deliveries: DELIVERIES rows of all months. prices: PRICES rows with the month's sheet.
    """
    day = last_day(month)
    rows = delivered(open_rows.filter(pl.col("expires") <= day), deliveries)
    if not rows.height:
        return Outcome()
    rows = _costed(rows, prices.filter(pl.col("month") == month), month, day)
    ended = COMMITMENTS.conform(rows.select(list(COMMITMENTS.schema)))
    paid = ended.filter(pl.col("cost_cents") > 0)
    states = dict(ended.group_by("state").len().sort("state").rows())
    events = [Event("CommitmentsEnded", day, {"month": month_name(month), "commitments": ended.height, **states})]
    if paid.height:
        body = {
            "month": month_name(month), "commitments": paid.height, "short_cents": int(paid["short_cents"].sum()),
            "cost_cents": int(paid["cost_cents"].sum()),
        }  # fmt: skip
        events.append(Event("PairedOff", day, body, (Posting("PairedOff", paid, day),)))
    return Outcome(events=events, records={"commitments": ended})


def _costed(rows: pl.DataFrame, sheet: pl.DataFrame, month: int, day: date) -> pl.DataFrame:
    """What is missing, what that costs, and the state that the commitment comes to."""
    cell = ["program", "term_bucket", "coupon_rate_e7"]
    market = sheet.select(*cell, pl.col("price_e6").alias("sheet_price_e6"))
    rows = rows.join(market, on=cell, how="left", maintain_order="left")
    missing = pl.col("amount_cents") - tolerance(rows) - pl.col("delivered_cents")
    rows = rows.with_columns(market_price_e6="sheet_price_e6", short_cents=missing.clip(0))
    against = (pl.col("market_price_e6") - pl.col("price_e6")).clip(0).fill_null(0)
    mandatory = pl.col("kind") == "mandatory"
    rate = pl.when(mandatory).then(pl.col("pair_off_e6") + against).otherwise(0)
    rates = rows.select(rate).to_series().to_list()
    cost = [half_up_div(short * e6, PRICE_PAR_E6) for short, e6 in zip(rows["short_cents"], rates, strict=True)]
    rows = rows.with_columns(pl.Series("cost_cents", cost, dtype=pl.Int64))
    state = (
        pl.when(pl.col("short_cents") == 0).then(pl.lit("filled"))
        .when(mandatory).then(pl.lit("paired_off")).otherwise(pl.lit("expired"))
    )  # fmt: skip
    notes = {
        "filled": "delivered as promised",
        "paired_off": "the lender pays for what is missing",
        "expired": "best efforts: nothing is owed",
    }
    paid_on = pl.when(pl.col("cost_cents") > 0).then(pl.lit(day, pl.Date)).otherwise(None)
    return rows.with_columns(state=state, month=pl.lit(month, pl.Int32), settled_date=paid_on).with_columns(
        note=pl.col("state").replace_strict(notes, return_dtype=pl.String)
    )
