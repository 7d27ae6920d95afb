"""What a deal's file must keep as a whole: names, sizes, who is paid by what, and that nothing is left over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from poolhouse.deals import credit_rules as credit
from poolhouse.deals.classes import Class
from poolhouse.deals.deal import Deal, Step, months_of
from poolhouse.deals.principal_rules import Accretion, Sequential, Subordinate
from poolhouse.deals.reading import Table
from poolhouse.deals.trust import PRINCIPAL, flat
from poolhouse.findings import Refused
from poolhouse.money import dollars, monthly_interest


def by_name(classes: Sequence[Class], tables: Sequence[Table]) -> dict[str, Class]:
    """Classes by name; a name twice is refused."""
    found: dict[str, Class] = {}
    for c, table in zip(classes, tables, strict=True):
        if c.name in found:
            table.refuse("there is a class of this name already")
        found[c.name] = c
    return found


def before_steps(deal: Deal, place: str) -> None:
    """Classes among themselves, and their size."""
    for c in deal.classes.values():
        where = f"{place}, class {c.name}"
        for key, names in (("notional", c.notional), ("accrual_until", c.accrues_until)):
            _known(deal, names, f"{where}, {key}")
        if any(not deal.classes[name].balance for name in c.notional):
            raise Refused(f"{where}: a notional balance must be that of classes with a balance of their own")
        if any(name == c.name or not deal.classes[name].balance for name in c.accrues_until):
            raise Refused(f"{where}: accrual_until must name other classes, with a balance, that are paid before it")
    _no_circle(deal, place)
    if sum(c.residual for c in deal.classes.values()) > 1:
        raise Refused(f"{place}: only one class can be the residual")
    _known(deal, flat(deal.losses), f"{place}, deal, losses")
    bare = next((name for name in flat(deal.losses) if not deal.classes[name].balance), None)
    if bare is not None:
        raise Refused(f"{place}, deal, losses: class {bare!r} has no balance that could bear them")
    if deal.reference and not deal.losses:
        raise Refused(f"{place}: notes on a reference pool need losses = [...] in [deal]")
    if deal.step_down is not None:
        _known(deal, flat(deal.step_down.senior), f"{place}, step_down, senior")


def _known(deal: Deal, names: Iterable[str], where: str) -> None:
    unknown = next((name for name in names if name not in deal.classes), None)
    if unknown is not None:
        raise Refused(f"{where}: class {unknown!r} is not in the deal: {', '.join(deal.classes)}")


def _no_circle(deal: Deal, place: str) -> None:
    """Accrual classes that wait for each other would never be paid."""
    for name in deal.classes:
        seen, waits = {name}, list(deal.classes[name].accrues_until)
        while waits:
            other = waits.pop()
            if other == name:
                raise Refused(f"{place}, class {name}: it accrues until a class is retired that waits for it")
            if other not in seen:
                seen.add(other)
                waits += deal.classes[other].accrues_until


def whole(deal: Deal, place: str) -> None:
    """Sizes, then that interest and principal find every class that is due them."""
    size = sum(c.balance for c in deal.classes.values())
    rules = [step.rule for step in deal.steps]
    built = any(isinstance(rule, credit.Overcollateralisation) for rule in rules)
    if size > deal.closing or (size < deal.closing and not built):
        kept = "must be no more than" if built else "must be"
        raise Refused(f"{place}: the classes' {dollars(size)} {kept} the collateral's {dollars(deal.closing)}")
    _interest(deal, place)
    _closing_interest(deal, place)
    for c in deal.classes.values():
        of = [rule for rule in rules if isinstance(rule, Accretion) and rule.of == c.name]
        if bool(c.accrues_until) != (len(of) == 1):
            raise Refused(f"{place}, class {c.name}: an accrual class needs one step of rule accretion, not {len(of)}")
    splits = [step for step in deal.steps if isinstance(step.rule, credit.Shifting | credit.Enhancement)]
    if len(splits) > 1:
        raise Refused(f"{place}: principal can be split into senior and subordinate once, not {len(splits)} times")
    for split in splits:
        _split_whole(deal, split, place)
    pots = [PRINCIPAL] if not splits else [credit.SENIOR, credit.SUBORDINATE]
    for when in ("locked", "released") if deal.step_down else ("",):
        for pot in pots:
            _taken(deal, pot, when, place)


def _interest(deal: Deal, place: str) -> None:
    """Each class that is due interest in one interest step."""
    for when in ("locked", "released") if deal.step_down else ("",):
        paid = [
            name for step in deal.steps if isinstance(step.rule, credit.Interest) and step.when in ("", when)
            for name in flat(step.rule.groups)
        ]  # fmt: skip
        for c in deal.classes.values():
            count = paid.count(c.name)
            if count > 1 or (c.bears_interest and not count):
                times = "two steps" if count else "no step"
                raise Refused(f"{place}, class {c.name}: {times} of rule interest pay it; one must")
            if count and not c.bears_interest:
                raise Refused(f"{place}, class {c.name}: it is due no interest, and a step of rule interest names it")


def _closing_interest(deal: Deal, place: str) -> None:
    """In the first month classes are due what the collateral pays, to a cent for each; less needs a residual."""
    if deal.reference:
        return
    first = months_of(deal, {})[0]
    net = replace(first, interest=max(first.interest - monthly_interest(first.balance, deal.fee_e7), 0))
    balance = {name: c.balance for name, c in deal.classes.items()}
    due = sum(c.interest(c.base(balance), deal.index_e7[0], net)[0] for c in deal.classes.values() if c.bears_interest)
    slack = len(deal.classes)
    if due > net.interest + slack:
        raise Refused(
            f"{place}: the classes are due {dollars(due)} of interest in the first month and the collateral pays "
            f"{dollars(net.interest)}: lower a coupon, or cap it with net_wac_cap = true"
        )
    if due < net.interest - slack and not any(c.residual for c in deal.classes.values()):
        raise Refused(
            f"{place}: {dollars(net.interest - due)} of the first month's interest is due to no class: add a class of "
            "notional balance, or one with residual = true"
        )


def _split_whole(deal: Deal, split: Step, place: str) -> None:
    rule = split.rule
    if isinstance(rule, credit.Shifting | credit.Enhancement):
        both = [*flat(rule.senior), *flat(rule.subordinate)]
        sized = [name for name, c in deal.classes.items() if c.balance]
        twice = next((name for name in both if both.count(name) > 1), None)
        if twice is not None:
            raise Refused(f"{place}, {split.name}: class {twice!r} is both senior and subordinate")
        left = [name for name in sized if name not in both]
        if left:
            raise Refused(f"{place}, {split.name}: class {left[0]!r} is neither senior nor subordinate")


def _taken(deal: Deal, pot: str, when: str, place: str) -> None:
    """Some rule without a limit leads from the pot to every class: else principal could be left over."""
    named: set[str] = set()
    for step in deal.steps:
        rule = step.rule
        if step.when in ("", when) and isinstance(rule, Sequential | Subordinate) and rule.source == pot:
            named |= set(flat(rule.groups) if isinstance(rule, Sequential) else rule.classes)
    for name, c in deal.classes.items():
        if c.balance and name not in named:
            held = f" while {when}" if when else ""
            raise Refused(
                f"{place}, class {name}: when the others are retired, nothing pays it from the pot {pot!r}{held}; name "
                "it in a step of rule sequential or pro_rata"
            )
