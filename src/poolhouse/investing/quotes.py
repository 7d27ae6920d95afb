"""What each bidder of the auction quotes for each lot: its mandate's yield and speed, as a price in 32nds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from poolhouse.dates import days_30_360, first_day
from poolhouse.investing import bids, class_bids
from poolhouse.money import PRICE_PAR_E6, RATE_ONE
from poolhouse.rules import Rulebook, mortgage_rate_e7, system_parties

Lots = list[dict[str, Any]]
"""OFFERED_SCHEMA rows, one per security, with `settlement`."""
Trusts = Mapping[int, class_bids.Trust]
"""Deals by pool."""

_LEAST_YIELD_E7 = 1_000  # a bid needs a positive yield; a tenth of a basis point would do as well


@dataclass(frozen=True)
class Investor:
    """A bidder and its mandate (`investing.mandate`)."""

    party_id: int
    code: str
    agency_only: bool
    yield_margin_e7: int
    speed_psa: int
    risk_spread_e1: int
    largest_share_e4: int


def mandates(month: int, rulebook: Rulebook) -> list[Investor]:
    """The investors that bid, in the order of their codes."""
    found = []
    for value in rulebook.parameters["investing.mandate"].values:
        code = str(dict(value.dims)["code"])
        mandate = rulebook.get("investing.mandate", first_day(month), code=code)
        found.append(Investor(int(system_parties()[code]["party_id"]), code, **mandate))
    return sorted({investor.code: investor for investor in found}.values(), key=lambda i: i.code)


def quotes(lots: Lots, investors: list[Investor], trusts: Trusts, month: int, rulebook: Rulebook) -> list[list[int]]:
    """Each investor's price for each lot, e6, rounded down to a 32nd."""
    if not lots:
        return []
    as_of, ramp = first_day(month), rulebook.get("investing.psa_ramp", first_day(month))
    yields, speeds = _yields(lots, investors, month, rulebook), np.array([i.speed_psa / 100 for i in investors])
    found = np.zeros(yields.shape)
    whole = [at for at, lot in enumerate(lots) if not lot["class_name"]]
    found[whole] = bids.prices(
        _flows([lots[at] for at in whole], month), yields[whole], speeds, ramp["step_e7"] / RATE_ONE, ramp["months"]
    )
    for pool in sorted({lot["pool_id"] for lot in lots if lot["class_name"]}):
        mine = [at for at, lot in enumerate(lots) if lot["class_name"] and lot["pool_id"] == pool]
        found[mine] = _class_prices([lots[at] for at in mine], trusts[pool], yields[mine], speeds, month, ramp)
    tick = rulebook.get("investing.tick_e6", as_of)
    ticks: list[list[int]] = (np.floor(found * PRICE_PAR_E6 / tick).astype(np.int64) * tick).tolist()
    return ticks


def _yields(lots: Lots, investors: list[Investor], month: int, rulebook: Rulebook) -> bids.Floats:
    """(lots, investors): the par coupon's, the mandate's margin, and the spread for a weaker guarantee or a class that
    bears losses sooner."""
    as_of = first_day(month)
    lowest = max(dict(v.dims)["loss_rank"] for v in rulebook.parameters["investing.class_spread_e7"].values)

    def spread(lot: dict[str, Any]) -> int:
        if lot["class_name"]:
            rank = min(lot["loss_rank"], lowest)
            return int(rulebook.get("investing.class_spread_e7", as_of, loss_rank=rank))
        return int(rulebook.get("investing.guarantee_spread_e7", as_of, guarantee=lot["guarantee"]))

    asked = []
    for lot in lots:
        coupon_spread = rulebook.get("sale.current_coupon_spread_e7", as_of, term_bucket=lot["term_bucket"])
        base, weaker = mortgage_rate_e7(month) - coupon_spread, spread(lot)
        asked.append([base + i.yield_margin_e7 + weaker * i.risk_spread_e1 // 10 for i in investors])
    return np.maximum(np.array(asked, dtype=np.int64), _LEAST_YIELD_E7) / RATE_ONE


def _class_prices(
    lots: Lots, trust: class_bids.Trust, yields: bids.Floats, speeds: bids.Floats,
    month: int, ramp: dict[str, Any],
) -> bids.Floats:  # fmt: skip
    flows, first = _flows(lots, month), lots[0]
    loans = class_bids.Loans(
        first["wac_e7"], first["coupon_rate_e7"], int(flows.remaining_months[0]), int(flows.age_months[0])
    )
    return class_bids.prices(
        trust, loans, [lot["class_name"] for lot in lots], [lot["class_rate_e7"] for lot in lots], yields, speeds,
        flows.first_days, flows.accrued_days, ramp,
    )  # fmt: skip


def _flows(lots: Lots, month: int) -> bids.Flows:
    elapsed = np.array([month - lot["issue_month"] for lot in lots], dtype=np.int64)
    settled = np.array([days_30_360(first_day(month), lot["settlement"]) for lot in lots], dtype=np.int64)
    delay = np.array([lot["pay_day"] - 1 for lot in lots], dtype=np.int64)
    return bids.Flows(
        wac=np.array([lot["wac_e7"] / RATE_ONE for lot in lots]),
        coupon=np.array([lot["coupon_rate_e7"] / RATE_ONE for lot in lots]),
        remaining_months=np.maximum(np.array([lot["wam_months"] for lot in lots], dtype=np.int64) - elapsed, 1),
        age_months=np.array([lot["wala_months"] for lot in lots], dtype=np.int64) + elapsed,
        first_days=30 + delay - settled,
        accrued_days=settled,
    )
