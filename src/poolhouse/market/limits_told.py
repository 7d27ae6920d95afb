"""What an assignment makes of each limit: its value beside what is allowed, if it binds, what more of it is worth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl

from poolhouse.execution.check import ratio, total
from poolhouse.execution.compile import compared_values
from poolhouse.execution.groups import E6, Bools, Ints, Offers
from poolhouse.execution.problem import Average, Comparability, Limit, Problem, Share, Total, exact
from poolhouse.money import dollars

Row = dict[str, Any]
STEP_DOLLARS = 250_000
"""Worth is told for so much more of a total: about a loan."""
_CENTS = 100
_CLOSE = Fraction(1, 200)
"""A limit binds when less than this part of it is left, or more of it is worth something."""
_NOTHING = 0.005
UNITS: dict[str, float] = {"dollar": STEP_DOLLARS, "loan": 1, "point": 1, "share": 0.01}


@dataclass(frozen=True)
class _Side:
    limit: Limit
    group: str
    side: str
    unit: str
    value: Fraction
    allowed: Fraction

    @property
    def room(self) -> Fraction:
        return self.value - self.allowed if self.side.startswith("min") else self.allowed - self.value


def limits_told(problem: Problem, assignment: Ints, shadow: pl.DataFrame) -> list[Row]:
    """A row for each limit, group and side that the assignment touches, the limits in their order, the tightest group
    first. Keys: limit, group, side (min, max, min_if_used, within), unit (dollars, loans, points, share), value,
    allowed, room (numbers in that unit), binds, worth (dollars for one `step`, null where nothing), step, words."""
    offers = Offers(problem)
    chosen = np.zeros(len(offers.loan), dtype=np.bool_)
    chosen[assignment[assignment >= 0]] = True
    keys = zip(shadow["limit"], shadow["group"], shadow["side"], strict=True)
    prices = dict(zip(keys, zip(shadow["measure"], shadow["dollars_per_unit"], strict=True), strict=True))
    rows = []
    for limit in problem.limits:
        sides = sorted(_sides(offers, limit, chosen), key=lambda s: s.room / (abs(s.allowed) or 1))
        rows += [_told(side, *prices.get((limit.name, side.group, side.side), ("", 0.0))) for side in sides]
    return rows


def _told(side: _Side, measure: str, price: float) -> Row:
    worth = round(price * UNITS.get(measure, 0), 2)
    binds = worth > _NOTHING or side.room <= abs(side.allowed) * _CLOSE
    scale = _CENTS if side.unit == "dollars" else 1
    return {
        "limit": side.limit.name, "group": side.group, "side": side.side, "unit": side.unit,
        "value": float(side.value / scale), "allowed": float(side.allowed / scale), "room": float(side.room / scale),
        "binds": binds, "worth": worth if worth > _NOTHING else None,
        "words": worth_words(side.limit.name, side.group, side.side, measure, worth) if worth > _NOTHING else "",
    }  # fmt: skip


def worth_words(limit: str, group: str, side: str, measure: str, worth: float) -> str:
    """'one more $250,000 in c3 is worth $68.25'."""
    named = f"{limit} ({group})" if group else limit
    low = side.startswith("min")
    what = {
        "dollar": f"${STEP_DOLLARS:,}", "loan": "loan", "point": "point", "share": "percentage point",
    }[measure]  # fmt: skip
    text = f"one {what} less asked of" if low else f"one more {what} in"
    return f"{text} {named} is worth {dollars(round(worth * _CENTS))}"


def _sides(offers: Offers, limit: Limit, chosen: Bools) -> Iterator[_Side]:
    if isinstance(limit, Total):
        yield from _totals(offers, limit, chosen)
    elif isinstance(limit, Average):
        values, known = offers.numbers(limit.of)
        yield from _ratios(offers, limit, chosen & known, values, "points")
    elif isinstance(limit, Share):
        yield from _ratios(offers, limit, chosen, offers.mask(limit.of).astype(np.int64) * E6, "share")
    elif isinstance(limit, Comparability):
        yield from _apart(offers, limit, chosen)


def _totals(offers: Offers, limit: Total, chosen: Bools) -> Iterator[_Side]:
    weight, unit = offers.weight(limit.measure), "dollars" if limit.measure == "balance" else "loans"
    for group in offers.groups(limit.where, limit.per):
        rows = group.offers[chosen[group.offers]]
        found = Fraction(total(weight[rows]))
        for side in ("min", "max", "min_if_used"):
            allowed = getattr(limit, side)
            if allowed is not None and (len(rows) or side != "min_if_used"):
                yield _Side(limit, group.label, side, unit, found, exact(allowed))


def _ratios(offers: Offers, limit: Average | Share, chosen: Bools, values: Ints, unit: str) -> Iterator[_Side]:
    weight = offers.weight(limit.by)
    for group in offers.groups(limit.where, limit.per):
        found = ratio(weight, values, group.offers[chosen[group.offers]])
        for side in ("min", "max"):
            allowed = getattr(limit, side)
            if found is not None and allowed is not None:
                yield _Side(limit, group.label, side, unit, found, exact(allowed))


def _apart(offers: Offers, limit: Comparability, chosen: Bools) -> Iterator[_Side]:
    weight, unit = offers.weight(limit.by), "points" if limit.average is not None else "share"
    sides = [np.flatnonzero(offers.mask(where) & chosen) for where in (limit.a, limit.b)]
    for label, values, known in compared_values(offers, limit):
        a, b = (ratio(weight, values, rows[known[rows]]) for rows in sides)
        if a is not None and b is not None:
            yield _Side(limit, label, "within", unit, abs(a - b), exact(limit.within))
