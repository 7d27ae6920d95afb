"""Text to exact values: decimals to integer cents and rates, dates, codes. Never through a float.

Each field becomes two columns of the working frame: `name|text` (what the file says, without blanks
around it, null when empty) and `name` (the value, null when it can't be read).
"""

from __future__ import annotations

import re

import polars as pl

from poolhouse.findings import Refused
from poolhouse.loans.files import RawRows
from poolhouse.loans.mapping import VOCABULARY, Field, code

_NUMBER = r"^\$?\s?(\d{1,13}|\d{1,3}(?:,\d{3}){1,4})(?:\.(\d*))?\s?%?$"
_SAMPLE = 4_096
_TRUE = ["true", "t", "yes", "y", "1"]
_FALSE = ["false", "f", "no", "n", "0"]


def text(name: str) -> str:
    """The working frame's column that holds a field's text."""
    return name + "|text"


def parse(raw: RawRows, fields: tuple[Field, ...]) -> pl.DataFrame:
    """The working frame: tape_row, then text and value of each field."""
    try:
        columns = [column for f in fields for column in _columns(f, raw.frame)]
    except pl.exceptions.ComputeError as error:
        formats = [fmt for f in fields for fmt in f.formats if f.shape == "date"]
        raise Refused(f"mapping: date formats {formats} can't be used: {error}") from error
    return pl.DataFrame([raw.frame["tape_row"], *columns])


def _columns(field: Field, raw: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
    """Text and value. Each distinct text is read once: a tape repeats its rates, terms and codes."""
    if field.constant is not None:
        column = pl.Series("raw", [field.constant], pl.String).new_from_index(0, raw.height)
    else:
        column = raw[str(field.position)].alias("raw")
    sample = column.head(_SAMPLE)
    many = len(sample) == _SAMPLE and sample.n_unique() > _SAMPLE // 2
    distinct = (column if many else column.unique()).to_frame()
    read = distinct.with_columns(_trimmed("raw").alias(text(field.name)))
    read = read.with_columns(_read(field, _known(field)).alias(field.name))
    if not many:
        if read["raw"].eq_missing(read[text(field.name)]).all():
            read = read.drop(text(field.name))
        read = column.to_frame().join(read, on="raw", how="left", maintain_order="left", nulls_equal=True)
    kept = read[text(field.name)] if text(field.name) in read.columns else column.alias(text(field.name))
    return kept, read[field.name]


def unknown(field: Field) -> pl.Expr:
    """Where a field's text says that its value is not known."""
    return pl.col(text(field.name)).str.contains(field.unknown) if field.unknown else pl.lit(False)


def _known(field: Field) -> pl.Expr:
    stated = pl.col(text(field.name))
    return pl.when(~unknown(field)).then(stated) if field.unknown else stated


def _trimmed(column: str) -> pl.Expr:
    trimmed = pl.col(column).str.strip_chars()
    return pl.when(trimmed != "").then(trimmed)


def _read(field: Field, column: pl.Expr) -> pl.Expr:
    if field.shape == "date":
        return pl.coalesce(_date(column, f) for f in dict.fromkeys((*field.formats, "%Y-%m-%d")))
    if field.values and field.constant is None:
        column = _coded(column).replace_strict(dict(field.values), default=None, return_dtype=pl.String)
    if field.shape == "bool":
        return _truth(column)
    if field.shape == "text":
        return _word(field.name, column)
    return scaled(column, field.places, cut_off=field.shape == "e4") * field.times


def _date(column: pl.Expr, form: str) -> pl.Expr:
    """A date of a format; of one without a day ("%Y%m") the 1st of its month."""
    if re.search("%[deDFxjs]", form):
        return column.str.to_date(form, strict=False)
    return (column + " 01").str.to_date(form + " %d", strict=False)


def _coded(column: pl.Expr) -> pl.Expr:
    """`mapping.code` for a column."""
    bare = column.str.to_lowercase().str.strip_chars_start("0")
    return pl.when(column.is_not_null()).then(pl.when(bare == "").then(pl.lit(code("0"))).otherwise(bare))


def _truth(column: pl.Expr) -> pl.Expr:
    low = column.str.to_lowercase()
    return pl.when(low.is_in(_TRUE)).then(True).when(low.is_in(_FALSE)).then(False)


def _word(name: str, column: pl.Expr) -> pl.Expr:
    if name in VOCABULARY:
        low = column.str.to_lowercase()
        return pl.when(low.is_in(list(VOCABULARY[name]))).then(low)
    if name in ("state", "originator_state"):
        upper = column.str.to_uppercase()
        return pl.when(upper.str.contains(r"^[A-Z]{2}$")).then(upper)
    if name == "county_fips":
        return pl.when(column.str.contains(r"^\d{4,5}$")).then(column.str.zfill(5))
    return column


def scaled(column: pl.Expr, places: int, *, cut_off: bool = False) -> pl.Expr:
    """Decimal text times 10^places as Int64, exactly; null when it is no such number.

    '$1,234.50' with two places is 123_450. More places than that, other than zeros, are no number,
    unless `cut_off`: then they are dropped, as the agencies do with a loan-to-value.
    """
    parts = column.str.extract_groups(_NUMBER)
    whole = parts.struct.field("1").str.replace_all(",", "", literal=True).cast(pl.Int64, strict=False)
    decimals = parts.struct.field("2").fill_null("").str.strip_chars_end("0")
    kept = decimals.str.slice(0, places).str.pad_end(max(places, 1), "0").cast(pl.Int64, strict=False)
    value = pl.when(whole < 10 ** (18 - places)).then(whole * 10**places + kept)
    return value if cut_off else pl.when(decimals.str.len_bytes() <= places).then(value)
