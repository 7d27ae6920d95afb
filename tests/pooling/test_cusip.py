"""CUSIPs: the check digits of public securities, and our fictional ones."""

from __future__ import annotations

import pytest

from poolhouse.pooling import cusip


@pytest.mark.parametrize(
    "public",
    ["037833100", "594918104", "17275R102", "38259P508", "68389X105"],
    ids=["Apple", "Microsoft", "Cisco", "Google", "Oracle"],
)
def test_check_digits_of_public_securities(public: str) -> None:
    assert cusip.check_digit(public[:8]) == public[8]
    assert cusip.is_valid(public)


def test_one_wrong_digit_is_seen() -> None:
    assert not cusip.is_valid("037833101")
    assert not cusip.is_valid("047833100")
    assert not cusip.is_valid("03783310")
    with pytest.raises(ValueError, match="first eight"):
        cusip.check_digit("0378331o")


def test_fictional_numbers_pass_the_check_and_stand_in_their_range() -> None:
    # 9, 9x2=18, 0, 0, 0, 0, 0, 1x2: 9 + 1+8 + 2 = 20, so the check digit is 0.
    assert cusip.fictional(1, "99") == "990000010"
    assert all(cusip.is_valid(cusip.fictional(n, "99")) for n in range(0, 999_999, 7_919))
    with pytest.raises(ValueError, match="no place"):
        cusip.fictional(1_000_000, "99")
