"""The book's deals: private pools' classes, where they stand, and what a payment date gives them."""

from __future__ import annotations

from typing import Any

import polars as pl

from poolhouse import investing, pooling, servicing
from poolhouse.market.desk import Desk, trades
from poolhouse.money import half_up_div
from poolhouse.tables import CLASS_MONTHS


def issued(desk: Desk) -> list[pooling.Issued]:
    """The book's deals, by pool."""
    terms = desk.book.records("deals")
    if not terms.height:
        return []
    return pooling.issued_deals(desk.book.records("pools"), desk.book.records("securities"), terms)


def standings(desk: Desk, month: int, of: list[pooling.Issued] | None = None) -> list[pooling.Standing]:
    """Where deals stand after the payment date of a closed month; those issued in the month, at their closing."""
    found = issued(desk) if of is None else of
    if not found:
        return []
    window = list(range(month - pooling.window_months() + 1, month + 1))
    rows = desk.book.scan("deal_months", window).collect()
    return pooling.standings(found, rows, desk.book.segment("class_months", month), month)


def open_classes(desk: Desk, month: int) -> tuple[pl.DataFrame, list[pooling.Standing]]:
    """CLASS_MONTHS rows of the open month, before it closes, and where every deal issued by then stands after it.

    They depend on instalments due on 1 M and on what came in M-1 only, as factors do.
    """
    known = issued(desk)
    if not known:
        return CLASS_MONTHS.empty(), []
    _, rows, after = payment_date(desk, month, known)
    return rows, [*after, *standings(desk, month, [one for one in known if one.issue_month == month])]


def payment_date(
    desk: Desk, month: int, of: list[pooling.Issued] | None = None
) -> tuple[pl.DataFrame, pl.DataFrame, list[pooling.Standing]]:
    """`pooling.pay_deals` of a month, from the month before: of the open one before it closes, of a closed one again.

    Of the loans only those of the deals' pools are read, as they stood the month before: one that enters is in no pool.
    """
    stood = standings(desk, month - 1, of)
    pools = [s.issued.pool_id for s in stood]
    loans = desk.book.scan("loan_months", [month - 1]).filter(pl.col("pool_id").is_in(pools))
    opening = loans.select(servicing.OPENING_COLUMNS).collect()
    return pooling.pay_deals(stood, servicing.collections(opening, pools, month), month)


def trusts(stand: list[pooling.Standing]) -> investing.Trusts:
    """Deals as the auction takes them."""
    return {s.issued.pool_id: investing.Trust(s.issued.deal, s.state, s.balance_cents) for s in stand}


def by_class(desk: Desk) -> list[dict[str, Any]]:
    """The deals' classes of one name together, those that bear losses last first: class_name, deals, face, price_e6 (of
    their placements, by face; None while unsold), interest, principal and loss so far and what is left, in cents."""
    securities = desk.book.records("securities").filter(pl.col("class_name") != "")
    paid = desk.book.scan("class_months").group_by("security_id").agg(
        pl.col("interest_cents", "principal_cents", "loss_cents").sum()
    ).collect()  # fmt: skip
    cost = pl.col("price_e6").cast(pl.Int128) * pl.col("face_cents")
    placed = trades(desk).filter(pl.col("kind") == "placement").group_by("security_id").agg(
        placed_cents=pl.col("face_cents").sum(), weighed=cost.sum()
    )  # fmt: skip
    both = securities.join(paid, on="security_id", how="left").join(placed, on="security_id", how="left")
    sums = both.group_by("class_name").agg(
        pl.col("loss_rank").min(), deals=pl.len(), face_cents=pl.col("original_face_cents").sum(),
        **{f"{name}_cents": pl.col(f"{name}_cents").sum() for name in ("interest", "principal", "loss", "placed")},
        weighed=pl.col("weighed").sum(),
    ).sort("loss_rank", "class_name")  # fmt: skip
    return [
        {
            "class_name": row["class_name"], "deals": row["deals"], "face_cents": row["face_cents"],
            "price_e6": half_up_div(int(row["weighed"]), row["placed_cents"]) if row["placed_cents"] else None,
            "interest_cents": row["interest_cents"], "principal_cents": row["principal_cents"],
            "loss_cents": row["loss_cents"],
            "balance_cents": row["face_cents"] - row["principal_cents"] - row["loss_cents"],
        }
        for row in sums.iter_rows(named=True)
    ]  # fmt: skip
