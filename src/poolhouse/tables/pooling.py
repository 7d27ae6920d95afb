"""Contracts between pooling and the month: which loan went into which pool, at which rates."""

from __future__ import annotations

from poolhouse.tables.contract import Table, columns

POOL_LOANS = Table(
    "pool_loans",
    1,
    columns(
        """
pool_id i32 - the pool
loan_id i32 - the loan
scheduled_cents i64 cents - its scheduled balance at issue, T of the issue month
pass_through_rate_e7 i32 e7 - the pool's coupon
guaranty_fee_rate_e7 i32 e7 - ongoing guaranty fee, buy-up included, from the issue on
"""
    ),
    key=("loan_id",),
    sort=("pool_id", "loan_id"),
)

POOL_WAITS = Table(
    "pool_waits",
    1,
    columns(
        """
loan_id i32 - bought, and not pooled this month
months_waited i16 - counting this one
outcome str - waiting | portfolio (given up: stays with the aggregator as a whole loan)
reason str - in words
"""
    ),
    key=("loan_id",),
    sort=("loan_id",),
)

DELINQUENCIES = Table(
    "delinquencies",
    1,
    columns(
        """
loan_id i32 - a loan that an aggregator bought
missed i16 instalments - unpaid at the end of the month, for the first time so many: 1 (30 days late), 2, 3 (or lost)
age i16 instalments - due by then, from its first one on
"""
    ),
    key=("loan_id", "missed"),
    sort=("loan_id", "missed"),
)
"""What the lender watch counts: each loan and depth once, in the month it first came to it."""
