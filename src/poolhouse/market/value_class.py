"""value of a class of a private pool's deal: its loans are projected, the deal pays them out, the class is valued."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from poolhouse import deals
from poolhouse.deals.classes import Fixed
from poolhouse.deals.deal import Life
from poolhouse.deals.measures import flows_of
from poolhouse.findings import Refused
from poolhouse.market.classes import issued, standings
from poolhouse.market.desk import Desk
from poolhouse.market.structure_pool import left_of
from poolhouse.market.value import Answer, delay_of, measures, settle_days_of, speeds_of
from poolhouse.market.value_borrowers import Asked, told


def value_class(
    desk: Desk, pool: dict[str, Any], *, speeds: Mapping[str, Any] | None = None,
    severity: float | list[float] | None = None, lag: int = 12, advance: bool = True, price: str | float | None = None,
    bond_equivalent_yield: float | None = None, mortgage_yield: float | None = None, program: str | None = None,
    delay_days: float | None = None, settle: str | date | float | None = None, rows: bool = False, rates: Any = None,
    paths: int = 0, **borrowers: Any,
) -> Answer:  # fmt: skip
    """The class that a row of `pool_of` names, from where it stands at the last closed month; options as of
    `value_pool`. Keys as there, of the class; pool has cusip, pool_number, class_name, guaranteed and loans too, wac,
    wam and age are of the loans behind it; cashflows: month, balance, net_interest, principal, loss, unpaid_interest,
    cash_flow, ending_balance; by_speed is empty. Refused: nothing is left of it, and `rates` (`structure` has them).
    """
    name, number = pool["class_name"], pool["pool_number"]
    if rates is not None:
        raise Refused(f"classes on paths of rates: `poolhouse structure --book DIR --pool {number} --rates FILE`")
    if borrowers.get("guaranteed"):
        raise Refused("--guaranteed is of a tape or a pool by numbers: nobody guarantees a private pool's classes")
    (one,) = (one for one in issued(desk) if one.pool_id == pool["pool_id"])
    (stood,) = standings(desk, max(desk.month - 1, one.issue_month), [one])
    deal, state = one.deal, stood.state
    if not state.balance[name]:
        raise Refused(f"class {name} of pool {number}: nothing is left of it")
    left = left_of(desk, pool, (Asked(**borrowers), speeds_of(speeds), severity, lag, advance))
    life = deals.run(deal, left.months(), start=state).classes[name]
    c, own = deal.classes[name], program is None and delay_days is None
    delay, days = float(c.delay_days) if own else delay_of(program, delay_days), settle_days_of(settle)
    of = flows_of(c, life, 0, days, delay)
    frame, balance = _months(life), left.loans["balance"].to_numpy()
    rate_e7 = c.coupon.rate_e7 if isinstance(c.coupon, Fixed) else pool["coupon_rate_e7"]

    def mean(column: str) -> float:
        return float(balance @ left.loans[column].to_numpy()) / float(balance.sum())

    answer: Answer = {
        "pool": {
            "cusip": pool["cusip"], "pool_number": number, "class_name": name, "as_of": desk.today.isoformat(),
            "guaranteed": False, "loans": left.loans.height, "balance": life.balance[0] / 100, "wac": mean("wac"),
            "coupon": rate_e7 / 100_000, "wam": round(mean("wam")), "age": round(mean("age")),
        },
        "speeds": left.of.said, **measures(of, frame, price, bond_equivalent_yield, mortgage_yield),
        "delay_days": delay, "settle_days": days, "by_speed": [],
    }  # fmt: skip
    answer |= {"borrowers": told(left.loans, left.of)} if left.of.modelled else {}
    return answer | ({"cashflows": frame.head(answer["last_month"]).rows(named=True)} if rows else {})


def _months(life: Life) -> pl.DataFrame:
    """The class's months in dollars."""
    columns = {
        "balance": life.balance, "net_interest": life.interest, "principal": life.principal, "loss": life.loss,
        "unpaid_interest": life.unpaid, "cash_flow": np.add(life.interest, life.principal),
        "ending_balance": life.ending,
    }  # fmt: skip
    month = np.arange(1, len(life.balance) + 1, dtype=np.int32)
    return pl.DataFrame(
        {"month": month, **{n: np.asarray(cents, dtype=np.float64) / 100 for n, cents in columns.items()}}
    )
