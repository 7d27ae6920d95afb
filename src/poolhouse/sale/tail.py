"""The exact chance that so many or more of the bad loans of all lenders are one lender's, by luck alone.

In each cell of like loans the bad ones are dealt among all loans; how many fall on the lender is
hypergeometric, and the cells add up. The peers' rate is not taken as known: few peers prove little.
(Fisher's exact test, stratified.) Only sums, products and quotients of floats in a fixed order: the
same bits on any processor, unlike logarithms or a library's dot product.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def at_least(count: int, cells: list[tuple[int, int, int]]) -> float:
    """P(X >= count), X = bad loans that fall on a lender, over cells of (its loans, all loans, bad ones of all).

    Exact but for float rounding, about 1e-13.

    >>> round(at_least(2, [(2, 4, 2)]), 12)  # two of four are bad: both of them its own two, one of six ways
    0.166666666667
    """
    if count <= 0:
        return 1.0
    chances, least = np.array([1.0]), 0
    for own, every, bad in cells:
        part, first = _dealt(own, every, bad)
        chances, least = _convolved(chances, part), least + first
    total = 0.0
    for chance in chances[max(count - least, 0) :][::-1]:  # the small ones first
        total += float(chance)
    return min(total, 1.0)


def _dealt(own: int, every: int, bad: int) -> tuple[Floats, int]:
    """P(first), P(first + 1), ... of one cell, and the least number possible: worked out from the likeliest one on."""
    first, last = max(0, own + bad - every), min(own, bad)
    mode = min(max((own + 1) * (bad + 1) // (every + 2), first), last)
    up = _falling([(bad - x) * (own - x) / ((x + 1) * (every - bad - own + x + 1)) for x in range(mode, last)])
    down = _falling([x * (every - bad - own + x) / ((bad - x + 1) * (own - x + 1)) for x in range(mode, first, -1)])
    chances = np.array([*down[::-1], 1.0, *up])
    total = 0.0
    for chance in np.sort(chances):
        total += float(chance)
    return chances / total, first


def _falling(ratios: list[float]) -> list[float]:
    """The running products of ratios below one."""
    products, product = [], 1.0
    for ratio in ratios:
        product *= ratio
        products.append(product)
    return products


def _convolved(left: Floats, right: Floats) -> Floats:
    total = np.zeros(len(left) + len(right) - 1)
    short, long = (left, right) if len(left) <= len(right) else (right, left)
    for j, factor in enumerate(short):
        total[j : j + len(long)] += factor * long
    return total
