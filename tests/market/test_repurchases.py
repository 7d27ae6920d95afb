"""Loans go back to their lender, out of a pool or a portfolio, late or current; losses are made whole, to the cent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

import kit_market as kit
import money_checks
from kit_repurchases import (
    AHEAD,
    BOUGHT_OUT,
    CURRENT,
    INDEMNIFIED,
    JULY,
    LATE,
    LOANS,
    LOST,
    OPEN,
    PAID_OFF,
    REPRICED,
    build,
    demands,
)
from one_loan_market import own_numbers
from poolhouse.dates import month_of
from poolhouse.findings import Refused
from poolhouse.market.market import Market


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("repurchases"))


@pytest.fixture(scope="module")
def market(built: Path) -> Market:
    return Market(built)


def loan_id(market: Market, number: str) -> int:
    loans = market.book.segment("loans")
    return int(loans.filter(pl.col("loan_number") == number)["loan_id"][0])


def lender(market: Market) -> int:
    parties = market.book.records("parties")
    return int(parties.filter(pl.col("code") == "originator:first-bank")["party_id"][0])


def row(market: Market, number: str, month: int) -> dict[str, Any]:
    rows = market.book.segment("loan_months", month).filter(pl.col("loan_id") == loan_id(market, number))
    return dict(rows.row(0, named=True))


def by_hand(balance: int, rate_e7: int) -> int:
    """A month's interest, half-up to the cent."""
    return (2 * balance * rate_e7 + 120_000_000) // 240_000_000


def settled(market: Market) -> dict[str, dict[str, Any]]:
    return {d["loan_number"]: d for d in market.repurchase()["demands"]}


def test_every_promise_holds_with_repurchases(market: Market) -> None:
    money_checks.check_all(market)
    money_checks.check_promises(market)


def test_a_current_loan_leaves_its_pool_and_then_goes_to_its_lender(market: Market) -> None:
    """Out of the pool at the end of July, at par; its holders get the balance in August; the lender pays at its end."""
    june, july, august, september = (row(market, CURRENT, m) for m in range(JULY - 1, JULY + 3))
    enterprise = market.book.segment("sales").filter(pl.col("loan_id") == loan_id(market, CURRENT))["buyer_id"][0]
    assert june["pool_id"] > 0 and july["buyout_principal_cents"] == july["closing_actual_cents"]
    assert (july["owner_id"], july["remittance"]) == (enterprise, 0)
    assert july["pending_unscheduled_cents"] == july["closing_scheduled_cents"] == august["unscheduled_principal_cents"]
    assert (august["payee_id"], august["owner_id"]) == (enterprise, lender(market))
    assert september["owner_interest_cents"] > 0 and september["payee_id"] == lender(market)
    owners = market.book.segment("assignments").filter(
        (pl.col("loan_id") == loan_id(market, CURRENT)) & (pl.col("role") == "owner")
    )
    assert owners.sort("effective_date")["reason"].to_list() == [
        "closing",
        "sale",
        "securitization",
        "buyout",
        "repurchase",
    ]


def test_the_price_by_hand(market: Market) -> None:
    """What the borrower owes x the sale's price, and interest since the last instalment at the owner's rate."""
    sales = market.book.segment("sales")
    for number, months in ((CURRENT, 1), (LATE, 5), (BOUGHT_OUT, 7)):
        demand, last = settled(market)[number], row(market, number, JULY + 1)
        price = sales.filter(pl.col("loan_id") == loan_id(market, number))["price_e6"][0]
        owed = last["closing_actual_cents"]
        assert demand["state"] == "paid" and demand["settled_date"] == "2009-08-31"
        assert demand["due_date"] == "2009-08-30" and demand["principal_cents"] == owed
        assert JULY + 2 - (month_of(last["last_paid_due_date"])) == months
        a_month = sum(by_hand(owed, last[c]) for c in ("pass_through_rate_e7", "guaranty_fee_rate_e7"))
        assert demand["interest_cents"] == months * a_month
        whole = (2 * owed * price + 10**8) // (2 * 10**8)
        assert demand["premium_cents"] == whole - owed
        assert demand["total_cents"] == whole + months * a_month


def test_the_cash_is_in_the_ledger(market: Market) -> None:
    """The lender's cash and loans of the three events are the sums of the register, to the cent."""
    paid = [d for d in settled(market).values() if d["state"] == "paid"]
    events = market.book.stored_events()
    found = {"cash": 0, "loans_held": 0}
    for seq in events.filter(pl.col("kind").is_in(["Repurchased", "MadeWhole", "Repriced"]))["seq"].to_list():
        for account in found:
            lines = market.book.lines(seq, party_id=lender(market), account=account)
            found[account] += int(lines["cents"].sum())
    assert found == {
        "cash": -sum(d["total_cents"] for d in paid),
        "loans_held": sum(d["principal_cents"] for d in paid),
    }
    assert sum(d["total_cents"] for d in paid) == market.repurchase()["paid_cents"] > 0


def test_losses_are_made_good_and_the_paid_off_loan_ends_its_demand(market: Market) -> None:
    demand = settled(market)
    loss = row(market, LOST, JULY - 1)["loss_cents"]
    assert loss > 0 and (demand[LOST]["loss_cents"], demand[LOST]["settled_date"]) == (loss, "2009-08-31")
    later = row(market, INDEMNIFIED, JULY + 3)["loss_cents"]
    assert later > 0 and (demand[INDEMNIFIED]["loss_cents"], demand[INDEMNIFIED]["settled_date"]) == (
        later,
        "2009-10-31",
    )
    assert demand[REPRICED]["total_cents"] == 123_456
    assert (demand[PAID_OFF]["state"], demand[PAID_OFF]["total_cents"]) == ("ended", 0)


