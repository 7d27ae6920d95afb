"""Mortgage servicing rights: the fee and what comes with it, less what servicing costs, on paths of rates.

Each month a servicer has its fee from the loans that pay; interest on money it holds (escrows, payments and payoffs
until they are passed on) at the month's short rate; and ancillary income. It pays for each loan by its state of
delinquency, interest on escrows, and the interest a payoff leaves short. All end with the loan, so the strip is worth
less when rates fall: its duration is negative. No number here is a default: costs and float are the user's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from poolhouse.valuation import terms
from poolhouse.valuation.oas import Moved, moved_paths, risks
from poolhouse.valuation.path_values import (
    CHUNK,
    Borrowers,
    by_path,
    check_length,
    models_of,
    scheduled,
    speeds,
)
from poolhouse.valuation.rates.paths import Paths
from poolhouse.valuation.settlement import YEAR_DAYS
from poolhouse.valuation.terms import Pools
from poolhouse.valuation.wrong import Floats, WrongInput, numbers, require, whole

PARTS = ("fee", "ancillary", "escrow_float", "payment_float", "payoff_float", "cost", "payoff_interest")


@dataclass(frozen=True)
class State:
    """share: percent of the loans that are in it; cost: dollars a loan a year; paying: percent of its fee received."""

    share: float
    cost: float
    paying: float = 100.0


@dataclass(frozen=True)
class Terms:
    """What comes with the fee. states: of delinquency, their shares 100 together. Dollars a loan a year: ancillary;
    dollars a loan: escrow, its mean balance; percent a year: escrow_interest paid on it, float_margin earned above
    the short rate, cost_growth. Days: a payment and a payoff are held, and a payoff's interest is made good."""

    states: Mapping[str, State]
    ancillary: float = 0.0
    escrow: float = 0.0
    escrow_interest: float = 0.0
    payment_days: float = 0.0
    payoff_days: float = 0.0
    payoff_interest_days: float = 0.0
    float_margin: float = 0.0
    cost_growth: float = 0.0

    def __post_init__(self) -> None:
        shares = numbers("shares of states", [state.share for state in self.states.values()], 0, 100)
        if abs(float(shares.sum()) - 100) > 1e-6:
            raise WrongInput(f"the states' shares are {float(shares.sum()):g}% together, not 100%")
        numbers("cost", [state.cost for state in self.states.values()], 0)
        numbers("paying", [state.paying for state in self.states.values()], 0, 100)
        for name in ("ancillary", "escrow", "payment_days", "payoff_days", "payoff_interest_days"):
            numbers(name, getattr(self, name), 0)
        for name in ("escrow_interest", "float_margin", "cost_growth"):
            numbers(name, getattr(self, name), -50, 50)


@dataclass(frozen=True)
class Servicing:
    """Groups of loans serviced; built by `servicing`. pools.coupon: what is left of the note rate after the fee."""

    pools: Pools
    loans: Floats
    terms: Terms
    month0: int
    delay_days: float

    @property
    def balance(self) -> float:
        """Dollars serviced."""
        return float(self.pools.balance.sum())

    @property
    def fee(self) -> float:
        """Percent a year, mean by balance."""
        return float(((self.pools.wac - self.pools.coupon) * self.pools.balance).sum() / self.balance)


@dataclass(frozen=True)
class Msr:
    """value: dollars; percent: of the balance; multiple: percent by the yearly fee; parts: dollars, their sum is the
    value; standard_error: dollars, as of an OAS. Durations in percent of value for 1 percent, as of `Oas`; None where
    not asked for or where the strip is worth nothing."""

    value: float
    percent: float
    multiple: float
    standard_error: float
    parts: dict[str, float]
    effective_duration: float | None = None
    effective_convexity: float | None = None
    mortgage_spread_duration: float | None = None
    prepayment_duration: float | None = None
    volatility_duration: float | None = None
    key_rate_durations: dict[float, float] | None = None


def servicing(
    balance: Any, wac: Any, wam: Any, *, fee: Any, loans: Any, terms_of: Terms, age: Any = None, month0: int = 1,
    delay_days: float = 0,
) -> Servicing:  # fmt: skip
    """One pool or arrays of loan groups: dollars, percent a year, months; `loans` how many are in each.

    delay_days: from a month's end to when its fee is had and its costs are paid. Raises WrongInput.
    """
    rate, share = numbers("wac", wac, 0, 100), numbers("fee", fee, 0, 100)
    found = terms.pools(balance, rate, rate - share, wam, age)
    counts = np.ascontiguousarray(np.broadcast_to(numbers("loans", loans, 0), (len(found),)))
    total, paid = np.asarray(found.balance.sum()), np.asarray((found.wac - found.coupon).sum())
    require("balance in all", total, total > 0, "must be above 0")
    require("fee", paid, paid > 0, "must be above 0")
    first = int(whole("month0", month0, 1, 12))
    return Servicing(found, counts, terms_of, first, float(numbers("delay_days", delay_days, 0, YEAR_DAYS)))


