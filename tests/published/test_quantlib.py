"""QuantLib's numbers beside ours: instalments, amortisation, 30/360 days and business days."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import QuantLib

from poolhouse import money
from poolhouse.dates import days_30_360, is_business_day
from poolhouse.loans.amortisation import schedule
from poolhouse.valuation import cashflows

NOTES = [
    (25_000_000, 650_000, 360),
    (19_999_900, 487_500, 180),
    (41_700_000, 512_500, 360),
    (8_000_000, 1_375_000, 240),
]


def ql_date(day: date) -> QuantLib.Date:
    return QuantLib.Date(day.day, day.month, day.year)


@pytest.mark.parametrize(("amount", "rate", "term"), NOTES)
def test_balances_follow_quantlibs_sinking_notionals(amount: int, rate: int, term: int) -> None:
    """Theirs are unrounded; ours may differ by the rounding of instalment and interest, grown by the rate."""
    theirs = QuantLib.sinkingNotionals(
        QuantLib.Period(term, QuantLib.Months), QuantLib.Monthly, rate / 1e7, amount / 100
    )
    ours = schedule(amount, rate, term)["balance"]
    assert theirs[-1] == pytest.approx(0, abs=1e-4)
    for n in range(1, term):
        growth = (1 + rate / 12e7) ** n
        bound = 1.0 * n * growth + 1  # half a cent each of payment and interest a month, and their growth
        assert abs(theirs[n] * 100 - ours[n - 1]) <= bound
    assert ours[-1] == 0


@pytest.mark.parametrize(("amount", "rate", "term"), NOTES)
def test_cash_flows_without_prepayment_are_quantlibs_sinking_notionals(amount: int, rate: int, term: int) -> None:
    """Both unrounded: to 1e-13 of the note."""
    theirs = QuantLib.sinkingNotionals(
        QuantLib.Period(term, QuantLib.Months), QuantLib.Monthly, rate / 1e7, amount / 100
    )
    ours = cashflows(amount / 100, rate / 1e5, rate / 1e5, term)["ending_balance"].to_list()
    assert ours == pytest.approx(list(theirs)[1:], abs=amount / 100 * 1e-13)


@pytest.mark.parametrize(("amount", "rate", "term"), NOTES)
def test_level_payment_is_what_discounts_to_the_note(amount: int, rate: int, term: int) -> None:
    monthly = QuantLib.InterestRate(
        rate / 1e7, QuantLib.Thirty360(QuantLib.Thirty360.BondBasis), QuantLib.Compounded, QuantLib.Monthly
    )
    annuity = sum(monthly.discountFactor(n / 12) for n in range(1, term + 1))
    assert money.level_payment(amount, rate, term) == pytest.approx(amount / annuity, abs=0.5001)


def test_days_30_360_are_the_bond_basis() -> None:
    counter = QuantLib.Thirty360(QuantLib.Thirty360.BondBasis)
    starts = [date(2008, 1, 1) + timedelta(days=17 * k) for k in range(80)]
    for start in [*starts, date(2008, 1, 31), date(2009, 3, 30), date(2009, 12, 31)]:
        for days in (0, 1, 13, 28, 30, 31, 59, 365, 1000):
            end = start + timedelta(days=days)
            assert days_30_360(start, end) == counter.dayCount(ql_date(start), ql_date(end)), (start, end)


@pytest.mark.parametrize("calendar", ["fed", "sifma"])
def test_business_days_of_the_demo_years(calendar: str) -> None:
    kind = {"fed": QuantLib.UnitedStates.FederalReserve, "sifma": QuantLib.UnitedStates.GovernmentBond}[calendar]
    theirs = QuantLib.UnitedStates(kind)
    day, differ = date(2008, 10, 1), []
    while day <= date(2011, 12, 31):
        if is_business_day(day, calendar) != theirs.isBusinessDay(ql_date(day)):
            differ.append(day)
        day += timedelta(days=1)
    assert differ == []
