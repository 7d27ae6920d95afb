"""A private pool is issued as a deal: its losses go to the classes from the bottom up, month by month, to the cent."""

from __future__ import annotations

import csv
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import kit_market as kit
from poolhouse.dates import parse_month
from poolhouse.findings import Refused
from poolhouse.market.lookthrough import balances, stakes
from poolhouse.market.market import Market
from poolhouse.web import value_page

CLASSES = ("A", "B1", "B2", "B3", "B4", "B5", "B6")
SHARES_E6 = (945_000, 22_500, 12_500, 7_500, 5_000, 3_750, 3_750)
HEADER = ("trade_id", "cusip", "seller", "buyer", "face", "price", "trade_date", "settlement_date")
BUYER = "investor:bank"


@pytest.fixture
def market(lossy: Path, tmp_path: Path) -> Market:
    return kit.copied(lossy, tmp_path / "book")


def securities(market: Market) -> dict[str, dict[str, Any]]:
    rows = market.book.records("securities").sort("security_id").to_dicts()
    return {row["class_name"]: row for row in rows}


def test_classes_are_issued_and_placed_instead_of_the_pool(market: Market) -> None:
    (pool,) = market.book.records("pools").to_dicts()
    issued = securities(market)
    assert tuple(issued) == CLASSES
    assert sum(s["original_face_cents"] for s in issued.values()) == pool["face_cents"]
    for name, share in zip(CLASSES, SHARES_E6, strict=True):
        assert abs(issued[name]["original_face_cents"] * 10**6 - pool["face_cents"] * share) <= 100 * 10**6
    trades = market.book.records("trades")
    placed = trades.filter(pl.col("kind") == "placement").group_by("security_id").agg(pl.col("face_cents").sum())
    assert dict(placed.iter_rows()) == {s["security_id"]: s["original_face_cents"] for s in issued.values()}
    assert set(trades["security_id"]) == {s["security_id"] for s in issued.values()}


def test_losses_take_the_lowest_class_first_and_holders_get_what_classes_get(market: Market) -> None:
    """The remittances on one side, the classes' months on the other; shifting interest by hand, in fractions."""
    issued = securities(market)
    left = {name: row["original_face_cents"] for name, row in issued.items()}
    months = market.book.segment("pool_months").group_by("month").sum().sort("month")
    months = months.filter(pl.col("opening_scheduled_cents") > 0)
    rows = market.book.segment("class_months")
    holders = market.book.segment("holder_months")
    assert (months["loss_cents"] > 0).sum() == 2 and rows["month"].n_unique() == months.height
    for month in months.iter_rows(named=True):
        mine = {name: rows.filter((pl.col("month") == month["month"]) & (pl.col("security_id") == s["security_id"]))
                .row(0, named=True) for name, s in issued.items()}  # fmt: skip
        senior, whole = left["A"], sum(left.values())
        # all unscheduled principal to the senior class in the first five years, the scheduled by balance
        if left["B1"]:
            owed = Fraction(month["scheduled_principal_cents"] * senior, whole) + month["unscheduled_principal_cents"]
            assert abs(mine["A"]["principal_cents"] - owed) <= 1
        assert sum(r["principal_cents"] for r in mine.values()) == (
            month["scheduled_principal_cents"] + month["unscheduled_principal_cents"]
        )
        loss = month["loss_cents"]
        for name in reversed(CLASSES):
            row = mine[name]
            interest = Fraction(left[name] * month["investor_interest_cents"], month["opening_scheduled_cents"])
            assert row["opening_cents"] == left[name] and abs(row["interest_cents"] - interest) <= 2
            left[name] -= row["principal_cents"]
            part = min(left[name], loss)
            assert row["loss_cents"] == part
            left[name], loss = left[name] - part, loss - part
            assert row["closing_cents"] == left[name]
            got = holders.filter(
                (pl.col("month") == month["month"]) & (pl.col("security_id") == issued[name]["security_id"])
            )
            assert got["principal_cents"].sum() == row["principal_cents"]
            assert got["interest_cents"].sum() == row["interest_cents"]
        assert loss == 0 and sum(left.values()) == month["closing_scheduled_cents"]
    gone = [name for name in CLASSES if not left[name]]
    assert gone == list(CLASSES[-len(gone) :]) and 3 <= len(gone) < 6


