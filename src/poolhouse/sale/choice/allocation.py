"""Which pools fill which million of a TBA trade. Source: SIFMA Uniform Practices ch. 8 (good delivery).

Each million stands for itself: within the variance, from so many pools at most. Pools are cut into certificates of any
whole dollar, the largest first, so that a million takes few of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

_MILLION_CENTS = 1_000_000_00
_DOLLAR = 100


@dataclass(frozen=True)
class Piece:
    """Face of a pool in one million (`lot`, from 1) of a trade."""

    lot: int
    pool: str
    face_cents: int


def lots(pools: list[tuple[str, int]], amount_cents: int, aim_cents: int) -> list[Piece]:
    """Pieces that fill a trade of `amount_cents` up to `aim_cents` in all, each million in proportion.

    pools: name and face in cents, cut to whole dollars. Ends where they do.
    """
    left = sorted(((face // _DOLLAR * _DOLLAR, name) for name, face in pools), key=lambda p: (-p[0], p[1]))
    pieces, lot, filled = [], 1, 0
    edges = _edges(amount_cents, aim_cents)
    for face, name in left:
        while face and lot <= len(edges):
            part = min(face, edges[lot - 1] - filled)
            pieces.append(Piece(lot, name, part))
            face -= part
            filled += part
            if filled == edges[lot - 1]:
                lot, filled = lot + 1, 0
    return pieces


def _edges(amount_cents: int, aim_cents: int) -> list[int]:
    """Face of each million, the rest of the amount last, moved by the variance that is used; whole dollars."""
    full, rest = divmod(amount_cents, _MILLION_CENTS)
    sizes = [_MILLION_CENTS] * full + ([rest] if rest else [])
    aimed = [size * aim_cents // amount_cents // _DOLLAR * _DOLLAR for size in sizes]
    return [edge for edge in aimed if edge]


def good(pieces: Iterable[Piece], amount_cents: int, variance_e6: int, most_pools: int) -> tuple[int, int]:
    """Millions that are good delivery, and the most pools that one takes. The last may be the rest of the amount."""
    full, rest = divmod(amount_cents, _MILLION_CENTS)
    held: dict[int, list[Piece]] = {}
    for piece in pieces:
        held.setdefault(piece.lot, []).append(piece)
    found = 0
    for lot, parts in held.items():
        size = _MILLION_CENTS if lot <= full else rest
        off = abs(sum(p.face_cents for p in parts) - size)
        found += off * 1_000_000 <= size * variance_e6 and len({p.pool for p in parts}) <= most_pools
    return found, max((len({p.pool for p in parts}) for parts in held.values()), default=0)
