"""Findings of a tape as they add up: one per rule, with the number of loans it stands for."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from poolhouse import chance
from poolhouse.findings import Finding
from poolhouse.rules import load
from poolhouse.tables import codes


class Notes:
    """Collects counted findings while a tape is read."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []

    def add(self, rule: str, field: str, count: int, message: str, severity: str = "info") -> None:
        """One remark for `count` loans; nothing when there are none."""
        if count:
            noun = "loan" if count == 1 else "loans"
            self.findings.append(
                Finding("tape", f"loans.{rule}", f"{message}: {count:,} {noun}", severity, field=field, count=count)
            )


def flagged(mask: pl.Expr, name: str) -> pl.Expr:
    """`imputed_flags` with the bit of codes.IMPUTED set where the mask holds."""
    bit = pl.when(mask.fill_null(False)).then(codes.IMPUTED[name]).otherwise(0).cast(pl.Int64)
    return (pl.col("imputed_flags") | bit).alias("imputed_flags")


def count(frame: pl.DataFrame, mask: pl.Expr) -> int:
    """Rows where the mask holds; null counts as no."""
    return int(frame.select(mask.fill_null(False).sum()).item())


def rule(name: str, **dims: Any) -> Any:
    """A value of `loans.*`, whatever the date."""
    return load().get(f"loans.{name}", date.max, **dims)


def drawn_days(work: pl.DataFrame) -> npt.NDArray[np.int64]:
    """A day of the month for each loan whose tape has none, from a hash of its loan number."""
    first, last = rule("ama_note_days")
    keys = chance.text_keys(work["loan_number"])
    offset = chance.below(chance.draws(0, keys, 0, "note-day"), int(last) - int(first) + 1)
    return offset + int(first)


def limited_assumed(work: pl.DataFrame, notes: Notes, codes_: tuple[str, ...]) -> pl.DataFrame:
    """Refinances whose code (`purpose_code`) doesn't say which kind: limited cash-out, flagged."""
    unsaid = pl.col("purpose_code").is_in(codes_)
    notes.add("limited_cash_out_assumed", "purpose", count(work, unsaid), "refinance, limited cash-out assumed")
    return work.with_columns(flagged(unsaid, "limited_cash_out_assumed"))
