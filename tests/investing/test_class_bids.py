"""The auction of a deal's classes: the bids against a textbook's discounting, and who gets what."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest
from investing_frames import BANK, CREDIT, FUND, MONTH, NOBODY, issued, pools, purses, sheet

from poolhouse import deals, investing, ledger, rules
from poolhouse.deals.collateral import Pools
from poolhouse.investing import class_bids
from poolhouse.tables import FIRST_CLASS_SECURITY, SECURITIES, Outcome
from poolhouse.tables.codes import PRIVATE

RULES = rules.load()
CONDUIT, FACE = 6, 100_000_000
TERMS = str(RULES.get("deals.private", date(2009, 2, 1)))
DEAL = deals.parse(TERMS, "the private deal", onto=Pools((FACE,), (5.0,), (4.5,), (358,), (2,)))
PRIVATE_POOL: dict[str, Any] = {"program": PRIVATE, "guarantee": "none", "guarantor_id": 0}
RAMP = {"step_e7": 20_000, "months": 30}
CLASSES = ("A", "B1", "B2", "B3", "B4", "B5", "B6")


TRUST = class_bids.Trust(DEAL, deals.opened(DEAL), FACE)
LOANS = class_bids.Loans(500_000, 450_000, 358, 2)


def test_the_loans_are_projected_as_the_standard_says() -> None:
    """Against level pay with powers: at any month off by less than a cent a month so far."""
    months = class_bids.project(FACE, LOANS, 1.75, RAMP)
    balance, rate = float(FACE), 0.05 / 12
    for k, month in enumerate(months, 1):
        assert abs(month.balance - balance) < k
        payment = balance * rate / (1 - (1 + rate) ** -(358 - k + 1))
        scheduled = payment - balance * rate
        balance = (balance - scheduled) * (1 - min(1.75 * 0.002 * min(2 + k, 30), 1)) ** (1 / 12)
    assert len(months) == 358 and months[-1].after == 0
    assert sum(month.principal for month in months) == FACE


def test_bids_agree_with_the_textbook_price_of_each_classs_flows() -> None:
    yields, speeds = np.array([[0.05 + i / 100, 0.06 + i / 100] for i in range(7)]), np.array([1.75, 2.0])
    days = np.full(7, 37), np.full(7, 17)
    found = class_bids.prices(TRUST, LOANS, CLASSES, [450_000] * 7, yields, speeds, *days, RAMP)
    for bidder, speed in enumerate((1.75, 2.0)):
        ran = deals.run(DEAL, class_bids.project(FACE, LOANS, speed, RAMP))
        for place, name in enumerate(CLASSES):
            life = ran.classes[name]
            growth = (1 + yields[place, bidder] / 2) ** (1 / 6)
            value = sum(
                (interest + principal) / growth ** (37 / 30 + k)
                for k, (interest, principal) in enumerate(zip(life.interest, life.principal, strict=True))
            )
            # the part of a month before the first payment is simple interest in a bid, as in those of whole pools
            short = growth ** (7 / 30) / (1 + (growth - 1) * 7 / 30)
            wanted = value * short / DEAL.classes[name].balance - 0.045 * 17 / 360
            assert found[place, bidder] == pytest.approx(wanted, rel=1e-12)


def test_a_class_is_worth_what_it_is_worth_from_where_it_stands() -> None:
    """After a loss that takes the lowest class, the next one is priced on what is left of it."""
    state = deals.opened(DEAL)
    months = class_bids.project(FACE, LOANS, 2.0, RAMP)
    lost = deals.step(DEAL, state, months[0].__class__(FACE, 375_000, 100_000, 500_000, 500_000, 500_000)).after
    left, older = class_bids.Trust(DEAL, lost, FACE - 1_100_000), class_bids.Loans(500_000, 450_000, 357, 3)
    names = ["A", "B5"]
    par = 2 * ((1 + 0.045 / 12) ** 6 - 1)  # the yield of 4.5% paid monthly
    found = class_bids.prices(
        left, older, names, [450_000] * 2, np.full((2, 1), par), np.array([2.0]), np.full(2, 30), np.full(2, 0), RAMP
    )
    assert lost.balance["B6"] == 0 and 0 < lost.balance["B5"] < DEAL.classes["B5"].balance
    assert found.ravel() == pytest.approx([1.0, 1.0], abs=1e-4)


def offered() -> tuple[pl.DataFrame, investing.Trusts]:
    frame = pools(PRIVATE_POOL)
    rows = [
        (FIRST_CLASS_SECURITY + i, f"99A0000{i:02d}", 1, MONTH, name, i, DEAL.classes[name].balance, 450_000, "net_wac")
        for i, name in enumerate(CLASSES)
    ]
    securities = SECURITIES.conform(pl.DataFrame(rows, schema=SECURITIES.schema, orient="row"))
    trades = pl.concat([issued((CONDUIT, row[6]), pool_id=row[0]) for row in rows])
    factors = pl.DataFrame(schema={"security_id": pl.Int32, "factor_e8": pl.Int64})
    return investing.offers(trades, securities, frame, factors, MONTH), {1: TRUST}


def place(price: int) -> Outcome:
    offers, trusts = offered()
    return investing.place(offers, sheet(price, PRIVATE), purses(), NOBODY, MONTH, RULES, trusts)


def test_classes_go_to_those_who_may_hold_them_at_lower_prices_the_sooner_they_lose() -> None:
    outcome = place(98_000_000)
    trades = outcome.records["trades"].sort("security_id")
    assert set(trades["buyer_id"]) <= {BANK, FUND, CREDIT} and trades["face_cents"].sum() == FACE
    prices = trades.unique("security_id").sort("security_id")["price_e6"].to_list()
    assert len(prices) == 7 and prices[1:] == sorted(prices[1:], reverse=True)
    assert prices[6] < 90_000_000 < prices[0]
    lines = ledger.lines(outcome.events[0])
    assert lines.filter(pl.col("account") == "cash")["cents"].sum() == 0
    assert lines.filter(pl.col("account") == "securities_held")["cents"].sum() == 0


def test_the_reserve_holds_the_senior_class_and_no_other() -> None:
    outcome = place(110_000_000)
    assert FIRST_CLASS_SECURITY not in outcome.records["trades"]["security_id"].to_list()
    assert outcome.records["trades"]["security_id"].n_unique() == 6
    # next month's sheet hears of the pool as a whole: every class, by face
    (heard,) = outcome.records["prices"].to_dicts()
    assert 95_000_000 < heard["price_e6"] < 103_000_000


def test_lower_classes_alone_say_nothing_of_what_a_pool_is_worth() -> None:
    """The senior class is sold: what the others bring tells the sheet nothing."""
    offers, trusts = offered()
    left = offers.filter(pl.col("loss_rank") > 0)
    outcome = investing.place(left, sheet(98_000_000, PRIVATE), purses(), NOBODY, MONTH, RULES, trusts)
    assert outcome.records["trades"]["security_id"].n_unique() == 6 and outcome.records["prices"].is_empty()
