"""Trade tickets as a desk keeps them, in a CSV: who sold which security to whom, how much, when, at what price.

A row that can't be read is a finding with row, field, value and reason; the others go on.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from poolhouse.findings import Finding, Refused

TICKETS_SCHEMA: dict[str, pl.DataType] = {
    "row": pl.Int64(), "trade_id": pl.String(), "cusip": pl.String(), "seller": pl.String(), "buyer": pl.String(),
    "face_cents": pl.Int64(), "price_e6": pl.Int64(), "trade_date": pl.Date(), "settlement_date": pl.Date(),
}  # fmt: skip
"""Tickets as read. face_cents is original face; price_e6 per 100; seller and buyer as the file names them."""

_HEADER = ("trade_id", "cusip", "seller", "buyer", "face", "price", "trade_date", "settlement_date")
_TICKS = re.compile(r"(\d{1,3})-(\d{2})(\+?)")
_DECIMAL = re.compile(r"(\d{1,3})(?:\.(\d{1,6}))?")
_DOLLARS = re.compile(r"\d{1,13}(?:\.0{1,2})?")
_TICK_E6 = 31_250  # a 32nd of a point


def parse_price(text: str) -> int:
    """A price per 100 in e6: '101.25', or points and 32nds '101-16' with '+' for half a 32nd.

    101-16 = 101.5; 101-16+ = 101.515625. ValueError says what was expected.
    """
    ticks, decimal = _TICKS.fullmatch(text), _DECIMAL.fullmatch(text)
    if ticks and int(ticks[2]) < 32:
        price = int(ticks[1]) * 1_000_000 + int(ticks[2]) * _TICK_E6 + (_TICK_E6 // 2 if ticks[3] else 0)
    elif decimal:
        price = int(decimal[1]) * 1_000_000 + int((decimal[2] or "").ljust(6, "0"))
    else:
        raise ValueError("is no price: write 101.25 or, in 32nds, 101-08 or 101-08+")
    if price == 0:
        raise ValueError("is no price: it must be above zero")
    return price


def parse_face(text: str) -> int:
    """Original face in whole dollars, '1,000,000' or '1000000.00', as cents. ValueError otherwise."""
    bare = text.replace(",", "").removeprefix("$")
    if not _DOLLARS.fullmatch(bare) or int(bare.split(".")[0]) == 0:
        raise ValueError("is no face: write whole dollars above zero, such as 1000000")
    return int(bare.split(".")[0]) * 100


def _parse_date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("is no date: write YYYY-MM-DD") from None


def _parse_name(text: str) -> str:
    if not text:
        raise ValueError("is missing: every ticket needs one")
    return text


_PARSERS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "trade_id": ("trade_id", _parse_name),
    "cusip": ("cusip", lambda text: _parse_name(text).upper()),
    "seller": ("seller", _parse_name),
    "buyer": ("buyer", _parse_name),
    "face": ("face_cents", parse_face),
    "price": ("price_e6", parse_price),
    "trade_date": ("trade_date", _parse_date),
    "settlement_date": ("settlement_date", _parse_date),
}


def read_tickets(path: Path | str) -> tuple[pl.DataFrame, list[Finding]]:
    """Tickets of a CSV file, TICKETS_SCHEMA in file order, and a finding for each row that can't be read.

    Refused when the file as a whole is no ticket file: missing, empty, not text, columns missing.
    """
    good: list[dict[str, Any]] = []
    findings: list[Finding] = []
    for number, record in enumerate(_records(Path(path)), start=1):
        ticket: dict[str, Any] = {"row": number}
        wrong = []
        for field in _HEADER:
            name, parse = _PARSERS[field]
            text = (record.get(field) or "").strip()
            try:
                ticket[name] = parse(text)
            except ValueError as error:
                wrong.append(ticket_finding(number, field, text, str(error)))
        findings += wrong
        if not wrong:
            good.append(ticket)
    return pl.DataFrame(good, schema=TICKETS_SCHEMA), findings


def ticket_finding(row: int, field: str, value: str, reason: str) -> Finding:
    """Why a ticket is refused."""
    message = f"ticket row {row}: {field} {value!r} {reason}"
    return Finding("trade", "investing.ticket", message, severity="error", row=row, field=field, value=value)


def _records(path: Path) -> list[dict[str, str | None]]:
    if not path.is_file():
        raise Refused(f"{path}: no such file; give a CSV file of trade tickets")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise Refused(f"{path} is not a text file: tickets are a CSV with {', '.join(_HEADER)}") from None
    if not text.strip():
        raise Refused(f"{path} is empty: tickets are a CSV with {', '.join(_HEADER)}")
    try:
        reader = csv.DictReader(text.splitlines(), strict=True)
        missing = [name for name in _HEADER if name not in (reader.fieldnames or [])]
        if missing:
            raise Refused(f"{path} lacks the columns {', '.join(missing)}: tickets have {', '.join(_HEADER)}")
        return list(reader)
    except csv.Error as error:
        raise Refused(f"{path} is no CSV: {error}") from None
