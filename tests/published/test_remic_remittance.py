"""A REMIC's month as Fannie Mae reports it: Trust 2011-18, distribution summary of April 2011 (found at docstoc.com,
document 113121684). Interest is a month of 30/360 on the balance before, to the cent; principal lowers it."""

from __future__ import annotations

import pytest

from poolhouse import money

COUPON_E7 = 400_000
ROWS = {
    "JK": (18_839_375_00, 62_797_92, 0, 18_839_375_00), "JL": (24_973_125_00, 83_243_75, 0, 24_973_125_00),
    "AB": (15_838_879_46, 52_796_26, 1_027_775_48, 14_811_103_98),
    "AC": (74_268_000_00, 247_560_00, 732_000_00, 73_536_000_00),
    "KA": (99_471_649_09, 331_572_16, 580_293_21, 98_891_355_88),
    "VA": (7_369_720_00, 24_565_73, 44_427_60, 7_325_292_40), "VB": (5_094_000_00, 16_980_00, 0, 5_094_000_00),
}  # fmt: skip
"""Balance, interest, principal and balance after, cents."""


@pytest.mark.parametrize("name", ROWS)
def test_a_month_of_interest(name: str) -> None:
    balance, interest, principal, after = ROWS[name]
    assert money.monthly_interest(balance, COUPON_E7) == interest
    assert balance - principal == after
