"""A month of credit-risk notes as their administrator reports it: Connecticut Avenue Securities 2015-C02, distribution
of November 25, 2019, pages 1 and 2 of the summary (Wells Fargo; found at pdfslide.us).

Losses of this deal are of a fixed severity, 10% at its tier then: so what liquidated loans recovered is nine times the
loss. Loss and recovery are rounded loan by loan there, hence two cents.
"""

from __future__ import annotations

import pytest

from deals.deal_samples import small
from poolhouse import deals
from poolhouse.deals.collateral import Received
from poolhouse.deals.deal import State

# balance before, principal and loss in cents
GROUP_1 = {
    "A-H": (10_652_677_247_63, 202_891_041_90, 0), "M-2": (356_783_154_47, 8_511_403_67, 0),
    "M-2H": (18_801_755_36, 448_533_87, 0), "B-H": (99_971_668_86, 0, 242_720_79),
}  # fmt: skip
GROUP_2 = {
    "A-H": (5_816_693_392_89, 121_914_937_18, 0), "M-2": (160_004_455_33, 5_750_940_64, 0),
    "M-2H": (8_430_473_88, 303_011_28, 0), "B-H": (124_184_745_64, 0, 174_943_51),
}  # fmt: skip
PAY = """
[[pay]]
rule = "interest"
classes = ["M-2", "M-2H", "B-H"]
[[pay]]
rule = "enhancement"
senior = ["A-H"]
subordinate = [["M-2", "M-2H"], "B-H"]
required = 1
[[pay]]
rule = "sequential"
from = "senior"
classes = ["A-H", "M-2", "M-2H", "B-H"]
[[pay]]
rule = "sequential"
from = "subordinate"
classes = [["M-2", "M-2H"], "B-H", "A-H"]
"""


@pytest.mark.parametrize(("reported", "enhancement"), [(GROUP_1, 0.0427), (GROUP_2, 0.0479)], ids=["1", "2"])
def test_november_2019(reported: dict[str, tuple[int, int, int]], enhancement: float) -> None:
    """The senior class gets its share by balance of what is paid and all that was recovered; the notes share with
    their vertical slice; the lowest class bears the loss."""
    size = sum(balance for balance, _, _ in reported.values())
    paid, lost = (sum(row[column] for row in reported.values()) for column in (1, 2))
    assert round(1 - reported["A-H"][0] / size, 4) == enhancement
    classes = [(name, 1, f"balance = {row[0] / 100:.2f}\ncoupon = {0 if name == 'A-H' else 5}")
               for name, row in reported.items()]  # fmt: skip
    deal = small([(name, 0, more) for name, _, more in classes], PAY, head='losses = ["B-H", ["M-2", "M-2H"], "A-H"]',
                 pool=f"reference = true\nbalance = {size / 100:.2f}")  # fmt: skip
    nothing = dict.fromkeys(deal.classes, 0)
    state = State({name: row[0] for name, row in reported.items()}, nothing, nothing)
    month = Received(size, 0, 0, paid, paid - 9 * lost, lost, recovered=9 * lost)
    found = deals.step(deal, state, month).classes
    for name, (_, principal, loss) in reported.items():
        assert abs(found[name].principal - principal) <= 3 and found[name].loss == loss, name
