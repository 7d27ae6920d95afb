"""Step 1: a loan closes. Lenders start with capital and a funding line; closing moves the money."""

from __future__ import annotations

from poolhouse.primary.capital import endow, endow_system
from poolhouse.primary.closing import advances, close
from poolhouse.primary.turnover import turns

__all__ = ["advances", "close", "endow", "endow_system", "turns"]
