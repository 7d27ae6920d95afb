"""Conforming loan limits of every county, where a table is known (2018-2025).

Package data, read on first use: a market whose deliveries lie outside those years never opens it.
Source: Federal Housing Finance Agency, conforming loan limits for all counties (public data).
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import as_file, files

import polars as pl

UNITS = (1, 2, 3, 4)


@lru_cache(maxsize=1)
def _all_years() -> pl.DataFrame:
    with as_file(files("poolhouse.rules") / "data" / "county_limits.parquet") as path:
        return pl.read_parquet(path)


def county_limits(year: int) -> pl.DataFrame:
    """A year's limits: county_fips (five digits), units (i8), county_limit_cents (i64), one row each,
    in that order. Empty where no county table is known for the year: the limit is then undetermined."""
    wide = _all_years().filter(pl.col("year") == year)
    long = [
        wide.select(
            "county_fips",
            units=pl.lit(units, pl.Int8),
            county_limit_cents=pl.col(f"limit_{units}_dollars").cast(pl.Int64) * 100,
        )
        for units in UNITS
    ]
    return pl.concat(long).sort("county_fips", "units")


def known_years() -> tuple[int, ...]:
    """Years with a county table, ascending."""
    return tuple(_all_years()["year"].unique().sort().to_list())
