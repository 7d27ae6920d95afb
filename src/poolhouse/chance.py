"""Counter-based chance: a draw is a 64-bit hash of (seed, loan, month, purpose).

No generator, no state, no order: the same loan in the same month draws the same number in any
thread, part or engine. A decision compares the draw with an integer threshold.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

Uint64s = npt.NDArray[np.uint64]

_FNV_OFFSET = 0xCBF29CE484222325
_FNV_PRIME = 0x100000001B3
_MASK = 0xFFFFFFFFFFFFFFFF


def text_key(text: str) -> int:
    """FNV-1a 64 of the text's UTF-8 bytes: a stable key for a loan number or a purpose."""
    key = _FNV_OFFSET
    for byte in text.encode():
        key = ((key ^ byte) * _FNV_PRIME) & _MASK
    return key


def text_keys(texts: pl.Series) -> Uint64s:
    """`text_key` of a whole column, byte position by byte position."""
    arrow = texts.cast(pl.String)
    lengths = arrow.str.len_bytes().to_numpy().astype(np.int64)
    data = np.frombuffer("".join(arrow.to_list()).encode(), dtype=np.uint8)
    starts = np.cumsum(lengths) - lengths
    keys = np.full(len(texts), _FNV_OFFSET, dtype=np.uint64)
    for i in range(int(lengths.max(initial=0))):
        live = np.flatnonzero(lengths > i)
        keys[live] = (keys[live] ^ data[starts[live] + i]) * np.uint64(_FNV_PRIME)
    return keys


def mix(key: Uint64s) -> Uint64s:
    """splitmix64's finaliser: every input bit moves every output bit."""
    z = key + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def draws(seed: int, keys: Uint64s, month: int, purpose: str) -> Uint64s:
    """One 64-bit draw per key for a month and purpose ('prepay', 'default', 'payment-day'...)."""
    salt = np.array([seed & _MASK, month & _MASK, text_key(purpose)], dtype=np.uint64)
    state = mix(mix(mix(salt[:1]) ^ salt[1:2]) ^ salt[2:3])
    return mix(keys.astype(np.uint64, copy=False) ^ state)


def threshold(probability: float) -> np.uint64:
    """The largest draw that counts as 'yes' plus one: draw < threshold has this probability.

    Build it once per month and rate class, never per thread: float exp and log differ between
    processors, integer comparison doesn't.
    """
    clipped = min(max(probability, 0.0), 1.0)
    return np.uint64(min(int(clipped * 2.0**53) << 11, _MASK))


def below(draw: Uint64s, count: int) -> npt.NDArray[np.int64]:
    """Draws as integers 0 <= n < count, by the high bits."""
    return ((draw >> np.uint64(32)) * np.uint64(count) >> np.uint64(32)).astype(np.int64)
