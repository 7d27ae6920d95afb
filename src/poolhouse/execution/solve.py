"""The driver: bound, first answer, better answers, proof; and what the user is told of it.

1. The relaxation gives the bound, and what each offer costs against it. 2. Its answer, rounded, is repaired. 3. The
model is solved with those loans whole that weigh much in a small pool, first over few offers, then over all that cost
less than the gap (the others can't be in a better answer): that shows where they go, and lifts the bound. 4. Where
little is left, the whole rest is solved to the end. 5. Small parts are solved whole, one after the other. Times only
stop it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from poolhouse.execution.check import check, proceeds
from poolhouse.execution.compile import Floats, Model, compiled
from poolhouse.execution.groups import Bools, Ints, Offers
from poolhouse.execution.improve import Improver, Incumbent
from poolhouse.execution.linear import broken_tangents, lines
from poolhouse.execution.presolve import usable
from poolhouse.execution.problem import Average, Problem, Total
from poolhouse.execution.relax import NoAnswer, Relaxation, elastic, relax
from poolhouse.execution.restricted import Restricted
from poolhouse.execution.search import Search, rounded
from poolhouse.findings import Refused

_HEAVY = 0.01
"""A loan is heavy in a limit when it weighs a hundredth of all that could outweigh it."""
_PROVABLE, _PROVABLE_NEAR = 6_000, 40_000
_NODES = 10_000_000
_FEW_NODES = 2_000
_LAST_CENT = 0.009
_SLACK_CENTS = 1
_HEAVY_SHARE = 0.2
_BOUND_SHARE = 0.3
_FEW = 3
_HEAVY_REACH = 20.0
_GREEDY_SHARE = 0.2
_PROOF_SHARE = 0.3
_CENTS = 100.0
_NOTHING = 1e-9
_HALF = 0.5
_CUTS = 40
_NOISE_CENTS = 0.01
_BENT = 1e-5


@dataclass(frozen=True)
class Solution:
    """`assignment`: row of the offer of each loan (-1: stays). Amounts in cents; `bound`: no assignment brings more.

    `best_cents`: each loan at its best offer, whatever the limits. `greedy_cents`: loan by loan, then mended until the
    limits hold; None where that found nothing. `reduced`: dollars an offer costs against the best use of all limits.
    """

    assignment: Ints
    proceeds_cents: int
    bound_cents: int
    best_cents: int
    greedy_cents: int | None
    pools_used: int
    shadow: pl.DataFrame
    reduced: pl.Series
    seconds: float

    @property
    def gap(self) -> float:
        """(bound - proceeds) / bound; the bound's size where all values are costs."""
        return (self.bound_cents - self.proceeds_cents) / abs(self.bound_cents) if self.bound_cents else 0.0


def solve(
    problem: Problem, *, clock: Callable[[], float], seconds: float = 60.0, gap: float = 1e-5, prove: bool = True
) -> Solution:
    """The best assignment found in about so many seconds, or as soon as it is within `gap` (a share) of the bound.

    `clock`: seconds that only go up, such as time.monotonic; it stops the search and changes nothing else. `prove`:
    a small problem within the gap is worked on until its answer is known to be the best, where that is soon done.

    Refused where the limits can't hold together, naming those in the way, or no assignment was found.
    """
    began = clock()
    if not problem.loans.height:
        empty = pl.DataFrame(schema=_SHADOW)
        return Solution(np.zeros(0, np.int64), 0, 0, 0, 0, 0, empty, pl.Series([], dtype=pl.Float64), 0.0)
    model = compiled(problem)
    names = [limit.name for limit in problem.limits]
    try:
        open_ = usable(model)
        relaxation = relax(model, open_)
    except NoAnswer:
        ways = elastic(model, names) or _shut(model, open_, names)
        raise Refused(
            f"the limits can't all be kept; in the way: {'; '.join(ways[:10]) or 'their combination'}"
        ) from None
    run = _Run(problem, model, relaxation, began + seconds, gap, clock, prove)
    greedy = run.greedy()
    incumbent, bound = run.whole()
    return _told(problem, relaxation, incumbent, bound, greedy, clock() - began)


