"""What lenders pay when loans come back to them: repurchase, make-whole, indemnity, price adjustment.

A repurchase's price is what the borrower owes at the price of the sale, and interest from the last instalment
paid at the owner's rate. Sources: Fannie Mae Servicing Guide, repurchase price (servicing.md 5.5); Selling Guide
A2-3.2 (alternatives).
"""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from poolhouse.dates import last_day, month_name
from poolhouse.money import PRICE_PAR_E6, half_up_div, monthly_interest
from poolhouse.rules import Rulebook, system_parties
from poolhouse.tables import ASSIGNMENTS, REPURCHASES, Event, Outcome, Posting
from poolhouse.tables.codes import ACTIVE, LIQUIDATED

REMEDIES = ("repurchase", "indemnify", "make_whole", "reprice")
OPEN = ("open", "promised")
"""States in which something may still have to be paid."""


def standing_demands(records: pl.DataFrame, before: int | None = None) -> pl.DataFrame:
    """The demands not settled: their REPURCHASES rows that are open or promised. before: as it stood when that
    month opened, demands of the month itself included."""
    known = records if before is None else records.filter(pl.col("month") <= before)
    final = ~pl.col("state").is_in(list(OPEN))
    done = (known if before is None else known.filter(pl.col("month") < before)).filter(final)
    return known.filter(~final).join(done.select("demand_id"), on="demand_id", how="anti").sort("demand_id")


def settles(demands: pl.DataFrame, month: int, rulebook: Rulebook) -> pl.Series:
    """Is each demand to be paid by this month's end?"""
    days = demands["demand_date"].to_list()
    wait = pl.Series([int(rulebook.get("repurchase.settles_after_months", day)) for day in days], dtype=pl.Int32)
    return (demands["month"] + wait <= month).alias("settles")


def accrued_interest(rows: pl.DataFrame, month: int) -> pl.Series:
    """Interest from the last instalment paid to a month's end, at pass-through rate and guaranty fee rate.

    rows: LOAN_MONTHS columns. Each month's interest is a half-up sum of its own, as the owner would be paid;
    negative for months that the borrower paid ahead, whose interest the owner has.
    """
    paid = rows.select(pl.col("last_paid_due_date").dt.year() * 12 + pl.col("last_paid_due_date").dt.month() - 1)
    months = month + 1 - paid.to_series().to_numpy().astype(np.int64)
    balance = rows["closing_actual_cents"].to_numpy()
    rates = (rows[c].to_numpy().astype(np.int64) for c in ("pass_through_rate_e7", "guaranty_fee_rate_e7"))
    return pl.Series("interest_cents", months * sum(monthly_interest(balance, rate) for rate in rates), dtype=pl.Int64)


def premium(balances: pl.Series, prices: pl.Series) -> pl.Series:
    """What a price per 100 (e6) is above par on these balances, half-up; below par: negative."""
    value = half_up_div(balances.to_numpy() * prices.to_numpy(), PRICE_PAR_E6)
    return pl.Series("premium_cents", value - balances.to_numpy(), dtype=pl.Int64)


def settle(demands: pl.DataFrame, rows: pl.DataFrame, prices: pl.DataFrame, month: int, rulebook: Rulebook) -> Outcome:
    """Settle what a month's end settles: events Repurchased, MadeWhole, Repriced; record rows, assignments.

    demands: `standing_demands`. rows: the month's LOAN_MONTHS rows of their loans. prices: loan_id, price_e6 of the
    sale. A loan that the lender owns now was handed over; one that was lost is made whole instead, to who bore the
    loss; one that was paid off, or lost in its private trust, ends the demand.
    """
    if not demands.height:
        return Outcome()
    now = demands.with_columns(settles(demands, month, rulebook)).join(rows, on="loan_id", how="left", suffix="_row")
    now = now.join(prices, on="loan_id", how="left").sort("demand_id")
    back = (pl.col("remedy") == "repurchase") & (pl.col("owner_id") == pl.col("lender_id"))
    back &= pl.col("end_code") == ACTIVE  # the lender's since this month's end, the payee's before
    covered = pl.col("remedy").is_in(["repurchase", "indemnify"])
    gone = covered & (pl.col("end_code") == LIQUIDATED)
    in_trust = pl.col("owner_id") == system_parties()["trusts"]["party_id"]
    lost = gone & ~in_trust
    over = covered & (pl.col("end_code") != ACTIVE) & ~lost
    due = pl.col("settles") & ~covered
    parts = [
        _repurchased(now.filter(back), month),
        _lost(now.filter(lost), month, rulebook),
        _ended(now.filter(over), month),
        _asked(now.filter(due), month),
    ]
    settled = pl.concat(parts).sort("demand_id")
    if not settled.height:
        return Outcome()
    paid = settled.filter(pl.col("state") == "paid")
    events = [
        _event("Repurchased", paid.filter((pl.col("remedy") == "repurchase") & (pl.col("principal_cents") > 0)), month),
        _event("MadeWhole", paid.filter((pl.col("remedy") != "reprice") & (pl.col("loss_cents") > 0)), month),
        _event("Repriced", paid.filter(pl.col("remedy") == "reprice"), month),
    ]
    ended = settled.filter(pl.col("state") == "ended")
    closed = Event("DemandsEnded", last_day(month), {"month": month_name(month), "demands": ended.height})
    return Outcome(
        events=[*[e for e in events if e is not None], *([closed] if ended.height else [])],
        tables={"assignments": _assignments(paid, last_day(month))},
        records={"repurchases": settled},
        answer={"paid": paid.height, "paid_cents": int(paid["total_cents"].sum()), "ended": ended.height},
    )


