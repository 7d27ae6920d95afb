"""Months with nothing in them: before the first loan closes, after the last one ended, with nothing sold or pooled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

import kit_market as kit
import money_checks
from poolhouse.findings import Refused
from poolhouse.market.market import Market


def built(folder: Path, rows: list[dict[str, Any]], months: int, payments: Path | None = None) -> Market:
    tape = kit.write_rows(folder / "tape.csv", rows)
    market = kit.build(folder / "book", tape, months, payments, start="2009-01")
    money_checks.check_all(market)
    money_checks.check_promises(market)
    return market


def test_months_before_the_first_loan(tmp_path: Path) -> None:
    """The market opens in January; the first note is of March."""
    market = built(tmp_path, kit.alike(6, note_date="2009-03-11", first_due_date="2009-05-01"), 5)
    assert market.book.months("loan_months") == [kit.JANUARY + m for m in (2, 3, 4)]
    assert market.book.segment("sales").height == 6


def test_months_after_the_last_loan(tmp_path: Path) -> None:
    """All loans are paid off in April; the trusts get the rest in May; June and July are empty."""
    paid = [
        dict(zip(kit.PAYMENT_COLUMNS, (f"L-{i:04d}", "2009-04-20", 26_000_000, "payoff", f"off-{i}"), strict=True))
        for i in range(6)
    ]
    market = built(tmp_path, kit.alike(6), 7, kit.write_rows(tmp_path / "payments.csv", paid))
    assert market.book.segment("pool_factors", kit.JANUARY + 6)["factor_e8"].to_list() == [0]
    assert sum(abs(c) for c in market.book.balances().filter(kit.account("certificates"))["cents"]) == 0


def test_months_after_the_last_loan_under_the_borrower_model(tmp_path: Path) -> None:
    """Notes of one instalment: due in March, gone soon after, and nobody is left to pay."""
    market = built(
        tmp_path, kit.alike(2, term_months=1, note_amount_cents=100_000, points_cents=0, closing_costs_cents=0), 8
    )
    assert not market.book.segment("loan_months", kit.JANUARY + 7).filter(pl.col("closing_actual_cents") > 0).height
    assert market.book.segment("payments")["loan_id"].n_unique() == 2


def test_a_book_whose_loans_nobody_buys(tmp_path: Path) -> None:
    """Too large for the enterprises and without a score for the conduit: they stay with their lender."""
    market = built(tmp_path, kit.alike(3, note_amount_cents=90_000_000, score="", note_rate_e7=800_000), 4)
    assert not market.book.records("pools").height and not market.book.segment("sales").height
    assert market.book.segment("refusals")["loan_id"].n_unique() == 3
    assert kit.balance(market, "originator:first-bank", "line_payable") == 0  # the line is repaid all the same


def test_a_book_in_which_no_loan_closes(tmp_path: Path) -> None:
    """Every row of the tape is a note that ended long ago: rejects, and months without rows."""
    market = built(tmp_path, kit.alike(2, note_date="1978-01-10", first_due_date="1978-03-01"), 2)
    assert market.book.segment("rejects").height == 2 and not market.book.segment("loan_months").height


def test_a_tape_without_a_usable_row_makes_no_book(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="none of 2 rows can be used"):
        built(tmp_path, kit.alike(2, kind="gold"), 1)
    assert not (tmp_path / "book").exists()
