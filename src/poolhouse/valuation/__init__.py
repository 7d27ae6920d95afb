"""Valuation: what a pool will pay, and what that is worth. Floats live here and never enter the ledger.

`speeds` turns one measure of prepayment and default into another; `terms` holds pools and their speeds; `schedule` is
the standard formulas, a row per pool and month; `totals` the same for millions of loans by `kernels`, the one file
with machine code; `cashflows` is the door to both. `settlement` counts days and what a buyer pays, `yields` prices
known flows, `margins` floating ones, `returns` a holding period, a break-even speed and a dollar roll. `rates` is
curves, models and paths; `path_values` what a pool pays on each, `oas` the spread of that, `path_oas` of payments that
something else makes, `msr` servicing rights.
`prepayment` and `defaults` are models of borrowers, `likelihood` estimates them from events.
"""

from poolhouse.valuation import path_oas
from poolhouse.valuation.cashflows import cashflows, file_cashflows
from poolhouse.valuation.defaults import DefaultModel, default_model, marked_ltv
from poolhouse.valuation.margins import discount_margin, yield_spread
from poolhouse.valuation.msr import Msr, Servicing, State, Terms, msr, servicing
from poolhouse.valuation.oas import Moved, Oas, Priced, moved_paths, oas, oas_table, price_at_oas, z_spread
from poolhouse.valuation.path_values import Prepayment, Security, security
from poolhouse.valuation.prepayment import OwnModel, PrepaymentModel, prepayment_model
from poolhouse.valuation.quick_prepayment import quick_model
from poolhouse.valuation.returns import Effective, Return, Roll, break_even, effective, total_return
from poolhouse.valuation.settlement import accrued_interest, actual_delay_days, days_30_360, settlement_cost
from poolhouse.valuation.wrong import WrongInput
from poolhouse.valuation.yields import (
    Flows,
    bond_equivalent_yield,
    convexity,
    flows,
    flows_of,
    from_mortgage_yield,
    macaulay_duration,
    modified_duration,
    mortgage_yield,
    pool_flows,
    price,
    wal,
)

__all__ = [
    "DefaultModel",
    "Effective",
    "Flows",
    "Moved",
    "Msr",
    "Oas",
    "OwnModel",
    "Prepayment",
    "PrepaymentModel",
    "Priced",
    "Return",
    "Roll",
    "Security",
    "Servicing",
    "State",
    "Terms",
    "WrongInput",
    "accrued_interest",
    "actual_delay_days",
    "bond_equivalent_yield",
    "break_even",
    "cashflows",
    "convexity",
    "days_30_360",
    "default_model",
    "discount_margin",
    "effective",
    "file_cashflows",
    "flows",
    "flows_of",
    "from_mortgage_yield",
    "macaulay_duration",
    "marked_ltv",
    "modified_duration",
    "mortgage_yield",
    "moved_paths",
    "msr",
    "oas",
    "oas_table",
    "path_oas",
    "pool_flows",
    "prepayment_model",
    "price",
    "price_at_oas",
    "quick_model",
    "security",
    "servicing",
    "settlement_cost",
    "total_return",
    "wal",
    "yield_spread",
    "z_spread",
]  # fmt: skip
