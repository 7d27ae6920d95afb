"""A tape as a ULDD file: what `uldd.py` reads, written from the same data points.

The text of each loan is put together by columns, container by container; containers stand in the
alphabet's order, as MISMO has them. What ULDD has no data point for stays behind, and is counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from poolhouse.findings import Finding
from poolhouse.loans.layouts import described
from poolhouse.loans.mapping import shape_of
from poolhouse.loans.notes import Notes, count
from poolhouse.loans.uldd import FIRST_TIME, OTHER_SYSTEMS
from poolhouse.tables import TAPE

_BATCH = 8_192
_NOT_IN_XML = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x{fffe}\x{ffff}]"
_STAYS = (
    "originator_type", "county_fips", "score_mid", "financed_fee_cents", "points_cents", "closing_costs_cents",
    "streamline", "documentation", "affordable", "community_second", "contributions_e4", "late_30_12m",
    "late_60_24m", "title_months", "apr_e7", "apor_e7", "points_and_fees_cents", "ami_ratio_e4",
    "residual_income_cents", "household_size", "va_use", "va_entitlement_cents", "rural", "dscr_e4",
)  # fmt: skip
"""Columns without a data point: they don't come back from a ULDD file."""


def document(tape: pl.DataFrame) -> Iterator[str]:
    """The file's text, piece by piece, of a TAPE frame."""
    about = described("uldd")
    space, version = about["namespaces"]["mismo"], about["message"]["version"]
    around = about["message"]["deal"]
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f'<MESSAGE xmlns="{space}" MISMOReferenceModelIdentifier="{version}">\n'
    yield "".join(f"<{name}>" for name in around) + "\n"
    tree = _tree(about["points"])
    for part in tape.iter_slices(_BATCH):
        texts = _texts(part, about["points"])
        deals = texts.select(pl.concat_str([pl.lit("<DEAL>"), _inside(tree), pl.lit("</DEAL>\n")]).str.join(""))
        yield str(deals.item())
    yield "".join(f"</{name}>" for name in reversed(around)) + "\n</MESSAGE>\n"


def left_behind(tape: pl.DataFrame) -> list[Finding]:
    """What a ULDD file of this tape doesn't hold, or says otherwise: counted findings."""
    notes = Notes()
    for name in _STAYS:
        value = pl.col(name)
        if name == "score_mid":
            stated = value != pl.col("score")
        elif TAPE.schema[name] == pl.String:
            stated = ~value.is_in(["", "unknown"])
        else:
            stated = value.cast(pl.Int64) != 0 if name in ("streamline", *_CASH) else value.is_not_null()
        notes.add("not_in_uldd", name, count(tape, stated), f"{name} has no data point, left out")
    months = pl.col("income_cents") % 12 != 0
    notes.add("income_by_month", "income_cents", count(tape, months), "income a month is rounded to the cent")
    several = pl.col("units") > 1
    unclear = (
        pl.when(several)
        .then(pl.col("property_type").is_in(["detached", "unknown"]))
        .otherwise(pl.col("property_type") == "two_to_four")
    )
    notes.add("units_off_type", "property_type", count(tape, unclear), "units and type differ, units tell the type")
    return notes.findings


_CASH = ("financed_fee_cents", "points_cents", "closing_costs_cents")


def _texts(tape: pl.DataFrame, points: dict[str, dict[str, Any]]) -> pl.DataFrame:
    """A column of escaped text per data point; null where a loan has none."""
    work = tape.with_columns(pl.when(pl.col(pl.String) != "").then(pl.col(pl.String)).name.keep())
    work = work.with_columns(_derived())
    return work.select(
        _escaped(_text(name, spec, pl.col(name), work.schema[name])).alias(name) for name, spec in points.items()
    )


