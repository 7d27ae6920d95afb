"""The ledger: chart of accounts, posting templates, and the engine that makes lines of them."""

from __future__ import annotations

from poolhouse.ledger.engine import LINES_SCHEMA, cash_accounts, chart, lines, templates

__all__ = ["LINES_SCHEMA", "cash_accounts", "chart", "lines", "templates"]
