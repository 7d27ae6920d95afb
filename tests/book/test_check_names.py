"""Alter one byte or one row of a book, anywhere: `check` names it."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import polars as pl
import pytest

from book_samples import JANUARY, close_month
from poolhouse.book import Book
from poolhouse.book.record import LINES, METADATA, RECORD_TABLES
from poolhouse.findings import Refused


@pytest.fixture
def book(tmp_path: Path) -> Book:
    book = Book.create(tmp_path / "book", {})
    for month in range(JANUARY, JANUARY + 3):
        close_month(book, month)
    return book


def alter(book: Book, sql: str) -> None:
    """As someone with a database tool would."""
    with sqlite3.connect(book.folder / "record.sqlite") as connection:
        assert connection.execute(sql).rowcount == 1
    connection.close()


def found(book: Book) -> set[tuple[str, str]]:
    return {(p.kind, p.where) for p in book.check().problems}


def test_a_sound_book_has_no_problem_and_says_how_much_was_checked(book: Book) -> None:
    report = book.check()
    assert report.ok and report.head == book.head
    assert report.counts == {
        "events": 6, "lines": 12, "records": 3, "segments": 6, "segment_rows": 300, "commands": 3, "lives": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("sql", "kind", "where"),
    [
        ("UPDATE lines SET cents = cents + 1 WHERE event_seq = 3 AND line = 1", "lines", "event 3"),
        ("UPDATE lines SET party_id = 9 WHERE event_seq = 3 AND line = 2", "lines", "event 3"),
        ("UPDATE lines SET value_date = '2009-02-01' WHERE event_seq = 1 AND line = 1", "lines", "event 1"),
        ("UPDATE lines SET line = 7 WHERE event_seq = 1 AND line = 2", "lines", "event 1"),
        ("DELETE FROM lines WHERE event_seq = 6 AND line = 2", "lines", "event 6"),
        ("INSERT INTO lines VALUES (6, 3, 1, 'cash', '2009-01-31', 0)", "lines", "event 6"),
        ("UPDATE parties SET name = 'x' WHERE event_seq = 3", "record", "parties, event 3"),
        ("DELETE FROM parties WHERE event_seq = 5", "record", "parties, event 5"),
        ("UPDATE parties SET event_seq = 2 WHERE event_seq = 1", "record", "parties, event 2"),
        ("UPDATE events SET stored = replace(stored, 'Month', 'month') WHERE seq = 4", "event", "event 4"),
        ("UPDATE events SET kind = 'Opened' WHERE seq = 4", "event", "event 4"),
        ("UPDATE events SET market_date = '2009-01-01' WHERE seq = 4", "event", "event 4"),
        ("UPDATE events SET hash = replace(hash, substr(hash, 1, 1), 'f0') WHERE seq = 6", "event", "event 6"),
        ("DELETE FROM events WHERE seq = 2", "event", "event 3"),
        ("DELETE FROM events WHERE seq = 6", "command", "last"),
        ("UPDATE commands SET answer = replace(answer, '0.25', '0.26') WHERE number = 2", "command",
         "close-month:24109"),
        ("UPDATE commands SET market_date = '2009-02-27' WHERE number = 2", "command", "close-month:24109"),
        ("UPDATE lines SET cents = 'many' WHERE event_seq = 1 AND line = 1", "lines", "all"),
        ("UPDATE lines SET value_date = 'soon' WHERE event_seq = 1 AND line = 1", "lines", "all"),
        ("UPDATE events SET prev_hash = 'zz' WHERE seq = 2", "event", "event 2"),
        ("UPDATE events SET stored = '{' WHERE seq = 2", "event", "event 2"),
        ("DELETE FROM commands WHERE number = 2", "command", "close-month:24110"),
        ("UPDATE segments SET part = 1 WHERE event_seq = 3 AND number = 1", "segment",
         "loan_months month 24109 part 0, event 3"),
        ("UPDATE segments SET number = 9 WHERE event_seq = 3 AND number = 2", "segment", "event 3"),
        ("DELETE FROM segments WHERE event_seq = 3 AND number = 1", "segment",
         "loan_months month 24109 part 0, event 3"),
    ],
)  # fmt: skip
def test_one_altered_row_of_the_record_is_named(book: Book, sql: str, kind: str, where: str) -> None:
    alter(book, sql)
    assert (kind, where) in found(book)


def test_an_event_rewritten_with_its_own_right_hash_breaks_the_chain(book: Book) -> None:
    from poolhouse.book.chain import link

    stored, prev_hash = book.events()[3].select("stored", "prev_hash").row(0)
    forged = stored.replace(f'"month":{JANUARY + 1}', f'"month":{JANUARY + 9}')
    assert forged != stored
    alter(book, f"UPDATE events SET stored = '{forged}', hash = '{link(prev_hash, forged)}' WHERE seq = 4")
    assert ("event", "event 5") in found(book)


COVERED = ("events", "lines", "parties", "segments")


def covered(path: Path) -> list[list[tuple[object, ...]]] | None:
    """All rows that hashes cover; None when the database can't even be read."""
    connection = sqlite3.connect(path)
    try:
        return [sorted(connection.execute(f"SELECT * FROM {table}").fetchall(), key=repr) for table in COVERED]
    except (sqlite3.Error, UnicodeDecodeError):
        return None
    finally:
        connection.close()


