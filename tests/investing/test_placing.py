"""The auction: bids from mandates, reserve, uniform price, and that money and face are conserved."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest
from investing_frames import (
    BANK,
    FNMA_ID,
    FUND,
    MONTH,
    NOBODY,
    PENSION,
    issued,
    pools,
    purses,
    securities,
    security_factors,
    sheet,
    sold,
)  # fmt: skip

from poolhouse import investing, ledger, rules
from poolhouse.investing import bids
from poolhouse.tables import Outcome
from poolhouse.tables.codes import GNMA

RULES = rules.load()
FOREIGN = 54


def offered(*changes: dict[str, Any], face: int = 100_000_000, owner: int = FNMA_ID) -> pl.DataFrame:
    frame = pools(*changes)
    trades = pl.concat([issued((owner, face), pool_id=i) for i in frame["pool_id"].to_list()])
    return investing.offers(trades, securities(frame), frame, security_factors(), MONTH)


def place(offers: pl.DataFrame, price: int = 99_000_000, cash: int = 10**15, held: pl.DataFrame = NOBODY) -> Outcome:
    return investing.place(offers, sheet(price), purses(cash), held, MONTH, RULES)


def exact_price(
    wac: float, coupon: float, months: int, age: int, psa: float, y: float, first: int, accrued: int
) -> float:
    """The same cash flows with powers and logarithms, loan by loan month: an independent computation."""
    balance, value = 1.0, 0.0
    for k in range(1, months + 1):
        rate, left = wac / 12, months - k + 1
        payment = balance * rate / (1 - (1 + rate) ** -left)
        scheduled = payment - balance * rate
        smm = 1 - (1 - min(psa * 0.002 * min(age + k, 30), 1)) ** (1 / 12)
        principal = scheduled + (balance - scheduled) * smm
        value += (balance * coupon / 12 + principal) / (1 + y / 2) ** (2 * (first + 30 * (k - 1)) / 360)
        balance -= principal
    return value - coupon * accrued / 360


def test_bids_agree_with_the_textbook_price() -> None:
    flows = bids.Flows(
        wac=np.array([0.05, 0.065, 0.08125]), coupon=np.array([0.045, 0.06, 0.075]),
        remaining_months=np.array([358, 174, 357]), age_months=np.array([2, 6, 3]),
        first_days=np.array([29, 54, 37]), accrued_days=np.array([25, 0, 17]),
    )  # fmt: skip
    yields = np.array([[0.042, 0.05], [0.04, 0.07], [0.075, 0.02]])
    found = bids.prices(flows, yields, np.array([1.75, 2.0]), 0.002, 30)
    for s in range(3):
        for i, psa in enumerate((1.75, 2.0)):
            wanted = exact_price(
                flows.wac[s], flows.coupon[s], int(flows.remaining_months[s]), int(flows.age_months[s]), psa,
                float(yields[s, i]), int(flows.first_days[s]), int(flows.accrued_days[s]),
            )  # fmt: skip
            assert found[s, i] == pytest.approx(wanted, abs=2e-5)  # less than a tenth of a 32nd


def test_a_yield_equal_to_the_coupon_prices_near_par() -> None:
    """SIFMA SF-49: GNMA I 9%, gross 9.5%, 150 PSA, 14 days' delay, at par on the issue date yields 9.10675."""
    flows = bids.Flows(
        wac=np.array([0.095]), coupon=np.array([0.09]), remaining_months=np.array([360]),
        age_months=np.array([0]), first_days=np.array([44]), accrued_days=np.array([0]),
    )  # fmt: skip
    price = bids.prices(flows, np.array([[0.0910675]]), np.array([1.5]), 0.002, 30)
    assert price[0, 0] == pytest.approx(1.0, abs=2e-5)


def test_everyone_pays_the_lowest_accepted_price() -> None:
    outcome = place(offered())
    trades = outcome.records["trades"]
    assert trades["price_e6"].n_unique() == 1 and trades["price_e6"][0] % 31_250 == 0
    assert trades["face_cents"].sum() == 100_000_000 and set(trades["seller_id"]) == {FNMA_ID}
    faces = dict(zip(trades["buyer_id"].to_list(), trades["face_cents"].to_list(), strict=True))
    # Foreign and pension ask least and take their largest shares, then bank, then the fund for the rest.
    assert faces == {FOREIGN: 25_000_000, PENSION: 30_000_000, BANK: 40_000_000, FUND: 5_000_000}
    (price,) = outcome.records["prices"].to_dicts()
    assert (price["month"], price["price_e6"], price["source"]) == (MONTH + 1, trades["price_e6"][0], "auction")
    (event,) = outcome.events
    assert event.kind == "Placed" and event.body["retained_cents"] == 0


