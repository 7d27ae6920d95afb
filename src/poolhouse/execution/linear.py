"""The model in HiGHS: columns and rows handed over as arrays, and the cuts that keep it exact.

Two kinds of cuts are added when a solution breaks them: a loan may take an offer of a group only if the group's switch
is on (offer by offer this is far stronger than one sum), and a tangent of a comparability's hill.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np

from poolhouse.execution.compile import INFINITY, Compare, Floats, Model
from poolhouse.execution.groups import Bools, Ints

THREADS = 2
STDOUT = 1
TOLERANCE = 1e-7


@dataclass
class Lines:
    """Rows of a linear model, one after the other."""

    starts: Ints
    cols: Ints
    coefs: Floats
    lower: Floats
    upper: Floats

    @property
    def height(self) -> int:
        return len(self.lower)

    def plus(self, other: Lines) -> Lines:
        return Lines(
            np.concatenate([self.starts, other.starts + len(self.cols)]),
            np.concatenate([self.cols, other.cols]),
            np.concatenate([self.coefs, other.coefs]),
            np.concatenate([self.lower, other.lower]),
            np.concatenate([self.upper, other.upper]),
        )


def lines(rows: list[tuple[Ints, Floats, float, float]]) -> Lines:
    lengths = np.array([len(r[0]) for r in rows], dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]]) if rows else np.zeros(0)
    empty: list[Any] = [np.zeros(0)]
    return Lines(
        starts.astype(np.int64),
        np.concatenate([r[0] for r in rows] or empty).astype(np.int64),
        np.concatenate([r[1] for r in rows] or empty).astype(np.float64),
        np.array([r[2] for r in rows], dtype=np.float64),
        np.array([r[3] for r in rows], dtype=np.float64),
    )


def assignment_lines(model: Model) -> Lines:
    """Each loan takes one of its columns."""
    order = np.argsort(model.loan, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(model.loan, minlength=model.loans))[:-1]])
    ones = np.ones(model.loans)
    return Lines(starts.astype(np.int64), order, np.ones(len(order)), ones, ones.copy())


def fixed_lines(model: Model) -> Lines:
    """The assignment and every row of the limits."""
    return assignment_lines(model).plus(lines([(r.cols, r.coefs, r.lower, r.upper) for r in model.rows]))


class LinkCuts:
    """x <= switch, summed over a loan's offers in the group: those that a solution breaks."""

    def __init__(self, model: Model) -> None:
        self.model = model
        group = [np.full(len(link.offers), k) for k, link in enumerate(model.links)]
        offers = [link.offers for link in model.links]
        self.offer = np.concatenate(offers) if offers else np.zeros(0, dtype=np.int64)
        groups = np.concatenate(group) if group else np.zeros(0, dtype=np.int64)
        pair = groups * model.loans + model.loan[self.offer]
        self.pairs, self.pair = np.unique(pair, return_inverse=True)
        self.switch = np.array([link.col for link in model.links], dtype=np.int64)[self.pairs // max(model.loans, 1)]
        self.order = np.argsort(self.pair, kind="stable")
        self.begin = np.searchsorted(self.pair[self.order], np.arange(len(self.pairs) + 1))
        self.added = np.zeros(len(self.pairs), dtype=np.bool_)

    def broken(self, x: Floats, tolerance: float = 1e-6) -> Ints:
        taken = np.bincount(self.pair, weights=x[self.offer], minlength=len(self.pairs))
        return np.flatnonzero((taken - x[self.switch] > tolerance) & ~self.added)

    def cuts(self, chosen: Ints) -> Lines:
        self.added[chosen] = True
        return lines([self._row(int(p)) for p in chosen])

    def _row(self, p: int) -> tuple[Ints, Floats, float, float]:
        offers = self.offer[self.order[self.begin[p] : self.begin[p + 1]]]
        coefs = np.ones(len(offers) + 1)
        coefs[-1] = -1.0
        return np.append(offers, self.switch[p]), coefs, -INFINITY, 0.0


def tangents(compare: Compare, share: float) -> list[tuple[Ints, Floats, float, float]]:
    """|s| <= d W w (1 - w), linear at w = share: s - d (1 - 2 share) w W <= d W share^2, and the same for -s."""
    s, w = compare.sums
    slope = compare.within * (1 - 2 * share)
    edge = compare.within * compare.total * share * share
    return [
        (np.array([s, w]), np.array([sign, -sign * compare.centre - slope]), -INFINITY, edge) for sign in (1.0, -1.0)
    ]


def broken_tangents(model: Model, x: Floats, tolerance: float = 1e-6) -> list[tuple[Ints, Floats, float, float]]:
    """Tangents at the solution's own share, of each comparability it breaks."""
    rows = []
    for compare in model.compares:
        if compare.total:
            s, weight = (float(x[c]) for c in compare.sums)
            w = min(max(weight / compare.total, 0.0), 1.0)
            if abs(s - compare.centre * weight) - compare.within * compare.total * w * (1 - w) > tolerance:
                rows += tangents(compare, w)
    return rows


def target_lines(model: Model, boxes: dict[int, tuple[float, float]]) -> Lines:
    """For a comparability between groups that don't hold everything: both averages within [low, high + d]."""
    rows: list[tuple[Ints, Floats, float, float]] = []
    for k, compare in enumerate(model.compares):
        if compare.total:
            continue
        low, high = boxes.get(k, (compare.low, compare.high))
        for s, w in (compare.sums[:2], compare.sums[2:]):
            for edge, ends in ((low, (0.0, INFINITY)), (high + compare.within, (-INFINITY, 0.0))):
                rows.append((np.array([s, w]), np.array([1.0, -edge - compare.centre]), *ends))
    return lines(rows)


@contextmanager
def _muted() -> Iterator[None]:
    """HiGHS greets on stdout with its first solver of a process, below Python and before it can be told not to."""
    try:
        kept = os.dup(STDOUT)
    except OSError:  # stdout is closed: nobody hears the greeting
        yield
        return
    sys.stdout.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, STDOUT)
        yield
    finally:
        os.dup2(kept, STDOUT)
        os.close(kept)
        os.close(nowhere)


