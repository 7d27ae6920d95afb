"""The linear relaxation: a bound on what any assignment can bring, and what each offer would cost against it.

Columns come in as they pay (most offers of a large tape never do), cuts as they are broken. The bound is the Lagrangian
value of the final row prices, which holds for any prices: rounding in the solver can't make it too low.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import highspy
import numpy as np

from poolhouse.execution.compile import CENTS_PER_UNIT, INFINITY, Floats, Model
from poolhouse.execution.groups import Bools
from poolhouse.execution.linear import Lines, LinkCuts, broken_tangents, fixed_lines, highs, lines, load, target_lines

_FIRST_OFFERS = 6
_PRICE = 1e-6
_ROUNDS = 200
_SMALL = 100_000
_CENTS = 100.0


class NoAnswer(Exception):
    """The limits can't all be kept, even by fractions of loans."""


@dataclass
class Relaxation:
    """`x`: the solution; `reduced`: dollars that taking an offer costs against `loss`, the bound: least dollars lost.

    `body`: the limits' rows and the cuts found; `prices`: dollars per unit of each of `model.rows`.
    """

    model: Model
    open: Bools
    body: Lines
    x: Floats
    reduced: Floats
    loss: float
    prices: Floats
    boxes: dict[int, tuple[float, float]] = field(default_factory=dict)


def relax(model: Model, open_: Bools, boxes: dict[int, tuple[float, float]] | None = None) -> Relaxation:
    """Solves the relaxation. NoAnswer where it has none."""
    boxes = boxes or {}
    body = fixed_lines(model).plus(target_lines(model, boxes))
    links = LinkCuts(model)
    solver = highs()
    active = open_ & _first(model, open_) if model.assignments > _SMALL else open_.copy()
    load(solver, model, body, active)
    for _ in range(_ROUNDS):
        if not _solved(solver):
            if (active == open_).all():
                raise NoAnswer
            active = open_.copy()
            _bounds(solver, np.flatnonzero(active))
            continue
        solution = solver.getSolution()
        reduced = np.array(solution.col_dual)
        pays = np.flatnonzero(open_ & ~active & (reduced[: model.assignments] < -_PRICE))
        if len(pays):
            active[pays] = True
            _bounds(solver, pays)
            continue
        x = _switched(model, np.array(solution.col_value))
        cuts = _cuts(model, links, x)
        if not cuts.height:
            break
        body = body.plus(cuts)
        _add(solver, cuts)
    solution = solver.getSolution()
    prices = np.array(solution.row_dual)
    loss = _lagrangian(model, body, prices, np.array(solution.col_dual), open_)
    x = _switched(model, np.array(solution.col_value))
    first = model.loans
    return Relaxation(
        model, open_, body, x, np.array(solution.col_dual)[: model.assignments], loss,
        prices[first : first + len(model.rows)], boxes,
    )  # fmt: skip


def _first(model: Model, open_: Bools) -> Bools:
    """Each loan's best few open offers."""
    columns = np.flatnonzero(open_)
    order = columns[np.lexsort((columns, -model.value[columns], model.loan[columns]))]
    loan = model.loan[order]
    begin = np.searchsorted(loan, loan)
    chosen = np.zeros(model.assignments, dtype=np.bool_)
    chosen[order[np.arange(len(order)) - begin < _FIRST_OFFERS]] = True
    return chosen


def _solved(solver: Any) -> bool:
    solver.run()
    return bool(solver.getModelStatus() == highspy.HighsModelStatus.kOptimal)


def _bounds(solver: Any, columns: Any) -> None:
    n = len(columns)
    solver.changeColsBounds(n, columns.astype(np.int32), np.zeros(n), np.ones(n))


def _add(solver: Any, new: Lines) -> None:
    solver.addRows(
        new.height,
        new.lower,
        new.upper,
        len(new.cols),
        new.starts.astype(np.int32),
        new.cols.astype(np.int32),
        new.coefs,
    )


def _switched(model: Model, x: Floats) -> Floats:
    """A switch costs nothing: turned up as far as its minimum allows, so that only real faults are cut."""
    x = x.copy()
    for link in model.links:
        x[link.col] = max(x[link.col], min(1.0, float(link.weight @ x[link.offers]) / link.need))
    return x


def _cuts(model: Model, links: LinkCuts, x: Floats) -> Lines:
    broken = links.broken(x)
    found = links.cuts(broken) if len(broken) else lines([])
    bent = broken_tangents(model, x)
    return found.plus(lines(bent)) if bent else found


def _lagrangian(model: Model, body: Lines, prices: Floats, reduced: Floats, open_: Bools) -> float:
    """Least dollars lost at these row prices: what the rows are worth, and each column at the end that pays."""
    lower = np.concatenate([np.zeros(model.assignments), model.lower])
    upper = np.concatenate([open_.astype(np.float64), model.upper])
    ends = np.where(prices > 0, body.lower, body.upper)
    rows = float(np.sum(prices[np.isfinite(ends)] * ends[np.isfinite(ends)]))
    at = np.where(reduced > 0, lower, upper)
    finite = np.isfinite(at)
    return rows + float(np.sum(reduced[finite] * at[finite]))


def elastic(model: Model, names: list[str]) -> list[str]:
    """Which limits can't hold together: the fewest that must give way, each with by how much of its own row."""
    body = fixed_lines(model).plus(target_lines(model, {}))
    solver = highs()
    load(solver, model, body, None)
    solver.changeColsCost(model.columns, np.arange(model.columns, dtype=np.int32), np.zeros(model.columns))
    owners = []
    for k, row in enumerate(model.rows):
        if row.limit < 0:
            continue
        for sign, bounded in ((1.0, np.isfinite(row.lower)), (-1.0, np.isfinite(row.upper))):
            if bounded:
                solver.addCol(1.0, 0.0, INFINITY, 1, np.array([model.loans + k], dtype=np.int32), np.array([sign]))
                owners.append(k)
    if not _solved(solver):
        return sorted({names[c.limit] for c in model.compares})
    give = np.array(solver.getSolution().col_value)[model.columns :]
    found = []
    for k, amount in zip(owners, give, strict=True):
        if amount > 1e-6:
            row = model.rows[k]
            by = f", by ${amount * CENTS_PER_UNIT / _CENTS:,.0f}" if row.unit == 1 / CENTS_PER_UNIT else ""
            found.append(names[row.limit] + (f" ({row.label})" if row.label else "") + by)
    return list(dict.fromkeys(found))
