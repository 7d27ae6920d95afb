"""Schedules of planned and targeted classes: the principal the collateral pays at whatever speed of the collar.

Each month the least of what the collar's two speeds give, which any steady speed between them gives too; for one speed
what that gives. A second layer (PAC II) is made of what the first leaves. Source: Fabozzi, Capital Markets, table 30.7.
"""

from __future__ import annotations

import itertools

from poolhouse.deals import collateral, deal
from poolhouse.deals.principal_rules import Scheduled
from poolhouse.deals.reading import Table
from poolhouse.deals.trust import Groups, flat
from poolhouse.money import dollars


def at_speeds(
    table: Table, terms: deal.Deal, earlier: list[deal.Step], groups: Groups, speeds: tuple[float, ...], pot: str,
    first_month: int = 1,
) -> Scheduled:  # fmt: skip
    """The schedule of these classes; nothing is planned before the first month (a lockout). Refused when the speeds
    don't pay them in full."""
    if any(speed > 10_000 for speed in speeds):
        table.refuse("psa must not be above 10000")
    paid = [
        collateral.steady(lambda given: deal.months_of(terms, given), speed)
        for speed in speeds
    ]  # fmt: skip
    least = [
        min(month) if number >= first_month else 0 for number, month in enumerate(zip(*paid, strict=True), 1)
    ]  # fmt: skip
    for step in earlier:
        if isinstance(step.rule, Scheduled):
            least = [
                max(most - part, 0) for most, part in zip(least, _payments(step.rule, terms, len(least)), strict=True)
            ]
    left = size = sum(terms.classes[name].balance for name in flat(groups) if name in terms.classes)
    balances = []
    for part in least:
        left -= min(part, left)
        balances.append(left)
    if left:
        table.refuse(
            f"the speeds pay only {dollars(size - left)} of the {dollars(size)} of {', '.join(flat(groups))}: "
            "make the classes smaller or the collar narrower"
        )
    return Scheduled(groups, tuple(balances), pot)


def _payments(rule: Scheduled, terms: deal.Deal, months: int) -> list[int]:
    size = sum(terms.classes[name].balance for name in flat(rule.groups))
    balances = [size, *(rule.planned(month) for month in range(1, months + 1))]
    return [max(before - after, 0) for before, after in itertools.pairwise(balances)]
