"""What valuation says when its numbers can't be meant: one error, a refusal and a ValueError."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from poolhouse.findings import Refused

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]


class WrongInput(Refused, ValueError):
    """A number that can't be meant; the message names it, its place and what to give instead."""


def numbers(name: str, value: Any, low: float | None = None, high: float | None = None) -> Floats:
    """The value as float64, each finite and within the bounds. Raises WrongInput."""
    try:
        found = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise WrongInput(f"{name} must be numbers, not {value!r}") from error
    least, most = (float(found.min()), float(found.max())) if found.size else (0.0, 0.0)
    if not (np.isfinite(least) and np.isfinite(most)):  # a NaN is both the least and the most
        require(name, found, np.isfinite(found), "must be a finite number")
    if low is not None and least < low:
        require(name, found, found >= low, f"must not be below {low:g}")
    if high is not None and most > high:
        require(name, found, found <= high, f"must not be above {high:g}")
    return found


def whole(name: str, value: Any, low: int, high: int) -> Ints:
    """The value as int32 whole months within the bounds. Raises WrongInput."""
    given = np.asarray(value)
    if given.dtype.kind not in "iu":
        given = numbers(name, value)
        require(name, given, given == np.round(given), "must be whole months: round it")
    if given.size and not low <= given.min() <= given.max() <= high:
        require(name, given, (given >= low) & (given <= high), f"must be {low} to {high} months")
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
