"""Check digits of CUSIPs printed on public filings."""

from __future__ import annotations

import pytest

from poolhouse.pooling.cusip import check_digit


@pytest.mark.parametrize(
    "cusip",
    [
        "037833100",  # Apple
        "594918104",  # Microsoft
        "459200101",  # IBM
        "191216100",  # Coca-Cola
        "38259P508",  # Google
        "68389X105",  # Oracle
        "17275R102",  # Cisco
    ],
)
def test_check_digits_of_public_securities(cusip: str) -> None:
    assert check_digit(cusip[:8]) == cusip[8]
    wrong = str((int(cusip[0]) + 1) % 10) + cusip[1:8]
    assert check_digit(wrong) != cusip[8]
