"""What one more unit of each binding limit would bring, in words a desk can act on."""

from __future__ import annotations

from typing import Any

import polars as pl

from poolhouse.money import dollars

_STEP_DOLLARS = 250_000
_WORTH_TELLING_CENTS = 50
_UNITS = {
    "dollar": (_STEP_DOLLARS, f"${_STEP_DOLLARS:,}"),
    "loan": (1, "one loan"),
    "point": (1, "one point"),
    "share": (0.01, "one percentage point"),
}
"""By measure: units of a step, and what to call it."""
_WORDS = {
    "min_if_used": "{step} more in {where} would bring {worth}",
    "min": "{step} less to be reached in {where} would bring {worth}",
    "max": "{step} more allowed in {where} would bring {worth}",
    "within": "{step} further apart in {where} would bring {worth}",
}


def shadow_prices(shadow: pl.DataFrame) -> list[dict[str, Any]]:
    """Rows of `Solution.shadow` with `step` (its name), `worth_cents` of a step, and `words`; dearest first. Those that
    bring next to nothing are left out."""
    rows = []
    for row in shadow.to_dicts():
        units, step = _UNITS[row["measure"]]
        cents = round(row["dollars_per_unit"] * units * 100)
        if cents < _WORTH_TELLING_CENTS:
            continue
        where = f"{row['group'].removeprefix('pool ')} ({row['limit']})" if row["group"] else row["limit"]
        words = _WORDS[row["side"]].format(step=step, where=where, worth=dollars(cents))
        rows.append({**row, "step": step, "worth_cents": cents, "words": words})
    return sorted(rows, key=lambda r: (-r["worth_cents"], r["limit"], r["group"]))
