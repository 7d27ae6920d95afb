"""One distribution month of one part of the loans: opening rows and payments in, closing rows out.

Reads as the rule: distribute what is due; apply the payments that came by the draft date; advance
what is missing; apply the later payments; curtail; liquidate; buy out; hand sold and pooled loans
to their new owners. No row looks at another, so parts run side by side.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from poolhouse.dates import day_in
from poolhouse.servicing.advances import advance, settle_current
from poolhouse.servicing.distribution import Due, distribute
from poolhouse.servicing.exits import Cover, buy_out, buy_out_demanded, liquidate, missed, stop_scheduled
from poolhouse.servicing.parameters import MonthRules
from poolhouse.servicing.payments import (
    EXCEPTION,
    SUSPENSE,
    Books,
    Receipts,
    apply_curtailments,
    apply_instalments,
    apply_payoffs,
)
from poolhouse.servicing.state import (
    Flows,
    Ints,
    Mask,
    Opening,
    Rows,
    State,
    alive,
    days_after_epoch,
    is_scheduled,
    read,
)  # fmt: skip
from poolhouse.tables.codes import (
    ACTIVE,
    ACTUAL_ACTUAL,
    DISPOSITIONS,
    FORECLOSURE,
    MATURED,
    NO_WORKOUT,
    PAID_OFF,
    PAYMENT_KINDS,
    PRIVATE,
    SCHEDULED_SCHEDULED,
)  # fmt: skip

INSTALMENT, CURTAILMENT, PAYOFF, LIQUIDATION = range(4)

_DEMANDED: dict[str, pl.DataType] = {
    "loan_id": pl.Int32(), "lender_id": pl.Int32(), "claimant_id": pl.Int32(), "settles": pl.Boolean(),
}  # fmt: skip


def none_demanded() -> pl.DataFrame:
    """`Changes.demanded` of a month without repurchase demands."""
    return pl.DataFrame(schema=_DEMANDED)


BLOCK_ROWS = 32_768
"""Loans worked on at once: their arrays stay in the processor's cache, and their memory is used again."""


@dataclass(frozen=True)
class Changes:
    """What the other steps did to the loans this month.

    sales: loan_id, buyer_id, program, pass_through_rate_e7, guaranty_fee_rate_e7.
    pooled: loan_id, pool_id, pass_through_rate_e7, guaranty_fee_rate_e7.
    servicers: loan_id, servicer_id, effective on the 1st.
    cover: loan_id, share_e4, cap_e4 for loans with liquidation money.
    demanded: loan_id, lender_id, claimant_id, settles of loans whose lender must take them back: out of their
    pool now, and to the lender at the end of a month that settles, once they were out at its start.
    """

    sales: pl.DataFrame
    pooled: pl.DataFrame
    servicers: pl.DataFrame
    cover: pl.DataFrame
    demanded: pl.DataFrame = field(default_factory=none_demanded)


