"""What is on offer for each note rate and term: program, execution, coupon, division of the rate, prices.

Everything that doesn't depend on the loan itself, worked out once per cell (note rate x term bucket): a tape of a
million loans has some hundred of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from poolhouse.dates import on_or_after
from poolhouse.money import half_up_div
from poolhouse.rules import Rulebook
from poolhouse.sale.pricing.curves import Curve, curves
from poolhouse.sale.pricing.sheets import CONDUITS, ENTERPRISES, STRIPS, SWAPPED, Sheet, first_met, pool_bucket
from poolhouse.sale.pricing.strips import PERMITTED, Limits, divide
from poolhouse.tables.codes import NO_PROGRAM, PROGRAMS

Int64s = npt.NDArray[np.int64]

EXECUTIONS = ("cash", "conduit", "hold", "swap")
"""In the order offers are sorted by."""
CASH, CONDUIT, HOLD, SWAP = range(4)
SERVICING = ("kept", "released")
KEPT, RELEASED = range(2)
_E3 = 1_000
RATE_TO_PRICE = 10
"""A year's rate in e7 times this is its price in e6 per 100."""
_YEAR_DAYS = 360

COLUMNS: dict[str, pl.DataType] = {
    "cell": pl.Int32(), "term_bucket": pl.Int16(), "program": pl.Int8(), "execution": pl.Int8(), "servicing": pl.Int8(),
    "coupon_rate_e7": pl.Int32(), "guaranty_fee_rate_e7": pl.Int32(), "servicing_fee_rate_e7": pl.Int32(),
    "buy_up_rate_e7": pl.Int32(), "excess_rate_e7": pl.Int32(), "base_fee_e7": pl.Int64(), "above_e3": pl.Int64(),
    "base_e6": pl.Int64(), "buy_up_e6": pl.Int64(), "buy_down_e6": pl.Int64(), "excess_e6": pl.Int64(),
    "hedge_e6": pl.Int64(), "delivery_e6": pl.Int64(), "carry_e6": pl.Int64(), "settlement_date": pl.Date(),
}  # fmt: skip
"""`base_fee_e7` is worth the loan's own multiple; `above_e3`: what the fee above it is worth, rate x multiple."""


@dataclass(frozen=True)
class Refusal:
    """A coupon that a program has a price for and the strips refuse: `reason` of strips, spread in e7."""

    program: int
    coupon_rate_e7: int
    reason: int
    spread_e7: int


def menu(cells: pl.DataFrame, sheet: Sheet, rulebook: Rulebook, *, hold: bool = True) -> pl.DataFrame:
    """COLUMNS, sorted by cell, program, execution, coupon, servicing.

    cells: term_bucket i16, note_rate_e7 i32; `cell` is the row.
    """
    cells = cells.with_row_index("cell").with_columns(pl.col("cell").cast(pl.Int32))
    parts = [*_swaps(cells, sheet, rulebook), *_cash(cells, sheet, rulebook), *_conduits(cells, sheet)]
    if hold:
        parts.append(_rows(cells["cell"], NO_PROGRAM, HOLD, KEPT, sheet.as_of))
    frame = pl.concat(parts).join(cells.select("cell", "note_rate_e7"), on="cell", how="left", maintain_order="left")
    own = pl.concat([_pooled(cells, p, sheet, rulebook) for p in SWAPPED])
    frame = frame.drop("term_bucket").join(own, on=["cell", "program"], how="left", maintain_order="left")
    frame = frame.join(cells.select("cell", price_bucket="term_bucket"), on="cell", how="left", maintain_order="left")
    frame = frame.with_columns(pl.coalesce("term_bucket", "price_bucket").alias("term_bucket"))
    note = frame["note_rate_e7"].to_numpy().astype(np.int64)
    days = (frame["settlement_date"] - sheet.as_of).dt.total_days().to_numpy()
    carry = half_up_div(days * (note - sheet.values["carry"]["line_rate"]) * RATE_TO_PRICE, _YEAR_DAYS)
    frame = frame.with_columns(pl.Series("carry_e6", carry)).select(list(COLUMNS))
    return frame.sort("cell", "program", "execution", "coupon_rate_e7", "servicing")


def limits_of(program: int, sheet: Sheet, rulebook: Rulebook) -> Limits:
    """What the program lets lie between note rate and coupon on the sheet's day."""
    strip = rulebook.get(f"sale.strip.{STRIPS[program]}", sheet.as_of)
    enterprise = program in ENTERPRISES
    excess = rulebook.get("pricing.excess_max_e7", sheet.as_of) if enterprise else 0
    return Limits(**strip, excess_max=excess, buys_down=enterprise)


