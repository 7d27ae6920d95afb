"""Reads tables of a deal's file into exact values and says where one can't be meant.

Amounts become cents, percentages whole numbers of 1e-7, so that 7.5 is 750_000 and never a float. Every message names
the deal, the table and the key. A key nobody asked for is refused: a misspelt one must not be overlooked.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, NoReturn

from poolhouse.deals.trust import Groups
from poolhouse.findings import Refused
from poolhouse.money import RATE_ONE

MOST_DOLLARS = 10**12
MOST_PERCENT = 1_000
_SMALLEST, _LARGEST = -12, 15
"""Powers of ten a number may have."""
_REQUIRED = object()
_PERCENT = RATE_ONE // 100


class Table:
    """One table of the file; each key is asked for once by its kind, then `done` refuses what is left."""

    def __init__(self, values: Any, place: str) -> None:
        self.place = place
        if not isinstance(values, Mapping):
            self.refuse("must be a table of keys and values")
        self._values = dict(values)
        self._known: list[str] = []

    def refuse(self, text: str) -> NoReturn:
        raise Refused(f"{self.place}: {text}")

    def has(self, key: str) -> bool:
        return key in self._values

    def take(self, key: str, default: Any = _REQUIRED) -> Any:
        """The raw value."""
        self._known.append(key)
        if key in self._values:
            return self._values[key]
        if default is _REQUIRED:
            self.refuse(f"{key} is missing")
        return default

    def text(self, key: str, default: Any = _REQUIRED) -> str:
        found = self.take(key, default)
        if not isinstance(found, str) or (key == "name" and not found.strip()) or not found.isprintable():
            self.refuse(f"{key} must be a text, not {found!r}")
        return found

    def choice(self, key: str, among: tuple[str, ...], default: str) -> str:
        found = self.text(key, default)
        if found not in (*among, default):
            self.refuse(f"{key} {found!r} is none of {', '.join(among)}")
        return found

    def yes(self, key: str) -> bool:
        found = self.take(key, False)
        if not isinstance(found, bool):
            self.refuse(f"{key} must be true or false, not {found!r}")
        return found

    def whole(self, key: str, default: Any = _REQUIRED, *, least: int = 0, most: int = 1200) -> int:
        return self._whole(key, self.take(key, default), least, most)

    def _whole(self, key: str, found: Any, least: int, most: int) -> int:
        if isinstance(found, bool) or not isinstance(found, int) or not least <= found <= most:
            self.refuse(f"{key} must be a whole number of {least} to {most}, not {found}")
        return found

    def number(self, key: str, default: Any = _REQUIRED) -> Decimal:
        return self._number(key, self.take(key, default))

    def _number(self, key: str, found: Any) -> Decimal:
        if isinstance(found, bool) or not isinstance(found, int | Decimal) or not Decimal(found).is_finite():
            self.refuse(f"{key} must be a number, not {found!r}")
        number = Decimal(found)
        if (
            number and not _SMALLEST <= number.adjusted() <= _LARGEST
        ):  # 1e-999999999 as a fraction would fill the memory
            self.refuse(f"{key} must be a number of sensible size")
        return number

    def cents(self, key: str, default: Any = _REQUIRED) -> int:
        """Dollars as cents."""
        return self._cents(key, self.number(key, default))

    def _cents(self, key: str, dollars: Decimal) -> int:
        if not 0 <= dollars <= MOST_DOLLARS:
            self.refuse(f"{key} {dollars} must be 0 to {MOST_DOLLARS:,} dollars")
        if (cents := dollars * 100) != int(cents):
            self.refuse(f"{key} {dollars} has parts of a cent")
        return int(cents)

    def percent(self, key: str, default: Any = _REQUIRED, *, most: int = MOST_PERCENT, least: int = 0) -> int:
        """Percent as 1e-7."""
        return self._percent(key, self.take(key, default), least, most)

    def _percent(self, key: str, given: Any, least: int, most: int) -> int:
        found = self._number(key, given)
        if not least <= found <= most:
            self.refuse(f"{key} {found} must be {least} to {most} percent")
        if (e7 := found * _PERCENT) != int(e7):
            self.refuse(f"{key} {found} is finer than 0.00001 percent")
        return int(e7)

    def percents(self, key: str, default: Any = _REQUIRED) -> tuple[int, ...]:
        """A percentage, or one a month."""
        found = self.take(key, default)
        values = found if isinstance(found, list | tuple) else [found]
        if not values:
            self.refuse(f"{key} must be a percentage, or one a month")
        return tuple(self._percent(key, value, -100, MOST_PERCENT) for value in values)

    def amounts(self, key: str) -> tuple[int, ...]:
        """Dollars, or a list of them, as cents."""
        found = self.take(key)
        values = found if isinstance(found, list) else [found]
        if not values:
            self.refuse(f"{key} must not be empty")
        return tuple(self._cents(key, self._number(key, value)) for value in values)

    def numbers(self, key: str) -> tuple[float, ...]:
        """A number, or a list of them."""
        found = self.take(key)
        values = found if isinstance(found, list) else [found]
        if not values:
            self.refuse(f"{key} must not be empty")
        return tuple(float(self._number(key, value)) for value in values)

    def steps(self, key: str, default: Any = _REQUIRED) -> tuple[tuple[int, int], ...]:
        """[[month, percent], ...], months rising."""
        found = self.take(key, default)
        if not isinstance(found, list | tuple) or any(not isinstance(pair, list) or len(pair) != 2 for pair in found):
            self.refuse(f"{key} must be pairs of a month and the percentage from it on: [[61, 70], [73, 60]]")
        pairs = tuple((self._whole(key, m, 1, 1200), self._percent(key, p, 0, MOST_PERCENT)) for m, p in found)
        if any(a[0] >= b[0] for a, b in itertools.pairwise(pairs)):
            self.refuse(f"{key}: the months must rise")
        return pairs

    def fraction(self, key: str) -> Fraction:
        found = self.number(key)
        if not 0 < found <= MOST_PERCENT:
            self.refuse(f"{key} {found} must be above 0, at most {MOST_PERCENT}")
        return Fraction(found)

    def names(self, key: str, default: Any = _REQUIRED) -> Groups:
        """Classes in order: ["A", ["FL", "IFL"], "Z"], an inner list is a group. Each once."""
        found = self.take(key, default)
        groups = found if isinstance(found, list | tuple) else None
        if groups is None or (not groups and default is _REQUIRED):
            self.refuse(f'{key} must be a list of classes: ["A", ["B", "C"]]')
        read = tuple(tuple(group) if isinstance(group, list) else (group,) for group in groups)
        every = [name for group in read for name in group]
        if any(not group for group in read) or any(not isinstance(name, str) for name in every):
            self.refuse(f"{key} must be names of classes, or lists of names")
        twice = next((name for name in every if every.count(name) > 1), None)
        if twice is not None:
            self.refuse(f"{key} names {twice!r} twice")
        return read

    def table(self, key: str) -> Table:
        return Table(self.take(key), f"{self.place}, {key}")

    def tables(self, key: str, called: str) -> list[Table]:
        """[[key]] tables."""
        found = self.take(key)
        if not isinstance(found, list) or not found:
            self.refuse(f"[[{key}]] is missing: one for each {called}")
        return [Table(values, f"{self.place}, {called} {place}") for place, values in enumerate(found, 1)]

    def done(self) -> None:
        """Refuses keys that were not asked for."""
        unknown = [key for key in self._values if key not in self._known]
        if unknown:
            self.refuse(f"{unknown[0]!r} is no key here; these are: {', '.join(dict.fromkeys(self._known))}")
