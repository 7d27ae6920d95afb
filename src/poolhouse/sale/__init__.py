"""Step 2: the loans that meet a program's standards are sold to the best-paying outlet."""

from __future__ import annotations

from poolhouse.sale.approving import approvals
from poolhouse.sale.choice.monthly import NONE_WAITING
from poolhouse.sale.commitments import KINDS, delivered, end, fillable, standing
from poolhouse.sale.outlets import buyers
from poolhouse.sale.price_sheet import opening_sheet, sheet
from poolhouse.sale.reps import IN_FORCE, life_of_loan, relief
from poolhouse.sale.repurchases import OPEN, REMEDIES, accrued_interest, premium, settle, settles, standing_demands
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
from poolhouse.sale.terms import price_of
from poolhouse.sale.watching import expectations, judged

__all__ = [
    "IN_FORCE",
    "KINDS",
    "NONE_WAITING",
    "OPEN",
    "REMEDIES",
    "STATES",
    "STOPPED",
    "accrued_interest",
    "approvals",
    "buyers",
    "current_states",
    "decide",
    "delivered",
    "end",
    "expectations",
    "fillable",
    "judged",
    "life_of_loan",
    "measured",
    "opening_sheet",
    "outside_overlay",
    "premium",
    "price_of",
    "rate_lenders",
    "relief",
    "retain",
    "sell",
    "settle",
    "settles",
    "sheet",
    "standing",
    "standing_demands",
    "windows",
]
