"""From an assignment that breaks limits to one that keeps them: single loans move, one after the other.

A broken limit costs its price in the relaxation, more the longer it stays broken. Of the moves that touch the limit
broken worst the one is made that costs least, its own dollars and every limit's price together. No limit is special:
each is a sum over loans, and how much it is broken a function of a few sums.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from poolhouse.execution.compile import Compare, Floats, Model
from poolhouse.execution.groups import Bools, Ints
from poolhouse.execution.relax import Relaxation

_CANDIDATES = 500
_TABU = 12
_STEEPER = 1.6
_DEARER = 1.02
_LEAST_PRICE = 1_000.0
_MOST_PRICE = 1e9
_TINY = 1e-9
_BELOW_HILL = 1 - 1e-5
_EXACT, _EXACT_RATIO = 1e-8, 1e-10
"""What a float's noise may be, in the model's units: a tenth of a cent. Sums of cents and loans that meet their limit
exactly keep it; the exact test has the last word."""


@dataclass
class Sums:
    """What the limits add up: a sum for each row of the model and each group with a minimum if used.

    Entries of a column stand together: column c has `row[start[c]:start[c + 1]]`.
    """

    start: Ints
    row: Ints
    coef: Floats
    height: int

    @classmethod
    def of(cls, model: Model) -> Sums:
        parts = [(row.cols, row.coefs) for row in model.rows] + [(link.offers, link.weight) for link in model.links]
        rows = np.concatenate([np.full(len(cols), k) for k, (cols, _) in enumerate(parts)] or [np.zeros(0, np.int64)])
        cols = np.concatenate([cols for cols, _ in parts] or [np.zeros(0, np.int64)]).astype(np.int64)
        coefs = np.concatenate([coefs for _, coefs in parts] or [np.zeros(0)])
        own = cols < model.assignments
        rows, cols, coefs = rows[own], cols[own], coefs[own]
        order = np.argsort(cols, kind="stable")
        start = np.searchsorted(cols[order], np.arange(model.assignments + 1))
        return cls(start, rows[order], coefs[order], len(parts))

    def dense(self, columns: Ints) -> Floats:
        """One line for each column: its part of every sum."""
        counts = self.start[columns + 1] - self.start[columns]
        line = np.repeat(np.arange(len(columns)), counts)
        at = (
            np.arange(len(line))
            - np.repeat(np.cumsum(counts) - counts, counts)
            + np.repeat(self.start[columns], counts)
        )
        flat = np.bincount(line * self.height + self.row[at], self.coef[at], len(columns) * self.height)
        return flat.reshape(len(columns), self.height).astype(np.float64, copy=False)

    def total(self, columns: Ints) -> Floats:
        counts = self.start[columns + 1] - self.start[columns]
        at = (
            np.arange(counts.sum())
            - np.repeat(np.cumsum(counts) - counts, counts)
            + np.repeat(self.start[columns], counts)
        )
        return np.bincount(self.row[at], self.coef[at], self.height).astype(np.float64, copy=False)


class Faults:
    """How much each limit is broken by given sums, and what missed commitments cost."""

    def __init__(self, model: Model) -> None:
        hard = [k for k, r in enumerate(model.rows) if r.limit >= 0 and (r.cols < model.assignments).all()]
        self.hard = np.array(hard, dtype=np.int64)
        noise = np.array([_EXACT if model.rows[k].weight is None else _EXACT_RATIO for k in hard])
        self.lower = np.array([model.rows[k].lower for k in hard]) - noise
        self.upper = np.array([model.rows[k].upper for k in hard]) + noise
        soft = [
            (k, r) for k, r in enumerate(model.rows) if r.limit >= 0 and r.side in ("min", "max") and k not in set(hard)
        ]
        self.soft = np.array([k for k, _ in soft], dtype=np.int64)
        self.edge = np.array([r.lower if r.side == "min" else r.upper for _, r in soft])
        self.sign = np.array([1.0 if r.side == "min" else -1.0 for _, r in soft])
        self.cost = np.array([model.cost[int(r.cols[-1]) - model.assignments] for _, r in soft])
        self.links = np.arange(len(model.links)) + len(model.rows)
        self.need = np.array([link.need for link in model.links])
        self.compares = model.compares
        sums = {int(r.cols[-1]): k for k, r in enumerate(model.rows) if r.limit < 0 and r.lower == r.upper == 0.0}
        self.pairs = [tuple(sums[c] for c in compare.sums) for compare in model.compares]
        # Those below a hill, many and alike, are worked out together.
        self.hills = np.array([k for k, c in enumerate(model.compares) if c.total], dtype=np.int64)
        hills = [(model.compares[k], self.pairs[k]) for k in self.hills]
        self.hill_sums = np.array([pair for _, pair in hills], dtype=np.int64).reshape(len(hills), 2)
        self.centre, self.within, self.total = (
            np.array([getattr(c, name) for c, _ in hills], dtype=np.float64) for name in ("centre", "within", "total")
        )

    @property
    def height(self) -> int:
        return len(self.hard) + len(self.links) + len(self.compares)

    def broken(self, act: Floats) -> Floats:
        """Lines of sums to lines of faults, none negative: rows, then minimums if used, then comparabilities."""
        rows = act[:, self.hard]
        by = np.maximum(self.lower - rows, 0.0) + np.maximum(rows - self.upper, 0.0)
        held = act[:, self.links]
        short = np.where(held > _TINY, np.minimum(np.maximum(self.need - _EXACT - held, 0.0), held), 0.0)
        apart = np.zeros((len(act), len(self.compares)))
        apart[:, self.hills] = self._above_hills(act)
        for k, (compare, at) in enumerate(zip(self.compares, self.pairs, strict=True)):
            if not compare.total:
                apart[:, k] = self._apart(compare, [act[:, i] for i in at])
        answer: Floats = np.concatenate([by, short, apart], axis=1)
        return answer

    def _above_hills(self, act: Floats) -> Floats:
        """How far each lies above its hill, for the comparabilities whose two groups hold everything."""
        s, w = act[:, self.hill_sums[:, 0]], act[:, self.hill_sums[:, 1]]
        share = np.clip(w / self.total, 0.0, 1.0)
        hill = self.within * self.total * share * (1 - share) * _BELOW_HILL
        over: Floats = np.maximum(np.abs(s - self.centre * w) - hill, 0.0)
        return over

    @staticmethod
    def _apart(compare: Compare, sums: list[Floats]) -> Floats:
        """The same where the two groups don't."""
        within = compare.within
        s_a, w_a, s_b, w_b = sums
        both = (w_a > _TINY) & (w_b > _TINY)
        gap = np.abs(s_a / np.where(both, w_a, 1.0) - s_b / np.where(both, w_b, 1.0))
        wide: Floats = np.where(both, np.maximum(gap - within * _BELOW_HILL, 0.0) * np.minimum(w_a, w_b), 0.0)
        return wide

    def missed(self, act: Floats) -> Floats:
        """Dollars for commitments missed."""
        dollars: Floats = np.maximum(self.sign * (self.edge - act[:, self.soft]), 0.0) @ self.cost
        return dollars


