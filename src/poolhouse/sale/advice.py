"""Purchase advices: what a buyer wires for a lender's loans on a day, and what of it goes to the funding line.

A loan pledged to a line is sold with a bailee letter: the buyer pays the line's balance and interest to the line
first (the net-out), and the rest to the lender. Source: cash-window mechanics (pricing.md 3.4).
"""

from __future__ import annotations

import polars as pl

KEYS = ("seller_id", "settlement_date", "program", "buyer_id")

_PARTS = {
    "principal_cents": pl.col("scheduled_upb_cents"),
    "premium_cents": pl.max_horizontal(pl.col("proceeds_cents") - pl.col("scheduled_upb_cents"), pl.lit(0, pl.Int64)),
    "discount_cents": pl.max_horizontal(pl.col("scheduled_upb_cents") - pl.col("proceeds_cents"), pl.lit(0, pl.Int64)),
    "purchase_interest_cents": pl.col("accrued_cents"),
}


def lines(sales: pl.DataFrame) -> pl.DataFrame:
    """A row per loan of SALES rows: the parts of its price, gross, line payoff and net wire, all in cents.

    A loan that its lender issues itself (buyer = seller) moves no price: gross is 0, and the line is paid from the
    lender's own cash. gross = principal + premium - discount + purchase interest; net = gross - line payoff.
    """
    own = pl.col("seller_id") == pl.col("buyer_id")
    parts = [pl.when(own).then(0).otherwise(value).cast(pl.Int64).alias(name) for name, value in _PARTS.items()]
    rows = sales.with_columns(*parts).with_columns(
        gross_cents=pl.col("principal_cents") + pl.col("premium_cents") - pl.col("discount_cents")
        + pl.col("purchase_interest_cents"),
        line_payoff_cents=pl.col("line_principal_cents") + pl.col("line_interest_cents"),
    )  # fmt: skip
    return rows.with_columns(net_wire_cents=pl.col("gross_cents") - pl.col("line_payoff_cents")).select(
        "loan_id", *KEYS, "method", "price_e6", *_PARTS, "gross_cents", "line_principal_cents", "line_interest_cents",
        "line_payoff_cents", "net_wire_cents", "servicing_released",
    ).sort("loan_id")  # fmt: skip


def advices(rows: pl.DataFrame) -> pl.DataFrame:
    """One row per lender, settlement date, program and buyer of `lines`: loans and the sums of the parts."""
    cents = [name for name in rows.columns if name.endswith("_cents")]
    return rows.group_by(KEYS).agg(pl.len().alias("loans"), pl.col(cents).sum()).sort(KEYS)
