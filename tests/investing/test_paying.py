"""Holders paid by factor: the hand-worked loan, exactness, losses, and what stays in the trust."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from investing_frames import BANK, FNMA_ID, MONTH, PAR, PENSION, factor_rows, issued, pools, sold

from poolhouse import investing, ledger
from poolhouse.dates import parse_month
from poolhouse.investing.paying import holder_interest, holder_principal
from poolhouse.tables import CLASS_MONTHS, FIRST_CLASS_SECURITY
from poolhouse.tables.codes import PRIVATE

FACE = 25_000_000
ONE_LOAN = pools({"coupon_rate_e7": 600_000, "scheduled_cents": FACE, "face_cents": FACE, "wac_e7": 650_000})

# $250,000 at 6.5% for 360 months, instalment 1,580.17: balances after each of five instalments, and what
# a holder of the whole pool at 6.0% gets. Source: Fannie Mae Servicing Guide, scheduled/scheduled example.
FIVE_MONTHS = [
    # month, factor, principal, interest
    ("2009-03", 99_909_600, 22_600, 125_000),
    ("2009-04", 99_818_708, 22_723, 124_887),
    ("2009-05", 99_727_324, 22_846, 124_773),
    ("2009-06", 99_635_444, 22_970, 124_659),
    ("2009-07", 99_543_068, 23_094, 124_544),
]


def half_up(x: Fraction) -> int:
    return int((x + Fraction(1, 2)) // 1)


def test_the_hand_worked_loan_pays_its_holder_five_months() -> None:
    before = PAR
    held = investing.positions(issued((BANK, FACE)), date(2009, 2, 27))
    for month, factor, principal, interest in FIVE_MONTHS:
        rows = factor_rows(
            {"month": parse_month(month), "prior_factor_e8": before, "factor_e8": factor,
             "received_cents": principal + interest}
        )  # fmt: skip
        outcome = investing.pay_holders(rows, held, ONE_LOAN, parse_month(month))
        (paid,) = outcome.tables["holder_months"].to_dicts()
        assert (paid["principal_cents"], paid["interest_cents"], paid["holder_id"]) == (principal, interest, BANK)
        before = factor
    assert sum(p + i for _, _, p, i in FIVE_MONTHS) == 590_458 + 147_638  # 5,904.58 in four months, then 1,476.38


def test_the_rule_in_fractions() -> None:
    # Per $1,000,000: factor .99 to .985 at 6.0% pays 5,000.00 and 4,950.00.
    assert holder_principal(100_000_000, 99_000_000, 98_500_000) == 500_000
    assert holder_interest(100_000_000, 99_000_000, 600_000) == 495_000


@given(
    st.integers(1, 10**10).map(lambda d: d * 100), st.integers(0, PAR), st.integers(0, PAR), st.integers(0, 1_500_000)
)
def test_no_face_is_too_large(face: int, one: int, other: int, coupon: int) -> None:
    before, after = max(one, other), min(one, other)
    assert holder_principal(face, before, after) == half_up(Fraction(face * (before - after), PAR))
    assert holder_interest(face, before, coupon) == half_up(Fraction(face * before * coupon, PAR * 10**7 * 12))


def test_cash_goes_from_the_trust_through_the_agent_to_the_record_dates_holders() -> None:
    moved = pl.concat([issued((FNMA_ID, FACE)), sold("t", FNMA_ID, PENSION, 10_000_000, date(2009, 2, 20))])
    rows = factor_rows({"factor_e8": 99_909_600, "received_cents": 147_603})
    outcome = investing.pay_holders(rows, investing.positions(moved, date(2009, 2, 27)), ONE_LOAN, MONTH + 1)
    paid = outcome.tables["holder_months"]
    # the enterprise kept 150,000: .6 of 226.00 and 1,250.00
    assert paid.select("holder_id", "principal_cents", "interest_cents").rows() == [
        (3, 13_560, 75_000),
        (50, 9_040, 50_000),
    ]
    (event,) = outcome.events
    assert event.market_date == date(2009, 3, 25)
    lines = {(r["party_id"], r["account"]): r["cents"] for r in ledger.lines(event).to_dicts()}
    assert lines == {
        (2, "cash"): -147_600, (2, "certificates"): 22_600, (2, "distributions"): 125_003, (2, "rounding"): -3,
        (3, "cash"): 88_560, (3, "securities_held"): -13_560, (3, "interest_income"): -75_000,
        (50, "cash"): 59_040, (50, "securities_held"): -9_040, (50, "interest_income"): -50_000,
    }  # fmt: skip


def test_a_trade_after_the_record_date_moves_nothing_this_month() -> None:
    moved = pl.concat([issued((FNMA_ID, FACE)), sold("t", FNMA_ID, PENSION, FACE, date(2009, 3, 2))])
    rows = factor_rows({"factor_e8": 99_909_600})
    on_record = investing.pay_holders(rows, investing.positions(moved, date(2009, 2, 27)), ONE_LOAN, MONTH + 1)
    assert on_record.tables["holder_months"]["holder_id"].to_list() == [FNMA_ID]
    assert investing.positions(moved, date(2009, 3, 2))["holder_id"].to_list() == [PENSION]


def class_rows(*rows: dict[str, int]) -> pl.DataFrame:
    """CLASS_MONTHS rows of March 2009, of classes of pool 1."""
    zero = dict.fromkeys(CLASS_MONTHS.schema, 0) | {"month": MONTH + 1, "pool_id": 1}
    frame = pl.DataFrame([zero | {"security_id": FIRST_CLASS_SECURITY + i} | row for i, row in enumerate(rows)],
                         schema=CLASS_MONTHS.schema)  # fmt: skip
    return CLASS_MONTHS.conform(frame)


def test_a_classs_cents_go_to_its_holders_and_its_loss_is_written_down() -> None:
    senior, junior, dead = (FIRST_CLASS_SECURITY + i for i in range(3))
    private = pools({"program": PRIVATE, "guarantee": "none", "coupon_rate_e7": 600_000})
    rows = factor_rows({"factor_e8": 95_000_000, "received_cents": 3_500_007})
    classes = class_rows(
        {"opening_cents": 90_000_000, "interest_cents": 450_001, "principal_cents": 3_000_000},
        {"opening_cents": 3_000_000, "interest_cents": 50_000, "loss_cents": 2_000_001},
        {},
    )
    trades = [
        issued((BANK, 30_000_000), (PENSION, 60_000_000), pool_id=senior), issued((BANK, 10_000_000), pool_id=junior),
        issued((BANK, 5_000_000), pool_id=dead),
    ]  # fmt: skip
    held = investing.positions(pl.concat(trades), date(2009, 2, 27))
    outcome = investing.pay_holders(rows, held, private, MONTH + 1, classes)
    assert outcome.tables["holder_months"].select(
        "security_id", "holder_id", "principal_cents", "interest_cents"
    ).rows() == [(senior, PENSION, 2_000_000, 300_001), (senior, BANK, 1_000_000, 150_000), (junior, BANK, 0, 50_000)]
    lines = {(r["party_id"], r["account"]): r["cents"] for r in ledger.lines(outcome.events[0]).to_dicts()}
    assert lines[(BANK, "securities_held")] == -3_000_001 and lines[(BANK, "credit_loss")] == 2_000_001
    assert lines[(2, "certificates")] == 3_000_000 and lines[(2, "rounding")] == -6  # brought, and due to no class
    with pytest.raises(ValueError, match="nobody holds it"):
        investing.pay_holders(rows, held.filter(pl.col("security_id") != junior), private, MONTH + 1, classes)


def test_a_rising_factor_and_a_missing_holder_are_refused() -> None:
    held = investing.positions(issued((BANK, FACE)), date(2009, 2, 27))
    with pytest.raises(ValueError, match="rises"):
        investing.pay_holders(factor_rows({"prior_factor_e8": 90_000_000}), held, ONE_LOAN, MONTH + 1)
    with pytest.raises(ValueError, match="don't sum"):
        investing.pay_holders(factor_rows({}), held.with_columns(pl.col("face_cents") - 100), ONE_LOAN, MONTH + 1)


def test_pools_of_different_pay_days_are_paid_by_events_of_their_own() -> None:
    two = pools({"face_cents": FACE}, {"face_cents": FACE, "pay_day": 20})
    held = investing.positions(pl.concat([issued((BANK, FACE)), issued((BANK, FACE), pool_id=2)]), date(2009, 2, 27))
    rows = factor_rows({}, {"pool_id": 2, "pay_date": date(2009, 3, 20)})
    outcome = investing.pay_holders(rows, held, two, MONTH + 1)
    assert [e.market_date for e in outcome.events] == [date(2009, 3, 20), date(2009, 3, 25)]
    # a pool paid off pays nobody
    ended = factor_rows({"prior_factor_e8": 0, "factor_e8": 0})
    assert investing.pay_holders(ended, held, two, MONTH + 1).tables["holder_months"].is_empty()
