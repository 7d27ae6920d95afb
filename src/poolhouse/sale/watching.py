"""Lenders watched: serious defaults of each lender's loans against what its peers' like loans do.

The peer rate of a cell (kind x score band x loan-to-value band) is that of all other lenders; a
cell they hardly lend in leans on their overall rate. A lender is stopped only at five or more
serious defaults, when so many or more had less than 1% chance at those rates: exact, one-sided.
Once stopped it stays so: taking it back is people's decision, not a test's.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from poolhouse.dates import first_day, last_day, month_name
from poolhouse.rules import Rulebook
from poolhouse.sale.tail import at_least
from poolhouse.tables import LENDER_STATES, Event, Outcome

_CELL = ["kind", "score_band", "ltv_band"]
_UNKNOWN = -1


def rate_lenders(watch: pl.DataFrame, previous: pl.DataFrame, month: int, rulebook: Rulebook) -> Outcome:
    """Decide at a month's end which lenders the aggregators stop buying from.

    watch: loan_id, lender_id i32, kind str, score_mid i16?, ltv_e4 i32?, vintage (note year), serious
    bool (ever reached the threshold), one row per loan watched. previous: LENDER_STATES rows so far;
    a lender's latest counts. Returns the record lender_states (only lenders whose state changes), an
    event "LenderStateChanged" for each, and in `answer` how many lenders were tested.
    """
    rules = rulebook.get("sale.watch", first_day(month))
    stopped = previous.sort("month").unique("lender_id", keep="last").filter(pl.col("state") == "stopped")["lender_id"]
    cells = _cells(watch, month, rulebook)
    expected = _expected(cells, rules["prior_loans"])
    lenders = expected.group_by("lender_id").agg(
        pl.col("serious").sum(), pl.col("loans").sum(), pl.col("peers").min(), pl.col("expected").sum()
    )
    # Only a count above the expected one can be that unlikely: the rest need no exact test.
    suspects = lenders.filter(
        (pl.col("serious") >= rules["min_defaults"])
        & (pl.col("serious") > pl.col("expected"))
        & (pl.col("peers") > 0)
        & ~pl.col("lender_id").is_in(stopped.implode())
    ).sort("lender_id")
    rows = [_judged(i, expected, month) for i in suspects["lender_id"].to_list()]
    changed = [row for row in rows if row["p_value_e9"] < rules["p_value_e9"]]
    states = pl.DataFrame(changed, schema=LENDER_STATES.schema) if changed else LENDER_STATES.empty()
    return Outcome(
        events=[_event(row, month) for row in changed],
        records={"lender_states": LENDER_STATES.conform(states)},
        answer={"tested": len(rows), "stopped": len(changed)},
    )


def expectations(watch: pl.DataFrame, month: int, rulebook: Rulebook) -> pl.DataFrame:
    """lender_id, loans, serious and expected_defaults_e6 (at peers' rates) of every lender, by lender.

    `watch` as in `rate_lenders`. For tables of lenders; decisions are `rate_lenders`'.
    """
    rules = rulebook.get("sale.watch", first_day(month))
    expected = _expected(_cells(watch, month, rulebook), rules["prior_loans"])
    return (
        expected.group_by("lender_id")
        .agg(pl.col("loans", "serious").sum(), (pl.col("expected").sum() * 1_000_000).round().cast(pl.Int64))
        .rename({"expected": "expected_defaults_e6"})
        .sort("lender_id")
    )


def _cells(watch: pl.DataFrame, month: int, rulebook: Rulebook) -> pl.DataFrame:
    """Loans and serious defaults per lender and cell, sorted."""
    edges = rulebook.get("sale.watch_cells", first_day(month))
    banded = watch.select(
        pl.col("lender_id").cast(pl.Int32),
        "kind",
        _band("score_mid", edges["score"]).alias("score_band"),
        _band("ltv_e4", edges["ltv_e4"]).alias("ltv_band"),
        "serious",
    )
    return (
        banded.group_by("lender_id", *_CELL)
        .agg(pl.len().cast(pl.Int64).alias("loans"), pl.col("serious").sum().cast(pl.Int64))
        .sort("lender_id", *_CELL)
    )


def _band(column: str, edges: list[int]) -> pl.Expr:
    """How many lower edges a value has reached; unknown values are a band of their own."""
    value = pl.col(column).cast(pl.Int32)
    reached = pl.sum_horizontal([(value >= edge).cast(pl.Int16) for edge in edges])
    return pl.when(value.is_null()).then(_UNKNOWN).otherwise(reached).cast(pl.Int16)


def _expected(cells: pl.DataFrame, prior_loans: int) -> pl.DataFrame:
    """`cells` plus peers (other lenders' loans in all), rate (peer rate) and expected defaults.

    Peer rate = (others' defaults in the cell + prior x overall) / (others' loans in the cell + prior),
    overall = others' (defaults + 1) / (loans + 2): no cell is ever without risk.
    """
    totals = ("loans", "serious")
    others = cells.with_columns(
        *[(pl.col(c).sum().over(_CELL) - pl.col(c)).alias(f"cell_{c}") for c in totals],
        *[(pl.col(c).sum() - pl.col(c).sum().over("lender_id")).alias(f"peer_{c}") for c in totals],
    )
    overall = (pl.col("peer_serious") + 1) / (pl.col("peer_loans") + 2)
    rate = (pl.col("cell_serious") + prior_loans * overall) / (pl.col("cell_loans") + prior_loans)
    return others.with_columns(rate.alias("rate"), pl.col("peer_loans").alias("peers")).with_columns(
        (pl.col("rate") * pl.col("loans")).alias("expected")
    )


def _judged(lender_id: int, expected: pl.DataFrame, month: int) -> dict[str, Any]:
    """One lender's row of LENDER_STATES, were it stopped."""
    own = expected.filter(pl.col("lender_id") == lender_id)
    cells = list(zip(own["loans"].to_list(), own["rate"].to_list(), strict=True))
    serious, loans = int(own["serious"].sum()), int(own["loans"].sum())
    mean = 0.0
    for count, rate in cells:
        mean += count * rate
    p_e9 = round(at_least(serious, cells) * 1_000_000_000)
    expected_e6 = round(mean * 1_000_000)
    reason = (
        f"{serious} of {loans} loans seriously delinquent or lost; like loans of other lenders would give "
        f"{expected_e6 // 10_000 / 100:.2f}; so many or more have a chance of {p_e9 / 1e7:.4f}%"
    )
    return {
        "month": month,
        "lender_id": lender_id,
        "state": "stopped",
        "serious_defaults": serious,
        "loans": loans,
        "expected_defaults_e6": expected_e6,
        "p_value_e9": p_e9,
        "reason": reason,
    }


def _event(row: dict[str, Any], month: int) -> Event:
    return Event("LenderStateChanged", last_day(month), row | {"month": month_name(month)})
