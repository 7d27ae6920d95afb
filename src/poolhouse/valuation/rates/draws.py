"""Standard normals for paths: by counted chance with their mirror images, or by Sobol's sequence over a bridge.

Sobol's numbers fill 128 dimensions evenly (Joe and Kuo's direction numbers, sobol.csv); a Brownian bridge gives the
first of them to where a path ends and passes half-way, so that they decide nearly all of it; counted chance does the
rest. The sequence is used eight times, each shifted by chance of its own: eight independent answers, and so a
standard error, which a single sequence has not.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from poolhouse import chance
from poolhouse.valuation.rates import normal
from poolhouse.valuation.wrong import Floats, WrongInput

GROUPS = 8
"""Independently shifted parts of Sobol paths."""
_BITS = 32
_Uint32s = npt.NDArray[np.uint32]


def antithetic(seed: int, factors: int, steps: int, count: int) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Normals, factors x steps x paths, each path beside its mirror image; and the pair each path is of."""
    if count < 4 or count % 2:
        raise WrongInput(f"antithetic paths come in pairs: {count} must be even, and 4 at least")
    half = _chance(seed, factors, steps, np.arange(count // 2), "path")
    found = np.empty((factors, steps, count))
    found[..., 0::2], found[..., 1::2] = half, -half
    return found, np.arange(count) // 2


def sobol(seed: int, factors: int, grid: Floats, count: int) -> tuple[Floats, npt.NDArray[np.int64]]:
    """The same from Sobol's sequence, for steps between the times of `grid`; and the shifted part each path is of."""
    if count < 2 * GROUPS or count % GROUPS:
        raise WrongInput(f"{count} Sobol paths: give a multiple of {GROUPS}, {2 * GROUPS} at least (best a power of 2)")
    steps, each = len(grid) - 1, count // GROUPS
    whose = np.arange(count) // each
    even = _even(seed, each)
    known = min(len(even) // factors, steps)
    driving = np.empty((factors, steps, count))
    driving[:, :known] = normal.value_at(even[: known * factors]).reshape(known, factors, count).swapaxes(0, 1)
    driving[:, known:] = _chance(seed, factors, steps - known, np.arange(count), "path-rest")
    return np.stack([_bridged(one, grid) for one in driving]), whose


def points(count: int) -> _Uint32s:
    """The first points of the sequence as 32-bit fractions, dimensions x points; the first is 0 everywhere."""
    directions = _directions()
    found = np.zeros((len(directions), count), dtype=np.uint32)
    index = np.arange(count, dtype=np.int64)
    gray = index ^ (index >> 1)
    for bit in range(int(count - 1).bit_length()):
        found ^= np.where((gray >> bit) & 1, directions[:, bit : bit + 1], np.uint32(0)).astype(np.uint32)
    return found


def _even(seed: int, each: int) -> Floats:
    """Fractions, dimensions x paths: the sequence once for each group, shifted by exclusive or."""
    base = points(each)
    keys = np.arange(len(base) * GROUPS)
    shift = (chance.draws(seed, keys.astype(np.uint64), 0, "sobol-shift") >> np.uint64(32)).astype(np.uint32)
    moved = base[:, None, :] ^ shift.reshape(len(base), GROUPS, 1)
    return np.asarray((moved.reshape(len(base), -1) + 0.5) * 2.0**-_BITS)


@lru_cache(maxsize=1)
def _directions() -> _Uint32s:
    """Direction numbers by dimension and bit, as 32-bit fractions."""
    text = (files("poolhouse.valuation.rates") / "sobol.csv").read_text(encoding="utf-8")
    rows = [line.split(",") for line in text.splitlines() if line and line[0].isdigit()]
    found = np.zeros((len(rows), _BITS), dtype=np.uint32)
    for place, (_, polynomial, initial) in enumerate(rows):
        bits, numbers = int(polynomial), [int(n) for n in initial.split()]
        degree = bits.bit_length() - 1
        if degree == 0:
            numbers = [1] * _BITS  # the first dimension turns the bits around
        for k in range(len(numbers), _BITS):
            new = numbers[k - degree] ^ (numbers[k - degree] << degree)
            for i in range(1, degree):
                if (bits >> (degree - i)) & 1:
                    new ^= numbers[k - i] << i
            numbers.append(new)
        found[place] = [number << (_BITS - 1 - k) for k, number in enumerate(numbers[:_BITS])]
    return found


def _chance(seed: int, factors: int, steps: int, paths: npt.NDArray[np.int64], purpose: str) -> Floats:
    keys = paths.astype(np.uint64)
    found = np.empty((factors, steps, len(paths)))
    for factor in range(factors):
        for step in range(steps):
            draw = chance.draws(seed, keys, step, f"{purpose}-{factor}")
            found[factor, step] = ((draw >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52
    return normal.value_at(found)


def _bridged(driving: Floats, grid: Floats) -> Floats:
    """Each step's standard normal, of a Brownian path whose end is decided first, then its middle, and so on."""
    steps = len(grid) - 1
    path = np.zeros((steps + 1, driving.shape[1]))
    path[steps] = np.sqrt(grid[steps]) * driving[0]
    spans, used = [(0, steps)], 1
    while spans:
        wider = []
        for low, high in spans:
            if high - low < 2:
                continue
            middle = (low + high) // 2
            near, far = grid[middle] - grid[low], grid[high] - grid[middle]
            share = near / (near + far)
            path[middle] = path[low] * (1 - share) + path[high] * share + np.sqrt(far * share) * driving[used]
            used += 1
            wider += [(low, middle), (middle, high)]
        spans = wider
    return np.asarray(np.diff(path, axis=0) / np.sqrt(np.diff(grid))[:, None])
