"""What a private trust's loans bring in distribution M, known before any payment of M arrives.

The same sums as pool_months has after the month, from the rows that the month opens with: deals pay from them at the
month's end, and while the month is open their factors are already known.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from poolhouse.money import monthly_interest
from poolhouse.servicing.distribution import scheduled_principal
from poolhouse.servicing.state import is_scheduled, read
from poolhouse.tables.codes import ACTIVE

LATE_INSTALMENTS = 2
"""Missed at a month's end: 60 days late (MBA)."""

COLLECTIONS_SCHEMA: dict[str, pl.DataType] = {
    "pool_id": pl.Int32(), "opening_scheduled_cents": pl.Int64(), "investor_interest_cents": pl.Int64(),
    "scheduled_principal_cents": pl.Int64(), "unscheduled_principal_cents": pl.Int64(), "loss_cents": pl.Int64(),
    "late_cents": pl.Int64(),
}  # fmt: skip
"""Per pool, as the columns of DEAL_MONTHS."""


def collections(opening: pl.DataFrame, pools: list[int], month: int) -> pl.DataFrame:
    """COLLECTIONS_SCHEMA, a row per pool with loans. opening: the month's opening rows (OPENING_COLUMNS), of one part
    or of all; parts add up with `add_collections`. pools: those issued as deals."""
    state = read(opening.filter(pl.col("pool_id").is_in(pools)))
    served = is_scheduled(state)
    balance = np.where(served | (state.pending != 0), state.scheduled, 0)
    own = np.where(served, state.scheduled - state.pending, 0)
    accrues = month >= state.first_due
    live = accrues & (own > 0) & (state.end_code == ACTIVE)
    behind = np.minimum(month - 1, state.maturity) - state.last_paid
    late = served & (behind >= LATE_INSTALMENTS) & (state.end_code == ACTIVE)  # one bought out is the trust's no more
    rows = {
        "pool_id": state.pool,
        "opening_scheduled_cents": balance,
        "investor_interest_cents": np.where(accrues, monthly_interest(balance, state.pass_through_rate), 0),
        "scheduled_principal_cents": np.where(live, scheduled_principal(state, own, month), 0),
        "unscheduled_principal_cents": np.where(balance > 0, state.pending, 0),
        "loss_cents": np.where(state.end_code != ACTIVE, own, 0),
        "late_cents": np.where(late, balance, 0),
    }
    return add_collections([pl.DataFrame(rows, schema=COLLECTIONS_SCHEMA)])


def add_collections(parts: list[pl.DataFrame]) -> pl.DataFrame:
    """`collections` of several parts as one."""
    return pl.concat(parts).group_by("pool_id").sum().sort("pool_id")
