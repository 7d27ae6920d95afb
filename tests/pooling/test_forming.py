"""Pools from waiting loans: cells, minimums, waits, and what a pool says of itself."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest
from pooling_frames import MONTH, waiting

from poolhouse import ledger, pooling, rules
from poolhouse.pooling import cusip
from poolhouse.tables import Outcome
from poolhouse.tables.codes import FHLMC, GNMA, PRIVATE

RULES = rules.load()


def form(*loans: dict[str, Any], month: int = MONTH) -> Outcome:
    return pooling.form(waiting(*loans), month, 7, RULES)


def waits(outcome: Outcome) -> dict[int, tuple[str, str]]:
    frame = outcome.tables["pool_waits"]
    return {r["loan_id"]: (r["outcome"], r["reason"]) for r in frame.to_dicts()}


def test_a_pool_says_what_it_is() -> None:
    outcome = form(
        {"scheduled_upb_cents": 60_000_050, "note_rate_e7": 500_000},
        {"scheduled_upb_cents": 40_000_075, "note_rate_e7": 525_000, "guaranty_fee_rate_e7": 25_000,
         "term_months": 300, "maturity_date": date(2034, 2, 1)},
    )  # fmt: skip
    (pool,) = outcome.records["pools"].to_dicts()
    assert pool["pool_id"] == 7 and pool["prefix"] == "CL" and pool["pool_number"] == "F000007"
    assert (pool["scheduled_cents"], pool["face_cents"], pool["truncation_cents"]) == (100_000_125, 100_000_100, 25)
    # (500_000 x 60_000_050 + 525_000 x 40_000_075) / 100_000_125 = 510_000.0063; fee 23_200.0008; term 336
    assert (pool["wac_e7"], pool["guaranty_fee_rate_e7"], pool["wam_months"]) == (510_000, 23_200, 336)
    assert (pool["wala_months"], pool["loans"]) == (0, 2)
    assert pool["issue_date"] == date(2009, 2, 1) and pool["first_payment_date"] == date(2009, 3, 25)
    assert (pool["guarantee"], pool["guarantor_id"], pool["issuer_id"], pool["delay_days"]) == ("implied", 3, 3, 55)
    (security,) = outcome.records["securities"].to_dicts()
    assert security["security_id"] == 7 and cusip.is_valid(security["cusip"]) and security["cusip"].startswith("99")
    assert outcome.answer["pooled"] == 2


def test_the_whole_balance_becomes_certificates_and_rounding() -> None:
    outcome = form({"scheduled_upb_cents": 60_000_050}, {"scheduled_upb_cents": 40_000_075})
    formed = outcome.events[0]
    lines = {(r["party_id"], r["account"]): r["cents"] for r in ledger.lines(formed).to_dicts()}
    assert lines == {
        (3, "loans_held"): -100_000_125,
        (3, "securities_held"): 100_000_100,
        (3, "trading_income"): 25,
        (2, "loans_held"): 100_000_125,
        (2, "certificates"): -100_000_100,
        (2, "rounding"): -25,
    }
    (trade,) = outcome.records["trades"].to_dicts()
    assert (trade["kind"], trade["seller_id"], trade["buyer_id"], trade["face_cents"]) == ("issue", 2, 3, 100_000_100)


def test_below_the_minimum_a_loan_waits() -> None:
    outcome = form({"scheduled_upb_cents": 60_000_000}, {"scheduled_upb_cents": 39_999_999})
    assert outcome.records["pools"].is_empty() and not outcome.events
    assert {w for w, _ in waits(outcome).values()} == {"waiting"}
    assert form({"scheduled_upb_cents": 60_000_000}, {"scheduled_upb_cents": 40_000_000}).answer["pools"] == 1


@pytest.mark.parametrize(
    ("term", "bucket"), [(360, 360), (241, 360), (240, 240), (181, 240), (180, 180), (121, 180), (120, 120), (84, 120)]
)
def test_odd_terms_go_to_the_bucket_that_holds_them(term: int, bucket: int) -> None:
    outcome = form({"term_months": term, "scheduled_upb_cents": 200_000_000})
    assert outcome.records["pools"]["term_bucket"].to_list() == [bucket]


def test_programs_coupons_and_buckets_stay_apart() -> None:
    big = {"scheduled_upb_cents": 100_000_000}
    outcome = form(big, big | {"coupon_rate_e7": 400_000}, big | {"program": FHLMC, "owner_id": 4},
                   big | {"term_months": 180}, big | {"program": PRIVATE, "owner_id": 6})  # fmt: skip
    pools = outcome.records["pools"]
    assert pools["prefix"].to_list() == ["CI", "CL", "CL", "U30", "P30"]
    assert pools["guarantee"].to_list() == ["implied"] * 4 + ["none"]
    assert pools["issuer_id"].to_list() == [3, 3, 3, 4, 6] and pools["guarantor_id"].to_list() == [3, 3, 3, 4, 0]
    private = next(e for e in outcome.events if e.body.get("program") == "private")
    assert "depositor" in private.body["title"]


def test_nothing_older_than_the_current_instalment_is_unpaid() -> None:
    old = {"first_due_date": date(2008, 12, 1), "scheduled_upb_cents": 100_000_000}
    outcome = form(
        old | {"last_paid_due_date": date(2009, 1, 1)},
        old | {"last_paid_due_date": date(2008, 12, 1)},
    )
    assert outcome.tables["pool_loans"]["loan_id"].to_list() == [0]
    assert waits(outcome)[1] == ("waiting", "an instalment older than the current one is unpaid")


def test_what_time_does_not_cure_goes_to_the_portfolio_at_once() -> None:
    outcome = form(
        {"kind": "fha"},
        {"first_due_date": date(2008, 1, 1), "last_paid_due_date": date(2009, 1, 1)},
        {"term_months": 480},
        {"note_rate_e7": 470_000},
    )
    assert {w for w, _ in waits(outcome).values()} == {"portfolio"}
    reasons = [reason for _, reason in waits(outcome).values()]
    assert "government" in reasons[0] and "too old" in reasons[1] and "term" in reasons[2] and "limits" in reasons[3]
    assert sum(f.count for f in outcome.findings) == 4


def test_high_balance_loans_fill_a_tenth_of_the_pool_and_the_rest_stands_apart() -> None:
    high = {"high_balance": True}
    outcome = form(
        {"scheduled_upb_cents": 450_000_000},
        high | {"scheduled_upb_cents": 50_000_000},  # exactly a tenth of 5,000,000
        high | {"scheduled_upb_cents": 60_000_000},
        high | {"scheduled_upb_cents": 60_000_000},
    )
    pools = outcome.records["pools"]
    assert pools.select("prefix", "scheduled_cents").rows() == [("CL", 500_000_000), ("CK", 120_000_000)]
    assert form({"scheduled_upb_cents": 450_000_000}, high | {"scheduled_upb_cents": 50_000_001}).answer["waiting"] == 1


def ginnie(**changes: object) -> dict[str, Any]:
    return {
        "program": GNMA, "owner_id": 60, "kind": "fha", "note_rate_e7": 500_000, "guaranty_fee_rate_e7": 6_000,
    } | changes  # fmt: skip


def test_ginnie_one_where_issuer_and_rate_make_the_minimum_else_two() -> None:
    outcome = form(
        ginnie(scheduled_upb_cents=100_000_000),
        ginnie(owner_id=61, scheduled_upb_cents=70_000_000),  # at the right rate, but too little alone
        ginnie(owner_id=60, note_rate_e7=512_500, scheduled_upb_cents=50_000_030),
    )
    pools = outcome.records["pools"].to_dicts()
    assert [(p["prefix"], p["issuer_id"], p["pay_day"]) for p in pools] == [("X SF", 60, 15), ("M SF", 0, 20)]
    assert {p["guarantee"] for p in pools} == {"explicit"} and {p["guarantor_id"] for p in pools} == {5}
    trades = outcome.records["trades"].filter(pl.col("security_id") == 8)
    # 1,200,000.30 dollars in all: face 1,200,000, of which 500,000.30 gives 500,000
    assert trades.select("buyer_id", "face_cents").rows() == [(60, 50_000_000), (61, 70_000_000)]


def test_owners_of_a_multi_issuer_pool_share_whole_dollars() -> None:
    outcome = form(
        ginnie(note_rate_e7=512_500, scheduled_upb_cents=50_000_060),
        ginnie(note_rate_e7=512_500, owner_id=61, scheduled_upb_cents=70_000_060),
    )
    assert outcome.records["pools"]["face_cents"].to_list() == [120_000_100]
    faces = outcome.records["trades"]["face_cents"].to_list()
    # 500,000.60 and 700,000.60 dollars share 1,200,001: 500,000.52 and 700,000.48, so the first gets the odd dollar
    assert faces == [50_000_100, 70_000_000]
    assert ledger.lines(outcome.events[0]).group_by("party_id").agg(pl.col("cents").sum())["cents"].to_list() == [0] * 3


def test_after_three_months_a_lower_coupon_is_tried_then_the_portfolio() -> None:
    late = {"sold_month": MONTH - 3, "last_paid_due_date": date(2009, 1, 1)}
    outcome = form(
        {"coupon_rate_e7": 400_000, "note_rate_e7": 450_000, "scheduled_upb_cents": 100_000_000},
        # spread 5.00 - 4.00 = 100 bp: 50 bp servicing and 50 bp fee, 28 of it buy-up: more than 25
        late | {"note_rate_e7": 500_000, "scheduled_upb_cents": 10_000_000},
        # 4.95 - 4.00 = 95 bp: 50 bp servicing, 45 bp fee, 23 of it buy-up
        late | {"note_rate_e7": 495_000, "scheduled_upb_cents": 10_000_000},
        {"note_rate_e7": 495_000, "scheduled_upb_cents": 10_000_000, "sold_month": MONTH - 2},
    )
    loans = {r["loan_id"]: r for r in outcome.tables["pool_loans"].to_dicts()}
    assert sorted(loans) == [0, 2]
    assert (loans[2]["pass_through_rate_e7"], loans[2]["guaranty_fee_rate_e7"]) == (400_000, 45_000)
    assert loans[0]["guaranty_fee_rate_e7"] == 22_000
    assert waits(outcome)[1][0] == "portfolio" and waits(outcome)[3][0] == "waiting"
    assert outcome.tables["pool_waits"]["months_waited"].to_list() == [4, 3]


def test_ownership_moves_once_on_the_pools_day() -> None:
    frame = waiting({"scheduled_upb_cents": 100_000_000}, {"scheduled_upb_cents": 100_000_000})
    plain = pooling.form(frame, MONTH, 7, RULES).tables["assignments"]
    assert plain["effective_date"].unique().to_list() == [date(2009, 2, 1)]
    assert plain.filter(pl.col("role") == "owner").select("from_id", "to_id").rows() == [(3, 2), (3, 2)]
    assert plain.filter(pl.col("role") == "pool").select("from_id", "to_id").rows() == [(0, 7), (0, 7)]
    bought = frame.with_columns(pl.Series("settlement_date", [date(2009, 2, 11), date(2009, 2, 13)]))
    outcome = pooling.form(bought, MONTH, 7, RULES)
    # 13 February 2009 is a Friday and the 16th Presidents' Day
    assert outcome.tables["assignments"]["effective_date"].unique().to_list() == [date(2009, 2, 17)]
    assert outcome.records["trades"]["settlement_date"].to_list() == [date(2009, 2, 17)]
    assert outcome.records["pools"]["issue_date"].to_list() == [date(2009, 2, 1)]


def test_order_of_rows_does_not_matter() -> None:
    loans = [
        {"scheduled_upb_cents": 30_000_000 + 1_234_567 * i, "coupon_rate_e7": 400_000 + 50_000 * (i % 3),
         "note_rate_e7": 500_000 + 50_000 * (i % 3), "guaranty_fee_rate_e7": 47_000, "high_balance": i % 7 == 0}
        for i in range(60)
    ]  # fmt: skip
    frame = waiting(*loans)
    one, other = pooling.form(frame, MONTH, 1, RULES), pooling.form(frame.reverse(), MONTH, 1, RULES)
    for name in one.tables:
        assert one.tables[name].equals(other.tables[name]), name
    for name in one.records:
        assert one.records[name].equals(other.records[name]), name
    assert one.tables["pool_loans"].height + one.tables["pool_waits"].height == 60


def test_nothing_waiting_is_no_event() -> None:
    outcome = form()
    assert not outcome.events and outcome.answer["pools"] == 0
    assert all(frame.is_empty() for frame in (*outcome.tables.values(), *outcome.records.values()))
