"""The rules that pay principal, each as a prospectus states it. A step's class is its data, `pay` its rule."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import lru_cache

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
        trust.repay(self.groups, self.source, self.short(trust))

    def short(self, trust: Trust) -> int:
        """What the classes need to be down to the month's balance, cents."""
        return max(trust.of(self.groups) - self.planned(trust.month), 0)

    def planned(self, month: int) -> int:
        return self.schedule[month - 1] if month <= len(self.schedule) else 0


@dataclass(frozen=True)
class Accretion:
    """An accrual class's interest pays down others in order; what they don't need becomes principal.

    plan: the step whose schedule these classes keep: they are paid down to it and no further.
    """

    of: str
    groups: Groups
    plan: Scheduled | None = None

    def pay(self, trust: Trust) -> None:
        pot = accretion(self.of)
        trust.repay(self.groups, pot, None if self.plan is None else self.plan.short(trust))
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
        if trust.pots.get(self.source, 0) <= 0:
            return
        before = _supports(tuple(trust.opening[name] for name in self.classes), sum(trust.opening.values()))
        sizes = tuple(trust.classes[name].balance for name in self.classes)
        first = _supports(sizes, sum(c.balance for c in trust.classes.values()))
        open_to = tuple(
            name for place, (name, now, at_closing) in enumerate(zip(self.classes, before, first, strict=True))
            if place == 0 or now >= at_closing
        )  # fmt: skip
        trust.repay((open_to,), self.source)
        trust.repay(tuple((name,) for name in self.classes), self.source)


@lru_cache(maxsize=256)
def _supports(sizes: tuple[int, ...], whole: int) -> tuple[int, ...]:
    """Each class and what is below it as a percentage of the deal, from the highest. Those at closing stay."""
    below = list(itertools.accumulate(reversed(sizes)))[::-1]
    return tuple(percentage(part, whole) for part in below)


PrincipalRule = Sequential | Scheduled | Accretion | Subordinate
