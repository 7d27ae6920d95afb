"""Swaptions of both models and their calibration, beside QuantLib's engines."""

from __future__ import annotations

import numpy as np
import pytest
import QuantLib as ql
from quantlib_curves import COUNTER, RATES, YEARS, index, payer_swaption, their_curve

from poolhouse.valuation import WrongInput
from poolhouse.valuation.rates import calibrate, from_par, gaussian2, hull_white, normal_vol_bp, payer_price

CURVE = from_par(YEARS, RATES, per_year=1)
EXPIRIES = [1, 1, 1, 2, 2, 5, 5, 5, 10, 10, 3]
TENORS = [1, 5, 10, 2, 10, 2, 5, 10, 5, 10, 30]
TWO = gaussian2((0.5, 0.03), (1.2, 0.9), -0.7)


@pytest.mark.parametrize("off", [-1.0, 0.0, 0.3])
@pytest.mark.parametrize(("expiry", "tenor"), [(2, 5), (5, 10), (10, 20)])
def test_swaptions_are_quantlibs(expiry: int, tenor: int, off: float) -> None:
    """Jamshidian's formula for one factor, Brigo and Mercurio's integral for two."""
    rate = CURVE.forward_par(expiry, tenor, 1) + off
    theirs, curve = payer_swaption(handle := their_curve(CURVE), expiry, tenor, rate), CURVE
    theirs.setPricingEngine(ql.JamshidianSwaptionEngine(ql.HullWhite(handle, 0.05, 0.009)))
    assert payer_price(curve, hull_white(0.05, 0.9), expiry, tenor, rate) == pytest.approx(theirs.NPV(), rel=1e-6)
    theirs.setPricingEngine(ql.G2SwaptionEngine(ql.G2(handle, 0.5, 0.012, 0.03, 0.009, -0.7), 8.0, 512))
    assert payer_price(curve, TWO, expiry, tenor, rate) == pytest.approx(theirs.NPV(), rel=1e-8)


def test_a_bond_of_a_state_is_quantlibs() -> None:
    """ln P(t, T) where the factor is x: theirs wants the short rate, x + forward + convexity."""
    handle, model = their_curve(CURVE), hull_white(0.05, 0.9)
    theirs = ql.HullWhite(handle, 0.05, 0.009)
    start, years, state = 4.0, 10.0, 0.013
    convexity = 0.009**2 / 2 * float(model.loading(start)[0]) ** 2
    short = state + handle.forwardRate(start, start, ql.Continuous).rate() + convexity
    ours = CURVE.log_discount(start + years) - CURVE.log_discount(start) + model.bond_shift(start, years)
    ours = ours - float(model.loading(years)[0]) * state
    assert float(np.exp(ours)) == pytest.approx(theirs.discountBond(start, start + years, short), rel=1e-5)


@pytest.mark.parametrize("model", [hull_white(0.06, 0.85), TWO])
def test_a_models_own_vols_give_the_model_back(model: object) -> None:
    vols = normal_vol_bp(CURVE, model, EXPIRIES, TENORS)  # type: ignore[arg-type]
    table = {"expiry_years": EXPIRIES, "tenor_years": TENORS, "volatility_bp": vols}
    found = calibrate(CURVE, table, factors=model.factors)  # type: ignore[attr-defined]
    assert found.rmse_bp < 1e-6
    assert found.model.reversion == pytest.approx(model.reversion, rel=1e-5)  # type: ignore[attr-defined]
    assert found.model.volatility == pytest.approx(model.volatility, rel=1e-5)  # type: ignore[attr-defined]
    assert found.model.correlation == pytest.approx(model.correlation, rel=1e-5)  # type: ignore[attr-defined]


def test_the_nearest_one_factor_model_is_quantlibs() -> None:
    """Vols no one-factor model has: both must find the same least squares."""
    vols = np.array([85.0, 96, 93, 94, 92, 90, 88, 84, 80, 76, 70])
    ours = calibrate(CURVE, {"expiry_years": EXPIRIES, "tenor_years": TENORS, "volatility_bp": vols})
    handle = their_curve(CURVE)
    theirs = ql.HullWhite(handle, 0.03, 0.008)
    helpers = []
    for expiry, tenor, vol in zip(EXPIRIES, TENORS, vols.tolist(), strict=True):
        helper = ql.SwaptionHelper(
            ql.Period(expiry, ql.Years), ql.Period(tenor, ql.Years), ql.QuoteHandle(ql.SimpleQuote(vol / 1e4)),
            index(handle), ql.Period("1Y"), COUNTER, COUNTER, handle, ql.BlackCalibrationHelper.ImpliedVolError,
            ql.nullDouble(), 1.0, ql.Normal, 0.0,
        )  # fmt: skip
        helper.setPricingEngine(ql.JamshidianSwaptionEngine(theirs))
        helpers.append(helper)
    theirs.calibrate(helpers, ql.LevenbergMarquardt(), ql.EndCriteria(2000, 200, 1e-12, 1e-12, 1e-12))
    reversion, volatility = theirs.params()
    assert ours.model.reversion[0] == pytest.approx(reversion, rel=2e-3)
    assert ours.model.volatility[0] == pytest.approx(100 * volatility, rel=1e-3)
    two = calibrate(CURVE, {"expiry_years": EXPIRIES, "tenor_years": TENORS, "volatility_bp": vols}, factors=2)
    assert two.rmse_bp < ours.rmse_bp
    assert two.table["difference_bp"].to_list() == pytest.approx((two.table["model_bp"] - vols).to_list())


def test_what_can_not_be_calibrated_is_refused() -> None:
    with pytest.raises(WrongInput, match="lacks volatility_bp"):
        calibrate(CURVE, {"expiry_years": [1], "tenor_years": [1]})
    with pytest.raises(WrongInput, match="give 5 or more"):
        calibrate(CURVE, {"expiry_years": [1, 2], "tenor_years": [1, 2], "volatility_bp": [80, 80]}, factors=2)
    with pytest.raises(WrongInput, match="volatility_bp"):
        calibrate(CURVE, {"expiry_years": [1, 2], "tenor_years": [1, 2], "volatility_bp": [80, 0]})
    for gap in (None, float("nan")):
        with pytest.raises(WrongInput, match="volatility_bp nan at place 2"):
            calibrate(CURVE, {"expiry_years": [1, 2, 5], "tenor_years": [1, 2, 5], "volatility_bp": [80, gap, 70]})
    with pytest.raises(WrongInput, match=r"of one length: .* volatility_bp 2"):
        calibrate(CURVE, {"expiry_years": [1, 2, 5], "tenor_years": [1, 2, 5], "volatility_bp": [80, 70]})
    with pytest.raises(WrongInput, match="reversion"):
        hull_white(0.0, 0.9)
    with pytest.raises(WrongInput, match="one factor only"):
        gaussian2((0.5, 0.03), (1, 1), -1.0)
    with pytest.raises(WrongInput, match="whole number of coupons"):
        normal_vol_bp(CURVE, TWO, 1, 2.5)
