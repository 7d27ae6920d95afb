"""The calendars behind every business day against cited holidays, and the calendar from closing to first payment."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from poolhouse import dates
from poolhouse.rules import load

CALENDARS = load().tables["calendars"]
YEARS = ("2008", "2009", "2010", "2011", "2026")


@pytest.mark.parametrize("calendar", ["fed", "sifma"])
@pytest.mark.parametrize("year", YEARS)
def test_business_days_are_the_cited_ones(calendar: str, year: str) -> None:
    """Day by day: a weekday is a business day unless the cited table closes it."""
    closed = set(CALENDARS[calendar][year])
    assert all(day.weekday() < 5 for day in closed if day.year == int(year))
    day = date(int(year), 1, 1)
    while day.year == int(year):
        assert dates.is_business_day(day, calendar) == (day.weekday() < 5 and day not in closed), day
        day += timedelta(days=1)


def test_a_saturday_holiday_moves_for_bonds_and_not_for_the_fed() -> None:
    """4 July 2009 and 2026 are Saturdays: the Fed works on the Friday before, bonds don't trade."""
    for friday in (date(2009, 7, 3), date(2026, 7, 3)):
        assert dates.is_business_day(friday, "fed")
        assert not dates.is_business_day(friday, "sifma")


@pytest.mark.parametrize(
    ("year", "record", "paid"),
    [(2009, date(2009, 2, 27), date(2009, 3, 25)), (2026, date(2026, 2, 27), date(2026, 3, 25))],
)
def test_from_closing_to_the_first_payment(year: int, record: date, paid: date) -> None:
    """Closes 14 January, issued 1 February, first instalment 1 March, record date the last business day of
    February, holders paid 25 March."""
    closing = date(year, 1, 14)
    month = dates.month_of(closing)
    issue = dates.first_day(month + 1)
    first_instalment = dates.first_day(month + 2)
    pay_day = load().get("pooling.pay_day", issue, series="umbs")
    assert (issue, first_instalment) == (date(year, 2, 1), date(year, 3, 1))
    assert dates.last_business_day(month + 1) == record
    assert dates.on_or_after(dates.day_in(month + 2, pay_day)) == paid
    assert dates.days_30_360(issue, first_instalment) == 30
