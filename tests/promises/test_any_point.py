"""`verify` works at any point of a book's life, and says what it can't read."""

from __future__ import annotations

import shutil
import sqlite3
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import kit_market as kit
from poolhouse import standards
from poolhouse.market.market import Market
from poolhouse.promises import verify
from poolhouse.promises.tally import Tally
from poolhouse.rules import Rulebook


def checked(answer: dict[str, Any]) -> list[int]:
    return [p["checked"] for p in answer["promises"]]


def test_a_book_just_opened_has_nothing_to_break(tmp_path: Path) -> None:
    market = Market(tmp_path / "book", create=True, start="2009-03")
    market._desk_for(kit.sample(5000))
    answer = market.verify()
    assert answer["ok"], answer
    assert checked(answer)[1:10] == [0] * 9 and checked(answer)[11] == 0


def test_every_step_of_a_month_leaves_a_book_that_keeps_its_promises(tmp_path: Path) -> None:
    market = kit.build(tmp_path / "book", kit.sample(500), 1, start="2009-09")
    facts = sum(checked(market.verify()))
    for step in kit.STEPS:
        getattr(market, step)()
        answer = market.verify()
        assert answer["ok"], (step, [p["first_failure"] for p in answer["promises"]])
        assert sum(checked(answer)) >= facts
        facts = sum(checked(answer))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small") / "book"
    kit.build(folder, kit.sample(500), 2, start="2009-09").close_book()
    return folder


def test_a_missing_file_fails_the_promises_that_read_it(small: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(small, tmp_path / "book")
    market = Market(copy)
    market.book.segment_rows("loan_months")[-1].path.unlink()
    failures = {p["id"]: p["first_failure"] for p in market.verify()["promises"] if not p["ok"]}
    assert sorted(failures) == [2, 3, 4, 6, 7, 10, 11]  # what is recomputed for it still is what the manifest says
    assert all("can't be" in text for text in failures.values())


def test_a_text_where_an_amount_was_is_told_and_never_raised(small: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(small, tmp_path / "book")
    with sqlite3.connect(copy / "record.sqlite") as connection:
        connection.execute("UPDATE lines SET cents = 'many' WHERE event_seq = 2 AND line = 1")
    answer = Market(copy).verify()
    failures = {p["id"]: p["first_failure"] for p in answer["promises"] if not p["ok"]}
    assert sorted(failures) == [1, 2, 3, 5, 11]
    assert "can't be checked" in failures[1]


def test_a_replay_that_differs_breaks_the_twelfth_promise_alone(small: Path) -> None:
    market = Market(small)
    desk = market._desk()
    steps: list[tuple[str, int, int]] = []
    answer = verify(market.book, desk.rulebook, lambda _table, _month, _part: None, progress=lambda *s: steps.append(s))
    assert [p["id"] for p in answer["promises"] if not p["ok"]] == [12]
    assert "nothing to replay it from" in answer["promises"][11]["first_failure"]
    assert steps[-1][0] == "done" and [s[1] for s in steps] == list(range(len(steps)))
    assert all(s[1] <= s[2] for s in steps)


def test_a_standard_that_says_no_breaks_the_eighth_promise(small: Path) -> None:
    market = Market(small)

    def refused(loans: pl.DataFrame, as_of: date, rulebook: Rulebook) -> pl.DataFrame:
        import polars as pl

        return standards.evaluate(loans, as_of, rulebook).with_columns(answer=pl.lit(3, pl.Int8))

    answer = verify(market.book, market._desk().rulebook, lambda _table, _month, _part: None, refused)
    assert [p["id"] for p in answer["promises"] if not p["ok"]] == [8, 12]


def test_a_tally_keeps_its_first_failure() -> None:
    tally, other = Tally(), Tally()
    tally.fact(True, lambda _row: "no")
    other.fact(False, lambda _row: "first")
    other.fail("second")
    tally.add(other)
    assert (tally.ok, tally.checked, tally.first_failure) == (False, 2, "first")
