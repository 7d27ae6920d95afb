"""The history of the unemployment rate: what defaults follow. Package data, read on first use."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

from poolhouse.dates import month_name, parse_month
from poolhouse.findings import Refused


@lru_cache(maxsize=1)
def _history() -> dict[int, int]:
    text = (files("poolhouse.rules") / "data" / "unemployment.csv").read_text(encoding="utf-8")
    rows = [line.split(",") for line in text.splitlines() if line and not line.startswith(("#", "month"))]
    return {parse_month(month): round(float(percent) * 10) for month, percent in rows}


def known_months() -> tuple[int, int]:
    """First and last month of the history."""
    return min(_history()), max(_history())


def unemployment_e3(month: int) -> int:
    """National unemployment rate of a month index, seasonally adjusted, in tenths of a percent (9.9% = 99).

    A month without one (October 2025, and all after the last) is answered with the one before it. A month before the
    first is refused. Source: Bureau of Labor Statistics, UNRATE.
    """
    first, last = known_months()
    if month < first:
        raise Refused(
            f"no unemployment rate is known for {month_name(month)}: the history starts in {month_name(first)}"
        )
    at = min(month, last)
    return next(found for back in range(at - first + 1) if (found := _history().get(at - back)) is not None)
