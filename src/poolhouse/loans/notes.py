"""Findings of a tape as they add up: one per rule, with the number of loans it stands for."""

from __future__ import annotations

import polars as pl

from poolhouse.findings import Finding
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
