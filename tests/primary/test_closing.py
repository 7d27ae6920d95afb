"""Closings posted by hand: who has what after each kind of closing."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poolhouse import primary, rules
from poolhouse.ledger import lines
from poolhouse.tables import Outcome
from sale.market_frames import balances, closing, lender, lenders, party

MARKET = date(2009, 1, 31)
BORROWERS = 1


def close(*rows: dict[str, Any], kind: str = "depository", interest: int = 0, principal: int = 0) -> Outcome:
    frame = closing(*rows, interest=interest, principal=principal)
    return primary.close(frame, lenders(lender(kind=kind)), 24108, MARKET, rules.load())


def test_a_purchase_to_the_cent() -> None:
    outcome = close({"points_cents": 2_000_00, "closing_costs_cents": 1_500_00, "odd_days_interest_cents": 480_82})
    posted = balances(outcome)
    advance = 180_000_00  # 90% of the note from deposits
    assert posted[1000, "loans_held"] == 200_000_00
    assert posted[1000, "line_payable"] == -advance
    assert posted[party("depositors"), "line_loans"] == advance
    assert posted[1000, "cash"] == -200_000_00 + advance + 2_000_00 + 480_82
    assert posted[1000, "points_income"] == -2_000_00
    assert posted[1000, "servicing_memo"] == 200_000_00 == -posted[1000, "servicing_memo_contra"]
    assert posted[BORROWERS, "mortgage_payable"] == -200_000_00
    assert posted[BORROWERS, "home"] == 250_000_00
    assert (BORROWERS, "cash") not in posted
    # 50,000 down, points, costs, odd days
    assert posted[party("borrowers_income"), "cash"] == -(50_000_00 + 2_000_00 + 1_500_00 + 480_82)
    assert posted[party("property_sellers"), "cash"] == 250_000_00
    assert posted[party("closing_payees"), "cash"] == 1_500_00


def test_cash_moves_on_the_note_date_and_deemed_payments_on_the_market_date() -> None:
    outcome = close({"note_date": date(2008, 11, 20)}, interest=1_600_00, principal=500_00)
    posted = lines(outcome.events[0])
    assert set(posted["value_date"]) == {date(2008, 11, 20), MARKET}
    held = balances(outcome)
    assert held[1000, "loans_held"] == 199_500_00 == -held[BORROWERS, "mortgage_payable"]
    assert held[1000, "servicing_memo"] == 199_500_00
    assert held[1000, "interest_income"] == -1_600_00
    assert (BORROWERS, "cash") not in held


def test_an_odd_days_credit_is_paid_by_the_lender() -> None:
    posted = balances(close({"odd_days_interest_cents": -53_42}))
    assert posted[1000, "interest_income"] == 53_42
    assert posted[party("borrowers_income"), "cash"] == -(50_000_00 - 53_42)
    assert (BORROWERS, "cash") not in posted


def test_a_refinance_repays_the_old_lender_and_buys_no_home() -> None:
    posted = balances(close({"purpose": "limited_cash_out", "closing_costs_cents": 900_00}))
    assert posted[party("prior_lenders"), "cash"] == 200_000_00
    assert (party("property_sellers"), "cash") not in posted
    assert posted[BORROWERS, "home"] == 250_000_00
    assert posted[party("borrowers_income"), "cash"] == -900_00
    # Equity brought: home less debt repaid, plus the cash for costs.
    assert posted[BORROWERS, "capital"] == -(250_000_00 - 200_000_00 + 900_00)


@pytest.mark.parametrize(("kind", "insurer"), [("fha", "fha"), ("va", "va"), ("usda", "usda"), ("conventional", "mi")])
def test_a_financed_fee_goes_to_the_loans_insurer_out_of_the_note(kind: str, insurer: str) -> None:
    posted = balances(close({"kind": kind, "financed_fee_cents": 3_500_00, "value_cents": 210_000_00}))
    assert posted[party(insurer), "cash"] == 3_500_00
    assert posted[party(insurer), "premium_income"] == -3_500_00
    assert posted[party("borrowers_income"), "cash"] == -(210_000_00 - 196_500_00)


def test_a_loan_above_the_price_pays_costs_and_then_the_borrower() -> None:
    posted = balances(close({"value_cents": 198_000_00, "closing_costs_cents": 500_00}))
    assert posted[party("property_sellers"), "cash"] == 198_000_00
    assert posted[party("borrowers_income"), "cash"] == 1_500_00


def test_without_a_value_the_home_stands_at_what_the_loan_paid() -> None:
    outcome = close({"value_cents": None})
    assert balances(outcome)[BORROWERS, "home"] == 200_000_00
    assert outcome.events[0].body["value_unknown"] == 1


def test_owner_and_servicer_from_the_note_date_and_a_pledge_only_to_a_secured_line() -> None:
    deposits = close({})
    assert deposits.tables["assignments"].select("role", "from_id", "to_id", "effective_date").rows() == [
        ("owner", 0, 1000, date(2009, 1, 14)),
        ("servicer", 0, 1000, date(2009, 1, 14)),
    ]
    warehouse = close({}, kind="nonbank").tables["assignments"].filter(pl.col("role") == "pledge")
    assert warehouse["to_id"].to_list() == [party("warehouse")]


def test_advances_are_what_the_line_paid() -> None:
    frame = closing({"note_amount_cents": 100_000_05}, {"note_amount_cents": 50_000_00})
    drawn = primary.advances(frame, lenders(lender(kind="nonbank")), rules.load())
    assert drawn.rows() == [(0, 98_000_05), (1, 49_000_00)]  # 98%, half-up: 9,800,004.9 cents
    outcome = primary.close(frame, lenders(lender(kind="nonbank")), 24108, MARKET, rules.load())
    assert balances(outcome)[1000, "line_payable"] == -drawn["line_principal_cents"].sum()


def test_a_breached_line_or_capital_is_a_finding_and_the_loans_still_close() -> None:
    big = {"note_amount_cents": 600_000_000_00, "value_cents": 800_000_000_00}
    outcome = close(big, kind="nonbank")
    assert [f.rule for f in outcome.findings] == ["primary.line_limit_cents"]
    assert "$588,000,000.00" in outcome.findings[0].message
    assert "lender 1000" in outcome.findings[0].message
    assert outcome.events[0].body["loans"] == 1
    ten = close(*[big] * 10, kind="nonbank").findings
    assert [(f.rule, f.count) for f in ten] == [("primary.line_limit_cents", 10), ("primary.capital_cents", 10)]


def test_an_unknown_originator_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"\[1007\]"):
        close({"originator_party_id": 1007})


@settings(max_examples=40, deadline=None)
@given(
    note=st.integers(1_00, 900_000_00),
    value=st.none() | st.integers(1_00, 1_000_000_00),
    fee=st.integers(0, 90),
    points=st.integers(0, 9_000_00),
    costs=st.integers(0, 9_000_00),
    odd=st.integers(-2_000_00, 2_000_00),
    purpose=st.sampled_from(["purchase", "limited_cash_out", "cash_out"]),
    interest=st.integers(0, 5_000_00),
)
def test_any_closing_balances_and_leaves_no_cash_with_the_borrowers(
    note: int, value: int | None, fee: int, points: int, costs: int, odd: int, purpose: str, interest: int
) -> None:
    row = {
        "note_amount_cents": note,
        "value_cents": value,
        "financed_fee_cents": note * fee // 1000,
        "points_cents": points,
        "closing_costs_cents": costs,
        "odd_days_interest_cents": odd,
        "purpose": purpose,
    }
    outcome = close(row, interest=interest, principal=note // 100)
    posted = balances(outcome)
    assert (BORROWERS, "cash") not in posted
    by_party = lines(outcome.events[0]).group_by("party_id").agg(pl.col("cents").sum())
    assert not by_party.filter(pl.col("cents") != 0).height
    assert sum(c for (_, account), c in posted.items() if account == "cash") == 0
    assert posted[1000, "loans_held"] == note - note // 100 == -posted[BORROWERS, "mortgage_payable"]
