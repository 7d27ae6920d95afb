"""OAS: exact where nothing is uncertain, beside a closed form where something is, and its error what it says."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pytest
import QuantLib as ql
from quantlib_curves import TODAY, their_factors

from poolhouse import valuation
from poolhouse.valuation import WrongInput, pool_flows, price_at_oas, security
from poolhouse.valuation.oas import moved_paths, oas, oas_table
from poolhouse.valuation.path_values import worth
from poolhouse.valuation.rates import Paths, current_coupon, flat, from_par, gaussian2, hull_white, normal, rate_paths

Array = npt.NDArray[np.float64]
CURVE = from_par([1, 2, 5, 10, 30], [5.0, 4.6, 4.2, 4.1, 4.3], per_year=1)
TWO = gaussian2((0.5, 0.03), (1.2, 0.9), -0.7)


class Refinancing:
    """A ramp of age and an arctangent of the rate a loan pays over a new one's."""

    def smm(self, rates: Array, wac: float, age: int, month0: int) -> Array:
        ramp = np.minimum((age + np.arange(rates.shape[1]) + 1) / 30, 1)
        return 1 - (1 - ramp * (0.06 + 0.3 * (0.5 + np.arctan(3 * (wac - rates - 0.6)) / np.pi))) ** (1 / 12)


@dataclass(frozen=True)
class Steady:
    """The same share every month."""

    share: float

    def smm(self, rates: Array, wac: float, age: int, month0: int) -> Array:
        return np.full(rates.shape, self.share)


@dataclass
class Once:
    """All is prepaid in one month where the rate is then below a strike, else nothing ever."""

    month: int
    strike: float
    seen: list[tuple[float, int, int]] = field(default_factory=list)

    def smm(self, rates: Array, wac: float, age: int, month0: int) -> Array:
        self.seen.append((wac, age, month0))
        found = np.zeros(rates.shape)
        found[:, self.month] = rates[:, self.month] < self.strike
        return found


def paths_of(curve: object = CURVE, model: object = TWO, **more: object) -> Paths:
    given = {"count": 512, "method": "sobol"} | more
    return rate_paths(curve, model, current_coupon(curve, 6.8), **given)  # type: ignore[arg-type]


PATHS = paths_of(settle_days=12)
POOL = security(1e6, 7.1, 6.5, 357, age=3, month0=6, delay_days=24)


def test_without_an_option_there_is_no_cost_and_no_error() -> None:
    found = oas(POOL, 101.5, PATHS, Steady(0.01))
    assert found.option_cost_bp == pytest.approx(0, abs=1e-7)
    assert found.standard_error_bp == pytest.approx(0, abs=1e-7)
    of = pool_flows(1e6, 7.1, 6.5, 357, age=3, smm=1.0, delay_days=24, settle_days=12)
    spread = np.exp(-found.oas_bp / 1e4 * of.times)
    value = float(of.cash_flow @ (CURVE.discount(of.times) * spread))
    assert value == pytest.approx(float(of.settled(101.5)), rel=1e-12)
    assert found.prepayment_duration is not None
    assert found.mortgage_spread_duration == pytest.approx(0, abs=1e-12)


def test_the_spread_of_known_flows_is_quantlibs() -> None:
    of = pool_flows(100, 6.5, 6.0, 360, age=0, psa=165, delay_days=24)
    theirs, leg = their_factors(CURVE, "1M", 372), ql.Leg()
    for month, amount in enumerate(of.cash_flow.tolist()):
        leg.append(ql.SimpleCashFlow(amount, ql.Date(25, 2, 2026) + ql.Period(month, ql.Months)))
    prices = np.array([92.0, 100.0, 108.0])
    handle = ql.YieldTermStructureHandle(theirs)
    for price, spread in zip(prices, valuation.z_spread(of, prices, CURVE) / 1e4, strict=True):
        quote = ql.QuoteHandle(ql.SimpleQuote(float(spread)))
        moved = ql.YieldTermStructureHandle(ql.ZeroSpreadedTermStructure(handle, quote, ql.Continuous))
        assert ql.CashFlows.npv(leg, moved, False, TODAY, TODAY) == pytest.approx(price, rel=1e-10)


