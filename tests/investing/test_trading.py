"""Trade tickets: how they are read, priced and refused."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from investing_frames import (
    BANK,
    CUSIP,
    FNMA_ID,
    MONTH,
    PENSION,
    issued,
    parties,
    pools,
    securities,
    security_factors,
    sold,
)

from poolhouse import investing, ledger, rules
from poolhouse.findings import Refused
from poolhouse.investing.tickets import parse_face, parse_price
from poolhouse.tables import Outcome
from poolhouse.tables.codes import GNMA

RULES = rules.load()
HEADER = "trade_id,cusip,seller,buyer,face,price,trade_date,settlement_date"
GOOD = f"T1,{CUSIP},fnma,investor:bank,1000000,101-16+,2009-03-05,2009-03-17"
HELD = issued((FNMA_ID, 100_000_000))
MARCH = security_factors((1, 99_500_000))


def read(tmp_path: Path, *rows: str, header: str = HEADER) -> tuple[pl.DataFrame, list[str]]:
    path = tmp_path / "tickets.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    tickets, findings = investing.read_tickets(path)
    return tickets, [f.message for f in findings]


def trade(tickets: pl.DataFrame, trades: pl.DataFrame = HELD, program: int = 1) -> Outcome:
    return investing.trade(
        tickets, parties(), securities(), pools({"program": program}), trades, MARCH, date(2009, 3, 2), MONTH + 1, RULES
    )


@pytest.mark.parametrize(
    ("text", "price"),
    [
        ("101.25", 101_250_000),
        ("101-08", 101_250_000),
        ("101-16+", 101_515_625),
        ("99-31", 99_968_750),
        ("100", 100_000_000),
    ],
)
def test_prices_in_decimals_and_32nds(text: str, price: int) -> None:
    assert parse_price(text) == price


@pytest.mark.parametrize("text", ["", "101-32", "par", "101,25", "1e2", "-5", "0", "101-8", "nan"])
def test_what_is_no_price(text: str) -> None:
    with pytest.raises(ValueError, match="no price"):
        parse_price(text)


def test_faces() -> None:
    assert parse_face("1,000,000") == parse_face("$1000000.00") == 100_000_000
    for text in ("", "0", "-1000", "1000.50", "1e6", "ten"):
        with pytest.raises(ValueError, match="no face"):
            parse_face(text)


def test_price_times_factor_times_face_plus_accrued(tmp_path: Path) -> None:
    tickets, unread = read(tmp_path, GOOD)
    outcome = trade(tickets)
    assert not unread and not outcome.findings
    (row,) = outcome.records["trades"].to_dicts()
    # 995,000 of current face at 101.515625 = 1,010,080.46875; 16 days of 30/360 at 4.5%: 1,990.00
    assert (row["principal_cents"], row["accrued_cents"], row["factor_e8"]) == (101_008_047, 199_000, 99_500_000)
    (event,) = outcome.events
    assert (event.kind, event.market_date) == ("TradesSettled", date(2009, 3, 17))
    lines = {(r["party_id"], r["account"]): r["cents"] for r in ledger.lines(event).to_dicts()}
    assert lines[(BANK, "cash")] == -101_207_047 == -lines[(FNMA_ID, "cash")]
    assert lines[(BANK, "securities_held")] == 99_500_000 == -lines[(FNMA_ID, "securities_held")]
    assert lines[(BANK, "trading_income")] == 1_508_047


@pytest.mark.parametrize(
    ("changed", "field", "reason"),
    [
        ({"cusip": "990000028"}, "cusip", "no security"),
        ({"face": "100000001"}, "face", "more than the seller can deliver"),
        ({"face": "999"}, "face", "minimum of $1,000.00"),
        ({"settlement": "2009-03-04"}, "settlement_date", "before the trade date"),
        ({"traded": "2009-01-02", "settlement": "2009-01-15"}, "settlement_date", "before the security's issue"),
        ({"traded": "2009-02-02", "settlement": "2009-02-18"}, "settlement_date", "closed days"),
        ({"settlement": "2009-04-15"}, "settlement_date", "open month"),
        ({"settlement": "2009-03-14"}, "settlement_date", "no business day"),
        ({"seller": "nobody"}, "seller", "no party"),
        ({"seller": "trusts"}, "seller", "no party"),
        ({"buyer": "fnma"}, "buyer", "seller too"),
        ({"seller": "investor:pension", "buyer": "investor:bank"}, "face", "more than"),
        ({"id": "issue:1:3"}, "trade_id", "already booked"),
    ],
)
def test_a_ticket_is_refused_with_field_value_and_reason(
    tmp_path: Path, changed: dict[str, str], field: str, reason: str
) -> None:
    t = {"id": "T1", "cusip": CUSIP, "seller": "fnma", "buyer": "investor:bank", "face": "1000000", "price": "101",
         "traded": "2009-03-05", "settlement": "2009-03-17"} | changed  # fmt: skip
    tickets, _ = read(tmp_path, GOOD.replace("T1", "T0"), ",".join(t.values()))
    outcome = trade(tickets)
    assert outcome.records["trades"]["trade_id"].to_list() == ["T0"]
    (finding,) = outcome.findings
    assert (finding.row, finding.field) == (2, field) and reason in finding.message
    assert finding.value and finding.value in finding.message


def test_the_same_ticket_twice_and_more_than_is_left(tmp_path: Path) -> None:
    tickets, _ = read(tmp_path, GOOD, GOOD, GOOD.replace("T1", "T2"))
    outcome = trade(tickets)
    assert [f.field for f in outcome.findings] == ["trade_id", "face"]
    assert "$0.00" in outcome.findings[1].message


def test_face_promised_for_a_later_day_is_not_sold_twice(tmp_path: Path) -> None:
    promised = pl.concat([HELD, sold("later", FNMA_ID, PENSION, 60_000_000, date(2009, 3, 20))])
    tickets, _ = read(
        tmp_path, GOOD.replace("1000000", "500000"), GOOD.replace("1000000", "400000").replace("T1", "T2")
    )
    outcome = trade(tickets, promised)
    assert outcome.records["trades"]["trade_id"].to_list() == ["T2"]
    assert "$400,000.00" in outcome.findings[0].message


def test_bought_and_sold_on_in_one_file(tmp_path: Path) -> None:
    on = f"T2,{CUSIP},Commercial bank (assumed),investor:pension,1000000,101,2009-03-05,2009-03-18"
    outcome = trade(read(tmp_path, on, GOOD)[0])
    assert not outcome.findings
    after = investing.positions(pl.concat([HELD, outcome.records["trades"]]), date(2009, 3, 18))
    assert after.rows() == [(1, PENSION, 100_000_000)]


def test_ginnie_minimum(tmp_path: Path) -> None:
    small, enough = GOOD.replace("1000000", "24999"), GOOD.replace("1000000", "25001").replace("T1", "T2")
    outcome = trade(read(tmp_path, small, enough)[0], program=GNMA)
    assert outcome.records["trades"]["trade_id"].to_list() == ["T2"]
    assert "$25,000.00" in outcome.findings[0].message


def test_before_its_factor_is_published_a_trade_has_no_price(tmp_path: Path) -> None:
    tickets, _ = read(tmp_path, GOOD)
    outcome = investing.trade(
        tickets, parties(), securities(), pools(), HELD, MARCH.clear(), date(2009, 3, 2), MONTH + 1, RULES
    )
    assert "not published" in outcome.findings[0].message


def test_unreadable_rows_are_named_and_the_others_go_on(tmp_path: Path) -> None:
    tickets, wrong = read(tmp_path, GOOD, f"T2,{CUSIP},fnma,,x,par,2009-02-30,", GOOD.replace("T1", "T3"))
    assert tickets["trade_id"].to_list() == ["T1", "T3"] and tickets["row"].to_list() == [1, 3]
    assert len(wrong) == 5 and all(message.startswith("ticket row 2: ") for message in wrong)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "empty"), (b"\xff\xfe\x00", "not a text file"), (b"trade_id,cusip\n", "lacks the columns seller")],
)
def test_what_is_no_ticket_file(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "tickets.csv"
    path.write_bytes(content)
    with pytest.raises(Refused, match=message):
        investing.read_tickets(path)
    with pytest.raises(Refused, match="no such file"):
        investing.read_tickets(tmp_path / "nothing.csv")
