"""A book with repurchases keeps every promise; one cent or row of them altered, and the promise says which."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

import kit_repurchases
from poolhouse.market.market import Market
from promises.forging import alter

LAST = "(SELECT max(seq) FROM events WHERE kind = 'Repurchased')"
BACK = "role = 'owner' AND reason = 'repurchase'"


def cash(party: str, cents: int, other: str) -> list[str]:
    """A party's cash of the last repurchase moved by cents, balanced in its books."""
    rows = f"event_seq = {LAST} AND party_id {party}"
    return [
        f"UPDATE lines SET cents = cents + {cents} WHERE {rows} AND account = 'cash'",
        f"UPDATE lines SET cents = cents - {cents} WHERE {rows} AND account = '{other}'",
    ]


ALTERATIONS: list[dict[str, Any]] = [
    {
        "what": "a lender pays a cent more for a loan, and its claimant gets it",
        "promises": [2],
        "sql": cash("> 999", -1, "interest_income") + cash("= 3", 1, "interest_income"),
        "says": "in the ledger",
    },
    {
        "what": "a loan's balance at its lender, a cent higher",
        "promises": [2, 3],
        "sql": cash("> 999", -1, "loans_held") + cash("= 3", 1, "loans_held"),
    },
    {
        "what": "a demand paid a cent less than the loan owed",
        "promises": [2],
        "sql": ["UPDATE repurchases SET principal_cents = principal_cents - 1 WHERE state = 'paid' AND loan_id = 0"],
        "says": "expected",
    },
    {
        "what": "a make-whole above the loss",
        "promises": [2],
        "sql": ["UPDATE repurchases SET loss_cents = loss_cents + 1 WHERE state = 'paid' AND remedy = 'make_whole'"],
        "says": "made whole: expected at most",
    },
    {
        "what": "a loan that went back, and nobody wrote down to whom",
        "promises": [2, 6, 9],
        "table": "assignments",
        "where": BACK,
        "drop": True,
    },
    {
        "what": "a demand that was never made",
        "promises": [2, 12],
        "sql": ["DELETE FROM repurchases WHERE state = 'open' AND loan_id = 0"],
    },
]


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return kit_repurchases.build(tmp_path_factory.mktemp("returned"))


def failures(folder: Path) -> dict[int, str]:
    market = Market(folder)
    answer = market.verify()
    market.close_book()
    return {p["id"]: p["first_failure"] for p in answer["promises"] if not p["ok"]}


def test_an_untouched_book_with_repurchases_keeps_every_promise(untouched: Path) -> None:
    assert failures(untouched) == {}


@pytest.mark.parametrize("alteration", ALTERATIONS, ids=[a["what"] for a in ALTERATIONS])
def test_an_altered_repurchase_breaks_exactly_these_promises(
    untouched: Path, tmp_path: Path, alteration: dict[str, Any]
) -> None:
    copy = shutil.copytree(untouched, tmp_path / "book")
    alter(copy, alteration)
    found = failures(copy)
    assert sorted(found) == alteration["promises"], found
    assert alteration.get("says", "") in found[alteration["promises"][0]]
