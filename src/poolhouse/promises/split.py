"""10, Split: what a loan's interest is divided into, each share by its own formula.

For every loan-month, on the balance and at the rates of the row before (or of the closing terms):

    scheduled interest = half-up(T x note rate / 12)
                       = investor half-up(T x pass-through / 12) + guaranty half-up(T x fee rate / 12) + servicing

with T the trust balance of the month before. And where the cash for it came from, cent by cent:

    scheduled interest + scheduled and unscheduled principal (to a pool), or owner's principal and interest
      = collected (paid - refunded, insurance claims, the buyer's money)
      + advanced - recovered (servicer and guarantor; a fee relieved counts as put in by the guarantor)
      + held for the loan before - held after (prepaid instalments, suspense, pending money)
      + shortfall borne by the servicer
      + servicing fee due - servicing fee collected
"""

from __future__ import annotations

import polars as pl

from poolhouse.promises.evidence import HELD, Evidence, PartMonth, cents_of, index
from poolhouse.promises.tally import Say, Tally
from poolhouse.tables.codes import ACTIVE, SCHEDULED_SCHEDULED

_RATES = {
    "scheduled_interest_cents": "was_note_rate_e7",
    "investor_interest_cents": "was_pass_through_rate_e7",
    "guaranty_fee_cents": "was_guaranty_fee_rate_e7",
}


def split(view: PartMonth, evidence: Evidence) -> Tally:
    """A fact per loan and formula."""
    tally, rows = Tally(), view.rows
    now = pl.col("sold") | (pl.col("was_remittance") == SCHEDULED_SCHEDULED)
    base = (
        pl.when(now | (pl.col("was_pending_unscheduled_cents") != 0))
        .then(pl.col("was_closing_scheduled_cents"))
        .otherwise(0)
    )
    rows = rows.with_columns(
        base=pl.when(view.month >= index("first_due_date")).then(base).otherwise(0),
        own=pl.when(now)
        .then(pl.col("was_closing_scheduled_cents") - pl.col("was_pending_unscheduled_cents"))
        .otherwise(0),
    )
    _carried(tally, rows, view, evidence)
    for column, rate in _RATES.items():
        product = rows.select(pl.col("base") * pl.col(rate).cast(pl.Int64)).to_series().fill_null(0).to_numpy()
        tally.expect(
            rows.with_columns(pl.Series("wanted", cents_of(product))),
            pl.col(column) == pl.col("wanted"),
            _differs(view, evidence, column),
        )
    shares = pl.col("investor_interest_cents") + pl.col("guaranty_fee_cents") + pl.col("servicing_fee_cents")
    tally.expect(
        rows.with_columns(wanted=shares), pl.col("scheduled_interest_cents") == pl.col("wanted"),
        _differs(view, evidence, "scheduled_interest_cents"),
    )  # fmt: skip
    _principal(tally, rows, view, evidence)
    tally.expect(
        rows.with_columns(found_cents=_uses(), wanted=_sources()),
        pl.col("found_cents") == pl.col("wanted"),
        _differs(view, evidence, "found_cents", "what was due and passed on"),
    )
    return tally


def _carried(tally: Tally, rows: pl.DataFrame, view: PartMonth, evidence: Evidence) -> None:
    """A loan opens the month as it ended the last one, or as its closing terms say."""
    for opening, closing in (
        ("opening_actual_cents", "was_closing_actual_cents"),
        ("opening_scheduled_cents", "was_closing_scheduled_cents"),
    ):
        tally.expect(
            rows.with_columns(pl.col(closing).alias("wanted")),
            pl.col(opening) == pl.col("wanted"),
            _differs(view, evidence, opening),
        )


def _principal(tally: Tally, rows: pl.DataFrame, view: PartMonth, evidence: Evidence) -> None:
    """The instalment due on the 1st takes what its own interest leaves; the last one clears the balance."""
    product = rows.select(pl.col("own") * pl.col("was_note_rate_e7").cast(pl.Int64)).to_series().fill_null(0).to_numpy()
    live = (view.month >= index("first_due_date")) & (pl.col("own") > 0) & (pl.col("was_end_code") == ACTIVE)
    left = pl.min_horizontal(pl.col("payment_cents") - pl.Series("interest", cents_of(product)), pl.col("own"))
    wanted = (
        pl.when(live)
        .then(pl.when(view.month >= index("maturity_date")).then(pl.col("own")).otherwise(left))
        .otherwise(0)
    )
    tally.expect(
        rows.with_columns(wanted=wanted),
        pl.col("scheduled_principal_cents") == pl.col("wanted"),
        _differs(view, evidence, "scheduled_principal_cents"),
    )


def _uses() -> pl.Expr:
    pooled = pl.col("payee_pool_id") > 0
    to_pool = (
        pl.col("scheduled_principal_cents") + pl.col("unscheduled_principal_cents") + pl.col("scheduled_interest_cents")
    )
    # An owner outside pools gets principal and interest; what it doesn't get of the interest is fees.
    fees = pl.col("guaranty_fee_cents") + pl.col("servicing_fee_cents")
    return (
        pl.when(pooled).then(to_pool).otherwise(fees) + pl.col("owner_principal_cents") + pl.col("owner_interest_cents")
    )


def _sources() -> pl.Expr:
    collected = pl.col("paid_cents") - pl.col("refunded_cents") + pl.col("claim_cents") + pl.col("buyout_cents")
    advanced = pl.col("advanced_cents") + pl.col("guarantor_advanced_cents") + pl.col("guaranty_relief_cents")
    recovered = pl.col("recovered_cents") + pl.col("guarantor_recovered_cents")
    held = pl.sum_horizontal(f"was_{c}" for c in HELD) - pl.sum_horizontal(HELD)
    uncollected = pl.col("servicing_fee_cents") - pl.col("servicer_kept_cents")
    return collected + advanced - recovered + held + pl.col("shortfall_cents") + uncollected


def _differs(view: PartMonth, evidence: Evidence, column: str, what: str = "") -> Say:
    said = what or column.removesuffix("_cents").replace("_", " ")
    found = f"{{{column}:cents}}"
    return evidence.say(
        "{m:month}, {loan_id:loan}: {said}, expected {wanted:cents}, found " + found, m=view.month, said=said
    )
