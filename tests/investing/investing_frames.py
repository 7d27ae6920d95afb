"""Pools, securities and trades for the tests, made by hand: investing never asks pooling for them."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from poolhouse.dates import parse_month
from poolhouse.investing.delivery import trade_row, trades_frame
from poolhouse.rules import system_parties
from poolhouse.tables import PARTIES, POOL_FACTORS, POOLS, PRICES, SECURITIES
from poolhouse.tables.codes import FNMA

MONTH = parse_month("2009-02")
TRUSTS, FNMA_ID, PENSION, FUND, PLAN, BANK, CREDIT = 2, 3, 50, 51, 52, 53, 55
PAR = 100_000_000

ORDINARY: dict[str, Any] = {
    "pool_id": 1, "pool_number": "F000001", "program": FNMA, "prefix": "CL", "issuer_id": 3, "guarantor_id": 3,
    "guarantee": "implied", "term_bucket": 360, "coupon_rate_e7": 450_000, "guaranty_fee_rate_e7": 22_000,
    "issue_date": date(2009, 2, 1), "first_payment_date": date(2009, 3, 25), "pay_day": 25, "delay_days": 55,
    "scheduled_cents": 100_000_000, "truncation_cents": 0, "face_cents": 100_000_000, "loans": 4,
    "wac_e7": 500_000, "wam_months": 358, "wala_months": 2,
}  # fmt: skip

CUSIP = "990000010"


def pools(*changes: dict[str, Any]) -> pl.DataFrame:
    """POOLS rows, numbered from 1."""
    rows = [ORDINARY | {"pool_id": i + 1, "pool_number": f"F{i + 1:06d}"} | c for i, c in enumerate(changes or ({},))]
    return POOLS.conform(pl.DataFrame(rows, schema=POOLS.schema))


def securities(frame: pl.DataFrame | None = None) -> pl.DataFrame:
    """The securities of whole pools; of pool 1 by default."""
    rows = [
        (p["pool_id"], CUSIP if p["pool_id"] == 1 else f"99{p['pool_id']:06d}X", p["pool_id"], MONTH, "", 0,
         p["face_cents"], p["coupon_rate_e7"], "fixed")
        for p in (pools() if frame is None else frame).to_dicts()
    ]  # fmt: skip
    return SECURITIES.conform(pl.DataFrame(rows, schema=SECURITIES.schema, orient="row"))


def security_factors(*rows: tuple[int, int]) -> pl.DataFrame:
    """security_id, factor_e8 of a month."""
    return pl.DataFrame(list(rows), schema={"security_id": pl.Int32, "factor_e8": pl.Int64}, orient="row")


def issued(*shares: tuple[int, int], pool_id: int = 1, on: date = date(2009, 2, 1)) -> pl.DataFrame:
    """Trades of kind 'issue': face per first holder."""
    return trades_frame(
        [
            trade_row(f"issue:{pool_id}:{owner}", pool_id, TRUSTS, owner, face, PAR, PAR, 0, on, on, "issue")
            for owner, face in shares
        ]
    )


def sold(trade_id: str, seller: int, buyer: int, face: int, on: date, pool_id: int = 1) -> pl.DataFrame:
    """A trade at par that settled."""
    return trades_frame([trade_row(trade_id, pool_id, seller, buyer, face, PAR, PAR, 0, on, on, "trade")])


def factor_rows(*rows: dict[str, Any]) -> pl.DataFrame:
    """POOL_FACTORS rows of March 2009 for pool 1."""
    ordinary = {
        "month": MONTH + 1, "pool_id": 1, "closing_scheduled_cents": 0, "prior_factor_e8": PAR, "factor_e8": PAR,
        "received_cents": 0, "paid_cents": 0, "rounding_balance_cents": 0, "publish_date": date(2009, 3, 5),
        "record_date": date(2009, 2, 27), "pay_date": date(2009, 3, 25), "loans": 1,
    }  # fmt: skip
    return POOL_FACTORS.conform(pl.DataFrame([ordinary | row for row in rows], schema=POOL_FACTORS.schema))


def parties() -> pl.DataFrame:
    """The system parties."""
    rows = [
        {
            "party_id": p["party_id"],
            "code": p["code"],
            "name": p["name"],
            "role": p["role"],
            "type": p["type"],
            "state": "",
        }
        for p in system_parties().values()
    ]
    return PARTIES.conform(pl.DataFrame(rows, schema=PARTIES.schema))


def sheet(price_e6: int, program: int = FNMA) -> pl.DataFrame:
    """A sheet that lists the ordinary pool's cell."""
    return PRICES.conform(
        pl.DataFrame([(MONTH, program, 360, 450_000, price_e6, "assumed")], schema=PRICES.schema, orient="row")
    )


def purses(cents: int = 10**15) -> pl.DataFrame:
    """The same cash for every investor that bids."""
    holders = [PENSION, FUND, BANK, 54, CREDIT]
    schema = {"holder_id": pl.Int32, "cash_cents": pl.Int64}
    return pl.DataFrame([(h, cents) for h in holders], schema=schema, orient="row")


NOBODY = pl.DataFrame(schema={"security_id": pl.Int32, "holder_id": pl.Int32, "face_cents": pl.Int64})
