"""What valuation says when its numbers can't be meant: one error, a refusal and a ValueError."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from poolhouse.findings import Refused

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
_NUMBERS = "biufOUS"
"""Kinds of arrays that may hold numbers, texts of them among them."""
_MOST_SHOWN = 80


class WrongInput(Refused, ValueError):
    """A number that can't be meant; the message names it, its place and what to give instead."""


def numbers(name: str, value: Any, low: float | None = None, high: float | None = None) -> Floats:
    """The value as float64, each finite and within the bounds. Raises WrongInput."""
    try:
        given = np.asarray(value)
        if given.dtype.kind not in _NUMBERS:  # a date or a complex number would become one in silence
            raise TypeError
        found = given.astype(np.float64, copy=False)
    except (TypeError, ValueError):
        raise WrongInput(f"{name} must be numbers, not {_shown(value)}") from None
    least, most = (float(found.min()), float(found.max())) if found.size else (0.0, 0.0)
    if not (np.isfinite(least) and np.isfinite(most)):  # a NaN is both the least and the most
        require(name, found, np.isfinite(found), "must be a finite number")
    if low is not None and least < low:
        require(name, found, found >= low, f"must not be below {low:g}")
    if high is not None and most > high:
        require(name, found, found <= high, f"must not be above {high:g}")
    return found


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."


def one_whole(name: str, value: Any, low: int, high: int, unit: str = "months") -> int:
    """One whole number within the bounds. Raises WrongInput."""
    found = whole(name, value, low, high, unit)
    if found.size != 1:
        raise WrongInput(f"{name} must be one number, not {_shown(value)}")
    return int(found.item())


def truth(name: str, value: Any) -> bool:
    """True or False; a word or a missing value would mean one of them by accident. Raises WrongInput."""
    if not isinstance(value, bool | np.bool_):
        raise WrongInput(f"{name} must be True or False, not {_shown(value)}")
    return bool(value)


def together(**columns: Floats) -> list[Floats]:
    """Columns of one shape: single numbers hold for all. Raises WrongInput."""
    try:
        return list(np.broadcast_arrays(*columns.values()))
    except ValueError:
        shapes = ", ".join(f"{name} {column.shape or 'one'}" for name, column in columns.items())
        raise WrongInput(f"columns must be of one length, or single numbers: {shapes}") from None


def whole(name: str, value: Any, low: int, high: int, unit: str = "months") -> Ints:
    """The value as int32, whole and within the bounds. Raises WrongInput."""
    given = np.asarray(value)
    if given.dtype.kind not in "iu":
        given = numbers(name, value)
        require(name, given, given == np.round(given), f"must be whole {unit}: round it")
    if given.size and not low <= given.min() <= given.max() <= high:
        require(name, given, (given >= low) & (given <= high), f"must be {low} to {high} {unit}")
    return np.asarray(given, dtype=np.int32)


def require(name: str, value: npt.NDArray[Any], kept: npt.NDArray[np.bool_], rule: str) -> None:
    """WrongInput with the first value that does not keep the rule."""
    if kept.all():
        return
    if value.size == 1:
        raise WrongInput(f"{name} {value.item():g} {rule}")
    place = tuple(int(at[0]) for at in np.nonzero(~kept))
    where = ", ".join(str(at + 1) for at in place)
    raise WrongInput(f"{name} {value[place].item():g} at place {where} {rule} ({int((~kept).sum())} such)")
