"""Applies borrowers' payments: instalments, curtailments, payoffs, oldest instalment first.

Payments come in receipt order; the k-th payment of every loan is one vectorised round. Interest
of an instalment is half-up(actual balance x rate / 12); what is less than an instalment is held in
suspense; what is paid ahead is held until due when the loan is remitted scheduled/scheduled.
Source: Fannie Mae Servicing Guide F-1-09 (servicing.md 5.1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from poolhouse.money import monthly_interest, per_diem_interest
from poolhouse.payoff import payoff_amounts
from poolhouse.servicing.distribution import Due
from poolhouse.servicing.state import Flows, Ints, Mask, State, is_scheduled
from poolhouse.tables.codes import ACTIVE, PAID_OFF

APPLIED, SUSPENSE, EXCEPTION = range(3)


@dataclass
class Receipts:
    """Payments of one part in receipt order: `row` is the loan's position in State."""

    row: Ints
    day: Ints  # day of the month
    amount: Ints
    kind: Ints  # codes.PAYMENT_KINDS
    disposition: Ints

    def rounds(self, chosen: Mask) -> list[Ints]:
        """Positions of the chosen payments: first ones of each loan, second ones, ..."""
        positions = np.flatnonzero(chosen)
        rows = self.row[positions]
        order = np.argsort(rows, kind="stable")
        positions, rows = positions[order], rows[order]
        starts = np.flatnonzero(np.diff(rows, prepend=-1))
        rank = np.arange(len(rows)) - np.repeat(starts, np.diff(np.append(starts, len(rows))))
        return [positions[rank == k] for k in range(int(rank.max(initial=-1)) + 1)]


@dataclass
class Books:
    """Everything the rounds touch: state, flows, what is due, extra principal held to month's end."""

    month: int
    state: State
    flows: Flows
    due: Due
    extra: Ints  # curtailment money waiting for the month's instalment
    sold: Mask  # changes hands this month
    most_ahead: int  # instalments that may be held ahead


def apply_instalments(books: Books, rows: Ints, amounts: Ints, *, ahead: bool = True) -> Ints:
    """Apply money as instalments, those due first; returns dispositions (suspense when none could be applied).

    What is left pays instalments ahead, unless it is more than `most_ahead` of them (or `ahead` is false):
    then it is meant for principal and waits with the month's curtailments.
    """
    state, flows = books.state, books.flows
    money = np.zeros(len(state), dtype=np.int64)
    money[rows] = amounts + state.suspense[rows]
    flows.paid[rows] += amounts
    applied = _pay(books, rows, money, np.minimum(state.maturity[rows], books.month))
    current = (state.last_paid[rows] >= books.month) | (state.first_due[rows] > books.month)
    left = money[rows]
    most = books.most_ahead * state.payment[rows]
    principal = current & (left > 0) & (state.actual[rows] > 0) & ((state.prepaid[rows] + left > most) | (not ahead))
    books.extra[rows[principal]] += left[principal]
    flows.paid[rows[principal]] -= left[principal]
    money[rows[principal]] = 0
    if ahead:
        onward = rows[current & ~principal]
        applied |= _pay(books, onward, money, state.maturity[onward])
    _end_if_clear(books, rows, money)
    state.suspense[rows] = money[rows]
    return np.where(applied[rows] | (money[rows] == 0), APPLIED, SUSPENSE)


def _pay(books: Books, rows: Ints, money: Ints, until: Ints) -> Mask:
    """Pay whole instalments up to the month `until` of each row while the money lasts; says who paid one."""
    state = books.state
    applied = np.zeros(len(state), dtype=bool)
    last = np.zeros(len(state), dtype=np.int64)
    last[rows] = until
    todo = rows
    while len(todo):
        interest = monthly_interest(state.actual[todo], state.note_rate[todo])
        final = state.last_paid[todo] + 1 >= state.maturity[todo]
        full = state.actual[todo] + interest
        instalment = np.where(final, full, np.minimum(state.payment[todo], full))
        can = (state.actual[todo] > 0) & (money[todo] >= instalment) & (state.last_paid[todo] < last[todo])
        todo, interest, instalment = todo[can], interest[can], instalment[can]
        money[todo] -= instalment
        applied[todo] = True
        _one_instalment(books, todo, interest, instalment - interest)
        todo = todo[money[todo] > 0]
    return applied


