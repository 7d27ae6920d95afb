"""Interest rates: today's curve, how it may move, and what mortgages cost where it went.

`curve` is discount factors from par rates; `gaussian` the models of one and two factors, `swaptions` their calibration;
`draws` chance, `paths` what comes of it, with `mortgage_rate` on each; `normal` the distribution they share.
"""

from poolhouse.valuation.rates.curve import Curve, flat, from_par, from_zero
from poolhouse.valuation.rates.gaussian import Gaussian, gaussian2, hull_white
from poolhouse.valuation.rates.mortgage_rate import CurrentCoupon, current_coupon
from poolhouse.valuation.rates.paths import Paths, rate_paths
from poolhouse.valuation.rates.swaptions import Calibration, calibrate, normal_vol_bp, payer_price

__all__ = [
    "Calibration", "CurrentCoupon", "Curve", "Gaussian", "Paths", "calibrate", "current_coupon", "flat", "from_par",
    "from_zero", "gaussian2", "hull_white", "normal_vol_bp", "payer_price", "rate_paths",
]  # fmt: skip
