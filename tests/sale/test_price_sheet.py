"""The price sheet: around par at the current coupon, and moved by rate and auction."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from poolhouse import rules, sale
from poolhouse.dates import parse_month
from poolhouse.findings import Refused
from poolhouse.rules import mortgage_rate_e7

JANUARY = parse_month("2009-01")
NOTHING = pl.DataFrame(
    schema={"program": pl.Int8, "term_bucket": pl.Int16, "coupon_rate_e7": pl.Int32, "price_e6": pl.Int64}
)


def price(sheet: pl.DataFrame, coupon: int, program: int = 1, bucket: int = 360) -> tuple[int, str]:
    row = sheet.filter(
        (pl.col("program") == program) & (pl.col("term_bucket") == bucket) & (pl.col("coupon_rate_e7") == coupon)
    )
    return row.select("price_e6", "source").row(0)


def cleared(coupon: int, price_e6: int) -> pl.DataFrame:
    return pl.DataFrame([(1, 360, coupon, price_e6)], schema=NOTHING.schema, orient="row")


def test_the_opening_sheet_by_hand() -> None:
    sheet = sale.opening_sheet(JANUARY, rules.load())
    # Mortgage rate 5.05, par coupon 4.33; slopes 3.5 above and 5.5 below.
    assert price(sheet, 450_000) == (100_000_000 + 17_000 * 35, "assumed")
    assert price(sheet, 400_000) == (100_000_000 - 33_000 * 55, "assumed")
    assert price(sheet, 450_000, program=2) == price(sheet, 450_000)
    assert sheet["month"].unique().to_list() == [JANUARY]


def test_prices_rise_with_the_coupon_everywhere() -> None:
    sheet = sale.opening_sheet(parse_month("1981-10"), rules.load())
    falls = sheet.select(
        (pl.col("price_e6").diff() < 0).alias("falls").over("program", "term_bucket", order_by="coupon_rate_e7")
    )
    assert not falls["falls"].any()
    assert sheet["coupon_rate_e7"].max() >= mortgage_rate_e7(parse_month("1981-10"))  # type: ignore[operator]


def test_without_an_auction_the_sheet_moves_with_the_mortgage_rate_alone() -> None:
    book = rules.load()
    opening = sale.opening_sheet(JANUARY, book)
    later = sale.sheet(JANUARY + 1, opening, NOTHING, book)
    fresh = sale.opening_sheet(JANUARY + 1, book)
    assert price(later, 450_000) == price(fresh, 450_000)
    moved = mortgage_rate_e7(JANUARY + 1) - mortgage_rate_e7(JANUARY)
    assert price(later, 450_000)[0] - price(opening, 450_000)[0] == -moved * 35


def test_the_auction_closes_part_of_the_gap_and_stays_in_the_price() -> None:
    book = rules.load()
    opening = sale.opening_sheet(JANUARY, book)
    before = price(opening, 450_000)[0]
    later = sale.sheet(JANUARY + 1, opening, cleared(450_000, before + 1_125_000), book)
    silent = sale.sheet(JANUARY + 1, opening, NOTHING, book)
    # Half of the gap of 1.125 less a margin of 0.125.
    assert price(later, 450_000) == (price(silent, 450_000)[0] + 500_000, "auction")
    assert price(later, 400_000) == price(silent, 400_000)
    third = sale.sheet(JANUARY + 2, later, NOTHING, book)
    assert price(third, 450_000) == (
        price(sale.sheet(JANUARY + 2, silent, NOTHING, book), 450_000)[0] + 500_000,
        "auction",
    )


def test_coupons_once_quoted_stay_and_new_ones_come() -> None:
    book = rules.load()
    high = sale.opening_sheet(parse_month("2023-10"), book)
    low = sale.sheet(parse_month("2023-11"), high.filter(pl.col("coupon_rate_e7") > 900_000), NOTHING, book)
    assert price(low, 600_000)[1] == "assumed"
    assert low["coupon_rate_e7"].max() == high["coupon_rate_e7"].max()


def test_the_mortgage_rate_history() -> None:
    assert mortgage_rate_e7(JANUARY) == 505_000
    assert mortgage_rate_e7(parse_month("1981-10")) > 1_800_000
    assert mortgage_rate_e7(parse_month("2031-01")) == mortgage_rate_e7(parse_month("2025-12")) == 619_000
    with pytest.raises(Refused, match="1980-01"):
        mortgage_rate_e7(parse_month("1979-12"))


def test_every_sale_parameter_of_a_guide_has_a_source() -> None:
    book = rules.load()
    for name, parameter in book.parameters.items():
        if name.startswith("sale.") and not parameter.assumed:
            assert all(v.source and v.confidence in ("found", "memory") for v in parameter.values), name
    assert book.get("sale.guaranty_fee_rate_e7", date(2009, 6, 1), strip="umbs") == 22_000
