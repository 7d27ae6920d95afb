"""Commitments: a sale fills them at their price, and at expiry what is missing costs what was agreed, to the cent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

import kit_market as kit
import money_checks
from kit_commitments import ABOVE, BELOW, EFFORTS, FEE, LATER, LOANS, build, promises
from poolhouse.findings import Refused
from poolhouse.market.market import Market

SHEET_E6 = 105_565_000


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("commitments"))


@pytest.fixture(scope="module")
def market(built: Path) -> Market:
    return Market(built)


def stands(market: Market) -> dict[str, dict[str, Any]]:
    return {c["commitment_id"]: c for c in market.commit()["commitments"]}


def test_the_money_of_a_book_with_commitments_is_all_there(market: Market) -> None:
    money_checks.check_all(market)
    money_checks.check_promises(market)


def test_deliveries_fill_them_at_their_price(market: Market) -> None:
    """Four and two loans above the sheet; one below it, for a fee saved; the rest at the sheet's price."""
    sales = market.book.segment("sales")
    given = market.book.segment("deliveries").join(sales, on="loan_id")
    found = dict(given.group_by("commitment_id").agg(pl.struct(pl.len(), pl.col("price_e6").first())).rows())
    assert {k: (v["len"], v["price_e6"]) for k, v in found.items()} == {
        ABOVE: (4, 105_800_000),
        EFFORTS: (2, 105_640_625),  # 105 and 20.5/32
        FEE: (1, 105_500_000),
    }
    rest = sales.join(given, on="loan_id", how="anti")
    assert rest.height == LOANS - 7 and set(rest["price_e6"]) == {SHEET_E6}
    assert given.filter(pl.col("commitment_id") == ABOVE)["proceeds_cents"].to_list() == [26_450_000] * 4


def test_what_each_came_to(market: Market) -> None:
    found = stands(market)
    states = {name: (c["state"], c["delivered_cents"], c["short_cents"], c["cost_cents"]) for name, c in found.items()}
    # Missing 495,000 at 0.125 and the 0.565 that the sheet stood above 105: 0.69 per 100.
    assert states == {
        ABOVE: ("filled", 100_000_000, 0, 0),
        BELOW: ("paired_off", 0, 49_500_000, 341_550),
        EFFORTS: ("expired", 50_000_000, 10_000_000, 0),
        FEE: ("filled", 25_000_000, 0, 0),
        LATER: ("open", 0, 0, 0),
    }
    assert (found[BELOW]["market_price_e6"], found[BELOW]["settled_date"]) == (SHEET_E6, "2009-02-28")
    assert market.commit()["open"] == 1 and len(market.lenders("First Bank")["commitments"]) == 5


def test_the_pair_off_is_cash_between_lender_and_buyer(market: Market) -> None:
    events = market.book.stored_events("PairedOff")
    assert events.height == 1
    cash = market.book.lines(int(events["seq"][0]), account="cash").sort("cents")
    names = dict(market.book.records("parties").select("party_id", "code").rows())
    assert [(names[p], c) for p, c in cash.select("party_id", "cents").rows()] == [
        ("originator:first-bank", -341_550),
        ("fhlmc", 341_550),
    ]


def test_advices_hold_with_commitments(market: Market) -> None:
    answer = market.advice("First Bank")
    assert all(w["difference_cents"] == 0 for w in answer["wires"]) and answer["loans"] == LOANS


def test_a_real_sample_fills_what_it_can(tmp_path: Path) -> None:
    """A large promise above the sheet takes a lender's loans of that coupon; nothing else changes for the others."""
    plain = kit.build(tmp_path / "plain", kit.sample(70), 2, seed=5)
    month = plain._desk().month
    for step in ("check", "sell"):
        getattr(plain, step)()
    moved = plain.book.segment("sales", month).filter(
        (pl.col("program") <= 2) & (pl.col("seller_id") != pl.col("buyer_id"))
    )
    top = moved.group_by("seller_id", "program", "coupon_rate_e7").agg(pl.len()).sort("len", "seller_id").tail(1)
    lender, program, coupon, count = top.row(0)
    code = plain.book.records("parties").filter(pl.col("party_id") == lender)["code"][0]
    market = kit.build(tmp_path / "book", kit.sample(70), 2, seed=5)
    row = {
        "id": "all", "lender": code, "program": ("fnma", "fhlmc")[program - 1], "kind": "mandatory",
        "coupon": str(coupon / 100_000), "amount_cents": 10**11, "price": "149", "expires": "2012-01-31",
    }  # fmt: skip
    market.commit(kit.write_rows(tmp_path / "commitments.csv", [row]))
    for step in ("check", "sell"):
        getattr(market, step)()
    given = market.book.segment("deliveries", month)
    assert given.height >= count > 0
    others = [m.book.segment("sales", month).filter(pl.col("seller_id") != lender).drop("tie") for m in (plain, market)]
    assert others[0].equals(others[1])
    for step in ("pool", "issue", "notify"):
        getattr(market, step)()
    market.close_month()
    money_checks.check_all(market)
    money_checks.check_promises(market)


GOOD: dict[str, Any] = {
    "id": "new", "program": "fnma", "kind": "mandatory", "coupon": "6", "amount_cents": 5_000_000, "price": "101",
    "expires": "2011-01-31",
}  # fmt: skip
BAD: list[tuple[dict[str, Any], str]] = [
    ({"id": ""}, "give each commitment a name"),
    ({"id": BELOW}, "is there already"),
    ({"lender": "Nobody"}, "no such lender"),
    ({"program": "fha"}, "must be one of fnma"),
    ({"kind": "perhaps"}, "must be one of mandatory, best_efforts"),
    ({"coupon": "six"}, "no number"),
    ({"coupon": "6.25"}, "they go by 0.5%"),
    ({"amount_cents": "0"}, "above 0"),
    ({"amount_cents": "10.5"}, "no whole number of cents"),
    ({"amount_cents": "99999999999999"}, "at most 1000000000000"),
    ({"tolerance_pct": "101"}, "at most 100"),
    ({"price": "free"}, "is no price"),
    ({"price": "10550"}, "between 50 and 150"),
    ({"expires": "2009-02-30"}, "is no date"),
    ({"expires": "2009-05-31"}, "before the next sale"),
    ({"term": "365"}, "must be one of 120, 180, 240, 360"),
]


@pytest.mark.parametrize(("change", "why"), BAD, ids=[w for _, w in BAD])
def test_a_commitment_that_cannot_stand_is_refused_with_why(
    market: Market, tmp_path: Path, change: dict[str, Any], why: str
) -> None:
    with pytest.raises(Refused, match=why):
        market.commit(promises(tmp_path, [{**GOOD, **change}]))


def test_good_rows_go_on_beside_bad_ones(built: Path, tmp_path: Path) -> None:
    copy = kit.copied(built, tmp_path / "book")
    answer = copy.commit(promises(tmp_path, [GOOD, {**GOOD, "id": "worse", "price": "none"}, GOOD]))
    assert (answer["commitments"], answer["rejected"]) == (1, 2)
    assert [r["field"] for r in answer["rejects"]] == ["price", "id"]
    assert copy.commit()["open"] == 2


def test_a_lender_that_is_no_longer_bought_from_can_promise_nothing(built: Path, tmp_path: Path) -> None:
    copy = kit.copied(built, tmp_path / "book")
    copy.rate_lender("First Bank", "suspended", "under review")
    with pytest.raises(Refused, match="buy nothing new from it"):
        copy.commit(promises(tmp_path, [GOOD]))
    assert copy.commit()["open"] == 1
