"""`Market`: one book and everything that can be done with it; what the command line and Python users call.

Each method is a command or a query of the same name and answers with a dict ready for JSON.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from poolhouse import loans
from poolhouse.book import Book
from poolhouse.dates import month_name, parse_month
from poolhouse.findings import Refused
from poolhouse.market import opening
from poolhouse.market.advice import advice
from poolhouse.market.check import check
from poolhouse.market.close import close_read
from poolhouse.market.close_month import close_month
from poolhouse.market.commitments import commit_to_deliver, commitments
from poolhouse.market.desk import Desk
from poolhouse.market.fit import fit_prepayment
from poolhouse.market.lenders import lender_card, lenders, rate_lender
from poolhouse.market.loan import loan
from poolhouse.market.lookthrough import lookthrough
from poolhouse.market.pool import issue, pool, trade
from poolhouse.market.price import price_loan
from poolhouse.market.rejects import write_rejects
from poolhouse.market.report import report
from poolhouse.market.repurchase import register, repurchase
from poolhouse.market.run import Progress, run
from poolhouse.market.sell import sell
from poolhouse.market.series import report_series
from poolhouse.market.standards import day_of
from poolhouse.market.structure_pool import structure_pool
from poolhouse.market.trace import trace
from poolhouse.market.transfer import notify, transfer
from poolhouse.market.value_borrowers import Asked, ByMonth, Given
from poolhouse.market.value_class import value_class
from poolhouse.market.value_loans import pool_of, value_security
from poolhouse.market.verify import verify

Answer = dict[str, Any]


def _quiet(_stage: str, _done: int, _total: int) -> None:
    """Progress nobody watches."""


class Market:
    """A place for a book, and the book when there is one. `create`: `close` and `run` may make it."""

    def __init__(
        self, place: str | Path, *, create: bool = False, seed: int | None = None, start: str | None = None,
        edition: str | None = None,
    ) -> None:  # fmt: skip
        self.place = place
        self._seed, self._edition = seed, edition
        self._start = _month(start)
        if not create and not Book.exists(place):
            raise Refused(f"{place}: there is no book; make one with `poolhouse demo`, `run` or `close TAPE`")
        self._book: Book | None = None

    # commands

    def run(
        self, tape: str | Path, months: int = 24, seed: int | None = None, start: str | None = None,
        mapping: str | Path | None = None, payments: str | Path | None = None, progress: Progress | None = None,
    ) -> Answer:  # fmt: skip
        """Close the tape and run the market for `months`, then report."""
        began = time.perf_counter()
        self._seed = seed if seed is not None else self._seed
        self._start = _month(start) if start is not None else self._start
        read = _read(tape, mapping)
        desk = self._desk_for(read)
        run(desk, read, months, payments, progress or _quiet)
        rejects = write_rejects(desk)
        answer = {**self.report(), "promises": self.verify(progress)["promises"], "rejects_file": rejects}
        last = desk.book.answer(f"close-month:{month_name(desk.month - 1)}")
        if payments is not None and last is not None:
            answer["waiting"] = last.get("waiting", {})
        return {**answer, "seconds": round(time.perf_counter() - began, 2)}

    def demo(self, months: int = 24, progress: Progress | None = None) -> Answer:
        """`run` on the shipped tape."""
        return self.run(loans.demo_tape(), months, progress=progress)

    def close(self, tape: str | Path, mapping: str | Path | None = None) -> Answer:
        """Close a tape's loans; makes the book when there is none."""
        read = _read(tape, mapping)
        desk = self._desk_for(read)
        return {**close_read(desk, read), "rejects_file": write_rejects(desk)}

    def check(self) -> Answer:
        return check(self._desk())

    def sell(self) -> Answer:
        return sell(self._desk())

    def pool(self, deal: str | Path | None = None) -> Answer:
        """Form the month's pools; `deal`: a TOML that private ones are issued as, instead of the assumed deal."""
        return pool(self._desk(), deal)

    def issue(self) -> Answer:
        return issue(self._desk())

    def trade(self, tickets: str | Path) -> Answer:
        """Settle a file of trade tickets."""
        desk = self._desk()
        return {**trade(desk, tickets), "rejects_file": write_rejects(desk)}

    def transfer(self, loans: str | Path, to: str, effective: str | date) -> Answer:
        """Agree to move the servicing of the loans in a file on a 1st."""
        desk = self._desk()
        return {**transfer(desk, loans, to, day_of(effective)), "rejects_file": write_rejects(desk)}

    def notify(self) -> Answer:
        return notify(self._desk())

    def close_month(self, payments: str | Path | None = None) -> Answer:
        """Run the open month to its end."""
        desk = self._desk()
        return {**close_month(desk, payments), "rejects_file": write_rejects(desk)}

    def rate_lender(self, lender: str, state: str, reason: str) -> Answer:
        """People decide about a lender: approved, watch, overlay, suspended, terminated or reinstated."""
        return rate_lender(self._desk(), lender, state, reason)

    def repurchase(self, demands: str | Path | None = None) -> Answer:
        """Demand that lenders take loans of a file back; without a file, every demand as it stands."""
        desk = self._desk()
        if demands is None:
            return register(desk)
        return {**repurchase(desk, demands), "rejects_file": write_rejects(desk)}

    def commit(self, file: str | Path | None = None) -> Answer:
        """Take lenders' commitments to deliver from a file; without a file, every commitment as it stands."""
        desk = self._desk()
        if file is None:
            return commitments(desk)
        return {**commit_to_deliver(desk, file), "rejects_file": write_rejects(desk)}

    # queries

    def report(self) -> Answer:
        """The market in figures."""
        began = time.perf_counter()
        answer = report(self._desk())
        return {**answer, "seconds": round(time.perf_counter() - began, 2)}

    def report_series(self) -> Answer:
        """What the report page draws, by month."""
        return report_series(self._desk())

    def verify(self, progress: Progress | None = None) -> Answer:
        """The twelve promises over the whole book: how many facts each has, and the first that fails."""
        return verify(self._desk(), progress)

    # queries

    def loan(self, loan_id: str) -> Answer:
        """A loan's whole life, by its number on the tape, or '#' and its id in the book."""
        return loan(self._desk(), loan_id)

    def price(self, loan_id: str, **options: Any) -> Answer:
        """A loan of the book at every outlet, line by line; options as `price.price_loan` has them."""
        return price_loan(loan=loan_id, book=self._desk(), **options)

    def value(self, security: str, **options: Any) -> Answer:
        """A security's cash flows from its loans, and its price or yield: of a pool by CUSIP or number, or of a class
        of a pool's deal by its CUSIP; options as `value.value_pool` has them."""
        desk = self._desk()
        pool = pool_of(desk, security)
        return value_class(desk, pool, **options) if pool["class_name"] else value_security(desk, pool, **options)

    def structure(
        self, deal: str | Path | None, pool: str, *, prepayment: Given = None, defaults: Given = None,
        mortgage_rate: ByMonth = None, house_prices: ByMonth = None, unemployment: ByMonth = None, **options: Any,
    ) -> Answer:  # fmt: skip
        """A deal's file on a pool of the book, or the deal that the pool was issued as: what its classes got and lost
        so far, and what is to come, at speeds or by models; options as of `structure.structure`, models as of
        `value_borrowers.Asked`."""
        borrowers = Asked(prepayment, defaults, mortgage_rate, house_prices, unemployment)
        return structure_pool(self._desk(), deal, pool, borrowers=borrowers, **options)

    def fit_prepayment(self, **options: Any) -> Answer:
        """The prepayment model under which the book's own history is likeliest; options as `fit.fit_prepayment`."""
        return fit_prepayment(self._desk(), **options)

    def trace(self, loan_id: str, month: str) -> Answer:
        """Where each cent of a month's payment of a loan went; `split` sums to `paid_cents`."""
        return trace(self._desk(), loan_id, month)

    def lookthrough(self, holder: str, loan: str | None = None) -> Answer:
        """From an investor to the loans behind its securities; with `loan`, how much of that one it owns."""
        return lookthrough(self._desk(), holder, loan)

    def lenders(self, lender: str | None = None) -> Answer:
        """Lenders, and how their loans do against their peers'; with `lender`, one lender's scorecard in full."""
        return lenders(self._desk()) if lender is None else lender_card(self._desk(), lender)

    def advice(self, lender: str | None = None, month: str | None = None) -> Answer:
        """Purchase advices: what is wired for the loans of a lender on a day, and what of it repays its line."""
        return advice(self._desk(), lender, month)

    # the book

    @property
    def book(self) -> Book:
        """The open book. Refused when there is none."""
        if self._book is None:
            self._book = Book.open(self.place, writable=True)
        return self._book

    def close_book(self) -> None:
        """Let go of the book's connections."""
        if self._book is not None:
            self._book.close()
            self._book = None

    def _desk(self) -> Desk:
        desk = Desk(self.book)
        self._refuse_other_terms(desk)
        return desk

    def _desk_for(self, read: loans.TapeRead) -> Desk:
        """The desk of the book, made now when there is none: it opens where the tape does."""
        if self._book is None and not Book.exists(self.place):
            start = self._start if self._start is not None else read.start_month
            seed = self._seed if self._seed is not None else opening.DEFAULT_SEED
            self._book = opening.create(self.place, start=start, seed=seed, edition=self._edition)
        opening.ensure_open(self.book)
        return self._desk()

    def _refuse_other_terms(self, desk: Desk) -> None:
        """A book keeps the seed, start and edition it was opened with."""
        asked: list[tuple[str, Any, Any, Callable[[Any], str]]] = [
            ("--seed", self._seed, desk.seed, str),
            ("--start", self._start, desk.start, month_name),
            ("--edition", self._edition, desk.meta["edition"], str),
        ]
        for option, given, kept, words in asked:
            if given is not None and given != kept:
                raise Refused(f"{option} {words(given)}: the book was opened with {words(kept)}; give another --book")


def _read(tape: str | Path, mapping: str | Path | None) -> loans.TapeRead:
    text = None
    if mapping is not None:
        if not Path(mapping).is_file():
            raise Refused(f"{mapping}: there is no such mapping file")
        text = Path(mapping).read_text(encoding="utf-8")
    return loans.read_tape(tape, text)


def _month(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return parse_month(text)
    except ValueError as error:
        raise Refused(f"--start {error}") from error


def open_market(
    book: str | Path, *, create: bool = False, seed: int | None = None, start: str | None = None,
    edition: str | None = None,
) -> Market:  # fmt: skip
    """The market of a book: `poolhouse.open(book)`."""
    return Market(book, create=create, seed=seed, start=start, edition=edition)
