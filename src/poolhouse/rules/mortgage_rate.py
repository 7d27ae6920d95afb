"""The history of the 30-year mortgage rate: what prices, borrowers and closings of a month look at."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

from poolhouse.dates import month_name, parse_month
from poolhouse.findings import Refused


@lru_cache(maxsize=1)
def _history() -> dict[int, int]:
    text = (files("poolhouse.rules") / "data" / "mortgage_rate.csv").read_text(encoding="utf-8")
    rows = [line.split(",") for line in text.splitlines() if line and not line.startswith(("#", "month"))]
    return {parse_month(month): _percent_e7(percent) for month, percent in rows}


def _percent_e7(percent: str) -> int:
    """'5.05' -> 505_000, digit by digit: no float."""
    whole, _, fraction = percent.partition(".")
    return int(whole) * 100_000 + int(fraction.ljust(5, "0"))


def known_months() -> tuple[int, int]:
    """First and last month of the history."""
    history = _history()
    return min(history), max(history)


def mortgage_rate_e7(month: int) -> int:
    """Mean 30-year fixed rate of a month index, in e7 (5.05% = 505_000).

    A month after the last known one is answered with the last: a market run into the future assumes
    an unchanged rate. `known_months` tells. A month before the first is refused.
    Source: Freddie Mac Primary Mortgage Market Survey, monthly means of the weekly rate.
    """
    first, last = known_months()
    if month < first:
        raise Refused(
            f"no mortgage rate is known for {month_name(month)}: the history starts in {month_name(first)}; "
            "start the market later"
        )
    return _history()[min(month, last)]
