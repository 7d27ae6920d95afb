"""QuantLib on a calendar of twelve 30-day months: its times are then ours, so its numbers must be."""

from __future__ import annotations

import QuantLib as ql

from poolhouse.valuation.rates import Curve

TODAY = ql.Date(1, 1, 2026)
COUNTER = ql.Thirty360(ql.Thirty360.BondBasis)
YEARS, RATES = [1, 2, 3, 5, 7, 10, 20, 30], [5.0, 4.6, 4.4, 4.2, 4.2, 4.1, 4.4, 4.3]
"""A curve that falls and rises again: par swap rates in percent."""


def their_factors(ours: Curve, step: str = "1Y", last: int = 60) -> ql.DiscountCurve:
    """The same discount factors at so many equal steps, log-linear between."""
    ql.Settings.instance().evaluationDate = TODAY
    dates = [TODAY + n * ql.Period(step) for n in range(last + 1)]
    return ql.DiscountCurve(dates, [float(ours.discount(COUNTER.yearFraction(TODAY, one))) for one in dates], COUNTER)


def their_curve(ours: Curve) -> ql.YieldTermStructureHandle:
    """For models: a factor a year."""
    return ql.YieldTermStructureHandle(their_factors(ours))


def index(curve: ql.YieldTermStructureHandle) -> ql.IborIndex:
    """A yearly rate that this curve projects."""
    return ql.IborIndex(
        "year", ql.Period("1Y"), 0, ql.USDCurrency(), ql.NullCalendar(), ql.Unadjusted, False, COUNTER, curve
    )


def payer_swaption(curve: ql.YieldTermStructureHandle, expiry: int, tenor: int, rate: float) -> ql.Swaption:
    """The right to pay a yearly rate in percent."""
    start = TODAY + ql.Period(expiry, ql.Years)
    dates = ql.Schedule(
        start, start + ql.Period(tenor, ql.Years), ql.Period("1Y"), ql.NullCalendar(), ql.Unadjusted, ql.Unadjusted,
        ql.DateGeneration.Forward, False,
    )  # fmt: skip
    swap = ql.VanillaSwap(ql.VanillaSwap.Payer, 1.0, dates, rate / 100, COUNTER, dates, index(curve), 0.0, COUNTER)
    return ql.Swaption(swap, ql.EuropeanExercise(start))
