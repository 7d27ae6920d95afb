"""Paths of rates: bonds exactly, options within their error, chance that is what it says."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest
import QuantLib as ql
from quantlib_curves import RATES, YEARS, their_curve

from poolhouse.valuation import WrongInput
from poolhouse.valuation.rates import (
    CurrentCoupon,
    Gaussian,
    Paths,
    current_coupon,
    draws,
    from_par,
    gaussian2,
    hull_white,
    normal,
    rate_paths,
)

CURVE = from_par(YEARS, RATES, per_year=1)
COUPON = current_coupon(CURVE, 6.8)
ONE, TWO = hull_white(0.05, 0.9), gaussian2((0.5, 0.03), (1.2, 0.9), -0.7)
METHODS = pytest.mark.parametrize("method", ["antithetic", "sobol"])
MODELS = pytest.mark.parametrize("model", [ONE, TWO, hull_white(1e-4, 1.0), gaussian2((9, 0.2), (5, 1), 0.9)])


def paths_of(model: Gaussian, method: str = "sobol", **more: float) -> Paths:
    given = {"count": 1024, "months": 360} | more
    return rate_paths(CURVE, model, COUPON, method=method, **given)  # type: ignore[arg-type]


def test_the_sequence_is_quantlibs() -> None:
    theirs = ql.SobolRsg(128, 0, ql.SobolRsg.JoeKuoD6)
    rows = np.array([theirs.nextSequence().value() for _ in range(255)])
    assert (rows == draws.points(256)[:, 1:].T * 2.0**-32).all()


def test_normal_values_and_shares() -> None:
    shares = np.array([1e-300, 1e-20, 1e-6, 0.01, 0.0749, 0.0751, 0.3, 0.5, 0.8, 0.93, 1 - 1e-12])
    known = [NormalDist().inv_cdf(share) for share in shares.tolist()]
    assert normal.value_at(shares) == pytest.approx(known, rel=1e-14, abs=1e-15)
    assert normal.below(np.array(known)) == pytest.approx(shares, rel=1e-12)


@METHODS
@MODELS
def test_every_discount_bond_is_the_curves(model: Gaussian, method: str) -> None:
    """After matching exactly; before it within the error of chance, at every month and delay."""
    paths = paths_of(model, method, settle_days=11)
    assert paths.times[1] == pytest.approx(19 / 360)
    for delay in (0, 24, 54):
        bonds = CURVE.discount(paths.times[1:] + delay / 360)
        assert paths.discount(delay).mean(axis=1) == pytest.approx(bonds, rel=1e-14)
    grown = np.exp(paths.earned[1:])
    by_group = np.stack([grown[:, paths.group == g].mean(axis=1) for g in np.unique(paths.group)])
    error = by_group.std(axis=0, ddof=1) / np.sqrt(len(by_group))
    assert (np.abs(grown.mean(axis=1) - 1) <= 6 * error + 1e-12).all()


@METHODS
@MODELS
def test_the_factors_spread_is_the_models(model: Gaussian, method: str) -> None:
    paths = paths_of(model, method, count=4096, months=120)
    for month in (1, 7, 60, 120):
        known = model.state_covariance(float(paths.times[month]))
        found = paths.states[:, month] @ paths.states[:, month].T / paths.count
        root = np.sqrt(np.outer(np.diag(known), np.diag(known)))
        assert np.abs(found - known) / root == pytest.approx(np.zeros(known.shape), abs=6 * np.sqrt(2 / 4096))


@pytest.mark.parametrize("model", [ONE, TWO])
def test_an_option_on_a_bond_is_quantlibs_formula(model: Gaussian) -> None:
    """E[discount x max(bond - strike, 0)]: factors, their integral and bonds of a state together."""
    handle = their_curve(CURVE)
    theirs = ql.HullWhite(handle, 0.05, 0.009) if model is ONE else ql.G2(handle, 0.5, 0.012, 0.03, 0.009, -0.7)
    paths = paths_of(model, "sobol", count=8192, months=60)
    start, years = 5.0, 10.0
    strike = float(CURVE.discount(start + years) / CURVE.discount(start))
    bonds = np.exp(
        CURVE.log_discount(start + years) - CURVE.log_discount(start) + model.bond_shift(start, years)
        - model.loading(years) @ paths.states[:, 60]
    )  # fmt: skip
    paid = paths.discount(0)[59] * np.maximum(bonds - strike, 0)
    groups = np.bincount(paths.group, paid) / np.bincount(paths.group)
    error = groups.std(ddof=1) / np.sqrt(len(groups))
    known = theirs.discountBondOption(ql.Option.Call, strike, start, start + years)
    assert error < 0.005 * known
    assert abs(paid.mean() - known) < 4 * error + 1e-5 * known


def test_mortgage_rates_are_a_spread_over_each_states_own_par_rates() -> None:
    paths = paths_of(TWO, months=120)
    assert paths.mortgage[0] == pytest.approx(np.full(paths.count, 6.8), abs=1e-12)
    month, path = 77, 5
    start, state = float(paths.times[month]), paths.states[:, month, path]
    ahead = np.arange(1, 21) / 2
    bonds = [
        np.exp(
            CURVE.log_discount(start + n) - CURVE.log_discount(start) + TWO.bond_shift(start, n)
            - TWO.loading(n) @ state
        )
        for n in ahead
    ]  # fmt: skip
    par = 200 * (1 - bonds[-1]) / sum(bonds)
    assert paths.mortgage[month, path] == pytest.approx(COUPON.spread + par, abs=1e-10)
    forward = [CURVE.forward_par(float(t), 10) + COUPON.spread for t in paths.times[:-1]]
    assert paths.still.mortgage[:, 0] == pytest.approx(forward, abs=1e-10)
    mixed = current_coupon(CURVE, 6.8, {2.0: 0.3, 10.0: 0.7})
    assert mixed.spread == pytest.approx(6.8 - 0.3 * CURVE.par(2) - 0.7 * CURVE.par(10))
    assert paths.moved(coupon=mixed).mortgage[0] == pytest.approx(np.full(paths.count, 6.8), abs=1e-12)


def test_a_moved_curve_keeps_the_chance() -> None:
    paths = paths_of(TWO, months=120)
    moved = paths.moved(paths.curve.shifted(0.5))
    assert moved.states is paths.states
    dearer = paths.moved(coupon=paths.coupon.shifted(0.25))
    assert dearer.discount(24) is paths.discount(24)
    assert dearer.mortgage == pytest.approx(paths.mortgage + 0.25, abs=1e-12)
    assert moved.discount(24).mean(axis=1) == pytest.approx(moved.curve.discount(moved.times[1:] + 24 / 360))
    assert (moved.mortgage - paths.mortgage).mean() == pytest.approx(0.5, abs=0.02)


@METHODS
def test_the_same_seed_is_the_same_chance(method: str) -> None:
    first, again = (paths_of(TWO, method, months=24, count=64, seed=3) for _ in range(2))
    other = paths_of(TWO, method, months=24, count=64, seed=4)
    assert (first.states == again.states).all()
    assert not (first.states[:, 1:] == other.states[:, 1:]).any()
    assert first.states[:, 24].mean() == pytest.approx(0, abs=1e-3)


def test_what_can_not_be_walked_is_refused() -> None:
    for count, method, word in (
        (5, "antithetic", "even"), (2, "antithetic", "4 at least"), (100, "sobol", "multiple of 8"),
        (9, "x", "unknown"),
    ):  # fmt: skip
        with pytest.raises(WrongInput, match=word):
            rate_paths(CURVE, ONE, COUPON, count=count, method=method)
    for count in (2_000_000, 16.5):
        with pytest.raises(WrongInput, match="ask for fewer"):
            rate_paths(CURVE, ONE, COUPON, count=count)  # type: ignore[arg-type]
    with pytest.raises(WrongInput, match="settle_days"):
        rate_paths(CURVE, ONE, COUPON, settle_days=30)
    with pytest.raises(WrongInput, match="add up to 1"):
        CurrentCoupon(1.7, {2.0: 0.5, 10.0: 0.6})


@MODELS
@METHODS
def test_louder_paths_are_those_of_the_louder_model(model: Gaussian, method: str) -> None:
    made = paths_of(model, method, count=256, settle_days=12).louder(1.1)
    louder = Gaussian(model.reversion, tuple(1.1 * v for v in model.volatility), model.correlation)
    wanted = paths_of(louder, method, count=256, settle_days=12)
    assert made.states == pytest.approx(wanted.states, rel=1e-9, abs=1e-12)
    assert made.earned == pytest.approx(wanted.earned, rel=1e-9, abs=1e-12)
    assert made.discount(24) == pytest.approx(wanted.discount(24), rel=1e-9)
    assert made.mortgage == pytest.approx(wanted.mortgage, rel=1e-9)
    with pytest.raises(WrongInput, match="by"):
        made.louder(-1)
