"""What a tape leaves empty gets a documented default, flagged and counted; costs are assumed.

Public so far as docs/tapes.md lists them. All amounts in integer cents, half-up.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from poolhouse.loans.notes import Notes, count, flagged
from poolhouse.money import RATE_ONE
from poolhouse.rules import load
from poolhouse.tables import TAPE

ASSUMED: dict[str, Any] = {
    "purpose": "purchase",
    "occupancy": "principal",
    "units": 1,
    "borrowers": 1,
    "mi_pct": 0,
}
"""Defaults that decide something: each sets a bit (FLAGS, else 'other') and makes a finding."""

FLAGS = {
    "purpose": "purpose_assumed",
    "occupancy": "occupancy_assumed",
    "units": "units_assumed",
    "mi_pct": "mi_assumed",
}
"""Defaults that a standard turns on have a bit of their own: the answer says so."""

PLAIN: dict[str, Any] = {
    "originator_state": "",
    "rate_type": "fixed",
    "property_type": "unknown",
    "state": "",
    "curtailment_cents": 0,
    "streamline": False,
    "underwriting": "",
    "amortization": "",
    "documentation": "",
    "affordable": "",
    "mi_payer": "",
    "va_use": "",
}
"""Defaults that only say 'unknown', 'none' or the one thing supported."""


def complete(work: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """A TAPE frame from canonical columns of which only the required ones must be there."""
    absent = [c for c in TAPE.columns if c.name not in work.columns]
    work = work.with_columns(pl.lit(None, c.dtype).alias(c.name) for c in absent)
    work = work.with_columns(pl.col("imputed_flags").cast(pl.Int64).fill_null(0))
    for step in (_defaults, _first_due, _values, _costs, _lenders):
        work = step(work, notes)
    return TAPE.conform(work.select(pl.col(c.name).cast(c.dtype) for c in TAPE.columns))


def _defaults(work: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    for name, value in ASSUMED.items():
        empty = pl.col(name).is_null()
        notes.add(f"{name}_assumed", name, count(work, empty), f"{name} is empty, {value} assumed")
        work = work.with_columns(flagged(empty, FLAGS.get(name, "other")), pl.col(name).fill_null(value))
    no_type = pl.col("originator_type").is_null()
    notes.add("lender_type_assumed", "originator_type", count(work, no_type), "type of lender is empty, unknown")
    work = work.with_columns(
        flagged(no_type, "lender_type_assumed"),
        pl.col("originator_type").fill_null("unknown"),
        pl.col("originator_name").fill_null(pl.col("originator_id")),
        pl.col("score_mid").fill_null(pl.col("score")),
    )
    return work.with_columns(pl.col(name).fill_null(value) for name, value in PLAIN.items())


def _first_due(work: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """The 1st of the second month after the note's."""
    empty = pl.col("first_due_date").is_null()
    notes.add(
        "first_due_date", "first_due_date", count(work, empty), "first instalment due two months after the note's month"
    )
    due = pl.col("note_date").dt.month_start().dt.offset_by("2mo")
    return work.with_columns(flagged(empty, "first_due_date"), pl.col("first_due_date").fill_null(due))


def _values(work: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """Loan-to-value from the value, or the value from the loan-to-value.

    A loan-to-value is cut off after the second decimal of a percent. Source: Fannie Mae Selling
    Guide B2-1.2-01.
    """
    note, value, ltv = (pl.col(n).cast(pl.Int64) for n in ("note_amount_cents", "value_cents", "ltv_e4"))
    from_ltv = value.is_null() & ltv.is_not_null()
    notes.add("value_from_ltv", "value_cents", count(work, from_ltv), "property value computed from the loan-to-value")
    notes.add(
        "value_unknown", "value_cents", count(work, value.is_null() & ltv.is_null()), "no property value", "warning"
    )
    return work.with_columns(
        flagged(from_ltv, "value_from_ltv"),
        pl.when(from_ltv).then((2 * note * 10_000 + ltv) // (2 * ltv)).otherwise(value).alias("value_cents"),
        pl.when(ltv.is_null()).then(note * 10_000 // value).otherwise(ltv).alias("ltv_e4"),
    )


def _costs(work: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """Points, closing costs and the financed government fee, where the tape has none."""
    note = pl.col("note_amount_cents")
    rate = fee_rate()
    fee = note - _half_up(note * RATE_ONE, RATE_ONE + rate)
    points = _half_up(note * load().get("loans.points_rate_e7", date.max), pl.lit(RATE_ONE))
    other = _half_up(note * _closing_rate(), pl.lit(RATE_ONE))
    assumed = pl.any_horizontal(
        pl.col(n).is_null() for n in ("points_cents", "closing_costs_cents", "financed_fee_cents")
    )
    message = "points, closing costs or financed fee assumed"
    notes.add("closing_costs_assumed", "closing_costs_cents", count(work, assumed), message)
    return work.with_columns(
        flagged(assumed, "closing_costs_assumed"),
        pl.col("financed_fee_cents").fill_null(fee),
        pl.col("points_cents").fill_null(points),
        pl.col("closing_costs_cents").fill_null(other),
    )


def _closing_rate() -> pl.Expr:
    rate = pl.lit(0, pl.Int64)
    for value in load().parameters["loans.closing_costs_rate_e7"].values:
        rate = pl.when(_matches(value.dims)).then(value.value).otherwise(rate)
    return rate


def fee_rate() -> pl.Expr:
    """The government fee's rate (e7 of the base loan) by kind, purpose and note date; 0 when conventional.

    A note before the first known version pays that version's rate.
    """
    rate = pl.lit(0, pl.Int64)
    seen: set[object] = set()
    for value in load().parameters["loans.financed_fee_rate_e7"].values:
        applies = _matches(value.dims)
        if value.dims in seen:
            applies &= pl.col("note_date") >= value.effective
        seen.add(value.dims)
        rate = pl.when(applies).then(value.value).otherwise(rate)
    return rate


def _matches(dims: tuple[tuple[str, Any], ...]) -> pl.Expr:
    return pl.all_horizontal(pl.lit(True), *(pl.col(name) == value for name, value in dims))


def _half_up(numerator: pl.Expr, denominator: pl.Expr) -> pl.Expr:
    """Non-negative integers: quotient rounded half-up."""
    return (2 * numerator + denominator) // (2 * denominator)


def _lenders(work: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """One name, type and state per lender: what most of its loans say, ties by the alphabet."""
    said = ["originator_name", "originator_type", "originator_state"]
    variants = work.group_by("originator_id", *said).len()
    if variants.height == variants["originator_id"].n_unique():
        return work
    chosen = variants.sort(["originator_id", "len", *said], descending=[False, True, False, False, False])
    chosen = chosen.unique("originator_id", keep="first", maintain_order=True).drop("len")
    one = work.drop(said).join(chosen, on="originator_id", how="left", maintain_order="left")
    differs = pl.DataFrame((work[name] != one[name]).alias(name) for name in said)
    changed = int(differs.select(pl.any_horizontal(pl.all()).sum()).item())
    notes.add("lender_unified", "originator_name", changed, "lender's name, type or state as most of its loans say")
    return one
