"""Prices and yields there and back, at the edges, and beside QuantLib's."""

from __future__ import annotations

import numpy as np
import pytest
import QuantLib as ql
from hypothesis import given, settings
from hypothesis import strategies as st

from poolhouse import valuation
from poolhouse.valuation import WrongInput, returns, yields

POOL = {"balance": 1e6, "wac": 6.5, "coupon": 6.0, "wam": 360, "age": 0}


def two() -> yields.Flows:
    return yields.pool_flows([1e6, 2e6], 6.5, 6.0, 360, psa=150)


@settings(max_examples=200, deadline=None)
@given(
    rate=st.floats(-60, 200), cpr=st.one_of(st.sampled_from([0.0, 100.0]), st.floats(0, 100)), wam=st.integers(1, 480),
    delay=st.integers(0, 75), settle=st.integers(0, 29), wac=st.floats(0, 20),
)  # fmt: skip
def test_the_yield_of_a_yields_price_is_that_yield(
    rate: float, cpr: float, wam: int, delay: int, settle: int, wac: float
) -> None:
    of = yields.pool_flows(100, wac, wac, wam, age=0, cpr=cpr, delay_days=delay, settle_days=settle)
    price = valuation.price(of, rate)
    if float(of.settled(price)) > 1e-12:
        assert float(valuation.bond_equivalent_yield(of, price)) == pytest.approx(rate, rel=1e-9, abs=1e-9)


def test_a_yield_almost_without_bound() -> None:
    """Paid within two days at a cent per 100: durations are nothing. Within one, no number holds the yield."""
    of = yields.pool_flows(1e6, 5, 4, 1, cpr=0, settle_days=28)
    rate = valuation.bond_equivalent_yield(of, 0.01)
    with np.errstate(all="raise", under="ignore"):
        assert valuation.modified_duration(of, rate) < 1e-150 and valuation.convexity(of, rate) < 1e-300
    with pytest.raises(WrongInput, match="larger than numbers go"):
        valuation.bond_equivalent_yield(yields.pool_flows(1e6, 0, 0, 1, cpr=0, settle_days=29), 0.01)


def test_a_yield_so_low_that_the_price_is_no_number_is_refused() -> None:
    """Near -200% a value after 30 years has more digits than a number holds: no warning, no infinite price."""
    of = yields.pool_flows(**POOL, psa=100)
    with np.errstate(all="raise", under="ignore"), pytest.raises(WrongInput, match=r"-199\.999 has a price larger"):
        valuation.price(of, -199.999)
    assert np.isfinite(valuation.price(of, -150.0))


def test_too_many_pools_at_once_are_refused() -> None:
    with pytest.raises(WrongInput, match="ask in parts"):
        yields.pool_flows(np.ones(60_000), 6, 5, 360, psa=100)
    with pytest.raises(WrongInput, match="rows are too many"):
        valuation.cashflows(np.ones(500_000), 6, 5, 360, psa=100, rows=True)


def test_arrays_are_their_elements() -> None:
    """Many yields of one security, many securities, and both at once."""
    one = yields.pool_flows(**POOL, psa=150, delay_days=24)
    prices = np.array([80.0, 100.0, 120.0, 300.0])
    rates = valuation.bond_equivalent_yield(one, prices)
    assert rates.tolist() == [float(valuation.bond_equivalent_yield(one, p)) for p in prices]
    assert valuation.price(one, rates) == pytest.approx(prices, rel=1e-12)
    many = yields.pool_flows(
        np.full(4, 1e6), 6.5, [6.0, 5.5, 0.0, 6.5], [360, 180, 12, 1], age=0,
        cpr=[[0.0], [6.0], [100.0], [50.0]], delay_days=24, settle_days=11,
    )  # fmt: skip
    each = valuation.bond_equivalent_yield(many, prices)
    for row in range(4):
        own = yields.pool_flows(
            1e6, 6.5, [6.0, 5.5, 0.0, 6.5][row], [360, 180, 12, 1][row], age=0, cpr=[0.0, 6.0, 100.0, 50.0][row],
            delay_days=24, settle_days=11,
        )  # fmt: skip
        assert float(each[row]) == pytest.approx(float(valuation.bond_equivalent_yield(own, prices[row])), rel=1e-12)
        assert float(valuation.wal(many)[row]) == pytest.approx(float(valuation.wal(own)), rel=1e-13)
        for measure in (valuation.macaulay_duration, valuation.modified_duration, valuation.convexity):
            assert float(measure(many, each)[row]) == pytest.approx(float(measure(own, each[row])), rel=1e-12)


