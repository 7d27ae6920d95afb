"""What distribution month M owes, known before any payment of M arrives.

Note interest of M-1 on the trust balance T(M-1), the principal of the instalment due on 1 M, and
the unscheduled principal of M-1. Each contractual amount has its own formula; the servicing fee
is what is left. Source: Fannie Mae Servicing Guide scheduled/scheduled example (servicing.md 5.3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from poolhouse.money import monthly_interest
from poolhouse.servicing.state import Flows, Ints, Mask, State, is_scheduled
from poolhouse.tables.codes import ACTIVE


@dataclass
class Due:
    """The instalment due on 1 M per loan, and what its collection covers."""

    scheduled: Mask  # scheduled/scheduled with a distribution this month
    live: Mask  # an instalment is due on 1 M on a scheduled balance
    principal: Ints
    investor: Ints  # on the loan's own scheduled balance S, as covered by the instalment
    guaranty: Ints
    guaranty_rate: Ints  # rates of the month before: those this distribution is owed at
    pass_through_rate: Ints
    covered: Mask  # paid by the borrower (instalment, held instalment or payoff) by the draft date
    drafted: Mask  # the draft date has passed


def distribute(state: State, flows: Flows, month: int) -> Due:
    """Work out what is due, take it off the scheduled balance, and use held instalments.

    After this `state.scheduled` is T(M) and `state.pending` restarts at 0. Rows whose loan was
    liquidated in a private trust write the balance that no cash came for off as loss.
    """
    scheduled = is_scheduled(state) | (state.pending != 0)
    balance = np.where(scheduled, state.scheduled, 0)
    own = np.where(is_scheduled(state), state.scheduled - state.pending, 0)
    accrues = (month >= state.first_due) & scheduled
    interest = np.where(accrues, monthly_interest(balance, state.note_rate), 0)
    investor = np.where(accrues, monthly_interest(balance, state.pass_through_rate), 0)
    guaranty = np.where(accrues, monthly_interest(balance, state.guaranty_rate), 0)
    live = accrues & (own > 0) & (state.end_code == ACTIVE)
    principal = np.where(live, scheduled_principal(state, own, month), 0)
    own_investor, own_guaranty = np.where(live, investor, 0), np.where(live, guaranty, 0)
    less = np.flatnonzero(live & (own != balance))  # where unscheduled principal waits
    own_investor[less] = monthly_interest(own[less], state.pass_through_rate[less])
    own_guaranty[less] = monthly_interest(own[less], state.guaranty_rate[less])

    flows.scheduled_interest[:] = interest
    flows.investor_interest[:] = investor
    flows.guaranty_fee[:] = guaranty
    flows.servicing_fee[:] = interest - investor - guaranty
    flows.scheduled_principal[:] = principal
    flows.unscheduled_principal[:] = np.where(scheduled, state.pending, 0)
    _interest_gap(state, flows, investor + guaranty - own_investor - own_guaranty, scheduled)
    lost = np.where(scheduled & (state.end_code != ACTIVE), own, 0)
    flows.loss += lost
    state.scheduled = np.where(scheduled, own - principal - lost, state.scheduled)
    state.pending = np.zeros_like(state.pending)
    covered = _use_held_instalment(state, flows, live, own, own_investor + own_guaranty)
    return Due(
        scheduled, live, principal, own_investor, own_guaranty, state.guaranty_rate.copy(),
        state.pass_through_rate.copy(), covered, np.zeros_like(covered),
    )  # fmt: skip


def scheduled_principal(state: State, own: Ints, month: int) -> Ints:
    """Principal of the instalment due on 1 M: the last one clears the balance."""
    principal = np.minimum(state.payment - monthly_interest(own, state.note_rate), own)
    return np.where(month >= state.maturity, own, principal)


def _interest_gap(state: State, flows: Flows, gap: Ints, scheduled: Mask) -> None:
    """The full month on unscheduled principal, less the interest payoffs and buyouts brought in.

    A gap is the servicer's shortfall; a surplus is the servicer's to keep.
    """
    gap = np.where(scheduled, gap - state.pending_interest, 0)
    flows.shortfall += np.maximum(gap, 0)
    flows.servicer_kept += np.maximum(-gap, 0)
    state.pending_interest = np.zeros_like(state.pending_interest)


def _use_held_instalment(state: State, flows: Flows, live: Mask, own: Ints, owed_interest: Ints) -> Mask:
    """A loan paid ahead covers the instalment from what is held; returns who is covered."""
    held = live & (state.prepaid > 0)
    rows = np.flatnonzero(held)
    interest = monthly_interest(own[rows], state.note_rate[rows])
    state.prepaid[rows] -= interest + flows.scheduled_principal[rows]
    flows.servicer_kept[rows] += interest - owed_interest[rows]
    return held
