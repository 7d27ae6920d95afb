"""The checks that other tests lean on can fail: one cent more in any amount of a loan's month is noticed."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import polars as pl
import pytest

import kit_market as kit
import money_checks
from poolhouse.market.market import Market

AMOUNTS = (
    "paid", "refunded", "advanced", "recovered", "shortfall", "servicer_kept", "owner_principal", "owner_interest",
    "buyout", "claim", "guaranty_fee", "guaranty_relief", "investor_interest", "suspense", "prepaid",
    "pending_unscheduled", "opening_actual", "opening_scheduled", "scheduled_interest", "servicing_fee", "payment",
)  # fmt: skip


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Market:
    return kit.build(tmp_path_factory.mktemp("checked") / "book", kit.sample(250), 4)


@pytest.mark.parametrize("name", AMOUNTS)
def test_one_cent_in_a_loans_month_is_noticed(market: Market, name: str) -> None:
    rows = money_checks.with_opening(market)
    money_checks.check_rows(rows)
    one = pl.when(pl.int_range(pl.len()) == rows.height // 2).then(1).otherwise(0)
    with pytest.raises(AssertionError):
        money_checks.check_rows(rows.with_columns(pl.col(f"{name}_cents") + one))


def test_a_promise_of_the_ledger_is_noticed(market: Market, tmp_path: Path) -> None:
    """A cent moved between two accounts of one party keeps the entry balanced and breaks the tie."""
    folder = market.book.folder
    market.close_book()
    copy = kit.copied(folder, tmp_path / "book")
    money_checks.check_loans_tie(copy)
    copy.close_book()
    with sqlite3.connect(next((tmp_path / "book").glob("record.sqlite"))) as record:
        for account, cents in (("servicing_memo", 1), ("servicing_memo_contra", -1)):
            record.execute(
                "update lines set cents = cents + ? where rowid = (select max(rowid) from lines where account = ?)",
                (cents, account),
            )  # fmt: skip
    with pytest.raises(AssertionError, match="servicing_memo"):
        money_checks.check_loans_tie(copy)
