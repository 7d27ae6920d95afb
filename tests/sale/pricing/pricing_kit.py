"""One loan by its facts, through the tape's own reader, and sheets as a desk would give them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from poolhouse import rules
from poolhouse.market.price import described, price_loan
from poolhouse.sale import pricing

BOOK = rules.load()
DAY = date(2026, 11, 23)
ROOT = Path(__file__).parents[3]
WORKED = ROOT / "examples" / "worked_sheet.toml"
FACTS = {
    "loan_number": "1", "originator_id": "1", "kind": "conventional", "note_amount_cents": "40000000",
    "note_rate_e7": "687500", "term_months": "360", "note_date": "2026-11-23", "purpose": "purchase",
    "occupancy": "principal", "units": "1", "property_type": "detached", "ltv_e4": "8000", "score": "745",
    "dti_e4": "3600",
}  # fmt: skip


def priced(changes: Mapping[str, str] | None = None, **options: Any) -> dict[str, Any]:
    """`price_loan` for the worked loan with other facts."""
    facts = {k: v for k, v in (FACTS | dict(changes or {})).items() if v != ""}
    return price_loan(facts=facts, **({"sheet": WORKED} | options))


def loan(changes: Mapping[str, str] | None = None) -> pl.DataFrame:
    """The worked loan with other facts, as a LOANS row."""
    return described({k: v for k, v in (FACTS | dict(changes or {})).items() if v != ""})


def read(text: str, day: date = DAY) -> pricing.Sheet:
    """A sheet from its text."""
    return pricing.read_sheet(text, "sheet.toml", day, BOOK)


def offer(
    answer: dict[str, Any], program: str, execution: str, rate: int | None = None, servicing: str = "kept"
) -> Any:
    """The one offer of an answer that is meant."""
    wanted = (program, execution, rate, servicing)
    keys = ("program", "execution", "coupon_rate_e7", "servicing")
    found = [o for o in answer["offers"] if tuple(o[k] for k in keys) == wanted]
    assert len(found) == 1, wanted
    return found[0]
