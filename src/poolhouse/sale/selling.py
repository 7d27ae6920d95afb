"""A month's sale: every loan that qualifies goes to its best outlet, the others stay and hear why.

Cash moves on the lender's settlement date: price x scheduled balance, and 30/360 interest from the
1st at the pass-through rate. The funding line is paid off with its interest from the note date.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from poolhouse import chance
from poolhouse.dates import business_day, days_30_360, first_day, month_name
from poolhouse.findings import Refused
from poolhouse.money import PRICE_PAR_E6, accrued_30_360
from poolhouse.rules import Rulebook
from poolhouse.rules.funding import funding_lines
from poolhouse.sale.choice.monthly import NONE_WAITING, together
from poolhouse.sale.commitments import NONE_OPEN, fill
from poolhouse.sale.outlets import offers
from poolhouse.sale.refusing import refusals
from poolhouse.tables import ASSIGNMENTS, SALES, Event, Outcome, Posting
from poolhouse.tables.codes import BOOK_PROGRAMS


def sell(
    candidates: pl.DataFrame,
    checks: pl.DataFrame,
    lenders: pl.DataFrame,
    stopped: set[int],
    prices: pl.DataFrame,
    month: int,
    rulebook: Rulebook,
    kept_out: pl.Series | None = None,
    commitments: pl.DataFrame | None = None,
    waiting: pl.DataFrame = NONE_WAITING,
) -> Outcome:
    """Sell the month's candidates: event "LoansSold", tables sales, refusals, assignments, deliveries.

    candidates: LOANS columns plus seller_id i32 (owner, whose loans_held holds the loan),
    scheduled_upb_cents i64 (balance after the instalment due on the 1st of the month),
    line_principal_cents i64 (drawn, 0 none) and current bool (no instalment past due).
    checks: CHECKS rows of these loans, as of this delivery. lenders: party_id i32, code str, type str,
    and the approvals fnma, fhlmc, gnma, private. stopped: party ids the aggregators don't buy from;
    kept_out: loan_ids that their lender's overlay keeps out.
    prices: PRICES frame with this month's sheet. commitments: `fillable` ones, filled before the rest is sold.
    waiting: loans bought before whose pools weren't full (`choice.monthly`): the rest is chosen together with them.
    A lender that is its own Ginnie issuer keeps the loan: buyer = seller, at par, no cash but the
    line's, no change of owner; the price comes with the security. Refused: no sheet for the month.
    """
    if not (prices["month"] == month).any():
        raise Refused(f"no price sheet for {month_name(month)}: publish one before selling")
    barred = pl.Series("seller_id", sorted(stopped), dtype=pl.Int32)
    outside = kept_out if kept_out is not None else pl.Series("loan_id", [], dtype=pl.Int32)
    free = candidates.filter(
        pl.col("current") & ~pl.col("seller_id").is_in(barred.implode()) & ~pl.col("loan_id").is_in(outside.implode())
    )
    offered = offers(free, checks, lenders, prices, month, rulebook)
    days = _settlement_days(lenders, month, rulebook)
    chosen, delivered = fill(offered, NONE_OPEN if commitments is None else commitments, days, month, rulebook)
    terms = candidates.select("loan_id", "term_months")
    sold = _settle(together(chosen, waiting, terms, month, rulebook), candidates, lenders, days, rulebook)
    refused = refusals(candidates, checks, offered, sold, barred, outside)
    body = _body(sold, refused, month)
    settled_by = business_day(month, rulebook.get("sale.settlement_window", first_day(month))[1])
    return Outcome(
        events=[Event("LoansSold", settled_by, body, _postings(sold))] if candidates.height else [],
        tables={
            "sales": SALES.conform(sold.select(list(SALES.schema))),
            "refusals": refused,
            **({"deliveries": delivered} if delivered.height else {}),
            "assignments": _assignments(sold, month),
        },
        answer=dict(body),
    )


def _settle(
    chosen: pl.DataFrame, candidates: pl.DataFrame, lenders: pl.DataFrame, days: pl.DataFrame, rulebook: Rulebook
) -> pl.DataFrame:
    """The chosen offers with settlement, accrued interest, line payoff and gain: SALES and more."""
    own = pl.col("self_issued")
    sold = (
        chosen.join(candidates.select("loan_id", "note_date", "line_principal_cents"), on="loan_id")
        .join(days, on="seller_id", how="left")
        .sort("loan_id")
        .with_columns(
            pl.when(own).then(PRICE_PAR_E6).otherwise("price_e6").alias("price_e6"),
            pl.when(own).then("scheduled_upb_cents").otherwise("proceeds_cents").alias("proceeds_cents"),
            pl.col("coupon_rate_e7").alias("pass_through_rate_e7"),
            pl.col("released").alias("servicing_released"),
            pl.when("released").then(0).otherwise("right_cents").alias("servicing_right_cents"),
            pl.when("released").then("right_cents").otherwise(0).alias("released_right_cents"),
            pl.col("settlement_date").alias("value_date"),
        )
    )
    upb, rate = sold["scheduled_upb_cents"].to_numpy(), sold["pass_through_rate_e7"].cast(pl.Int64).to_numpy()
    accrued = accrued_30_360(upb, rate, sold["accrued_days"].to_numpy())
    over_par = pl.col("proceeds_cents") - pl.col("scheduled_upb_cents")
    zero = pl.lit(0, pl.Int64)
    sold = sold.with_columns(
        pl.when(own).then(0).otherwise(pl.Series("accrued_cents", accrued)).alias("accrued_cents"),
        (over_par + pl.col("servicing_right_cents")).alias("gain_cents"),
        pl.max_horizontal(over_par, zero).alias("premium_cents"),
        pl.max_horizontal(-over_par, zero).alias("discount_cents"),
    )
    return with_line_interest(sold, lenders, rulebook)


def _settlement_days(lenders: pl.DataFrame, month: int, rulebook: Rulebook) -> pl.DataFrame:
    """Each lender's settlement date of the month, and the 30/360 days from the 1st to it."""
    first, last = rulebook.get("sale.settlement_window", first_day(month))
    days = [business_day(month, n) for n in range(first, last + 1)]
    draws = chance.draws(0, chance.text_keys(lenders["code"]), month, "settlement day")
    pick = chance.below(draws, len(days))
    accrued = np.array([days_30_360(first_day(month), day) for day in days], dtype=np.int64)
    return pl.DataFrame(
        {
            "seller_id": lenders["party_id"].cast(pl.Int32),
            "settlement_date": pl.Series([days[i] for i in pick], dtype=pl.Date),
            "accrued_days": accrued[pick],
        }
    )