def test_settlement_is_caught_by_the_record_date() -> None:
    # February 2009: the last business day is Friday the 27th, two before it Wednesday the 25th
    trades = place(offered()).records["trades"]
    assert trades["settlement_date"].unique().to_list() == [date(2009, 2, 25)]
    row = trades.filter(pl.col("buyer_id") == PENSION).row(0, named=True)
    assert row["accrued_cents"] == round(30_000_000 * 0.045 * 24 / 360)  # 24 days from the 1st: 900.00
    assert row["principal_cents"] == round(300_000 * row["price_e6"] / 10**6)
    late = offered().with_columns(pl.lit(date(2009, 2, 26)).alias("available_date"))
    assert place(late).records["trades"]["settlement_date"][0] == date(2009, 2, 26)


def test_no_bid_above_the_reserve_and_the_seller_keeps_it() -> None:
    outcome = place(offered(), price=108_000_000)
    assert outcome.records["trades"].is_empty()
    assert outcome.answer["retained_cents"] == 100_000_000
    # the best bid still tells next month's sheet
    assert outcome.records["prices"]["price_e6"][0] < 107_000_000
    trades = issued((FNMA_ID, 100_000_000))
    again = investing.offers(trades, securities(), pools(), security_factors((1, 99_000_000)), MONTH + 1)
    assert again.select("face_cents", "factor_e8").rows() == [(100_000_000, 99_000_000)]
    assert investing.offers(trades, securities(), pools(), security_factors(), MONTH + 1).is_empty()


def test_cash_and_securities_are_conserved_party_by_party() -> None:
    lines = ledger.lines(place(offered({}, {"program": GNMA, "guarantee": "explicit", "pay_day": 20})).events[0])
    assert lines.filter(pl.col("account") == "cash")["cents"].sum() == 0
    assert lines.filter(pl.col("account") == "securities_held")["cents"].sum() == 0
    assert set(lines.group_by("party_id").agg(pl.col("cents").sum())["cents"]) == {0}


def test_cash_limits_what_is_bought() -> None:
    outcome = place(offered(), cash=10_000_000_00)
    assert outcome.answer["placed_cents"] == 100_000_000
    poor = place(offered(), cash=200_000_00).records["trades"]
    assert 0 < poor["face_cents"].sum() < 100_000_000
    spent = poor.group_by("buyer_id").agg((pl.col("principal_cents") + pl.col("accrued_cents")).sum())
    assert spent["principal_cents"].max() <= 200_000_00  # type: ignore[operator]
    assert place(offered(), cash=0).records["trades"].is_empty()


def test_the_largest_share_counts_what_is_already_held() -> None:
    held = NOBODY.vstack(pl.DataFrame([(1, FOREIGN, 25_000_000)], schema=NOBODY.schema, orient="row"))
    trades = place(offered(), held=held).records["trades"]
    assert FOREIGN not in set(trades["buyer_id"])


def test_several_sellers_give_pro_rata_and_small_remainders_go_to_nobody() -> None:
    frame = pools({"face_cents": 90_000_300})
    trades = pl.concat([issued((60, 60_000_200)), issued((61, 30_000_100))])
    offer = investing.offers(trades, securities(frame), frame, security_factors(), MONTH)
    sold_rows = place(offer).records["trades"]
    by_seller = sold_rows.group_by("seller_id").agg(pl.col("face_cents").sum()).sort("seller_id")
    assert by_seller["face_cents"].to_list() == [60_000_200, 30_000_100]
    assert sold_rows.group_by("buyer_id").agg(pl.col("face_cents").sum())["face_cents"].min() >= 100_000  # type: ignore[operator]
    assert sold_rows["trade_id"].n_unique() == sold_rows.height


def test_positions_derive_from_trades_alone() -> None:
    trades = pl.concat([issued((FNMA_ID, 100_000_000)), sold("a", FNMA_ID, BANK, 40_000_000, date(2009, 2, 20))])
    assert investing.positions(trades, date(2009, 1, 31)).is_empty()
    assert investing.positions(trades, date(2009, 2, 19)).rows() == [(1, 3, 100_000_000)]
    assert investing.positions(trades, date(2009, 2, 20)).rows() == [(1, 3, 60_000_000), (1, 53, 40_000_000)]


def test_endowment_pays_the_investors_and_the_plan_buys_the_fund() -> None:
    event = investing.endow(date(2009, 1, 1), RULES)
    lines = {(r["party_id"], r["account"]): r["cents"] for r in ledger.lines(event).to_dicts()}
    assert sum(cents for (_, account), cents in lines.items() if account == "cash") == 0
    assert lines[(52, "fund_shares_held")] == -lines[(51, "fund_shares_issued")] == 50_000_000_000_00
    (stake,) = investing.fund_shares(date(2009, 1, 1), RULES).to_dicts()
    assert (stake["fund_id"], stake["holder_id"], stake["share_e8"]) == (51, 52, 9_090_909)  # 50 of 550


def test_hundreds_of_pools_are_placed_alike_whatever_their_order() -> None:
    changes = [{"coupon_rate_e7": 400_000 + 50_000 * (i % 3), "wam_months": 340 + i % 20} for i in range(60)]
    offer = offered(*changes)
    one, other = place(offer), place(offer.reverse())
    assert one.records["trades"].equals(other.records["trades"])
    assert one.records["prices"].equals(other.records["prices"])