def run_month(
    opening: pl.DataFrame, payments: pl.DataFrame, changes: Changes, month: int, rules: MonthRules
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """loan_months rows of `month` for one part, and its payments with their disposition.

    opening: LOAN_MONTHS rows of month - 1. payments: PAYMENTS rows of the part's loans.
    """
    _strictly_ascending(opening)
    lives = alive(opening)
    rows = Rows(month, int(lives.sum()))
    money = _Money.of(payments, month)
    codes = np.full(payments.height, EXCEPTION)
    written = 0
    for start in range(0, opening.height, BLOCK_ROWS):
        state = read(opening[start : start + BLOCK_ROWS])
        if not len(state):
            continue
        mine = money.of_loans(int(state.loan_id[0]), int(state.loan_id[-1]))
        receipts, known = _receipts(state, money, mine)
        before, flows = _run_block(state, receipts, changes, month, rules)
        rows.put(written, before, state, flows)
        written += len(state)
        codes[money.order[mine][known]] = receipts.disposition
    return rows.frame(), _dispositions(payments, codes)


def _run_block(
    state: State, receipts: Receipts, changes: Changes, month: int, rules: MonthRules
) -> tuple[Opening, Flows]:
    """The month of some of the part's loans; `state` becomes their closing state."""
    start = Opening.of(state)
    _set(state, changes.servicers, {"servicer": "servicer_id"})
    sold = _rows(state, pl.concat([changes.sales.select("loan_id"), changes.pooled.select("loan_id")])["loan_id"])
    returning = _returning(state, changes.demanded)
    state.remittance[sold] = SCHEDULED_SCHEDULED
    flows = Flows.zero(len(state))
    due = distribute(state, flows, month)
    _pay_whole_loan_owners(start, flows, due)
    moving = np.zeros(len(state), dtype=bool)
    moving[sold] = True
    books = Books(month, state, flows, due, np.zeros(len(state), dtype=np.int64), moving, rules.most_ahead)
    _receive(books, receipts, rules, changes.cover)
    settle_current(books)
    rows, (claimants,) = _found(state, changes.demanded, "claimant_id")
    buy_out_demanded(books, rows, claimants)
    _buy_out(books, rules)
    _close(books)
    _hand_over(state, changes, rules)
    _give_back(state, *returning)
    return start, flows


def _strictly_ascending(opening: pl.DataFrame) -> None:
    ids = opening["loan_id"].to_numpy()
    if len(ids) > 1 and not (ids[1:] > ids[:-1]).all():
        raise ValueError("opening rows must be sorted by loan_id, each loan once")


def _rows(state: State, loan_ids: pl.Series) -> Ints:
    """Positions of these loans; ids not in the part are dropped."""
    ids = loan_ids.to_numpy().astype(np.int64)
    at = np.searchsorted(state.loan_id, ids)
    inside = at < len(state)
    inside[inside] = state.loan_id[at[inside]] == ids[inside]
    return at[inside]


def _found(state: State, frame: pl.DataFrame, *columns: str) -> tuple[Ints, list[Ints]]:
    """Positions of the frame's loans that are in the part, and these columns beside them."""
    ids = frame["loan_id"].to_numpy().astype(np.int64)
    here = np.isin(ids, state.loan_id)
    return np.searchsorted(state.loan_id, ids[here]), [frame[c].to_numpy().astype(np.int64)[here] for c in columns]


def _returning(state: State, demanded: pl.DataFrame) -> tuple[Ints, Ints]:
    """Loans whose lender pays for them this month, and the lender: those that are out of any pool as it opens."""
    rows, (lenders, settles) = _found(state, demanded, "lender_id", "settles")
    ready = (settles == 1) & (state.remittance[rows] == ACTUAL_ACTUAL)
    return rows[ready], lenders[ready]


def _give_back(state: State, rows: Ints, lenders: Ints) -> None:
    """The lender owns its loan again, unless that ended in the month."""
    live = (state.end_code[rows] == ACTIVE) & (state.actual[rows] > 0)
    state.owner[rows[live]] = lenders[live]


def _set(state: State, frame: pl.DataFrame, fields: dict[str, str]) -> Ints:
    ids = frame["loan_id"].to_numpy().astype(np.int64)
    here = np.isin(ids, state.loan_id)
    rows = np.searchsorted(state.loan_id, ids[here])
    for name, column in fields.items():
        getattr(state, name)[rows] = frame[column].to_numpy().astype(np.int64)[here]
    return rows


def _pay_whole_loan_owners(start: Opening, flows: Flows, due: Due) -> None:
    """Scheduled remittance of loans outside pools goes to their owner of the month before."""
    whole: Mask = due.scheduled & (start.pool == 0)
    flows.owner_principal += np.where(whole, flows.scheduled_principal + flows.unscheduled_principal, 0)
    flows.owner_interest += np.where(whole, flows.investor_interest, 0)


@dataclass(frozen=True)
class _Money:
    """A part's payments as arrays, by loan; a loan's own in the order they came. `order`: their rows in the table."""

    order: Ints
    loan_id: Ints
    day: Ints
    kind: Ints
    amount: Ints

    @classmethod
    def of(cls, payments: pl.DataFrame, month: int) -> _Money:
        first = days_after_epoch(day_in(month, 1))
        ids = payments["loan_id"].to_numpy().astype(np.int64)
        order = np.argsort(ids, kind="stable")  # a file's payments may stand in any order
        day = payments["received_date"].to_physical().to_numpy().astype(np.int64) - first + 1
        kind = payments["kind"].replace_strict(PAYMENT_KINDS, range(4), return_dtype=pl.Int64).to_numpy()
        amount = payments["amount_cents"].to_numpy()
        return cls(order, ids[order], day[order], kind[order], amount[order])

    def of_loans(self, first: int, last: int) -> slice:
        """Where the payments of these loans stand."""
        start, end = np.searchsorted(self.loan_id, [first, last + 1])
        return slice(int(start), int(end))


def _receipts(state: State, money: _Money, mine: slice) -> tuple[Receipts, Mask]:
    """Payments as positions in State; those of loans not alive here are left for 'exception'."""
    ids = money.loan_id[mine]
    row = np.minimum(np.searchsorted(state.loan_id, ids), len(state) - 1)
    known: Mask = state.loan_id[row] == ids
    disposition = np.full(int(known.sum()), EXCEPTION)
    day, amount, kind = (column[mine][known] for column in (money.day, money.amount, money.kind))
    return Receipts(row[known], day, amount, kind, disposition), known


def _receive(books: Books, receipts: Receipts, rules: MonthRules, cover: pl.DataFrame) -> None:
    draft_day = rules.draft_days[books.state.program]
    early = receipts.day <= draft_day[receipts.row]
    ordinary = receipts.kind != LIQUIDATION
    for chosen in receipts.rounds(ordinary & early):
        _apply(books, receipts, chosen)
    advance(books, rules.stop_after[books.state.program])
    for chosen in receipts.rounds(ordinary & ~early):
        _apply(books, receipts, chosen)
    apply_curtailments(books, np.flatnonzero(books.extra > 0))
    for chosen in receipts.rounds(~ordinary):
        _liquidate(books, receipts, chosen, rules, cover)


def _apply(books: Books, receipts: Receipts, chosen: Ints) -> None:
    """One round: at most one payment per loan."""
    chosen = chosen[books.state.end_code[receipts.row[chosen]] == ACTIVE]
    kinds, rows = receipts.kind[chosen], receipts.row[chosen]
    for kind in (INSTALMENT, CURTAILMENT, PAYOFF):
        at, loan = chosen[kinds == kind], rows[kinds == kind]
        if not len(at):
            continue
        amounts = receipts.amount[at]
        if kind == INSTALMENT:
            receipts.disposition[at] = apply_instalments(books, loan, amounts)
        elif kind == CURTAILMENT:
            books.extra[loan] += amounts
            receipts.disposition[at] = np.where(books.state.last_paid[loan] >= books.month - 1, 0, SUSPENSE)
        else:
            receipts.disposition[at] = apply_payoffs(books, loan, receipts.day[at], amounts)


def _liquidate(books: Books, receipts: Receipts, chosen: Ints, rules: MonthRules, cover: pl.DataFrame) -> None:
    """A loan that changes hands this month, or that misses no instalment, can't be liquidated: an exception."""
    at = receipts.row[chosen]
    chosen = chosen[(books.state.end_code[at] == ACTIVE) & ~books.sold[at] & (missed(books)[at] > 0)]
    rows = receipts.row[chosen]
    ids = pl.DataFrame({"loan_id": books.state.loan_id[rows].astype(np.int32)})
    found = ids.join(cover, on="loan_id", how="left", maintain_order="left").fill_null(0)
    insured = Cover(found["share_e4"].to_numpy().astype(np.int64), found["cap_e4"].to_numpy().astype(np.int64))
    buyer = rules.buyers[books.state.program]
    receipts.disposition[chosen] = liquidate(books, rows, receipts.amount[chosen], insured, buyer)


def _buy_out(books: Books, rules: MonthRules) -> None:
    """At month's end: agency loans past the buyout threshold, whole loans past the stop month."""
    state = books.state
    behind = missed(books)
    trust = is_scheduled(state)
    late = behind >= rules.buyout_after[state.program]
    buy_out(
        books, np.flatnonzero(trust & (state.pool > 0) & (state.program != PRIVATE) & late), rules.buyers[state.program]
    )
    whole = trust & (state.pool == 0) & (state.pending == 0) & (behind >= rules.portfolio_stop)
    stop_scheduled(books, np.flatnonzero(whole))
    referred = behind >= rules.foreclosure_after
    state.workout = np.where(referred, FORECLOSURE, NO_WORKOUT)


def _close(books: Books) -> None:
    """Loans paid down to nothing end; portfolio loans carry their actual balance as the scheduled one."""
    state = books.state
    own_portfolio = state.remittance == ACTUAL_ACTUAL
    tail_paid = own_portfolio & (state.pending == 0)
    state.pool = np.where(tail_paid, 0, state.pool)
    state.scheduled = np.where(tail_paid, state.actual, state.scheduled)
    clear = (state.actual == 0) & (state.end_code == ACTIVE)
    clear &= own_portfolio | (state.scheduled - state.pending == 0)
    ended = np.where(books.month >= state.maturity, MATURED, PAID_OFF)
    state.end_code = np.where(clear, ended, state.end_code)


def _hand_over(state: State, changes: Changes, rules: MonthRules) -> None:
    """Sold and pooled loans belong to their new owner, at its rates, from the next distribution on."""
    rates = {"pass_through_rate": "pass_through_rate_e7", "guaranty_rate": "guaranty_fee_rate_e7"}
    _set(state, changes.sales, {"owner": "buyer_id", "program": "program", **rates})
    pooled = _set(state, changes.pooled, {"pool": "pool_id", **rates})
    state.owner[pooled] = rules.trusts


def _dispositions(payments: pl.DataFrame, codes: Ints) -> pl.DataFrame:
    names = pl.Series(list(DISPOSITIONS)).gather(pl.Series(codes.astype(np.uint32)))
    return payments.with_columns(names.alias("disposition"))
