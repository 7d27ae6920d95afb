"""Prices of a tape and of a book's loan: what is told when there is none, and at which balance."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

import kit_market as kit
from poolhouse.findings import Refused
from poolhouse.market.market import Market
from poolhouse.market.price import price_tape

DAY = "2026-11-23"


def test_why_loans_have_no_outlet(tmp_path: Path) -> None:
    """One that meets no standards, one that can't be judged, one with the minimum insurance, an FHA loan above the
    sheet's prices."""
    facts = [
        {"ltv_e4": 9_900, "mi_pct": 35}, {"ltv_e4": "", "value_cents": ""}, {"ltv_e4": 9_000, "mi_pct": 12},
        {"kind": "fha", "ltv_e4": 9_650, "note_rate_e7": 1_500_000},
    ]  # fmt: skip
    base = {"note_date": "2026-11-02", "first_due_date": "2027-01-01"}
    rows = [{**row, **base, **change} for row, change in zip(kit.alike(4), facts, strict=True)]
    answer = price_tape(kit.write_rows(tmp_path / "tape.csv", rows), as_of=DAY)
    assert {row["reason"].split(":")[0]: row["loans"] for row in answer["unpriced"]} == {
        "no program's standards are met": 1,
        "a field that the standards ask for is missing": 1,
        "adjustment for the minimum mortgage insurance option is not known": 1,
        "no price on the sheet within the limits": 1,
    }


def test_settlements_that_come_too_soon_are_told(tmp_path: Path) -> None:
    tape = kit.write_rows(tmp_path / "tape.csv", kit.alike(1, note_date="2026-11-02", first_due_date="2027-01-01"))
    sheet = tmp_path / "sheet.toml"
    late, early = ('[[tba]]\nsettle = 2026-11-24\nprices = {"6.0" = 101}\n', "settle = 2026-12-14")
    sheet.write_text(late, encoding="utf-8")
    answer = price_tape(tape, as_of=DAY, sheet=sheet)
    assert answer["settlement_date"] is None
    assert any("comes too soon after 2026-11-23" in note for note in answer["notes"])
    sheet.write_text(late + late.replace("settle = 2026-11-24", early), encoding="utf-8")
    answer = price_tape(tape, as_of=DAY, sheet=sheet)
    assert answer["settlement_date"] == date(2026, 12, 14)
    assert not any("too soon" in note for note in answer["notes"])


def test_a_month_whose_mortgage_rate_is_not_known_is_told(tmp_path: Path) -> None:
    tape = kit.write_rows(tmp_path / "tape.csv", kit.alike(1))
    sheet = tmp_path / "sheet.toml"
    sheet.write_text('[[tba]]\nprices = {"6.0" = 101}\n[carry]\nline_rate = 6\nmarket_rate = 6\n', encoding="utf-8")
    for day, given, told in (("2009-03-01", None, False), ("2040-03-01", None, True), ("2040-03-01", sheet, False)):
        notes = price_tape(tape, as_of=day, sheet=given)["notes"]
        assert any(note.startswith("the mortgage rate of 2040-03 is not known") for note in notes) == told, day


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Market:
    """Two loans: one pays 100,000 down in February, the other is paid off."""
    folder = tmp_path_factory.mktemp("prices")
    market = kit.build(folder / "book", kit.write_rows(folder / "tape.csv", kit.alike(2)), 1)
    kit.month_by_steps(market)
    rows = [
        {"loan": "L-0000", "received_date": "2009-03-01", "amount_cents": 10_158_017, "kind": "curtailment"},
        {"loan": "L-0001", "received_date": "2009-03-10", "amount_cents": 25_500_000, "kind": "payoff"},
    ]
    payments = [{**row, "reference": str(i)} for i, row in enumerate(rows)]
    kit.month_by_steps(market, kit.write_rows(folder / "payments.csv", payments))
    return market


def test_a_books_loan_is_priced_at_the_books_balance(market: Market) -> None:
    state = market.book.scan("loan_months").filter(pl.col("loan_id") == 0).sort("month").collect().row(-1, named=True)
    balance = market.price("L-0000")["offers"][0]["balance_cents"]
    owed = state["closing_scheduled_cents"] - state["pending_unscheduled_cents"]
    assert balance < owed < 15_100_000  # less the principal of the instalment due in the open month
    interest = (2 * owed * 650_000 // 12 + 10_000_000) // 20_000_000
    assert owed - balance == state["payment_cents"] - interest


def test_a_loan_that_has_ended_has_no_price(market: Market) -> None:
    with pytest.raises(Refused, match="L-0001: it has ended in the book"):
        market.price("L-0001")
