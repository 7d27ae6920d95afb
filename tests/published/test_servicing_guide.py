"""Amounts printed in the Fannie Mae Servicing Guide and Investor Reporting Manual, from our functions."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from poolhouse import money
from poolhouse.dates import days_30_360
from poolhouse.payoff import payoff_amounts


def int64(*values: int) -> list[np.ndarray]:
    return [np.array([value], dtype=np.int64) for value in values]


def test_level_payments_of_the_examples() -> None:
    """Scheduled/scheduled example: $250,000, 6.5%. Actual/actual example: $400,000, 6.875%."""
    assert money.level_payment(25_000_000, 650_000, 360) == 158_017
    assert money.level_payment(40_000_000, 687_500, 360) == 262_772


def test_actual_actual_remittance() -> None:
    """UPB 400,000, note 6.875, pass-through 6.625: interest 2,291.67, principal 336.05, remit 2,544.38."""
    interest = money.monthly_interest(40_000_000, 687_500)
    investor = money.monthly_interest(40_000_000, 662_500)
    principal = 262_772 - interest
    assert (interest, principal, investor) == (229_167, 33_605, 220_833)
    assert interest - investor == 8_334
    assert principal + investor == 254_438


def test_four_scheduled_months_without_a_payment() -> None:
    """Scheduled/scheduled example: dues of 1,476.00, 1,476.10, 1,476.19 and 1,476.29, fees of 52.08 to 51.94."""
    balance, dues, fees = 25_000_000, [], []
    for _ in range(4):
        principal = 158_017 - money.monthly_interest(balance, 650_000)
        dues.append(principal + money.monthly_interest(balance, 600_000))
        fees.append(money.monthly_interest(balance, 25_000))
        balance -= principal
    assert dues == [147_600, 147_610, 147_619, 147_629]
    assert sum(dues) == 590_458
    assert fees == [5_208, 5_204, 5_199, 5_194]
    assert balance == 24_908_861


def test_payoff_interest() -> None:
    """Payoff on 16 October of 199,500 at 6%, paid to 1 September: 997.50 + 15 x 32.7945 = 1,489.42."""
    amount = payoff_amounts(*int64(19_950_000, 600_000, 1, 15, 0, 0))
    assert amount[0] - 19_950_000 == 148_942
    assert money.monthly_interest(19_950_000, 600_000) == 99_750  # scheduled/scheduled: a full month
    assert money.accrued_30_360(19_950_000, 600_000, 15) == 49_875  # scheduled/actual: half a month


def test_repurchase_prices() -> None:
    """MBS: balance and a month at the pass-through rate, 200,497.50. Cash: 199,500 x 101.5% + 1,489.42 = 203,981.92."""
    assert 19_950_000 + money.monthly_interest(19_950_000, 600_000) == 20_049_750
    interest = payoff_amounts(*int64(19_950_000, 600_000, 1, 15, 0, 0))[0] - 19_950_000
    assert money.at_price(19_950_000, 101_500_000) + interest == 20_398_192


def test_arrears_of_eight_months_and_the_payment_over_forty_years() -> None:
    """F-1-27, Flex Modification: 8 months on 236,765.47 at 6.5% are 10,259.84; 251,405.31 in 480 months 1,471.87."""
    assert 8 * money.monthly_interest(23_676_547, 650_000) == 1_025_984
    assert 23_676_547 + 1_025_984 + 420_000 + 18_000 == 25_140_531
    assert money.level_payment(25_140_531, 650_000, 480) == 147_187


@pytest.mark.parametrize("day", [1, 15, 30, 31])
def test_interest_bought_at_settlement_counts_days_from_the_first(day: int) -> None:
    """30/360 from the 1st: N = day - 1, and the 31st counts as day 31 because the 1st is not a 30th."""
    assert days_30_360(date(2009, 3, 1), date(2009, 3, day)) == day - 1
