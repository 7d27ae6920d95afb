"""OAS at the machine's limit: `python -m benches.oas [--pools 1000] [--paths 1000]`.

The same pool, model, paths and prepayment twice: by `poolhouse.valuation`, and by QuantLib's path generator with a
plain NumPy valuation after it, as one writes it: month by month over paths, the spread by halving. Beside the times
stands how far seeds scatter, since a path that tells more is worth more than a fast one.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import QuantLib
from rich.console import Console

from benches.quickest import best
from poolhouse.valuation import oas, oas_table, quick_model, security
from poolhouse.valuation.oas import moved_paths
from poolhouse.valuation.path_values import worth
from poolhouse.valuation.prepayment import prepayment_model
from poolhouse.valuation.rates import Paths, current_coupon, from_par, hull_white, rate_paths

OUT = Console(width=120)
REVERSION, VOLATILITY, MONTHS, SEEDS, THEIR_SEEDS = 0.05, 0.9, 360, 100, 24
CURVE = from_par([1, 2, 3, 5, 7, 10, 20, 30], [5.0, 4.6, 4.4, 4.2, 4.2, 4.1, 4.4, 4.3], per_year=1)
COUPON = current_coupon(CURVE, 6.8)
MODEL = hull_white(REVERSION, VOLATILITY)
WAC, NET, WAM, AGE, DELAY, PRICE = 7.2, 6.5, 357, 3, 24, 101.5
BORROWERS = prepayment_model()
_TENOR = np.arange(1, 21) / 2


def their_paths(count: int, seed: int) -> np.ndarray:
    """QuantLib's short rates, months + 1 x paths."""
    today = QuantLib.Date(1, 1, 2026)
    QuantLib.Settings.instance().evaluationDate = today
    counter = QuantLib.Thirty360(QuantLib.Thirty360.BondBasis)
    dates = [today + QuantLib.Period(k, QuantLib.Months) for k in range(12 * 42)]
    factors = [float(f) for f in CURVE.discount(np.arange(len(dates)) / 12)]
    handle = QuantLib.YieldTermStructureHandle(QuantLib.DiscountCurve(dates, factors, counter))
    process = QuantLib.HullWhiteProcess(handle, REVERSION, VOLATILITY / 100)
    chance = QuantLib.GaussianRandomSequenceGenerator(
        QuantLib.UniformRandomSequenceGenerator(MONTHS, QuantLib.UniformRandomGenerator(seed))
    )
    paths = QuantLib.GaussianPathGenerator(process, MONTHS / 12, MONTHS, chance, False)
    found = np.empty((MONTHS + 1, count))
    for k in range(0, count, 2):
        found[:, k] = list(paths.next().value())
        found[:, k + 1] = list(paths.antithetic().value())
    return found


