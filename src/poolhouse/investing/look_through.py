"""Who owns what in the end: from a holder to the pools and loans, and through a fund to its holders.

Shares of a pool's balance or of one loan's money are an attribution: the holder owns a share of the pool, or of a class
cut from it, not of a loan.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from poolhouse.investing.capital import SHARE_ONE_E8
from poolhouse.investing.positions import rows
from poolhouse.money import half_up_div, largest_remainder
from poolhouse.tables.codes import PROGRAMS


def lookthrough(
    holder_id: int,
    positions: pl.DataFrame,
    securities: pl.DataFrame,
    pools: pl.DataFrame,
    loans_by_pool: pl.DataFrame,
    fund_shares: pl.DataFrame,
) -> dict[str, Any]:
    """What stands behind a holder, ready for JSON: integer cents, shares in e8.

    positions: security_id, holder_id, face_cents. securities: SECURITIES columns and balance_cents, what is left of
    each. loans_by_pool: pool_id i32, loans i32, one row per pool, further integer or text columns are passed on as they
    are. fund_shares: fund_id, holder_id, share_e8 (`fund_shares`).
    Keys: holder_id, direct (a list of securities), through_funds (a list: fund_id, share_e8, securities,
    balance_cents), loans (in all pools touched, each pool once), face_cents, balance_cents (totals; the
    holder's share, through funds included). A fund's own holders share what it holds: `owned_by`.
    """
    direct = _securities(holder_id, SHARE_ONE_E8, positions, securities, pools, loans_by_pool)
    funds = []
    for stake in rows(fund_shares.filter(pl.col("holder_id") == holder_id).sort("fund_id")):
        inside = _securities(stake["fund_id"], stake["share_e8"], positions, securities, pools, loans_by_pool)
        funds.append(
            {
                "fund_id": stake["fund_id"],
                "share_e8": stake["share_e8"],
                "securities": inside,
                "balance_cents": sum(s["balance_cents"] for s in inside),
            }
        )
    everything = direct + [s for fund in funds for s in fund["securities"]]
    loans = {s["pool_id"]: s["loans"] for s in everything}
    owners = rows(fund_shares.filter(pl.col("fund_id") == holder_id).sort("holder_id"))
    return {
        "holder_id": holder_id,
        "direct": direct,
        "through_funds": funds,
        "owned_by": [{"holder_id": o["holder_id"], "share_e8": o["share_e8"]} for o in owners],
        "pools": len(loans),
        "loans": sum(loans.values()),
        "face_cents": sum(s["face_cents"] for s in everything),
        "balance_cents": sum(s["balance_cents"] for s in everything),
    }


def _securities(
    holder_id: int,
    share_e8: int,
    positions: pl.DataFrame,
    securities: pl.DataFrame,
    pools: pl.DataFrame,
    loans_by_pool: pl.DataFrame,
) -> list[dict[str, Any]]:
    mine = positions.filter(pl.col("holder_id") == holder_id).join(securities, on="security_id")
    facts = mine.join(pools.select("pool_id", "pool_number", "program"), on="pool_id")
    facts = facts.join(loans_by_pool, on="pool_id", how="left")
    extra = [c for c in loans_by_pool.columns if c not in ("pool_id", "loans")]
    found = []
    for row in rows(facts.sort("security_id")):
        whole = row["original_face_cents"]
        found.append(
            {
                "security_id": row["security_id"],
                "cusip": row["cusip"],
                "class_name": row["class_name"],
                "pool_id": row["pool_id"],
                "pool_number": row["pool_number"],
                "program": PROGRAMS[row["program"]],
                "coupon_rate_e7": row["class_rate_e7"],
                "face_cents": half_up_div(row["face_cents"] * share_e8, SHARE_ONE_E8),
                "original_face_cents": whole,
                "share_e8": half_up_div(row["face_cents"] * share_e8, whole),
                "balance_cents": half_up_div(row["balance_cents"] * row["face_cents"] * share_e8, whole * SHARE_ONE_E8),
                "loans": row["loans"] or 0,
            }
            | {name: row[name] for name in extra}
        )
    return found


def loan_shares(cents: int, stakes: list[tuple[int, int]], fund_shares: pl.DataFrame) -> list[dict[str, Any]]:
    """A pooled loan's balance or payment shared out to the pool's holders, and on through funds.

    cents >= 0. stakes: what each holder's part is measured by, as (holder, weight), in any order: face of a whole pool,
    balances or cash of its classes. One entry per holder: holder_id, weight, cents (they sum to `cents`; largest
    remainder), through: [{holder_id, share_e8, cents}] for those who hold a fund. Empty when nobody has a part.
    """
    weights: dict[int, int] = {}
    for holder, weight in stakes:
        weights[holder] = weights.get(holder, 0) + weight
    mine = sorted((holder, weight) for holder, weight in weights.items() if weight)
    shared = []
    parts = largest_remainder(cents, [weight for _, weight in mine]) if mine else []
    for (holder, weight), share in zip(mine, parts, strict=True):
        held = rows(fund_shares.filter(pl.col("fund_id") == holder).sort("holder_id"))
        through = [
            {"holder_id": s["holder_id"], "share_e8": s["share_e8"], "cents": share * s["share_e8"] // SHARE_ONE_E8}
            for s in held
        ]
        shared.append({"holder_id": holder, "weight": weight, "cents": share, "through": through})
    return shared