def test_a_yield_depends_on_no_other_asked_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Solved in parts, and each row stops by itself: the last bit is the same, and so few steps are taken."""
    one = yields.pool_flows(**POOL, psa=150, delay_days=24)
    prices = np.linspace(1, 300, 997)
    steps = []
    counted = yields._logarithm

    def logarithm(amounts: np.ndarray, *others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        steps.append(len(amounts))
        return counted(amounts, *others)

    monkeypatch.setattr(yields, "_logarithm", logarithm)
    together = valuation.bond_equivalent_yield(one, prices)
    assert sum(steps) < 9 * len(prices)
    monkeypatch.setattr(yields, "_CELLS", 360 * 10)
    assert valuation.bond_equivalent_yield(one, prices).tolist() == together.tolist()
    assert [float(valuation.bond_equivalent_yield(one, p)) for p in prices[::100]] == together[::100].tolist()


def test_one_security_settled_on_several_days() -> None:
    days = np.array([0, 12, 29])
    several = yields.pool_flows(**POOL, psa=150, delay_days=24, settle_days=days)
    each = [yields.pool_flows(**POOL, psa=150, delay_days=24, settle_days=int(d)) for d in days]
    rates = valuation.bond_equivalent_yield(several, 101)
    assert rates.tolist() == pytest.approx([float(valuation.bond_equivalent_yield(of, 101)) for of in each], rel=1e-12)
    assert valuation.price(several, rates) == pytest.approx([101] * 3, rel=1e-12)


@pytest.mark.parametrize("cpr", [0.0, 6.0, 60.0, 100.0])
@pytest.mark.parametrize("price", [1.0, 97.5, 104.0, 250.0])
def test_yield_and_durations_are_quantlibs(cpr: float, price: float) -> None:
    """Their zero-coupon flows on a calendar of twelve 30-day months: the same times, so the same numbers."""
    of = yields.pool_flows(**POOL, cpr=cpr, delay_days=24, settle_days=9)
    rate = float(valuation.bond_equivalent_yield(of, price))
    start, counter = ql.Date(10, 1, 2026), ql.Thirty360(ql.Thirty360.BondBasis)
    leg = ql.Leg()
    for k, amount in enumerate(of.cash_flow.tolist()):
        leg.append(ql.SimpleCashFlow(amount, ql.Date(25, 2, 2026) + ql.Period(k, ql.Months)))
    ql.Settings.instance().evaluationDate = start
    rated = (rate / 100, counter, ql.Compounded, ql.Semiannual)
    assert ql.CashFlows.npv(leg, *rated, False, start, start) == pytest.approx(float(of.settled(price)), rel=1e-12)
    for kind, ours in (
        (ql.Duration.Macaulay, valuation.macaulay_duration), (ql.Duration.Modified, valuation.modified_duration),
    ):  # fmt: skip
        found = ql.CashFlows.duration(leg, *rated, kind, False, start, start)
        assert found == pytest.approx(float(ours(of, rate)), rel=1e-10)
    assert ql.CashFlows.convexity(leg, *rated, False, start, start) == pytest.approx(
        float(valuation.convexity(of, rate)), rel=1e-10
    )


def test_effective_measures_of_fixed_flows_are_the_cash_flows_own() -> None:
    of = yields.pool_flows(**POOL, psa=150, delay_days=24)
    found = valuation.effective(lambda by: valuation.price(of, 6 + by), shift=0.01)
    assert float(found.duration) == pytest.approx(float(valuation.modified_duration(of, 6)), rel=1e-6)
    assert float(found.convexity) == pytest.approx(float(valuation.convexity(of, 6)), rel=1e-4)


def test_total_return_to_maturity_at_the_yield_is_the_yield() -> None:
    """SF-51 says so in words."""
    of = yields.pool_flows(**POOL, psa=150, delay_days=24, settle_days=12)
    rate = valuation.bond_equivalent_yield(of, 103)
    held = valuation.total_return(of, 103, 360, reinvestment=rate, exit_yield=rate)
    assert float(held.bond_equivalent) == pytest.approx(float(rate), rel=1e-12)
    sold = valuation.total_return(of, 103, 24, reinvestment=rate, exit_yield=rate)
    assert float(sold.bond_equivalent) == pytest.approx(float(rate), rel=1e-12)


def test_break_even_speed() -> None:
    def at(cpr: float) -> yields.Flows:
        return yields.pool_flows(**POOL, cpr=cpr, delay_days=24)

    speed = valuation.break_even(103, 5.0, at)
    assert float(valuation.bond_equivalent_yield(at(speed), 103)) == pytest.approx(5.0, abs=1e-9)
    with pytest.raises(WrongInput, match="does 103 yield 50%: it is always less"):
        valuation.break_even(103, 50.0, at)
    several = valuation.break_even([103, 104], 5.0, at)
    assert several.tolist() == [float(speed), float(valuation.break_even(104, 5.0, at))]
    assert valuation.bond_equivalent_yield(at(several[1]), 104) == pytest.approx(5.0, abs=1e-9)


def test_a_dollar_roll() -> None:
    """By hand: 5% at 100-16, 1% of principal paid; back at 100-08 thirty days later, both on the 13th."""
    roll = returns.Roll(coupon=5, remaining=0.99, days=31, near_accrued_days=12, far_accrued_days=12, payment_days=12)
    rate = roll.implied_financing(100.5, 100.25)
    proceeds = 100.5 + 5 * 12 / 360
    back = 0.99 * (100.25 + 5 * 12 / 360) + (5 / 12 + 1) / (1 + rate / 100 * 12 / 360)
    assert proceeds * (1 + rate / 100 * 31 / 360) == pytest.approx(back, abs=1e-12)
    assert rate == pytest.approx((100.829167 - 0.00088 - 100.666667) / 100.666667 * 360 / 31 * 100, abs=2e-4)
    assert roll.fair_drop(100.5, rate) == pytest.approx(0.25, abs=1e-12)
    assert roll.fair_drop(100.5, 0) > roll.fair_drop(100.5, 5)
    with pytest.raises(WrongInput):
        roll.implied_financing(100.5, -1)
    rates = roll.implied_financing([100.5, 100.5, 90.0], [100.25, 100.0, 100.25])
    assert rates[0] == rate < rates[2] and rates[1] < rate
    assert roll.fair_drop(100.5, rates[:2]) == pytest.approx([0.25, 0.5], abs=1e-12)


def test_a_roll_paid_at_once_or_bought_back_dearer() -> None:
    """No days to the payment: a straight line. Bought back far dearer: the quadratic's slope is negative."""
    plain = returns.Roll(coupon=6, remaining=0.5, days=30, near_accrued_days=0, far_accrued_days=0, payment_days=0)
    assert float(plain.implied_financing(100, 102)) == pytest.approx((0.5 * 102 + 50.5 - 100) / 100 * 1200, rel=1e-12)
    dear = returns.Roll(coupon=6, remaining=1, days=1, near_accrued_days=0, far_accrued_days=0, payment_days=300)
    rate = float(dear.implied_financing(100, 150)) / 36_000
    assert 100 * (1 + rate) == pytest.approx(150 + 0.5 / (1 + 300 * rate), rel=1e-12)
    with pytest.raises(WrongInput, match="days 0 must not be below 1"):
        returns.Roll(6, 0.5, 0, 0, 0, 0).implied_financing(100, 100)
    with pytest.raises(WrongInput, match=r"near_price one, far_price one, coupon .2,., remaining .3,."):
        returns.Roll([6, 5], [0.5] * 3, 30, 0, 0, 0).implied_financing(100, 100)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda of: valuation.bond_equivalent_yield(of, 0), "price with accrued interest 0 must be above 0"),
        (lambda of: valuation.bond_equivalent_yield(of, float("nan")), "finite"),
        (lambda of: valuation.price(of, -200), "above -200"),
        (lambda of: valuation.total_return(of, 100, 361, reinvestment=5, exit_yield=5), "horizon 361"),
        (lambda of: valuation.total_return(of, 100, 12, reinvestment=5), "exit yield or an exit price"),
        (lambda of: yields.flows([1.0], [1.0], 1, 5, settle_days=40), "too late"),
        (lambda of: yields.flows([-1.0], [1.0], 1, 5), "below 0"),
        (lambda of: valuation.wal(yields.flows([1.0], [0.0], 1, 5)), "no average life"),
        (lambda of: valuation.actual_delay_days("fnma"), "one of umbs"),
        (lambda of: valuation.discount_margin(100, [50, 60], [1, 1], 5), "rise"),
        (lambda of: valuation.discount_margin(100, [50, 60], [1, 2], [5, 5, 5]), "of one length"),
        (lambda of: valuation.discount_margin([99, 100], [[50, 60]] * 3, [1, 2], 5), "of one length"),
        (lambda of: valuation.yield_spread(5, -1200), "index -1200 must be above"),
        (lambda of: valuation.settlement_cost([1, 2], [1, 1, 1], 100, 5, 0), "of one length"),
        (lambda of: valuation.price(two(), [1, 2, 3]), "shape .3,. for"),
        (lambda of: valuation.bond_equivalent_yield(two(), [100, 101, 102]), "shape .3,. for securities of .2,."),
        (lambda of: valuation.convexity(yields.pool_flows(0, 5, 5, 12), 5), "cash flow in all 0"),
        (lambda of: valuation.macaulay_duration(yields.pool_flows([1, 0], 5, 5, 12), 5), "place 2 must be above 0"),
        (lambda of: valuation.total_return(of, -1, 12, reinvestment=5, exit_yield=5), "paid -10000 must be above 0"),
        (lambda of: valuation.total_return(of, 100, 12.5, reinvestment=5, exit_yield=5), "whole months"),
        (lambda of: valuation.total_return(of, [1, 2, 3], 12, reinvestment=[5, 5], exit_yield=5), "as many as each"),
        (lambda of: valuation.effective(lambda by: 100.0, 0), "shift 0"),
        (lambda of: valuation.effective(lambda by: 0.0), "price 0 must not be 0"),
    ],
)
def test_what_has_no_answer_is_refused(act: object, message: str) -> None:
    with pytest.raises(WrongInput, match=message):
        act(yields.pool_flows(**POOL, psa=100))