def highs(**options: Any) -> Any:
    with _muted():
        solver: Any = highspy.Highs()  # type: ignore[no-untyped-call]  # highspy leaves its constructor without types
    solver.silent()
    solver.setOptionValue("threads", THREADS)
    solver.setOptionValue("random_seed", 1)
    solver.setOptionValue("primal_feasibility_tolerance", TOLERANCE)
    for name, value in options.items():
        solver.setOptionValue(name, value)
    return solver


def load(solver: Any, model: Model, body: Lines, allowed: Bools | None, integer: str = "") -> None:
    """The model to HiGHS. `integer` names what is whole: "" nothing, "switch", "all"."""
    lp = highspy.HighsLp()
    n, m = model.columns, model.assignments
    lp.num_col_, lp.num_row_ = n, body.height
    lp.col_cost_ = np.concatenate([model.loss(), model.cost])
    lower = np.concatenate([np.zeros(m), model.lower])
    upper = np.concatenate([np.ones(m), model.upper])
    if allowed is not None:
        upper[: len(allowed)] = np.where(allowed, upper[: len(allowed)], lower[: len(allowed)])
    lp.col_lower_, lp.col_upper_ = lower, upper
    lp.row_lower_, lp.row_upper_ = body.lower, body.upper
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.num_col_, lp.a_matrix_.num_row_ = n, body.height
    lp.a_matrix_.start_ = np.append(body.starts, len(body.cols)).astype(np.int32)
    lp.a_matrix_.index_ = body.cols.astype(np.int32)
    lp.a_matrix_.value_ = body.coefs
    if integer:
        whole = np.zeros(n, dtype=np.bool_)
        whole[m:] = model.switch
        whole[:m] = integer == "all"
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        lp.integrality_ = [kinds[w] for w in whole.tolist()]
    solver.passModel(lp)
