"""The market's dates: months as integers, business days, 30/360 days.

A month is an index, year x 12 + month - 1 (January 2009 = 24108), so that month arithmetic is
plain integer arithmetic in columns. Business days follow the SIFMA US calendar or the Federal
Reserve's, from the `holidays` package, checked in tests against a cited table.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import lru_cache

_MONTH = re.compile(r"(\d{4})-(\d{2})")


def month_of(day: date) -> int:
    """Month index of a date."""
    return day.year * 12 + day.month - 1


def first_day(month: int) -> date:
    """The 1st of the month."""
    return date(month // 12, month % 12 + 1, 1)


def last_day(month: int) -> date:
    """The last calendar day of the month."""
    return first_day(month + 1) - timedelta(days=1)


def day_in(month: int, day: int) -> date:
    """That day of the month, or its last day when the month is shorter."""
    return min(first_day(month) + timedelta(days=day - 1), last_day(month))


def parse_month(text: str) -> int:
    """'2009-01' -> 24108. ValueError says what was expected."""
    match = _MONTH.fullmatch(text.strip())
    if not match or not 1 <= int(match[2]) <= 12 or not 1900 <= int(match[1]) <= 2999:
        raise ValueError(f"{text!r} is no month: write YYYY-MM, such as 2009-01")
    return int(match[1]) * 12 + int(match[2]) - 1


def month_name(month: int) -> str:
    """24108 -> '2009-01'."""
    return f"{month // 12:04d}-{month % 12 + 1:02d}"


_MARKETS = {"fed": "XFED", "sifma": "XSIF"}


@lru_cache(maxsize=4096)
def _closed(year: int, calendar: str) -> frozenset[date]:
    import holidays  # 0.2 s, and `--help` needs no calendar

    return frozenset(holidays.financial_holidays(_MARKETS[calendar], years=year))


def is_business_day(day: date, calendar: str = "fed") -> bool:
    """Neither a weekend nor a holiday of the calendar ('fed' or 'sifma')."""
    return day.weekday() < 5 and day not in _closed(day.year, calendar)


def on_or_before(day: date, calendar: str = "fed") -> date:
    """The day itself when it is a business day, else the business day before it."""
    while not is_business_day(day, calendar):
        day -= timedelta(days=1)
    return day


def on_or_after(day: date, calendar: str = "fed") -> date:
    """The day itself when it is a business day, else the next one."""
    while not is_business_day(day, calendar):
        day += timedelta(days=1)
    return day


def business_day(month: int, nth: int, calendar: str = "fed") -> date:
    """The nth business day of a month (1 = first)."""
    day = on_or_after(first_day(month), calendar)
    for _ in range(nth - 1):
        day = on_or_after(day + timedelta(days=1), calendar)
    return day


def last_business_day(month: int, calendar: str = "fed") -> date:
    """The last business day of a month: the record date of the next month's payment."""
    return on_or_before(last_day(month), calendar)


def days_30_360(start: date, end: date) -> int:
    """Days from start to end on the 30/360 basis, never negative.

    The last day of February and the 31st start as the 30th; a 31st ends as the 30th only after such a start.
    Source: SIFMA Standard Formulas (30/360).
    """
    end_of_february = start.month == 2 and (start + timedelta(days=1)).month == 3
    d1 = 30 if end_of_february else min(start.day, 30)
    d2 = min(end.day, 30) if d1 == 30 else end.day
    return max((end.year - start.year) * 360 + (end.month - start.month) * 30 + d2 - d1, 0)
