"""One cent, row or byte of a book is altered, and `verify` names exactly the promises that it breaks."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import kit_market as kit
from poolhouse import standards
from poolhouse.book import canonical_hash
from poolhouse.market.market import Market
from poolhouse.promises import NAMES
from poolhouse.rules import Rulebook
from promises.forging import alter, seal

TABLE = tomllib.loads((Path(__file__).parents[1] / "promises.toml").read_text(encoding="utf-8"))["alteration"]


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some 200 real loans, September to December 2009; the month after is open and its sales are done."""
    folder = tmp_path_factory.mktemp("promises") / "book"
    market = kit.build(folder, kit.sample(200), 4, start="2009-09")
    market.check()
    market.sell()
    market.close_book()
    return folder


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A private pool issued as a deal, with two losses."""
    return kit.lossy(tmp_path_factory.mktemp("private"))


@pytest.fixture(scope="module")
def asked_once() -> Iterator[None]:
    """The same loans on the same day always get the same answers: the tests ask for them once."""
    known: dict[tuple[str, date], pl.DataFrame] = {}
    judge = standards.evaluate

    def remembered(loans: pl.DataFrame, as_of: date, rulebook: Rulebook) -> pl.DataFrame:
        key = (canonical_hash(loans), as_of)
        if key not in known:
            known[key] = judge(loans, as_of, rulebook)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(standards, "evaluate", remembered)
        yield


def broken(folder: Path) -> dict[int, str]:
    """The promises that fail, each with its first failure."""
    market = Market(folder)
    answer = market.verify()
    market.close_book()
    assert answer["ok"] == all(p["ok"] for p in answer["promises"])
    return {p["id"]: p["first_failure"] for p in answer["promises"] if not p["ok"]}


def test_an_untouched_book_keeps_every_promise(untouched: Path) -> None:
    market = Market(untouched)
    answer = market.verify()
    assert [p["first_failure"] for p in answer["promises"]] == [None] * 12
    assert [(p["id"], p["name"]) for p in answer["promises"]] == list(enumerate(NAMES, 1))
    assert all(p["checked"] > 0 for p in answer["promises"])
    assert answer["ok"] and answer["head"] == market.book.head
    market.close_book()


def test_sealing_an_unaltered_book_changes_nothing(untouched: Path, tmp_path: Path) -> None:
    """The forger's seal is a true one: what the tests below see is the alteration alone."""
    copy = shutil.copytree(untouched, tmp_path / "book")
    before = Market(untouched).book.head
    seal(copy)
    assert Market(copy).book.head == before


@pytest.mark.usefixtures("asked_once")
@pytest.mark.parametrize("alteration", TABLE, ids=[a["what"] for a in TABLE])
def test_an_altered_book_breaks_exactly_these_promises(
    untouched: Path, private: Path, tmp_path: Path, alteration: dict[str, Any]
) -> None:
    copy = shutil.copytree(private if alteration.get("private") else untouched, tmp_path / "book")
    alter(copy, alteration)
    failures = broken(copy)
    assert sorted(failures) == sorted(alteration["promises"]), failures
    for promise, text in alteration.get("says", {}).items():
        assert text in failures[int(promise)]


def test_every_promise_has_an_alteration_of_its_own() -> None:
    """Each promise is the first named by some alteration: none stands in another's shadow."""
    assert {a["promises"][0] for a in TABLE} == set(range(1, 13))
