"""A deal on paths: a whole pool is worth what `valuation.oas` says, classes share it to the cent, and each behaves as
its kind does when rates move."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from deals.deal_samples import NAMES, example, text_of
from poolhouse import deals, valuation
from poolhouse.deals.deal import Deal, pools_of
from poolhouse.deals.on_paths import OnPaths, index_e7, on_paths
from poolhouse.valuation import path_oas, prepayment_model, quick_model, rates
from poolhouse.valuation.path_oas import Payments, Scenes, oas_of, price_of
from poolhouse.valuation.rates import Gaussian, Paths, hull_white

Array = npt.NDArray[np.float64]
BORROWERS = quick_model(prepayment_model())
CURVE = rates.from_par([1, 2, 5, 10, 30], [5.0, 4.6, 4.4, 4.5, 4.7], per_year=1)
DAYS = 12


@dataclass(frozen=True)
class Steady:
    """The same share every month."""

    share: float

    def smm(self, rates: Array, wac: float, age: int, month0: int) -> Array:
        return np.full(rates.shape, self.share)


def scenes_of(
    count: int = 32, months: int = 357, model: Gaussian | None = None, seed: int = 1, days: int = DAYS
) -> Scenes:
    model = model or hull_white(0.05, 0.9)
    return Scenes(
        rates.rate_paths(
            CURVE, model, rates.current_coupon(CURVE, 6.3), count=count, months=months, settle_days=days, seed=seed
        )
    )


def whole_pool(
    classes: str, pay: str, *, wac: float = 6.5, coupon: float = 6.0, wam: int = 357, head: str = ""
) -> Deal:
    """$100 million, guaranteed, with 24 days of delay."""
    return deals.parse(
        f'[deal]\nname = "t"\ndelay_days = 24\n{head}\n[collateral]\nbalance = 100_000_000\nwac = {wac}\n'
        f"coupon = {coupon}\nwam = {wam}\nguaranteed = true\n{classes}\n{pay}",
        "t.toml",
    )


def one(name: str, size: int, more: str) -> str:
    return f'[[class]]\nname = "{name}"\nbalance = {size}\n{more}\n'


INTEREST = '[[pay]]\nrule = "interest"\nclasses = '
SEQUENTIAL = '[[pay]]\nrule = "sequential"\nclasses = '
ALONE = whole_pool(one("A", 100_000_000, "coupon = 6"), f'{INTEREST}["A"]\n{SEQUENTIAL}["A"]')
STRIPS = whole_pool(
    one("PO", 100_000_000, "coupon = 0") + '[[class]]\nname = "IO"\ncoupon = 6\nnotional = ["PO"]\n',
    f'{INTEREST}["IO"]\n{SEQUENTIAL}["PO"]',
)
FLOATING = whole_pool(
    one("F", 75_000_000, "floater = {margin = 0.4, cap = 8}")
    + one("I", 25_000_000, "inverse = {constant = 22.8, multiple = 3, cap = 22.8}"),
    f'{INTEREST}[["F", "I"]]\n{SEQUENTIAL}[["F", "I"]]',
    head="index = 5",
)


def ran(deal: Deal, scenes: Scenes) -> dict[str, OnPaths]:
    set_e7 = index_e7(scenes.still)[0][0]
    names = ("base", "still", "down", "up")
    return {name: on_paths(deal, getattr(scenes, name), BORROWERS, month0=6, set_e7=set_e7) for name in names}


def payments(got: dict[str, OnPaths], name: str) -> Payments:
    of = {scene: on.classes[name] for scene, on in got.items()}
    accrued = of["base"].balance * of["base"].rate / 100 * DAYS / 360
    return Payments(of["base"].balance, accrued, 24, *(each.cash for each in of.values()))


@lru_cache
def priced(deal: str) -> dict[str, valuation.Oas]:
    """Each class at an OAS of 0, on 64 paths."""
    scenes = scenes_of(64)
    got = ran({"strips": STRIPS, "floating": FLOATING, "alone": ALONE}[deal], scenes)
    found = {}
    for name in got["base"].classes:
        of = payments(got, name)
        found[name] = oas_of(of, price_of(of, 0.0, scenes).price, scenes)
    return found


@pytest.mark.parametrize("pools", [1, 2])
def test_a_deal_of_one_class_is_the_pool(pools: int) -> None:
    """Also where two pools of other rates, terms and ages lie in it."""
    scenes, deal = scenes_of(), ALONE
    terms: tuple[Any, ...] = (100e6, 6.5, 6.0, 357, None)
    if pools == 2:
        terms = ([60e6, 40e6], [6.5, 7.25], [6.0, 6.0], [357, 230], [3, 70])
        both = replace(
            pools_of(ALONE), balance=(60_000_000_00, 40_000_000_00), wac=(6.5, 7.25), coupon=(6.0, 6.0), wam=(357, 230),
            age=(3, 70),
        )  # fmt: skip
        deal = replace(ALONE, collateral=both)
    of = payments(ran(deal, scenes), "A")
    pool = valuation.security(*terms[:4], age=terms[4], month0=6, delay_days=24)
    for price in (95.0, 103.0):
        known = valuation.oas(pool, price, scenes.base, BORROWERS)
        found = oas_of(of, price, scenes)
        for name in ("oas_bp", "standard_error_bp", "z_spread_bp", "option_cost_bp"):
            assert getattr(found, name) == pytest.approx(getattr(known, name), abs=1e-4), name
        for name in ("effective_duration", "effective_convexity", "spread_duration", "price_standard_error"):
            assert getattr(found, name) == pytest.approx(getattr(known, name), rel=1e-5), name
        assert found.by_path == pytest.approx(known.by_path, rel=1e-9)
        back = price_of(of, found.oas_bp, scenes)
        assert back.price == pytest.approx(price, abs=1e-9)
        assert back.standard_error == pytest.approx(found.price_standard_error)


@pytest.mark.parametrize("name", NAMES)
def test_classes_share_the_collateral_on_every_path(name: str) -> None:
    """Dollar by dollar of each month, and so in value at any one discount."""
    deal = example(name)
    months = max(pools_of(deal).wam)
    losing = {"cdr": 3.0, "severity": 40.0} if deal.losses else {}
    found = on_paths(deal, scenes_of(16, months).base, BORROWERS, defaults=losing)
    paid = sum(got.cash for got in found.classes.values()) + found.kept_back
    if deal.reference:  # the issuer pays interest; principal is the pool's
        assert sum(got.principal for got in found.classes.values()) == pytest.approx(
            found.collateral.principal, abs=1e-6
        )
        return
    assert np.abs(paid - found.collateral.cash).max() < 1e-6
    discount = found.paths.discount(24)[:months]
    parts = sum((got.cash * discount).sum(axis=0) for got in found.classes.values())
    kept = (found.kept_back * discount).sum(axis=0)
    assert parts + kept == pytest.approx((found.collateral.cash * discount).sum(axis=0), rel=1e-12)
    lost = sum(got.loss for got in found.classes.values())
    assert (lost <= found.collateral.loss + 1e-6).all() and (found.collateral.loss > 0).all() == bool(losing)


def test_sequential_classes_on_paths_by_another_way() -> None:
    """All paths at once in NumPy: the pool by a month's recursion, principal cut where the classes before end."""
    deal, paths = example("sequential.toml"), scenes_of(16).base
    found = on_paths(deal, paths, BORROWERS.loan, month0=6)
    smm = BORROWERS.smm(paths.mortgage[:357].T, 8.125, 3, 6).T
    balance, rate, principal = np.full(16, 400e6), 8.125 / 1200, np.empty((357, 16))
    for month in range(357):
        due = balance * rate / (1 - (1 + rate) ** -(357 - month)) - balance * rate
        principal[month] = due + (balance - due) * smm[month]
        balance = balance - principal[month]
    paid, before = np.cumsum(principal, axis=0), 0.0
    for name, size in (("A", 194.5e6), ("B", 36e6), ("C", 96.5e6), ("D", 73e6)):
        left = size - np.clip(paid - before, 0, size)
        opening = np.vstack([np.full(16, size), left[:-1]])
        cash = opening * 0.075 / 12 + opening - left
        assert np.abs(found.classes[name].principal - (opening - left)).max() < 0.021, name
        assert np.abs(found.classes[name].cash - cash).max() < 0.031, name
        before += size


