"""The contract of each table: name, type, unit, meaning, key and sort.

Segments (Parquet) and record tables (SQL) alike. Read this folder to know what the book knows.
"""

from __future__ import annotations

from poolhouse.tables.contract import Column, Table
from poolhouse.tables.loans import LOANS, REJECTS, TAPE
from poolhouse.tables.months import CLASS_MONTHS, DEAL_MONTHS, HOLDER_MONTHS, LOAN_MONTHS, POOL_FACTORS, POOL_MONTHS
from poolhouse.tables.offers import OFFERS
from poolhouse.tables.outcome import Event, Outcome, Posting
from poolhouse.tables.pooling import DELINQUENCIES, POOL_LOANS, POOL_WAITS
from poolhouse.tables.records import (
    COMMITMENTS,
    DEALS,
    FIRST_CLASS_SECURITY,
    LENDER_STATES,
    PARTIES,
    POOLS,
    PRICES,
    RECORDS,
    REPURCHASES,
    SECURITIES,
    TRADES,
)
from poolhouse.tables.trade import ASSIGNMENTS, CHECKS, DELIVERIES, NOTICES, PAYMENTS, REFUSALS, SALES

SEGMENTS = {
    t.name: t
    for t in (
        TAPE, LOANS, REJECTS, CHECKS, SALES, REFUSALS, ASSIGNMENTS, PAYMENTS, NOTICES,
        LOAN_MONTHS, POOL_MONTHS, POOL_FACTORS, DEAL_MONTHS, CLASS_MONTHS, HOLDER_MONTHS, POOL_LOANS, POOL_WAITS,
        DELINQUENCIES, DELIVERIES,
    )
}  # fmt: skip
"""Tables that are kept as Parquet segments."""

__all__ = [
    "ASSIGNMENTS",
    "CHECKS",
    "CLASS_MONTHS",
    "COMMITMENTS",
    "DEALS",
    "DEAL_MONTHS",
    "DELINQUENCIES",
    "DELIVERIES",
    "FIRST_CLASS_SECURITY",
    "HOLDER_MONTHS",
    "LENDER_STATES",
    "LOANS",
    "LOAN_MONTHS",
    "NOTICES",
    "OFFERS",
    "PARTIES",
    "PAYMENTS",
    "POOLS",
    "POOL_FACTORS",
    "POOL_LOANS",
    "POOL_MONTHS",
    "POOL_WAITS",
    "PRICES",
    "RECORDS",
    "REFUSALS",
    "REJECTS",
    "REPURCHASES",
    "SALES",
    "SECURITIES",
    "SEGMENTS",
    "TAPE",
    "TRADES",
    "Column",
    "Event",
    "Outcome",
    "Posting",
    "Table",
]  # fmt: skip