def refusals(note_rate_e7: int, bucket: int, sheet: Sheet, rulebook: Rulebook) -> list[Refusal]:
    """Coupons of the sheet that the strips refuse for one note, by program and coupon."""
    found = []
    for program in SWAPPED:
        limits = limits_of(program, sheet, rulebook)
        pooled = pool_bucket(program, bucket, sheet.as_of, rulebook)
        rows = sheet.tba.filter((pl.col("program") == program) & (pl.col("term_bucket") == pooled))
        coupons = rows["coupon_rate_e7"].unique().sort().to_numpy().astype(np.int64)
        up, down = ratios(sheet, program, coupons)
        values = sheet.values
        fee, above = values["guaranty_fee"][PROGRAMS[program]], values["servicing.kept"]["above"]
        reasons = divide(note_rate_e7 - coupons, fee, limits, down, up, above, values["multiples"]["excess"]).refusal
        for i in np.flatnonzero(reasons != PERMITTED):
            found.append(Refusal(program, int(coupons[i]), int(reasons[i]), note_rate_e7 - int(coupons[i])))
    return found


def ratios(sheet: Sheet, program: int, coupons: Int64s) -> tuple[Int64s, Int64s]:
    """Buy-up and buy-down multiples in e3 by coupon: the sheet's own line for it, or its general ones."""
    up = np.full_like(coupons, sheet.values["multiples"]["buy_up"])
    down = np.full_like(coupons, sheet.values["multiples"]["buy_down"])
    own = sheet.ratios.filter(pl.col("program") == program)
    for coupon, b_up, b_down in zip(own["coupon_rate_e7"], own["buy_up"], own["buy_down"], strict=True):
        here = np.ones(len(coupons), dtype=bool) if coupon is None else coupons == coupon
        up[here], down[here] = b_up, b_down
    return up, down


def tba_of(sheet: Sheet, rulebook: Rulebook) -> pl.DataFrame:
    """The TBA prices: of each program, term and coupon that of the first settlement that can still be met."""
    ahead = sheet.tba.filter(pl.col("settlement_date") >= first_met(sheet.as_of, rulebook))
    first = pl.col("settlement_date").min().over("program", "term_bucket", "coupon_rate_e7")
    return ahead.filter(pl.col("settlement_date") == first)


def _swaps(cells: pl.DataFrame, sheet: Sheet, rulebook: Rulebook) -> Iterator[pl.DataFrame]:
    """Each coupon within the strips' limits, servicing kept and released."""
    tba = tba_of(sheet, rulebook)
    most, values = rulebook.get("pricing.most_coupons", sheet.as_of), sheet.values
    costs = values["costs.swap"]
    for program in SWAPPED:
        limits, fee = limits_of(program, sheet, rulebook), values["guaranty_fee"][PROGRAMS[program]]
        pairs = cells.drop("term_bucket").join(_pooled(cells, program, sheet, rulebook), on="cell")
        pairs = pairs.join(tba, on=["program", "term_bucket"], how="inner")
        spread = pl.col("note_rate_e7") - pl.col("coupon_rate_e7")
        pairs = pairs.filter(spread.is_between(limits.spread_min, limits.spread_max))
        coupon = pairs["coupon_rate_e7"].to_numpy().astype(np.int64)
        up, down = ratios(sheet, program, coupon)
        gap = pairs["note_rate_e7"].to_numpy().astype(np.int64) - coupon
        for kept, name in enumerate(SERVICING):
            above = values[f"servicing.{name}"]["above"]
            part = divide(gap, fee, limits, down, up, above, values["multiples"]["excess"])
            rows = _rows(
                pairs["cell"], program, SWAP, kept, pairs["settlement_date"], coupon_rate_e7=coupon,
                guaranty_fee_rate_e7=fee + part.buy_up, servicing_fee_rate_e7=part.servicing,
                buy_up_rate_e7=part.buy_up, excess_rate_e7=part.excess, base_fee_e7=limits.servicing_min,
                above_e3=(part.servicing - limits.servicing_min) * above, base_e6=pairs["price_e6"].to_numpy(),
                buy_up_e6=worth_e6(np.maximum(part.buy_up, 0), up),
                buy_down_e6=worth_e6(np.minimum(part.buy_up, 0), down),
                excess_e6=worth_e6(part.excess, values["multiples"]["excess"]),
                hedge_e6=-costs["hedge"], delivery_e6=-costs["delivery"],
            )  # fmt: skip
            rows = rows.filter(pl.Series(part.refusal == PERMITTED))
            place = pl.col("coupon_rate_e7").rank("ordinal", descending=True).over("cell")
            yield rows.filter(place <= most)


def _pooled(cells: pl.DataFrame, program: int, sheet: Sheet, rulebook: Rulebook) -> pl.DataFrame:
    """cell, program and the term_bucket of the program's pools that take the cell's loans."""
    buckets = {b: pool_bucket(program, b, sheet.as_of, rulebook) for b in cells["term_bucket"].unique()}
    term = pl.col("term_bucket").replace_strict(buckets, return_dtype=pl.Int16)
    return cells.select("cell", pl.lit(program, pl.Int8).alias("program"), term)


