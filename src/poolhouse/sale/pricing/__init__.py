"""Loan-level prices: what each outlet pays for each loan, line by line (docs/pricing.md)."""

from __future__ import annotations

from poolhouse.sale.pricing.offering import offers
from poolhouse.sale.pricing.sheet_files import read_sheet, sheet_day, with_changes
from poolhouse.sale.pricing.sheets import Sheet, model_sheet

__all__ = ["Sheet", "model_sheet", "offers", "read_sheet", "sheet_day", "with_changes"]
