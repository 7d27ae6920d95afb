"""`verify`: the twelve promises over a whole book, each with its number of facts and the first that fails.

Loan rows are read once, part by part, two parts at a time; every promise that looks at loans looks
then. What can't be read fails the promises that need it, and never ends the run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from poolhouse.book import Book
from poolhouse.dates import month_name
from poolhouse.promises.balanced import balanced
from poolhouse.promises.classed import classed
from poolhouse.promises.committed import committed
from poolhouse.promises.conserved import Conserved, conserved_loans
from poolhouse.promises.eligible import Reevaluate, eligible
from poolhouse.promises.evidence import THREADS, UNREADABLE, Evidence, look
from poolhouse.promises.factored import Factored, issued
from poolhouse.promises.held import held
from poolhouse.promises.owned import agrees, chains, standings
from poolhouse.promises.returned import returned
from poolhouse.promises.split import split
from poolhouse.promises.sums import Sums, add_up, sums
from poolhouse.promises.tally import Tally
from poolhouse.promises.terms import billed, closing_terms, unchanged
from poolhouse.promises.tied import Tied
from poolhouse.promises.told import told
from poolhouse.rules import Rulebook

NAMES = (
    "Balanced", "Conserved", "Tied", "Factored", "Held", "One owner", "Terms unchanged", "Eligible", "Told", "Split",
    "Immutable", "Repeatable",
)  # fmt: skip
"""The promises by number, from 1."""

Replay = Callable[[str, int, int], str | None]
Progress = Callable[[str, int, int], None]

REPEATED = ("loan_months", "deal_months", "class_months")
"""Tables whose months follow from the month before: promise 12 makes each of their segments again."""

_OF_LOANS = (2, 3, 4, 6, 7, 10)


def verify(
    book: Book,
    rulebook: Rulebook,
    replay: Replay,
    reevaluate: Reevaluate | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """{ok, head, promises: [{id, name, ok, checked, first_failure}]}, at any point of a book's life.

    replay(table, month, part): the content hash that part's rows have when recomputed from the month before, the
    payments and the recorded sales, pools and transfers; None when it can't be. table: one of REPEATED.
    progress(stage, done, total).
    """
    run = _Run(Evidence(book, rulebook), progress or (lambda _stage, _done, _total: None))
    with ThreadPoolExecutor(1) as aside:  # hashing and replaying need nothing of the rest: they go on beside it
        hashed = aside.submit(run.whole, 11, _immutable)
        replayed = aside.submit(run.whole, 12, lambda e: _repeatable(e, replay))
        run.loans()
        for promise, work in (
            (1, balanced), (2, returned), (2, committed), (4, issued), (4, classed), (5, held), (6, chains),
            (8, lambda e: eligible(e, reevaluate)), (9, told),
        ):  # fmt: skip
            run.step(f"verify {NAMES[promise - 1]}")
            run.whole(promise, work)
        for promise, future in ((11, hashed), (12, replayed)):
            run.step(f"verify {NAMES[promise - 1]}")
            future.result()
    run.step("done")
    answers = [
        {"id": i, "name": name, "ok": t.ok, "checked": t.checked, "first_failure": t.first_failure}
        for i, (name, t) in enumerate(zip(NAMES, run.tallies.values(), strict=True), 1)
    ]
    return {"ok": all(a["ok"] for a in answers), "head": run.head(), "promises": answers}


@dataclass
class _Run:
    """One verification under way."""

    evidence: Evidence
    progress: Progress
    tallies: dict[int, Tally] = field(default_factory=lambda: {i: Tally() for i in range(1, len(NAMES) + 1)})
    done: int = 0

    def step(self, stage: str) -> None:
        self.progress(stage, self.done, self._total())
        self.done += 1

    def _total(self) -> int:
        try:
            return len(self.evidence.closed) + 11
        except UNREADABLE:
            return max(self.done, 11)

    def head(self) -> str:
        try:
            return self.evidence.book.head
        except UNREADABLE:
            return ""

    def whole(self, promise: int, work: Callable[[Evidence], Tally]) -> None:
        """Check a promise, or part of it, over the whole book."""
        try:
            self.tallies[promise].add(work(self.evidence))
        except UNREADABLE as error:
            self.tallies[promise].fail(_unread(error))

    def loans(self) -> None:
        """The promises that look at loans, month by month."""
        try:
            passes = _LoanPass(self.evidence)
        except UNREADABLE as error:
            for promise in _OF_LOANS:
                self.tallies[promise].fail(_unread(error))
            return
        self.tallies[7].add(passes.closing)
        for month, parts in passes.months():
            self.step(f"verify {month_name(month)}")
            for part in parts:
                for promise, tally in part.tallies.items():
                    self.tallies[promise].add(tally)
            whole = [p.sums for p in parts if p.sums is not None]
            for promise, work in ((2, passes.conserved.month), (3, passes.tied.month), (4, passes.factored.month)):
                if len(whole) == len(parts):
                    try:
                        work(month, add_up(whole))
                    except UNREADABLE as error:
                        self.tallies[promise].fail(f"{month_name(month)}: {_unread(error)}")
        for promise, tally in ((2, passes.conserved.tally), (3, passes.tied.tally), (4, passes.factored.tally)):
            self.tallies[promise].add(tally)


@dataclass(frozen=True)
class _Part:
    """What one part of a month gave."""

    month: int
    tallies: dict[int, Tally]
    sums: Sums | None


class _LoanPass:
    """What the loan promises share: read once, before the threads begin."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.wanted = billed(evidence)
        self.closing = closing_terms(evidence, self.wanted)
        self.standings = standings(evidence)
        self.conserved, self.tied, self.factored = Conserved(evidence), Tied(evidence), Factored(evidence)
        segments = evidence.book.segment_rows("loan_months")
        self.parts = sorted({(r.month, r.part) for r in segments} | {(m, 0) for m in evidence.closed})

    def months(self) -> Iterator[tuple[int, list[_Part]]]:
        """Months in order with their parts, two at a time."""
        with ThreadPoolExecutor(THREADS) as pool:
            for month, parts in groupby(pool.map(self._part, self.parts), key=lambda p: p.month):
                yield month, list(parts)

    def _part(self, at: tuple[int, int]) -> _Part:
        month, part = at
        tallies = {promise: Tally() for promise in _OF_LOANS}
        try:
            view = look(self.evidence.book, month, part)
            found = sums(view)
        except UNREADABLE as error:
            for tally in tallies.values():
                tally.fail(f"{month_name(month)}: {_unread(error)}")
            return _Part(month, tallies, None)
        checks: dict[int, Callable[[], Tally]] = {
            2: lambda: conserved_loans(view, self.evidence),
            6: lambda: agrees(view, self.standings, self.evidence),
            7: lambda: unchanged(view, self.wanted, self.evidence),
            10: lambda: split(view, self.evidence),
        }
        for promise, work in checks.items():
            try:
                tallies[promise].add(work())
            except UNREADABLE as error:
                tallies[promise].fail(f"{month_name(month)}: {_unread(error)}")
        return _Part(month, tallies, found)