def test_late_is_what_was_two_instalments_behind_at_the_months_end_before(market: Market) -> None:
    """By the due dates in the loans' own rows; two loans stop paying in April, so they are late from May's end on."""
    dates = market.book.segment("deal_months").sort("month")
    rows = market.book.segment("loan_months").filter((pl.col("pool_id") > 0) & (pl.col("end_code") == 0))
    due = pl.col("last_paid_due_date").dt.year() * 12 + pl.col("last_paid_due_date").dt.month() - 1
    late = rows.filter(pl.col("month") - due >= 2).group_by(pl.col("month") + 1).agg(
        pl.col("closing_scheduled_cents").sum()
    )  # fmt: skip
    by_month = dict(late.iter_rows())
    assert dates["late_cents"].to_list() == [by_month.get(month, 0) for month in dates["month"].to_list()]
    assert [month for month, cents in dates.select("month", "late_cents").iter_rows() if cents] == [
        parse_month(f"2009-{m:02d}") for m in (6, 7, 8)
    ]


def test_what_holders_lost_stands_in_their_books_and_every_promise_holds(market: Market) -> None:
    lost = int(market.book.segment("class_months")["loss_cents"].sum())
    holders = market.book.records("trades").filter(pl.col("kind") == "placement")["buyer_id"].unique().to_list()
    balances = market.book.balances(account="credit_loss", parties=holders)
    assert balances["cents"].sum() == lost > 40_000_000
    answer = market.verify()
    assert [p["first_failure"] for p in answer["promises"] if not p["ok"]] == []


def test_the_pools_own_deal_run_again_from_its_remittances_gives_what_the_book_paid(market: Market) -> None:
    """`structure --pool` without a file: the deal from its closing on, on what the pool brought."""
    answer = market.structure(None, "P000001", speeds={"cpr": 10})
    rows = market.book.segment("class_months")
    issued = {s["security_id"]: name for name, s in securities(market).items()}
    paid = {
        (r["month"], issued[r["security_id"]]): (r["interest_cents"], r["principal_cents"], r["loss_cents"],
                                                 r["closing_cents"])
        for r in rows.to_dicts()
    }  # fmt: skip
    again = {
        (parse_month(r["month"]), r["class"]): (r["interest_cents"], r["principal_cents"], r["loss_cents"],
                                                r["ending_balance_cents"])
        for r in answer["history"]
    }  # fmt: skip
    assert again == paid
    late = market.structure(None, "P000001", speeds={"cpr": 10}, prices={"A": 100})["classes"][0]
    paid_at_once = 200 * ((1 + securities(market)["A"]["class_rate_e7"] / 120_000_000) ** 6 - 1)
    assert paid_at_once - 0.15 < late["bond_equivalent_yield"] < paid_at_once - 0.02  # on the 25th: 24 days later
    assert [c["cusip"] for c in answer["so_far"]] == [s["cusip"] for s in securities(market).values()]
    assert "shifting" in answer["terms"] and answer["collateral"]["balance_cents"] == sum(
        c["balance_cents"] for c in answer["so_far"]
    )


def test_a_class_is_sold_at_the_open_months_factor(market: Market, tmp_path: Path) -> None:
    """October is closed; a ticket of November settles on what the class will be after November's payment date."""
    senior = securities(market)["A"]
    code = dict(market.book.records("parties").select("party_id", "code").iter_rows())
    last = market.book.records("trades").filter(
        (pl.col("security_id") == senior["security_id"]) & (pl.col("kind") == "placement")
    )
    seller = code[last["buyer_id"][0]]
    path = tmp_path / "tickets.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(HEADER)
        rows.writerow(("T-1", senior["cusip"], seller, BUYER, "1,000,000", "99-16", "2009-11-02", "2009-11-16"))
        rows.writerow(
            ("T-2", securities(market)["B6"]["cusip"], seller, BUYER, "25,000", "20", "2009-11-02", "2009-11-16")
        )
    for step in ("check", "sell", "pool", "issue"):
        getattr(market, step)()
    answer = market.trade(path)
    assert (answer["settled"], answer["rejected"]) == (1, 1)
    assert "factor is zero" in answer["rejects"][0]["message"]
    market.notify()
    market.close_month()
    row = market.book.segment("class_months", parse_month("2009-11")).filter(
        pl.col("security_id") == senior["security_id"]
    )
    trade = market.book.records("trades").filter(pl.col("trade_id") == "T-1").row(0, named=True)
    assert trade["factor_e8"] == row["factor_e8"][0]
    current = Fraction(100_000_000 * trade["factor_e8"], 10**8)
    assert abs(trade["principal_cents"] - current * Fraction(199, 200)) <= 1
    assert abs(trade["accrued_cents"] - current * senior["class_rate_e7"] * 15 / 3_600_000_000) <= 1
    assert market.verify()["ok"]