def _derived() -> list[pl.Expr]:
    """What `uldd.convert` made into columns of ours, taken apart again."""
    kind, purpose, system, repaid = (pl.col(n) for n in ("property_type", "purpose", "underwriting", "amortization"))
    names = {word: name for name, word in OTHER_SYSTEMS.items()}
    other = system.replace_strict(names, default=None, return_dtype=pl.String)
    first = pl.col("first_time_buyer")
    return [
        pl.when(kind.is_in(["condo", "coop"])).then(kind).alias("project"),
        pl.when(kind.is_in(["pud", "detached"])).then(kind == "pud").alias("pud"),
        pl.when(kind.is_in(["detached", "pud"])).then(pl.lit("detached")).alias("attachment"),
        pl.when(kind == "manufactured")
        .then(kind)
        .when(kind != "unknown")
        .then(pl.lit("site_built"))
        .alias("construction"),
        pl.lit("month").alias("term_period"),
        pl.when(purpose == "purchase").then(purpose).otherwise(pl.lit("refinance")).alias("loan_purpose"),
        pl.when(purpose != "purchase").then(purpose).alias("cash_out"),
        *(pl.when(repaid.is_not_null()).then(repaid == k).alias(k) for k in ("interest_only", "balloon", "negative")),
        pl.when(first).then(pl.lit(FIRST_TIME)).alias("first_time_program"),
        pl.when(pl.col("mi_pct") > 0).then(pl.col("mi_pct").cast(pl.Int64) * 100).alias("mi_e4"),
        pl.when(pl.col("curtailment_cents") > 0).then(pl.col("curtailment_cents")).alias("curtailment_cents"),
        ((pl.col("income_cents") * 2 + 12) // 24).alias("month_income_cents"),
        pl.lit(None, pl.Int64).alias("debts_cents"),
        pl.when(system.is_in(["du", "lpa"])).then(system).when(other.is_not_null()).then(pl.lit("other")).alias("aus"),
        other.alias("other_aus"),
        pl.when(system == "manual").then(True).alias("manual"),
    ]


def _text(name: str, spec: dict[str, Any], value: pl.Expr, kind: pl.DataType) -> pl.Expr:
    """The value as MISMO writes it."""
    if "values" in spec:
        words = {word: said for said, word in reversed(spec["values"].items())}
        return value.cast(pl.String).replace_strict(words, default=None, return_dtype=pl.String)
    shape = spec.get("shape") or shape_of(name)
    if shape == "cents":
        return _decimal(value, 2)
    if shape == "e7":
        return _decimal(value, 5)
    if shape == "e4":
        return _decimal(value, 2)
    return value.cast(pl.String) if kind != pl.Boolean else value.cast(pl.String).str.to_lowercase()


def _decimal(value: pl.Expr, places: int) -> pl.Expr:
    """An integer count of 10^-places as decimal text."""
    whole = value.cast(pl.Int64)
    rest = (whole % 10**places).cast(pl.String).str.zfill(places)
    return pl.when(value.is_not_null()).then(pl.format("{}.{}", whole // 10**places, rest))


def _escaped(text: pl.Expr) -> pl.Expr:
    """Text that XML can hold; what it can't is a question mark."""
    for mark, name in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\r", "&#13;")):
        text = text.str.replace_all(mark, name, literal=True)
    return text.str.replace_all(_NOT_IN_XML, "?")


_Tree = dict[str, Any]
"""Container -> its containers, down to the name of a data point or, for what says state and role, a text."""


def _tree(points: dict[str, dict[str, Any]]) -> _Tree:
    tree: _Tree = {}
    for name, spec in points.items():
        *steps, leaf = str(spec["path"]).split("/")
        node = tree
        for step in steps:
            node = node.setdefault(step, {})
            if step.startswith("LOAN["):
                node.setdefault("LOAN_STATE", {})["LoanStateType"] = pl.lit(step[5:-1])
            if step.startswith("PARTY["):
                role = node.setdefault("ROLES", {}).setdefault("ROLE", {}).setdefault("ROLE_DETAIL", {})
                role["PartyRoleType"] = pl.lit(step[6:-1])
        node[leaf] = name
    return tree


def _inside(tree: _Tree) -> pl.Expr:
    """The text of a container's content; empty when no data point in it has a value."""
    parts = [_element(name, tree[name]) for name in sorted(tree)]
    known = pl.any_horizontal(pl.col(name).is_not_null() for name in _names(tree))
    return pl.when(known).then(pl.concat_str(parts, ignore_nulls=True)).otherwise(pl.lit(""))


def _element(step: str, node: Any) -> pl.Expr:
    name, attribute = step.partition("[")[0], ' LoanRoleType="SubjectLoan"' if step.startswith("LOAN[") else ""
    opened, closed = pl.lit(f"<{name}{attribute}>"), pl.lit(f"</{name}>")
    if isinstance(node, dict):
        inner = _inside(node) if _names(node) else pl.concat_str([_element(n, node[n]) for n in sorted(node)])
        return pl.when(inner != "").then(pl.concat_str([opened, inner, closed]))
    value = pl.col(node) if isinstance(node, str) else node
    return pl.concat_str([opened, value, closed])


def _names(tree: _Tree) -> list[str]:
    """The data points below a container."""
    below = [
        _names(node) if isinstance(node, dict) else [node] if isinstance(node, str) else [] for node in tree.values()
    ]
    return [name for names in below for name in names]
