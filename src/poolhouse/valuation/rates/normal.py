"""The normal distribution: shares below a value, and values below which a share lies."""

from __future__ import annotations

import math

import numpy as np

from poolhouse.valuation.wrong import Floats

_erfc = np.frompyfunc(math.erfc, 1, 1)
_MIDDLE, _FAR = 0.425, 5.0
# Coefficients, highest power first, of numerators and denominators: near the middle, in the tails, far out.
_NEAR_UP = (
    2509.0809287301226727, 33430.575583588128105, 67265.770927008700853, 45921.953931549871457,
    13731.693765509461125, 1971.5909503065514427, 133.14166789178437745, 3.387132872796366608,
)  # fmt: skip
_NEAR_DOWN = (
    5226.495278852545925, 28729.085735721942674, 39307.89580009271061, 21213.794301586595867, 5394.1960214247511077,
    687.1870074920579083, 42.313330701600911252, 1.0,
)  # fmt: skip
_TAIL_UP = (
    7.7454501427834140764e-4, 0.0227238449892691845833, 0.24178072517745061177, 1.27045825245236838258,
    3.64784832476320460504, 5.7694972214606914055, 4.6303378461565452959, 1.42343711074968357734,
)  # fmt: skip
_TAIL_DOWN = (
    1.05075007164441684324e-9, 5.475938084995344946e-4, 0.0151986665636164571966, 0.14810397642748007459,
    0.68976733498510000455, 1.6763848301838038494, 2.05319162663775882187, 1.0,
)  # fmt: skip
_FAR_UP = (
    2.01033439929228813265e-7, 2.71155556874348757815e-5, 0.0012426609473880784386, 0.026532189526576123093,
    0.29656057182850489123, 1.7848265399172913358, 5.4637849111641143699, 6.6579046435011037772,
)  # fmt: skip
_FAR_DOWN = (
    2.04426310338993978564e-15, 1.4215117583164458887e-7, 1.8463183175100546818e-5, 7.868691311456132591e-4,
    0.0148753612908506148525, 0.13692988092273580531, 0.59983220655588793769, 1.0,
)  # fmt: skip


def below(value: Floats) -> Floats:
    """Share of a standard normal below the value."""
    return np.asarray(_erfc(-np.asarray(value) / math.sqrt(2)), dtype=np.float64) / 2


def value_at(share: Floats) -> Floats:
    """The value below which a share between 0 and 1 lies; 16 digits. Source: Wichura (1988), AS 241, Applied
    Statistics 37."""
    from_middle = share - 0.5
    near = np.abs(from_middle) <= _MIDDLE
    r = _MIDDLE**2 - from_middle**2
    found = from_middle * np.polyval(_NEAR_UP, r) / np.polyval(_NEAR_DOWN, r)
    outside = np.flatnonzero(~near)
    away = from_middle.reshape(-1)[outside]
    given = share.reshape(-1)[outside]
    root = np.sqrt(-np.log(np.where(away < 0, given, 1 - given)))
    tail, far = root - 1.6, root - _FAR
    out = np.where(
        root <= _FAR,
        np.polyval(_TAIL_UP, tail) / np.polyval(_TAIL_DOWN, tail),
        np.polyval(_FAR_UP, far) / np.polyval(_FAR_DOWN, far),
    )
    flat = found.reshape(-1)
    flat[outside] = np.copysign(out, away)
    return np.asarray(flat.reshape(share.shape))
