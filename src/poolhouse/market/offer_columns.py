"""Columns of a pricing engine's files: what they are called, and text to exact amounts, prices and attributes."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from poolhouse.execution.groups import Ints
from poolhouse.findings import Refused
from poolhouse.loans.files import read_head, read_rows

REJECTED = {
    "file": pl.String(), "row": pl.Int64(), "field": pl.String(), "value": pl.String(), "rule": pl.String(),
    "to_do": pl.String(), "left_out": pl.String(),
}  # fmt: skip
"""A line or a value that can't be used; `row` 1 is the first below the header, `left_out` line or value."""

_AMOUNT = r"^(-)?\$?\s?(\d{1,13}|\d{1,3}(?:,\d{3}){1,4})(?:\.(\d*))?$"
_PRICE = r"^(\d{1,6})(?:\.(\d*))?$"
_TICKS = r"^(\d{1,6})-(\d{1,2})(\+)?$"
_NUMBER = r"^-?\$?\s?(\d{1,12}|\d{1,3}(?:,\d{3}){1,3})?(\.\d*)?\s?%?$"
_CODE = r"^-?0\d"
_SIXTY_FOURTH_E6 = 15_625
_TICKS_PER_POINT = 32
_E6, _E8, _E14 = 10**6, 10**8, 10**14


@lru_cache(maxsize=1)
def _data() -> dict[str, Any]:
    return tomllib.loads((files("poolhouse.market") / "data" / "offers.toml").read_text(encoding="utf-8"))


def bound(name: str) -> int:
    """The largest balance or value (dollars) or price (per 100) that can be meant."""
    return int(_data()["bounds"][name])


@lru_cache(maxsize=1)
def _aliases() -> dict[str, str]:
    return {alias: name for name, others in _data()["columns"].items() for alias in others}


def column_name(written: str) -> str:
    """'Price, P_ijk' -> price: lower case, signs to underscores, then the names that mean the same."""
    bare = re.sub(r"[^0-9a-z]+", "_", written.strip().lower()).strip("_")
    return _aliases().get(bare, bare)


@dataclass
class Rejected:
    """Collects what can't be used, with row, field, value, rule and what to do."""

    frames: list[pl.DataFrame] = field(default_factory=list)

    def add(self, rows: pl.DataFrame, *, file: str, field: str, rule: str | pl.Expr, to_do: str, left_out: str) -> None:
        """`rows`: with `row`; the value is taken from the column `field` as text, where there is one."""
        if not rows.height:
            return
        value = pl.col(field).cast(pl.String).fill_null("") if field in rows.columns else pl.lit("")
        says = pl.lit(rule) if isinstance(rule, str) else rule
        self.frames.append(
            rows.select(
                pl.lit(file).alias("file"), pl.col("row").cast(pl.Int64), pl.lit(field).alias("field"),
                value.alias("value"), says.alias("rule"), pl.lit(to_do).alias("to_do"),
                pl.lit(left_out).alias("left_out"),
            ).select(list(REJECTED))
        )  # fmt: skip

    def sift(
        self, rows: pl.DataFrame, bad: pl.Expr, *, file: str, field: str, rule: str | pl.Expr, to_do: str
    ) -> pl.DataFrame:
        """The rows that aren't bad; the others are rejected."""
        wrong = rows.select(bad.fill_null(True).alias("wrong"))["wrong"]
        self.add(rows.filter(wrong), file=file, field=field, rule=rule, to_do=to_do, left_out="line")
        return rows.filter(~wrong)

    def frame(self) -> pl.DataFrame:
        """All of them in the order of files and rows."""
        return (
            pl.concat(self.frames).sort("file", "row", maintain_order=True)
            if self.frames
            else pl.DataFrame(schema=REJECTED)
        )


@dataclass(frozen=True)
class Sheet:
    """A file as text: `row` (1 = first below the header) and its columns under our names, null where empty."""

    name: str
    frame: pl.DataFrame

    def needs(self, column: str, what: str) -> None:
        """Refused where the column is missing, with those there are."""
        if column not in self.frame.columns:
            there = ", ".join(c for c in self.frame.columns if c != "row")
            raise Refused(f"{self.name}: no column for {what} ({column}); it has {there}")


def read_sheet(path: Path | str, rejected: Rejected) -> Sheet:
    """A CSV (also .gz) or Parquet file. Lines that are no row are rejected; refused what is no table."""
    head = read_head(path)
    name = Path(path).name
    if head.kind == "xml":
        raise Refused(f"{path} is XML: give CSV or Parquet with a line of column names")
    written = [n for n in head.names if n.strip()]
    known: dict[str, str] = {}
    for text in written:
        ours = column_name(text)
        if ours in known:
            raise Refused(f"{path}: {known[ours]!r} and {text!r} both mean {ours}: keep one of them")
        known[ours] = text
    places = {ours: head.names.index(text) for ours, text in known.items()}
    if not places:
        raise Refused(f"{path}: its first line names no columns")
    raw = read_rows(head, sorted(places.values()), None)
    cells = [_trimmed(pl.col(str(at))).alias(ours) for ours, at in places.items() if ours != "row"]
    frame = raw.frame.select(pl.col("tape_row").alias("row"), *cells)
    broken = raw.broken.rename({"value": "line"})
    rejected.add(broken.with_columns(pl.col("line").alias("the line")), file=name, field="the line",
                 rule=pl.col("reason"), to_do="mend the line in the file", left_out="line")  # fmt: skip
    return Sheet(name, frame)


