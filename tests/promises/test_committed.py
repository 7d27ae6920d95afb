"""A book with commitments keeps every promise; one cent or row of them altered, and the promise says which."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

import kit_commitments
from poolhouse.market.market import Market
from promises.forging import alter

PAIRED = "(SELECT seq FROM events WHERE kind = 'PairedOff')"


def paid(party: str, cents: int, other: str) -> list[str]:
    rows = f"event_seq = {PAIRED} AND party_id {party}"
    return [
        f"UPDATE lines SET cents = cents + {cents} WHERE {rows} AND account = 'cash'",
        f"UPDATE lines SET cents = cents - {cents} WHERE {rows} AND account = '{other}'",
    ]


ALTERATIONS: list[dict[str, Any]] = [
    {
        "what": "a lender pays a cent more for its pair-off, and the buyer gets it",
        "promises": [2],
        "sql": paid("> 999", -1, "gain_on_sale") + paid("< 1000", 1, "trading_income"),
        "says": "pair-offs",
    },
    {
        "what": "a pair-off a cent cheaper than agreed",
        "promises": [2],
        "sql": ["UPDATE commitments SET cost_cents = cost_cents - 1 WHERE state = 'paired_off'"],
        "says": "expected a cost of",
    },
    {
        "what": "a fee that was not agreed",
        "promises": [2],
        "sql": ["UPDATE commitments SET pair_off_e6 = 0 WHERE state = 'paired_off'"],
        "says": "expected made once",
    },
    {
        "what": "a commitment that never ended",
        "promises": [2],
        "sql": ["DELETE FROM commitments WHERE state = 'filled'"],
        "says": "ended then",
    },
    {"what": "a loan delivered and not counted", "promises": [2], "table": "deliveries", "where": "TRUE", "drop": True},
    {
        "what": "a delivery at another price",
        "promises": [2],
        "table": "deliveries",
        "where": "TRUE",
        "set": {"committed_price_e6": "committed_price_e6 + 1"},
        "says": "on the commitment's terms",
    },
]


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return kit_commitments.build(tmp_path_factory.mktemp("committed"))


def failures(folder: Path) -> dict[int, str]:
    market = Market(folder)
    answer = market.verify()
    market.close_book()
    return {p["id"]: p["first_failure"] for p in answer["promises"] if not p["ok"]}


def test_an_untouched_book_with_commitments_keeps_every_promise(untouched: Path) -> None:
    assert failures(untouched) == {}


@pytest.mark.parametrize("alteration", ALTERATIONS, ids=[a["what"] for a in ALTERATIONS])
def test_an_altered_commitment_breaks_exactly_these_promises(
    untouched: Path, tmp_path: Path, alteration: dict[str, Any]
) -> None:
    copy = shutil.copytree(untouched, tmp_path / "book")
    alter(copy, alteration)
    found = failures(copy)
    assert sorted(found) == alteration["promises"], found
    assert alteration.get("says", "") in found[alteration["promises"][0]]