def worth_e6(rate_e7: Int64s, multiple_e3: Int64s | int) -> Int64s:
    """Price in e6 of a yearly fee at a multiple in thousandths, half-up: 16.5 bp x 4.5 is 0.7425."""
    return half_up_div(rate_e7 * multiple_e3, _E3 // RATE_TO_PRICE)


def _cash(cells: pl.DataFrame, sheet: Sheet, rulebook: Rulebook) -> Iterator[pl.DataFrame]:
    """The cash window: the pass-through rate is the note rate less the servicing fee that pays best."""
    costs = sheet.values["costs.cash"]
    good = sheet.cash.filter(pl.col("days") >= costs["days"])
    shortest = good.filter(pl.col("days") == pl.col("days").min().over("program", "term_bucket"))
    found = curves(shortest, "coupon_rate_e7")
    for program in ENTERPRISES:
        limits = limits_of(program, sheet, rulebook)
        for kept in (KEPT, RELEASED):
            above = sheet.values[f"servicing.{SERVICING[kept]}"]["above"]
            yield from _quoted(cells, sheet, found, program, CASH, kept, limits, above)


def _conduits(cells: pl.DataFrame, sheet: Sheet) -> Iterator[pl.DataFrame]:
    """Conduits' bids by note rate, servicing released and paid for within the bid."""
    found = curves(sheet.conduit, "note_rate_e7")
    for program in CONDUITS:
        yield from _quoted(cells, sheet, found, program, CONDUIT, RELEASED)


def _quoted(
    cells: pl.DataFrame, sheet: Sheet, found: dict[tuple[int, int], Curve], program: int, execution: int, kept: int,
    limits: Limits | None = None, above_e3: int = 0,
) -> Iterator[pl.DataFrame]:  # fmt: skip
    """Rows where a curve prices the note rate, less a servicing fee within the limits where there are some."""
    costs = sheet.values[f"costs.{EXECUTIONS[execution]}"]
    paid = on_or_after(sheet.as_of + timedelta(days=costs["days"]))
    for (of, bucket), curve in found.items():
        if of != program:
            continue
        here = cells.filter(pl.col("term_bucket") == bucket)
        note = here["note_rate_e7"].to_numpy().astype(np.int64)
        rate = note if limits is None else _passed_through(note, curve, limits, above_e3)
        price, known = curve.at(rate)
        fees: dict[str, Int64s | int | None] = {}
        if limits is not None:
            least = limits.servicing_min
            fees = {"coupon_rate_e7": rate, "servicing_fee_rate_e7": note - rate, "base_fee_e7": least,
                    "above_e3": (note - rate - least) * above_e3}  # fmt: skip
        rows = _rows(
            here["cell"], program, execution, kept, paid, base_e6=price, hedge_e6=-costs["hedge"],
            delivery_e6=-costs["delivery"], **fees,
        )  # fmt: skip
        yield rows.filter(pl.Series(known))


def _passed_through(note: Int64s, curve: Curve, limits: Limits, above_e3: int) -> Int64s:
    """Of each note rate the pass-through rate that pays best with the servicing fee left. Prices run straight between
    listed rates, so it is a listed rate or an end of what the limits permit; among equals the highest."""
    high, low = note - limits.servicing_min, note - limits.servicing_max
    listed = np.broadcast_to(curve.rates, (len(note), len(curve.rates)))
    rates = np.column_stack((high, listed[:, ::-1], low))
    price, known = curve.at(rates.ravel())
    worth = price.reshape(rates.shape) + worth_e6(high[:, None] - rates, above_e3)
    permitted = known.reshape(rates.shape) & (rates <= high[:, None]) & (rates >= low[:, None])
    best = np.where(permitted, worth, np.iinfo(np.int64).min).argmax(axis=1)
    passed: Int64s = rates[np.arange(len(note)), best]
    return passed


def _rows(
    cell: pl.Series, program: int, execution: int, kept: int, paid: date | pl.Series, **columns: Int64s | int | None
) -> pl.DataFrame:
    """Rows of COLUMNS; numbers not given are 0, a coupon not given is null."""
    given: dict[str, Int64s | int | None] = {"program": program, "execution": execution, "servicing": kept, **columns}
    given.setdefault("coupon_rate_e7", None)
    series = [cell]
    for name, dtype in COLUMNS.items():
        if name in ("cell", "settlement_date"):
            continue
        value = given.get(name, 0)
        if isinstance(value, np.ndarray):
            series.append(pl.Series(name, value, dtype))
        else:
            series.append(pl.Series(name, [value], dtype).new_from_index(0, len(cell)))
    day = paid if isinstance(paid, pl.Series) else pl.Series([paid]).new_from_index(0, len(cell))
    return pl.DataFrame([*series, day.alias("settlement_date")])
