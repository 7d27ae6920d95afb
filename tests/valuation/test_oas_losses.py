"""Losses on paths: nothing where there are none, the standard formulas where rates stay, and a slow walk elsewhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from test_oas import CURVE, PATHS, POOL, Refinancing, Steady, paths_of

from poolhouse import valuation
from poolhouse.valuation import WrongInput, kernels, pool_flows, price_at_oas, security
from poolhouse.valuation.oas import oas
from poolhouse.valuation.path_losses import losses
from poolhouse.valuation.path_values import scheduled, worth
from poolhouse.valuation.rates import flat, hull_white
from poolhouse.valuation.speeds import cdr_to_mdr

Array = npt.NDArray[np.float64]
SHAPE: dict[str, Any] = {"age": 3, "month0": 6, "delay_days": 24}
STILL = paths_of(flat(6.0), hull_white(0.05, 0.0), count=16, settle_days=12)
CASES: dict[str, dict[str, Any]] = {
    "advanced": {"cdr": 3.0, "severity": 35.0},
    "not advanced": {"cdr": 3.0, "severity": 35.0, "advance": False},
    "at once": {"cdr": 5.0, "severity": 60.0, "lag": 0},
    "at once, not advanced": {"cdr": 5.0, "severity": 60.0, "lag": 0, "advance": False},
    "by age": {"sda": 400.0, "severity": [20.0, 40.0, 60.0], "lag": 7},
    "by month": {"cdr": [0.0, 1.0, 20.0, 0.0, 2.0], "severity": 100.0, "lag": 24, "advance": False},
    "more than is owed": {"cdr": 8.0, "severity": 100.0, "lag": 200},
    "all default": {"cdr": 100.0, "severity": 30.0, "lag": 3},
    "longer than the pool": {"cdr": 8.0, "severity": 30.0, "lag": 400},
}


@pytest.mark.parametrize("case", CASES)
def test_where_rates_stay_it_is_the_standard_formulas(case: str) -> None:
    of = security(1e6, 7.1, 6.5, 357, **SHAPE, **CASES[case])
    found = worth(of, STILL, Steady(0.01)) / STILL.discount(24)[:357]
    flows = valuation.cashflows(1e6, 7.1, 6.5, 357, age=3, smm=1.0, **CASES[case])["cash_flow"].to_numpy()
    assert np.abs(found - flows[:, None]).max() <= 1e-12 * flows.max() + 1e-7
    known = pool_flows(1e6, 7.1, 6.5, 357, age=3, smm=1.0, delay_days=24, settle_days=12, **CASES[case])
    price = float(valuation.price(known, 6.0))
    answer = oas(of, price, STILL, Steady(0.01), risk=False)
    assert answer.oas_bp == pytest.approx(0, abs=1e-7)
    assert answer.option_cost_bp == pytest.approx(0, abs=1e-7)


@pytest.mark.parametrize("advance", [True, False])
@pytest.mark.parametrize("lag", [0, 1, 12])
def test_without_defaults_it_is_what_it_was(advance: bool, lag: int) -> None:
    """By the security, which then uses the other kernel, and by this kernel itself."""
    none = security(1e6, 7.1, 6.5, 357, **SHAPE, cdr=0.0, severity=40.0, lag=lag, advance=advance)
    before = worth(POOL, PATHS, Refinancing())
    assert np.array_equal(worth(none, PATHS, Refinancing()), before)
    least = security(1e6, 7.1, 6.5, 357, **SHAPE, cdr=1e-300, severity=40.0, lag=lag, advance=advance)
    lost = losses(least, 0, 1e6 * scheduled(7.1, 357))
    assert lost is not None and lost.mdr.max() < 1e-300
    found = worth(least, PATHS, Refinancing())
    assert np.abs(found - before).max() <= 1e-12 * before.max()
    one, other = (oas(of, 101.5, PATHS, Refinancing()) for of in (POOL, least))
    assert one.oas_bp == pytest.approx(other.oas_bp, rel=1e-12, abs=1e-9)
    assert one.effective_duration == pytest.approx(other.effective_duration, rel=1e-11)


def by_hand(of: Any, smm: Array, cdr: Array, severity: Array, lag: int, advance: bool) -> Array:
    """Dollars, months x paths: month by month, each path's defaults kept as loans that wait, oldest first."""
    months, count = smm.shape
    rate, coupon, balance = 0.071 / 12, 0.065 / 12, 1e6
    paid = np.zeros((months, count))
    for path in range(count):
        alive, waiting = 1.0, []
        left = balance
        for month in range(months):
            after = balance * (1 - (1 + rate) ** -(months - month - 1)) / (1 - (1 + rate) ** -months)
            due = left - after
            fails = 1 - (1 - cdr[month] / 100) ** (1 / 12) if month < months - lag else 0.0
            gone = min(smm[month, path], 1 - fails)
            new = alive * fails
            waiting.append((month, new, new * left))
            ended = [one for one in waiting if one[0] == month - lag]
            waiting = [one for one in waiting if one[0] > month - lag]
            in_foreclosure, ending = sum(share for _, share, _ in waiting), sum(share for _, share, _ in ended)
            owed = sum(dollars for *_, dollars in ended)
            if advance:
                interest = left * (alive + in_foreclosure - new * (lag > 0) + ending * (lag > 0)) * coupon
                principal, liquidated = due * (alive - new + in_foreclosure), left * ending
            else:
                interest, principal, liquidated = left * (alive - new) * coupon, due * (alive - new), owed
            lost = min(owed * severity[month] / 100, liquidated)
            paid[month, path] = interest + principal + after * alive * gone + liquidated - lost
            alive *= 1 - fails - gone
            left = after
    return paid


