"""Look-through: a holder's share of pools, through a fund to its plan, and of one loan."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import polars as pl
from investing_frames import BANK, CUSIP, FNMA_ID, FUND, PLAN, issued, pools, securities, sold

from poolhouse import investing
from poolhouse.investing import FUND_SHARES_SCHEMA

SHARES = pl.DataFrame([(FUND, PLAN, 100, 10_000_000)], schema=FUND_SHARES_SCHEMA, orient="row")
TRADES = pl.concat(
    [
        issued((FNMA_ID, 100_000_000)),
        sold("a", FNMA_ID, FUND, 40_000_000, date(2009, 2, 20)),
        sold("b", FNMA_ID, BANK, 60_000_000, date(2009, 2, 20)),
    ]
)
POSITIONS = investing.positions(TRADES, date(2009, 2, 27))
LOANS = pl.DataFrame([(1, 4, 7)], schema={"pool_id": pl.Int32, "loans": pl.Int32, "states": pl.Int64}, orient="row")
LEFT = securities().with_columns(balance_cents=pl.lit(99_000_003, pl.Int64))


def look(holder: int) -> dict[str, Any]:
    return investing.lookthrough(holder, POSITIONS, LEFT, pools(), LOANS, SHARES)


def test_a_direct_holder() -> None:
    seen = look(BANK)
    assert seen["direct"] == [
        {
            "security_id": 1, "cusip": CUSIP, "class_name": "", "pool_id": 1, "pool_number": "F000001",
            "program": "fnma",
            "coupon_rate_e7": 450_000, "face_cents": 60_000_000, "original_face_cents": 100_000_000,
            "share_e8": 60_000_000, "balance_cents": 59_400_002, "loans": 4, "states": 7,
        }
    ]  # fmt: skip
    assert (seen["loans"], seen["balance_cents"], seen["through_funds"]) == (4, 59_400_002, [])
    json.dumps(seen)


def test_through_the_fund_to_the_plan() -> None:
    seen = look(PLAN)
    assert seen["direct"] == [] and seen["loans"] == 4
    (fund,) = seen["through_funds"]
    # a tenth of the fund's 40%: 4% of 990,000.03
    assert (fund["fund_id"], fund["share_e8"], fund["balance_cents"]) == (FUND, 10_000_000, 3_960_000)
    assert fund["securities"][0]["share_e8"] == 4_000_000
    assert look(FUND)["owned_by"] == [{"holder_id": PLAN, "share_e8": 10_000_000}]


def test_a_holder_of_nothing() -> None:
    assert look(54) | {"holder_id": 0} == {
        "holder_id": 0, "direct": [], "through_funds": [], "owned_by": [], "pools": 0, "loans": 0,
        "face_cents": 0, "balance_cents": 0,
    }  # fmt: skip


def test_one_loans_cents_are_shared_out_whole() -> None:
    shared = investing.loan_shares(100_001, [(BANK, 40_000_000), (FUND, 40_000_000), (BANK, 20_000_000)], SHARES)
    assert [(s["holder_id"], s["weight"], s["cents"]) for s in shared] == [
        (FUND, 40_000_000, 40_000),
        (BANK, 60_000_000, 60_001),
    ]
    assert shared[0]["through"] == [{"holder_id": PLAN, "share_e8": 10_000_000, "cents": 4_000}]
    assert investing.loan_shares(5, [], SHARES) == investing.loan_shares(5, [(BANK, 0)], SHARES) == []