def _unread(error: BaseException) -> str:
    text = str(error).strip().splitlines() or [type(error).__name__]
    return f"can't be checked: {text[0]}"


def _immutable(evidence: Evidence) -> Tally:
    """11: every event, line, record, segment and command hashes to what was committed."""
    report = evidence.book.check()
    tally = Tally(checked=sum(report.counts.values()))
    if not report.ok:
        first = report.problems[0]
        tally.fail(f"{first.kind}, {first.where}: {first.message}")
    return tally


def _repeatable(evidence: Evidence, replay: Replay) -> Tally:
    """12: every month recomputed from the one before has the rows that are stored."""
    tally = Tally()
    segments = [(table, r) for table in REPEATED for r in evidence.book.segment_rows(table)]

    def again(at: tuple[str, int, int]) -> str:
        try:
            return replay(*at) or "nothing to replay it from"
        except UNREADABLE as error:
            return _unread(error)

    with ThreadPoolExecutor(THREADS) as pool:
        hashes = list(pool.map(again, [(table, r.month, r.part) for table, r in segments]))
    for (table, row), found in zip(segments, hashes, strict=True):
        say = evidence.say(
            "{row.month:month}, {table}, part {row.part}: expected the stored hash {row.content_hash}, recomputed rows "
            "give {found}",
            row=row, table=table, found=found,
        )  # fmt: skip
        tally.fact(found == row.content_hash, say)
    months = {r.month for table, r in segments if table == "loan_months"}
    for month in evidence.closed:
        say = evidence.say("{m:month}: expected its loans' rows, found none", m=month)
        tally.fact(month in months or not _serviced(evidence, month), say)
    return tally


def _serviced(evidence: Evidence, month: int) -> bool:
    """Whether a closed month should have had loans."""
    return bool(evidence.book.segment_rows("loan_months", [month - 1]) or evidence.book.segment_rows("loans", [month]))
