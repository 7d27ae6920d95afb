"""What makes a row unusable, and the rejects it leaves: one per bad row and field, with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import polars as pl

from poolhouse import money
from poolhouse.loans.mapping import REQUIRED, VOCABULARY, Field, Layout
from poolhouse.loans.parse import text, unknown
from poolhouse.rules import load
from poolhouse.tables import REJECTS

_LONGEST_VALUE = 80


@dataclass(frozen=True)
class Check:
    """Rows where `bad` holds can't be used; the first check a field fails gives its reason."""

    field: str
    bad: pl.Expr
    reason: str


def judge(work: pl.DataFrame, broken: pl.DataFrame, layout: Layout) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The usable rows of the working frame, without their texts, and the REJECTS of all others.

    `broken`: lines that are no row (files.BROKEN_SCHEMA).
    """
    fields = {f.name: f for f in layout.fields}
    needed = (*REQUIRED, *layout.required)
    checks = [*_refused(fields), *_readable(fields), *_required(fields, needed), *_bounds(fields)]
    checks += [*_note(fields), *_ama(fields)]
    flags = work.select(c.bad.fill_null(False).alias(str(i)) for i, c in enumerate(checks))
    rejects = [_broken(broken)]
    for i, check in enumerate(checks):
        if flags[str(i)].any():
            rejects.append(_rows(work.filter(flags[str(i)]), check, fields[check.field]))
    found = pl.concat(rejects).unique(["row", "field"], keep="first", maintain_order=True)
    good = work.drop(text(name) for name in fields).filter(~flags.select(pl.any_horizontal(pl.all())).to_series())
    rows = work.height + broken.height
    if good.height + found["row"].n_unique() != rows:
        raise RuntimeError(f"{rows} rows became {good.height} loans and {found['row'].n_unique()} rejects")
    return good, REJECTS.conform(found)


def _rows(bad: pl.DataFrame, check: Check, field: Field) -> pl.DataFrame:
    return bad.select(
        pl.col("tape_row").alias("row"),
        pl.col(text("loan_number")).fill_null(""),
        pl.lit(check.field).alias("field"),
        pl.lit(field.column).alias("source_field"),
        pl.col(text(check.field)).fill_null("").str.slice(0, _LONGEST_VALUE).alias("value"),
        pl.lit(check.reason).alias("reason"),
        pl.lit("tape").alias("file"),
    ).rename({text("loan_number"): "loan_number"})


def _broken(broken: pl.DataFrame) -> pl.DataFrame:
    return broken.select(
        "row",
        "loan_number",
        pl.lit("row").alias("field"),
        pl.lit("").alias("source_field"),
        "value",
        "reason",
        pl.lit("tape").alias("file"),
    )


_READ_AS = {
    "cents": "is not a positive amount with at most {places} decimals",
    "e7": "is not a rate written as {unit} with at most {places} decimals",
    "e4": "is not a ratio written as {unit}",
    "term": "is not a whole number of {unit}",
    "percent": "is not a whole percent",
    "whole": "is not a whole number",
    "date": "is not a date written as {formats}",
    "bool": "is neither true nor false",
}


def _refused(fields: dict[str, Field]) -> Iterator[Check]:
    """Codes that a layout has but a note can't be read from, with the layout's own reason."""
    for f in fields.values():
        for stated, reason in f.refused.items():
            yield Check(f.name, pl.col(text(f.name)).str.strip_chars_start("0").str.to_lowercase() == stated, reason)


def _readable(fields: dict[str, Field]) -> Iterator[Check]:
    for f in fields.values():
        if f.values:
            reason = f"is no known code: use {', '.join(f.values)}"
        elif f.name in VOCABULARY:
            reason = f"is none of {', '.join(VOCABULARY[f.name])}"
        elif f.shape == "text":
            reason = "is not a five-digit county code" if f.name == "county_fips" else "is not a two-letter state"
        else:
            reason = _READ_AS[f.shape].format(places=f.places, unit=f.unit, formats=" or ".join(f.formats))
        yield Check(f.name, pl.col(text(f.name)).is_not_null() & pl.col(f.name).is_null() & ~unknown(f), reason)


def _required(fields: dict[str, Field], needed: tuple[str, ...]) -> Iterator[Check]:
    for name in needed:
        if name in fields:
            yield Check(name, unknown(fields[name]), "says that it is not known, and no loan can do without")
            yield Check(name, pl.col(text(name)).is_null(), "is empty, and no loan can do without")
    if "loan_number" in fields:
        control = pl.col("loan_number").str.contains(r"[\x00-\x1f\x7f]")
        yield Check("loan_number", control, "holds control characters")
        repeated = ~pl.col("loan_number").is_first_distinct() & pl.col("loan_number").is_not_null()
        yield Check("loan_number", repeated, "stands on an earlier row too: a loan number is unique; keep one row")


def _bounds(fields: dict[str, Field]) -> Iterator[Check]:
    for value in load().parameters["loans.bounds"].values:
        name = str(dict(value.dims)["field"])
        if name in fields:
            low, high = value.value
            shown = " to ".join(_shown(name, bound) for bound in (low, high))
            yield Check(name, ~pl.col(name).is_between(low, high), f"is outside {shown}")


def _shown(name: str, bound: int) -> str:
    if name.endswith("_cents"):
        return money.dollars(bound)
    if name.endswith(("_e7", "_e4")):
        return f"{bound / 10 ** (int(name[-1]) - 2):g}%"
    return str(bound)


def _note(fields: dict[str, Field]) -> Iterator[Check]:
    """Rules of the note itself."""
    if "rate_type" in fields:
        arm = pl.col("rate_type") == "arm"
        yield Check("rate_type", arm, "is an adjustable-rate note: only fixed rates can be read so far")
    if "note_date" in fields:
        first, last = load().get("loans.bounds", date.max, field="note_year")
        outside = ~pl.col("note_date").dt.year().is_between(first, last)
        yield Check("note_date", outside, f"is outside {first} to {last}")
    if "first_due_date" in fields and "note_date" in fields:
        due = pl.col("first_due_date")
        yield Check("first_due_date", due.dt.day() != 1, "is not the 1st of a month")
        ahead = _month(due) - _month(pl.col("note_date"))
        yield Check("first_due_date", ~ahead.is_in([1, 2]), "is not one or two months after the note's month")
    for name in ("curtailment_cents", "financed_fee_cents", "points_cents", "closing_costs_cents"):
        if name in fields:
            yield Check(name, pl.col(name) >= pl.col("note_amount_cents"), "is no less than the note amount")


def _month(day: pl.Expr) -> pl.Expr:
    return day.dt.year() * 12 + day.dt.month().cast(pl.Int32)


def _ama(fields: dict[str, Field]) -> Iterator[Check]:
    """Rules that only the public-use layout has columns for."""
    if "acquisition_year" in fields:
        later = pl.col("note_year") > pl.col("acquisition_year")
        yield Check("note_year", later, "is after the year of acquisition")
    if "amortization_months" in fields:
        balloon = pl.col("amortization_months") != pl.col("term_months")
        yield Check("amortization_months", balloon, "differs from the term: balloon notes can't be read so far")
