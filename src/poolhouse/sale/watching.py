"""Lenders beside their peers: how many of a lender's loans went bad, and how many like loans of others would have.

The peer rate of a cell (kind x score band x loan-to-value band x age band) is that of all other lenders; a
cell they hardly lend in leans on their overall rate. The chance of so many or more is exact and one-sided,
and takes the peers' rate no surer than their number makes it: where they have no loans, nothing is proved.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from poolhouse.dates import first_day
from poolhouse.rules import Rulebook
from poolhouse.sale.tail import at_least

_CELL = ["kind", "score_band", "ltv_band", "age_band"]
_UNKNOWN = -1


@dataclass(frozen=True)
class Record:
    """One lender judged: loans watched, how many are bad, how many were expected, the ratio and the exact chance."""

    lender_id: int
    loans: int
    bad: int
    expected_e6: int
    ratio_e4: int
    p_value_e9: int


def expectations(watch: pl.DataFrame, month: int, rulebook: Rulebook) -> pl.DataFrame:
    """lender_id, loans, bad and expected_e6 (at peers' rates) of every lender, by lender.

    watch: lender_id i32, kind, score_mid, ltv_e4, age, bad (bool): one row per loan.
    """
    expected = _expected(_cells(watch, month, rulebook), rulebook.get("scorecard.prior_loans", first_day(month)))
    return (
        expected.group_by("lender_id", maintain_order=True)
        .agg(pl.col("loans", "bad").sum(), (pl.col("expected").sum() * 1_000_000).round().cast(pl.Int64))
        .rename({"expected": "expected_e6"})
        .sort("lender_id")
    )


def judged(watch: pl.DataFrame, month: int, rulebook: Rulebook, at_least_bad: int = 1) -> list[Record]:
    """The exact test of each lender that has peers, at least so many bad loans, and more of them than expected.

    watch: as in `expectations`.
    """
    expected = _expected(_cells(watch, month, rulebook), rulebook.get("scorecard.prior_loans", first_day(month)))
    lenders = expected.group_by("lender_id").agg(pl.col("bad", "expected").sum(), pl.col("peers").min())
    # Only a count above the expected one can be that unlikely: the rest need no exact test.
    suspects = lenders.filter(
        (pl.col("bad") >= at_least_bad) & (pl.col("bad") > pl.col("expected")) & (pl.col("peers") > 0)
    )
    cells = expected.join(suspects.select("lender_id"), on="lender_id", how="semi", maintain_order="left")
    return [_record(part) for part in cells.partition_by("lender_id", maintain_order=True)]


def _record(own: pl.DataFrame) -> Record:
    bad, loans = int(own["bad"].sum()), int(own["loans"].sum())
    mean = 0.0
    for count, rate in zip(own["loans"].to_list(), own["rate"].to_list(), strict=True):
        mean += count * rate
    columns = own.select(
        "loans", every=pl.col("loans") + pl.col("cell_loans"), all_bad=pl.col("bad") + pl.col("cell_bad")
    )
    cells = list(zip(*(columns[name].to_list() for name in columns.columns), strict=True))
    p_e9 = round(at_least(bad, cells) * 1_000_000_000)
    return Record(int(own["lender_id"][0]), loans, bad, round(mean * 1_000_000), round(bad / mean * 10_000), p_e9)


def _cells(watch: pl.DataFrame, month: int, rulebook: Rulebook) -> pl.DataFrame:
    """Loans and bad ones per lender and cell, sorted."""
    edges = rulebook.get("scorecard.cells", first_day(month))
    banded = watch.select(
        pl.col("lender_id").cast(pl.Int32),
        "kind",
        _band("score_mid", edges["score"]).alias("score_band"),
        _band("ltv_e4", edges["ltv_e4"]).alias("ltv_band"),
        _band("age", edges["age"]).alias("age_band"),
        "bad",
    )
    return (
        banded.group_by("lender_id", *_CELL)
        .agg(pl.len().cast(pl.Int64).alias("loans"), pl.col("bad").sum().cast(pl.Int64))
        .sort("lender_id", *_CELL)
    )


def _band(column: str, edges: list[int]) -> pl.Expr:
    """How many lower edges a value has reached; unknown values are a band of their own."""
    value = pl.col(column).cast(pl.Int32)
    reached = pl.sum_horizontal([(value >= edge).cast(pl.Int16) for edge in edges])
    return pl.when(value.is_null()).then(_UNKNOWN).otherwise(reached).cast(pl.Int16)


def _expected(cells: pl.DataFrame, prior_loans: int) -> pl.DataFrame:
    """`cells` plus peers (other lenders' loans in all), rate (peer rate) and expected bad loans.

    Peer rate = (others' bad in the cell + prior x overall) / (others' loans in the cell + prior),
    overall = others' (bad + 1) / (loans + 2): no cell is ever without risk.
    """
    totals = ("loans", "bad")
    others = cells.with_columns(
        *[(pl.col(c).sum().over(_CELL) - pl.col(c)).alias(f"cell_{c}") for c in totals],
        *[(pl.col(c).sum() - pl.col(c).sum().over("lender_id")).alias(f"peer_{c}") for c in totals],
    )
    overall = (pl.col("peer_bad") + 1) / (pl.col("peer_loans") + 2)
    rate = (pl.col("cell_bad") + prior_loans * overall) / (pl.col("cell_loans") + prior_loans)
    return others.with_columns(rate.alias("rate"), pl.col("peer_loans").alias("peers")).with_columns(
        (pl.col("rate") * pl.col("loans")).alias("expected")
    )
