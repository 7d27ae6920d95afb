"""The market: a file per command, a file per query. It loads, calls the steps, and commits once."""

from __future__ import annotations

from poolhouse.market.market import Market, open_market

__all__ = ["Market", "open_market"]
