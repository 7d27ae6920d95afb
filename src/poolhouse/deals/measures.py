"""What each class of a run is worth: average life, window, yield at a price, what it lost. Dollars, years, percent."""

from __future__ import annotations

from typing import Any

import numpy as np

from poolhouse import valuation
from poolhouse.deals.classes import Class, NetWac
from poolhouse.deals.deal import Life, Run
from poolhouse.valuation import Flows

Row = dict[str, Any]


def flows_of(c: Class, life: Life, index_e7: int, settle_days: int = 0, delay_days: float | None = None) -> Flows:
    """The class's payments as valuation takes them. For a notional balance its decline stands for principal, so that
    it has an average life; an accrual class that is paid while interest is added has as principal what its balance
    fell by (SF-57). Accrued interest is that of the first month's rate."""
    principal = np.array(life.principal, dtype=np.float64)
    cash = np.array(life.interest, dtype=np.float64) + principal
    if c.accrues_until:
        principal = np.maximum(principal - np.array(life.accrued, dtype=np.float64), 0)
    if c.notional:
        principal = -np.diff(np.array(life.balance + life.ending[-1:], dtype=np.float64))
    return valuation.flows(
        cash / 100, principal / 100, life.balance[0] / 100, _rate(c, life, index_e7),
        remaining=np.array(life.ending) / 100, settle_days=settle_days,
        delay_days=c.delay_days if delay_days is None else delay_days,
    )  # fmt: skip


def _rate(c: Class, life: Life, index_e7: int) -> float:
    """Percent, for what is accrued at settlement. The collateral's own rate is what it pays in the first month."""
    if isinstance(c.coupon, NetWac):
        return 1200 * life.interest[0] / life.balance[0] if life.balance[0] else 0.0
    return c.coupon.rate(index_e7) / 100_000


def measures(ran: Run, name: str, *, price: float | None = None, index_e7: int = 0, settle_days: int = 0) -> Row:
    """size_cents, rate (percent), wal, first_month and last_month (of principal; of interest where there is no
    principal), interest, principal, accrued, loss and unpaid interest in cents; at a price per 100 the yields and
    durations. None where there is no such number."""
    c, life = ran.deal.classes[name], ran.classes[name]
    of = flows_of(c, life, index_e7, settle_days) if not c.residual else None
    paying = [i + 1 for i, paid in enumerate(life.principal if c.balance else life.interest) if paid]
    rate = None if c.residual or isinstance(c.coupon, NetWac) else _rate(c, life, index_e7)
    found: Row = {
        "class": name, "size_cents": life.balance[0], "rate": rate,
        "wal": float(valuation.wal(of)) if of is not None and of.principal.sum() > 0 else None,
        "first_month": paying[0] if paying else None, "last_month": paying[-1] if paying else None,
        "interest_cents": sum(life.interest), "principal_cents": sum(life.principal),
        "accrued_cents": sum(life.accrued), "loss_cents": sum(life.loss), "unpaid_interest_cents": life.unpaid[-1],
    }  # fmt: skip
    if price is not None and of is not None:
        found["price"] = price
        rate_of = bond = None
        if of.cash_flow.sum() > 0:
            rate_of = valuation.bond_equivalent_yield(of, price)
            bond = float(rate_of)
        found["bond_equivalent_yield"] = bond
        found["modified_duration"] = None if bond is None else float(valuation.modified_duration(of, bond))
    return found
