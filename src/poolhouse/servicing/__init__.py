"""Step 5, servicing: payments, delinquency, advances, remittance, buyouts, losses, transfers."""

from __future__ import annotations

from poolhouse.servicing.collections import COLLECTIONS_SCHEMA, LATE_INSTALMENTS, add_collections, collections
from poolhouse.servicing.month import Changes, none_demanded, run_month
from poolhouse.servicing.opening import deemed, scheduled_after
from poolhouse.servicing.parameters import MonthRules, month_rules
from poolhouse.servicing.posting import (
    add_pools,
    add_up,
    claim_rows,
    month_events,
    month_sums,
    pool_months,
    receipt_sums,
)
from poolhouse.servicing.rights import agree, assumed_sale, rights_sold, transfer_event
from poolhouse.servicing.state import OPENING_COLUMNS, entering

__all__ = [
    "COLLECTIONS_SCHEMA",
    "LATE_INSTALMENTS",
    "OPENING_COLUMNS",
    "Changes",
    "MonthRules",
    "add_collections",
    "add_pools",
    "add_up",
    "agree",
    "assumed_sale",
    "claim_rows",
    "collections",
    "deemed",
    "entering",
    "month_events",
    "month_rules",
    "month_sums",
    "none_demanded",
    "pool_months",
    "receipt_sums",
    "rights_sold",
    "run_month",
    "scheduled_after",
    "transfer_event",
]