def test_lookthrough_and_trace_go_through_classes(market: Market) -> None:
    parties = dict(market.book.records("parties").select("party_id", "code").iter_rows())
    buyers = set(market.book.records("trades").filter(pl.col("kind") == "placement")["buyer_id"])
    left = market.book.segment("class_months", parse_month("2009-10"))
    seen = [market.lookthrough(parties[buyer], loan="L-0005") for buyer in sorted(buyers)]
    held = [s for one in seen for s in one["securities"]]
    assert {s["class_name"] for s in held} == set(CLASSES)
    assert abs(sum(s["balance_cents"] for s in held) - left["closing_cents"].sum()) <= len(held)
    own = [one["own_loan"] for one in seen]
    assert sum(o["cents"] for o in own) == own[0]["balance_cents"] and "classes" in own[0]["why"]
    traced = market.trace("L-0005", "2009-08")
    assert sum(h["cents"] for h in traced["holders"]) == traced["pool"]["from_payment_cents"] > 0


def test_the_report_adds_up_what_classes_got_lost_and_have_left(market: Market) -> None:
    rows = {row["class_name"]: row for row in market.report()["classes"]}
    months = market.book.segment("class_months")
    assert tuple(rows) == CLASSES
    for name, security in securities(market).items():
        mine = months.filter(pl.col("security_id") == security["security_id"]).sort("month")
        assert rows[name]["face_cents"] == security["original_face_cents"]
        assert rows[name]["balance_cents"] == mine["closing_cents"][-1]
        assert rows[name]["loss_cents"] == mine["loss_cents"].sum()
        assert rows[name]["interest_cents"] == mine["interest_cents"].sum()


def test_holders_of_classes_share_a_loan_by_what_is_left_of_each(market: Market) -> None:
    """Two halves of A, and all of B6, of which nothing is left: its holder has no part in the loans any more."""
    left = balances(market._desk(), pl.DataFrame(schema={"pool_id": pl.Int32, "closing_scheduled_cents": pl.Int64}))
    of = securities(market)
    half = of["A"]["original_face_cents"] // 2
    held = pl.DataFrame(
        [(of["A"]["security_id"], 1, half), (of["A"]["security_id"], 2, of["A"]["original_face_cents"] - half),
         (of["B6"]["security_id"], 3, of["B6"]["original_face_cents"])],
        schema={"security_id": pl.Int32, "holder_id": pl.Int32, "face_cents": pl.Int64}, orient="row",
    )  # fmt: skip
    found = dict(stakes(held, left, 1))
    a = left.filter(pl.col("class_name") == "A")["balance_cents"].item()
    assert found[3] == 0 and abs(found[1] + found[2] - a) <= 1 and abs(found[1] - a / 2) <= 1
    assert a < of["A"]["original_face_cents"]


def test_a_pool_in_classes_is_valued_by_its_number_and_a_guaranteed_one_has_no_deal(
    market: Market, tmp_path: Path
) -> None:
    assert market.value("P000001", speeds={"psa": 100})["pool"]["loans"] == 18
    agency = kit.build(tmp_path / "agency", kit.write_rows(tmp_path / "tape.csv", kit.alike(40)), 2)
    with pytest.raises(Refused, match="issued whole"):
        agency.structure(None, "F000001")
    assert agency.book.records("deals").is_empty() and agency.book.segment("class_months").is_empty()


MODELS = {"prepayment": "model", "defaults": "model", "house_prices": [0.95, 0.9, 0.85, 0.8]}