def test_any_byte_of_the_record_that_matters_is_noticed_when_altered(book: Book) -> None:
    book.close()  # the last one out puts all rows into the one file
    path = book.folder / "record.sqlite"
    data, rows = path.read_bytes(), covered(path)
    used = [i for i, byte in enumerate(data) if byte]  # most of a small database is empty pages
    noticed = 0
    for i in range(100):
        at = used[i * 7919 % len(used)]
        path.write_bytes(data[:at] + bytes([data[at] ^ (1 + i % 255)]) + data[at + 1 :])
        unchanged = covered(path) == rows
        report = book.check()
        book.close()
        assert unchanged or not report.ok, f"byte {at} was altered in silence"
        noticed += not report.ok
    assert noticed > 30


@pytest.mark.parametrize("damage", ["truncated", "empty", "one bit", "missing", "appended"])
def test_a_damaged_file_is_named_and_refused_by_readers(book: Book, damage: str) -> None:
    row = book.segment_rows("loan_months")[3]
    data = row.path.read_bytes()
    middle = len(data) // 2
    damaged = {
        "truncated": data[:-100], "empty": b"", "appended": data + b"x",
        "one bit": data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :],
    }  # fmt: skip
    if damage == "missing":
        row.path.unlink()
    else:
        row.path.write_bytes(damaged[damage])
    assert found(book) == {("segment", f"loan_months month 24109 part 1, {row.path.name}")}
    if damage in ("truncated", "empty", "missing"):
        with pytest.raises(Refused, match=f"segment .*{row.path.name} can't be read"):
            book.segment("loan_months")
    assert book.segment("loan_months", JANUARY).height == 100  # other months read as before


def test_a_row_altered_with_its_file_hash_made_right_is_named(book: Book) -> None:
    import hashlib

    from poolhouse.book.segments import parquet_bytes

    row = book.segment_rows("loan_months")[0]
    frame = pl.read_parquet(row.path)
    cents = pl.when(pl.col("loan_id") == 7).then(pl.col("paid_cents") + 1).otherwise("paid_cents")
    data = bytes(parquet_bytes(frame.with_columns(cents.alias("paid_cents"))))
    sha256 = hashlib.sha256(data).hexdigest()
    (row.path.parent / f"{sha256}.parquet").write_bytes(data)
    alter(book, f"UPDATE segments SET sha256 = '{sha256}' WHERE event_seq = 1 AND number = 1")
    assert [p.message for p in book.check().problems] == ["the rows' content hash is not the one committed"]


def test_stale_and_altered_lives(book: Book) -> None:
    (first, _) = book.write_lives("loan_months", 2009)
    assert book.check().counts["lives"] == 2 and book.check().ok
    from_lives = book.life("loan_months", 7)
    frame = pl.read_parquet(first)
    assert frame.select("loan_id", "month").rows()[:4] == [
        (0, JANUARY),
        (0, JANUARY + 1),
        (0, JANUARY + 2),
        (1, JANUARY),
    ]
    frame.with_columns(pl.lit(1, pl.Int64).alias("loss_cents")).write_parquet(first)
    assert found(book) == {("lives", "loan_months 2009 part 0")}
    first.unlink()
    assert book.life("loan_months", 7).equals(from_lives) and book.check().ok
    close_month(book, JANUARY + 3)  # a month more: the other part's life file is out of date and not read
    assert book.life("loan_months", 70)["month"].to_list() == [JANUARY + i for i in range(4)]
    assert book.life("loan_months", 7).height == 4 and book.life("loan_months", 1234).is_empty()
    made = book.write_lives("loan_months", 2009)
    assert sorted(made[0].parent.iterdir()) == sorted(made)
    assert book.life("loan_months", 7).height == 4 and book.check().counts["lives"] == 2
    assert book.write_lives("loan_months", 2031) == []


def test_a_backup_is_a_whole_book_and_refuses_a_damaged_one(book: Book, tmp_path: Path) -> None:
    (tmp_path / "copy.tmp").mkdir()  # of a backup that was killed
    copy = Book.open(book.backup(tmp_path / "copy"))
    assert copy.check() == book.check() and copy.check().ok and copy.answer("close-month:24108") is not None
    with pytest.raises(Refused, match="there is something already"):
        book.backup(tmp_path / "copy")
    book.segment_rows()[0].path.write_bytes(b"?")
    with pytest.raises(Refused, match="not what the record says"):
        book.backup(tmp_path / "second")
    assert not (tmp_path / "second").exists()


def test_an_older_schema_is_read_up_and_its_file_stays(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from poolhouse.book import segments
    from poolhouse.tables import SEGMENTS
    from poolhouse.tables.contract import columns

    old = SEGMENTS["loan_months"]
    added = columns("escrow_cents i64 cents - held for taxes")
    monkeypatch.setitem(SEGMENTS, "loan_months", replace(old, version=2, columns=old.columns + added))
    with pytest.raises(Refused, match="version 1 can't be read as version 2"):
        book.segment("loan_months")

    def step(frame: pl.LazyFrame) -> pl.LazyFrame:
        return frame.with_columns(pl.lit(0, pl.Int64).alias("escrow_cents"))

    monkeypatch.setitem(segments.UPCASTS, ("loan_months", 1), step)
    assert book.segment("loan_months")["escrow_cents"].sum() == 0
    assert book.scan("loan_months").select("escrow_cents").collect().height == 300
    assert book.life("loan_months", 3).height == 3
    assert book.check().ok
    monkeypatch.setitem(SEGMENTS, "loan_months", replace(old, version=0))
    with pytest.raises(Refused, match="newer than this Poolhouse"):
        book.segment("loan_months")


def test_the_record_has_a_table_for_each_contract() -> None:
    assert {LINES.name, "events", "segments", "commands", "inbox", "book"} | set(RECORD_TABLES) <= set(METADATA.tables)
    assert json.dumps(sorted(c.name for c in RECORD_TABLES["pools"].primary_key.columns)) == '["pool_id"]'
