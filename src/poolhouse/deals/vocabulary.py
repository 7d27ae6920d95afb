"""The closed vocabulary of the waterfall: for each rule's word, how its table is read."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from poolhouse.deals import credit_rules as credit
from poolhouse.deals import schedules
from poolhouse.deals.deal import Deal, Rule, Step
from poolhouse.deals.principal_rules import Accretion, Scheduled, Sequential, Subordinate
from poolhouse.deals.reading import Table
from poolhouse.deals.trust import PRINCIPAL, Groups, flat

POTS = (PRINCIPAL, credit.SENIOR, credit.SUBORDINATE)


def rule_of(name: str, table: Table, deal: Deal, earlier: list[Step]) -> Rule:
    """Reads a step; its classes must be the deal's, and have what the rule pays."""
    rule = RULES[name](table, deal, earlier)
    for groups in _groups(rule):
        for member in flat(groups):
            c = deal.classes.get(member)
            if c is None:
                table.refuse(f"class {member!r} is not in the deal: {', '.join(deal.classes)}")
            if not isinstance(rule, credit.Interest | credit.ReserveDraw) and not c.balance:
                table.refuse(f"class {member!r} has no balance that could be paid")
            if isinstance(rule, credit.Interest | credit.ReserveDraw) and c.residual:
                table.refuse(f"the residual {member!r} is due no interest: it gets what is left")
    return rule


def _groups(rule: Rule) -> list[Groups]:
    if isinstance(rule, Subordinate):
        return [tuple((name,) for name in rule.classes)]
    if isinstance(rule, Accretion):
        return [rule.groups, ((rule.of,),)]
    if isinstance(rule, credit.Shifting | credit.Enhancement):
        return [rule.senior, rule.subordinate]
    groups = getattr(rule, "groups", None)
    return [groups] if groups is not None else []


def _source(table: Table) -> str:
    return table.choice("from", POTS, PRINCIPAL)


def _interest(table: Table, deal: Deal, earlier: list[Step]) -> Rule:
    return credit.Interest(table.names("classes"))


def _sequential(table: Table, deal: Deal, earlier: list[Step]) -> Rule:
    return Sequential(table.names("classes"), _source(table))


def _pro_rata(table: Table, deal: Deal, earlier: list[Step]) -> Rule:
    return Sequential((flat(table.names("classes")),), _source(table))


def _planned(table: Table, deal: Deal, earlier: list[Step]) -> Rule:
    speeds = table.numbers("psa")
    if len(speeds) != 2 or not 0 <= speeds[0] < speeds[1]:
        table.refuse("psa must be the collar's two speeds, the lower first: [90, 300]")
    return _made(table, deal, earlier, speeds)


def _targeted(table: Table, deal: Deal, earlier: list[Step]) -> Rule:
    speeds = table.numbers("psa")
    if len(speeds) != 1 or speeds[0] < 0:
        table.refuse("psa must be one speed")
    return _made(table, deal, earlier, speeds)


def _made(table: Table, deal: Deal, earlier: list[Step], speeds: tuple[float, ...]) -> Rule:
    first = table.whole("first_month", 1, least=1, most=480)
    return schedules.at_speeds(table, deal, earlier, table.names("classes"), speeds, _source(table), first)


def _scheduled(table: Table, deal: Deal, earlier: list[Step]) -> Rule:
    groups, balances = table.names("classes"), table.amounts("balances")
    if any(later > before for before, later in itertools.pairwise(balances)):
        table.refuse("balances must not rise: they are the classes' balance after each month")
    return Scheduled(groups, balances, _source(table))


def _accretion(table: Table, deal: Deal, earlier: list[Step]) -> Rule:
    of = table.text("of")
    if of in deal.classes and not deal.classes[of].accrues_until:
        table.refuse(f"class {of!r} does not accrue: give it accrual_until")
    groups, plan = table.names("classes"), None
    if table.yes("to_schedule"):
        kept = [step.rule for step in earlier if isinstance(step.rule, Scheduled) and step.rule.groups == groups]
        if len(kept) != 1:
            table.refuse("to_schedule needs one step before it that plans the same classes")
        plan = kept[0]
    return Accretion(of, groups, plan)


def _subordinate(table: Table, deal: Deal, earlier: list[Step]) -> Rule:
    return Subordinate(flat(table.names("classes")), _source(table))


def _shifting(table: Table, deal: Deal, earlier: list[Step]) -> Rule:
    two_times = None
    if table.has("two_times"):
        test = table.table("two_times")
        two_times = credit.TwoTimes(
            test.whole("month"), test.percent("losses_before", most=100), test.percent("share_before", most=100),
            test.percent("losses_after", most=100), test.percent("share_after", most=100),
        )  # fmt: skip
        test.done()
    table.take("two_times", None)
    shares = table.steps("shares")
    if any(share > 10_000_000 for _, share in shares):
        table.refuse("shares must not be above 100 percent")
    return credit.Shifting(
        table.names("senior"), table.names("subordinate"), shares, table.percent("delinquency", most=100),
        table.steps("losses"), two_times,
    )  # fmt: skip


def _enhancement(table: Table, deal: Deal, earlier: list[Step]) -> Rule:
    return credit.Enhancement(
        table.names("senior"), table.names("subordinate"), table.percent("required", most=100),
        table.percent("delinquency", 100, most=100), table.yes("scheduled_too"),
    )  # fmt: skip


def _overcollateralisation(table: Table, deal: Deal, earlier: list[Step]) -> Rule:
    released = table.percent("released", most=100) if table.has("released") else None
    table.take("released", None)
    if released is not None and deal.step_down is None:
        table.refuse("released needs a [step_down]")
    if released is None and table.has("less"):
        table.refuse("less is taken off released: give that too")
    target, floor = table.percent("target", most=100), table.percent("floor", 0, most=100)
    return credit.Overcollateralisation(target, floor, released, table.percent("less", 0, most=100))


def _carry_over(table: Table, deal: Deal, earlier: list[Step]) -> Rule:
    groups = table.names("classes")
    bare = next((name for name in flat(groups) if name in deal.classes and not deal.classes[name].capped), None)
    if bare is not None:
        table.refuse(f"class {bare!r} has no net_wac_cap, so nothing to carry over")
    return credit.CarryOver(groups)


def _reserve_draw(table: Table, deal: Deal, earlier: list[Step]) -> Rule:
    return credit.ReserveDraw(table.names("classes"))


def _reserve_fund(table: Table, deal: Deal, earlier: list[Step]) -> Rule:
    return credit.ReserveFund(table.percent("target", most=100))


RULES: dict[str, Callable[[Table, Deal, list[Step]], Rule]] = {
    "interest": _interest,
    "accretion": _accretion,
    "sequential": _sequential,
    "pro_rata": _pro_rata,
    "planned": _planned,
    "targeted": _targeted,
    "scheduled": _scheduled,
    "shifting": _shifting,
    "subordinate": _subordinate,
    "enhancement": _enhancement,
    "overcollateralisation": _overcollateralisation,
    "carry_over": _carry_over,
    "reserve_draw": _reserve_draw,
    "reserve_fund": _reserve_fund,
}