def _trimmed(cell: pl.Expr) -> pl.Expr:
    text = cell.str.strip_chars()
    return pl.when(text != "").then(text)


def cents(text: pl.Expr) -> pl.Expr:
    """Dollars as text to cents, half-up; null where it is no amount."""
    parts = text.str.extract_groups(_AMOUNT)
    whole = parts.struct.field("2").str.replace_all(",", "", literal=True).cast(pl.Int64, strict=False)
    decimals = parts.struct.field("3").fill_null("").str.pad_end(3, "0")
    kept = decimals.str.slice(0, 2).cast(pl.Int64, strict=False)
    up = (decimals.str.slice(2, 1) >= "5").cast(pl.Int64)
    return (whole * 100 + kept + up) * pl.when(parts.struct.field("1") == "-").then(-1).otherwise(1)


def price_parts(text: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """A price per 100 in millionths, and the next six decimals; null where it is none. 101.25, '101-16', '101-16+'."""
    point, ticks = text.str.extract_groups(_PRICE), text.str.extract_groups(_TICKS)
    decimals = point.struct.field("2").fill_null("").str.pad_end(12, "0")
    high = point.struct.field("1").cast(pl.Int64) * _E6 + decimals.str.slice(0, 6).cast(pl.Int64)
    low = pl.when(point.struct.field("1").is_not_null()).then(decimals.str.slice(6, 6).cast(pl.Int64)).otherwise(0)
    count = ticks.struct.field("2").cast(pl.Int64)
    half = (ticks.struct.field("3") == "+").fill_null(False).cast(pl.Int64)
    quoted = ticks.struct.field("1").cast(pl.Int64) * _E6 + (2 * count + half) * _SIXTY_FOURTH_E6
    return pl.coalesce(high, pl.when(count < _TICKS_PER_POINT).then(quoted)), low


def at_price(balance_cents: Ints, high: Ints, low: Ints) -> Ints:
    """Half-up (balance x price / 100) to the cent, exactly, for a price of twelve decimals in two parts.

    Balances stay below 1e10 cents and prices below 2e8 millionths, so that no product leaves 64 bits.
    """
    product = balance_cents * high
    rest = (product % _E8) * _E6 + balance_cents * low + _E14 // 2
    answer: Ints = product // _E8 + rest // _E14
    return answer


def price_text(high: int, low: int) -> str:
    """101_250_000, 0 -> '101.25'."""
    whole, part = divmod(high, _E6)
    return f"{whole}.{f'{part:06d}{low:06d}'.rstrip('0').ljust(2, '0')}"


def attribute(text: pl.Series, *, number: bool) -> tuple[pl.Series, pl.Series]:
    """A column of words or, where every cell is one, of numbers; and which cells should be numbers but aren't.

    `number`: a limit counts with it; without any it stays one of words, as does one with codes such as 07030.
    """
    known = text.drop_nulls()
    is_number = text.str.contains(_NUMBER) & text.str.contains(r"\d")
    plain = len(known) > 0 and bool(is_number.drop_nulls().all()) and not known.str.contains(_CODE).any()
    if not plain and not (number and is_number.any()):
        return text, pl.Series([False]).new_from_index(0, len(text))
    bare = text.str.replace_all(r"[$,%\s]", "").set(~is_number.fill_null(True), None)
    whole = not bare.str.contains(".", literal=True).any()
    read = bare.cast(pl.Int64 if whole else pl.Float64, strict=False)
    return read, text.is_not_null() & read.is_null()


def typed(
    sheet: Sheet, rows: pl.DataFrame, keys: set[str], numbers: Callable[[str], bool], rejected: Rejected
) -> pl.DataFrame:
    """The rows with their attributes typed; a cell that should be a number and isn't is left out, its line stays."""
    columns = {}
    for name in rows.columns:
        if name in keys:
            columns[name] = rows[name]
            continue
        columns[name], bad = attribute(rows[name], number=numbers(name))
        rejected.add(
            rows.filter(bad), file=sheet.name, field=name, rule="is no number, and a limit counts with it",
            to_do="write a plain number such as 36.5; its line counts without it", left_out="value",
        )  # fmt: skip
    return pl.DataFrame(columns)


def first_of(rows: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """The rows with `first`: the row number of the first line with the same key."""
    return rows.with_columns(first=pl.col("row").min().over(key))


def as_ints(series: pl.Series) -> Ints:
    """A column of whole numbers as NumPy has them."""
    answer: Ints = series.cast(pl.Int64).to_numpy().astype(np.int64)
    return answer
