"""Valuation: what a pool will pay, and what that is worth. Floats live here and never enter the ledger.

`speeds` turns one measure of prepayment and default into another; `terms` holds pools and their speeds; `schedule` is
the standard formulas, a row per pool and month; `totals` the same for millions of loans by `kernels`, the one file
with machine code; `cashflows` is the door to both.
"""

from poolhouse.valuation.cashflows import cashflows, file_cashflows
from poolhouse.valuation.wrong import WrongInput

__all__ = ["WrongInput", "cashflows", "file_cashflows"]
