"""structure --pool: the deal a private pool was issued as, or any deal laid over a pool. What its classes got and lost
so far, then a projection.

So far is no model: each closed month's cents as the pool brought them, loss by loss, go through the deal's steps. Of
the pool's own deal that is what its holders were paid.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from poolhouse import deals, pooling
from poolhouse.dates import month_name
from poolhouse.deals import collateral
from poolhouse.deals.collateral import Pools, Received
from poolhouse.deals.deal import Deal, PaymentDate, State
from poolhouse.findings import Refused
from poolhouse.market.desk import Desk
from poolhouse.market.structure import Answer, answered, read
from poolhouse.market.value import SPEEDS, speeds_of
from poolhouse.market.value_borrowers import Asked, Behaviour, behaviour, cashflows, told
from poolhouse.market.value_loans import loans_of, pool_of

_E7_PER_PERCENT = 100_000
UNASKED = Asked()
"""No models: speeds."""
_NOTHING = Received(0, 0, 0, 0, 0, 0)


def structure_pool(
    desk: Desk, path: str | Path | None, pool: str, *, speeds: Mapping[str, Any] | None = None,
    severity: float | list[float] | None = None, lag: int = 12, advance: bool = True, rates: str | Path | None = None,
    borrowers: Asked = UNASKED, **options: Any,
) -> Answer:  # fmt: skip
    """A deal's file on a pool of the book, by CUSIP or pool number: the classes are scaled to the pool as it was
    issued; without a file, the deal that it was issued as. options as of `structure.structure`; the projection starts
    from the loans as they stand, one by one where `borrowers` asks for models.

    Keys as there, of what is still to come; and pool, so_far (per class: original, principal, interest, loss and
    balance in cents; of its own deal cusip too), history (a row per closed month and class), of its own deal terms (its
    TOML), and with models borrowers (`value_borrowers.told`). Refused: no such pool, or no file for a pool that is no
    deal.
    """
    row = pool_of(desk, pool)
    own = own_terms(desk, row) if path is None else ""
    deal = pooling.read_deal(own, row) if path is None else read(Path(path), _at_issue(row))
    months = brought(desk, row)
    paid = stepped(deal, months)
    state = paid[-1].after if paid else deals.opened(deal)
    if months and not list(months.values())[-1].after:
        # Its life is over, and a part of nothing can't be called or valued: only what was so far is left to tell.
        answer = answered(deal, lambda _: [_NOTHING], start=state, **(options | {"call": False}))
    else:
        left = left_of(desk, row, (borrowers, speeds_of(speeds), severity, lag, advance))
        answer = _to_come(deal, state, left, rates=rates, **options)
    named = {"pool_number": row["pool_number"], "cusip": row["cusip"], "as_of": desk.today.isoformat()}
    cusips = _cusips(desk, row) if own else {}
    return {
        "pool": named, "so_far": _so_far(deal, paid, cusips), **answer,
        "history": _history(list(months), deal, paid),
    } | ({"terms": own} if own else {})  # fmt: skip


def stepped(deal: Deal, months: Mapping[int, Received]) -> list[PaymentDate]:
    """The deal's payment dates from its closing on, on what its pool brought."""
    paid: list[PaymentDate] = []
    for number, received in enumerate(months.values()):
        before = paid[-1].after if paid else deals.opened(deal)
        paid.append(deals.step(deal, before, received, deal.index_e7[min(number, len(deal.index_e7) - 1)]))
    return paid


@dataclass(frozen=True)
class Left:
    """A pool's loans as they stand, and how their borrowers will behave."""

    loans: pl.DataFrame
    of: Behaviour
    pools: Pools

    def months(self, speeds: Mapping[str, Any] | None = None) -> list[Received]:
        """What they bring, at other speeds where given."""
        of = self.of if speeds is None else replace(self.of, speeds=dict(speeds))
        return collateral.in_cents(self.pools, cashflows(self.loans, of), of.lag)


def left_of(desk: Desk, row: dict[str, Any], asked: tuple[Any, ...]) -> Left:
    """Of a pool (a row of `pool_of`). asked: models, speeds, severity, lag and whether is advanced. Refused: nothing
    left of it, or what contradicts itself."""
    loans = loans_of(desk, row).with_columns(
        coupon=pl.min_horizontal("wac", pl.lit(row["coupon_rate_e7"] / _E7_PER_PERCENT))
    )
    guaranteed, first = row["guarantee"] != "none", int(loans["as_of"].to_numpy().max())
    of = behaviour(*asked, first=first, guaranteed=guaranteed, book=desk.rulebook)
    return Left(loans, of, _as_pools(loans, guaranteed))


