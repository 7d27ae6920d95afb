"""What a year of base servicing fee is worth for each loan, kept or sold: by kind, size, escrow, state and rate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from poolhouse.sale.pricing.llpa import band_of

Int64s = npt.NDArray[np.int64]

KINDS = ("conventional", "fha", "va", "usda")
_POINT_E7 = 100_000


def multiples_e3(loans: pl.DataFrame, terms: Mapping[str, Any], market_rate_e7: int) -> Int64s:
    """Multiple of the base fee by loan, in thousandths.

    terms: a section `servicing.kept` or `servicing.released` of a sheet. A loan whose escrow is not on the tape is
    read as escrowed. `per_point` counts from the market's mortgage rate, pro rata, rounded half-up.
    """
    kind = loans["kind"].replace_strict(list(KINDS), [terms[k] for k in KINDS], default=0, return_dtype=pl.Int64)
    value = kind.to_numpy().astype(np.int64)
    tops = terms["size_tops"]
    if tops:
        sizes = np.array(terms["by_size"], dtype=np.int64)
        value = value + sizes[band_of(loans["note_amount_cents"].to_numpy(), tops)]
    if terms["no_escrow"]:
        value = value + np.where((~loans["escrowed"].fill_null(True)).to_numpy(), terms["no_escrow"], 0)
    if terms["slow_states"]:
        value = value + np.where(loans["state"].is_in(terms["slow_states"]).to_numpy(), terms["slow_state"], 0)
    if terms["per_point"]:
        away = loans["note_rate_e7"].to_numpy().astype(np.int64) - market_rate_e7
        value = value + np.floor_divide(2 * away * terms["per_point"] + _POINT_E7, 2 * _POINT_E7)
    clipped: Int64s = np.clip(value, terms["low"], terms["high"])
    return clipped
