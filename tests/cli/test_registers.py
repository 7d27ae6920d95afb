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


def test_the_advices_total_is_of_no_program(promised: Market) -> None:
    text = shown("advice", promised.advice())
    assert re.search(r"Together +\d+ +\$", text) and "portfolios" not in text and "Loan by loan" not in text


def test_one_lenders_advice_comes_loan_by_loan(promised: Market) -> None:
    answer = promised.advice("First Bank")
    text = shown("advice", answer)
    assert "Loan by loan" in text
    for line in answer["lines"]:
        wire = f"${line['net_wire_cents'] / 100:,.2f}"
        price = f"{line['price_e6'] / 10**6:.6f}"
        assert re.search(rf"{line['loan_number']} +{line['settlement_date']} .* {price} .*{re.escape(wire)}", text)


def test_a_decided_lenders_history_is_one_line_a_state() -> None:
    decided = {"decided_date": "2010-01-31", "state": "overlay", "decided_by": "test", "measure": "early_default",
               "defaults": 9, "expected_defaults_e6": 2_480_000, "ratio_e4": 36_290, "p_value_e9": 6_756_000,
               "reason": "9 of 385"}  # fmt: skip
    nothing = dict.fromkeys(("defaults", "expected_defaults_e6", "ratio_e4", "p_value_e9"), 0)
    by_people = {"decided_date": "2010-03-01", "state": "approved", "decided_by": "people", "measure": "",
                 "reason": "reviewed", **nothing}  # fmt: skip
    card = {"lender": {"lender": "First Bank", "state": "approved", "p_value_e9": 931_166_500}, "windows": []}
    text = shown("lender", {**card, "history": [decided, by_people]})
    assert re.search(r"2010-01-31 +overlay +test +9 +2\.5 +363% +0\.68% +9 of 385", text)
    assert re.search(r"2010-03-01 +approved +people +reviewed", text)
    assert re.search(r"Chance by luck +93\.12%", text)
