"""The twelve promises: what is always true of a book, checked from another source than the thing itself.

Nothing here imports a step of the market: what checks the book must not repeat what made it.
"""

from __future__ import annotations

from poolhouse.promises.verifying import NAMES, Progress, Replay, verify

__all__ = ["NAMES", "Progress", "Replay", "verify"]
