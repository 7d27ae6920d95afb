"""Speeds there and back, at their ends, and read again from the factors that they made."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolhouse.valuation import WrongInput, cashflows, speeds

percents = st.floats(0, 99.9)
months = st.integers(1, 480)


@given(percents)
def test_monthly_and_yearly_rates_are_each_others(rate: float) -> None:
    assert float(speeds.smm_to_cpr(speeds.cpr_to_smm(rate))) == pytest.approx(rate, rel=1e-12, abs=1e-14)
    assert float(speeds.mdr_to_cdr(speeds.cdr_to_mdr(rate))) == pytest.approx(rate, rel=1e-12, abs=1e-14)


@given(st.floats(0, 1_600), months)
def test_psa_and_cpr_are_each_others(psa: float, month: int) -> None:
    assert float(speeds.cpr_to_psa(speeds.psa_to_cpr(psa, month), month)) == pytest.approx(psa, rel=1e-12)


@given(st.floats(0, 2_000), months)
def test_sda_and_cdr_are_each_others(sda: float, month: int) -> None:
    assert float(speeds.cdr_to_sda(speeds.sda_to_cdr(sda, month), month)) == pytest.approx(sda, rel=1e-12)


@given(st.floats(0, 2), st.integers(1, 48))
def test_abs_and_smm_are_each_others(speed: float, month: int) -> None:
    assert float(speeds.smm_to_abs(speeds.abs_to_smm(speed, month), month)) == pytest.approx(speed, rel=1e-12)


def test_abs_takes_the_same_share_of_the_first_loans_every_month() -> None:
    left = np.cumprod(1 - speeds.abs_to_smm(2.0, np.arange(1, 50)) / 100)
    assert -np.diff(left, prepend=1.0) == pytest.approx(0.02, rel=1e-12)


def test_the_ends_of_every_scale() -> None:
    assert speeds.cpr_to_smm([0, 100]).tolist() == [0, 100] and speeds.smm_to_cpr([0, 100]).tolist() == [0, 100]
    assert float(speeds.cpr_to_smm(1e-12)) == pytest.approx(1e-12 / 12, rel=1e-11)  # no digit lost
    assert speeds.psa_to_cpr(100, [0, 1, 15, 30, 31, 400]).tolist() == pytest.approx([0.2, 0.2, 3, 6, 6, 6])
    assert float(speeds.psa_to_cpr(3_000, 30)) == 100 and float(speeds.psa_to_smm(3_000, 30)) == 100
    shape = [1, 30, 31, 60, 61, 90, 120, 121, 360]
    assert speeds.sda_to_cdr(100, shape).tolist() == pytest.approx(
        [0.02, 0.6, 0.6, 0.6, 0.5905, 0.315, 0.03, 0.03, 0.03]
    )
    assert float(speeds.abs_to_smm(0, 300)) == 0 and float(speeds.abs_to_smm(5, 30)) == 100


@given(st.floats(1, 1_000), st.integers(0, 60), st.floats(1, 12), st.integers(1, 24))
def test_a_pools_factors_give_its_speed_again(psa: float, age: int, wac: float, span: int) -> None:
    wam = 360 - age
    ends = cashflows(1, wac, wac, wam, age=age, psa=psa)["ending_balance"].to_list()
    balance = float(speeds.amortised_balance(wac, wam, wam - span))
    found = speeds.historical_psa(1.0, ends[span - 1], 1.0, balance, first_month=age + 1, months=span)
    assert found == pytest.approx(psa, rel=1e-6)


def test_payment_and_balance() -> None:
    """What is owed is what the payments left are worth."""
    payment = float(speeds.level_payment(6, 360))
    worth = sum(payment / 1.005**k for k in range(1, 121))
    assert float(speeds.amortised_balance(6, 360, 120)) == pytest.approx(worth, rel=1e-12)
    assert float(speeds.level_payment(0, 360)) == 1 / 360 and float(speeds.amortised_balance(0, 360, 90)) == 0.25


@pytest.mark.parametrize(
    "asked",
    [
        lambda: speeds.cpr_to_smm(100.1), lambda: speeds.cdr_to_mdr(-1), lambda: speeds.psa_to_cpr(-1, 3),
        lambda: speeds.abs_to_smm(101, 3), lambda: speeds.amortised_balance(6, 360, 361),
        lambda: speeds.aggregate_psa(2.0, [1.0], [1], 6), lambda: speeds.smm_to_cpr([1.0, float("nan")]),
    ],
)  # fmt: skip
def test_what_is_no_speed_is_refused(asked: object) -> None:
    with pytest.raises(WrongInput):
        asked()
