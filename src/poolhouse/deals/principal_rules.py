"""The rules that pay principal, each as a prospectus states it. A step's class is its data, `pay` its rule."""

from __future__ import annotations

from dataclasses import dataclass

from poolhouse.deals.trust import PRINCIPAL, Groups, Trust, accretion, percentage


@dataclass(frozen=True)
class Sequential:
    """To the classes in order, each until retired; those of one group together, by balance."""

    groups: Groups
    source: str = PRINCIPAL

    def pay(self, trust: Trust) -> None:
        trust.repay(self.groups, self.source)


@dataclass(frozen=True)
class Scheduled:
    """To the classes in order, until together they are down to the month's scheduled balance, arrears included: planned
    (PAC: the least that a collar of two speeds pays), targeted (TAC: one speed) or scheduled (given balances).

    schedule: their balance after each month, cents; 0 after the last.
    """

    groups: Groups
    schedule: tuple[int, ...]
    source: str = PRINCIPAL

    def pay(self, trust: Trust) -> None:
        trust.repay(self.groups, self.source, max(trust.of(self.groups) - self.planned(trust.month), 0))

    def planned(self, month: int) -> int:
        return self.schedule[month - 1] if month <= len(self.schedule) else 0


@dataclass(frozen=True)
class Accretion:
    """An accrual class's interest pays down others in order; what they don't need becomes principal."""

    of: str
    groups: Groups

    def pay(self, trust: Trust) -> None:
        pot = accretion(self.of)
        trust.repay(self.groups, pot)
        trust.move(trust.pots.get(pot, 0), pot, PRINCIPAL)


@dataclass(frozen=True)
class Subordinate:
    """Among subordinate classes by balance, but a class whose support (itself and what is below it, as a share of the
    deal) has fallen below that at closing is passed over. The highest always takes part.

    classes: from the highest to the lowest. What those paid don't need goes to the rest in order.
    """

    classes: tuple[str, ...]
    source: str = PRINCIPAL

    def pay(self, trust: Trust) -> None:
        open_to = [name for place, name in enumerate(self.classes) if place == 0 or self._supported(trust, place)]
        trust.repay((tuple(open_to),), self.source)
        trust.repay(tuple((name,) for name in self.classes), self.source)

    def _supported(self, trust: Trust, place: int) -> bool:
        """Support / deal before this month's payments >= support / deal at closing, as percentages."""
        below = tuple((name,) for name in self.classes[place:])
        at_closing = sum(c.balance for c in trust.classes.values())
        now = percentage(trust.before(below), sum(trust.opening.values()))
        return now >= percentage(trust.at_closing(below), at_closing)


PrincipalRule = Sequential | Scheduled | Accretion | Subordinate
