"""The standard formulas month by month, a row per pool: what every other way to the cash flows is checked against.

Written as the standard writes them, in closed form: the scheduled balance from the annuity and not from last month's,
the survival from the speeds. So no rounding piles up over 360 months, and 0% and 100% need no case of their own.
With S(i) the scheduled balance as a share of today's, P(i) = S(i-1) - S(i) its scheduled principal, q(i) the share
still performing apart from amortisation, d(i) = q(i-1) MDR(i) what newly defaults, L months to liquidation:

    performing(i) = S(i) q(i)             q(i) = q(i-1) (1 - MDR(i) - SMM(i))
    prepaid(i)    = S(i) q(i-1) SMM(i)    defaulted(i) = S(i-1) d(i)
    advanced:     in foreclosure(i) = S(i) f(i), f(i) = d(i-L+1) + ... + d(i), liquidated(i) = S(i-1) d(i-L)
    not advanced: in foreclosure is not amortised and pays nothing until liquidated

Source: SIFMA Uniform Practices, Standard Formulas, SF-4 to SF-6 and SF-17 to SF-20.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from poolhouse.valuation.terms import Pools, Rows, Speeds
from poolhouse.valuation.wrong import Floats

COLUMNS = (
    "balance", "scheduled_payment", "gross_interest", "net_interest", "scheduled_principal", "prepayment", "default",
    "recovery", "loss", "principal", "cash_flow", "ending_balance",
)  # fmt: skip
"""Of a month, after its number; dollars."""
SUMS = (
    "balance", "gross_interest", "net_interest", "scheduled_principal", "prepayment", "default", "recovery", "loss",
)  # fmt: skip
"""The columns that are not sums of others."""


def monthly(pools: Pools, speeds: Speeds, rows: Rows = slice(None)) -> dict[str, Floats]:
    """COLUMNS as arrays of pools x months; zero after a pool's last. `rows`: where they stand among all that have
    speeds of their own."""
    until = pools.months
    left, paid = _scheduled(pools, until)
    prepay, default = speeds.strips(pools, rows, until)
    smm, mdr = prepay.of(until), default.of(until)
    if not default.none:  # what defaults must be liquidated before maturity
        mdr = np.where(np.arange(1, until + 1) <= pools.wam[:, None] - speeds.lag, mdr, 0.0)
        smm = np.minimum(smm, 1 - mdr)
    alive = np.cumprod(np.concatenate([np.ones((len(pools), 1)), 1 - mdr - smm], axis=1), axis=1)
    np.maximum(alive, 0.0, out=alive)  # 1 - mdr - (1 - mdr) may be a hair below zero
    before, scheduled, after = pools.balance[:, None] * left[:, :-1], pools.balance[:, None] * paid, left[:, 1:]
    start = alive[:, :-1]
    found = {"prepayment": pools.balance[:, None] * after * start * smm}
    if default.none:
        nothing = np.zeros_like(scheduled)
        found |= {"balance": before * start, "scheduled_principal": scheduled * start}
        found |= {"default": nothing, "recovery": nothing, "loss": nothing}
        found["ending_balance"] = pools.balance[:, None] * after * alive[:, 1:]
        bearing = found["balance"]
    else:
        ends = pools.balance[:, None] * after
        severity = speeds.severities(until, rows)
        bearing = _with_defaults(found, speeds, before, scheduled, ends, alive, start * mdr, severity)
    found["gross_interest"] = bearing * (pools.wac[:, None] / 1200)
    found["net_interest"] = bearing * (pools.coupon[:, None] / 1200)
    return complete(found)


def complete(found: dict[str, Floats]) -> dict[str, Floats]:
    """All COLUMNS from SUMS and the ending balance."""
    found["scheduled_payment"] = found["gross_interest"] + found["scheduled_principal"]
    found["principal"] = found["scheduled_principal"] + found["prepayment"] + found["recovery"]
    found["cash_flow"] = found["net_interest"] + found["principal"]
    return {name: found[name] for name in COLUMNS}


def _scheduled(pools: Pools, months: int) -> tuple[Floats, Floats]:
    """Scheduled balance after 0 to `months` months, and each month's scheduled principal, as shares of today's balance.

    (1 - v^k) / (1 - v^M) and r (1+r)^(i-1) / ((1+r)^M - 1): no difference of near numbers is taken.
    """
    rate, term = pools.wac[:, None] / 1200, pools.wam[:, None].astype(np.float64)
    at = np.arange(months + 1, dtype=np.float64)[None, :]
    remaining = np.maximum(term - at, 0.0)
    log = np.log1p(rate)
    bears = rate > 0
    safe = np.where(bears, log, 1.0)
    left = np.where(bears, np.expm1(-remaining * safe) / np.expm1(-term * safe), remaining / term)
    step = np.where(bears, rate * np.exp(at[:, :-1] * log) / np.expm1(term * safe), 1 / term)
    return left, np.where(at[:, 1:] <= term, step, 0.0)


def _with_defaults(
    found: dict[str, Floats],
    speeds: Speeds,
    before: Floats,
    scheduled: Floats,
    ends: Floats,
    alive: Floats,
    new: Floats,
    severity: Floats,
) -> Floats:
    """Adds what defaults change; returns the balance that bears interest. `new`: d(i)."""
    lag, start = speeds.lag, alive[:, :-1]
    found["default"] = before * new
    if speeds.advance:
        liquidated = before * _later(new, lag)
        in_foreclosure = _window(new, lag)
        found["balance"] = before * (start + _later(in_foreclosure, 1))
        found["scheduled_principal"] = scheduled * (start - new + in_foreclosure)
        found["ending_balance"] = ends * (alive[:, 1:] + in_foreclosure)
        bearing = found["balance"]
    else:
        liquidated = _later(found["default"], lag)
        in_foreclosure = _window(found["default"], lag)
        found["balance"] = before * start + _later(in_foreclosure, 1)
        found["scheduled_principal"] = scheduled * (start - new)
        found["ending_balance"] = ends * alive[:, 1:] + in_foreclosure
        bearing = before * (start - new)
    found["loss"] = np.minimum(_later(found["default"], lag) * severity, liquidated)
    found["recovery"] = liquidated - found["loss"]
    return bearing


def _later(columns: npt.NDArray[np.float64], months: int) -> Floats:
    """What stood so many months before."""
    moved = np.zeros_like(columns)
    if months < columns.shape[1]:
        moved[:, months:] = columns[:, : columns.shape[1] - months]
    return moved


def _window(columns: Floats, months: int) -> Floats:
    """Sum of this and the months before, so many in all: added, never taken away, so that nothing is left over."""
    total = np.zeros_like(columns)
    for back in range(min(months, columns.shape[1])):
        total[:, back:] += columns[:, : columns.shape[1] - back]
    return total