def test_where_rates_change_nothing_a_path_is_the_projection() -> None:
    """Prepayment and defaults alike on all paths: each class's cents are those of the deal's run at that speed."""
    deal = example("shifting.toml")
    asked = {"cdr": 2.0, "severity": 45.0, "lag": 9}
    found = on_paths(deal, scenes_of(16).base, Steady(0.012), defaults=asked)
    known = deals.run(deal, deals.months_of(deal, {"smm": 1.2, **asked}))
    for name, life in known.classes.items():
        got, months = found.classes[name], len(life.interest)
        cash = (np.array(life.interest) + np.array(life.principal)) / 100
        assert np.abs(got.cash[:months] - cash[:, None]).max() < 0.02, name
        assert not got.cash[months:].any()
        assert got.loss == pytest.approx(sum(life.loss) / 100, abs=0.02)
    assert (found.called == known.called).all() and known.called


def test_defaults_may_differ_from_path_to_path() -> None:
    """A row of speeds for each: where there are none nothing is lost, the others lose as the projection does."""
    deal = example("shifting.toml")
    rows = np.zeros((16, 357))
    rows[5, 24:60] = 8.0
    found = on_paths(deal, scenes_of(16).base, Steady(0.012), defaults={"cdr": rows, "severity": 40.0})
    known = deals.run(deal, deals.months_of(deal, {"smm": 1.2, "cdr": rows[5].tolist(), "severity": 40.0}))
    assert (found.collateral.loss > 0).tolist() == [path == 5 for path in range(16)]
    for name, life in known.classes.items():
        assert found.classes[name].loss[5] == pytest.approx(sum(life.loss) / 100, abs=0.02)
    assert found.classes["B1"].loss[5] > 0


