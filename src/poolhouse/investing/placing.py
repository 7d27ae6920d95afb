"""The model of primary distribution: a uniform-price auction of each new security, a whole pool or a deal's class.

Every investor bids what its mandate says; the highest bids at or above the seller's reserve are
filled until the face is gone, and all pay the lowest accepted price. What finds no bid stays with
its seller, who offers it again next month. The clearing prices inform the next price sheet.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl

from poolhouse.dates import days_30_360, first_day, last_business_day, month_name, month_of, on_or_before
from poolhouse.investing.delivery import FACTOR_ONE_E8, postings, trade_row, trades_frame
from poolhouse.investing.positions import rows
from poolhouse.investing.quotes import Investor, Trusts, mandates, quotes
from poolhouse.money import PRICE_PAR_E6, half_up_div, largest_remainder
from poolhouse.rules import Rulebook
from poolhouse.tables import PRICES, Event, Outcome
from poolhouse.tables.codes import PRIVATE, PROGRAMS

_DOLLAR = 100


@dataclass(frozen=True)
class Bid:
    """One investor's bid: face it would take at that price or lower."""

    investor: Investor
    price_e6: int
    face_cents: int


def place(
    offered: pl.DataFrame,
    sheet: pl.DataFrame,
    cash: pl.DataFrame,
    positions: pl.DataFrame,
    month: int,
    rulebook: Rulebook,
    trusts: Trusts | None = None,
) -> Outcome:
    """Auction what is offered in `month`, security by security: event Placed, one per program.

    offered: OFFERED_SCHEMA rows (see `offers`). sheet: PRICES rows of this month. cash: holder_id i32,
    cash_cents i64 of the investors. positions: security_id, holder_id, face_cents, for the largest share. trusts: of
    each pool issued as a deal, the deal, how it stands after this month's payment date and its loans' balance in cents.
    Returns records trades (kind 'placement') and prices (month + 1, source 'auction': the face-weighted
    clearing price of each cell; where nothing was sold, the best bid, so that the sheet can learn).
    Settlement is a business day of the month before its last, so that the record date catches it.
    """
    investors, settlement = mandates(month, rulebook), placement_date(month, rulebook)
    ready = offered.filter(pl.col("available_date") <= last_business_day(month)).sort("security_id", "holder_id")
    lots = _lots(ready, settlement)
    prices = quotes(lots, investors, trusts or {}, month, rulebook)
    purse = dict(zip(cash["holder_id"].to_list(), cash["cash_cents"].to_list(), strict=True))
    reserves = _reserves(sheet, month, rulebook)
    owned = {(r["security_id"], r["holder_id"]): r["face_cents"] for r in rows(positions)}
    sold: list[dict[str, Any]] = []
    heard: list[tuple[tuple[int, int, int], int, int]] = []
    spoken: set[int] = set()  # pools that are heard: lower classes alone don't say what a pool is worth
    for lot, quoted in zip(lots, prices, strict=True):
        made = list(_bids(lot, quoted, investors, purse, owned, rulebook))
        reserve = reserves.get(lot["cell"], rulebook.get("investing.reserve_unlisted_e6", first_day(month)))
        reserve = 0 if lot["loss_rank"] else reserve  # what bears losses first is sold for what it brings
        fills = _fill(lot, [bid for bid in made if bid.price_e6 >= reserve], rulebook)
        if not made:
            continue
        price = min(bid.price_e6 for bid, _ in fills) if fills else made[0].price_e6
        if not lot["loss_rank"] or lot["pool_id"] in spoken:
            spoken.add(lot["pool_id"])
            heard.append((lot["cell"], price, lot["face_cents"]))
        for trade in _trades(lot, fills, price, month):
            purse[trade["buyer_id"]] -= trade["principal_cents"] + trade["accrued_cents"]
            sold.append(trade | {"program": lot["program"]})
    return _outcome(sold, heard, lots, month)


def placement_date(month: int, rulebook: Rulebook) -> date:
    """The business day of the issue month on which the auction settles."""
    day = last_business_day(month)
    for _ in range(rulebook.get("investing.placement_days_before_month_end", first_day(month))):
        day = on_or_before(day - timedelta(days=1))
    return day


def minimum_face(program: int, as_of: date, rulebook: Rulebook) -> int:
    """Smallest original face of a program's security that may be held, cents."""
    suffix = ".private" if program == PRIVATE else ""
    return int(rulebook.get(f"investing.minimum_face_cents{suffix}", as_of, program=PROGRAMS[program]))


def _lots(offered: pl.DataFrame, settlement: date) -> list[dict[str, Any]]:
    """One lot per security: all its sellers, one settlement date."""
    lots = []
    for part in offered.partition_by("security_id", maintain_order=True):
        first = part.row(0, named=True)
        lots.append(
            first
            | {
                "sellers": list(zip(part["holder_id"].to_list(), part["face_cents"].to_list(), strict=True)),
                "face_cents": int(part["face_cents"].sum()),
                "cell": (first["program"], first["term_bucket"], first["coupon_rate_e7"]),
                "settlement": max(settlement, *part["available_date"].to_list()),
            }
        )
    return lots


def _reserves(sheet: pl.DataFrame, month: int, rulebook: Rulebook) -> dict[tuple[int, int, int], int]:
    below = rulebook.get("investing.reserve_discount_e6", first_day(month))
    listed = sheet.filter(pl.col("month") == month)
    return {(r["program"], r["term_bucket"], r["coupon_rate_e7"]): r["price_e6"] - below for r in rows(listed)}


