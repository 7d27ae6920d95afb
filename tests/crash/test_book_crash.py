"""Killed anywhere, a book is as before the command or as after it; run again, its head is the same."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from book_samples import JANUARY, close_month
from poolhouse.book import Book

SAMPLES = Path(__file__).parents[1]

CHILD = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {samples!r})
from book_samples import JANUARY, close_month
from poolhouse.book import Book, segments, writer

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

def after(owner, name, nth=1):
    real, calls = getattr(owner, name), []
    def killed(*args, **kwargs):
        result = real(*args, **kwargs)
        calls.append(1)
        if len(calls) == nth:
            die()
        return result
    setattr(owner, name, killed)

book = Book.open({book!r}, writable=True)
close_month(book, JANUARY)
stage = {stage!r}
if stage == "half a file written":
    real = os.fsync
    os.fsync = die
elif stage == "file not yet renamed":
    Path.replace = die
elif stage == "first segment written":
    after(writer.Txn, "segment")
elif stage == "all segments written":
    after(writer.Txn, "segment", nth=2)
elif stage == "events said":
    after(writer.Txn, "event", nth=2)
elif stage == "folders synced":
    after(writer.Txn, "_fsync_folders")
elif stage == "events inserted, not committed":
    after(writer.Txn, "_insert_events")
elif stage == "all inserted, not committed":
    after(writer.Txn, "_insert_command")
elif stage == "committed":
    after(writer.Txn, "finish")
close_month(book, JANUARY + 1)
"""

BEFORE = [
    "half a file written", "file not yet renamed", "first segment written", "all segments written", "events said",
    "folders synced", "events inserted, not committed", "all inserted, not committed",
]  # fmt: skip


def run_child(book: Path, stage: str) -> int:
    script = CHILD.format(samples=str(SAMPLES), book=str(book), stage=stage)
    return subprocess.run([sys.executable, "-c", script], check=False, timeout=60).returncode


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("whole") / "book"
    book = Book.create(folder, {})
    for month in (JANUARY, JANUARY + 1):
        close_month(book, month)
    return book.head


@pytest.mark.parametrize("stage", [*BEFORE, "committed"])
def test_killed_and_run_again_ends_with_the_same_head(tmp_path: Path, uninterrupted: str, stage: str) -> None:
    folder = tmp_path / "book"
    Book.create(folder, {})
    assert run_child(folder, stage) == -signal.SIGKILL
    killed = Book.open(folder)
    assert killed.seq == (4 if stage == "committed" else 2)
    assert killed.segment("loan_months").height == (200 if stage == "committed" else 100)
    assert killed.check().ok
    again = Book.open(folder, writable=True)
    for month in (JANUARY, JANUARY + 1):
        close_month(again, month)
    assert again.head == uninterrupted and again.check().ok


def test_killed_while_being_made_there_is_no_book(tmp_path: Path) -> None:
    script = (
        "import os; from poolhouse.book import book\n"
        "book.insert = lambda _: os.kill(os.getpid(), 9)\n"
        f"book.Book.create({str(tmp_path / 'book')!r}, {{}})"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False, timeout=60).returncode == -signal.SIGKILL
    assert not Book.exists(tmp_path / "book")
    assert Book.create(tmp_path / "book", {}).check().ok
