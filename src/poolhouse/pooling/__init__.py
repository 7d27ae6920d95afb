"""Step 3: similar loans become pools, pools become securities, and each month has its factors."""

from __future__ import annotations

from poolhouse.pooling.classes import read_deal
from poolhouse.pooling.deal_months import Issued, Standing, issued_deals, pay_deals, standings, window_months
from poolhouse.pooling.factors import factors, rounding_bound, settle
from poolhouse.pooling.forming import form

__all__ = [
    "Issued", "Standing", "factors", "form", "issued_deals", "pay_deals", "read_deal", "rounding_bound", "settle",
    "standings", "window_months",
]  # fmt: skip
