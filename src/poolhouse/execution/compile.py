"""From a problem to the columns and rows of a linear model.

Columns: one for each offer (and one for each loan that may stay), then a switch for each group with a minimum if used,
money for each commitment that may be missed, and sums that several comparability rows share. Costs are dollars lost
against the loan's best offer, balances hundreds of thousands of dollars: numbers near one, so tolerances mean little.

Comparability is exact where every loan goes to one of the two groups. With W all weight, w the share of it in group a
and s the sum over a of weight x (value - overall mean), the difference of the averages is s / (W w (1 - w)), so
|difference| <= d is |s| <= d W w (1 - w): a straight line below a hill, a convex set, cut out by tangents of the hill.
Elsewhere both averages are held between t and t + d, and `targets` searches t.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl

from poolhouse.execution.groups import E6, Bools, Group, Ints, Offers, limit_e6, split
from poolhouse.execution.problem import Average, Comparability, Limit, Problem, Share, Total, exact
from poolhouse.findings import Refused

Floats = np.ndarray[Any, np.dtype[np.float64]]
CENTS_PER_UNIT = 1e7
CENTS_PER_DOLLAR = 100.0
INFINITY = float("inf")


@dataclass
class Row:
    """lower <= sum of coefs x cols <= upper; `unit` turns a price per row unit into one per natural unit of the limit.

    `weight`: of an average or a share, each column's weight: the limit's unit is then its own (a point, a share).
    """

    cols: Ints
    coefs: Floats
    lower: float
    upper: float
    limit: int = -1
    label: str = ""
    side: str = ""
    unit: float = 1.0
    weight: Floats | None = None


@dataclass
class Link:
    """A group with a minimum if used: switch `col` is 1 when any of its offers is taken."""

    col: int
    offers: Ints
    limit: int
    label: str
    need: float
    weight: Floats


@dataclass
class Compare:
    """A comparability row: sums over group a (and b, unless the two hold everything), and the distance allowed."""

    limit: int
    label: str
    within: float
    total: float  # all weight, for a partition; else 0
    sums: tuple[int, ...]  # columns: (s_a, w_a) or (s_a, w_a, s_b, w_b)
    low: float  # least and highest value an average can take, less the mean
    high: float
    centre: float = 0.0  # what is still to be taken off each average: s stands for s - centre x w


@dataclass
class Model:
    """The linear model. Offers first: column o < offers is offer o."""

    loans: int
    offers: int
    loan: Ints  # of each assignment column
    value: Ints  # cents, of each assignment column
    best: Ints  # cents, of each loan's best column
    lower: list[float] = field(default_factory=list)  # of the extra columns
    upper: list[float] = field(default_factory=list)
    cost: list[float] = field(default_factory=list)
    switch: list[bool] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    compares: list[Compare] = field(default_factory=list)

    @property
    def assignments(self) -> int:
        return len(self.loan)

    @property
    def columns(self) -> int:
        return len(self.loan) + len(self.cost)

    def loss(self) -> Floats:
        """Dollars lost by each assignment column against the loan's best."""
        return (self.best[self.loan] - self.value) / CENTS_PER_DOLLAR

    def add_column(self, lower: float, upper: float, cost: float = 0.0, switch: bool = False) -> int:
        self.lower.append(lower)
        self.upper.append(upper)
        self.cost.append(cost)
        self.switch.append(switch)
        return self.columns - 1


def compiled(problem: Problem) -> Model:
    """The problem as columns and rows."""
    offers = Offers(problem)
    loan, value = offers.loan, offers.value
    if problem.assign == "any":
        loans = problem.loans
        stay = loans["unassigned_cents"].to_numpy() if "unassigned_cents" in loans.columns else np.zeros(loans.height)
        loan = np.concatenate([loan, np.arange(loans.height)])
        value = np.concatenate([value, stay.astype(np.int64)])
    best = np.full(problem.loans.height, np.iinfo(np.int64).min)
    np.maximum.at(best, loan, value)
    without = np.flatnonzero(best == np.iinfo(np.int64).min)
    if len(without):
        raise Refused(f"{len(without)} loans have no offer (the first is row {int(without[0])})")
    model = Model(problem.loans.height, len(offers.loan), loan, value, best)
    sums: dict[tuple[object, ...], int] = {}
    for index, limit in enumerate(problem.limits):
        _ADD[type(limit)](model, offers, index, limit, sums)
    return model


