"""The same inputs give the same book: run or step by step, in one go or two, from any file format, on any threads."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

import kit_market as kit
import money_checks
from poolhouse import loans
from poolhouse.market import close, close_month, desk
from poolhouse.market.market import Market

MONTHS = 4
START = "2009-01"


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """340 loans of the shipped tape in canonical columns."""
    return kit.canonical_file(tmp_path_factory.mktemp("tape") / "tape.csv", kit.sample(150).tape)


@pytest.fixture(scope="module")
def whole(tape: Path, tmp_path_factory: pytest.TempPathFactory) -> Market:
    """The book that `run` builds."""
    return kit.build(tmp_path_factory.mktemp("whole") / "book", tape, MONTHS, start=START)


def test_the_book_has_something_of_everything(whole: Market) -> None:
    """Else the comparisons below would say little."""
    book = whole.book
    assert book.segment("sales")["program"].n_unique() >= 3
    assert book.records("pools").height >= 3 and book.segment("holder_months").height >= 5
    assert {"curtailment", "instalment"} <= set(book.segment("payments")["kind"])
    money_checks.check_all(whole)
    money_checks.check_promises(whole)
    assert book.check().ok


def heads(market: Market) -> list[str]:
    """The head after each event: a shorter run of the same inputs ends with one of them."""
    return market.book.events()["hash"].to_list()


@pytest.mark.parametrize("close_each_month", [True, False])
def test_step_by_step_is_run(whole: Market, tape: Path, tmp_path: Path, close_each_month: bool) -> None:
    months = 2 if close_each_month else MONTHS
    market = Market(tmp_path / "book", create=True, start=START)
    market.close(tape)
    for month in range(months):
        if month and close_each_month:
            market.close(tape)
        kit.month_by_steps(market)
    assert market.book.head in heads(whole)
    assert (market.book.head == whole.book.head) == (months == MONTHS)


def test_run_again_changes_nothing(whole: Market, tape: Path) -> None:
    before = whole.book.head, whole.book.seq, whole.book.command_keys()
    kit.build(whole.book.folder, tape, MONTHS)
    assert (whole.book.head, whole.book.seq, whole.book.command_keys()) == before


def test_two_months_and_then_four_are_four(whole: Market, tape: Path, tmp_path: Path) -> None:
    half = kit.build(tmp_path / "book", tape, 2, start=START).book.head
    assert half in heads(whole) and half != whole.book.head
    assert kit.build(tmp_path / "book", tape, MONTHS).book.head == whole.book.head


def test_another_seed_is_another_book(whole: Market, tape: Path, tmp_path: Path) -> None:
    """The same loans close; what borrowers do is another matter."""
    other = kit.build(tmp_path / "book", tape, 2, start=START, seed=2)
    closed = [whole.book.segment("loans", m) for m in other.book.months("loans")]
    assert other.book.segment("loans").rows() == pl.concat(closed).rows()
    paid = [whole.book.segment("payments", m) for m in other.book.months("payments")]
    assert other.book.segment("payments").rows() != pl.concat(paid).rows()
    assert other.book.head not in heads(whole)


@pytest.mark.parametrize("ending", [".parquet", ".csv.gz"])
def test_the_same_rows_in_another_format(whole: Market, tmp_path: Path, ending: str) -> None:
    path = kit.canonical_file(tmp_path / f"tape{ending}", kit.sample(150).tape)
    assert kit.build(tmp_path / "book", path, 2, start=START).book.head in heads(whole)


def test_the_public_csv_gives_the_book_of_the_shipped_parquet(tmp_path: Path) -> None:
    """The tape's own columns, as published: gzipped CSV against Parquet."""
    raw = pl.read_parquet(loans.demo_tape()).gather_every(300)
    (tmp_path / "ama.csv.gz").write_bytes(gzip.compress(raw.write_csv().encode()))
    raw.write_parquet(tmp_path / "ama.parquet")
    books = [kit.build(tmp_path / f"book{e}", tmp_path / f"ama{e}", 2).book.head for e in (".csv.gz", ".parquet")]
    assert books[0] == books[1]


def small_parts(patch: pytest.MonkeyPatch, rows: int, threads: int) -> None:
    for module in (close, close_month, desk):
        patch.setattr(module, "PART_ROWS", rows)
    patch.setattr(close_month, "THREADS", threads)


@pytest.fixture
def in_parts(tape: Path, tmp_path: Path) -> Callable[[int], Market]:
    def build(threads: int) -> Market:
        with pytest.MonkeyPatch.context() as patch:
            small_parts(patch, 24, threads)
            return kit.build(tmp_path / f"{threads}-threads", tape, 2, start=START)

    return build


def test_one_thread_or_many(whole: Market, in_parts: Callable[[int], Market]) -> None:
    """In parts of 24 loans: the same head on one thread and four, and the same rows as in one part."""
    one, four = in_parts(1), in_parts(4)
    assert len(one.book.parts("loan_months", kit.JANUARY + 1)) >= 3
    assert one.book.head == four.book.head
    for table in ("loan_months", "payments", "pool_months", "pool_factors", "holder_months", "assignments"):
        expected = [row for m in one.book.months(table) for row in whole.book.segment(table, m).rows()]
        assert one.book.segment(table).rows() == expected, table


def test_the_models_payments_as_a_file(whole: Market, tape: Path, tmp_path: Path) -> None:
    """The month can't tell where payments come from."""
    file = kit.model_payments(whole, tmp_path / "payments.csv")
    book = kit.build(tmp_path / "book", tape, MONTHS, file, start=START)
    assert not book.book.segment("rejects").height
    for table in ("loan_months", "payments", "holder_months", "pool_months", "assignments", "notices"):
        assert kit.content(book, table) == kit.content(whole, table), table
    assert book.book.balances().rows() == whole.book.balances().rows()
