"""Better answers from a good one: some loans are set free, the rest stay, and HiGHS finds the best for those.

Which loans: by turns those that lie in, or could go to, a few pools drawn together; those that cost most against the
relaxation, with others drawn; and any. An answer is taken when it brings more and passes the exact test.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from poolhouse import chance
from poolhouse.execution.compile import Floats
from poolhouse.execution.groups import Bools, Ints
from poolhouse.execution.restricted import Restricted
from poolhouse.execution.search import Search

_SIZES = (400, 800, 1_500)
"""Columns of a neighbourhood, by turns."""
_LOANS_AT_LEAST = 40
_POOLS = 5
_NODES = 300
_SECONDS = 4.0
_DEAR_PART = 30
_QUIET = 36
"""So many neighbourhoods without a gain end the search."""
_GAIN = 1e-9


@dataclass
class Incumbent:
    """The best answer so far: column of each loan and its dollars lost."""

    taken: Ints
    loss: float


@dataclass
class Improver:
    """`exact`: whether an assignment passes the exact test; `dollars`: its dollars lost, exactly."""

    search: Search
    restricted: Restricted
    exact: Callable[[Ints], bool]
    dollars: Callable[[Ints], float]
    best: Incumbent
    clock: Callable[[], float]  # read to stop in time, never for what is found
    tried: int = field(default=0)

    def run(self, until: float, enough: float) -> None:
        """Until the clock says so, the loss is `enough`, or neighbourhoods bring nothing more."""
        quiet = 0
        while self.clock() < until and self.best.loss > enough and quiet < _QUIET:
            before = self.best.loss
            self._step(until)
            quiet = 0 if self.best.loss < before else quiet + 1

    def _step(self, until: float) -> None:
        relaxation = self.restricted.relaxation
        model, m = relaxation.model, relaxation.model.assignments
        gap = max(self.best.loss - relaxation.loss, 0.0)
        cheap = relaxation.open & (relaxation.reduced <= gap)
        loans = self._loans(cheap, _SIZES[self.tried % len(_SIZES)])
        free = loans[model.loan] & cheap
        free[self.best.taken] |= loans
        start = np.zeros(model.columns)
        start[self.best.taken] = 1.0
        start[m:] = self.rest(start)
        answer = self.restricted.solve(
            free, start, feasible=True, seconds=min(_SECONDS, until - self.clock()), nodes=_NODES, gap=1.0
        )
        self.tried += 1
        if answer.x is not None:
            self.offer(np.flatnonzero(answer.x[:m] > 0.5))

    def offer(self, columns: Ints) -> bool:
        """Takes an assignment given by its columns if it is whole, exact (after repair) and better."""
        model = self.restricted.model
        if len(columns) != model.loans or len(np.unique(model.loan[columns])) != model.loans:
            return False
        taken = np.empty(model.loans, dtype=np.int64)
        taken[model.loan[columns]] = columns
        loss = self.dollars(taken)
        if loss >= self.best.loss - _GAIN:
            return False
        if not self.exact(taken):
            taken, kept = self.search.repaired(taken, 200)
            loss = self.dollars(taken)
            if not kept or loss >= self.best.loss - _GAIN or not self.exact(taken):
                return False
        self.best = Incumbent(taken, loss)
        return True

    def rest(self, start: Floats) -> Floats:
        """Values of the columns that follow from the assignment: switches, sums, money for what is missed."""
        model, m = self.restricted.model, self.restricted.model.assignments
        rest = np.array(model.lower)
        for link in model.links:
            rest[link.col - m] = 1.0 if start[link.offers].any() else 0.0
        for row in model.rows:
            last = int(row.cols[-1])
            if last < m or row.side == "min_if_used" or model.switch[last - m]:
                continue
            held = float(row.coefs[:-1] @ start[row.cols[:-1]])
            if row.limit < 0:
                rest[last - m] = held
            elif row.side == "min":
                rest[last - m] = max(row.lower - held, 0.0)
            else:
                rest[last - m] = max(held - row.upper, 0.0)
        return rest

    def _loans(self, cheap: Bools, size: int) -> Bools:
        model, n = self.restricted.model, self.restricted.model.loans
        turn = self.tried
        kind = turn // len(_SIZES) % 3
        order = np.argsort(chance.draws(turn, np.arange(n, dtype=np.uint64), 0, "neighbourhood: loans"), kind="stable")
        chosen = np.zeros(n, dtype=np.bool_)
        if kind == 0 and model.links:
            draws = chance.draws(turn, np.arange(len(model.links), dtype=np.uint64), 0, "neighbourhood: pools")
            for k in np.argsort(draws, kind="stable")[:_POOLS]:
                offers = model.links[int(k)].offers
                chosen[model.loan[offers[cheap[offers]]]] = True
        elif kind == 1:
            regret = self.restricted.relaxation.reduced[self.best.taken]
            dear = np.argsort(-regret, kind="stable")[: max(size // _DEAR_PART, 1)]
            chosen[dear] = True
        return self._filled(chosen, order, cheap, size)

    def _filled(self, chosen: Bools, order: Ints, cheap: Bools, size: int) -> Bools:
        """The chosen loans first, then others in the drawn order, until there are as many columns as asked for."""
        model = self.restricted.model
        each = np.bincount(model.loan[cheap], minlength=model.loans)
        line = np.concatenate([order[chosen[order]], order[~chosen[order]]])
        until = int(np.searchsorted(np.cumsum(each[line]), size)) + 1
        final = np.zeros(model.loans, dtype=np.bool_)
        final[line[: max(until, _LOANS_AT_LEAST)]] = True
        return final
