"""Numbers as text for people, as column expressions: $417,000, 96.5%, 620, 'not given'."""

from __future__ import annotations

import polars as pl

MISSING = "not given"


def text(number: pl.Expr, unit: str) -> pl.Expr:
    """A number column as text by its unit: 'cents', 'e4' and 'e7' (percent), 'percent' (whole) or '' (plain)."""
    spoken = {"cents": dollars, "e4": percent_e4, "e7": percent_e7, "percent": whole_percent, "": plain}[unit]
    return spoken(number).fill_null(MISSING)


def unit_of(column: str) -> str:
    """The unit that a column's name ends in, as `text` takes it."""
    if column == "mi_pct":
        return "percent"
    return next((unit for unit in ("cents", "e4", "e7") if column.endswith("_" + unit)), "")


def plain(number: pl.Expr) -> pl.Expr:
    """As it stands."""
    return number.cast(pl.String)


def whole_percent(number: pl.Expr) -> pl.Expr:
    """25 -> '25%'."""
    return pl.format("{}%", number)


def percent_e4(number: pl.Expr) -> pl.Expr:
    """9_650 -> '96.5%', 8_000 -> '80%'."""
    hundredths = (number % 100).cast(pl.String).str.zfill(2)
    return pl.format("{}.{}", number // 100, hundredths).str.replace(r"\.?0+$", "") + "%"


def percent_e7(number: pl.Expr) -> pl.Expr:
    """225_000 -> '2.25%'."""
    digits = (number % 100_000).cast(pl.String).str.zfill(5)
    return pl.format("{}.{}", number // 100_000, digits).str.replace(r"\.?0+$", "") + "%"


def dollars(number: pl.Expr) -> pl.Expr:
    """41_700_000 cents -> '$417,000'; cents are shown only where there are any."""
    whole = (number // 100).cast(pl.Int64)
    groups = [(whole // 1_000_000), (whole // 1_000) % 1_000, whole % 1_000]
    padded = [group.cast(pl.String).str.zfill(3) for group in groups]
    spoken = pl.format("{},{},{}", groups[0], padded[1], padded[2])
    shown = spoken.str.replace(r"^[0,]+", "").str.replace(r"^$", "0")
    return pl.format("${}.{}", shown, (number % 100).cast(pl.String).str.zfill(2)).str.replace(r"\.00$", "")
