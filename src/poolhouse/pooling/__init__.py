"""Step 3: similar loans become pools, pools become securities, and each month has its factors."""

from __future__ import annotations

from poolhouse.pooling.factors import factors, rounding_bound, settle
from poolhouse.pooling.forming import form

__all__ = ["factors", "form", "rounding_bound", "settle"]