def test_on_a_flat_curve_effective_measures_are_the_yields_own() -> None:
    """Bond-equivalent zero rates move as a bond-equivalent yield does."""
    of = pool_flows(1e6, 7.1, 6.5, 357, age=3, smm=1.0, delay_days=24, settle_days=12)
    price = float(valuation.price(of, 6.0))
    paths = paths_of(flat(6.0), count=64, settle_days=12)
    found = oas(POOL, price, paths, Steady(0.01), moved=moved_paths(paths, 0.01))
    assert found.oas_bp == pytest.approx(0, abs=1e-8)
    assert found.z_spread_bp == pytest.approx(0, abs=1e-8)
    assert found.effective_duration == pytest.approx(float(valuation.modified_duration(of, 6.0)), rel=1e-5)
    assert found.effective_convexity == pytest.approx(float(valuation.convexity(of, 6.0)), rel=1e-4)
    assert found.key_rate_durations
    assert sum(found.key_rate_durations.values()) == pytest.approx(found.effective_duration, rel=1e-6)
    slower, faster = (
        float(valuation.pool_flows(1e6, 7.1, 6.5, 357, age=3, smm=smm, delay_days=24).cash_flow.sum())
        for smm in (0.9, 1.1)
    )
    assert slower > faster
    assert found.spread_duration == pytest.approx(float(valuation.macaulay_duration(of, 6.0)), rel=1e-9)


@pytest.mark.parametrize("strike", [5.5, 6.8, 8.0])
def test_a_single_chance_to_prepay_is_its_closed_form(strike: float) -> None:
    """Each payment after it is worth its bond times the chance, under that bond's own measure, that rates are high."""
    model, month, wam = hull_white(0.05, 0.9), 60, 240
    paths = paths_of(model=model, count=8192, months=wam)
    rule = Once(month, strike)
    of = security(100, 7.0, 6.0, wam, age=7, month0=4, delay_days=24)
    found = price_at_oas(of, 0, paths, rule)
    assert set(rule.seen) == {(7.0, 7, 4)}
    at = float(paths.times[month])
    low, high = -0.2, 0.2
    for _ in range(100):
        state = (low + high) / 2
        rate = float(paths.coupon.rates(CURVE, model, np.array([at]), np.full((1, 1, 1), state))[0, 0])
        low, high = (state, high) if rate < strike else (low, state)
    flows = pool_flows(100, 7.0, 6.0, wam, age=7, smm=0.0, delay_days=24)
    nodes, weights = np.polynomial.legendre.leggauss(64)
    s, weights = (nodes + 1) / 2 * at, weights / 2 * at
    bonds = CURVE.discount(flows.times)
    decay = np.exp(-0.05 * (at - s))
    mean = -(0.009**2) * (weights * decay * -np.expm1(-0.05 * (flows.times[:, None] - s)) / 0.05).sum(axis=1)
    deviation = 0.009 * np.sqrt((weights * decay**2).sum())
    above = normal.below((mean - state) / deviation)
    kept = np.where(np.arange(wam) > month, above, 1.0)
    value = float((flows.cash_flow * bonds * kept).sum())
    value += float(flows.remaining[month] * bonds[month] * (1 - above[month]))
    assert found.standard_error < 0.05
    assert abs(found.price - value) < 4 * found.standard_error + 1e-6


def test_a_pool_without_memory_is_worth_what_a_lattice_says() -> None:
    """Backwards from the last month over 1,500 states, with no path at all: each month's value is its bond times the
    mean of the next, under that bond's own measure."""
    model, points = hull_white(0.05, 0.9), 1500
    paths = paths_of(model=model, count=4096)
    times, late = paths.times[:358], 24 / 360
    states = np.linspace(-0.2, 0.2, points)
    everywhere = np.broadcast_to(states, (1, 357, points))
    smm = Refinancing().smm(paths.coupon.rates(CURVE, model, times[:-1], everywhere).T, 7.1, 3, 6).T
    left = 100 * (1 - (1 + 7.1 / 1200) ** (np.arange(358) - 357.0)) / (1 - (1 + 7.1 / 1200) ** -357.0)
    nodes, weights = np.polynomial.hermite_e.hermegauss(24)
    loading, delayed = (float(model.loading(years)[0]) for years in (1 / 12, late))
    moved = np.exp(-0.05 / 12) * states - (0.009 * loading) ** 2 / 2
    ends = moved[:, None] + nodes * 0.009 * np.sqrt(-np.expm1(-0.1 / 12) / 0.1)
    value = np.zeros(points)
    for month in range(356, -1, -1):
        now, then = times[month], times[month + 1]
        bond = np.exp(np.diff(CURVE.log_discount([now, then]))[0] + model.bond_shift(now, 1 / 12) - loading * states)
        wait = np.diff(CURVE.log_discount([then, then + late]))[0] + model.bond_shift(then, late) - delayed * ends
        paid = left[month] * 6.5 / 1200 + left[month] - left[month + 1] + left[month + 1] * smm[month]
        later = np.interp(ends, states, value) * (1 - smm[month])[:, None]
        value = bond * ((np.exp(wait) * paid[:, None] + later) @ (weights / weights.sum()))
    known = float(np.interp(0.0, states, value))
    found = price_at_oas(POOL, 0, paths, Refinancing())
    assert found.standard_error < 0.02
    assert abs(found.price - known) < 4 * found.standard_error + 1e-3