def _weights(offers: Offers, by: Any) -> tuple[Floats, float]:
    """Weights in the model's unit, and the natural unit (a cent, a loan) in it."""
    unit = CENTS_PER_UNIT if by == "balance" else 1.0
    return offers.weight(by) / unit, 1 / unit


def _total(model: Model, offers: Offers, index: int, limit: Limit, _: object) -> None:
    assert isinstance(limit, Total)
    weights, unit = _weights(offers, limit.measure)
    for group in offers.groups(limit.where, limit.per):
        w = weights[group.offers]
        for side, bound, cost in (("min", limit.min, limit.short_cost), ("max", limit.max, limit.over_cost)):
            if bound is None:
                continue
            edge = float(exact(bound)) * unit
            cols, coefs = group.offers, w
            if cost is not None:
                price = float(exact(cost)) / unit / CENTS_PER_DOLLAR
                slack = model.add_column(0.0, INFINITY, price)
                cols, coefs = np.append(cols, slack), np.append(coefs, 1.0 if side == "min" else -1.0)
            ends = (edge, INFINITY) if side == "min" else (-INFINITY, edge)
            model.rows.append(Row(cols, coefs, *ends, index, group.label, side, unit))
        if limit.min_if_used is not None:
            _min_if_used(model, offers, index, limit, group, w, unit)


def _min_if_used(model: Model, offers: Offers, index: int, limit: Total, group: Group, w: Floats, unit: float) -> None:
    need = float(exact(limit.min_if_used or 0)) * unit
    if not len(group.offers) or need <= 0:
        return
    _, first = np.unique(offers.loan[group.offers], return_index=True)
    most = float(w[first].sum())
    switch = model.add_column(0.0, 1.0 if most >= need - 1e-9 else 0.0, switch=True)
    cols = np.append(group.offers, switch)
    model.rows.append(Row(cols, np.append(w, -need), 0.0, INFINITY, index, group.label, "min_if_used", unit))
    model.rows.append(Row(cols, np.append(w, -most), -INFINITY, 0.0))
    model.links.append(Link(switch, group.offers, index, group.label, need, w))


def _ratio(
    model: Model, index: int, group: Group, w: Floats, above: Floats, low: Fraction | None, high: Fraction | None
) -> None:
    """low <= average <= high as rows; `above` is the value of each offer of the group in the limit's unit."""
    for side, edge in (("min", low), ("max", high)):
        if edge is None or not len(group.offers):
            continue
        distance = above - float(edge)
        scale = float(np.abs(distance).max()) or 1.0
        ends = (0.0, INFINITY) if side == "min" else (-INFINITY, 0.0)
        model.rows.append(Row(group.offers, w * distance / scale, *ends, index, group.label, side, 1 / scale, w))


def _average(model: Model, offers: Offers, index: int, limit: Limit, _: object) -> None:
    assert isinstance(limit, Average)
    weights, _unit = _weights(offers, limit.by)
    numbers, known = offers.numbers(limit.of)
    for group in offers.groups(limit.where, limit.per):
        own = Group(group.label, group.offers[known[group.offers]])
        values = numbers[own.offers] / E6
        low, high = (None if v is None else exact(v) for v in (limit.min, limit.max))
        _ratio(model, index, own, weights[own.offers], values, low, high)


def _share(model: Model, offers: Offers, index: int, limit: Limit, _: object) -> None:
    assert isinstance(limit, Share)
    weights, _unit = _weights(offers, limit.by)
    of_class = offers.mask(limit.of).astype(np.float64)
    for group in offers.groups(limit.where, limit.per):
        low, high = (None if v is None else exact(v) for v in (limit.min, limit.max))
        _ratio(model, index, group, weights[group.offers], of_class[group.offers], low, high)