def msr(
    of: Servicing, paths: Paths, prepayment: Borrowers | Sequence[Borrowers], *, spread_bp: float,
    risk: bool = True, moved: Moved | None = None,
) -> Msr:  # fmt: skip
    """The strip's value over paths at a spread over short rates, continuous, in basis points. Raises WrongInput."""
    spread = float(numbers("spread_bp", spread_bp, -1e4, 1e5)) / 1e4
    times = paths.times[1 : of.pools.months + 1] + of.delay_days / YEAR_DAYS
    factors = np.exp(-spread * times)
    flows, parts = _worth(of, paths, prepayment, factors)
    _, error = by_path(paths, of.delay_days, flows, factors)
    value = float(flows.mean(axis=1) @ factors)
    percent = 100 * value / of.balance
    found: dict[str, Any] = {}
    if risk and value > 0:
        shifts = moved or moved_paths(paths)
        if shifts.base is not paths:
            raise WrongInput("`moved` was made from other paths: use moved_paths(paths)")

        def worth(on: Paths, faster: float = 1.0) -> float:
            return sum(_worth(of, on, prepayment, factors, faster)[1].values())

        found = risks(worth, shifts, value)
    return Msr(value, percent, percent / of.fee, error, parts, **found)


def _worth(
    of: Servicing, paths: Paths, model: Borrowers | Sequence[Borrowers], factors: Floats, faster: float = 1.0
) -> tuple[Floats, dict[str, float]]:
    """Discounted dollars, months x paths, before the spread; and each part's value after it."""
    from poolhouse.valuation import kernels

    check_length(paths, of.pools)
    flows = np.zeros((of.pools.months, paths.count))
    discount, short, alive = paths.discount(of.delay_days), paths.short, np.empty(CHUNK)
    total = np.zeros(len(PARTS))
    for which, one in enumerate(models_of(model, len(of.pools))):
        by_part = _terms(of, which)
        whole_strip = np.ascontiguousarray(by_part.sum(axis=0))
        sums = np.zeros((by_part.shape[2], 4))
        for low, smm in speeds(one, paths, of.pools, which, of.month0, faster):
            kernels.path_servicing(smm, low, discount, short, whole_strip, flows, sums, alive)
        total += np.einsum("pkm,mk,m->p", by_part, sums / paths.count, factors[: len(sums)])
    return flows, dict(zip(PARTS, total.tolist(), strict=True))


def _terms(of: Servicing, which: int) -> Floats:
    """Of a group: parts x (fixed, by SMM, by short rate, by both) x months, dollars while no loan is prepaid."""
    pool, given, loans = of.pools, of.terms, float(of.loans[which])
    wac, wam, balance = float(pool.wac[which]), int(pool.wam[which]), float(pool.balance[which])
    left = balance * scheduled(wac, wam)
    owed, after, month = left[:-1], left[1:], np.arange(wam)
    payment = owed * wac / 1200 + owed - after
    coupon, fee = float(pool.coupon[which]), wac - float(pool.coupon[which])
    states = given.states.values()
    paying = sum(state.share * state.paying for state in states) / 1e4
    cost = loans * sum(state.share * state.cost for state in states) / 1200
    found = np.zeros((len(PARTS), 4, wam))
    part = dict(zip(PARTS, found, strict=True))
    part["fee"][0] = owed * fee / 1200 * paying
    part["ancillary"][0] = loans * given.ancillary / 12
    part["cost"][0] = -cost * (1 + given.cost_growth / 100) ** (month / 12)
    part["escrow_float"][0] = loans * given.escrow * (given.float_margin - given.escrow_interest) / 1200
    part["escrow_float"][2] = loans * given.escrow / 1200
    held, gone = given.payment_days / YEAR_DAYS / 100, given.payoff_days / YEAR_DAYS / 100
    part["payment_float"][0], part["payment_float"][2] = payment * held * given.float_margin, payment * held
    part["payoff_float"][1], part["payoff_float"][3] = after * gone * given.float_margin, after * gone
    part["payoff_interest"][1] = -after * coupon / 100 * given.payoff_interest_days / YEAR_DAYS
    return found