@pytest.mark.parametrize("advance", [True, False])
@pytest.mark.parametrize("lag", [0, 1, 5, 30])
def test_a_slow_walk_says_the_same(lag: int, advance: bool) -> None:
    """Each path with its own speeds, whose loans default at rates that change, on few months and paths."""
    paths = paths_of(count=48, months=40, settle_days=12)
    rng = np.random.default_rng(8)
    cdr, severity = rng.uniform(0, 60, 40), rng.uniform(0, 100, 40)
    model = Refinancing()
    of = security(1e6, 7.1, 6.5, 40, **SHAPE, cdr=cdr, severity=severity, lag=lag, advance=advance)
    smm = model.smm(paths.mortgage.T, 7.1, 3, 6).T
    known = by_hand(of, smm, cdr, severity, lag, advance)
    found = worth(of, paths, model) / paths.discount(24)
    assert np.abs(found - known).max() < 1e-8
    assert np.ptp(found[20]) > 1  # paths differ


def test_the_parts_are_the_whole() -> None:
    """Interest and principal; and groups with rates and severities of their own, one of which loses nothing."""
    bad = {"cdr": 4.0, "severity": 50.0, "lag": 6}
    whole = price_at_oas(security(1e6, 7.1, 6.5, 357, **SHAPE, **bad), 50, PATHS, Refinancing())
    strips = [security(1e6, 7.1, 6.5, 357, **SHAPE, interest=i, principal=1 - i, **bad) for i in (0, 1)]
    parts = [price_at_oas(one, 50, PATHS, Refinancing()) for one in strips]
    assert sum(one.by_path for one in parts) == pytest.approx(whole.by_path, rel=1e-12)
    rows = {"cdr": [[3.0, 9.0, 1.0], [0.0, 0.0, 0.0]], "severity": [[30.0, 60.0, 80.0], [100.0, 100.0, 100.0]]}
    groups = security([3e5, 7e5], [7.0, 8.0], 6.5, [340, 180], **(SHAPE | {"age": [20, 10]}), **rows, lag=6)
    both = worth(groups, PATHS, [Refinancing(), Steady(0.02)])
    first = security(
        3e5, 7.0, 6.5, 340, **(SHAPE | {"age": 20}), cdr=rows["cdr"][0], severity=rows["severity"][0], lag=6
    )
    second = security(7e5, 8.0, 6.5, 180, **(SHAPE | {"age": 10}))
    added = worth(first, PATHS, Refinancing())
    added[:180] += worth(second, PATHS, Steady(0.02))
    assert both == pytest.approx(added, rel=1e-12)


def test_losses_cost_and_a_guarantor_pays_them() -> None:
    """More severity, a lower spread at the same price; with none, defaults are prepayments that come later."""
    found = [
        oas(security(1e6, 7.1, 6.5, 357, **SHAPE, cdr=2.0, severity=severity), 101.5, PATHS, Refinancing(), risk=False)
        for severity in (0.0, 20.0, 40.0)
    ]
    spreads = [one.oas_bp for one in found]
    assert spreads[0] > spreads[1] + 20 > spreads[2] + 40
    assert found[0].by_path.mean() == pytest.approx(found[2].by_path.mean())  # the price


def test_the_chance_of_the_paths_is_no_worse() -> None:
    """The standard error says how far seeds scatter, with losses too."""
    of = security(1e6, 7.1, 6.5, 357, **SHAPE, cdr=3.0, severity=40.0)
    found = [oas(of, 101.5, paths_of(seed=seed, count=256), Refinancing(), risk=False) for seed in range(24)]
    scatter = np.std([one.oas_bp for one in found], ddof=1)
    assert 0.5 < np.sqrt(np.mean([one.standard_error_bp**2 for one in found])) / scatter < 2


def test_what_can_not_be_meant_is_refused() -> None:
    for wrong, message in (
        ({"cdr": 101.0}, "cdr"), ({"cdr": 1.0, "sda": 100.0}, "cdr and sda"),
        ({"cdr": 1.0, "severity": 120}, "severity"), ({"cdr": [[1.0], [2.0]]}, "2 rows for 1"),
        ({"cdr": 1.0, "lag": -1}, "lag"),
    ):  # fmt: skip
        with pytest.raises(WrongInput, match=message):
            security(1e6, 7.1, 6.5, 357, **wrong)


def test_the_kernel_takes_paths_in_chunks() -> None:
    """A chunk's state is its own: as many paths as no chunk holds evenly."""
    of = security(1e6, 7.1, 6.5, 120, **SHAPE, cdr=6.0, severity=40.0, lag=4)
    some = paths_of(curve=CURVE, count=200, months=120)
    found = worth(of, some, Refinancing())
    lost = losses(of, 0, 1e6 * scheduled(7.1, 120))
    assert lost is not None and lost.mdr[0] == pytest.approx(float(cdr_to_mdr(6.0)) / 100)
    smm = np.ascontiguousarray(Refinancing().smm(some.mortgage.T, 7.1, 3, 6).T)
    at_once = np.zeros((120, 200))
    state, recent = np.empty((2, 200)), np.empty((4, 200))
    kernels.path_losses(smm, 0, some.discount(24), lost.terms, lost.mdr, 4, True, at_once, state, recent)
    assert found == pytest.approx(at_once, rel=1e-13)