@pytest.mark.parametrize(("method", "count"), [("antithetic", 200), ("sobol", 128)])
def test_the_standard_error_is_the_scatter_between_seeds(method: str, count: int) -> None:
    found = [
        oas(POOL, 101.5, paths_of(method=method, count=count, seed=seed), Refinancing(), risk=False)
        for seed in range(40)
    ]
    scatter = np.std([one.oas_bp for one in found], ddof=1)
    claimed = np.sqrt(np.mean([one.standard_error_bp**2 for one in found]))
    assert 0.6 < claimed / scatter < 1.6
    fine = oas(POOL, 101.5, paths_of(count=8192), Refinancing(), risk=False)
    assert np.mean([one.oas_bp for one in found]) == pytest.approx(fine.oas_bp, abs=4 * scatter / np.sqrt(40))


def test_the_kernel_is_the_formula() -> None:
    """A balance month by month in NumPy: interest, scheduled principal, prepayment."""
    smm = Refinancing().smm(PATHS.mortgage[:357].T, 7.1, 3, 6)
    balance, rate = np.full(PATHS.count, 1e6), 7.1 / 1200
    known = np.empty((357, PATHS.count))
    for month in range(357):
        interest = balance * rate
        principal = balance * rate / (1 - (1 + rate) ** -(357 - month)) - interest
        prepaid = (balance - principal) * smm[:, month]
        known[month] = (balance * 6.5 / 1200 + principal + prepaid) * PATHS.discount(24)[month]
        balance = balance - principal - prepaid
    assert np.abs(worth(POOL, PATHS, Refinancing()) - known).max() < 1e-7


def test_parts_are_the_whole() -> None:
    """Interest and principal, loan groups, and models given for each."""
    whole = price_at_oas(POOL, 50, PATHS, Refinancing())
    strips = [security(1e6, 7.1, 6.5, 357, age=3, month0=6, delay_days=24, interest=i, principal=1 - i) for i in (0, 1)]
    parts = [price_at_oas(one, 50, PATHS, Refinancing()) for one in strips]
    assert sum(one.by_path for one in parts) == pytest.approx(whole.by_path, rel=1e-12)
    assert sum(one.price for one in parts) == pytest.approx(whole.price, rel=1e-12)
    groups = security([3e5, 7e5], [7.0, 8.0], 6.5, [340, 180], age=[20, 10], month0=6, delay_days=24)
    both = worth(groups, PATHS, [Refinancing(), Steady(0.02)])
    first = worth(security(3e5, 7.0, 6.5, 340, age=20, month0=6, delay_days=24), PATHS, Refinancing())
    second = worth(security(7e5, 8.0, 6.5, 180, age=10, month0=6, delay_days=24), PATHS, Steady(0.02))
    first[:180] += second
    assert both == pytest.approx(first, rel=1e-12)


def test_a_price_and_its_spread_are_each_others_answer() -> None:
    found = oas(POOL, 103.25, PATHS, Refinancing())
    back = price_at_oas(POOL, found.oas_bp, PATHS, Refinancing())
    assert back.price == pytest.approx(103.25, abs=1e-9)
    assert back.standard_error == pytest.approx(found.price_standard_error)
    assert found.by_path.mean() == pytest.approx(103.25 + 6.5 * 12 / 360)
    up, down = (price_at_oas(POOL, found.oas_bp + by, PATHS, Refinancing()).price for by in (1, -1))
    assert found.spread_duration == pytest.approx((down - up) / 2e-4 / found.by_path.mean(), rel=1e-6)


@pytest.mark.parametrize("price", [0.01, 20.0, 100.0, 230.0, 2000.0])
def test_a_spread_is_found_for_any_price(price: float) -> None:
    found = oas(POOL, price, PATHS, Refinancing(), risk=False)
    assert found.by_path.mean() == pytest.approx(price + 6.5 * 12 / 360, rel=1e-12)


