"""Loans that closed before the book opened: instalments since then are deemed paid, and the tape's curtailment."""

from __future__ import annotations

import numpy as np
import polars as pl

from poolhouse.loans import balances_after
from poolhouse.servicing.distribution import scheduled_principal
from poolhouse.servicing.state import read, to_dates, to_months


def deemed(loans: pl.DataFrame, month: int) -> pl.DataFrame:
    """What each loan of LOANS rows stands at when the book takes it in `month`, in the same order.

    loan_id, opening_actual_cents (0: paid off before), last_paid_due_date, deemed_principal_cents and
    deemed_interest_cents: paid to the lender between closing and the month before.
    """
    amount = loans["note_amount_cents"].to_numpy()
    payment = loans["payment_cents"].to_numpy()
    term = loans["term_months"].to_numpy().astype(np.int64)
    first = to_months(loans["first_due_date"])
    count = np.clip(month - first, 0, term)
    balance = balances_after(amount, loans["note_rate_e7"].to_numpy().astype(np.int64), payment, term, count)
    instalments = payment * count
    interest = np.where(balance > 0, instalments - (amount - balance), 0)
    opening = np.maximum(balance - loans["curtailment_cents"].to_numpy(), 0)
    return pl.DataFrame(
        {
            "loan_id": loans["loan_id"],
            "opening_actual_cents": opening,
            "last_paid_due_date": to_dates(np.maximum(first - 1, np.minimum(month - 1, first + term - 1))),
            "deemed_principal_cents": amount - opening,
            "deemed_interest_cents": interest,
        }
    )


def scheduled_after(opening: pl.DataFrame, month: int) -> pl.DataFrame:
    """loan_id, scheduled_upb_cents and current: the balance each loan is sold or pooled at in `month`.

    opening: LOAN_MONTHS rows of the month before. The balance is T(month): scheduled, after the
    instalment due on the 1st. current: no older instalment is unpaid and none is paid ahead.
    """

    state = read(opening)
    own = np.where(state.remittance == 0, state.actual, state.scheduled - state.pending)
    due = (month >= state.first_due) & (own > 0)
    after = own - np.where(due, scheduled_principal(state, own, month), 0)
    after = np.where(state.end_code == 0, after, 0)
    current = (state.last_paid == np.maximum(month - 1, state.first_due - 1)) & (state.prepaid == 0)
    current &= (state.end_code == 0) & (state.suspense == 0) & (after > 0)
    frame = pl.DataFrame({"loan_id": state.loan_id, "scheduled_upb_cents": after, "current": current})
    return frame.with_columns(pl.col("loan_id").cast(pl.Int32))
