"""Deals against waterfalls in exact fractions, written another way: by cumulative principal, without rounding."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

from deals.deal_samples import at
from poolhouse import deals
from poolhouse.valuation import speeds
from valuation.exact_flows import exact_flows

WAM, AGE, WAC, COUPON = 48, 20, 8.125, 7.5
POOL = f"balance = 1_000_000\nwac = {WAC}\ncoupon = {COUPON}\nwam = {WAM}\nage = {AGE}\nguaranteed = true\n"
SIZES = {"A": 400_000, "B": 350_000, "C": 250_000}
Lives = dict[str, list[Fraction]]


def exact_principal(psa: float) -> list[Fraction]:
    months = np.arange(AGE + 1, AGE + WAM + 1)
    smm = [float(rate) for rate in speeds.psa_to_smm(psa, months)]
    return [row["principal"] for row in exact_flows(1_000_000, WAC, COUPON, WAM, smm, [0.0] * WAM, lag=0)]


def sequential(psa: float) -> Lives:
    """A class has got what all principal so far is above the classes before it, at most its size."""
    found: Lives = {name: [] for name in SIZES}
    total, before = Fraction(0), dict.fromkeys(SIZES, Fraction(0))
    for paid in exact_principal(psa):
        total += paid
        first = Fraction(0)
        for name, size in SIZES.items():
            got = min(max(total - first, Fraction(0)), Fraction(size))
            found[name].append(got - before[name])
            before[name], first = got, first + size
    return found


def accrual(psa: float) -> Lives:
    """C adds its interest; A and B together get principal and that interest."""
    found: Lives = {name: [] for name in SIZES}
    left = {name: Fraction(size) for name, size in SIZES.items()}
    for paid in exact_principal(psa):
        pot = paid
        if left["A"] + left["B"]:
            added = left["C"] * Fraction(COUPON) / 1200
            left["C"] += added
            pot += added
        for name in SIZES:
            part = min(pot, left[name])
            found[name].append(part)
            left[name], pot = left[name] - part, pot - part
        assert pot == 0
    return found


def planned(psa: float) -> Lives:
    """A on a collar of 100 to 250 PSA, with what has fallen behind; B, C and A again get the rest in order."""
    least = [min(pair) for pair in zip(exact_principal(100), exact_principal(250), strict=True)]
    found: Lives = {name: [] for name in SIZES}
    left = {name: Fraction(size) for name, size in SIZES.items()}
    target = left["A"]
    for paid, plan in zip(exact_principal(psa), least, strict=True):
        target = max(target - plan, Fraction(0))
        to_a = min(paid, max(left["A"] - target, Fraction(0)))
        got = {"A": to_a, "B": Fraction(0), "C": Fraction(0)}
        pot = paid - to_a
        for name in "BCA":
            part = min(pot, left[name] - got[name])
            got[name] += part
            pot -= part
        for name in SIZES:
            found[name].append(got[name])
            left[name] -= got[name]
    return found


INTEREST = '[[pay]]\nrule = "interest"\nclasses = [["A", "B", "C"]]\n'
PAYS = {
    "sequential": INTEREST + '[[pay]]\nrule = "sequential"\nclasses = ["A", "B", "C"]\n',
    "accrual": INTEREST + '[[pay]]\nrule = "accretion"\nof = "C"\nclasses = ["A", "B"]\n'
    '[[pay]]\nrule = "sequential"\nclasses = ["A", "B", "C"]\n',
    "planned": INTEREST + '[[pay]]\nrule = "planned"\nclasses = ["A"]\npsa = [100, 250]\n'
    '[[pay]]\nrule = "sequential"\nclasses = ["B", "C", "A"]\n',
}  # fmt: skip


def deal(kind: str) -> deals.Deal:
    classes = "".join(
        f'[[class]]\nname = "{name}"\nbalance = {size}\ncoupon = {COUPON}\n'
        + ('accrual_until = ["A", "B"]\n' if (kind, name) == ("accrual", "C") else "")
        for name, size in SIZES.items()
    )
    return deals.parse(f'[deal]\nname = "{kind}"\n[collateral]\n{POOL}{classes}{PAYS[kind]}', kind)


@pytest.mark.parametrize("psa", [0, 80, 175, 400, 1500])
@pytest.mark.parametrize("exact", [sequential, accrual, planned])
def test_each_month_is_the_exact_one_to_the_cent(exact: Callable[[float], Lives], psa: float) -> None:
    """A month may differ by the rounding of what came before it: a cent or two, a few where interest accrues."""
    run, wanted = at(deal(exact.__name__), psa=psa), exact(psa)
    most = 30 if exact is accrual else 3
    for name, life in run.classes.items():
        gaps = [abs(paid - 100 * due) for paid, due in zip(life.principal, wanted[name], strict=True)]
        assert max(gaps) <= most, (name, float(max(gaps)))
        assert abs(sum(life.principal) - 100 * sum(wanted[name])) <= most


def test_class_c_of_cmo_2_ends_in_month_113() -> None:
    """Floats, no rounding, the waterfall as one pot: two million dollars of C are left after month 112."""
    from poolhouse import cashflows

    frame = cashflows(400e6, 8.125, 7.5, 357, psa=165)
    early, late = 327_000_000.0, 73_000_000.0
    left = []
    for paid in frame["principal"].to_list():
        added = late * 7.5 / 1200
        early, late = early - paid - added, late + added
        left.append(early)
        if early < 0:
            break
    assert len(left) == 113 and left[111] == pytest.approx(2_325_407.72, abs=1)
