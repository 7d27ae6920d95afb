"""The market: a file per command, a file per query. It loads, calls the steps, and commits once.

`Market` and `open_market` load when they are asked for: a value or a deal by itself needs no book, and waits for none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from poolhouse.market.market import Market, open_market

__all__ = ["Market", "open_market"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from poolhouse.market import market

    return getattr(market, name)
