"""Fannie Mae REMIC Trust 2019-2, group 3: a seasoned pool passed through, its coupon stripped. Prospectus supplement of
January 24, 2019: S-4 (loans), S-5 (notional balance), S-9 (rules), S-14 (table). Its numbers as public code holds them
(github.com/bizarc/cfdl, benchmarks/credit/fnma_remic_2019_2_g3)."""

from __future__ import annotations

import math

import pytest

from poolhouse import deals
from poolhouse.deals.measures import flows_of
from poolhouse.valuation import wal

SIZE = 148_372_434
PRINTED = {
    0: (20.2, "99 98 97 96 95 93 92 90 89 87 85 83 80 78 75 73 70 66 63 59 55 50 46 40 35 29 22 16 8"),
    100: (6.1, "90 80 71 62 54 47 40 33 27 21 16 11 6 2"),
    198: (4.7, "84 70 58 48 39 32 25 20 15 11 8 5 3 1"),
    300: (3.7, "78 61 47 36 27 21 15 11 8 5 4 2 1 *"),
    400: (2.9, "72 52 37 27 19 13 9 6 4 3 2 1 * *"),
    700: (1.7, "55 30 17 9 5 3 1 1 * * * * * *"),
    1000: (1.1, "38 14 5 2 1 * * * * * * * * *"),
}
"""Average life in years and percent outstanding each January from 2020 on (*: more than 0, less than 0.5; then 0)."""


def text(psa: int) -> str:
    loans = "wac = 5.451\nwam = 173\nage = 175" if psa else "wac = 7.5\nwam = 360\nage = 0"
    return f"""
[deal]
name = "group 3"
delay_days = 24
[collateral]
balance = {SIZE}
coupon = 5
{loans}
guaranteed = true
[[class]]
name = "AB"
balance = {SIZE}
coupon = 3.25
[[class]]
name = "IO"
coupon = 5
notional = ["AB"]
notional_percent = 35
[[pay]]
rule = "interest"
classes = [["AB", "IO"]]
[[pay]]
rule = "sequential"
classes = ["AB"]
"""


@pytest.mark.parametrize("psa", PRINTED)
def test_page_s14(psa: int) -> None:
    """Settled on January 30, paid from February 25 on; for 0% PSA new loans at 7.5% are assumed. The notional class's
    35.0000000674% is 35% here: both tables are the same."""
    deal = deals.parse(text(psa), "group3.toml")
    run = deals.run(deal, deals.months_of(deal, {"psa": psa}))
    years, row = PRINTED[psa]
    for name in ("AB", "IO"):
        life = run.classes[name]
        ending = [*life.ending, *[0] * 360][11:360:12]
        percent = [100 * left / life.balance[0] for left in ending]
        shown = ["*" if 0 < p < 0.5 else str(math.floor(p + 0.5)) for p in percent]
        assert shown == row.split() + ["0"] * (30 - len(row.split()))
        assert round(float(wal(flows_of(deal.classes[name], life, 0, 29))), 1) == years
    assert max(run.rest) <= 1  # the two coupons are the pool's 5%, to a cent of rounding