def _bids(
    lot: dict[str, Any],
    prices: list[int],
    investors: list[Investor],
    purse: dict[int, int],
    owned: dict[tuple[int, int], int],
    rulebook: Rulebook,
) -> Iterator[Bid]:
    """Bids that mandate and cash allow, best first; equal prices in the order of the investors' codes."""
    least = minimum_face(lot["program"], lot["settlement"], rulebook)
    accrued_e6 = (
        lot["class_rate_e7"] * days_30_360(first_day(month_of(lot["settlement"])), lot["settlement"]) // 36
    )  # per 100, in e6
    for price, investor in sorted(zip(prices, investors, strict=True), key=lambda x: (-x[0], x[1].code)):
        if price <= 0 or (investor.agency_only and lot["guarantee"] == "none"):
            continue
        share = lot["face_cents"] * investor.largest_share_e4 // 10_000
        room = share - owned.get((lot["security_id"], investor.party_id), 0)
        # A cent more for each rounding: the cash must last whatever the clearing price.
        funds = max(purse.get(investor.party_id, 0) - _DOLLAR, 0)
        payable = funds * FACTOR_ONE_E8 * PRICE_PAR_E6 // (lot["factor_e8"] * (price + accrued_e6 + 1))
        face = min(max(room, least if room > 0 else 0), payable, lot["face_cents"]) // _DOLLAR * _DOLLAR
        if face >= min(least, lot["face_cents"]):
            yield Bid(investor, price, face)


def _fill(lot: dict[str, Any], accepted: list[Bid], rulebook: Rulebook) -> list[tuple[Bid, int]]:
    """Face per bid until the lot is gone. Nobody is left with less than the minimum, the seller included."""
    least = minimum_face(lot["program"], lot["settlement"], rulebook)
    remaining, fills = lot["face_cents"], []
    for bid in accepted:
        take = min(bid.face_cents, remaining)
        rest = remaining - take
        if 0 < rest < least:
            # The largest share gives way to the minimum when it can't be kept by taking less.
            take = remaining - least if take - (least - rest) >= least else remaining
        if take:
            fills.append((bid, take))
        remaining -= take
        if not remaining:
            break
    return fills


def _trades(lot: dict[str, Any], fills: list[tuple[Bid, int]], price_e6: int, month: int) -> Iterator[dict[str, Any]]:
    """Sellers give pro rata; buyers are served from them in order of seller number."""
    total = sum(take for _, take in fills)
    given = largest_remainder(total // _DOLLAR, [face for _, face in lot["sellers"]])
    left = [share * _DOLLAR for share in given]
    seller = 0
    for bid, take in fills:
        while take:
            if not left[seller]:
                seller += 1
                continue
            face = min(take, left[seller])
            take -= face
            left[seller] -= face
            seller_id, buyer_id = lot["sellers"][seller][0], bid.investor.party_id
            yield trade_row(
                f"place:{month_name(month)}:{lot['security_id']}:{seller_id}:{buyer_id}", lot["security_id"],
                seller_id, buyer_id, face, price_e6, lot["factor_e8"], lot["class_rate_e7"], lot["settlement"],
                lot["settlement"], "placement",
            )  # fmt: skip


def _outcome(
    sold: list[dict[str, Any]],
    heard: list[tuple[tuple[int, int, int], int, int]],
    lots: list[dict[str, Any]],
    month: int,
) -> Outcome:
    events = []
    for code in sorted({lot["program"] for lot in lots}):
        mine = [trade for trade in sold if trade["program"] == code]
        here = [lot for lot in lots if lot["program"] == code]
        face = sum(trade["face_cents"] for trade in mine)
        body = {
            "month": month_name(month),
            "program": PROGRAMS[code],
            "offered": len(here),
            "sold": len({trade["security_id"] for trade in mine}),
            "face_cents": face,
            "retained_cents": sum(lot["face_cents"] for lot in here) - face,
            "principal_cents": sum(trade["principal_cents"] for trade in mine),
            "accrued_cents": sum(trade["accrued_cents"] for trade in mine),
        }
        events.append(Event("Placed", max(lot["settlement"] for lot in here), body, postings(mine)))
    events.sort(key=lambda event: event.market_date)
    trades = trades_frame([{k: v for k, v in trade.items() if k != "program"} for trade in sold])
    offered, face = sum(lot["face_cents"] for lot in lots), sum(trade["face_cents"] for trade in sold)
    answer = {"offered_cents": offered, "placed_cents": face, "retained_cents": offered - face, "trades": trades.height}
    return Outcome(events=events, records={"trades": trades, "prices": _prices(heard, month)}, answer=answer)


def _prices(heard: list[tuple[tuple[int, int, int], int, int]], month: int) -> pl.DataFrame:
    """Next month's prices of the cells auctioned: weighted by face, half-up."""
    found = []
    for cell in sorted({cell for cell, _, _ in heard}):
        mine = [(price, face) for each, price, face in heard if each == cell]
        price = half_up_div(sum(p * f for p, f in mine), sum(f for _, f in mine))
        found.append((month + 1, *cell, price, "auction"))
    return PRICES.conform(pl.DataFrame(found, schema=PRICES.schema, orient="row"))
