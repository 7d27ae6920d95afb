"""Numbers of the SIFMA Uniform Practices, chapter SF (Standard Formulas), and of textbooks that use it."""

from __future__ import annotations

import pytest

from poolhouse import money
from poolhouse.dates import business_day, last_business_day, parse_month
from poolhouse.models.behaviour import smm


def test_speeds_of_the_worked_example() -> None:
    """SF-7: an SMM of .435270% is 5.1000 CPR, 150 PSA in month 17."""
    cpr = 1.5 * 0.2 * 17 / 100
    assert cpr == pytest.approx(0.051)
    assert smm(cpr) == pytest.approx(0.00435270, abs=1e-8)
    assert round(1 - (1 - 0.00435270) ** 12, 6) == 0.051000
    assert 1 - (1 - smm(0.37)) ** 12 == pytest.approx(0.37)


def test_first_month_of_a_pass_through() -> None:
    """Fabozzi: $400,000,000, WAC 8.125%, coupon 7.5%, 357 months, age 3, 100 PSA; dollars.

    Payment 2,975,868, net interest 2,500,000, scheduled principal 267,535, prepayment 267,470, cash 3,035,005.
    """
    balance = 400_000_000_00
    payment = money.level_payment(balance, 812_500, 357)
    net = money.monthly_interest(balance, 750_000)
    scheduled = payment - money.monthly_interest(balance, 812_500)
    prepaid = smm(0.2 * 4 / 100) * (balance - scheduled)
    dollars = [round(cents / 100) for cents in (payment, net, scheduled, prepaid, net + scheduled + prepaid)]
    assert dollars == [2_975_868, 2_500_000, 267_535, 267_470, 3_035_005]


def test_a_holders_month_by_factor() -> None:
    """Factor .99000000 to .98500000, coupon 6.0, face 1,000,000: interest 4,950.00, principal 5,000.00."""
    face, before, after = 100_000_000, 99_000_000, 98_500_000
    assert money.half_up_div(face * (before - after), 10**8) == 500_000
    assert money.monthly_interest(money.half_up_div(face * before, 10**8), 600_000) == 495_000


def test_settlement_cost() -> None:
    """SF, settlement: face x factor x price, and coupon x N/360 of face x factor; 101.00 and 6.0% for 12 days."""
    assert money.at_price(100_000_000, 101_000_000) == 101_000_000
    assert money.accrued_30_360(100_000_000, 600_000, 12) == 200_000


@pytest.mark.parametrize(("month", "record", "closes"), [("2009-02", 27, 3), ("2009-05", 29, 4), ("2010-01", 29, 5)])
def test_record_and_reporting_dates(month: str, record: int, closes: int) -> None:
    """Record date: last business day. Reporting closes on business day 2: checked on a 2009 and 2010 calendar.

    2 February 2009, 1 May 2009 and (after New Year's Day) 4 January 2010 are the first business days.
    """
    assert last_business_day(parse_month(month)).day == record
    assert business_day(parse_month(month), 2).day == closes
