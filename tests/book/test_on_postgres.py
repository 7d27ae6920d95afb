"""The same book in PostgreSQL, on a real server that these tests start: same head, same answers."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import psycopg
import pytest
from polars.testing import assert_frame_equal

from book_samples import JANUARY, close_month, loan_months, rows_of
from poolhouse.book import Book
from poolhouse.findings import Refused

pytestmark = pytest.mark.postgres
DAY = date(2009, 1, 31)


def server_program(name: str) -> str:
    """The newest server's program. RuntimeError says what to install."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}")) or [Path(p) for p in [shutil.which(name)] if p]
    if not found:
        raise RuntimeError(f"no PostgreSQL server here ({name} was not found): apt-get install postgresql")
    return str(found[-1])


@pytest.fixture(scope="module")
def server() -> Iterator[Path]:
    """A server of our own, without a network: its socket's folder."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # not pytest's folder: that is closed to the server's user
    user = {}
    if os.getuid() == 0:  # the server refuses to be root
        shutil.chown(folder, "nobody")
        user = {"user": "nobody", "group": "nogroup", "extra_groups": []}
    data = folder / "data"
    setup = [server_program("initdb"), "-D", str(data), "-U", "poolhouse", "-A", "trust", "-E", "UTF8", "--no-sync"]
    subprocess.run(setup, check=True, capture_output=True, cwd=folder, **user)
    run = [server_program("postgres"), "-D", str(data), "-k", str(folder), "-c", "listen_addresses=", "-F"]
    with subprocess.Popen(run, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **user) as process:
        for _ in range(200):
            try:
                psycopg.connect(host=str(folder), user="poolhouse", dbname="postgres").close()
                break
            except psycopg.OperationalError:
                assert process.poll() is None, "the server ended at once"
                time.sleep(0.05)
        yield folder
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)
    shutil.rmtree(folder)


@pytest.fixture
def url(server: Path, tmp_path: Path) -> str:
    """A database of its own for each test."""
    name = f"book_{time.monotonic_ns()}"
    with psycopg.connect(host=str(server), user="poolhouse", dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"postgresql://poolhouse@/{name}?host={server}&segments={tmp_path / 'files'}"


def test_the_head_is_that_of_a_folder(url: str, tmp_path: Path) -> None:
    assert not Book.exists(url)
    with pytest.raises(Refused, match="there is no book"):
        Book.open(url)
    team, folder = Book.create(url, {"seed": 7}), Book.create(tmp_path / "folder", {"seed": 7})
    for book in (team, folder):
        close_month(book, JANUARY)
        close_month(book, JANUARY + 1)
    assert team.head == folder.head and team.meta == {"seed": 7} and team.market_date == date(2009, 2, 28)
    assert team.check() == folder.check() and team.check().ok
    assert_frame_equal(team.balances(), folder.balances())
    assert_frame_equal(team.lines(), folder.lines())
    assert_frame_equal(team.records("parties"), folder.records("parties"))
    assert_frame_equal(team.segment("loan_months"), folder.segment("loan_months"))
    assert close_month(team, JANUARY)["month"] == JANUARY and team.head == folder.head
    with pytest.raises(Refused, match="with other inputs"):
        close_month(team, JANUARY, seed=8)
    with pytest.raises(Refused, match="there is a book already"):
        Book.create(url, {})


def test_every_record_table_and_the_inbox(url: str) -> None:
    from poolhouse.book.segments import arrange
    from poolhouse.tables import RECORDS

    book = Book.create(url, {})
    assert book.inbox_add("payment", "r1", {"cents": 5}) and not book.inbox_add("payment", "r1", {"cents": 5})
    with pytest.raises(Refused, match="other contents"):
        book.inbox_add("payment", "r1", {"cents": 6})
    with book.command("x", "x", {}) as txn:
        for name in RECORDS:
            txn.record(name, rows_of(name, 20))
        assert [fact["cents"] for fact in txn.inbox_take("payment")] == [5]
        txn.event("A", DAY, {"text": "\x00 é"})
        txn.finish({}, DAY)
    for name, table in RECORDS.items():
        assert_frame_equal(book.records(name).drop("event_seq"), arrange(table, rows_of(name, 20)))
    assert book.check().ok and book.inbox("payment") == []
    with pytest.raises(ValueError, match="in the book already"), book.command("y", "y", {}) as txn:
        txn.record("parties", rows_of("parties", 20))
        txn.event("B", DAY, {})
        txn.finish({}, DAY)
    assert book.seq == 1 and book.check().ok


def test_one_writer_and_a_killed_one_blocks_nobody(url: str) -> None:
    book, other = Book.create(url, {}), Book.open(url, writable=True)
    with book.command("close-month", "b", {}) as txn:
        txn.segment("loan_months", loan_months(JANUARY, range(9)), month=JANUARY)
        with pytest.raises(Refused, match=r"busy: close-month by .* since"), other.command("sell", "c", {}):
            pass
        assert other.segment("loan_months").is_empty()
        txn.event("A", DAY, {})
        txn.finish({}, DAY)
    script = (
        "import os; from poolhouse.book import Book, writer\n"
        "writer.Txn._insert_command = lambda *_: os.kill(os.getpid(), 9)\n"
        f"with Book.open({url!r}, writable=True).command('x', 'x', {{}}) as txn:\n"
        "    import datetime; day = datetime.date(2009, 1, 31)\n"
        "    txn.event('B', day, {}); txn.finish({}, day)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False, timeout=60).returncode == -signal.SIGKILL
    assert other.seq == 1
    for _ in range(100):  # the server needs a moment to see that the connection is gone
        try:
            close_month(other, JANUARY + 1)
            break
        except Refused:
            time.sleep(0.05)
    assert other.seq == 3 and other.check().ok


def test_a_backup_is_a_folder_that_needs_no_server(url: str, tmp_path: Path) -> None:
    book = Book.create(url, {"seed": 1})
    close_month(book, JANUARY)
    copy = Book.open(book.backup(tmp_path / "copy"))
    assert copy.check() == book.check() and copy.check().ok and copy.meta == {"seed": 1}


def test_an_altered_cent_is_named(url: str, server: Path) -> None:
    book = Book.create(url, {})
    close_month(book, JANUARY)
    database = url.split("/")[3].split("?")[0]
    with psycopg.connect(host=str(server), user="poolhouse", dbname=database) as connection:
        connection.execute("UPDATE lines SET cents = cents + 1 WHERE event_seq = 1 AND line = 1")
    assert [(p.kind, p.where) for p in book.check().problems] == [("lines", "event 1")]


def test_a_server_that_is_not_there_is_a_plain_message() -> None:
    with pytest.raises(Refused, match="can't be opened as a book"):
        Book.open("postgresql://poolhouse@/nothing?host=/nowhere")
