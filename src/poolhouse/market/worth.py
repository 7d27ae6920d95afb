"""What one more unit of each binding limit would bring, in words a desk can act on."""

from __future__ import annotations

from typing import Any

import polars as pl

from poolhouse.market.limits_told import STEP_DOLLARS, UNITS, worth_words
from poolhouse.money import dollars

_WORTH_TELLING_DOLLARS = 0.5


def shadow_prices(shadow: pl.DataFrame) -> list[dict[str, Any]]:
    """Rows of `Solution.shadow` with `worth` (dollars for a step: $250,000, a loan, a point, a percentage point) and
    `words`; dearest first. Those that bring next to nothing are left out."""
    rows = []
    for row in shadow.to_dicts():
        worth = round(row["dollars_per_unit"] * UNITS[row["measure"]], 2)
        if worth >= _WORTH_TELLING_DOLLARS:
            group = row["group"].removeprefix("pool ")
            words = worth_words(row["limit"], group, row["side"], row["measure"], worth)
            if row["side"] == "min_if_used" and group:
                words = f"one more ${STEP_DOLLARS:,} in {group} is worth {dollars(round(worth * 100))}: {row['limit']}"
            rows.append({**row, "group": group, "worth": worth, "words": words})
    return sorted(rows, key=lambda r: (-r["worth"], r["limit"], r["group"]))