def _one_instalment(books: Books, rows: Ints, interest: Ints, principal: Ints) -> None:
    """Post one instalment of each row: to owner, guarantor and servicer, or into custody."""
    state, flows, due = books.state, books.flows, books.due
    owed = monthly_interest(state.actual[rows], due.pass_through_rate[rows]) + monthly_interest(
        state.actual[rows], due.guaranty_rate[rows]
    )
    state.last_paid[rows] += 1
    state.actual[rows] -= principal
    flows.interest_applied[rows] += interest
    flows.principal_applied[rows] += principal
    instalment_month = state.last_paid[rows]
    trust = is_scheduled(state)[rows]
    ahead = trust & (instalment_month > books.month)
    state.prepaid[rows[ahead]] += (interest + principal)[ahead]
    current = trust & (instalment_month == books.month) & ~due.drafted[rows]
    due.covered[rows[current]] = True
    late = trust & ~ahead & ~current
    repay_advances(books, rows[late], (principal + owed)[late])
    kept = trust & ~ahead
    flows.servicer_kept[rows[kept]] += (interest - owed)[kept]
    own = ~trust
    flows.owner_principal[rows[own]] += principal[own]
    flows.owner_interest[rows[own]] += owed[own]
    flows.servicer_kept[rows[own]] += (interest - owed)[own]


def repay_advances(books: Books, rows: Ints, amounts: Ints) -> None:
    """Late money repays the guarantor first, then the servicer (servicing.md 5.4); a rest is the servicer's."""
    state, flows = books.state, books.flows
    to_guarantor = np.minimum(amounts, state.guarantor_advances[rows])
    to_servicer = np.minimum(amounts - to_guarantor, state.advances[rows])
    state.guarantor_advances[rows] -= to_guarantor
    state.advances[rows] -= to_servicer
    flows.guarantor_recovered[rows] += to_guarantor
    flows.recovered[rows] += to_servicer
    flows.servicer_kept[rows] += amounts - to_guarantor - to_servicer


def _end_if_clear(books: Books, rows: Ints, money: Ints) -> None:
    """A loan paid down to nothing owes nothing: what is left over goes back to the borrower."""
    state, flows = books.state, books.flows
    clear = rows[(state.actual[rows] == 0) & (state.end_code[rows] == ACTIVE)]
    flows.refunded[clear] += money[clear]
    money[clear] = 0


def apply_curtailments(books: Books, rows: Ints) -> None:
    """Extra principal, once the month's instalments are in.

    Current loans take it off the balance (reverse and reapply when instalments are held ahead);
    a loan behind takes it as instalment money first: the oldest instalment goes first.
    """
    state, flows = books.state, books.flows
    rows = rows[(books.extra[rows] > 0) & (state.end_code[rows] == ACTIVE)]
    extra = books.extra[rows]
    books.extra[rows] = 0
    current = (state.last_paid[rows] >= books.month) | (state.first_due[rows] > books.month)
    behind = rows[~current]
    apply_instalments(books, behind, extra[~current], ahead=False)
    extra = np.where(current, extra, books.extra[rows])
    books.extra[rows] = 0
    rows, extra = rows[extra > 0], extra[extra > 0]
    trust = is_scheduled(state)[rows]
    base = np.where(trust, state.scheduled[rows] - state.pending[rows], state.actual[rows])
    used = np.minimum(extra, base)
    flows.paid[rows] += extra
    flows.refunded[rows] += extra - used
    flows.curtailment[rows] += used
    state.pending[rows] += np.where(trust, used, 0)
    flows.owner_principal[rows] += np.where(trust, 0, used)
    state.actual[rows] = base - used
    _reapply_held(books, rows[trust & (state.prepaid[rows] > 0)])
    done = rows[(state.actual[rows] == 0) & (state.prepaid[rows] == 0)]
    flows.refunded[done] += state.suspense[done]
    state.suspense[done] = 0


