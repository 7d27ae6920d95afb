"""Numbers of options as people write them: dollars, percent, months, days. What can't be read is refused by name."""

from __future__ import annotations

import re
from typing import NoReturn

import typer

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_LONE_M = re.compile(r"(-?\$?\s*[\d.,]+)\s*m", re.ASCII | re.IGNORECASE)


def dollars(text: str) -> float:
    """400e6, 400mm, 1.2bn, 400k or $400,000,000."""
    from poolhouse.money import dollars_of

    found = dollars_of(text)
    if found is None:
        lone = _LONE_M.fullmatch(text.strip())
        if lone and dollars_of(lone[1]) is not None:
            raise typer.BadParameter(f"{text!r} is thousand or million: write {lone[1]}k or {lone[1]}mm")
        _refuse(text, "an amount in dollars", "400e6, 400mm or $400,000,000")
    return found


def percent(text: str) -> float:
    """8.125 or 8.125%."""
    plain = text.strip().removesuffix("%").rstrip()
    if not _NUMBER.fullmatch(plain):
        _refuse(text, "a number in percent", "8.125 or 8.125%")
    return float(plain)


def whole_months(text: str | int) -> int:
    """12; a default comes as the number it is."""
    if not re.fullmatch(r"[+-]?\d{1,9}", str(text).strip(), re.ASCII):
        _refuse(str(text), "a whole number of months", "12")
    return int(text)


def days(text: str) -> float:
    """24."""
    if not _NUMBER.fullmatch(text.strip()):
        _refuse(text, "a number of days", "24")
    return float(text)


def _refuse(text: str, wanted: str, example: str) -> NoReturn:
    raise typer.BadParameter(f"{text!r} can't be read: give {wanted}, such as {example}")
