"""What defaults take from a security's payments on paths: a month's dollars by what the loans do, for the kernel.

Who prepays differs by path, who defaults does not: the rates' model knows neither house prices nor jobs, so a month's
default rate and severity are the same on all paths. But what there is to default does differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from poolhouse.valuation.wrong import Floats

if TYPE_CHECKING:
    from poolhouse.valuation.path_values import Security


@dataclass(frozen=True)
class Losses:
    """Of one loan group. terms: as `kernels.path_losses` takes them, 4 x months; mdr: shares of 1 by month."""

    terms: Floats
    mdr: Floats
    lag: int
    advance: bool

    def add(self, smm: Floats, low: int, discount: Floats, worth: Floats) -> None:
        """Adds to worth[month, path] the discounted payments of a chunk of paths, from `low` on."""
        from poolhouse.valuation import kernels

        width = smm.shape[1]
        state, recent = np.empty((2, width)), np.empty((max(self.lag, 1), width))
        kernels.path_losses(smm, low, discount, self.terms, self.mdr, self.lag, self.advance, worth, state, recent)


def losses(of: Security, which: int, left: Floats) -> Losses | None:
    """Those of a group whose scheduled balance is `left`, dollars by month, at last 0; None where nothing defaults."""
    if of.credit is None:
        return None
    given, row, months = of.credit, slice(which, which + 1), len(left) - 1
    _, strip = given.strips(of.pools.part(row), row, months)
    mdr = np.where(np.arange(months) < months - given.lag, strip.of(months)[0], 0.0)  # liquidated before maturity
    if not mdr.any():
        return None
    severity = given.severities(months, row).reshape(-1)
    opening, after = left[:-1], left[1:]
    then = np.zeros(months)  # the balance at default of what is liquidated now
    then[given.lag :] = opening[: months - given.lag]
    liquidated = opening if given.advance else then
    recovered = liquidated - np.minimum(then * severity, liquidated)
    interest = of.interest * opening * float(of.pools.coupon[which]) / 1200
    terms = np.stack([interest, of.principal * (opening - after), of.principal * after, of.principal * recovered])
    return Losses(terms, mdr, given.lag, given.advance)
