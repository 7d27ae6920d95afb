"""Private pools issued as deals: the terms of each, its classes as securities, and who gets how much of each.

A pool without a guarantor bears its loans' losses itself; who bears them first is what its deal says. The deal is data,
read by `deals.parse` onto the pool's own face, rate and term.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any

import polars as pl

from poolhouse import deals
from poolhouse.deals.classes import Class, Fixed, NetWac
from poolhouse.deals.collateral import Pools
from poolhouse.deals.credit_rules import Overcollateralisation, ReserveDraw, ReserveFund
from poolhouse.deals.trust import flat
from poolhouse.findings import Refused
from poolhouse.money import largest_remainder
from poolhouse.pooling import cusip
from poolhouse.pooling.limits import Limits
from poolhouse.tables import DEALS, FIRST_CLASS_SECURITY, SECURITIES

NO_GUARANTEE = "none"
FIXED, NET_WAC = "fixed", "net_wac"
_E7_PER_PERCENT = 100_000
_DOLLAR = 100
_MOST_DEALS = 16_384


def read_deal(terms: str, pool: dict[str, Any]) -> deals.Deal:
    """The deal of a pool (a POOLS row): its classes in whole dollars of the pool's face, paid on the pool's day.
    Refused: terms that can't be meant, or that a book can't pay (see `_payable`)."""
    names = ("face_cents", "wac_e7", "coupon_rate_e7", "wam_months", "wala_months", "pay_day")
    return _read(terms, pool["pool_number"], tuple(pool[name] for name in names))


@lru_cache(maxsize=_MOST_DEALS)
def _read(terms: str, name: str, facts: tuple[int, ...]) -> deals.Deal:
    face, wac, coupon, wam, wala, pay_day = facts
    onto = Pools((face,), (wac / _E7_PER_PERCENT,), (coupon / _E7_PER_PERCENT,), (wam,), (wala,))
    deal = deals.parse(terms, f"deal of pool {name}", onto=onto)
    _payable(deal, name, coupon)
    return replace(deal, classes={c.name: replace(c, delay_days=pay_day - 1) for c in deal.classes.values()})


def _payable(deal: deals.Deal, name: str, coupon_e7: int) -> None:
    """A book's deal pays out what its loans bring and nothing else: no index is known, and nobody stands by with a fee
    to earn, a reserve to fill or a right to call. Whatever is left of its classes, they are due all of it, and each can
    lose."""
    where = f"deal of pool {name}"
    for what, given in (("fee", deal.fee_e7), ("call", deal.call_e7), ("reserve", deal.reserve)):
        if given:
            raise Refused(f"{where}: a book's own pools are issued without a {what}: leave it out of [deal]")
    if isinstance(deal.collateral, Pools) and deal.collateral.payoff_days_lost:
        raise Refused(
            f"{where}: a book's servicers make a payoff's month of interest whole: leave payoff_days_lost out of "
            "[collateral]"
        )
    for step in deal.steps:
        if isinstance(step.rule, ReserveDraw | ReserveFund | Overcollateralisation):
            raise Refused(
                f"{where}, rule {step.name}: a book's own classes are due all that comes in; no interest is over to "
                "build a reserve or overcollateralisation of"
            )
    if not deal.losses:
        raise Refused(f"{where}: nobody guarantees the pool, so the deal must say who bears losses: losses = [...]")
    for c in deal.classes.values():
        if c.balance and c.name not in flat(deal.losses):
            raise Refused(f"{where}, class {c.name}: nobody else bears what it would not: name it in losses")
        if not isinstance(c.coupon, Fixed | NetWac) or c.notional or c.accrues_until or c.residual or c.capped:
            raise Refused(
                f"{where}, class {c.name}: a book's own classes have a balance and pay net_wac or the pool's rate; "
                "floaters, notional, accrual, capped and residual classes are for `structure`"
            )
        if isinstance(c.coupon, Fixed) and c.coupon.rate_e7 != coupon_e7:
            raise Refused(
                f"{where}, class {c.name}: pays {c.coupon.rate_e7 / _E7_PER_PERCENT:g}% of a pool that pays "
                f"{coupon_e7 / _E7_PER_PERCENT:g}%: once classes are paid down or lost, interest would be due to "
                "nobody, or not be there; give net_wac"
            )


def cut(pools: pl.DataFrame, limits: Limits, terms: str | None = None) -> pl.DataFrame:
    """DEALS rows of the pools nobody guarantees. terms: a TOML instead of the assumed one. Refused as `read_deal`."""
    text = str(limits.rulebook.get("deals.private", limits.issue_date)) if terms is None else terms
    rows = [(pool["pool_id"], read_deal(text, pool).name, text) for pool in _bare(pools)]
    return DEALS.conform(pl.DataFrame(rows, schema=DEALS.schema, orient="row"))


def name_securities(pools: pl.DataFrame, cut_in: pl.DataFrame, next_class: int, limits: Limits) -> pl.DataFrame:
    """SECURITIES rows with fictional CUSIPs: one per pool, or one per class of a pool's deal. cut_in: DEALS rows;
    next_class: how many classes the book has."""
    issuer = str(limits.plain("cusip_issuer"))
    terms = dict(cut_in.select("pool_id", "terms").iter_rows())
    rows: list[tuple[Any, ...]] = []
    for pool in pools.iter_rows(named=True):
        number = pool["pool_id"]
        if number not in terms:
            whole = ("", 0, pool["face_cents"], pool["coupon_rate_e7"], FIXED)
            rows.append((number, cusip.fictional(number, issuer), number, limits.month, *whole))
            continue
        for c, rank in ranked(read_deal(terms[number], pool)):
            rate = (c.coupon.rate_e7, FIXED) if isinstance(c.coupon, Fixed) else (pool["coupon_rate_e7"], NET_WAC)
            named = (FIRST_CLASS_SECURITY + next_class, cusip.of_class(next_class, issuer), number, limits.month)
            rows.append((*named, c.name, rank, c.balance, *rate))
            next_class += 1
    return SECURITIES.conform(pl.DataFrame(rows, schema=SECURITIES.schema, orient="row"))


def ranked(deal: deals.Deal) -> Iterator[tuple[Class, int]]:
    """Classes from those that bear losses last, with the rank of each."""
    last = len(deal.losses) - 1
    rank = {name: last - place for place, group in enumerate(deal.losses) for name in group}
    for c in sorted(deal.classes.values(), key=lambda c: rank[c.name]):
        yield c, rank[c.name]


def shares_of_classes(shares: pl.DataFrame, securities: pl.DataFrame) -> pl.DataFrame:
    """security_id, owner_id, face_cents and the pool's other columns, from each owner's face (`share_out`).

    A class is shared out in whole dollars by what each owner has still to get, from the lowest up, so that an owner's
    classes sum to its face of the pool and a class's owners to its size.
    """
    of = {key[0]: part for key, part in securities.sort("loss_rank", "security_id", descending=True).group_by(
        "pool_id", maintain_order=True)}  # fmt: skip
    rows: list[dict[str, Any]] = []
    for (pool,), part in shares.group_by("pool_id", maintain_order=True):
        owners = part.rows(named=True)
        left = [owner["face_cents"] // _DOLLAR for owner in owners]
        for security, size in of[pool].select("security_id", "original_face_cents").iter_rows():
            given = largest_remainder(size // _DOLLAR, left)
            left = [before - now for before, now in zip(left, given, strict=True)]
            rows += [
                owner | {"security_id": security, "face_cents": now * _DOLLAR}
                for owner, now in zip(owners, given, strict=True)
            ]
    return pl.DataFrame(rows, schema={"security_id": pl.Int32()} | dict(shares.schema)).sort("security_id", "owner_id")


def _bare(pools: pl.DataFrame) -> list[dict[str, Any]]:
    return list(pools.filter(pl.col("guarantee") == NO_GUARANTEE).iter_rows(named=True))
