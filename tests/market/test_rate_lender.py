"""People decide about a lender: it holds from that day, is kept with its reason, and is told again when repeated."""

from __future__ import annotations

from pathlib import Path

import pytest

import kit_market as kit
import money_checks
from poolhouse.findings import Refused
from poolhouse.market.market import Market


def built(folder: Path) -> Market:
    """Six loans of January; the market stands at the 1st of February."""
    return kit.build(folder / "book", kit.write_rows(folder / "tape.csv", kit.alike(6)), 1, start="2009-01")


def test_a_suspended_lender_sells_nothing_from_that_day(tmp_path: Path) -> None:
    market = built(tmp_path)
    answer = market.rate_lender("First Bank", "suspended", "its controls failed")
    assert answer == market.rate_lender("first-bank", "suspended", "its controls failed")
    with pytest.raises(Refused, match="other"):
        market.rate_lender("First Bank", "suspended", "for another reason")
    kit.month_by_steps(market)
    assert not market.book.segment("sales").height
    assert set(market.book.segment("refusals")["reason"]) == {
        "lender stopped: suspended or terminated, see its scorecard"
    }
    card = market.lenders("First Bank")
    assert card["lender"]["state"] == "suspended" and card["lender"]["why"] == "its controls failed"
    assert [(h["state"], h["decided_by"], h["effective_date"]) for h in card["history"]] == [
        ("suspended", "people", "2009-02-01")
    ]
    market.rate_lender("First Bank", "reinstated", "controls mended")
    assert market.lenders()["lenders"][0]["state"] == "reinstated"
    money_checks.check_promises(market)


def test_under_overlay_only_the_better_loans_are_bought(tmp_path: Path) -> None:
    rows = [*kit.alike(3), *[{**row, "loan_number": f"W-{i}", "score": 660} for i, row in enumerate(kit.alike(3))]]
    market = kit.build(tmp_path / "book", kit.write_rows(tmp_path / "tape.csv", rows), 1, start="2009-01")
    market.rate_lender("first-bank", "overlay", "early defaults")
    kit.month_by_steps(market)
    loans = market.book.segment("loans").select("loan_id", "loan_number")
    sold = market.book.segment("sales").join(loans, on="loan_id")["loan_number"].to_list()
    assert sorted(sold) == ["L-0000", "L-0001", "L-0002"]
    refused = market.book.segment("refusals")
    assert refused.height == 3 and all(r.startswith("lender under overlay: ") for r in refused["reason"])


def test_no_such_lender_and_no_such_step(tmp_path: Path) -> None:
    market = built(tmp_path)
    with pytest.raises(Refused, match="no such lender"):
        market.rate_lender("Second Bank", "watch", "x")
    with pytest.raises(Refused, match="is approved; from there"):
        market.rate_lender("First Bank", "terminated", "x")
    with pytest.raises(Refused, match="no such lender"):
        market.lenders("nobody")