def test_without_volatility_the_spread_is_the_static_one() -> None:
    scenes = scenes_of(16, model=hull_white(0.05, 0.0))
    for name in ("P", "S"):
        got = ran(example("planned.toml"), scenes)
        of = payments(got, name)
        found = oas_of(of, 101.0, scenes)
        assert found.oas_bp == pytest.approx(found.z_spread_bp, abs=1e-6)
        assert found.standard_error_bp == pytest.approx(0, abs=1e-6)
        flows = valuation.flows(
            got["still"].classes[name].cash[:, 0], got["still"].classes[name].principal[:, 0], of.balance, 7.5,
            delay_days=24, settle_days=DAYS,
        )  # fmt: skip
        assert found.oas_bp == pytest.approx(float(valuation.z_spread(flows, 101.0, CURVE)), abs=1e-6)


def test_strips_move_against_each_other_and_sum_to_the_pool() -> None:
    found, pool = priced("strips"), priced("alone")["A"]
    io, po = found["IO"], found["PO"]
    assert io.effective_duration is not None and po.effective_duration is not None and pool.effective_duration
    assert io.effective_duration < -5 and po.effective_duration > pool.effective_duration + 3
    assert io.price + po.price == pytest.approx(pool.price, abs=1e-6)
    assert io.option_cost_bp > 0 > po.option_cost_bp
    settled = 6.0 * DAYS / 360
    parts = io.effective_duration * (io.price + settled) + po.effective_duration * po.price
    assert parts == pytest.approx(pool.effective_duration * (pool.price + settled), rel=1e-6)


def test_an_inverse_floater_has_what_its_floater_gives_up() -> None:
    found, pool = priced("floating"), priced("alone")["A"]
    floater, inverse = found["F"], found["I"]
    assert floater.effective_duration is not None and inverse.effective_duration is not None
    assert pool.effective_duration is not None
    assert abs(floater.effective_duration) < 1.5 < pool.effective_duration < 6 < inverse.effective_duration
    assert 0.75 * floater.price + 0.25 * inverse.price == pytest.approx(pool.price, abs=0.01)


def test_a_floater_without_bounds_is_worth_par() -> None:
    """Whoever gets the one-month rate on what is outstanding has par, however borrowers prepay: by no model. An issuer
    pays the interest, so that nothing caps it."""
    deal = deals.parse(
        '[deal]\nname = "f"\nlosses = ["F"]\nindex = 5\n[collateral]\nbalance = 100_000_000\nwac = 6.5\ncoupon = 6.0\n'
        f"wam = 357\nreference = true\n{one('F', 100_000_000, 'floater = {margin = 0}')}{INTEREST}['F']\n"
        f"{SEQUENTIAL}['F']",
        "f.toml",
    )
    scenes = scenes_of(128, model=hull_white(0.1, 0.5), days=0)
    got = ran(deal, scenes)
    of = Payments(1e8, 0.0, 0, *(on.classes["F"].cash for on in got.values()))
    found = price_of(of, 0.0, scenes)
    assert found.standard_error < 0.2
    assert abs(found.price - 100) < 4 * found.standard_error
    duration = oas_of(of, found.price, scenes).effective_duration
    assert duration is not None and 0 < duration < 0.25  # its first month's rate is set: a twelfth


