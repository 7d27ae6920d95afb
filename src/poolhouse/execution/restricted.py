"""The problem with most loans where they are: a small integer model over the loans left free, solved by HiGHS.

What the fixed loans bring to each row moves to its right-hand side; rows without a free column are dropped. Limits are
kept a little from their edge, and the hills of comparability a little below, so that the answer stands the exact test.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import highspy
import numpy as np

from poolhouse.execution.compile import Floats, Model
from poolhouse.execution.groups import Bools, Ints
from poolhouse.execution.linear import Lines, highs, lines, tangents
from poolhouse.execution.relax import Relaxation

MARGIN = 2e-6
_BELOW = 2e-4
_TANGENT_STEPS = range(-4, 5)
_TANGENT_WIDTH = 0.01
_EDGE = 1e-9


@dataclass(frozen=True)
class Answer:
    """`x`: whole columns (None where nothing was found), `loss`: dollars lost, `bound`: least that any answer loses."""

    x: Floats | None
    loss: float
    bound: float
    proven: bool


@dataclass
class Restricted:
    """Rows of the integer model: those of the relaxation, with a margin (for answers) or without (for the bound)."""

    relaxation: Relaxation
    margin: bool

    @property
    def model(self) -> Model:
        return self.relaxation.model

    @cached_property
    def rows(self) -> Lines:
        model, body = self.model, self.relaxation.body
        below = _BELOW if self.margin else 0.0
        bent = []
        for compare in model.compares:
            if compare.total:
                share = float(self.relaxation.x[compare.sums[1]]) / compare.total
                lower = replace(compare, within=compare.within * (1 - below))
                for step in _TANGENT_STEPS:
                    bent += tangents(lower, min(max(share + step * _TANGENT_WIDTH, 0.0), 1.0))
        rows = body.plus(lines(bent)) if bent else body
        return self._inside(rows) if self.margin else rows

    def _inside(self, rows: Lines) -> Lines:
        """Averages and shares a little stricter, loan by loan, so that nobody at all still keeps them. Totals are sums
        of cents or loans, met exactly as often as not: they stay."""
        coefs = rows.coefs.copy()
        ends = np.append(rows.starts[1:], len(rows.cols))
        for k, row in enumerate(self.model.rows, start=self.model.loans):
            if row.limit < 0 or row.weight is None:
                continue
            part = slice(rows.starts[k], ends[k])
            step = MARGIN * float(np.abs(coefs[part]).mean())
            coefs[part] += step if row.upper == 0.0 else -step
        return replace(rows, coefs=coefs)

    @cached_property
    def _entry_row(self) -> Ints:
        ends = np.append(self.rows.starts[1:], len(self.rows.cols))
        return np.repeat(np.arange(self.rows.height), ends - self.rows.starts)

    def solve(
        self,
        free: Bools,
        start: Floats,
        *,
        feasible: bool,
        seconds: float,
        nodes: int,
        gap: float = 0.0,
        whole: Bools | None = None,
    ) -> Answer:
        """Best answer in which every column outside `free` stays at `start`. `feasible`: `start` is itself an answer.
        `whole`: the assignment columns that may not be split (all, unless given)."""
        model, rows = self.model, self.rows
        free = np.concatenate([free, np.ones(model.columns - model.assignments, dtype=np.bool_)])
        stays = np.where(free, 0.0, start)
        entry_free = free[rows.cols]
        fixed = np.bincount(self._entry_row, weights=rows.coefs * stays[rows.cols], minlength=rows.height)
        counts = np.bincount(self._entry_row[entry_free], minlength=rows.height)
        kept = np.flatnonzero(counts)
        columns = np.flatnonzero(free)
        position = np.zeros(model.columns, dtype=np.int64)
        position[columns] = np.arange(len(columns))
        small = Lines(
            np.concatenate([[0], np.cumsum(counts[kept])[:-1]]).astype(np.int64),
            position[rows.cols[entry_free]],
            rows.coefs[entry_free],
            (rows.lower - fixed)[kept],
            (rows.upper - fixed)[kept],
        )
        cost = np.concatenate([model.loss(), model.cost])
        offset = float(cost @ stays)
        solver = highs(time_limit=max(seconds, 0.1), mip_max_nodes=nodes, mip_rel_gap=0.0, mip_abs_gap=max(gap, _EDGE))
        solver.passModel(self._lp(small, columns, cost[columns], whole))
        if feasible:
            guess = highspy.HighsSolution()
            guess.col_value = start[columns].tolist()
            solver.setSolution(guess)
        solver.run()
        info, status = solver.getInfo(), solver.getModelStatus()
        proven = status in (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kInfeasible)
        bound = float(info.mip_dual_bound) + offset
        if info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
            return Answer(None, np.inf, bound, proven)
        x = stays.copy()
        x[columns] = np.array(solver.getSolution().col_value)
        return Answer(x, float(info.objective_function_value) + offset, bound, proven)

    def _lp(self, small: Lines, columns: Ints, cost: Floats, whole: Bools | None) -> highspy.HighsLp:
        model, m = self.model, self.model.assignments
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = len(columns), small.height
        lp.col_cost_ = cost
        lp.col_lower_ = np.concatenate([np.zeros(m), model.lower])[columns]
        lp.col_upper_ = np.concatenate([self.relaxation.open.astype(np.float64), model.upper])[columns]
        lp.row_lower_, lp.row_upper_ = small.lower, small.upper
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.num_col_, lp.a_matrix_.num_row_ = len(columns), small.height
        lp.a_matrix_.start_ = np.append(small.starts, len(small.cols)).astype(np.int32)
        lp.a_matrix_.index_ = small.cols.astype(np.int32)
        lp.a_matrix_.value_ = small.coefs
        own = np.ones(m, dtype=np.bool_) if whole is None else whole
        integer = np.concatenate([own, np.array(model.switch, dtype=np.bool_)])[columns]
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        lp.integrality_ = [kinds[w] for w in integer.tolist()]
        return lp
