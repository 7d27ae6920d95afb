"""House-price indexes of the states and the nation: what a home's value at closing is marked to today's with.

Package data, read on first use. Source: Federal Housing Finance Agency, all-transactions house price index, quarterly,
1975 to 2017 (public data; a quarter's index stands for its middle month, and months between are interpolated).
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import as_file, files

import numpy as np
import numpy.typing as npt
import polars as pl

from poolhouse.dates import month_name
from poolhouse.findings import Refused

NATION = "US"
_E2_TO_E4 = 100
_MONTHS = 3
_MIDDLE = 1
"""Month of a quarter, from 0, that its index stands for."""


@lru_cache(maxsize=1)
def _monthly() -> tuple[dict[str, int], int, npt.NDArray[np.int64]]:
    """Row of each place, first month, index by place and month in e4."""
    with as_file(files("poolhouse.rules") / "data" / "house_prices.parquet") as path:
        rows = pl.read_parquet(path)
    places = rows["place"].unique().sort().to_list()
    quarters = np.unique(rows["quarter"].to_numpy())
    middles = quarters * _MONTHS + _MIDDLE
    months = np.arange(middles[0], middles[-1] + 1)
    index = rows.sort("place", "quarter")["index_e2"].to_numpy().reshape(len(places), len(quarters))
    marks = [np.interp(months, middles, row) * _E2_TO_E4 for row in index]
    return {place: row for row, place in enumerate(places)}, int(months[0]), np.rint(marks).astype(np.int64)


def known_months() -> tuple[int, int]:
    """First and last month of the indexes."""
    _, first, index = _monthly()
    return first, first + index.shape[1] - 1


def house_price_e4(places: pl.Series | str, months: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Index of each place ('OH', 'US') in each month, x 10_000; its base year differs by table, so use ratios.

    A place that has none ('' or a territory) takes the nation's; months after the last known one its index:
    prices are then taken as unchanged, and `known_months` tells. A month before the first is refused.
    """
    rows, first, index = _monthly()
    asked = np.asarray(months, dtype=np.int64)
    if asked.size and int(asked.min()) < first:
        raise Refused(
            f"no house price is known for {month_name(int(asked.min()))}: the index starts in {month_name(first)}"
        )
    column = np.minimum(asked - first, index.shape[1] - 1)
    if isinstance(places, str):
        return np.asarray(index[rows.get(places, rows[NATION]), column])
    row = places.replace_strict(rows, default=rows[NATION], return_dtype=pl.Int64).to_numpy()
    return np.asarray(index[row, column])
