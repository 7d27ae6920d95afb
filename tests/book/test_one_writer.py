"""One writer, readers never wait; a full disk changes nothing; old orphans go, young ones stay."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from book_samples import JANUARY, close_month, ledger_lines, loan_months, parties
from poolhouse.book import Book, writer
from poolhouse.findings import Refused

DAY = date(2009, 1, 31)


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book.create(tmp_path / "book", {})


def test_a_second_writer_hears_who_is_busy_and_a_reader_reads(book: Book) -> None:
    close_month(book, JANUARY)
    other = Book.open(book.folder, writable=True)
    with book.command("close-month", "b", {}) as txn:
        txn.segment("loan_months", loan_months(JANUARY + 1, range(9)), month=JANUARY + 1)
        with (
            pytest.raises(Refused, match=r"busy: close-month by .* since 20\d\d-.*T.*; wait"),
            other.command("sell", "c", {}),
        ):
            pass
        assert other.segment("loan_months").height == 100
        assert close_month(other, JANUARY)["month"] == JANUARY  # an answer that is there needs no lock
        txn.event("A", DAY, {})
        txn.finish({}, DAY)
    with other.command("sell", "c", {}) as txn:
        txn.event("B", DAY, {})
        txn.finish({}, DAY)
    assert other.seq == 4 and book.check().ok


def test_another_process_is_busy_too_and_its_death_frees_the_book(book: Book) -> None:
    script = (
        "import sys, time; from poolhouse.book import Book\n"
        f"with Book.open({str(book.folder)!r}, writable=True).command('close-month', 'k', {{}}):\n"
        "    print('in', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"in\n"
        with pytest.raises(Refused, match=f"busy: close-month by .*process {process.pid}"):
            close_month(book, JANUARY)
        process.kill()
        process.wait()
    close_month(book, JANUARY)
    assert book.check().ok


def test_writers_at_once_never_fork_the_chain(book: Book) -> None:
    def write(name: str) -> None:
        mine = Book.open(book.folder, writable=True)
        for i in range(5):
            while True:
                try:
                    with mine.command("add", f"{name}:{i}", {}) as txn:
                        txn.event("A", DAY, {"by": name}, ledger_lines((1, "cash", DAY, 1), (2, "cash", DAY, -1)))
                        txn.finish({}, DAY)
                    break
                except Refused:
                    time.sleep(0.001)

    threads = [threading.Thread(target=write, args=(f"w{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert book.seq == 20 and book.check().ok
    assert book.balances()["cents"].to_list() == [20, -20]


class _NoLock:
    def __init__(self, _: object) -> None:
        pass

    def acquire(self, name: str) -> None:
        pass

    def release(self) -> None:
        pass


def test_even_without_the_lock_a_second_commit_on_the_same_head_is_refused(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "FolderLock", _NoLock)  # as on a network drive that ignores locks
    other = Book.open(book.folder, writable=True)
    with book.command("one", "1", {}) as first, other.command("two", "2", {}) as second:
        first.event("A", DAY, {})
        second.event("B", DAY, {})
        second.finish({}, DAY)
        with pytest.raises(Refused, match="another writer committed meanwhile"):
            first.finish({}, DAY)
    assert book.seq == 1 and book.events()["kind"].to_list() == ["B"] and book.check().ok


@pytest.fixture
def small_files() -> Iterator[int]:
    """A process that may write no file above this size: what a full disk is, without one."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = 600_000
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    yield size
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_no_space_for_a_segment(book: Book, small_files: int) -> None:
    close_month(book, JANUARY)
    head = book.head
    with (
        pytest.raises(Refused, match="no space left for the book; nothing was changed"),
        book.command("x", "x", {}) as txn,
    ):
        txn.segment("loan_months", loan_months(JANUARY + 1, range(10)), month=JANUARY + 1)
        txn.segment("loan_months", loan_months(JANUARY + 1, range(10, 200_000)), month=JANUARY + 1, part=1)
    assert book.head == head and book.check().ok
    assert len(list(book.folder.glob("segments/*/*/*"))) == 2  # no orphan takes the space that lacks


def test_no_space_for_the_record(book: Book, small_files: int) -> None:
    with pytest.raises(Refused, match="no space left"), book.command("x", "x", {}) as txn:
        txn.event("A", DAY, {"text": "x" * (2 * small_files)})
        txn.finish({}, DAY)
    assert book.seq == 0
    close_month(book, JANUARY)
    assert book.check().ok


def test_orphans_go_when_they_are_older_than_a_day(book: Book) -> None:
    close_month(book, JANUARY)
    folder = book.folder / "segments" / "loan_months" / str(JANUARY)
    named = list(folder.iterdir())
    old, young, temp = (folder / name for name in ("old.parquet", "young.parquet", "x.parquet.1-2-3.tmp"))
    for path in (old, young, temp):
        path.write_bytes(b"left behind")
    two_days_ago = time.time() - 2 * 24 * 3600
    for path in (old, temp, *named):
        os.utime(path, (two_days_ago, two_days_ago))
    Book.open(book.folder).segment("loan_months")
    assert old.exists()  # readers collect nothing
    close_month(Book.open(book.folder, writable=True), JANUARY + 1)
    assert sorted(folder.iterdir()) == sorted([*named, young])
    assert book.check().ok


def test_a_reader_keeps_its_frame_while_months_are_added(book: Book) -> None:
    close_month(book, JANUARY)
    lazy = book.scan("loan_months")
    close_month(book, JANUARY + 1)
    assert lazy.collect().height == 100 and book.scan("loan_months").collect().height == 200


def test_the_replay_of_a_command_that_just_ended_needs_no_second_work(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It came for the lock while the same command was being committed."""
    other = Book.open(book.folder, writable=True)
    real = writer.FolderLock.acquire

    def acquire_late(lock: writer.FolderLock, name: str) -> None:
        monkeypatch.setattr(writer.FolderLock, "acquire", real)
        with other.command("x", "x", {}) as txn:
            txn.record("parties", parties(1))
            txn.event("A", DAY, {})
            txn.finish({"by": "other"}, DAY)
        real(lock, name)

    monkeypatch.setattr(writer.FolderLock, "acquire", acquire_late)
    with book.command("x", "x", {}) as txn:
        assert txn.replayed == {"by": "other"}
    assert book.seq == 1
