"""Registers of demands and commitments as people read them: real answers, each row on a line of a terminal."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from rich.console import Console

import kit_commitments
import kit_repurchases
from poolhouse.cli.views import QUERIES
from poolhouse.market.market import Market


def shown(view: str, answer: dict[str, Any]) -> str:
    console = Console(width=120, file=io.StringIO(), record=True)
    console.print(QUERIES[view](answer))
    return console.export_text()


@pytest.fixture(scope="module")
def back(tmp_path_factory: pytest.TempPathFactory) -> Market:
    return Market(kit_repurchases.build(tmp_path_factory.mktemp("back")))


@pytest.fixture(scope="module")
def promised(tmp_path_factory: pytest.TempPathFactory) -> Market:
    return Market(kit_commitments.build(tmp_path_factory.mktemp("promised")))


def test_demands_one_a_line(back: Market) -> None:
    answer = back.repurchase()
    text = shown("repurchase", answer)
    for demand in answer["demands"]:
        dollars = f"${demand['total_cents'] / 100:,.2f}"
        assert re.search(rf"{demand['loan_number']} +First Bank .*{demand['state']}.*{re.escape(dollars)}", text)
    assert f"${answer['paid_cents'] / 100:,.2f}" in text


def test_commitments_and_what_was_missing(promised: Market) -> None:
    text = shown("commit", promised.commit())
    assert re.search(r"Paid for what was\s+\$3,415\.50", text)
    assert re.search(r"mandatory +2009-03-31 +filled +\$1,000,000\.00 +\$1,000,000\.00 +\$0\.00", text)


def test_a_lenders_card_has_both(back: Market, promised: Market) -> None:
    assert "Repurchase demands" in shown("lender", back.lenders("First Bank"))
    card = shown("lender", promised.lenders("First Bank"))
    assert "Commitments" in card and "Repurchase demands" not in card


def test_what_a_file_came_to() -> None:
    assert "Rejected" in shown("repurchase", {"demands": 2, "rejected": 1})
    assert "Rejected" in shown("commit", {"commitments": 2, "rejected": 1})