def their_rates(short: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mortgage rates at each month's beginning, and discount factors of each payment, from short rates."""
    times = np.arange(MONTHS + 1) / 12
    instant = -np.gradient(CURVE.log_discount(np.arange(0, 42, 1 / 12)), 1 / 12)[: MONTHS + 1]
    convexity = (VOLATILITY / 100 * -np.expm1(-REVERSION * times) / REVERSION) ** 2 / 2
    state = short - (instant + convexity)[:, None]
    mortgage = np.empty((MONTHS, short.shape[1]))
    loading = MODEL.loading(_TENOR)[0]
    for k in range(MONTHS):
        base = CURVE.log_discount(times[k] + _TENOR) - CURVE.log_discount(times[k])
        bonds = np.exp((base + MODEL.bond_shift(times[k], _TENOR))[:, None] - np.outer(loading, state[k]))
        mortgage[k] = COUPON.spread + 200 * (1 - bonds[-1]) / bonds.sum(axis=0)
    earned = np.cumsum((short[:-1] + short[1:]) / 24, axis=0)
    return mortgage, np.exp(-earned - short[1:] * DELAY / 360)


def their_oas(mortgage: np.ndarray, discount: np.ndarray) -> float:
    """Basis points; the flows a month at a time over paths, then halving."""
    smm = BORROWERS.smm(mortgage[:WAM].T, WAC, AGE, 6)
    balance, rate = np.full(mortgage.shape[1], 100.0), WAC / 1200
    flows = np.empty((WAM, mortgage.shape[1]))
    for month in range(WAM):
        interest = balance * rate
        principal = balance * rate / (1 - (1 + rate) ** -(WAM - month)) - interest
        prepaid = (balance - principal) * smm[:, month]
        flows[month] = balance * NET / 1200 + principal + prepaid
        balance = balance - principal - prepaid
    times = np.arange(1, WAM + 1) / 12 + DELAY / 360
    low, high = -0.1, 0.2
    for _ in range(40):
        spread = (low + high) / 2
        dear = (flows * discount[:WAM] * np.exp(-spread * times)[:, None]).sum(axis=0).mean() > PRICE
        low, high = (spread, high) if dear else (low, spread)
    return 1e4 * (low + high) / 2


def ours(count: int, method: str, seed: int = 1) -> Paths:
    paths = rate_paths(CURVE, MODEL, COUPON, count=count, method=method, seed=seed)
    _ = paths.mortgage, paths.discount(DELAY)
    return paths


def main() -> None:
    """Times, then errors."""
    parser = argparse.ArgumentParser(prog="python -m benches.oas", description=__doc__)
    parser.add_argument("--pools", type=int, default=1000)
    parser.add_argument("--paths", type=int, default=1000)
    given = parser.parse_args()
    slow, quick = BORROWERS, quick_model(BORROWERS)
    count, pool = given.paths, security(1e6, WAC, NET, WAM, age=AGE, month0=6, delay_days=DELAY)
    paths, into = ours(count, "sobol"), np.empty((MONTHS, count))
    oas(pool, PRICE, paths, slow, risk=False)
    oas(pool, PRICE, paths, quick, risk=False)
    losing = security(1e6, WAC, NET, WAM, age=AGE, month0=6, delay_days=DELAY, cdr=2.0, severity=35.0)
    oas(losing, PRICE, paths, quick, risk=False)
    short = their_paths(count, 1)
    rates = their_rates(short)
    mine = {
        "paths, mortgage rates, discount factors": best(lambda: ours(count, "sobol"), 3),
        "the same, antithetic": best(lambda: ours(count, "antithetic"), 3),
        "one pool's OAS, prepayment in NumPy": best(lambda: oas(pool, PRICE, paths, slow, risk=False, into=into), 20),
        "  of it prepayment, flows, discounting": best(lambda: worth(pool, paths, slow, into=into), 20),
        "  of that the prepayment model": best(lambda: slow.smm(paths.mortgage[:WAM].T, WAC, AGE, 6), 20),
        "one pool's OAS": best(lambda: oas(pool, PRICE, paths, quick, risk=False, into=into), 20),
        "  of it flows, prepayment, discounting": best(lambda: worth(pool, paths, quick, into=into), 20),
        "the same, 2 CDR, 35% lost after a year": best(
            lambda: oas(losing, PRICE, paths, quick, risk=False, into=into), 20
        ),
    }
    moved = moved_paths(paths)
    oas(pool, PRICE, paths, quick, moved=moved, into=into)
    mine["OAS, durations, convexity, 8 key rates"] = best(
        lambda: oas(pool, PRICE, paths, quick, moved=moved, into=into), 3
    )
    theirs = {
        "QuantLib's paths": best(lambda: their_paths(count, 1), 1),
        "mortgage rates, discount factors by NumPy": best(lambda: their_rates(short), 1),
        "one pool's OAS by NumPy": best(lambda: their_oas(*rates), 3),
    }
    OUT.print(f"{count:,} paths x {MONTHS} months, Hull-White, milliseconds")
    for name, seconds in (mine | theirs).items():
        OUT.print(f"  {name:45} {1e3 * seconds:10,.1f}")
    one = mine["one pool's OAS"]
    whole = sum(theirs.values()) / (mine["paths, mortgage rates, discount factors"] + one)
    known = theirs["one pool's OAS by NumPy"] / one
    OUT.print(f"  times faster: one pool from nothing {whole:,.0f}, on paths already there {known:,.0f}")
    shake = np.random.default_rng(4)
    wac = shake.uniform(3, 8, given.pools)
    many = [security(1e6, w, w - 0.7, int(t), month0=6, delay_days=DELAY)
            for w, t in zip(wac, shake.integers(180, 361, given.pools), strict=True)]  # fmt: skip
    prices = (100 + 4 * (wac - 6.5)).tolist()
    for name, model in (("in NumPy", slow), ("by the kernel", quick)):
        processor = time.process_time()
        seconds = best(lambda model=model: oas_table(many, prices, paths, model), 1)
        processor = time.process_time() - processor
        OUT.print(f"{given.pools:,} pools, prepayment {name}: {seconds:.1f} s, {processor:.1f} of the processor")
    errors(count, pool)


def errors(count: int, pool: object) -> None:
    """Mean and scatter of the OAS between seeds."""
    OUT.print(
        f"basis points, {SEEDS} seeds (theirs {THEIR_SEEDS}) of {count:,} paths: mean, scatter, standard error shown"
    )
    for method in ("antithetic", "sobol"):
        found = [
            oas(pool, PRICE, ours(count, method, seed), quick_model(BORROWERS), risk=False) for seed in range(SEEDS)
        ]
        spreads, shown = [one.oas_bp for one in found], [one.standard_error_bp for one in found]
        OUT.print(f"  ours, {method:11} {np.mean(spreads):9.2f} {np.std(spreads, ddof=1):8.3f} {np.mean(shown):8.3f}")
    spreads = [their_oas(*their_rates(their_paths(count, seed + 1))) for seed in range(THEIR_SEEDS)]
    OUT.print(f"  QuantLib and NumPy {np.mean(spreads):8.2f} {np.std(spreads, ddof=1):8.3f}     none")


if __name__ == "__main__":
    main()
