"""Step 2: the loans that meet a program's standards are sold to the best-paying outlet."""

from __future__ import annotations

from poolhouse.sale.approving import approvals
from poolhouse.sale.price_sheet import opening_sheet, sheet
from poolhouse.sale.retaining import retain
from poolhouse.sale.scorecard import (
    STATES,
    STOPPED,
    current_states,
    decide,
    measured,
    outside_overlay,
    rate_lenders,
    windows,
)
from poolhouse.sale.selling import sell
from poolhouse.sale.watching import expectations, judged

__all__ = [
    "STATES",
    "STOPPED",
    "approvals",
    "current_states",
    "decide",
    "expectations",
    "judged",
    "measured",
    "opening_sheet",
    "outside_overlay",
    "rate_lenders",
    "retain",
    "sell",
    "sheet",
    "windows",
]
