"""Prices by rate, as a sheet lists them: exact at its rates, on a straight line between two of them, never beyond."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from poolhouse.money import half_up_div

Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

WIDEST_E7 = 50_000
"""Half a percent."""


@dataclass(frozen=True)
class Curve:
    """Rates (e7, ascending) and their prices (e6). Two listed rates more than WIDEST_E7 apart have nothing between
    them."""

    rates: Int64s
    prices: Int64s

    def at(self, rates: Int64s) -> tuple[Int64s, Bools]:
        """Prices in e6, half-up, and where there is one."""
        if not len(self.rates):
            return np.zeros_like(rates), np.zeros(len(rates), dtype=bool)
        right = np.clip(np.searchsorted(self.rates, rates, side="left"), 0, len(self.rates) - 1)
        exact = self.rates[right] == rates
        left = np.maximum(right - 1, 0)
        span = self.rates[right] - self.rates[left]
        between = (span > 0) & (span <= WIDEST_E7) & (rates > self.rates[left]) & (rates < self.rates[right])
        rise = (self.prices[right] - self.prices[left]) * (rates - self.rates[left])
        price = np.where(exact, self.prices[right], self.prices[left])
        for gap in np.unique(span[between]):
            here = between & (span == gap)
            price[here] += half_up_div(rise[here], int(gap))
        return price, exact | between


def curves(frame: pl.DataFrame, rate: str) -> dict[tuple[int, int], Curve]:
    """(program, term_bucket) -> curve, of a frame with those columns, `rate` and price_e6."""
    found: dict[tuple[int, int], Curve] = {}
    for (program, bucket), part in frame.sort(rate).group_by("program", "term_bucket", maintain_order=True):
        rates, prices = part[rate].to_numpy().astype(np.int64), part["price_e6"].to_numpy().astype(np.int64)
        found[int(str(program)), int(str(bucket))] = Curve(rates, prices)
    return found
