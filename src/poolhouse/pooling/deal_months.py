"""A payment date of the private pools' deals: what the loans brought goes to the classes, losses from the bottom up.

The rules are the deals' own (`deals.step`); here a book's rows become a state and a state becomes rows. Few rows, exact
integers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from poolhouse import deals
from poolhouse.deals.collateral import Received
from poolhouse.deals.trust import late_average_months
from poolhouse.money import half_up_div
from poolhouse.pooling.classes import read_deal
from poolhouse.pooling.factors import FACTOR_ONE_E8
from poolhouse.tables import CLASS_MONTHS, DEAL_MONTHS


@dataclass(frozen=True)
class Issued:
    """A pool's deal, and its classes' securities by name: (security_id, original face)."""

    pool_id: int
    issue_month: int
    deal: deals.Deal
    securities: Mapping[str, tuple[int, int]]


@dataclass(frozen=True)
class Standing:
    """Where a deal stands: its state, and the trust balance behind it, cents."""

    issued: Issued
    state: deals.State
    balance_cents: int


def issued_deals(pools: pl.DataFrame, securities: pl.DataFrame, terms: pl.DataFrame) -> list[Issued]:
    """The book's deals by pool. pools, securities, terms: POOLS, SECURITIES, DEALS rows."""
    facts = {row["pool_id"]: row for row in pools.iter_rows(named=True)}
    classes: dict[int, dict[str, tuple[int, int]]] = {}
    for row in securities.filter(pl.col("class_name") != "").sort("security_id").iter_rows(named=True):
        classes.setdefault(row["pool_id"], {})[row["class_name"]] = (row["security_id"], row["original_face_cents"])
    return [
        Issued(pool, _month_of(facts[pool]), read_deal(text, facts[pool]), classes[pool])
        for pool, text in terms.sort("pool_id").select("pool_id", "terms").iter_rows()
    ]


def _month_of(pool: dict[str, Any]) -> int:
    return int(pool["issue_date"].year * 12 + pool["issue_date"].month - 1)


def window_months() -> int:
    """Months of DEAL_MONTHS before this one that a payment date looks back on."""
    return late_average_months()


def standings(issued: list[Issued], deal_rows: pl.DataFrame, class_rows: pl.DataFrame, month: int) -> list[Standing]:
    """Where deals stood after the payment date of `month`; those issued since are left out.

    deal_rows: DEAL_MONTHS of that month and of `window_months` - 1 before it; class_rows: CLASS_MONTHS of that month.
    ValueError when a deal issued before the month has no row in it.
    """
    dates = {pool: part.sort("month").rows(named=True) for (pool,), part in deal_rows.group_by("pool_id")}
    classes = {row["security_id"]: row for row in class_rows.filter(pl.col("month") == month).iter_rows(named=True)}
    found = []
    for one in issued:
        if one.issue_month == month:
            found.append(Standing(one, deals.opened(one.deal), one.deal.closing))
        if one.issue_month >= month:
            continue
        mine = dates.get(one.pool_id, [])
        if not mine or mine[-1]["month"] != month:
            raise ValueError(f"deal of pool {one.pool_id}: no payment date of the month before")
        rows = {name: classes[number] for name, (number, _) in one.securities.items()}
        last = mine[-1]
        state = deals.State(
            {name: row["closing_cents"] for name, row in rows.items()},
            {name: row["unpaid_cents"] for name, row in rows.items()},
            dict.fromkeys(rows, 0), last["payment"], 0, last["lost_cents"],
            tuple(row["late_cents"] for row in mine), last["held_share_e7"],
        )  # fmt: skip
        found.append(Standing(one, state, last["closing_scheduled_cents"]))
    return found


def pay_deals(
    before: list[Standing], collected: pl.DataFrame, month: int
) -> tuple[pl.DataFrame, pl.DataFrame, list[Standing]]:
    """The payment date of `month`: DEAL_MONTHS and CLASS_MONTHS rows, and where the deals stand after it.

    collected: per pool what its loans brought (pool_id and the columns of DEAL_MONTHS from opening_scheduled_cents to
    late_cents); a pool without a row has no loan left. A deal that is paid off keeps its rows, of zeros.
    """
    brought = {row["pool_id"]: row for row in collected.iter_rows(named=True)}
    dates: list[dict[str, Any]] = []
    classes: list[dict[str, Any]] = []
    after: list[Standing] = []
    for standing in before:
        one = standing.issued
        row = brought.get(one.pool_id, dict.fromkeys(_BROUGHT, 0))
        received = _received(row)
        paid = deals.step(one.deal, standing.state, received)
        named = {"month": month, "pool_id": one.pool_id}
        dates.append(
            named | {name: row[name] for name in _BROUGHT} | {
                "payment": paid.after.month, "lost_cents": paid.after.lost, "held_share_e7": paid.after.held_share,
                "rest_cents": paid.rest, "closing_scheduled_cents": received.after,
            }
        )  # fmt: skip
        classes += [named | _class_row(standing, paid, name) for name in one.securities]
        after.append(Standing(one, paid.after, received.after))
    return (
        DEAL_MONTHS.conform(pl.DataFrame(dates, schema=DEAL_MONTHS.schema)),
        CLASS_MONTHS.conform(pl.DataFrame(classes, schema=CLASS_MONTHS.schema)),
        after,
    )


_BROUGHT = (
    "opening_scheduled_cents", "investor_interest_cents", "scheduled_principal_cents", "unscheduled_principal_cents",
    "loss_cents", "late_cents",
)  # fmt: skip


def _received(row: Mapping[str, int]) -> Received:
    balance, interest, scheduled, unscheduled, loss, late = (row[name] for name in _BROUGHT)
    return Received(balance, interest, scheduled, unscheduled, unscheduled, loss, late)


def _class_row(standing: Standing, paid: deals.PaymentDate, name: str) -> dict[str, int]:
    security, face = standing.issued.securities[name]
    got, before, after = paid.classes[name], standing.state.balance[name], paid.after.balance[name]
    return {
        "security_id": security, "opening_cents": before, "interest_cents": got.interest,
        "principal_cents": got.principal, "loss_cents": got.loss, "unpaid_cents": paid.after.unpaid[name],
        "closing_cents": after, "prior_factor_e8": half_up_div(FACTOR_ONE_E8 * before, face),
        "factor_e8": half_up_div(FACTOR_ONE_E8 * after, face),
    }  # fmt: skip