def test_durations_are_prices_on_paths_made_anew() -> None:
    """The same chance on a curve moved by hand, at the same spread; the coupon that is set stays."""
    scenes = scenes_of()
    of = payments(ran(FLOATING, scenes), "I")
    found = oas_of(of, 110.0, scenes)
    prices = []
    for move in (-0.25, 0.25):
        curve = CURVE.shifted(move)
        paths = rates.rate_paths(
            curve, scenes.base.model, scenes.base.coupon, count=32, months=357, settle_days=DAYS, seed=1
        )
        set_e7 = index_e7(scenes.base)[0][0]
        again = on_paths(FLOATING, paths, BORROWERS, month0=6, set_e7=set_e7).classes["I"]
        moved = Payments(again.balance, of.accrued, 24, again.cash, again.cash)
        prices.append(price_of(moved, found.oas_bp, Scenes(paths)).price)
    settled = 110.0 + of.accrued / of.balance * 100
    assert found.effective_duration == pytest.approx((prices[0] - prices[1]) / (0.005 * settled), rel=1e-6)


def test_standard_errors_are_the_scatter_between_seeds() -> None:
    """Of a price and of a duration: a support class of fifteen years."""
    deal = deals.parse(text_of("planned.toml").replace("wam = 357", "wam = 177").replace("243_800", "203_800").replace(
        "156_200", "196_200"), "p.toml")  # fmt: skip
    found = []
    for seed in range(12):
        scenes = scenes_of(32, 177, seed=seed, days=0)
        names = ("base", "still", "down", "up")
        flows = [on_paths(deal, getattr(scenes, name), BORROWERS).classes["S"].cash for name in names]
        of = Payments(196.2e6, 0.0, 0, *flows)
        found.append(oas_of(of, price_of(of, 0.0, scenes).price, scenes))
    for figure, error in (
        ("price", "price_standard_error"), ("effective_duration", "duration_standard_error"),
        ("effective_convexity", "convexity_standard_error"),
    ):  # fmt: skip
        scatter = np.std([getattr(each, figure) for each in found], ddof=1)
        claimed = np.sqrt(np.mean([getattr(each, error) ** 2 for each in found]))
        assert 0.5 < claimed / scatter < 2, figure


def test_deals_below_follow_the_same_index() -> None:
    """A class of a floater's deal as collateral: its interest is the path's, not the file's index."""
    above = (
        '[deal]\nname = "a"\n[collateral]\ndeal = "floater.toml"\nclass = "FL"\n[[class]]\nname = "X"\n'
        f'balance = 72_375_000\ncoupon = "net_wac"\n{INTEREST}["X"]\n{SEQUENTIAL}["X"]'
    )
    deal = deals.parse(above, "a.toml", read=text_of)
    paths = scenes_of(16).base
    ours, theirs = on_paths(deal, paths, BORROWERS), on_paths(example("floater.toml"), paths, BORROWERS)
    assert np.abs(ours.classes["X"].cash - theirs.classes["FL"].cash).max() < 0.011


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(valuation.WrongInput, match="make longer paths"):
        on_paths(ALONE, scenes_of(16, 120).base, BORROWERS)
    scenes = scenes_of(16, 12)
    flows = np.ones((12, 16))
    of = Payments(100.0, 0.0, 0, flows, flows[:, :1])
    with pytest.raises(valuation.WrongInput, match="above 0"):
        path_oas.oas_of(of, -1.0, scenes)
    with pytest.raises(valuation.WrongInput, match="balance above 0"):
        price_of(Payments(0.0, 0.0, 0, flows, flows), 0.0, scenes)
    with pytest.raises(valuation.WrongInput, match="on 16 paths"):
        price_of(Payments(1.0, 0.0, 0, flows[:, :3], flows), 0.0, scenes)
    assert isinstance(scenes.base, Paths)
    lucky = Payments(100.0, 0.0, 0, flows, 0 * flows[:, :1])  # paid on some path, but not where forwards come true
    found = oas_of(lucky, 10.0, scenes)
    assert np.isnan(found.z_spread_bp) and np.isnan(found.option_cost_bp) and found.effective_duration is None
