"""A deal as data, and its life month by month.

`run` is the prospectus's payment date: what the collateral brought comes in, interest falls due, the steps of the
waterfall pay it out in their order, losses are written off, a clean-up call may end it. Whole cents throughout; at the
end of every month what came in has gone out, or a fault of ours is raised.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import get_args

from poolhouse.deals import collateral as source
from poolhouse.deals.classes import Class
from poolhouse.deals.collateral import Pools, Received
from poolhouse.deals.credit_rules import CreditRule, Enhancement, Shifting, StepDown
from poolhouse.deals.principal_rules import PrincipalRule
from poolhouse.deals.trust import INTEREST, PRINCIPAL, Groups, Paid, State, Trust, accretion
from poolhouse.findings import Refused
from poolhouse.money import RATE_ONE, largest_remainder, monthly_interest

Rule = PrincipalRule | CreditRule


@dataclass(frozen=True)
class Step:
    """One rule of the waterfall. `when`: always, or only while the step-down is `locked` or `released`."""

    name: str
    rule: Rule
    when: str = ""


@dataclass(frozen=True)
class Underlying:
    """A class of another deal as collateral."""

    deal: Deal
    name: str


@dataclass(frozen=True)
class Deal:
    """Terms as the file gives them; see docs/structures.md. Amounts in cents, rates and shares in 1e-7.

    losses: who bears them first; reference: notes on a reference pool, whose interest the issuer pays; call_e7: the
    collateral may be bought out when this share of it is left; index_e7: of floating classes, by month, the last
    going on.
    """

    name: str
    collateral: Pools | Underlying
    closing: int
    classes: dict[str, Class]
    steps: tuple[Step, ...]
    losses: Groups = ()
    step_down: StepDown | None = None
    reference: bool = False
    fee_e7: int = 0
    call_e7: int = 0
    reserve: int = 0
    index_e7: tuple[int, ...] = (0,)
    source: str = ""


@dataclass
class Life:
    """What a class got, a number a month: balance and ending in cents, as `Paid`; unpaid: interest still owed."""

    balance: list[int] = field(default_factory=list)
    interest: list[int] = field(default_factory=list)
    principal: list[int] = field(default_factory=list)
    accrued: list[int] = field(default_factory=list)
    loss: list[int] = field(default_factory=list)
    unpaid: list[int] = field(default_factory=list)
    ending: list[int] = field(default_factory=list)


@dataclass
class Run:
    """A deal's life at one speed. `received`: the collateral's months; `fees`, `shortfall` (payoff interest nobody
    made good), `reserve` (after each month), `rest`: what no class was due, the residual's if there is one."""

    deal: Deal
    classes: dict[str, Life]
    received: list[Received]
    fees: list[int] = field(default_factory=list)
    shortfall: list[int] = field(default_factory=list)
    reserve: list[int] = field(default_factory=list)
    rest: list[int] = field(default_factory=list)
    called: int | None = None


def months_of(deal: Deal, speeds: source.Speeds) -> list[Received]:
    """What a deal's collateral pays at these speeds."""
    return passed_on(deal, source.project(pools_of(deal), speeds))


def pools_of(deal: Deal) -> Pools:
    """The pools at the bottom of a deal, whose class may be another's collateral."""
    while isinstance(deal.collateral, Underlying):
        deal = deal.collateral.deal
    return deal.collateral


def passed_on(deal: Deal, months: list[Received], index_e7: Sequence[int] | None = None) -> list[Received]:
    """What a deal's collateral pays when the pools at the bottom pay these months. index_e7: by month, in the place of
    the own index of the deals below."""
    if isinstance(deal.collateral, Pools):
        return months
    below = deal.collateral.deal
    ran = run(below, passed_on(below, months, index_e7), index_e7=index_e7)
    life = ran.classes[deal.collateral.name]
    rows = zip(ran.received, life.balance, life.interest, life.principal, life.loss, strict=True)
    return [
        Received(
            balance, interest, 0, principal, 0, loss, month.late * balance // month.balance if month.balance else 0
        )
        for month, balance, interest, principal, loss in rows
    ]


def run(
    deal: Deal, months: Sequence[Received], *, index_e7: Sequence[int] | None = None, call: bool = True,
    start: State | None = None,
) -> Run:  # fmt: skip
    """Pays the collateral's months out. index_e7: instead of the deal's own, by month of the run; call: the clean-up
    call is exercised, on the first date that leaves no more than its share; start: where the deal stands before the
    first month, instead of at its closing."""
    rates = tuple(index_e7 or deal.index_e7)
    state = first = start or opened(deal)
    if start is None and deal.closing != months[0].balance:
        raise ValueError("the months are not those of the deal's collateral")
    dates: list[PaymentDate] = []
    called = False
    for number, received in enumerate(months, 1):
        if deal.losses == () and received.loss and not deal.reference:
            raise Refused(
                f"{deal.name}: the collateral loses money in month {number} and the deal does not say who bears it: "
                "give losses = [...] in [deal], or guaranteed = true in [collateral]"
            )
        called = call and 0 < received.after * RATE_ONE <= deal.call_e7 * deal.closing
        if called:
            received = replace(received, unscheduled=received.unscheduled + received.after)
        dates.append(step(deal, state, received, rates[min(number, len(rates)) - 1]))
        state = dates[-1].after
        if called:
            break
    return _kept(deal, first, dates, len(dates) if called else None)


def opened(deal: Deal) -> State:
    """A deal at its closing."""
    sizes = {name: c.balance for name, c in deal.classes.items()}
    return State(sizes, dict.fromkeys(sizes, 0), dict.fromkeys(sizes, 0), reserve=deal.reserve)


