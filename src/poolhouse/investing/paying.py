"""Holders are paid: of a whole pool by factor, of a deal's class its share of what the class got.

By factor, principal by its fall and interest on what it was, each rounded once: any custodian recomputes it from face,
two factors and the coupon. A class's cents are the deal's, and go to its holders by face, by largest remainder. Face x
factor x rate exceeds 64 bits, so amounts are exact Python integers; a holder is a row here, and there are few.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from poolhouse.dates import month_name
from poolhouse.investing.delivery import FACTOR_ONE_E8
from poolhouse.investing.positions import rows
from poolhouse.money import RATE_ONE, half_up_div, largest_remainder
from poolhouse.tables import HOLDER_MONTHS, Event, Outcome, Posting

_PAYMENT_SCHEMA = HOLDER_MONTHS.schema | {
    "cash_cents": pl.Int64(), "loss_cents": pl.Int64(), "value_date": pl.Date(),
}  # fmt: skip
_ROUNDING_SCHEMA: dict[str, pl.DataType] = {
    "pool_id": pl.Int32(), "kept_cents": pl.Int64(), "used_cents": pl.Int64(), "value_date": pl.Date(),
}  # fmt: skip


def holder_principal(face_cents: int, prior_factor_e8: int, factor_e8: int) -> int:
    """half-up(face x (prior factor - factor)), cents."""
    return half_up_div(face_cents * (prior_factor_e8 - factor_e8), FACTOR_ONE_E8)


def holder_interest(face_cents: int, prior_factor_e8: int, coupon_rate_e7: int) -> int:
    """half-up(face x prior factor x coupon / 12), cents."""
    return half_up_div(face_cents * prior_factor_e8 * coupon_rate_e7, 12 * RATE_ONE * FACTOR_ONE_E8)


def pay_holders(
    factors: pl.DataFrame, positions: pl.DataFrame, pools: pl.DataFrame, month: int, classes: pl.DataFrame | None = None
) -> Outcome:
    """Pay the record-date holders: table holder_months, one event HoldersPaid per pay date.

    factors: POOL_FACTORS rows of `month`. positions: those of the record date (`positions(trades, record_date)`).
    pools: POOLS rows. classes: CLASS_MONTHS rows of `month`, of pools that are issued as deals: their losses are
    written down in the holders' hands. ValueError when a factor rises, or when positions and face differ.
    Source: SIFMA standard formulas (factor).
    """
    facts = {pool["pool_id"]: pool for pool in rows(pools)}
    held: dict[int, list[tuple[int, int]]] = {}
    for position in rows(positions):
        held.setdefault(position["security_id"], []).append((position["holder_id"], position["face_cents"]))
    classed: dict[int, list[dict[str, Any]]] = {}
    for row in rows(classes) if classes is not None else []:
        classed.setdefault(row["pool_id"], []).append(row)
    payments: list[dict[str, Any]] = []
    differences: list[dict[str, Any]] = []
    for factor in rows(factors.sort("pool_id")):
        pool = facts[factor["pool_id"]]
        if pool["pool_id"] in classed:
            mine = [paid for row in classed[pool["pool_id"]] for paid in _of_class(row, factor, held)]
        else:
            mine = _payments(factor, pool, held.get(factor["pool_id"], []), month)
        over = factor["received_cents"] - sum(payment["cash_cents"] for payment in mine)
        kept = {"pool_id": factor["pool_id"], "kept_cents": max(over, 0), "used_cents": max(-over, 0)}
        differences.append(kept | {"value_date": factor["pay_date"]})
        payments += mine
    return _outcome(
        pl.DataFrame(payments, schema=_PAYMENT_SCHEMA), pl.DataFrame(differences, schema=_ROUNDING_SCHEMA), month
    )


def _payments(
    factor: dict[str, Any], pool: dict[str, Any], holders: list[tuple[int, int]], month: int
) -> list[dict[str, Any]]:
    before, after = factor["prior_factor_e8"], factor["factor_e8"]
    if after > before:
        raise ValueError(f"pool {pool['pool_number']}: the factor rises from {before} to {after}")
    if before == 0:
        return []
    if sum(face for _, face in holders) != pool["face_cents"]:
        raise ValueError(f"pool {pool['pool_number']}: positions don't sum to its face {pool['face_cents']}")
    paid = []
    for holder, face in sorted(holders):
        principal = holder_principal(face, before, after)
        interest = holder_interest(face, before, pool["coupon_rate_e7"])
        paid.append(_payment(month, pool["pool_id"], holder, face, (principal, interest, 0), factor["pay_date"]))
    return paid


def _of_class(
    row: dict[str, Any], factor: dict[str, Any], held: dict[int, list[tuple[int, int]]]
) -> list[dict[str, Any]]:
    """Nothing once the class is retired and nothing is owed on it."""
    amounts = (row["principal_cents"], row["interest_cents"], row["loss_cents"])
    if not row["opening_cents"] and not any(amounts):
        return []
    holders = sorted(held.get(row["security_id"], []))
    if not holders:
        raise ValueError(f"security {row['security_id']}: nobody holds it")
    faces = [face for _, face in holders]
    shared = zip(*(largest_remainder(amount, faces) for amount in amounts), strict=True)
    return [
        _payment(row["month"], row["security_id"], holder, face, share, factor["pay_date"])
        for (holder, face), share in zip(holders, shared, strict=True)
    ]


def _payment(
    month: int, security_id: int, holder_id: int, face: int, amounts: tuple[int, ...], day: date
) -> dict[str, Any]:
    principal, interest, loss = amounts
    return {
        "month": month, "security_id": security_id, "holder_id": holder_id, "face_cents": face,
        "principal_cents": principal, "interest_cents": interest, "pay_date": day, "cash_cents": principal + interest,
        "loss_cents": loss, "value_date": day,
    }  # fmt: skip


def _outcome(payments: pl.DataFrame, differences: pl.DataFrame, month: int) -> Outcome:
    days: list[date] = differences["value_date"].unique().sort().to_list()
    events = []
    for day in days:
        mine = payments.filter(pl.col("value_date") == day)
        rest = differences.filter(pl.col("value_date") == day)
        body = {
            "month": month_name(month),
            "securities": mine["security_id"].n_unique(),
            "holders": mine["holder_id"].n_unique(),
            "principal_cents": int(mine["principal_cents"].sum()),
            "interest_cents": int(mine["interest_cents"].sum()),
            "loss_cents": int(mine["loss_cents"].sum()),
        }
        postings = (
            Posting("HoldersPaid", mine),
            Posting("HoldersLost", mine),
            Posting("FactorRoundingKept", rest),
            Posting("FactorRoundingUsed", rest),
        )
        events.append(Event("HoldersPaid", day, body, postings))
    table = HOLDER_MONTHS.conform(payments.select(list(HOLDER_MONTHS.schema)))
    return Outcome(
        events=events,
        tables={"holder_months": table},
        answer={
            "principal_cents": int(table["principal_cents"].sum()),
            "interest_cents": int(table["interest_cents"].sum()),
        },
    )