def test_instalments_held_ahead_go_to_the_claimant_and_their_interest_to_the_lender(market: Market) -> None:
    """Two are held in July. The trust gets its whole balance; the lender the lower one, and a month's interest back."""
    june, july, august = (row(market, AHEAD, m) for m in range(JULY - 1, JULY + 2))
    assert june["pool_id"] > 0 and june["prepaid_cents"] == july["prepaid_cents"] == 0
    assert july["owner_principal_cents"] == july["closing_scheduled_cents"] - july["closing_actual_cents"] > 0
    first = july["closing_scheduled_cents"]
    second = first - (158_017 - by_hand(first, 650_000))
    assert july["closing_actual_cents"] == second - (158_017 - by_hand(second, 650_000))
    rates = [july[c] for c in ("pass_through_rate_e7", "guaranty_fee_rate_e7")]
    assert july["owner_interest_cents"] == sum(by_hand(b, rate) for b in (first, second) for rate in rates)
    assert july["pending_unscheduled_cents"] == july["closing_scheduled_cents"] == august["unscheduled_principal_cents"]
    demand = settled(market)[AHEAD]
    assert month_of(august["last_paid_due_date"]) == JULY + 3  # to the end of September, a month after settlement
    assert demand["principal_cents"] == august["closing_actual_cents"]
    a_month = sum(by_hand(demand["principal_cents"], rate) for rate in rates)
    assert demand["interest_cents"] == -a_month < 0


def test_a_private_copy_of_the_book_is_the_same_book(built: Path, market: Market, tmp_path: Path) -> None:
    """Made again from the same files, with the demands in another command order: the same head."""
    folder = built.parent
    again = kit.build(tmp_path / "book", folder / "tape.csv", 6, folder / "payments.csv")
    again.check()
    again.repurchase(folder / "demands.csv")
    for _ in range(6):
        kit.month_by_steps(again, folder / "payments.csv")
    assert kit.content(again, "loan_months") == kit.content(market, "loan_months")
    again.repurchase(folder / "last.csv")
    assert again.repurchase() == market.repurchase()


BAD: list[tuple[dict[str, str], str]] = [
    ({"loan": "nobody", "reason": "income", "remedy": "repurchase"}, "no such loan"),
    ({"loan": "L-0020", "reason": "ugly", "remedy": "repurchase"}, "must be one of misstatement"),
    ({"loan": "L-0020", "reason": "income", "remedy": "apology"}, "must be one of repurchase"),
    ({"loan": CURRENT, "reason": "income", "remedy": "repurchase"}, "its lender owns it again"),
    ({"loan": LOST, "reason": "income", "remedy": "repurchase"}, "only a loss can be made whole"),
    ({"loan": PAID_OFF, "reason": "income", "remedy": "make_whole"}, "was paid off"),
    ({"loan": "L-0020", "reason": "income", "remedy": "make_whole"}, "was not lost"),
    ({"loan": OPEN, "reason": "occupancy", "remedy": "repurchase"}, "open already"),
    ({"loan": "L-0020", "reason": "income", "remedy": "reprice"}, "must be above zero"),
    ({"loan": "L-0020", "reason": "income", "remedy": "reprice", "amount_cents": "1.5"}, "no whole number"),
    ({"loan": "L-0020", "reason": "income", "remedy": "repurchase", "amount_cents": "5"}, "leave it empty"),
    ({"loan": "L-0020", "reason": "income", "remedy": "repurchase", "date": "2011-01-01"}, "is after 2010-01"),
    ({"loan": "L-0020", "reason": "income", "remedy": "repurchase", "date": "2009-01-01"}, "before the loan was sold"),
]


@pytest.mark.parametrize(("demand", "why"), BAD, ids=[w for _, w in BAD])
def test_a_demand_that_cannot_stand_is_refused_with_why(
    market: Market, tmp_path: Path, demand: dict[str, str], why: str
) -> None:
    with pytest.raises(Refused, match=why):
        market.repurchase(demands(tmp_path, [demand]))


def test_a_relieved_lender_answers_only_for_what_outlives_the_relief(built: Path, tmp_path: Path) -> None:
    """Under a rule of four payments for a sale of 2009 the clean loans are relieved; the late one isn't."""
    market = kit.copied(built, tmp_path / "book")
    rule = {"payments": 4, "late_30": 0, "late_60": 0}
    with own_numbers({"repurchase.relief": rule}):
        with pytest.raises(Refused, match="only life-of-loan reasons stand"):
            market.repurchase(demands(tmp_path, [{"loan": "L-0020", "reason": "income", "remedy": "repurchase"}]))
        answer = market.repurchase(
            demands(tmp_path, [{"loan": "L-0020", "reason": "misstatement", "remedy": "repurchase"}])
        )
    assert answer["demands"] == 1


def test_the_desk_sees_defects_and_what_is_open(market: Market) -> None:
    top = market.lenders()["lenders"][0]
    assert (top["demands"], top["defect_rate_e4"], top["repurchases_outstanding"]) == (9, 10_000 * 9 // LOANS, 1)
    assert top["outstanding_cents"] == settled(market)[OPEN]["total_cents"]
    assert len(market.lenders("First Bank")["repurchases"]) == 9