@dataclass(frozen=True)
class PaymentDate:
    """What one payment date did, cents. classes: what each got and lost; `fee`, `shortfall`, `rest` as of `Run`."""

    received: Received
    classes: dict[str, Paid]
    fee: int
    shortfall: int
    rest: int
    after: State


def step(deal: Deal, before: State, received: Received, index_e7: int = 0) -> PaymentDate:
    """One payment date: what the collateral brought, paid out by the deal's steps."""
    trust = Trust.on(deal.classes, deal.closing, before, received)
    trust.released = deal.step_down is not None and deal.step_down.reached(trust)
    opening = {name: c.base(trust.balance) for name, c in deal.classes.items()}
    outstanding = trust.outstanding
    fee, shortfall = _falls_due(trust, deal, opening, index_e7)
    came = trust.pots[INTEREST] + trust.pots[PRINCIPAL]
    _pay(trust, deal)
    for pot in list(trust.pots)[2:]:  # all but interest and principal
        trust.move(trust.pots[pot], pot, PRINCIPAL)
    if deal.losses:
        trust.write_down(deal.losses, max(trust.outstanding - received.after, 0))
    trust.unpaid = dict(trust.due)
    rest = trust.pots[INTEREST] + trust.pots[PRINCIPAL]
    if not trust.outstanding or not received.after:
        rest, trust.reserve = rest + trust.reserve, 0
    residual = next((name for name, c in deal.classes.items() if c.residual), None)
    _holds(trust, came + before.reserve, rest, outstanding)
    if residual is not None:
        trust.paid[residual].interest += rest
    return PaymentDate(received, trust.paid, fee, shortfall, rest, trust.after)


def _pay(trust: Trust, deal: Deal) -> None:
    """The steps in their order. Losses are written off after them; but on the last date, where nothing could be made
    up later, before any principal is paid, so that a split by balance takes nothing from who stands above the loss."""
    last = bool(deal.losses) and not trust.received.after
    for step in deal.steps:
        if step.when and (step.when == "released") != trust.released:
            continue
        if last and isinstance(step.rule, (*get_args(PrincipalRule), Shifting, Enhancement)):
            money_there = sum(amount for pot, amount in trust.pots.items() if pot != INTEREST)
            trust.write_down(deal.losses, max(trust.outstanding - money_there, 0))
            last = False
        step.rule.pay(trust)


def _falls_due(trust: Trust, deal: Deal, opening: dict[str, int], index_e7: int) -> tuple[int, int]:
    """Fills the pots and sets what each class is due; returns the fee and the payoff interest that is missing."""
    received = trust.received
    fee = monthly_interest(received.balance, deal.fee_e7)
    missing = source.payoff_shortfall(deal.collateral, received) if isinstance(deal.collateral, Pools) else 0
    fee = min(fee, received.interest)
    missing = min(missing, received.interest - fee)
    net = (
        replace(received, interest=received.interest - fee) if fee else received
    )  # the net WAC is after fees, before what payoffs cost
    due = {}
    for name, c in deal.classes.items():
        due[name], cut = c.interest(opening[name], index_e7, net) if c.bears_interest and opening[name] else (0, 0)
        if c.capped:
            trust.carried[name] += cut + c.interest_on(trust.carried[name], index_e7)
    total = sum(due.values())
    if missing and total:  # borne by all classes by what they are due, and not owed later
        for name, part in zip(due, largest_remainder(min(missing, total), list(due.values())), strict=True):
            due[name] -= part
    trust.due = {name: due[name] + trust.unpaid[name] for name in due}
    interest = sum(trust.due.values()) if deal.reference else received.interest - fee - missing
    trust.pots = {INTEREST: interest, PRINCIPAL: received.principal}
    return fee, missing


def _kept(deal: Deal, first: State, dates: list[PaymentDate], called: int | None) -> Run:
    """The dates as columns."""
    lives = {}
    for name, c in deal.classes.items():
        got = [date.classes[name] for date in dates]
        bases = [c.base(state.balance) for state in (first, *(date.after for date in dates))]
        lives[name] = Life(
            bases[:-1], [each.interest for each in got], [each.principal for each in got],
            [each.accrued for each in got], [each.loss for each in got],
            [date.after.unpaid[name] for date in dates], bases[1:],
        )  # fmt: skip
    return Run(
        deal, lives, [date.received for date in dates], [date.fee for date in dates],
        [date.shortfall for date in dates], [date.after.reserve for date in dates], [date.rest for date in dates],
        called,
    )  # fmt: skip


def _holds(trust: Trust, came: int, rest: int, outstanding: int) -> None:
    """Cash in = cash out, the rest included, and balances move by what was paid, added and lost. A fault of ours if
    not."""
    out, moved = rest + trust.reserve, 0
    for paid in trust.paid.values():
        out += paid.interest + paid.principal
        moved += paid.accrued - paid.principal - paid.loss
    if came != out or trust.outstanding != outstanding + moved:
        raise AssertionError(f"month {trust.month}: {came} came in and {out} went out, balances moved {moved}")
    if min(trust.balance.values(), default=0) < 0 or min(trust.pots.values()) < 0:
        raise AssertionError(f"month {trust.month}: a balance or a pot fell below zero")


__all__ = [
    "Deal", "Life", "PaymentDate", "Run", "State", "Step", "Underlying", "accretion", "months_of", "opened",
    "passed_on", "pools_of", "run", "step",
]  # fmt: skip
