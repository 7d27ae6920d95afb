"""What other packages do with the same pool: run by `benches.value` in an environment of its own, one JSON line each.

Each prints loan-months a second of 360-month pools at 150 PSA, and the first month's principal, to see that it is the
same work. A package that isn't there, or can't do this, says so.
"""

from __future__ import annotations

import decimal
import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

TERM, BALANCE, GROSS, NET, PSA = 360, 1_000_000.0, 6.5, 6.0, 150
SECONDS = 1.0
START = datetime(2026, 1, 1, tzinfo=UTC)


def rate(one: Callable[[], float]) -> tuple[float, float]:
    """Loan-months a second of one pool's projection, and what it says of month 1."""
    first = one()
    began, count = time.perf_counter(), 0
    while time.perf_counter() - began < SECONDS or count < 2:
        one()
        count += 1
    return count * TERM / (time.perf_counter() - began), first


def quantlib() -> Callable[[], float]:
    """Scheduled amortisation only: QuantLib's cash flows know no prepayment."""
    import QuantLib

    tenor = QuantLib.Period(TERM, QuantLib.Months)

    def one() -> float:
        left = QuantLib.sinkingNotionals(tenor, QuantLib.Monthly, GROSS / 100, BALANCE)
        return float(left[0] - left[1])

    return one


def pymbs() -> Callable[[], float]:
    from pymbs import core

    given = [decimal.Decimal(str(x)) for x in (BALANCE, GROSS, TERM, 0, NET)]

    def one() -> float:
        months = list(core._amortize_repline(*given, 12, "PSA", str(PSA), None, START))
        return float(months[0]["total_principal"])

    return one


def mtge() -> Callable[[], float]:
    import numpy as np
    from mtge.xux64 import col_cfpmt, np2ct

    month = np.arange(TERM + 1)
    table = np.zeros((22, TERM + 1))
    table[17] = 1 - (1 - PSA / 100 * 0.002 * np.minimum(month, 30)) ** (1 / 12)
    table[18], table[19], table[20] = GROSS / 1200, NET / 1200, 1
    pointers = [np2ct(row) for row in table]

    def one() -> float:
        col_cfpmt(TERM, BALANCE, *pointers, 0, TERM, 0)
        return float(table[9][1] + table[7][1])

    return one


def mortgagekit() -> Callable[[], float]:
    import mortgagekit

    pool = mortgagekit.MortgagePool(balance=BALANCE, wac=GROSS / 100, wam=TERM, net_coupon=NET / 100)
    speed = mortgagekit.PSA(PSA)

    def one() -> float:
        first = mortgagekit.pool_cashflows(pool, speed)[0]
        known = vars(first) if hasattr(first, "__dict__") else {n: getattr(first, n) for n in dir(first) if n[0] != "_"}
        return float(sum(known.get(name, 0.0) for name in ("scheduled_principal", "prepayment")))

    return one


def absbox() -> Callable[[], float]:
    raise RuntimeError("needs a running Hastructure server; its client holds no cash-flow code")


if __name__ == "__main__":
    for make in (quantlib, pymbs, mtge, mortgagekit, absbox):
        try:
            speed, first = rate(make())
            print(json.dumps({"name": make.__name__, "rate": speed, "first": first}))
        except (Exception, SystemExit) as error:
            print(json.dumps({"name": make.__name__, "why": f"{type(error).__name__}: {error}"[:120]}))
        sys.stdout.flush()
