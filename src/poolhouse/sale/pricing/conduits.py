"""A conduit's own price adjustments: by score and loan to value, then by attribute."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from poolhouse.sale.pricing.llpa import band_of, row_of

Int64s = npt.NDArray[np.int64]

ATTRIBUTES = {
    "cash_out": ("purpose", "cash_out"),
    "investment": ("occupancy", "investment"),
    "second_home": ("occupancy", "second_home"),
    "condo": ("property_type", "condo"),
    "two_to_four": ("units", None),
}
"""Name of an adjustment -> the loan's column and the word in it; two_to_four by the number of units."""


def adjustments_e6(loans: pl.DataFrame, terms: Mapping[str, Any]) -> Int64s:
    """Points that the conduit takes off, in e6 by loan. terms: a section `conduit_adjustments.PROGRAM` of a sheet.
    No score: the last row; no loan to value: the last column."""
    total = np.zeros(loans.height, dtype=np.int64)
    if terms["grid"]:
        grid = np.array(terms["grid"], dtype=np.int64)
        ltv = loans["ltv_e4"]
        column = band_of(ltv.fill_null(0).to_numpy().astype(np.int64), terms["ltv_tops"])
        column[ltv.is_null().to_numpy()] = grid.shape[1] - 1
        score = loans["score_mid"].fill_null(0).to_numpy().astype(np.int64)
        total += grid[row_of(score, terms["score_floors"]), column]
    for name, (column_name, word) in ATTRIBUTES.items():
        where = loans[column_name] > 1 if word is None else loans[column_name] == word
        total += np.where(where.to_numpy(), terms[name], 0)
    return total
