"""What a step hands back: events with their postings, tables, records and findings.

A step is a pure function. `market/` turns an Outcome into ledger lines, segments and one commit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl

from poolhouse.findings import Finding


@dataclass(frozen=True)
class Posting:
    """Rows for one posting template. Without `value_date` the frame has a value_date column."""

    template: str
    frame: pl.DataFrame
    value_date: date | None = None


@dataclass(frozen=True)
class Event:
    """One fact of the market. `body` is small JSON (str, int, bool, list, dict): what happened, in words
    and totals; row data stands in the tables."""

    kind: str
    market_date: date
    body: dict[str, Any]
    postings: tuple[Posting, ...] = ()


@dataclass
class Outcome:
    """`tables`: segment table name -> rows. `records`: SQL record table name -> rows."""

    events: list[Event] = field(default_factory=list)
    tables: dict[str, pl.DataFrame] = field(default_factory=dict)
    records: dict[str, pl.DataFrame] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    answer: dict[str, Any] = field(default_factory=dict)
