"""A deal that can't be meant is refused, with the place and what is wrong; never a fault, never a silent guess."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deals.deal_samples import text_of
from poolhouse import deals
from poolhouse.findings import Refused

SEQUENTIAL, ACCRUAL, PLANNED = text_of("sequential.toml"), text_of("accrual.toml"), text_of("planned.toml")
SHIFTING, OVER, CRT, FLOATER = (
    text_of(f"{name}.toml") for name in ("shifting", "overcollateralised", "credit_risk", "floater")
)
LAYERS, STRIPS = text_of("layers.toml"), text_of("strips.toml")

CASES = [
    ("unknown rule", SEQUENTIAL, 'rule = "sequential"', 'rule = "sequentail"', "step 2: rule 'sequentail' is unknown"),
    ("unknown key", SEQUENTIAL, "wam = 357", "wam = 357\nwamm = 3", "collateral: 'wamm' is no key here"),
    ("unknown table", SEQUENTIAL, "[collateral]", "[collaterals]\n[collateral]", "'collaterals' is no key here"),
    ("key of another rule", SEQUENTIAL, 'rule = "interest"', 'rule = "interest"\npsa = 3', "'psa' is no key here"),
    ("class twice in a step", SEQUENTIAL, '["A", "B", "C", "D"]\n', '["A", "B", "A", "D"]\n', "names 'A' twice"),
    ("class twice", SEQUENTIAL, 'name = "B"', 'name = "A"', "class 2 (A): there is a class of this name already"),
    ("unknown class", SEQUENTIAL, '[["A", "B", "C", "D"]]', '[["A", "B", "C", "E"]]', "class 'E' is not in the deal"),
    ("no interest", SEQUENTIAL, '[["A", "B", "C", "D"]]', '[["A", "B", "C"]]', "class D: no step of rule interest"),
    ("interest twice", SEQUENTIAL, '[[pay]]\nrule = "sequential"',
     '[[pay]]\nrule = "interest"\nclasses = ["D"]\n[[pay]]\nrule = "sequential"',
     "class D: two steps of rule interest"),
    ("sizes", SEQUENTIAL, "73_000_000", "72_000_000", "$399,000,000.00 must be the collateral's $400,000,000.00"),
    ("negative balance", SEQUENTIAL, "balance = 73_000_000", "balance = -73", "class 4 (D): balance -73 must be 0 to"),
    ("part of a cent", SEQUENTIAL, "balance = 73_000_000", "balance = 73.001", "has parts of a cent"),
    ("infinite", SEQUENTIAL, "balance = 73_000_000", "balance = inf", "balance must be a number"),
    ("not a number", SEQUENTIAL, "balance = 73_000_000", "balance = nan", "balance must be a number"),
    ("a truth", SEQUENTIAL, "balance = 73_000_000", "balance = true", "balance must be a number"),
    ("zero", SEQUENTIAL, "balance = 73_000_000", "balance = 0", "class 4 (D): balance must be above 0"),
    ("text", SEQUENTIAL, "wac = 8.125", 'wac = "8"', "collateral: wac must be a number"),
    ("coupon above WAC", SEQUENTIAL, "wac = 8.125", "wac = 7.0", "collateral: coupon 7.5 must not be above the WAC"),
    ("lengths", SEQUENTIAL, "wac = 8.125", "wac = [8.125, 8.5]", "must be of one length"),
    ("fine rate", SEQUENTIAL, "coupon = 7.5\n\n[[class]]", "coupon = 7.1234567\n\n[[class]]",
     "finer than 0.00001 percent"),
    ("no coupon", SEQUENTIAL, "balance = 73_000_000\ncoupon = 7.5", "balance = 73_000_000", "give one of coupon"),
    ("two coupons", SEQUENTIAL, "balance = 73_000_000", "balance = 73_000_000\nfloater = {}", "give one of coupon"),
    ("too much interest", SEQUENTIAL, "73_000_000\ncoupon = 7.5", "73_000_000\ncoupon = 8",
     "the classes are due $2,530,416.67 of interest in the first month and the collateral pays $2,500,000.00"),
    ("interest without a taker", SEQUENTIAL, "73_000_000\ncoupon = 7.5", "73_000_000\ncoupon = 7",
     "$30,416.67 of the first month's interest is due to no class"),
    ("not all principal", SEQUENTIAL, 'classes = ["A", "B", "C", "D"]', 'classes = ["A", "B", "C"]',
     "class D: when the others are retired, nothing pays it from the pot 'principal'"),
    ("limited rules only", PLANNED, 'classes = ["S", "P"]', 'classes = ["S"]', "class P: when the others are retired"),
    ("no name", SEQUENTIAL, 'name = "A"', 'name = " "', "class 1: name must be a text"),
    ("control character", SEQUENTIAL, 'name = "A"', 'name = "\\u001b[31m"', "class 1: name must be a text"),
    ("no classes", SEQUENTIAL, "[[class]]", "[[clas]]", "'clas' is no key here"),
    ("minute multiple", FLOATER, "multiple = 3", "multiple = 1e-999999999", "must be a number of sensible size"),
    ("immense", SEQUENTIAL, "balance = 73_000_000", "balance = 1e999999999", "must be a number of sensible size"),
    ("no TOML", SEQUENTIAL, "[deal]", "[deal", "is no TOML"),
    ("accrual of itself", ACCRUAL, 'accrual_until = ["A", "B", "C"]', 'accrual_until = ["Z"]',
     "must name other classes"),
    ("accrual alone", ACCRUAL, 'rule = "accretion"\nof = "Z"', 'rule = "sequential"',
     "class Z: an accrual class needs one step of rule accretion, not 0"),
    ("accretion of no Z", ACCRUAL, 'of = "Z"', 'of = "A"', "class 'A' does not accrue"),
    ("accretion of nobody", ACCRUAL, 'of = "Z"', 'of = "Y"', "class 'Y' is not in the deal"),
    ("accruals in a circle", ACCRUAL, "balance = 96_500_000\ncoupon = 7.5",
     'balance = 96_500_000\ncoupon = 7.5\naccrual_until = ["Z"]', "waits for it"),
    ("collar upside down", PLANNED, "psa = [90, 300]", "psa = [300, 90]", "the collar's two speeds, the lower first"),
    ("collar of one", PLANNED, "psa = [90, 300]", "psa = 90", "the collar's two speeds"),
    ("collar too wide", PLANNED, "psa = [90, 300]", "psa = [10, 900]",
     "step 2 (planned): the speeds pay only"),
    ("two targets", LAYERS, "psa = 165", "psa = [165, 200]", "psa must be one speed"),
    ("IO of nothing", STRIPS, 'notional = ["PO"]', 'notional = ["QO"]',
     "class IO, notional: class 'QO' is not in the deal"),
    ("IO of itself", STRIPS, 'notional = ["PO"]', 'notional = ["IO"]', "must be that of classes with a balance"),
    ("principal of an IO", STRIPS, 'classes = ["PO"]', 'classes = ["PO", "IO"]',
     "class 'IO' has no balance that could"),
    ("interest of a PO", STRIPS, 'classes = ["IO"]', 'classes = ["IO", "PO"]', "class PO: it is due no interest"),
    ("floor above cap", FLOATER, "cap = 10.0, floor = 0.5", "cap = 1, floor = 2",
     "floater: the floor is above the cap"),
    ("misspelt margin", FLOATER, "{margin = 0.5", "{margn = 0.5", "class 3 (FL), floater: 'margn' is no key here"),
    ("inverse of nothing", FLOATER, "multiple = 3", "multiple = 0", "multiple 0 must be above 0"),
    ("losses of nobody", SHIFTING, 'losses = ["B6"', 'losses = ["B7"', "deal, losses: class 'B7' is not in the deal"),
    ("losses of a residual", OVER, 'losses = ["M2"', 'losses = ["R"', "class 'R' has no balance that could bear"),
    ("both senior and subordinate", SHIFTING, 'senior = ["A"]', 'senior = ["A", "B1"]', "both senior and subordinate"),
    ("neither", SHIFTING, 'subordinate = ["B1", "B2", "B3", "B4", "B5", "B6"]',
     'subordinate = ["B1", "B2", "B3", "B4", "B5"]', "class 'B6' is neither senior nor subordinate"),
    ("shares fall back in time", SHIFTING, "[73, 60]", "[61, 60]", "shares: the months must rise"),
    ("shares above all", SHIFTING, "[73, 60]", "[73, 160]", "shares must not be above 100 percent"),
    ("pot without a taker", SHIFTING, 'from = "subordinate"\nclasses = ["A"]', 'from = "senior"\nclasses = ["A"]',
     "class A: when the others are retired, nothing pays it from the pot 'subordinate'"),
    ("no such pot", SHIFTING, 'from = "senior"', 'from = "junior"', "from 'junior' is none of"),
    ("when without step-down", SEQUENTIAL, 'rule = "sequential"', 'rule = "sequential"\nwhen = "locked"',
     "needs a [step_down]"),
    ("released unpaid", OVER, 'rule = "pro_rata"\nwhen = "released"', 'rule = "pro_rata"\nwhen = "locked"',
     "nothing pays it from the pot 'principal' while released"),
    ("nothing to carry over", OVER, "{margin = 1.1}\nnet_wac_cap = true", "{margin = 1.1}", "has no net_wac_cap"),
    ("two residuals", OVER, '[[class]]\nname = "R"\n',
     '[[class]]\nname = "Q"\nresidual = true\n[[class]]\nname = "R"\n',
     "only one class can be the residual"),
    ("more classes than collateral", OVER, "balance = 24_000_000", "balance = 44_000_000", "must be no more than"),
    ("reference without losses", CRT, 'losses = ["B-2H", "B-1", "M-2", "M-1", "A-H"]', "", "need losses"),
    ("guaranteed reference", CRT, "reference = true", "reference = true\nguaranteed = true", "neither guaranteed"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "old", "new", "said"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_refused_with_its_place(text: str, old: str, new: str, said: str) -> None:
    assert old in text
    with pytest.raises(Refused) as refused:
        deals.parse(text.replace(old, new, 1), "deal.toml")
    assert said in str(refused.value) and str(refused.value).startswith("deal.toml")


def test_deals_within_each_other() -> None:
    upon = text_of("resecuritised.toml")
    files = {"planned.toml": upon.replace("planned.toml", "top.toml")}
    with pytest.raises(Refused, match=r"top.toml -> planned.toml -> top.toml"):
        deals.parse(upon, "top.toml", read=files.__getitem__)
    with pytest.raises(Refused, match="has no class 'S'"):
        deals.parse(upon, "top.toml", read=lambda name: SEQUENTIAL)
    with pytest.raises(Refused, match="can't be collateral"):
        deals.parse(upon.replace('"S"', '"Z"'), "top.toml", read=lambda name: ACCRUAL)
    with pytest.raises(Refused, match="too many"):
        deals.parse(upon, "0", read=lambda name: upon.replace("planned.toml", name + "0"))


def test_losses_that_nobody_bears() -> None:
    deal = deals.parse(SEQUENTIAL.replace("guaranteed = true", ""), "deal.toml")
    with pytest.raises(Refused, match="loses money in month 13 and the deal does not say who bears it"):
        deals.run(deal, deals.months_of(deal, {"cdr": 2, "severity": 30}))


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_any_damage_is_refused_or_read(data: Any) -> None:
    """Lines lost, doubled or changed: a `Refused` or a deal, nothing else."""
    lines = data.draw(st.sampled_from([ACCRUAL, PLANNED, STRIPS, SHIFTING])).splitlines()
    place = data.draw(st.integers(0, len(lines) - 1))
    values = ["", "x", "= 1", "[]", "[[pay]]", 'rule = "planned"', "psa = [0, 1e400]", "balance = 10e30", "wam = 5"]
    lines[place] = data.draw(st.sampled_from([*values, lines[data.draw(st.integers(0, len(lines) - 1))]]))
    try:
        deal = deals.parse("\n".join(lines), "deal.toml")
        deals.run(deal, deals.months_of(deal, {"psa": 165}))
    except Refused:
        pass