@dataclass
class Search:
    """Repairs assignments of one problem. `taken`: the column of each loan."""

    relaxation: Relaxation
    sums: Sums
    faults: Faults
    loss: Floats
    touching: list[Ints]  # for each fault: the sums it looks at
    by_row: list[Ints]  # for each sum: columns in it

    @classmethod
    def of(cls, relaxation: Relaxation) -> Search:
        model = relaxation.model
        sums, faults = Sums.of(model), Faults(model)
        touching = [np.array([k]) for k in (*faults.hard, *faults.links)] + [np.array(p) for p in faults.pairs]
        parts = [row.cols for row in model.rows] + [link.offers for link in model.links]
        open_ = np.append(relaxation.open, np.zeros(model.columns - model.assignments, dtype=np.bool_))
        by_row = [cols[open_[cols]] for cols in parts]
        return cls(relaxation, sums, faults, model.loss(), touching, by_row)

    def repaired(self, taken: Ints, steps: int = 4_000, stop: Callable[[], bool] | None = None) -> tuple[Ints, bool]:
        """The assignment after at most so many moves, and whether it keeps every limit."""
        taken = taken.copy()
        price = self._prices()
        act = self.sums.total(taken)
        fault = self.faults.broken(act[None, :])[0]
        last = np.full(len(taken), -_TABU)
        for step in range(steps):
            if not (fault > 0).any():
                return taken, True
            if stop is not None and stop():
                break
            worst = int(np.argmax(fault * price))
            move, better = self._best(taken, act, fault, price, worst, last, step)
            if not better:  # nothing mends it at this price: it gets dearer, and the least harm is done meanwhile
                price[worst] = min(price[worst] * _STEEPER, _MOST_PRICE)
            if move < 0:
                last[:] = -_TABU
                continue
            loan = self.relaxation.model.loan[move]
            act += self.sums.total(np.array([move])) - self.sums.total(np.array([taken[loan]]))
            taken[loan] = move
            last[loan] = step
            fault = self.faults.broken(act[None, :])[0]
            price[fault > 0] = np.minimum(price[fault > 0] * _DEARER, _MOST_PRICE)
        return taken, not (fault > 0).any()

    def _prices(self) -> Floats:
        """Dollars a unit of each fault: a multiple of the relaxation's price, and never next to nothing."""
        rows = np.abs(self.relaxation.prices)
        prices = np.full(self.faults.height, _LEAST_PRICE)
        prices[: len(self.faults.hard)] += 2.0 * rows[self.faults.hard]
        return prices

    def _best(
        self, taken: Ints, act: Floats, fault: Floats, price: Floats, worst: int, last: Ints, step: int
    ) -> tuple[int, bool]:
        columns = self._candidates(taken, worst, last, step)
        if not len(columns):
            return -1, False
        from_ = taken[self.relaxation.model.loan[columns]]
        after = act + self.sums.dense(columns) - self.sums.dense(from_)
        before = float(fault @ price) + float(self.faults.missed(act[None, :])[0])
        change = self.faults.broken(after) @ price + self.faults.missed(after) - before
        change += self.loss[columns] - self.loss[from_]
        best = int(np.argmin(change))
        return int(columns[best]), bool(change[best] < -_TINY)

    def _candidates(self, taken: Ints, fault: int, last: Ints, step: int) -> Ints:
        """Columns whose taking changes a sum of the fault, the cheapest ones."""
        loan, loans = self.relaxation.model.loan, np.zeros(len(taken), dtype=np.bool_)
        inside = np.zeros(self.relaxation.model.assignments, dtype=np.bool_)
        for row in self.touching[fault]:
            inside[self.by_row[row]] = True
        loans[np.flatnonzero(inside[taken])] = True
        wanted = (inside | loans[loan]) & self.relaxation.open
        wanted &= (step - last[loan] >= _TABU) & (taken[loan] != np.arange(len(loan)))
        columns = np.flatnonzero(wanted)
        if len(columns) > _CANDIDATES:
            cost = self.relaxation.reduced[columns] - self.relaxation.reduced[taken[loan[columns]]]
            columns = columns[np.argpartition(cost, _CANDIDATES)[:_CANDIDATES]]
        return columns


def rounded(relaxation: Relaxation, allowed: Bools | None = None) -> Ints:
    """Each loan to the column that the relaxation gives most of; ties to the cheaper, then the first."""
    model = relaxation.model
    open_ = relaxation.open if allowed is None else relaxation.open & allowed
    columns = np.flatnonzero(open_)
    order = columns[
        np.lexsort((columns, relaxation.reduced[columns], -relaxation.x[columns].round(6), model.loan[columns]))
    ]
    return order[np.searchsorted(model.loan[order], np.arange(model.loans))]
