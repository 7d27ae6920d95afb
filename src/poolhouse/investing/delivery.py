"""Delivery versus payment: what a trade costs, and its postings.

Price, factor and face together exceed 64 bits, so amounts are exact Python integers; a trade is a
row here, and there are few.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from poolhouse.dates import days_30_360, first_day, month_of
from poolhouse.money import PRICE_PAR_E6, accrued_30_360, half_up_div
from poolhouse.tables import TRADES, Posting

FACTOR_ONE_E8 = 100_000_000

_DELIVERY_SCHEMA: dict[str, pl.DataType] = {
    "seller_id": pl.Int32(), "buyer_id": pl.Int32(), "current_face_cents": pl.Int64(), "premium_cents": pl.Int64(),
    "discount_cents": pl.Int64(), "accrued_cents": pl.Int64(), "cash_cents": pl.Int64(), "value_date": pl.Date(),
}  # fmt: skip


def current_face(face_cents: int, factor_e8: int) -> int:
    """Face times factor, half-up to the cent."""
    return half_up_div(face_cents * factor_e8, FACTOR_ONE_E8)


def principal(face_cents: int, factor_e8: int, price_e6: int) -> int:
    """Price x factor x face, rounded once. Source: SIFMA standard formulas SF-8 (settlement cost)."""
    return half_up_div(face_cents * factor_e8 * price_e6, FACTOR_ONE_E8 * PRICE_PAR_E6)


def accrued(face_cents: int, factor_e8: int, coupon_rate_e7: int, settlement: date) -> int:
    """30/360 interest from the 1st of the settlement month, on the current face."""
    days = days_30_360(first_day(month_of(settlement)), settlement)
    return accrued_30_360(current_face(face_cents, factor_e8), coupon_rate_e7, days)


def trade_row(
    trade_id: str, security_id: int, seller_id: int, buyer_id: int, face_cents: int, price_e6: int, factor_e8: int,
    coupon_rate_e7: int, trade_date: date, settlement: date, kind: str,
) -> dict[str, Any]:  # fmt: skip
    """One TRADES row, priced."""
    return {
        "trade_id": trade_id, "security_id": security_id, "seller_id": seller_id, "buyer_id": buyer_id,
        "face_cents": face_cents, "price_e6": price_e6, "factor_e8": factor_e8,
        "principal_cents": principal(face_cents, factor_e8, price_e6),
        "accrued_cents": accrued(face_cents, factor_e8, coupon_rate_e7, settlement),
        "trade_date": trade_date, "settlement_date": settlement, "kind": kind,
    }  # fmt: skip


def trades_frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """TRADES rows as a table."""
    return TRADES.conform(pl.DataFrame(rows, schema=TRADES.schema))


def postings(rows: list[dict[str, Any]]) -> tuple[Posting, ...]:
    """Cash against security, valued on each trade's settlement date."""
    parts = []
    for row in rows:
        held = current_face(row["face_cents"], row["factor_e8"])
        over = row["principal_cents"] - held
        parts.append(
            {
                "seller_id": row["seller_id"], "buyer_id": row["buyer_id"], "current_face_cents": held,
                "premium_cents": max(over, 0), "discount_cents": max(-over, 0), "accrued_cents": row["accrued_cents"],
                "cash_cents": row["principal_cents"] + row["accrued_cents"], "value_date": row["settlement_date"],
            }
        )  # fmt: skip
    frame = pl.DataFrame(parts, schema=_DELIVERY_SCHEMA)
    return tuple(Posting(name, frame) for name in ("SecurityDelivered", "SecurityPremium", "SecurityDiscount"))
