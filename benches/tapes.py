"""Big tapes: the shipped tape of real loans, repeated under new loan numbers until it is long enough."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from poolhouse import loans

NUMBER = "LoanNumber"
"""The tape's column of loan numbers."""


def demo_rows() -> int:
    """Loans of the shipped tape."""
    return int(pl.scan_parquet(loans.demo_tape()).select(pl.len()).collect().item())


def build(rows: int, folder: Path) -> Path:
    """A Parquet tape of that many rows, in the shipped tape's own layout. The first round keeps its numbers."""
    tape = pl.read_parquet(loans.demo_tape())
    rounds = -(-rows // tape.height)
    number = pl.col(NUMBER).cast(pl.String)
    copies = [tape.with_columns(number)]
    copies += [tape.with_columns(number + f"-{i}") for i in range(1, rounds)]
    path = folder / f"tape-{rows}.parquet"
    pl.concat(copies).head(rows).write_parquet(path)
    return path