def _reapply_held(books: Books, rows: Ints) -> None:
    """Reapply the instalments held ahead to the lower balance; what is left is held in suspense."""
    state, flows = books.state, books.flows
    held = np.zeros(len(state), dtype=np.int64)
    held[rows] = state.prepaid[rows]
    state.prepaid[rows] = 0
    last = state.last_paid.copy()
    state.last_paid[rows] = books.month
    todo = rows
    while len(todo):
        interest = monthly_interest(state.actual[todo], state.note_rate[todo])
        full = state.actual[todo] + interest
        final = state.last_paid[todo] + 1 >= state.maturity[todo]
        instalment = np.where(final, full, np.minimum(state.payment[todo], full))
        can = (state.actual[todo] > 0) & (held[todo] >= instalment) & (state.last_paid[todo] < last[todo])
        todo, instalment, interest = todo[can], instalment[can], interest[can]
        held[todo] -= instalment
        state.prepaid[todo] += instalment
        state.actual[todo] -= instalment - interest
        state.last_paid[todo] += 1
    clear = state.actual[rows] == 0
    flows.refunded[rows] += np.where(clear, held[rows], 0)
    state.suspense[rows] += np.where(clear, 0, held[rows])


def apply_payoffs(books: Books, rows: Ints, days: Ints, amounts: Ints) -> Ints:
    """Pay loans off: balance, unpaid instalments' interest and per-diem to the day before receipt.

    Too little is an exception: the money is not taken and the loan goes on. Too much is refunded. Of a loan paid ahead
    the instalments held count: their interest too pays principal, and only what is still owed is paid now.
    """
    apply_curtailments(books, rows)
    state, flows, due = books.state, books.flows, books.due
    trust = is_scheduled(state)[rows]
    ahead = trust & (state.prepaid[rows] > 0)
    balance = np.where(ahead, state.scheduled[rows] - state.pending[rows], state.actual[rows])
    unpaid = np.clip(np.minimum(books.month, state.maturity[rows]) - state.last_paid[rows], 0, None)
    unpaid = np.where(books.month < state.first_due[rows], 0, unpaid)
    days = np.maximum(days - 1, 0)
    needed = payoff_amounts(balance, state.note_rate[rows], unpaid, days, state.suspense[rows], state.prepaid[rows])
    arrears = unpaid * monthly_interest(balance, state.note_rate[rows])
    stub = per_diem_interest(balance, state.note_rate[rows], days)
    good = amounts >= needed
    trust = trust[good]
    rows, days, balance, arrears, stub, needed, unpaid, amounts = (
        x[good] for x in (rows, days, balance, arrears, stub, needed, unpaid, amounts)
    )
    flows.paid[rows] += amounts
    flows.refunded[rows] += amounts - needed
    flows.interest_applied[rows] += arrears + stub
    held_interest = state.prepaid[rows] - (balance - state.actual[rows])
    flows.principal_applied[rows] += np.maximum(state.actual[rows] - held_interest, 0)
    owed_rate = due.pass_through_rate[rows] + due.guaranty_rate[rows]
    owner_interest = unpaid * (
        monthly_interest(balance, due.pass_through_rate[rows]) + monthly_interest(balance, due.guaranty_rate[rows])
    ) + np.minimum(per_diem_interest(balance, owed_rate, days), stub)
    own = ~trust
    flows.owner_principal[rows[own]] += balance[own]
    flows.owner_interest[rows[own]] += owner_interest[own]
    flows.servicer_kept[rows[own]] += (arrears + stub - owner_interest)[own]
    _retire_scheduled(books, rows[trust], (balance + arrears)[trust], stub[trust])
    state.actual[rows] = 0
    state.suspense[rows] = 0
    state.prepaid[rows] = 0
    state.last_paid[rows] = np.maximum(state.last_paid[rows], np.minimum(books.month, state.maturity[rows]))
    state.end_code[rows] = PAID_OFF
    return np.where(good, APPLIED, EXCEPTION)


def _retire_scheduled(books: Books, rows: Ints, money: Ints, stub: Ints) -> None:
    """A payoff under scheduled/scheduled: cover the draft still ahead, repay advances, hold the rest."""
    state, flows, due = books.state, books.flows, books.due
    scheduled = state.scheduled[rows] - state.pending[rows]
    draft_ahead = due.live[rows] & ~due.covered[rows] & ~due.drafted[rows]
    this_draft = np.where(draft_ahead, due.principal[rows] + due.investor[rows] + due.guaranty[rows], 0)
    due.covered[rows[draft_ahead]] = True
    repaid = state.advances[rows] + state.guarantor_advances[rows]
    repay_advances(books, rows, repaid)
    rest = money - scheduled - this_draft - repaid
    flows.servicer_kept[rows] += np.maximum(rest, 0)
    flows.shortfall[rows] += np.maximum(-rest, 0)
    state.pending[rows] += scheduled
    state.pending_interest[rows] += stub