def with_line_interest(frame: pl.DataFrame, lenders: pl.DataFrame, rulebook: Rulebook) -> pl.DataFrame:
    """`frame` plus provider_id, pledged and line_interest_cents: act/360 from note_date to value_date.

    frame: loan_id, seller_id, note_date, value_date, line_principal_cents, in any order (kept).
    ValueError: a value date before the note date.
    """
    types = lenders.select(pl.col("party_id").cast(pl.Int32).alias("seller_id"), "type")
    note = pl.col("note_date")
    frame = frame.join(types, on="seller_id", how="left", maintain_order="left").with_columns(
        (note.dt.year() * 12 + note.dt.month() - 1).cast(pl.Int32).alias("note_month"),
        (pl.col("value_date") - note).dt.total_days().alias("line_days"),
    )
    early = frame.filter(pl.col("line_days") < 0)["loan_id"]
    if len(early):
        raise ValueError(f"loans {early.head(5).to_list()} would be paid off before their note dates")
    lines = funding_lines(frame, rulebook).drop("advance_rate_e7", "limit_cents")
    frame = frame.join(lines, on=["type", "note_month"], how="left", maintain_order="left")
    # Actual days over 360: the quotient is that of 30/360 with the days counted on the calendar.
    interest = accrued_30_360(
        frame["line_principal_cents"].to_numpy(), frame["line_rate_e7"].to_numpy(), frame["line_days"].to_numpy()
    )
    return frame.with_columns(pl.Series("line_interest_cents", interest, dtype=pl.Int64))


def _postings(sold: pl.DataFrame) -> tuple[Posting, ...]:
    moved = sold.filter(~pl.col("self_issued"))
    return (
        Posting("LoanSold", moved),
        Posting("SoldAbovePar", moved),
        Posting("SoldBelowPar", moved),
        Posting("SaleAccrued", moved),
        Posting("ServicingRightKept", sold),
        Posting("ServicingRightBought", sold),
        Posting("LineRepaid", sold),
    )


def _assignments(sold: pl.DataFrame, month: int) -> pl.DataFrame:
    moved = sold.filter(~pl.col("self_issued"))
    transfer_day: date = first_day(month + 2)  # time for the notice 15 days before
    parts = [
        assignment(moved, "owner", "seller_id", "buyer_id", "sale").with_columns(
            moved["proceeds_cents"].alias("consideration_cents"), moved["accrued_cents"]
        ),
        assignment(
            sold.filter("servicing_released").with_columns(pl.lit(transfer_day).alias("value_date")),
            "servicer",
            "seller_id",
            "buyer_id",
            "servicing_sale",
        ),
        pledge_ends(sold, "sale"),
    ]
    return ASSIGNMENTS.conform(pl.concat(parts))


def pledge_ends(frame: pl.DataFrame, reason: str) -> pl.DataFrame:
    """Assignment rows that end the pledges of loans whose line is paid off on value_date."""
    ended = frame.filter(pl.col("pledged") & (pl.col("line_principal_cents") > 0))
    return assignment(
        ended.with_columns(pl.lit(0, pl.Int32).alias("nobody")), "pledge", "provider_id", "nobody", reason
    )


def assignment(frame: pl.DataFrame, role: str, from_id: str, to_id: str, reason: str) -> pl.DataFrame:
    """ASSIGNMENTS rows of one role, effective on value_date, without consideration."""
    return frame.select(
        "loan_id",
        pl.lit(role).alias("role"),
        pl.col(from_id).alias("from_id"),
        pl.col(to_id).alias("to_id"),
        pl.col("value_date").alias("effective_date"),
        pl.lit(0, pl.Int64).alias("consideration_cents"),
        pl.lit(0, pl.Int64).alias("accrued_cents"),
        pl.lit(reason).alias("reason"),
    )


def _body(sold: pl.DataFrame, refused: pl.DataFrame, month: int) -> dict[str, object]:
    sums = ["scheduled_upb_cents", "proceeds_cents", "accrued_cents", "line_principal_cents", "line_interest_cents",
            "servicing_right_cents", "gain_cents"]  # fmt: skip
    by_program = {
        BOOK_PROGRAMS[code]: {"loans": part.height} | {name: int(part[name].sum()) for name in sums}
        for code in range(1, len(BOOK_PROGRAMS))
        if (part := sold.filter(pl.col("program") == code)).height
    }
    return {
        "month": month_name(month),
        "loans": sold.height,
        "refused": refused.height,
        "bulk": int((sold["method"] == "bulk").sum()),
        "self_issued": int(sold["self_issued"].sum()),
        "by_program": by_program,
    } | {name: int(sold[name].sum()) for name in sums}
