"""The dated price sheet: what an outlet pays for a coupon, per 100 of scheduled balance.

The opening sheet is assumed: a coupon trades at par some way below the mortgage rate, and its
price moves by a slope with every point of coupon. From then on the sheet moves with the mortgage
rate, and the auction of the securities feeds back into it. Integers only.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from poolhouse.dates import first_day
from poolhouse.money import PRICE_PAR_E6, half_up_div
from poolhouse.rules import Rulebook, mortgage_rate_e7
from poolhouse.tables import PRICES
from poolhouse.tables.codes import BOOK_PROGRAMS

_CELL = ["program", "term_bucket", "coupon_rate_e7"]
Int64s = npt.NDArray[np.int64]


def opening_sheet(month: int, rulebook: Rulebook) -> pl.DataFrame:
    """A PRICES frame for a month index from its mortgage rate alone, source 'assumed'."""
    cells = _cells(month, rulebook)
    priced = cells.with_columns(
        pl.Series("price_e6", _model(cells, month, rulebook), dtype=pl.Int64), pl.lit("assumed").alias("source")
    )
    return _sheet(priced, month)


def sheet(month: int, previous: pl.DataFrame, clearing: pl.DataFrame, rulebook: Rulebook) -> pl.DataFrame:
    """The PRICES frame for `month` after the month of `previous`.

    clearing: program i8, term_bucket i16, coupon_rate_e7 i32, price_e6 i64, one row per cell that the
    auction cleared. Each price moves as the assumed sheet does between the two months; a cleared cell
    also closes part of its gap to the clearing price less the aggregator's margin, and is marked
    'auction' from then on. Cells that the previous sheet lacks are priced as on an opening sheet.
    """
    feedback = rulebook.get("sale.auction_feedback", first_day(month))
    before = int(previous["month"][0])
    old = previous.select(*_CELL, pl.col("price_e6").alias("old_e6"), pl.col("source").alias("old_source"))
    # A coupon once quoted stays: loans bound for it may still be on their way.
    kept = pl.concat([_cells(month, rulebook), old.select(_CELL)]).unique().sort(_CELL)
    cells = kept.join(old, on=_CELL, how="left", maintain_order="left").join(
        clearing.select(*_CELL, pl.col("price_e6").alias("cleared_e6")), on=_CELL, how="left", maintain_order="left"
    )
    now, then = _model(cells, month, rulebook), _model(cells, before, rulebook)
    old_price = cells["old_e6"].fill_null(0).to_numpy()
    target = (cells["cleared_e6"] - feedback["margin_e6"]).fill_null(0).to_numpy()
    gap = half_up_div((target - old_price) * feedback["weight_e1"], 10)
    cleared = (cells["cleared_e6"].is_not_null() & cells["old_e6"].is_not_null()).to_numpy()
    moved = _clamp(old_price + (now - then) + np.where(cleared, gap, 0), month, rulebook)
    price = np.where(cells["old_e6"].is_null().to_numpy(), now, moved)
    priced = cells.with_columns(
        pl.Series("price_e6", price, dtype=pl.Int64),
        pl.when(pl.Series(cleared))
        .then(pl.lit("auction"))
        .otherwise(pl.col("old_source").fill_null("assumed"))
        .alias("source"),
    )
    return _sheet(priced, month)


def _sheet(priced: pl.DataFrame, month: int) -> pl.DataFrame:
    frame = priced.with_columns(pl.lit(month, pl.Int32).alias("month")).select(list(PRICES.schema))
    return PRICES.conform(frame)


def _cells(month: int, rulebook: Rulebook) -> pl.DataFrame:
    """Every program, term bucket and coupon on the sheet of a month."""
    as_of = first_day(month)
    step = rulebook.get("sale.coupon_step_e7", as_of)
    span = rulebook.get("sale.sheet_limits", as_of)["span_e7"]
    rows: list[tuple[int, int, int]] = []
    for bucket in rulebook.get("sale.term_buckets", as_of):
        middle = _par_coupon(month, bucket, rulebook) // step * step
        coupons = range(max(step, middle - span), middle + span + step, step)
        rows += [(program, bucket, c) for program in range(1, len(BOOK_PROGRAMS)) for c in coupons]
    schema = {"program": pl.Int8, "term_bucket": pl.Int16, "coupon_rate_e7": pl.Int32}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _par_coupon(month: int, bucket: int, rulebook: Rulebook) -> int:
    spread: int = rulebook.get("sale.current_coupon_spread_e7", first_day(month), term_bucket=bucket)
    return mortgage_rate_e7(month) - spread


def _model(cells: pl.DataFrame, month: int, rulebook: Rulebook) -> Int64s:
    """Par + slope x (coupon - par coupon) + the program's basis, within the sheet's limits.

    A point of coupon is 100_000 in e7 and a point of price 1_000_000 in e6, so a slope in tenths
    multiplies the difference as it is.
    """
    as_of = first_day(month)
    price = np.full(cells.height, PRICE_PAR_E6, dtype=np.int64)
    coupon, bucket_of = cells["coupon_rate_e7"].to_numpy().astype(np.int64), cells["term_bucket"].to_numpy()
    for bucket in rulebook.get("sale.term_buckets", as_of):
        slope = rulebook.get("sale.slope", as_of, term_bucket=bucket)
        away = coupon - _par_coupon(month, bucket, rulebook)
        price += np.where(bucket_of == bucket, away * np.where(away < 0, slope["below"], slope["above"]), 0)
    for code, program in enumerate(BOOK_PROGRAMS[1:], start=1):
        basis = rulebook.get("sale.program_basis_e6", as_of, program=program)
        price += np.where(cells["program"].to_numpy() == code, basis, 0)
    return _clamp(price, month, rulebook)


def _clamp(price: Int64s, month: int, rulebook: Rulebook) -> Int64s:
    limits = rulebook.get("sale.sheet_limits", first_day(month))
    return np.clip(price, limits["low_e6"], limits["high_e6"])
