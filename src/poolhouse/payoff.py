"""What a borrower must pay on a day to be free of the loan: one formula for all who need it.

The borrower model pays by it and the servicing month applies by it, so a payoff clears to the cent.
"""

from __future__ import annotations

from poolhouse import money
from poolhouse.money import Int64s


def payoff_amounts(
    actual_cents: Int64s,
    note_rate_e7: Int64s,
    unpaid_instalments: Int64s,
    days: Int64s,
    suspense_cents: Int64s,
    prepaid_cents: Int64s,
) -> Int64s:
    """Payoff amounts in cents, one per loan; arrays of equal length, all int64.

    `actual_cents` is owed before this month's instalment. Each of the `unpaid_instalments` (due on or
    before the 1st of the month of the payoff) owes one month's interest on it; `days` (the payoff's
    day of the month less one) owe actual/365 interest from the 1st. Money held for the borrower counts.
    Zero or less: what is held covers the payoff, and the negative part is to be refunded.
    Source: Fannie Mae Investor Reporting Manual (payoff interest: 30/360 to the 1st, per diem /365 after).
    """
    months = unpaid_instalments * money.monthly_interest(actual_cents, note_rate_e7)
    per_diem = money.per_diem_interest(actual_cents, note_rate_e7, days)
    return actual_cents + months + per_diem - suspense_cents - prepaid_cents