def _settled(frame: pl.DataFrame, month: int, state: str, note: str, **amounts: pl.Expr) -> pl.DataFrame:
    """REPURCHASES rows of demands that come to their end this month; amounts not given are zero."""
    zero = pl.lit(0, pl.Int64)
    names = ("principal_cents", "interest_cents", "premium_cents", "loss_cents")
    given = [amounts.get(name, zero).cast(pl.Int64).alias(name) for name in names]
    done = frame.with_columns(
        *given, state=pl.lit(state), month=pl.lit(month, pl.Int32), note=pl.lit(note),
        settled_date=pl.lit(last_day(month), pl.Date),
    ).with_columns(total_cents=pl.sum_horizontal(names))  # fmt: skip
    return REPURCHASES.conform(done.select(list(REPURCHASES.schema)))


def _repurchased(frame: pl.DataFrame, month: int) -> pl.DataFrame:
    frame = frame.with_columns(
        accrued_interest(frame, month).alias("accrued"),
        premium(frame["closing_actual_cents"], frame["price_e6"]).alias("above"),
        claimant_id="payee_id",
    )
    return _settled(
        frame, month, "paid", "the lender owns the loan again", principal_cents=pl.col("closing_actual_cents"),
        interest_cents=pl.col("accrued"), premium_cents=pl.col("above"),
    )  # fmt: skip


def _lost(frame: pl.DataFrame, month: int, rulebook: Rulebook) -> pl.DataFrame:
    """Loans lost this month: the lender makes the owner's loss good, of an indemnity its share."""
    days = frame["demand_date"].unique().to_list()
    shares = {day: int(rulebook.get("repurchase.indemnity_share_e4", day)) for day in days}
    share = pl.when(pl.col("remedy") == "indemnify").then(
        pl.col("demand_date").replace_strict(shares, default=0, return_dtype=pl.Int64)
    ).otherwise(10_000)  # fmt: skip
    cents = half_up_div(frame.select(share * pl.col("loss_cents_row")).to_series().to_numpy(), 10_000)
    frame = frame.with_columns(pl.Series("made_good", cents, dtype=pl.Int64), claimant_id="owner_id")
    return _settled(frame, month, "paid", "the loan was lost; its loss is made good", loss_cents=pl.col("made_good"))


def _ended(frame: pl.DataFrame, month: int) -> pl.DataFrame:
    return _settled(frame, month, "ended", "the loan was paid off, or lost in its private trust")


def _asked(frame: pl.DataFrame, month: int) -> pl.DataFrame:
    return _settled(frame, month, "paid", "as demanded", loss_cents=pl.col("loss_cents"))


def _event(kind: str, paid: pl.DataFrame, month: int) -> Event | None:
    if not paid.height:
        return None
    frame = paid.with_columns(
        premium_paid_cents=pl.max_horizontal("premium_cents", pl.lit(0, pl.Int64)),
        discount_cents=pl.max_horizontal(-pl.col("premium_cents"), pl.lit(0, pl.Int64)),
        accrued_cents=pl.max_horizontal("interest_cents", pl.lit(0, pl.Int64)),
        unearned_cents=pl.max_horizontal(-pl.col("interest_cents"), pl.lit(0, pl.Int64)),
    )
    names = ("principal_cents", "interest_cents", "premium_cents", "loss_cents")
    sums = {name: int(paid[name].sum()) for name in names}
    body = {"month": month_name(month), "loans": paid.height, "total_cents": int(paid["total_cents"].sum()), **sums}
    return Event(kind, last_day(month), body, (Posting(kind, frame, last_day(month)),))


def _assignments(paid: pl.DataFrame, day: date) -> pl.DataFrame:
    back = paid.filter((pl.col("remedy") == "repurchase") & (pl.col("principal_cents") > 0))
    return ASSIGNMENTS.conform(
        back.select(
            "loan_id", pl.lit("owner").alias("role"), pl.col("claimant_id").alias("from_id"),
            pl.col("lender_id").alias("to_id"), pl.lit(day, pl.Date).alias("effective_date"),
            consideration_cents=pl.col("principal_cents") + pl.col("premium_cents"),
            accrued_cents=pl.col("interest_cents"), reason=pl.lit("repurchase"),
        )
    )  # fmt: skip