def compared_values(offers: Offers, limit: Comparability) -> list[tuple[str, Ints, Bools]]:
    """What is compared: (label, value of each offer in millionths, where known), one for each value of `each`."""
    given = [w for w in (limit.average, limit.share, limit.each) if w is not None]
    if len(given) != 1:
        raise Refused(f"{limit.name!r}: give one of average, share and each")
    everywhere = np.ones(len(offers.loan), dtype=np.bool_)
    if limit.average is not None:
        return [("", *offers.numbers(limit.average))]
    if limit.share is not None:
        return [("", offers.mask(limit.share).astype(np.int64) * E6, everywhere)]
    column = offers.column(str(limit.each))
    answer = []
    for label, rows in split(column):
        values = np.zeros(len(offers.loan), dtype=np.int64)
        values[rows] = E6
        answer.append((f"{limit.each} {label}", values, everywhere))
    return answer


def _comparability(model: Model, offers: Offers, index: int, limit: Limit, sums: dict[tuple[object, ...], int]) -> None:
    assert isinstance(limit, Comparability)
    a, b = offers.mask(limit.a), offers.mask(limit.b)
    if np.any(a & b):
        raise Refused(f"{limit.name!r}: an offer belongs to both groups")
    weights = offers.weight(limit.by)
    for label, values, known in compared_values(offers, limit):
        inside, outside = (a | b) & known, ~((a | b) & known)
        touched = np.zeros(model.loans, dtype=np.bool_)
        touched[offers.loan[inside]] = True
        if not touched.any():
            continue
        partial = touched[model.loan[model.offers :]].any() or touched[offers.loan[outside & known]].any()
        per_loan = _same_for_loan(offers, values, inside)
        first = _first_of_loan(offers, inside)
        mean_weight = float(weights[first].mean())
        scale = float(limit_e6(limit.within)) or float(np.ptp(values[inside])) or 1.0
        centre = float(np.average(values[first], weights=weights[first]))
        # the sums of a share count its members only (few entries), an average's are taken about the mean
        middle = centre / scale if limit.average is None else 0.0
        w, c = weights / mean_weight, (values - centre) / scale + middle

        def column(part: Bools, what: str, coefs: Floats, known: Bools = known, label: str = label) -> int:
            cols = np.flatnonzero(part & known & (coefs != 0.0))
            key = (
                repr(part.tobytes()),
                what,
                limit.by,
                known.tobytes(),
                label if what == "s" else "",
                index * (what == "s"),
            )
            if key not in sums:
                reach = float(np.abs(coefs[cols]).sum())  # finite, so that a price on it still gives a bound
                sums[key] = model.add_column(-reach if what == "s" else 0.0, reach)
                model.rows.append(Row(np.append(cols, sums[key]), np.append(coefs[cols], -1.0), 0.0, 0.0))
            return sums[key]

        sides = (a,) if per_loan and not partial else (a, b)
        cols = tuple(column(part, what, coefs) for part in sides for what, coefs in (("s", w * c), ("w", w)))
        total = float(w[first].sum()) if len(sides) == 1 else 0.0
        within = float(limit_e6(limit.within)) / scale
        low, high = float(c[inside].min()), float(c[inside].max())
        model.compares.append(Compare(index, label, within, total, cols, low - middle, high - middle, middle))


def _same_for_loan(offers: Offers, values: Ints, inside: Bools) -> bool:
    frame = pl.DataFrame({"loan": offers.loan[inside], "v": values[inside]})
    spread = frame.group_by("loan").agg((pl.col("v").max() - pl.col("v").min()).alias("spread"))["spread"]
    return not (spread > 0).any()


def _first_of_loan(offers: Offers, inside: Bools) -> Ints:
    rows = np.flatnonzero(inside)
    return rows[np.unique(offers.loan[rows], return_index=True)[1]]


_ADD: dict[type, Any] = {Total: _total, Average: _average, Share: _share, Comparability: _comparability}
