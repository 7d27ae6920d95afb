"""`poolhouse run` killed at any moment and run again, until it is done, ends with the head of an uninterrupted run."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import kit_market as kit
import money_checks
from poolhouse.book import Book
from poolhouse.market.market import Market

MONTHS = 5
MOST_EVENTS, MOST_SECONDS = 20, 0.15
"""A run is killed after so many new events at most, at any moment of so long a time after."""
PATIENCE = 60.0


def start(tape: Path, book: Path) -> subprocess.Popen[bytes]:
    command = [
        sys.executable, "-m", "poolhouse.cli", "run", str(tape), "--book", str(book), "--months", str(MONTHS),
        "--start", "2009-01", "--json",
    ]  # fmt: skip
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.mark.parametrize("kills", [4, pytest.param(25, marks=pytest.mark.slow)])
def test_killed_and_run_again_until_done(tmp_path: Path, kills: int) -> None:
    tape = kit.canonical_file(tmp_path / "tape.csv", kit.sample(170).tape)
    whole = kit.build(tmp_path / "whole", tape, MONTHS, start="2009-01")
    book, chance = tmp_path / "killed", random.Random(kills)
    stands = [0]
    for _ in range(kills):
        process = start(tape, book)
        target = stands[-1] + chance.randrange(MOST_EVENTS + 1)
        _wait_for(process, book, target)
        time.sleep(chance.uniform(0, MOST_SECONDS))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        stands.append(_stand(book))
        if process.returncode != -signal.SIGKILL:
            break  # it was done before the blow fell
    assert stands == sorted(stands) and len(set(stands)) > 2
    last = start(tape, book)
    _, said = last.communicate(timeout=PATIENCE)
    assert last.returncode == 0, said.decode()
    survivor = Market(book)
    assert survivor.book.head == whole.book.head
    assert kit.content(survivor, "loan_months") == kit.content(whole, "loan_months")
    money_checks.check_all(survivor)
    assert _stand(book) == survivor.book.seq


def _wait_for(process: subprocess.Popen[bytes], book: Path, events: int) -> None:
    """Until the book has so many events, or the run is over."""
    until = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < until:
        if Book.exists(book) and _events(book) >= events:
            return
        time.sleep(0.01)


def _events(book: Path) -> int:
    opened = Book.open(book)
    try:
        return opened.seq
    finally:
        opened.close()


def _stand(book: Path) -> int:
    """Between two kills the book is whole: every hash holds. Gives the number of its events."""
    opened = Book.open(book)
    try:
        report = opened.check()
        assert report.ok, report.problems
        return opened.seq
    finally:
        opened.close()
