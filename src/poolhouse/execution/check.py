"""Does an assignment keep every limit? Tested again with whole numbers, from the problem itself, not its model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from poolhouse.execution.compile import compared_values
from poolhouse.execution.groups import E6, Bools, Ints, Offers
from poolhouse.execution.problem import Average, Comparability, Problem, Share, Total, exact


@dataclass(frozen=True)
class Breach:
    """One limit that an assignment breaks: over which group, what it came to and what was allowed."""

    limit: str
    group: str
    side: str
    found: Fraction
    allowed: Fraction

    def __str__(self) -> str:
        where = f" ({self.group})" if self.group else ""
        return f"{self.limit}{where}: {float(self.found):,.6g}, {self.side} {float(self.allowed):,.6g}"


def check(problem: Problem, assignment: Ints, offers: Offers | None = None) -> list[Breach]:
    """Every limit that the assignment (an offer's row for each loan, -1: stays) breaks. Soft totals can't be broken.

    `offers`: of this problem, for those who ask often: conditions are looked up once.
    """
    offers = offers or Offers(problem)
    assignment = np.asarray(assignment, dtype=np.int64)
    if len(assignment) != problem.loans.height:
        raise ValueError("an assignment has one entry for each loan")
    taken = assignment[assignment >= 0]
    if np.any(offers.loan[taken] != np.flatnonzero(assignment >= 0)):
        raise ValueError("an assignment gives a loan an offer of another loan")
    stays = int((assignment < 0).sum())
    breaches = []
    if stays and problem.assign == "all":
        breaches.append(Breach("every loan takes an offer", "", "at most", Fraction(stays), Fraction(0)))
    chosen = np.zeros(len(offers.loan), dtype=np.bool_)
    chosen[taken] = True
    for limit in problem.limits:
        breaches.extend(_tested(offers, limit, chosen))
    return breaches


def _tested(offers: Offers, limit: object, chosen: Bools) -> Iterator[Breach]:
    if isinstance(limit, Total):
        yield from _total(offers, limit, chosen)
    elif isinstance(limit, Average):
        values, known = offers.numbers(limit.of)
        yield from _ratio(offers, limit, chosen & known, values)
    elif isinstance(limit, Share):
        yield from _ratio(offers, limit, chosen, offers.mask(limit.of).astype(np.int64) * E6)
    elif isinstance(limit, Comparability):
        yield from _comparability(offers, limit, chosen)


def total(values: Ints) -> int:
    """An exact sum, whatever its size."""
    return int(np.add.reduce(values.astype(object))) if len(values) else 0


def _total(offers: Offers, limit: Total, chosen: Bools) -> Iterator[Breach]:
    weight = offers.weight(limit.measure)
    for group in offers.groups(limit.where, limit.per):
        rows = group.offers[chosen[group.offers]]
        found = Fraction(total(weight[rows]))
        if limit.min is not None and limit.short_cost is None and found < exact(limit.min):
            yield Breach(limit.name, group.label, "at least", found, exact(limit.min))
        if limit.max is not None and limit.over_cost is None and found > exact(limit.max):
            yield Breach(limit.name, group.label, "at most", found, exact(limit.max))
        if limit.min_if_used is not None and len(rows) and found < exact(limit.min_if_used):
            yield Breach(limit.name, group.label, "if used at least", found, exact(limit.min_if_used))


def ratio(weight: Ints, values: Ints, rows: Ints) -> Fraction | None:
    """The weighted average of values in millionths; None of nothing."""
    whole = total(weight[rows])
    return Fraction(total(weight[rows].astype(object) * values[rows].astype(object)), whole * E6) if whole else None


def _ratio(offers: Offers, limit: Average | Share, chosen: Bools, values: Ints) -> Iterator[Breach]:
    weight = offers.weight(limit.by)
    for group in offers.groups(limit.where, limit.per):
        found = ratio(weight, values, group.offers[chosen[group.offers]])
        if found is None:
            continue
        if limit.min is not None and found < exact(limit.min):
            yield Breach(limit.name, group.label, "at least", found, exact(limit.min))
        if limit.max is not None and found > exact(limit.max):
            yield Breach(limit.name, group.label, "at most", found, exact(limit.max))


def _comparability(offers: Offers, limit: Comparability, chosen: Bools) -> Iterator[Breach]:
    weight = offers.weight(limit.by)
    sides = [np.flatnonzero(offers.mask(where) & chosen) for where in (limit.a, limit.b)]
    for label, values, known in compared_values(offers, limit):
        a, b = (ratio(weight, values, rows[known[rows]]) for rows in sides)
        if a is not None and b is not None and abs(a - b) > exact(limit.within):
            yield Breach(limit.name, label, "apart at most", abs(a - b), exact(limit.within))


def proceeds(problem: Problem, assignment: Ints, offers: Offers | None = None) -> int:
    """Cents: values of the offers taken and of loans that stay, less the cost of commitments missed (rounded up)."""
    assignment = np.asarray(assignment, dtype=np.int64)
    taken = assignment[assignment >= 0]
    offers = offers or Offers(problem)
    answer = total(offers.value[taken])
    if "unassigned_cents" in problem.loans.columns:
        answer += total(problem.loans["unassigned_cents"].to_numpy()[assignment < 0])
    chosen = np.zeros(len(offers.loan), dtype=np.bool_)
    chosen[taken] = True
    for limit in problem.limits:
        if isinstance(limit, Total) and (limit.short_cost is not None or limit.over_cost is not None):
            answer -= _missed(offers, limit, chosen)
    return answer


def _missed(offers: Offers, limit: Total, chosen: Bools) -> int:
    weight, cost = offers.weight(limit.measure), 0
    for group in offers.groups(limit.where, limit.per):
        found = total(weight[group.offers[chosen[group.offers]]])
        if limit.min is not None and limit.short_cost is not None:
            cost += _ceil(max(exact(limit.min) - found, Fraction(0)) * exact(limit.short_cost))
        if limit.max is not None and limit.over_cost is not None:
            cost += _ceil(max(found - exact(limit.max), Fraction(0)) * exact(limit.over_cost))
    return cost


def _ceil(value: Fraction) -> int:
    return -(-value.numerator // value.denominator)
