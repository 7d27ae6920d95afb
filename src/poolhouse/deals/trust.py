"""The trust while a deal runs: what each class is owed and what each pot of money holds, in whole cents.

Every rule takes money from a pot and gives it to classes or to another pot, through the methods here. So nothing is
made or lost between the collateral and the classes, whatever the rules are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Literal

from poolhouse import money, rules
from poolhouse.deals.classes import Class
from poolhouse.deals.collateral import Received

Groups = tuple[tuple[str, ...], ...]
"""Classes in order of payment; those of one group share by balance."""
INTEREST, PRINCIPAL = "interest", "principal"
Amount = Literal["interest", "principal", "accrued", "loss"]


@dataclass
class Paid:
    """What a class got in a month, cents. `accrued`: interest added to the balance instead of paid."""

    interest: int = 0
    principal: int = 0
    accrued: int = 0
    loss: int = 0


@dataclass(frozen=True)
class State:
    """What a deal carries from one payment date to the next; amounts in cents, of each class by name.

    month: payment dates so far; unpaid: interest owed from before; carried: what the net-WAC cap has cut; lost: the
    collateral's losses so far; late: its balance 60 days late or worse on the last dates, the latest at the end;
    held_share: the last step that shifting interest was allowed.
    """

    balance: Mapping[str, int]
    unpaid: Mapping[str, int]
    carried: Mapping[str, int]
    month: int = 0
    reserve: int = 0
    lost: int = 0
    late: tuple[int, ...] = ()
    held_share: int | None = None


@dataclass
class Trust:
    """A payment date under way: the state that it changes, and the month's own amounts. Cents.

    closing: collateral at closing; received: what the collateral brought; opening: balances before the month's
    payments; due: interest of this month and before; released: the step-down is reached and its tests pass.
    """

    classes: dict[str, Class]
    closing: int
    received: Received
    month: int
    balance: dict[str, int]
    unpaid: dict[str, int]
    carried: dict[str, int]
    reserve: int
    lost: int
    late: tuple[int, ...]
    held_share: int | None
    released: bool = False
    opening: dict[str, int] = field(default_factory=dict)
    pots: dict[str, int] = field(default_factory=dict)
    due: dict[str, int] = field(default_factory=dict)
    paid: dict[str, Paid] = field(default_factory=dict)

    @classmethod
    def on(cls, classes: dict[str, Class], closing: int, before: State, received: Received) -> Trust:
        """The next payment date after a state."""
        return cls(
            classes, closing, received, before.month + 1, dict(before.balance), dict(before.unpaid),
            dict(before.carried), before.reserve, before.lost + received.loss,
            (*before.late, received.late)[-late_average_months():], before.held_share,
            opening=dict(before.balance), paid={name: Paid() for name in classes},
        )  # fmt: skip

    @property
    def after(self) -> State:
        """What the next date starts from."""
        return State(
            self.balance, self.unpaid, self.carried, self.month, self.reserve, self.lost, self.late, self.held_share
        )

    @property
    def outstanding(self) -> int:
        """Of all classes."""
        return sum(self.balance.values())

    def of(self, groups: Groups) -> int:
        """Outstanding of these classes."""
        return sum(self.balance[name] for name in flat(groups))

    def before(self, groups: Groups) -> int:
        """Outstanding of these classes before the month's payments: what its tests and percentages are taken of."""
        return sum(self.opening[name] for name in flat(groups))

    def at_closing(self, groups: Groups) -> int:
        return sum(self.classes[name].balance for name in flat(groups))

    def move(self, amount: int, source: str, to: str) -> None:
        """From one pot to another."""
        self.pots[source] = self.pots.get(source, 0) - amount
        self.pots[to] = self.pots.get(to, 0) + amount

    def repay(self, groups: Groups, source: str, most: int | None = None) -> int:
        """Principal to the classes in order until they are retired or the pot is empty; within a group by balance."""
        left = self.pots.get(source, 0) if most is None else min(most, self.pots.get(source, 0))
        repaid = 0
        for group in groups:
            if repaid == left:
                break
            for name, part in self._shared(group, left - repaid):
                self.balance[name] -= part
                self.paid[name].principal += part
                repaid += part
        if repaid:
            self.pots[source] -= repaid
        return repaid

    def write_down(self, groups: Groups, amount: int) -> int:
        """A loss to the classes in order, within a group by balance; returns what they bore."""
        borne = 0
        for group in groups:
            for name, part in self._shared(group, amount - borne):
                self.balance[name] -= part
                self.paid[name].loss += part
                borne += part
        return borne

    def pay_interest(self, group: Iterable[str], source: str) -> None:
        """What is due to the classes, by what is due where the pot is too small. An accruing class's own share goes to
        its balance, and the money to the pot of its accretion."""
        pot = self.pots.get(source, 0)
        names = [name for name in group if self.due[name] > 0] if pot > 0 else []
        if not names:
            return
        due = [self.due[name] for name in names]
        parts = due if pot >= sum(due) else money.largest_remainder(pot, due)
        for name, part in zip(names, parts, strict=True):
            self.due[name] -= part
            accruing = self.accruing(name)
            if accruing:
                self.balance[name] += part
                self.paid[name].accrued += part
                self.move(part, source, accretion(name))
            else:
                self.paid[name].interest += part
                self.pots[source] -= part

    def accruing(self, name: str) -> bool:
        """An accrual class whose turn has not come: one of those its interest pays down is left."""
        waits_for = self.classes[name].accrues_until
        return bool(waits_for) and any(self.balance[earlier] for earlier in waits_for)

    def _shared(self, group: tuple[str, ...], amount: int) -> list[tuple[str, int]]:
        """At most the amount, among the classes of the group by balance."""
        if len(group) == 1:
            alone = min(amount, self.balance[group[0]])
            return [(group[0], alone)] if alone > 0 else []
        owed = [self.balance[name] for name in group]
        part = min(amount, sum(owed))
        return list(zip(group, money.largest_remainder(part, owed), strict=True)) if part > 0 else []


@lru_cache(maxsize=1)
def late_average_months() -> int:
    """Dates over which lateness is averaged."""
    return int(rules.load().get("deals.late_average_months", date.max))


def percentage(part: int, whole: int) -> int:
    """A share to 0.00001 percent. Tests against closing compare these: the cents that rounding moves between classes
    that are paid by balance must not fail one."""
    return money.half_up_div(part * money.RATE_ONE, whole) if whole else 0


def accretion(name: str) -> str:
    """The pot of an accrual class's interest."""
    return f"accretion of {name}"


@lru_cache(maxsize=1024)
def flat(groups: Groups) -> tuple[str, ...]:
    return tuple(name for group in groups for name in group)
