"""Opening capital comes through the endowments door, by type."""

from __future__ import annotations

from datetime import date

import polars as pl

from poolhouse import primary, rules
from poolhouse.tables import Outcome
from sale.market_frames import balances, party

OPENED = date(2009, 1, 1)


def test_lenders_start_with_the_capital_of_their_type() -> None:
    book = rules.load()
    frame = pl.DataFrame({"party_id": [1001, 1000, 1002], "type": ["nonbank", "depository", "unknown"]})
    event = primary.endow(frame, OPENED, book)
    posted = balances(Outcome(events=[event]))
    expected = {p: book.get("primary.capital_cents", OPENED, type=t) for p, t in frame.rows()}
    assert {p: posted[p, "cash"] for p in expected} == expected
    assert {p: -posted[p, "capital"] for p in expected} == expected
    assert posted[party("endowments"), "cash"] == -sum(expected.values())
    assert event.body["lenders_by_type"] == {"depository": 1, "nonbank": 1, "unknown": 1}
    assert expected[1000] > expected[1001]


def test_system_parties_start_with_cash_and_investors_do_not() -> None:
    event = primary.endow_system(OPENED, rules.load())
    posted = balances(Outcome(events=[event]))
    assert posted[party("fnma"), "cash"] > 0
    assert posted[party("warehouse"), "cash"] > 0
    assert sum(cents for (_, account), cents in posted.items() if account == "cash") == 0
    assert not [p for p, _ in posted if 50 <= p < 60], "investors are endowed by investing"
    assert event.body["endowment_cents"] == -posted[party("endowments"), "cash"]