def _to_come(deal: Deal, state: State, left: Left, *, rates: str | Path | None, **options: Any) -> Answer:
    """`structure` of what is left, from where the classes stand."""
    of = left.of
    if of.modelled and rates is not None:
        raise Refused("--rates has its own model of prepayment: give speeds of default, or models without --rates")

    def months_at(at: Mapping[str, Any]) -> list[Received]:
        return left.months({name: at[name] for name in SPEEDS if name in at})

    answer = answered(
        deal, months_at, start=state, speeds=of.speeds, severity=of.severity, lag=of.lag, advance=of.advance,
        rates=rates, pools=left.pools, known=int(left.loans["known"].to_numpy().max()),
        by_speed=of.prepayment is None, **options,
    )  # fmt: skip
    return answer | {"speeds": of.said} | ({"borrowers": told(left.loans, of)} if of.modelled else {})


def _at_issue(row: dict[str, Any]) -> Pools:
    return Pools(
        (row["scheduled_cents"],), (row["wac_e7"] / _E7_PER_PERCENT,), (row["coupon_rate_e7"] / _E7_PER_PERCENT,),
        (row["wam_months"],), (row["wala_months"],), row["guarantee"] != "none",
    )  # fmt: skip


def own_terms(desk: Desk, row: dict[str, Any]) -> str:
    """The TOML of the deal that a pool was issued as. Refused: it was issued whole."""
    terms = desk.book.records("deals").filter(pl.col("pool_id") == row["pool_id"])["terms"].to_list()
    if not terms:
        raise Refused(
            f"pool {row['pool_number']} was issued whole, guaranteed: give a DEAL.toml to lay over it, such as those "
            "in examples/deals"
        )
    return str(terms[0])


def _cusips(desk: Desk, row: dict[str, Any]) -> dict[str, str]:
    mine = desk.book.records("securities").filter(pl.col("pool_id") == row["pool_id"])
    return dict(mine.select("class_name", "cusip").iter_rows())


_BROUGHT = (
    "opening_scheduled_cents", "investor_interest_cents", "scheduled_principal_cents", "unscheduled_principal_cents",
    "loss_cents",
)  # fmt: skip


def brought(desk: Desk, row: dict[str, Any]) -> dict[int, Received]:
    """What a pool (a row of `pool_of`) brought in each distribution month closed since its issue, by month.

    A private pool's months stand with its deal. Of a guaranteed one nothing is lost or late to its holders.
    """
    own = row["guarantee"] == "none"
    months = desk.book.scan("deal_months" if own else "pool_months").filter(pl.col("pool_id") == row["pool_id"])
    late = pl.col("late_cents") if own else pl.lit(0, pl.Int64).alias("late_cents")
    sums = months.group_by("month").agg(pl.col(*_BROUGHT).sum(), late.sum()).sort("month").collect()
    return {
        month: Received(balance, interest, scheduled, unscheduled, unscheduled, loss, late)
        for month, balance, interest, scheduled, unscheduled, loss, late in sums.iter_rows()
        if balance > 0
    }


def _as_pools(loans: pl.DataFrame, guaranteed: bool) -> Pools:
    cents = (loans["balance"] * 100).round().cast(pl.Int64)
    wac, coupon, wam, age = (tuple(loans[name].to_list()) for name in ("wac", "coupon", "wam", "age"))
    return Pools(tuple(cents.to_list()), wac, coupon, wam, age, guaranteed)


def _so_far(deal: Deal, paid: list[PaymentDate], cusips: dict[str, str]) -> list[Answer]:
    rows = []
    for name, c in deal.classes.items():
        got = [date.classes[name] for date in paid]
        rows.append(
            ({"cusip": cusips[name]} if name in cusips else {}) | {
                "class": name, "original_cents": c.balance, "principal_cents": sum(g.principal for g in got),
                "interest_cents": sum(g.interest for g in got), "loss_cents": sum(g.loss for g in got),
                "balance_cents": c.base(paid[-1].after.balance) if paid else c.balance,
            }
        )  # fmt: skip
    return rows


def _history(months: list[int], deal: Deal, paid: list[PaymentDate]) -> list[Answer]:
    """A row per month and class, cents."""
    return [
        {
            "month": month_name(month), "class": name, "interest_cents": date.classes[name].interest,
            "principal_cents": date.classes[name].principal, "accrued_cents": date.classes[name].accrued,
            "loss_cents": date.classes[name].loss, "ending_balance_cents": c.base(date.after.balance),
        }
        for month, date in zip(months, paid, strict=True)
        for name, c in deal.classes.items()
    ]  # fmt: skip
