"""Which aggregators a lender may sell to. No tape says: assumed by a hash of the lender's code."""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from poolhouse import chance
from poolhouse.rules import Rulebook

# Approvals are for good: they hang on no month and no seed, so the same lender has the same in every book.
_NO_SEED = 0
_NO_MONTH = 0


def approvals(lenders: pl.DataFrame, rulebook: Rulebook) -> pl.DataFrame:
    """party_id i32 and the approvals fnma, fhlmc, gnma (issuer), private (bool), by party.

    lenders: party_id i32, code str ('originator:10240'), type str. Every lender has at least one
    enterprise. Shares: `sale.one_enterprise_share`, `sale.ginnie_issuer_share`, `sale.conduit_share`.
    """
    keys = chance.text_keys(lenders["code"])
    only_one = _hit(keys, "approved by one", _shares(lenders, "sale.one_enterprise_share", rulebook))
    first = chance.below(chance.draws(_NO_SEED, keys, _NO_MONTH, "which enterprise"), 2) == 0
    return lenders.select(
        pl.col("party_id").cast(pl.Int32),
        pl.Series("fnma", ~only_one | first),
        pl.Series("fhlmc", ~only_one | ~first),
        pl.Series("gnma", _hit(keys, "ginnie issuer", _shares(lenders, "sale.ginnie_issuer_share", rulebook))),
        pl.Series("private", _hit(keys, "conduit", _shares(lenders, "sale.conduit_share", rulebook))),
    ).sort("party_id")


def _shares(lenders: pl.DataFrame, name: str, rulebook: Rulebook) -> npt.NDArray[np.uint64]:
    """Each lender's threshold by its type."""
    types = lenders["type"].to_list()
    by_type = {t: chance.threshold(rulebook.get(name, date.max, type=t)) for t in sorted(set(types))}
    return np.array([by_type[t] for t in types], dtype=np.uint64)


def _hit(keys: npt.NDArray[np.uint64], purpose: str, thresholds: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    return chance.draws(_NO_SEED, keys, _NO_MONTH, purpose) < thresholds
