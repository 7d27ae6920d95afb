"""Planned classes that wait, and an accrual class whose interest pays others to their schedule and then itself."""

from __future__ import annotations

import pytest

from deals.deal_samples import at, dollars, example, months, small, text_of
from poolhouse import deals
from poolhouse.deals.deal import Deal
from poolhouse.deals.measures import flows_of, measures
from poolhouse.findings import Refused

PAY = """
[[pay]]
rule = "interest"
classes = [["A", "Z"]]
[[pay]]
rule = "scheduled"
classes = ["A"]
balances = [70, 40]
[[pay]]
rule = "accretion"
of = "Z"
classes = ["A"]
to_schedule = true
[[pay]]
rule = "sequential"
classes = ["Z", "A"]
"""


def accrual() -> Deal:
    return small([("A", 100, ""), ("Z", 200, 'coupon = 12\naccrual_until = ["A"]')], PAY)


def test_accretion_stops_at_the_schedule() -> None:
    """Z's 2.00 of interest: all of it goes to A in month 1, which is 2 short; nothing in month 2, so Z itself is
    paid 2.02 of what it adds and 10 besides; in month 3, beyond the schedule, A is paid off."""
    run = deals.run(accrual(), months(300, (28, 0, 0), (40, 0, 0), (232, 0, 0)))
    a, z = run.classes["A"], run.classes["Z"]
    assert dollars(a.principal) == [30, 30, 40] and dollars(z.accrued) == [2, 2.02, 1.92]
    assert dollars(z.principal) == [0, 12.02, 193.92] and dollars(z.ending) == [202, 192, 0]


def test_average_life_of_an_accrual_class_counts_what_its_balance_falls_by() -> None:
    """SF-57: interest that is added and paid at once is no principal: 10 after two months and 192 after three."""
    deal = accrual()
    run = deals.run(deal, months(300, (28, 0, 0), (40, 0, 0), (232, 0, 0)))
    assert measures(run, "Z")["wal"] == pytest.approx((10 * 2 + 192 * 3) / 202 / 12)
    assert flows_of(deal.classes["Z"], run.classes["Z"], 0).cash_flow.tolist() == [0, 12.02, 193.92]


def test_lockout() -> None:
    """Nothing is planned before the first month; from then on as without it, for as long as the class lasts."""
    text = text_of("planned.toml").replace("psa = [90, 300]", "psa = [90, 300]\nfirst_month = 25")
    text = text.replace("243_800_000", "200_000_000").replace("156_200_000", "200_000_000")
    whole = at(example("planned.toml"), psa=165).classes["P"].principal
    paid = at(deals.parse(text, "late.toml"), psa=165).classes["P"].principal
    assert paid[:24] == [0] * 24 and paid[24:120] == whole[24:120]


@pytest.mark.parametrize(
    ("old", "new", "refused"),
    [
        ('classes = ["A"]\nto_', 'classes = ["Z"]\nto_', "to_schedule needs one step before it that plans the same"),
        ("to_schedule = true", "to_schedule = 1", "to_schedule must be true or false"),
        ('rule = "scheduled"\nclasses = ["A"]\nbalances = [70, 40]', 'rule = "planned"\nclasses = ["A"]\n'
         "psa = [50, 60]\nfirst_month = 0", "first_month must be a whole number of 1 to 480"),
        ('rule = "scheduled"\nclasses = ["A"]\nbalances = [70, 40]', 'rule = "planned"\nclasses = ["A"]\n'
         "psa = [50, 60]\nfirst_month = 119", "the speeds pay only"),
    ],
)  # fmt: skip
def test_refusals(old: str, new: str, refused: str) -> None:
    assert old in PAY
    with pytest.raises(Refused, match=refused):
        small([("A", 100, ""), ("Z", 200, 'coupon = 12\naccrual_until = ["A"]')], PAY.replace(old, new))
