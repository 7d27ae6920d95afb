"""Days of capital tied up, counted by hand."""

from __future__ import annotations

from datetime import date

import polars as pl

from poolhouse.primary import turns
from sale.market_frames import loans


def _sales(*rows: tuple[int, date]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"loan_id": pl.Int32, "settlement_date": pl.Date}, orient="row")


def test_median_days_and_turns_weighted_by_capital() -> None:
    notes = loans(
        {"note_date": date(2009, 1, 1), "note_amount_cents": 300_000_00},
        {"note_date": date(2009, 1, 11), "note_amount_cents": 100_000_00},
        {"note_date": date(2009, 1, 21), "note_amount_cents": 100_000_00, "originator_type": "nonbank"},
        {"note_date": date(2009, 1, 1)},
    )
    settled = date(2009, 2, 10)  # 40, 30 and 20 days
    result = turns(_sales((0, settled), (1, settled), (2, settled)), notes)
    assert result["days_to_sale_median"] == 30
    assert result["turns_per_year"] == round(365 / ((3 * 40 + 30 + 20) / 5), 2)
    assert result["by_type"]["nonbank"] == {"loans": 1, "days_to_sale_median": 20, "turns_per_year": 18.25}
    assert result["by_type"]["depository"]["loans"] == 2


def test_nothing_sold_turns_nothing() -> None:
    assert turns(_sales(), loans({})) == {"days_to_sale_median": None, "turns_per_year": None, "by_type": {}}
