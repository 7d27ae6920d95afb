"""Trades of a real book: what settles by the record date is paid the month after, what settles later is not."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import kit_market as kit
import money_checks
from poolhouse.findings import Refused
from poolhouse.market.market import Market
from poolhouse.money import half_up_div

SELLER, BUYER = "investor:pension", "investor:bank"
FACE = 100_000_00
HEADER = ("trade_id", "cusip", "seller", "buyer", "face", "price", "trade_date", "settlement_date")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty loans pooled in February and held by investors; April is open."""
    folder = tmp_path_factory.mktemp("template")
    kit.build(folder / "book", kit.write_rows(folder / "tape.csv", kit.alike(40)), 3).close_book()
    return folder / "book"


@pytest.fixture
def april(template: Path, tmp_path: Path) -> Market:
    return kit.copied(template, tmp_path / "book")


def ticket(market: Market, settles: date, **changes: Any) -> dict[str, Any]:
    cusip = market.book.records("securities")["cusip"][0]
    values = ("T-1", cusip, SELLER, BUYER, "100,000", "101-08", date(2009, 4, 1), settles)
    return dict(zip(HEADER, values, strict=True)) | changes


def tickets(path: Path, *rows: dict[str, Any]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, HEADER)
        writer.writeheader()
        writer.writerows(rows)
    return path


def face_paid(market: Market, month: int, code: str) -> int:
    """Original face on which a holder was paid in a month."""
    holder = market.book.records("parties").filter(pl.col("code") == code)["party_id"][0]
    rows = market.book.segment("holder_months", month).filter(pl.col("holder_id") == holder)
    return int(rows["face_cents"].sum())


def close_months(market: Market, count: int) -> None:
    for _ in range(count):
        kit.month_by_steps(market)


@pytest.mark.parametrize("settles", [date(2009, 4, 15), date(2009, 4, 30)])
def test_settled_in_april_is_paid_from_may_on(april: Market, tmp_path: Path, settles: date) -> None:
    """April's payment goes to the holders of 31 March; 30 April is May's record date, still in time."""
    held = {code: face_paid(april, kit.JANUARY + 2, code) for code in (SELLER, BUYER)}
    april.trade(tickets(tmp_path / "t.csv", ticket(april, settles)))
    close_months(april, 2)
    for month, moved in ((kit.JANUARY + 3, 0), (kit.JANUARY + 4, FACE)):
        assert face_paid(april, month, SELLER) == held[SELLER] - moved
        assert face_paid(april, month, BUYER) == held[BUYER] + moved
    money_checks.check_all(april)
    money_checks.check_promises(april)


def test_settled_after_the_record_date_does_not_move_the_next_payment(april: Market, tmp_path: Path) -> None:
    """May's last business day is Friday the 29th; June's payment is unmoved by a trade of 1 June."""
    close_months(april, 2)
    assert april.book.market_date == date(2009, 6, 1)
    held = face_paid(april, kit.JANUARY + 4, BUYER)
    april.trade(tickets(tmp_path / "t.csv", ticket(april, date(2009, 6, 1))))
    close_months(april, 2)
    assert april.book.segment("pool_factors", kit.JANUARY + 5)["record_date"][0] == date(2009, 5, 29)
    assert face_paid(april, kit.JANUARY + 5, BUYER) == held
    assert face_paid(april, kit.JANUARY + 6, BUYER) == held + FACE


def test_a_trade_pays_price_times_factor_and_accrued(april: Market, tmp_path: Path) -> None:
    """101-08 of current face, and 14 days of 30/360 interest from 1 to 15 April, delivery versus payment."""
    cash = {code: kit.balance(april, code, "cash") for code in (SELLER, BUYER, "dealer")}
    answer = april.trade(tickets(tmp_path / "t.csv", ticket(april, date(2009, 4, 15))))
    assert (answer["settled"], answer["rejected"]) == (1, 0)
    row = april.book.records("trades").filter(pl.col("trade_id") == "T-1").row(0, named=True)
    current = FACE * row["factor_e8"]
    assert row["principal_cents"] == half_up_div(current * 10_125, 10**8 * 10_000)
    coupon = april.book.records("pools")["coupon_rate_e7"][0]
    assert row["accrued_cents"] == half_up_div(current * coupon * 14, 10**8 * 10**7 * 360)
    money = row["principal_cents"] + row["accrued_cents"]
    assert kit.balance(april, SELLER, "cash") == cash[SELLER] + money
    assert kit.balance(april, BUYER, "cash") == cash[BUYER] - money
    assert kit.balance(april, "dealer", "cash") == cash["dealer"]
    close_months(april, 1)
    factor = april.book.segment("pool_factors", kit.JANUARY + 3)["factor_e8"][0]
    assert row["factor_e8"] == factor  # known on the 1st, published on business day 4


def test_bad_tickets_are_rejected_and_the_others_settle(april: Market, tmp_path: Path) -> None:
    good = ticket(april, date(2009, 4, 15))
    bad = [
        ({"cusip": "990000XX9"}, "cusip"), ({"buyer": "nobody"}, "buyer"), ({"buyer": SELLER}, "buyer"),
        ({"face": "0"}, "face"), ({"face": "900,000,000"}, "face"), ({"face": "999"}, "face"),
        ({"price": "zero"}, "price"),
        ({"settlement_date": "2009-04-18"}, "settlement_date"), ({"settlement_date": "2009-05-04"}, "settlement_date"),
        ({"settlement_date": "2009-03-31"}, "settlement_date"), ({"trade_date": "yesterday"}, "trade_date"),
        ({"trade_id": "T-1"}, "trade_id"), ({"trade_id": ""}, "trade_id"),
    ]  # fmt: skip
    rows = [good] + [{**good, "trade_id": f"B-{i}", **change} for i, (change, _) in enumerate(bad)]
    answer = april.trade(tickets(tmp_path / "t.csv", *rows))
    assert (answer["settled"], answer["rejected"]) == (1, len(bad))
    assert [(r["row"], r["field"]) for r in answer["rejects"]] == [(i + 2, field) for i, (_, field) in enumerate(bad)]
    head = april.book.head
    assert april.trade(tmp_path / "t.csv") == answer and april.book.head == head  # once more: the same answer
    again = tickets(tmp_path / "again.csv", good, {**good, "trade_id": "T-2"})
    assert april.trade(again)["rejects"][0]["field"] == "trade_id"
    close_months(april, 2)
    money_checks.check_all(april)


@pytest.mark.parametrize("content", [b"", b"\x00\xff\xfe\x01", b"cusip,buyer\n1,2\n"])
def test_a_file_without_tickets_is_refused(april: Market, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    head = april.book.head
    with pytest.raises(Refused):
        april.trade(tmp_path / "t.csv")
    with pytest.raises(Refused, match=r"no ticket can settle: ticket row 1: \w+ '[^']*' is"):
        april.trade(tickets(tmp_path / "u.csv", ticket(april, date(2009, 4, 15), buyer="nobody")))
    assert april.book.head == head