def _shut(model: Model, open_: Bools, names: list[str]) -> list[str]:
    """Limits with a minimum that some group can't reach, where its offers are missed."""
    without = np.bincount(model.loan[open_], minlength=model.loans) == 0
    shut = [k for k in model.links if not open_[k.offers].any() and without[model.loan[k.offers]].any()]
    return list(dict.fromkeys(f"{names[k.limit]} (no group with offers for some loans reaches it)" for k in shut))


@dataclass
class _Run:
    problem: Problem
    model: Model
    relaxation: Relaxation
    until: float
    gap: float
    clock: Callable[[], float]
    prove: bool

    def __post_init__(self) -> None:
        self.search = Search.of(self.relaxation)
        self.offers = Offers(self.problem)
        self.bound = self.relaxation.loss
        self.best = float(self.model.best.sum()) / _CENTS
        self.ranked = _Ranked(self.model)
        self.loan_by_loan: Ints | None = None
        links = self.model.links
        self._offers_of = np.concatenate([k.offers for k in links] or [np.zeros(0, np.int64)])
        self._weights_of = np.concatenate([k.weight for k in links] or [np.zeros(0)])
        self._link_of = np.repeat(np.arange(len(links)), [len(k.offers) for k in links])

    def dollars(self, taken: Ints) -> float:
        return self.best - proceeds(self.problem, self._offers(taken), self.offers) / _CENTS

    def exact(self, taken: Ints) -> bool:
        return not check(self.problem, self._offers(taken), self.offers)

    def _offers(self, taken: Ints) -> Ints:
        answer: Ints = np.where(taken < self.model.offers, taken, -1)
        return answer

    def greedy(self) -> int | None:
        """Loan by loan the best offer; what is above a maximum goes to its next best, the cheapest first; pools too
        small are given up, smallest first; what else is broken is mended by the cheapest single moves. None where a
        fifth of the time didn't do."""
        open_ = self.relaxation.open.copy()
        until = self.clock() + _GREEDY_SHARE * max(self.until - self.clock(), 0.0)
        while True:
            taken = self._under_maxima(self.ranked.best(open_), open_)
            held = self._held(taken)
            small = sorted((h, i) for i, h in enumerate(held) if 0 < h < self.model.links[i].need)
            shut = [i for _, i in small[: max(len(small) // 4, 1)] if self._leaves_offers(open_, i)]
            if not shut or self.clock() >= until:
                break
            for i in shut:
                open_[self.model.links[i].offers] = False
        taken, kept = self.search.repaired(taken, stop=lambda: self.clock() >= until)
        if not kept or not self.exact(taken):
            return None
        self.loan_by_loan = taken
        return proceeds(self.problem, self._offers(taken), self.offers)

    def _held(self, taken: Ints) -> list[float]:
        """What each group with a minimum if used holds."""
        chosen = np.zeros(self.model.assignments, dtype=np.bool_)
        chosen[taken] = True
        inside = chosen[self._offers_of]
        sums = np.bincount(self._link_of[inside], weights=self._weights_of[inside], minlength=len(self.model.links))
        held: list[float] = sums.tolist()
        return held

    def _under_maxima(self, taken: Ints, open_: Bools) -> Ints:
        """Loans leave a group above its maximum for their best offer outside, those that lose least first."""
        taken, free = taken.copy(), open_.copy()
        for row in (*self.model.rows, *self.model.rows):
            if (
                row.limit < 0
                or row.side != "max"
                or row.weight is not None
                or (row.cols >= self.model.assignments).any()
            ):
                continue
            weight = np.zeros(self.model.assignments)
            weight[row.cols] = row.coefs
            over = float(weight[taken].sum()) - row.upper
            if over <= 0:
                continue
            free[row.cols] = False
            leaving = np.flatnonzero(
                (weight[taken] > 0) & (np.bincount(self.model.loan[free], minlength=len(taken)) > 0)
            )
            next_best = self.ranked.best(free | ~np.isin(self.model.loan, leaving))[leaving]
            lost = (self.model.value[taken[leaving]] - self.model.value[next_best]) / weight[taken[leaving]]
            order = np.argsort(lost, kind="stable")
            gone = np.cumsum(weight[taken[leaving[order]]])
            moved = order[: int(np.searchsorted(gone, over)) + 1]
            taken[leaving[moved]] = next_best[moved]
        return taken

    def _leaves_offers(self, open_: Bools, link: int) -> bool:
        """Whether every loan keeps an open offer when a group is shut."""
        rest = open_.copy()
        rest[self.model.links[link].offers] = False
        return bool(np.bincount(self.model.loan[rest], minlength=self.model.loans).all())

    def whole(self) -> tuple[Incumbent, float]:
        """The best answer found and the least that any answer loses."""
        taken, kept = self.search.repaired(rounded(self.relaxation))
        start = Incumbent(taken, self.dollars(taken) if kept and self.exact(taken) else np.inf)
        improver = Improver(self.search, Restricted(self.relaxation, True), self.exact, self.dollars, start, self.clock)
        if self.loan_by_loan is not None:
            improver.offer(self.loan_by_loan)
        if not self._near(improver):
            self._heavy(improver)
        near = self._near(improver)
        nodes, most = (_FEW_NODES, _PROVABLE_NEAR if self.prove else 0) if near else (_NODES, _PROVABLE)
        if improver.best.loss > self.bound + _LAST_CENT and self._columns(improver) <= most:
            self._proof(improver, nodes)
        if improver.best.loss == np.inf:
            raise Refused(
                "no assignment that keeps every limit was found in the time; give more seconds or looser limits"
            )
        if not self._near(improver):
            improver.run(self.until, self.bound + self._enough())
        return improver.best, min(self.bound, improver.best.loss)

    def _enough(self) -> float:
        """Dollars from the bound that are near enough."""
        return self.gap * abs(self.best - self.bound)

    def _near(self, improver: Improver) -> bool:
        return improver.best.loss - self.bound <= self._enough() or self.clock() >= self.until

    def _cheap(self, improver: Improver) -> Bools:
        """Offers that a better answer could take."""
        cheap: Bools = self.relaxation.open & (
            self.relaxation.reduced <= improver.best.loss - self.relaxation.loss + _SLACK_CENTS
        )
        return cheap

    def _columns(self, improver: Improver) -> int:
        return int(self._cheap(improver).sum())

    def _heavy(self, improver: Improver) -> None:
        """Heavy loans whole, the others in parts: first over the offers that cost least, for a better start of the
        repair, then over all that may count, for a better bound."""
        heavy = heavy_columns(self.model)
        if not heavy.any() and not self.model.links:
            return
        few = self._cheapest(heavy)
        for columns, share in ((few, _HEAVY_SHARE), (self._cheap(improver), _BOUND_SHARE)):
            answer = self._solved(improver, heavy, share, columns)
            if answer is not None:
                taken, kept = self.search.repaired(rounded(replace(self.relaxation, x=answer)))
                if kept:
                    improver.offer(taken)

    def _cheapest(self, heavy: Bools) -> Bools:
        """The offers that cost least against the relaxation, a few for each loan on average; of heavy ones more."""
        reduced, open_ = self.relaxation.reduced, self.relaxation.open
        light = np.sort(reduced[open_ & ~heavy])
        limit = float(light[min(_FEW * self.model.loans, len(light) - 1)]) if len(light) else 0.0
        few: Bools = open_ & (reduced <= np.where(heavy, _HEAVY_REACH * max(limit, 1.0), limit))
        return few

    def _proof(self, improver: Improver, nodes: int) -> None:
        """The whole rest solved to the end. Where an answer lies above a hill of comparability, it is cut there.
        An answer that is near enough is proven the best only where that takes few nodes."""
        share = _PROOF_SHARE if self.model.loans > _PROVABLE // 4 else 1.0
        for _ in range(_CUTS):
            answer = self._solved(improver, None, share, self._cheap(improver), nodes)
            if answer is None:
                return
            improver.offer(np.flatnonzero(answer[: self.model.assignments] > _HALF))
            bent = broken_tangents(self.model, answer, _BENT)
            if not bent or self._near(improver):
                return
            self.relaxation = replace(self.relaxation, body=self.relaxation.body.plus(lines(bent)))

    def _solved(
        self, improver: Improver, whole: Bools | None, share: float, columns: Bools, nodes: int = _NODES
    ) -> Floats | None:
        """The model over some columns; its bound holds as far as a column left out can't go below it."""
        m = self.model.assignments
        start = np.zeros(self.model.columns)
        known = improver.best.loss < np.inf
        if known:
            start[improver.best.taken] = 1.0
            start[m:] = improver.rest(start)
            columns = columns.copy()
            columns[improver.best.taken] = True
            start = np.where(np.append(columns, np.ones(len(start) - m, dtype=np.bool_)), start, 0.0)
        left = max(self.until - self.clock(), 0.5)
        answer = Restricted(self.relaxation, False).solve(
            columns, start, feasible=known, seconds=share * left, nodes=nodes, whole=whole
        )
        outside = self.relaxation.reduced[self.relaxation.open & ~columns]
        reach = self.relaxation.loss + float(outside.min()) if len(outside) else np.inf
        if np.isfinite(answer.bound) or answer.proven:
            self.bound = max(self.bound, min(answer.bound, reach, improver.best.loss))
        return answer.x


class _Ranked:
    """Each loan's columns, those of most value first, the first among equals."""

    def __init__(self, model: Model) -> None:
        columns = np.arange(model.assignments)
        self.order = np.lexsort((columns, -model.value, model.loan))
        self.loan = model.loan[self.order]

    def best(self, open_: Bools) -> Ints:
        """Each loan's open column of most value; every loan needs one."""
        live = np.flatnonzero(open_[self.order])
        first: Ints = live[np.flatnonzero(np.diff(self.loan[live], prepend=-1))]
        return self.order[first]


def heavy_columns(model: Model) -> Bools:
    """Assignment columns that weigh much against all that could outweigh them in a limit that compares with nought."""
    heavy = np.zeros(model.assignments, dtype=np.bool_)
    for row in model.rows:
        flat = row.lower in (0.0, -np.inf) and row.upper in (0.0, np.inf)
        if row.limit < 0 or row.side == "min_if_used" or not flat or (row.cols >= model.assignments).any():
            continue
        coefs = row.coefs if row.upper == 0.0 else -row.coefs
        heavy[row.cols[coefs > -_HEAVY * np.minimum(coefs, 0.0).sum()]] = True
    return heavy


_SHADOW = {
    "limit": pl.String(), "group": pl.String(), "side": pl.String(), "measure": pl.String(),
    "dollars_per_unit": pl.Float64(),
}  # fmt: skip


def _told(
    problem: Problem, relaxation: Relaxation, found: Incumbent, bound: float, greedy: int | None, seconds: float,
) -> Solution:  # fmt: skip
    model = relaxation.model
    assignment = np.where(found.taken < model.offers, found.taken, -1)
    total, best = proceeds(problem, assignment), int(model.best.sum())
    taken = assignment[assignment >= 0]
    # Proceeds are whole cents: what lies above the last whole one can't be reached.
    most = max(int(np.floor(best - bound * _CENTS + _NOISE_CENTS)), total)
    return Solution(
        assignment=assignment, proceeds_cents=total, bound_cents=most, best_cents=best, greedy_cents=greedy,
        pools_used=int(problem.offers["pool"].gather(taken).n_unique()),
        shadow=_shadow(relaxation, problem, found.taken),
        reduced=pl.Series("reduced", relaxation.reduced[: model.offers]), seconds=seconds,
    )  # fmt: skip


def _shadow(relaxation: Relaxation, problem: Problem, taken: Ints) -> pl.DataFrame:
    """What one more unit of each binding limit is worth: a dollar or a loan of a total, a point of an average, a whole
    (1 = 100%) of a share."""
    chosen = np.zeros(relaxation.model.columns, dtype=np.bool_)
    chosen[taken] = True
    rows = []
    for row, price in zip(relaxation.model.rows, relaxation.prices, strict=True):
        if row.limit < 0 or abs(price) <= _NOTHING:
            continue
        limit = problem.limits[row.limit]
        if row.weight is not None:
            held = float(row.weight[chosen[row.cols]].sum())
            measure, worth = ("point" if isinstance(limit, Average) else "share"), abs(price) * row.unit * held
        else:
            by_count = isinstance(limit, Total) and limit.measure == "count"
            measure, worth = ("loan", abs(price)) if by_count else ("dollar", abs(price) * row.unit * _CENTS)
        rows.append((limit.name, row.label, row.side, measure, worth))
    frame = pl.DataFrame(rows, schema=_SHADOW, orient="row")
    return frame.sort("dollars_per_unit", descending=True, maintain_order=True)
