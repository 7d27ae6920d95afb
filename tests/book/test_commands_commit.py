"""A command: all of it or nothing, the same again for the same key, refused for another body."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from book_samples import JANUARY, close_month, ledger_lines, loan_months, parties, rows_of
from poolhouse.book import Book
from poolhouse.findings import Refused

DAY = date(2009, 1, 31)


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book.create(tmp_path / "book", {"seed": 7, "edition": "2009"})


def test_a_new_book_is_empty_and_says_what_it_was_made_with(book: Book) -> None:
    assert (book.seq, book.head, book.meta) == (0, "", {"seed": 7, "edition": "2009"})
    assert book.check().ok
    assert book.segment("loan_months").height == 0 and book.records("parties").height == 0
    assert book.lines().height == book.balances().height == book.events().height == 0
    assert book.scan("loan_months").collect().schema == loan_months(JANUARY, range(1)).schema
    with pytest.raises(Refused, match="nothing has been committed"):
        _ = book.market_date


def test_creating_and_opening_are_refused_where_they_make_no_sense(book: Book, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="there is a book already"):
        Book.create(book.folder, {})
    with pytest.raises(Refused, match="there is no book"):
        Book.open(tmp_path / "nowhere")
    assert not Book.exists(tmp_path / "nowhere") and not (tmp_path / "nowhere").exists()
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letter.txt").write_text("dear")
    with pytest.raises(Refused, match=r"other files \(letter.txt\)"):
        Book.create(tmp_path / "home", {})
    (tmp_path / "junk").mkdir()
    (tmp_path / "junk" / "record.sqlite").write_bytes(b"this is no database at all" * 100)
    with pytest.raises(Refused, match="can't be opened as a book"):
        Book.open(tmp_path / "junk")
    with pytest.raises(Refused, match=r"can't be written to; .* \(Not a directory\)"):
        Book.create(tmp_path / "home" / "letter.txt" / "book", {})
    with pytest.raises(Refused, match="a book is a folder or a postgresql"):
        Book.open("mysql://host/db")


def test_another_record_version_is_refused(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("poolhouse.book.record.RECORD_VERSION", 2)
    with pytest.raises(Refused, match="record version 1"):
        Book.open(book.folder)


def test_a_command_is_read_back_as_it_was_given(book: Book) -> None:
    close_month(book, JANUARY)
    assert (book.seq, book.market_date) == (2, DAY)
    both = pl.concat([loan_months(JANUARY, range(50)), loan_months(JANUARY, range(50, 100))])
    assert_frame_equal(book.segment("loan_months"), both)
    assert_frame_equal(book.segment("loan_months", JANUARY, 1), loan_months(JANUARY, range(50, 100)))
    assert book.parts("loan_months", JANUARY) == [0, 1] and book.months("loan_months") == [JANUARY]
    assert_frame_equal(book.scan("loan_months", [JANUARY]).collect(), both)
    assert book.scan("loan_months", [JANUARY + 1]).collect().is_empty()
    expected = parties(JANUARY).with_columns(pl.lit(1, pl.Int64).alias("event_seq"))
    assert_frame_equal(book.records("parties"), expected)
    assert book.balances().rows() == [(1, "cash", 504), (1, "fees", 3), (2, "cash", -507)]
    assert book.balances(date(2009, 1, 30)).height == 0
    assert book.lines(2).rows() == [(2, 1, 1, "cash", DAY, -3), (2, 2, 1, "fees", DAY, 3)]
    assert book.lines(party_id=2)["cents"].to_list() == [-507]
    assert book.event_bodies("MonthClosed") == [{"month": JANUARY}]
    assert [json.loads(b) for b in book.events("Remitted")["body"]] == [{"month": JANUARY}]
    assert book.command_keys() == [f"close-month:{JANUARY}"]
    assert book.answer(f"close-month:{JANUARY}") == {"month": JANUARY, "share": 0.25}
    assert book.answer("other") is None


def test_the_chain_is_what_the_documentation_says(book: Book) -> None:
    close_month(book, JANUARY)
    prev = b""
    for stored, this in book.events().select("stored", "hash").rows():
        prev = hashlib.sha256(prev + stored.encode()).digest()
        assert prev.hex() == this
    assert book.head == prev.hex()
    first = json.loads(book.events()["stored"][0])
    assert [(s["table"], s["part"], s["rows"]) for s in first["segments"]] == [
        ("loan_months", 0, 50),
        ("loan_months", 1, 50),
    ]
    assert first["records"]["parties"]["rows"] == 1 and first["lines"]["rows"] == 2


def test_same_inputs_same_head_whatever_the_threads(tmp_path: Path) -> None:
    one, many = (Book.create(tmp_path / name, {"made": name}) for name in ("one", "many"))
    close_month(one, JANUARY, parts=6)
    with many.command("close-month", f"close-month:{JANUARY}", {"other": "body"}) as txn:
        txn.record("parties", parties(JANUARY))
        frames = [(p, loan_months(JANUARY, range(p * 50, p * 50 + 50)).reverse()) for p in reversed(range(6))]
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda f: txn.segment("loan_months", f[1], month=JANUARY, part=f[0]), frames))
        lines = ledger_lines((2, "cash", DAY, -507), (1, "cash", DAY, 507))
        txn.event("Remitted", DAY, {"month": JANUARY}, lines)
        txn.event("MonthClosed", DAY, {"month": JANUARY}, ledger_lines((1, "fees", DAY, 3), (1, "cash", DAY, -3)))
        txn.finish({}, DAY)
    assert one.head == many.head
    assert_frame_equal(one.segment("loan_months"), many.segment("loan_months"))


@pytest.mark.parametrize("what", ["body", "line", "row", "record", "date", "kind", "part"])
def test_each_thing_an_event_carries_moves_the_head(tmp_path: Path, what: str) -> None:
    def head(name: str, changed: str) -> str:
        book = Book.create(tmp_path / name, {})
        with book.command("x", "x", {}) as txn:
            txn.record("parties", parties(2 if changed == "record" else 1))
            frame = loan_months(JANUARY, range(1 if changed == "row" else 0, 50))
            txn.segment("loan_months", frame, month=JANUARY, part=changed == "part")
            cents = 2 if changed == "line" else 1
            day = date(2009, 1, 30) if changed == "date" else DAY
            kind = "B" if changed == "kind" else "A"
            txn.event(kind, day, {"n": int(changed == "body")}, ledger_lines((1, "cash", DAY, cents)))
            txn.finish({}, DAY)
        return book.head

    assert head("same", "") == head("again", "")
    assert head("other", what) != head("same2", "")


def test_a_key_is_answered_again_and_never_done_twice(book: Book) -> None:
    first = close_month(book, JANUARY)
    head = book.head
    assert close_month(Book.open(book.folder, writable=True), JANUARY) == first
    assert book.head == head
    with pytest.raises(Refused, match="with other inputs"):
        close_month(book, JANUARY, seed=8)
    assert book.head == head


def test_tables_given_as_inputs_belong_to_the_body(book: Book) -> None:
    frame = loan_months(JANUARY, range(3))
    with book.command("x", "x", {}, {"tape": frame}) as txn:
        txn.finish({"n": 1}, DAY)
    with book.command("x", "x", {}, {"tape": frame.clone()}) as txn:
        assert txn.replayed == {"n": 1}
    with pytest.raises(Refused, match="with other inputs"), book.command("x", "x", {}, {"tape": frame[:2]}):
        pass


def test_without_finish_nothing_is_committed_and_no_key_is_burnt(book: Book) -> None:
    with book.command("close-month", f"close-month:{JANUARY}", {"bad": True}) as txn:
        txn.segment("loan_months", loan_months(JANUARY, range(9)), month=JANUARY)
        txn.event("Remitted", DAY, {})
    with pytest.raises(KeyError), book.command("close-month", "other", {}) as txn:
        txn.segment("loan_months", loan_months(JANUARY, range(9)), month=JANUARY)
        raise KeyError("a bug")
    assert (book.seq, book.segment_rows(), book.command_keys()) == (0, [], [])
    assert not list(book.folder.glob("segments/*/*/*"))
    close_month(book, JANUARY)
    assert book.check().ok


def test_an_aborted_command_leaves_files_that_others_named(book: Book) -> None:
    close_month(book, JANUARY)
    with book.command("x", "x", {}) as txn:
        txn.segment("loan_months", loan_months(JANUARY, range(50)), month=JANUARY)
    assert book.check().ok


def test_mistakes_of_the_programmer_are_named(book: Book) -> None:
    with book.command("x", "x", {}) as txn:
        with pytest.raises(TypeError, match="loan_months"):
            txn.segment("loan_months", loan_months(JANUARY, range(3)).drop("program"), month=JANUARY)
        with pytest.raises(ValueError, match=r"more than one row for .*'loan_id': 2"):
            twice = pl.concat([loan_months(JANUARY, range(3)), loan_months(JANUARY, range(2, 4))])
            txn.segment("loan_months", twice, month=JANUARY)
        with pytest.raises(ValueError, match="no segment table 'lone_months'"):
            txn.segment("lone_months", loan_months(JANUARY, range(3)), month=JANUARY)
        with pytest.raises(ValueError, match="no record table"):
            txn.record("loan_months", loan_months(JANUARY, range(3)))
        with pytest.raises(TypeError, match="float"):
            txn.event("A", DAY, {"share": 0.5})
        with pytest.raises(TypeError, match="lines"):
            txn.event("A", DAY, {}, pl.DataFrame({"party_id": [1]}))
        txn.segment("loan_months", loan_months(JANUARY, range(3)), month=JANUARY)
        with pytest.raises(ValueError, match="without an event"):
            txn.finish({}, DAY)
    with book.command("y", "y", {}) as txn:
        txn.finish({}, DAY)
        with pytest.raises(ValueError, match="not inside an open command"):
            txn.event("A", DAY, {})
    with pytest.raises(Refused, match="reading only"):
        Book.open(book.folder).command("z", "z", {})


def test_a_record_row_is_never_replaced(book: Book) -> None:
    close_month(book, JANUARY)
    with (
        pytest.raises(ValueError, match="parties: a row's key is in the book already"),
        book.command("x", "x", {}) as txn,
    ):
        txn.record("parties", parties(5, JANUARY))
        txn.event("A", DAY, {})
        txn.finish({}, DAY)
    assert book.seq == 2 and book.records("parties").height == 1 and book.check().ok


def test_what_comes_after_the_last_event_belongs_to_it(book: Book) -> None:
    with book.command("x", "x", {}) as txn:
        txn.event("A", DAY, {})
        txn.record("parties", parties(1))
        txn.event("B", DAY, {})
        txn.segment("loan_months", loan_months(JANUARY, range(3)), month=JANUARY)
        txn.record("parties", parties(2))
        txn.record("parties", parties(3))
        txn.finish({}, DAY)
    assert book.segment_rows()[0].event_seq == 2
    assert book.records("parties").select("party_id", "event_seq").rows() == [(1, 2), (2, 2), (3, 2)]
    assert book.check().ok


def test_months_come_in_order_and_segments_of_one_part_are_merged(book: Book) -> None:
    for key, month, ids in (("b", JANUARY + 1, range(5)), ("a", JANUARY, range(5, 9)), ("c", JANUARY, range(5))):
        with book.command("x", key, {}) as txn:
            txn.segment("loan_months", loan_months(month, ids), month=month)
            txn.event("A", DAY, {})
            txn.finish({}, DAY)
    found = book.segment("loan_months").select("month", "loan_id").rows()
    assert found == [(JANUARY, i) for i in range(9)] + [(JANUARY + 1, i) for i in range(5)]
    assert [r.event_seq for r in book.segment_rows("loan_months")] == [2, 3, 1]


def test_every_table_survives_the_round_trip(book: Book) -> None:
    from poolhouse.book.segments import arrange
    from poolhouse.tables import RECORDS, SEGMENTS

    with book.command("x", "x", {}) as txn:
        for name in SEGMENTS:
            txn.segment(name, rows_of(name, 20), month=JANUARY)
        for name in RECORDS:
            txn.record(name, rows_of(name, 20))
        txn.event("A", DAY, {})
        txn.finish({}, DAY)
    for name, table in SEGMENTS.items():
        assert_frame_equal(book.segment(name), arrange(table, rows_of(name, 20)))
    for name, table in RECORDS.items():
        assert_frame_equal(book.records(name).drop("event_seq"), arrange(table, rows_of(name, 20)))
    assert book.check().ok


def test_the_inbox_is_taken_once_by_the_next_command(book: Book) -> None:
    assert book.inbox_add("payment", "r1", {"cents": 5})
    assert not book.inbox_add("payment", "r1", {"cents": 5})
    with pytest.raises(Refused, match="'r1' came before with other contents"):
        book.inbox_add("payment", "r1", {"cents": 6})
    with book.command("close-month", "k", {}) as txn:
        assert book.inbox_add("payment", "r2", {"cents": 7})  # a fact may come in while a command runs
        assert txn.inbox_take("payment") == [{"key": "r1", "cents": 5}, {"key": "r2", "cents": 7}]
        assert txn.inbox_take("payment") == []
        assert book.inbox_add("payment", "r3", {"cents": 9})
        txn.event("A", DAY, {})
        txn.finish({}, DAY)
    assert book.inbox("payment") == [{"key": "r3", "cents": 9}]
    with book.command("close-month", "left", {}) as txn:
        assert len(txn.inbox_take("payment")) == 1
    assert len(book.inbox("payment")) == 1  # not finished, not taken
