"""Step 2: the loans that meet a program's standards are sold to the best-paying outlet."""

from __future__ import annotations

from poolhouse.sale.approving import approvals
from poolhouse.sale.price_sheet import opening_sheet, sheet
from poolhouse.sale.retaining import retain
from poolhouse.sale.selling import sell
from poolhouse.sale.watching import expectations, rate_lenders

__all__ = ["approvals", "expectations", "opening_sheet", "rate_lenders", "retain", "sell", "sheet"]
