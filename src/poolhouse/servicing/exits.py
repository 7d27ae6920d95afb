"""How a loan leaves its owner: buyout at par, a whole loan that stops advancing, liquidation.

An agency pool never takes a loss: the buyer pays the scheduled balance and a month's interest into
custody, repays the advances, and owns the loan actual/actual from then on. Only a private trust
bears a loss itself. Sources: servicing.md 5.4 (buyouts), 5.7 (net loss, MI and agency claims).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from poolhouse.money import half_up_div, monthly_interest
from poolhouse.servicing.payments import APPLIED, Books
from poolhouse.servicing.state import Ints, Mask, is_scheduled
from poolhouse.tables.codes import ACTIVE, ACTUAL_ACTUAL, GNMA, LIQUIDATED, PRIVATE


@dataclass
class Cover:
    """Insurance of each liquidated loan: share of the loss paid and its cap, in e4 of loss and of debt."""

    share_e4: Ints
    cap_e4: Ints


def missed(books: Books) -> Ints:
    """Instalments due on or before 1 M and unpaid, per loan; 0 for loans that ended."""
    state = books.state
    count = np.minimum(books.month, state.maturity) - state.last_paid
    live = (state.end_code == ACTIVE) & (state.actual > 0)
    return np.where(live, np.maximum(count, 0), 0)


def buy_out(books: Books, rows: Ints, enterprise: Ints, *, by_issuer: bool = True) -> None:
    """Take loans out of their pools at par. Buyer: the enterprise, or the Ginnie issuer of record; those given in
    `enterprise` alone when not `by_issuer`: who demands that its lender take the loan back.
    """
    state, flows = books.state, books.flows
    balance = state.scheduled[rows] - state.pending[rows]
    interest = monthly_interest(balance, state.pass_through_rate[rows]) + monthly_interest(
        balance, state.guaranty_rate[rows]
    )
    _reimburse(books, rows)
    state.pending[rows] += balance
    state.pending_interest[rows] += interest
    issued = by_issuer & (state.program[rows] == GNMA)
    state.owner[rows] = np.where(issued, state.servicer[rows], enterprise[rows])
    state.remittance[rows] = ACTUAL_ACTUAL
    flows.buyout[rows] += balance + interest
    flows.buyout_principal[rows] += state.actual[rows]


def buy_out_demanded(books: Books, rows: Ints, claimants: Ints) -> None:
    """Take loans out of their pools whose lender must take them back: the claimant buys them at par first.

    Left for a later month: loans sold or pooled this month. Instalments held ahead are the claimant's once it has
    paid the trust's whole balance. rows and claimants side by side. Source: servicing.md 5.4.
    """
    state = books.state
    free = is_scheduled(state) & (state.pool > 0) & (state.end_code == ACTIVE) & ~books.sold
    free &= (state.actual > 0) & (state.scheduled > state.pending)
    chosen = free[rows]
    buyers = np.zeros(len(state), dtype=np.int64)
    buyers[rows] = claimants
    own = state.scheduled - state.pending
    buy_out(books, rows[chosen], buyers, by_issuer=False)
    _release_held(books, rows[chosen], own[rows[chosen]])


def _release_held(books: Books, rows: Ints, own: Ints) -> None:
    """Pay the instalments held ahead of loans just bought out: to the owner, and the servicer its fee of each.

    own: the trust's balance that was bought; the actual one is below it by the principal held.
    """
    state, flows = books.state, books.flows
    ahead = state.prepaid[rows] > 0
    rows, balance = rows[ahead], own[ahead]
    flows.buyout_principal[rows] += balance - state.actual[rows]
    flows.owner_principal[rows] += balance - state.actual[rows]
    while (todo := state.prepaid[rows] > 0).any():
        rows, balance = rows[todo], balance[todo]
        interest = monthly_interest(balance, state.note_rate[rows])
        owed = monthly_interest(balance, state.pass_through_rate[rows]) + monthly_interest(
            balance, state.guaranty_rate[rows]
        )
        principal = np.minimum(np.minimum(state.payment[rows] - interest, balance), balance - state.actual[rows])
        state.prepaid[rows] -= interest + principal
        flows.owner_interest[rows] += owed
        flows.servicer_kept[rows] += interest - owed
        balance = balance - principal


def stop_scheduled(books: Books, rows: Ints) -> None:
    """A whole loan in a portfolio stops scheduled remittance: its owner repays the servicer's advances.

    Unscheduled principal already collected goes to the owner at once.
    """
    _reimburse(books, rows)
    state, flows = books.state, books.flows
    flows.owner_principal[rows] += state.pending[rows]
    flows.owner_interest[rows] += state.pending_interest[rows]
    flows.buyout_principal[rows] += state.actual[rows] - (state.scheduled[rows] - state.pending[rows])
    state.pending[rows] = 0
    state.pending_interest[rows] = 0
    state.remittance[rows] = ACTUAL_ACTUAL
    state.scheduled[rows] = state.actual[rows]


def _reimburse(books: Books, rows: Ints) -> None:
    state, flows = books.state, books.flows
    flows.buyout[rows] += state.advances[rows] + state.guarantor_advances[rows]
    flows.recovered[rows] += state.advances[rows]
    flows.guarantor_recovered[rows] += state.guarantor_advances[rows]
    state.advances[rows] = 0
    state.guarantor_advances[rows] = 0


def liquidate(books: Books, rows: Ints, proceeds: Ints, cover: Cover, enterprise: Ints) -> Ints:
    """Apply the sale of the property and the insurer's claim; the owner bears the rest.

    Pooled agency loans are bought out first. Returns dispositions.
    """
    _take_back_held(books, rows)
    pooled = is_scheduled(books.state) & (books.state.pool > 0)
    agency = rows[(pooled & (books.state.program != PRIVATE))[rows]]
    buy_out(books, agency, enterprise)
    stop_scheduled(books, rows[(is_scheduled(books.state) & (books.state.pool == 0))[rows]])
    state, flows = books.state, books.flows
    unpaid = missed(books)[rows]
    balance = state.actual[rows]
    accrued = unpaid * monthly_interest(balance, state.note_rate[rows])
    debt = balance + accrued
    money = np.minimum(proceeds + state.suspense[rows], debt)
    loss = debt - money
    claim = np.minimum(half_up_div(loss * cover.share_e4, 10_000), half_up_div(debt * cover.cap_e4, 10_000))
    claim = np.minimum(claim, loss)
    flows.paid[rows] += proceeds
    flows.refunded[rows] += proceeds + state.suspense[rows] - money
    flows.claim[rows] += claim
    flows.principal_applied[rows] += np.minimum(money, balance)
    flows.interest_applied[rows] += money - np.minimum(money, balance)
    trust: Mask = is_scheduled(state)[rows]
    _to_owner(books, rows[~trust], (money + claim)[~trust], balance[~trust])
    _to_private_trust(books, rows[trust], (money + claim)[trust])
    state.actual[rows] = 0
    state.suspense[rows] = 0
    state.end_code[rows] = LIQUIDATED
    return np.full(len(rows), APPLIED)


def _take_back_held(books: Books, rows: Ints) -> None:
    """Instalments held ahead count as the borrower's money against the debt."""
    state = books.state
    rows = rows[state.prepaid[rows] > 0]
    state.actual[rows] = state.scheduled[rows] - state.pending[rows]
    state.suspense[rows] += state.prepaid[rows]
    state.prepaid[rows] = 0
    state.last_paid[rows] = np.minimum(books.month, state.last_paid[rows])


def _to_owner(books: Books, rows: Ints, money: Ints, balance: Ints) -> None:
    flows = books.flows
    principal = np.minimum(money, balance)
    flows.owner_principal[rows] += principal
    flows.owner_interest[rows] += money - principal
    flows.loss[rows] += balance - principal


def _to_private_trust(books: Books, rows: Ints, money: Ints) -> None:
    """Advances first, then a month's interest and principal to the trust; its loss is booked when distributed."""
    state, flows = books.state, books.flows
    repaid = np.minimum(money, state.advances[rows])
    state.advances[rows] -= repaid
    flows.recovered[rows] += repaid
    rest = money - repaid
    balance = state.scheduled[rows] - state.pending[rows]
    interest = np.minimum(rest, monthly_interest(balance, state.pass_through_rate[rows]))
    principal = np.minimum(rest - interest, balance)
    state.pending[rows] += principal
    state.pending_interest[rows] += interest
    flows.servicer_kept[rows] += rest - interest - principal
