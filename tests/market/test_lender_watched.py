"""A lender whose loans go bad is suspended, with an event that says why, and nobody buys its next loans."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

import kit_market as kit
import money_checks
from poolhouse.dates import parse_month
from poolhouse.market.market import Market

GOOD, BAD = "good-bank", "bad-bank"
BAD_LOANS, PEERS, AFTER = 12, 60, 3


def tape() -> list[dict[str, Any]]:
    """Both lenders lend alike in January; the bad one lends again in May and in June."""
    january = [
        {**row, "loan_number": f"{name}-{i}", "originator_id": name, "originator_name": name}
        for name, count in ((BAD, BAD_LOANS), (GOOD, PEERS))
        for i, row in enumerate(kit.alike(count))
    ]
    later = [
        {**row, "loan_number": f"{name}-{month}-{i}", "originator_id": name, "originator_name": name,
         "note_date": f"2009-{month:02d}-12", "first_due_date": f"2009-{month + 2:02d}-01"}
        for name in (BAD, GOOD) for month in (5, 6)
        for i, row in enumerate(kit.alike(AFTER))
    ]  # fmt: skip
    return january + later


def payments() -> list[dict[str, Any]]:
    """Everybody pays on the 5th, but for the bad lender's loans of January: they never pay."""
    rows = []
    for loan in tape():
        first = parse_month(str(loan["first_due_date"])[:7])
        if loan["originator_id"] == BAD and first == kit.JANUARY + 2:
            continue
        for month in range(first, kit.JANUARY + 8):
            day = date(month // 12, month % 12 + 1, 5).isoformat()
            values = (loan["loan_number"], day, 158_017, "instalment", f"{loan['loan_number']}/{month}")
            rows.append(dict(zip(kit.PAYMENT_COLUMNS, values, strict=True)))
    return rows


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Market:
    folder = tmp_path_factory.mktemp("watched")
    file = kit.write_rows(folder / "payments.csv", payments())
    return kit.build(folder / "book", kit.write_rows(folder / "tape.csv", tape()), 8, file)


def party(market: Market, lender: str) -> int:
    parties = market.book.records("parties")
    return int(parties.filter(pl.col("code") == f"originator:{lender}")["party_id"][0])


def test_the_bad_lender_is_suspended_and_told_why(market: Market) -> None:
    """Twelve of twelve never paid: 60 days late at the end of April, the overlay; serious in May, suspended."""
    events = market.book.event_bodies("LenderStateChanged")
    assert [(e["month"], e["state"], e["measure"]) for e in events] == [
        ("2009-04", "overlay", "early_default"),
        ("2009-05", "suspended", "serious_default"),
    ]
    event = events[1]
    assert (event["month"], event["lender_id"], event["state"]) == ("2009-05", party(market, BAD), "suspended")
    assert (event["previous"], event["decided_by"], event["effective_date"]) == ("overlay", "test", "2009-06-01")
    assert event["ratio_e4"] > 20_000
    assert (event["defaults"], event["loans"]) == (BAD_LOANS, BAD_LOANS)
    assert (
        event["reason"].startswith("12 of 12 loans seriously delinquent or lost") and event["p_value_e9"] < 10_000_000
    )
    states = market.book.records("lender_states")
    assert states["lender_id"].to_list() == [party(market, BAD)] * 2
    assert market.book.segment("delinquencies").filter(pl.col("missed") == 3).height == BAD_LOANS


def test_its_next_loans_are_refused_and_the_others_are_bought(market: Market) -> None:
    loans = market.book.segment("loans").select("loan_id", "loan_number", "originator_id", "note_date")
    sold = market.book.segment("sales").join(loans, on="loan_id")
    later = pl.col("note_date") > date(2009, 2, 1)
    assert sold.filter(~later).height == BAD_LOANS + PEERS
    assert sold.filter(later)["originator_id"].to_list() == [GOOD] * 2 * AFTER
    refused = market.book.segment("refusals").join(loans, on="loan_id")
    assert refused["loan_id"].n_unique() == 2 * AFTER and set(refused["originator_id"]) == {BAD}
    assert all("lender stopped" in reason for reason in refused["reason"])
    owners = market.book.segment("loan_months", kit.JANUARY + 7).filter(
        pl.col("loan_id").is_in(refused["loan_id"].to_list())
    )
    assert set(owners["owner_id"]) == {party(market, BAD)}


def test_lenders_and_report_show_it(market: Market) -> None:
    lenders = {row["lender"]: row for row in market.lenders()["lenders"]}
    assert lenders[BAD]["state"] == "suspended" and lenders[GOOD]["state"] == "approved"
    assert market.report()["lenders"]["stopped"] == 1
    assert market.report()["lenders"]["states"]["suspended"] == 1


def test_the_books_of_a_bad_lender_balance(market: Market) -> None:
    money_checks.check_all(market)
    money_checks.check_promises(market)
