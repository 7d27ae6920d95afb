"""Exact amortisation of a fixed-rate note: every cent of every instalment.

Interest is half-up(balance x rate / 12), the level payment is half-up, and the last payment clears
the balance. Source: standard_formulas.md (level payment); Fannie Mae Servicing Guide (monthly
interest on a 360-day year). All in integer cents.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from poolhouse.money import Int64s, level_payment, monthly_interest


def balances_after(
    amount_cents: Int64s, rate_e7: Int64s, payment_cents: Int64s, term_months: Int64s, instalments: Int64s
) -> Int64s:
    """Scheduled balance of each note after its first n instalments, in cents; arrays of equal length.

    0 <= n; from the term on the balance is zero, whatever the payment left over.
    """
    balance = amount_cents.astype(np.int64, copy=True)
    for step in range(1, int(instalments.max(initial=0)) + 1):
        due = np.flatnonzero((instalments >= step) & (balance > 0))
        if not len(due):
            break
        opening = balance[due]
        left = opening - (payment_cents[due] - monthly_interest(opening, rate_e7[due]))
        balance[due] = np.where(term_months[due] <= step, 0, np.maximum(left, 0))
    return balance


def schedule(amount_cents: int, rate_e7: int, term_months: int) -> pl.DataFrame:
    """One note's schedule: n, payment, interest, principal, balance after it (cents)."""
    level = level_payment(amount_cents, rate_e7, term_months)
    rows = []
    balance = amount_cents
    for n in range(1, term_months + 1):
        interest = monthly_interest(balance, rate_e7)
        last = n == term_months or level - interest >= balance
        principal = balance if last else level - interest
        balance -= principal
        rows.append((n, interest + principal, interest, principal, balance))
    return pl.DataFrame(rows, schema=_SCHEDULE, orient="row")


_SCHEDULE: dict[str, pl.DataType] = {
    "n": pl.Int32(),
    "payment": pl.Int64(),
    "interest": pl.Int64(),
    "principal": pl.Int64(),
    "balance": pl.Int64(),
}
