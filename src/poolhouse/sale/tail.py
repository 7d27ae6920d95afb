"""The exact chance of so many or more defaults among loans with different default rates.

A sum of independent binomials (Poisson-binomial). Only sums, products and quotients of floats in a
fixed order: the same bits on any processor, unlike logarithms or a library's dot product. Scaling
by powers of two is exact and keeps large books from underflowing.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def at_least(count: int, cells: list[tuple[int, float]]) -> float:
    """P(X >= count), X = defaults among cells of (loans, rate): exact but for float rounding, about 1e-13.

    >>> round(at_least(2, [(2, 0.5)]), 12)
    0.25
    """
    if count <= 0:
        return 1.0
    if sum(loans for loans, _ in cells) < count:
        return 0.0
    below, exponent = np.array([1.0]), 0
    for loans, rate in cells:
        part, scale = _binomial(loans, rate, count)
        below, exponent = _rescaled(_convolved(below, part, count), exponent + scale)
    total = 0.0
    for term in below:
        total += float(term)
    return min(max(1.0 - math.ldexp(total, exponent), 0.0), 1.0)


def _binomial(loans: int, rate: float, count: int) -> tuple[Floats, int]:
    """P(0), ..., P(count - 1) of one cell as (values, power of two to multiply them by)."""
    size = min(loans, count - 1) + 1
    if rate >= 1.0:
        return np.array([float(j == loans) for j in range(size)]), 0
    odds = rate / (1.0 - rate)
    terms, term, scale = np.zeros(size), *_power(1.0 - rate, loans)
    shift = 0
    for j in range(size):
        terms[j] = term
        term = term * odds * (loans - j) / (j + 1)
        if term > 1e200:
            terms[: j + 1] *= 2.0**-600
            term *= 2.0**-600
            shift += 600
    return terms, scale + shift


def _power(base: float, exponent: int) -> tuple[float, int]:
    """base ** exponent as mantissa x 2 ** scale, by repeated squaring."""
    mantissa, scale = 1.0, 0
    square, square_scale = math.frexp(base)
    while exponent:
        if exponent & 1:
            mantissa, step = math.frexp(mantissa * square)
            scale += square_scale + step
        square, step = math.frexp(square * square)
        square_scale = 2 * square_scale + step
        exponent >>= 1
    return mantissa, scale


def _convolved(left: Floats, right: Floats, count: int) -> Floats:
    size = min(len(left) + len(right) - 1, count)
    total = np.zeros(size)
    short, long = (left, right) if len(left) <= len(right) else (right, left)
    for j, factor in enumerate(short[:size]):
        reach = min(len(long), size - j)
        total[j : j + reach] += factor * long[:reach]
    return total


def _rescaled(values: Floats, exponent: int) -> tuple[Floats, int]:
    largest = float(values.max())
    if largest == 0.0:
        return values, exponent
    step = math.frexp(largest)[1]
    return np.ldexp(values, -step), exponent + step