def test_an_option_costs_and_shortens() -> None:
    """A premium pool: the option has a price, convexity is negative, faster speeds and tighter mortgages hurt."""
    found = oas(POOL, 103.25, PATHS, Refinancing())
    assert found.option_cost_bp > 10
    assert found.effective_duration is not None
    assert found.effective_duration < found.spread_duration
    assert found.effective_convexity is not None
    assert found.effective_convexity < 0
    assert found.key_rate_durations
    assert sum(found.key_rate_durations.values()) == pytest.approx(found.effective_duration, rel=5e-3)
    interest = security(1e6, 7.1, 6.5, 357, age=3, delay_days=24, principal=0)
    only = oas(interest, 22.0, PATHS, Refinancing())
    assert only.effective_duration is not None and only.prepayment_duration is not None
    assert only.effective_duration < 0 < only.prepayment_duration


def test_a_table_of_securities_is_each_of_them() -> None:
    pools = [POOL, security(2e6, 5.0, 4.5, 300, age=60, delay_days=14), security([1, 2], [6, 7], 5.5, 200, age=9)]
    prices = [101.5, 92.0, 99.0]
    small = paths_of(count=64)
    table = oas_table(pools, prices, small, Refinancing(), risk=True, threads=2)
    for row, (one, price) in enumerate(zip(pools, prices, strict=True)):
        own = oas(one, price, small, Refinancing())
        assert table["oas_bp"][row] == pytest.approx(own.oas_bp, abs=1e-9)
        assert table["effective_duration"][row] == pytest.approx(own.effective_duration)
        assert own.key_rate_durations
        assert table["key_rate_10"][row] == pytest.approx(own.key_rate_durations[10.0])


def test_a_function_is_a_model() -> None:
    paths, of = paths_of(), security(1e6, 7.1, 6.5, 357, delay_days=24)
    function = Refinancing().smm
    assert oas(of, 101, paths, function, risk=False).oas_bp == oas(of, 101, paths, Refinancing(), risk=False).oas_bp
    with pytest.raises(WrongInput, match="no prepayment model"):
        oas(of, 101, paths, 150)  # type: ignore[arg-type]


def test_what_can_not_be_meant_is_refused() -> None:
    with pytest.raises(WrongInput, match="make longer paths"):
        oas(POOL, 100, paths_of(months=120, count=64), Steady(0.01))
    with pytest.raises(WrongInput, match="above 0"):
        oas(POOL, -5, PATHS, Steady(0.01))
    with pytest.raises(WrongInput, match="smm"):
        oas(POOL, 100, PATHS, Steady(1.5))
    with pytest.raises(WrongInput, match="smm"):
        oas(POOL, 100, PATHS, Steady(float("nan")))
    with pytest.raises(WrongInput, match="2 prepayment models for 1"):
        oas(POOL, 100, PATHS, [Steady(0.1), Steady(0.1)])
    with pytest.raises(WrongInput, match="other paths"):
        oas(POOL, 100, PATHS, Steady(0.01), moved=moved_paths(paths_of(count=64)))
    with pytest.raises(WrongInput, match="interest, principal or both"):
        security(1e6, 7, 6, 360, interest=0, principal=0)
    with pytest.raises(WrongInput, match="month0"):
        security(1e6, 7, 6, 360, month0=13)

    class Short:
        def smm(self, rates: Array, wac: float, age: int, month0: int) -> Array:
            return np.zeros(rates.shape[1])

    with pytest.raises(WrongInput, match="paths x months"):
        oas(POOL, 100, PATHS, Short())


def test_volatility_costs_who_has_sold_an_option() -> None:
    """Against prices at the same OAS on paths made anew with other vols; nothing where payments are known."""
    found = oas(POOL, 101.5, PATHS, valuation.prepayment_model())
    prices = [
        price_at_oas(POOL, found.oas_bp, paths_of(model=louder, settle_days=12), valuation.prepayment_model()).price
        for louder in (gaussian2(TWO.reversion, tuple(by * v for v in TWO.volatility), TWO.correlation)
                       for by in (0.9, 1.1))
    ]  # fmt: skip
    lost = (prices[0] - prices[1]) / 0.2 / (101.5 + POOL.accrued(12) * 100 / POOL.balance)
    assert found.volatility_duration == pytest.approx(lost, rel=1e-6)
    assert found.volatility_duration > 0.01
    steady = oas(POOL, 101.5, PATHS, Steady(0.01)).volatility_duration
    assert steady == pytest.approx(0, abs=1e-9)