@pytest.mark.parametrize("how", [{"speeds": {"cpr": 8, "cdr": 3}, "severity": 40.0}, MODELS])
def test_a_class_is_valued_from_where_it_stands(market: Market, how: dict[str, Any]) -> None:
    """`value` of each class by its CUSIP against `structure` of the pool: the same months, yields and losses."""
    prices = dict.fromkeys(CLASSES, 97.5)
    whole = market.structure(None, "P000001", prices=prices, rows=True, **how)
    assert whole["collateral"]["loss_cents"] > 0 and bool(whole["by_speed"]) == ("speeds" in how)
    assert ("borrowers" in whole) == ("defaults" in how)
    for row in whole["classes"]:
        cusip = securities(market)[row["class"]]["cusip"]
        if not row["size_cents"]:
            with pytest.raises(Refused, match="nothing is left of it"):
                market.value(cusip, **how)
            continue
        one = market.value(cusip, price=97.5, rows=True, **how)
        assert one["pool"]["class_name"] == row["class"] and one["delay_days"] == 24
        assert one["pool"]["balance"] == row["size_cents"] / 100 and one["speeds"] == whole["speeds"]
        assert one["bond_equivalent_yield"] == pytest.approx(row["bond_equivalent_yield"], rel=1e-12)
        assert one["totals"]["loss"] == pytest.approx(row["loss_cents"] / 100)
        mine = [m for m in whole["months"] if m["class"] == row["class"]]
        assert [round(m["cash_flow"] * 100) for m in one["cashflows"]] == [
            m["interest_cents"] + m["principal_cents"] for m in mine[: len(one["cashflows"])]
        ]
        assert value_page.figures(one)["principal"]["data"]


def test_models_and_paths_of_rates_contradict_each_other(market: Market) -> None:
    rates = Path(__file__).parents[2] / "examples" / "rates.toml"
    with pytest.raises(Refused, match="--rates has its own model"):
        market.structure(None, "P000001", rates=rates, **MODELS)
    with pytest.raises(Refused, match="structure --book DIR --pool P000001 --rates"):
        market.value(securities(market)["A"]["cusip"], rates=rates)


def test_a_pools_classes_prepay_from_the_month_that_is_not_known_yet(market: Market) -> None:
    still, fast = (market.structure(None, "P000001", rows=True, speeds=given)["months"] for given in ({}, {"cpr": 60}))
    first = [[m["principal_cents"] for m in months if m["month"] == 1] for months in (still, fast)]
    second = [sum(m["principal_cents"] for m in months if m["month"] == 2) for months in (still, fast)]
    assert first[0] == first[1] and second[1] > 10 * second[0]


def test_a_users_own_deal_for_the_months_private_pools(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        '[deal]\nname = "Two classes"\nlosses = ["junior", "senior"]\n'
        '[[class]]\nname = "senior"\nshare = 80\ncoupon = "net_wac"\n'
        '[[class]]\nname = "junior"\nshare = 20\ncoupon = "net_wac"\n'
        '[[pay]]\nrule = "interest"\nclasses = ["senior", "junior"]\n'
        '[[pay]]\nrule = "sequential"\nclasses = ["senior", "junior"]\n',
        encoding="utf-8",
    )
    rows = kit.alike(4, note_amount_cents=90_000_000, value_cents=120_000_000, ltv_e4=7_500, income_cents=40_000_000)
    market = kit.build(tmp_path / "book", kit.write_rows(tmp_path / "tape.csv", rows), 1)
    market.check()
    market.sell()
    bad = tmp_path / "bad.toml"
    bad.write_text(own.read_text(encoding="utf-8").replace("share = 20", "share = 30"), encoding="utf-8")
    with pytest.raises(Refused, match="more than the collateral"):
        market.pool(bad)
    assert market.book.records("pools").is_empty()  # nothing half-written
    market.pool(own)
    assert market.pool(own)["pools"] == 1  # again: the stored answer
    for step in ("issue", "notify", "close_month"):
        getattr(market, step)()
    kit.month_by_steps(market)
    assert market.book.records("securities")["class_name"].to_list() == ["senior", "junior"]
    paid = market.book.segment("class_months", parse_month("2009-03")).sort("security_id")
    assert paid["principal_cents"][0] > 0 == paid["principal_cents"][1] < paid["interest_cents"][1]
    assert market.verify()["ok"] and market.book.market_date == date(2009, 4, 1)
