"""Servicing rights: each part beside what it is by another road."""

from __future__ import annotations

import numpy as np
import pytest
from test_oas import CURVE, PATHS, Refinancing, Steady, paths_of

from poolhouse.valuation import State, Terms, WrongInput, msr, price_at_oas, security, servicing

STATES = {"current": State(96, 60), "30 days": State(3, 250, 0), "90 days": State(1, 1800, 0)}
PLAIN = Terms({"current": State(100, 0)})
FULL = Terms(
    STATES, ancillary=40, escrow=3000, escrow_interest=0.5, payment_days=15, payoff_days=15, payoff_interest_days=15,
    float_margin=-0.25, cost_growth=2.5,
)  # fmt: skip


def test_the_fee_alone_is_an_interest_strip() -> None:
    strip = security(2e8, 7.1, 0.25, 357, age=3, month0=6, delay_days=24, principal=0)
    known = price_at_oas(strip, 400, PATHS, Refinancing())
    of = servicing(2e8, 7.1, 357, fee=0.25, loans=700, terms_of=PLAIN, age=3, month0=6, delay_days=24)
    found = msr(of, PATHS, Refinancing(), spread_bp=400)
    clean = PATHS.settle_days / 360 * 0.25  # a price leaves out the interest accrued before settlement
    assert found.percent == pytest.approx(known.price + clean, rel=1e-9)
    assert found.standard_error == pytest.approx(known.standard_error / 100 * 2e8, rel=1e-6)
    assert found.multiple == pytest.approx(found.percent / 0.25, rel=1e-9)


def test_costs_without_prepayment_by_hand() -> None:
    of = servicing(3e7, 6.0, 120, fee=0.25, loans=100, terms_of=FULL, age=0)
    found = msr(of, PATHS, Steady(0.0), spread_bp=0, risk=False)
    bonds = CURVE.discount(PATHS.times[1:121])
    each = 0.96 * 60 + 0.03 * 250 + 0.01 * 1800
    grown = 1.025 ** (np.arange(120) / 12)
    assert found.parts["cost"] == pytest.approx(-float((100 * each / 12 * grown) @ bonds), rel=1e-9)
    assert found.parts["ancillary"] == pytest.approx(float(100 * 40 / 12 * bonds.sum()), rel=1e-9)
    assert found.parts["payoff_float"] == found.parts["payoff_interest"] == 0


def test_interest_on_what_never_ends_is_a_floating_leg() -> None:
    """One month's interest paid at its end, month after month, is worth 1 today less 1 at the last."""
    paths = paths_of(count=4096, months=120)
    terms = Terms({"current": State(100, 0)}, escrow=1000)
    of = servicing(1e6, 6.0, 120, fee=0.25, loans=1, terms_of=terms, age=0)
    found = msr(of, paths, Steady(0.0), spread_bp=0, risk=False)
    assert found.parts["escrow_float"] == pytest.approx(1000 * (1 - float(CURVE.discount(10))), rel=1e-3)


def test_a_payoff_costs_interest_and_earns_float() -> None:
    """All gone in the first month: 15 days' pass-through interest lost, 15 days' short rate earned."""
    of = servicing(1e6, 6.0, 360, fee=0.25, loans=4, terms_of=FULL, age=0)
    found = msr(of, paths_of(count=64), Steady(1.0), spread_bp=0, risk=False)
    bond = float(CURVE.discount(1 / 12))
    payment = 1e6 * 0.005 / (1 - 1.005**-360)
    left = 1e6 * 1.005 - payment
    assert found.parts["payoff_interest"] == pytest.approx(-left * 0.0575 * 15 / 360 * bond, rel=1e-9)
    short = 12 * (1 / bond - 1) - 0.0025
    assert found.parts["payoff_float"] == pytest.approx(left * short * 15 / 360 * bond, rel=1e-9)
    assert found.parts["payment_float"] == pytest.approx(payment * short * 15 / 360 * bond, rel=1e-9)
    assert found.parts["escrow_float"] == pytest.approx(4 * 3000 * (short - 0.005) / 12 * bond, rel=1e-9)


def test_servicing_gains_when_rates_rise() -> None:
    of = servicing([1e8, 2e8], [6.6, 7.4], [340, 357], fee=0.25, loans=[350, 600], terms_of=FULL, age=[20, 3], month0=6)
    found = msr(of, PATHS, Refinancing(), spread_bp=500)
    assert sum(found.parts.values()) == pytest.approx(found.value, rel=1e-12)
    assert 2 < found.multiple < 8
    assert found.effective_duration is not None and found.prepayment_duration is not None
    assert found.effective_duration < -5
    assert found.prepayment_duration > 0
    assert found.parts["cost"] < 0 < found.parts["fee"]
    alone = [
        msr(
            servicing(b, w, t, fee=0.25, loans=n, terms_of=FULL, age=a, month0=6), PATHS, Refinancing(), spread_bp=500,
            risk=False,
        ).value
        for b, w, t, n, a in ((1e8, 6.6, 340, 350, 20), (2e8, 7.4, 357, 600, 3))
    ]  # fmt: skip
    assert sum(alone) == pytest.approx(found.value, rel=1e-12)


def test_a_strip_that_costs_more_than_it_brings_has_no_duration() -> None:
    costly = Terms({"current": State(100, 2000)})
    found = msr(servicing(1e6, 6.0, 120, fee=0.25, loans=10, terms_of=costly, age=0), PATHS, Steady(0.01), spread_bp=0)
    assert found.value < 0
    assert found.effective_duration is None


def test_terms_that_can_not_be_meant_are_refused() -> None:
    with pytest.raises(WrongInput, match="99% together"):
        Terms({"current": State(99, 60)})
    with pytest.raises(WrongInput, match="escrow"):
        Terms({"current": State(100, 60)}, escrow=-1)
    with pytest.raises(WrongInput, match="fee"):
        servicing(1e6, 6.0, 120, fee=0, loans=10, terms_of=PLAIN)
    with pytest.raises(WrongInput, match="coupon"):
        servicing(1e6, 6.0, 120, fee=7, loans=10, terms_of=PLAIN)
