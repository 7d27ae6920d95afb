"""From a file's columns to ours: what each field is read from, in which unit, with which codes.

A mapping is TOML, one line per field: `note_amount_cents = {column = "Amount", unit = "dollars"}`.
Known layouts are such mappings too, shipped beside this file (layouts.py). Column names match without
regard to case, spaces or marks.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import polars as pl

from poolhouse.findings import Refused
from poolhouse.loans.files import Head
from poolhouse.tables import TAPE

REQUIRED = ("loan_number", "note_amount_cents", "note_rate_e7", "term_months", "note_date", "originator_id", "kind")
"""Columns without which there is no note."""

OURS = ("tape_row",)
"""Columns of the contract that no file can give."""

_UNITS: dict[str, dict[str, tuple[int, int]]] = {
    "cents": {"dollars": (2, 1), "thousands": (5, 1), "cents": (0, 1)},
    "e7": {"fraction": (7, 1), "percent": (5, 1), "bp": (3, 1), "e7": (0, 1)},
    "e4": {"fraction": (4, 1), "percent": (2, 1), "e4": (0, 1)},
    "term": {"months": (0, 1), "years": (0, 12)},
    "percent": {"percent": (0, 1), "fraction": (2, 1)},
    "whole": {"number": (0, 1)},
}
"""Per kind of field: unit -> decimal places kept, multiplier. The last unit of a kind is our own."""

_DEFAULT_UNIT = {"cents": "cents", "e7": "e7", "e4": "e4", "term": "months", "percent": "percent", "whole": "number"}
VOCABULARY: dict[str, tuple[str, ...]] = {
    "kind": ("conventional", "fha", "va", "usda"),
    "originator_type": ("depository", "nonbank", "insurer", "housing_associate", "unknown"),
    "rate_type": ("fixed", "arm"),
    "purpose": ("purchase", "limited_cash_out", "cash_out"),
    "occupancy": ("principal", "second_home", "investment"),
    "property_type": ("detached", "pud", "condo", "coop", "manufactured", "two_to_four", "unknown"),
    "underwriting": ("du", "lpa", "manual", "total", "gus", "va_aus"),
    "amortization": ("full", "interest_only", "balloon", "negative"),
    "documentation": ("full", "bank_statement", "dscr"),
    "affordable": ("homeready", "home_possible", "hfa", "none"),
    "mi_payer": ("borrower", "lender"),
    "va_use": ("first", "later", "exempt"),
}
"""The words that a coded column of the contract may hold."""

_SPEC_KEYS = {"column", "unit", "values", "format", "constant"}


@dataclass(frozen=True)
class Field:
    """How one field is read. `shape`: cents, e7, e4, term, percent, whole, date, bool, text.

    Known layouts only: `unknown`, a pattern of the texts that say "not known"; `refused`, codes whose
    loans can't be read, and why. A date format without a day means the 1st of the month.
    """

    name: str
    shape: str
    column: str = ""
    position: int = -1
    constant: str | None = None
    places: int = 0
    times: int = 1
    unit: str = ""
    formats: tuple[str, ...] = ("%Y-%m-%d",)
    values: Mapping[str, str] = field(default_factory=dict)
    unknown: str = ""
    refused: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Layout:
    """A file's layout: canonical, mapped or a known one of data/*.toml, and its fields.

    `required`: fields beside REQUIRED that no row can do without; `identity`: positions of the columns
    that make a loan number where the file has none.
    """

    name: str
    fields: tuple[Field, ...]
    required: tuple[str, ...] = ()
    identity: tuple[int, ...] = ()


def normal(name: str) -> str:
    """A column name without case, spaces and marks: 'Co-Borrower Credit Score' -> 'coborrowercreditscore'."""
    return re.sub(r"[^a-z0-9]", "", name.casefold())


def shape_of(name: str) -> str:
    """The shape of a field, from our contract's type and unit or from its name's ending."""
    special = {"term_months": "term", "mi_pct": "percent"}
    if name in special:
        return special[name]
    for ending in ("cents", "e7", "e4"):
        if name.endswith("_" + ending):
            return ending
    if name.endswith(("_year", "_months")):
        return "whole"
    kind = TAPE.schema.get(name, pl.String())
    if kind == pl.Date:
        return "date"
    if kind == pl.Boolean:
        return "bool"
    return "whole" if kind.is_integer() else "text"


@lru_cache(maxsize=4)
def positions_of(head: Head) -> dict[str, int]:
    """Normal name -> position of a file's columns; of equal names the first."""
    return {normal(name): i for i, name in reversed(list(enumerate(head.names)))}


def canonical_names(head: Head) -> set[str]:
    """Our columns that the file has."""
    present = positions_of(head)
    return {name for name in TAPE.schema if normal(name) in present}


def canonical_fields(head: Head) -> tuple[Field, ...]:
    """The fields of a file with our own columns. Refused when it has none, or lacks a required one."""
    canonical = canonical_names(head)
    missing = [name for name in REQUIRED if name not in canonical]
    if not canonical:
        shown = ", ".join(n[:30] for n in head.names[:5])
        raise Refused(
            f"{head.path}: no known column in its first line ({shown[:150]}). A tape needs a header with at least "
            f"{', '.join(REQUIRED)}; or write a mapping file from your columns to these (docs/tapes.md)"
        )
    if missing:
        raise Refused(f"{head.path} lacks {', '.join(missing)}: add them or map them (docs/tapes.md)")
    names = [n for n in TAPE.schema if n in canonical and n not in OURS]
    return tuple(field_of(head, n, {"column": n}) for n in names)


def _parse(mapping: str) -> dict[str, dict[str, Any]]:
    try:
        raw = tomllib.loads(mapping)
    except (ValueError, RecursionError) as error:  # TOML errors, numbers too long to be read, lists without end
        raise Refused(f"mapping: not TOML: {error}") from error
    specs: dict[str, dict[str, Any]] = {}
    for name, value in raw.items():
        if name not in TAPE.schema or name in OURS:
            raise Refused(f"mapping: {name!r} is no canonical column: use {', '.join(set_order())}")
        spec = {"column": value} if isinstance(value, str) else value
        if not isinstance(spec, dict):
            raise Refused(f'mapping: {name} = {value!r}: give a column\'s name or {{column = "..."}}')
        unknown = sorted(spec.keys() - _SPEC_KEYS)
        if unknown:
            raise Refused(f"mapping: {name} has unknown keys {unknown}: use {', '.join(sorted(_SPEC_KEYS))}")
        if ("column" in spec) == ("constant" in spec):
            raise Refused(f"mapping: {name} needs either a column or a constant")
        specs[name] = spec
    return specs


def set_order() -> list[str]:
    """Canonical columns a file may give, in contract order."""
    return [name for name in TAPE.schema if name not in OURS]


def mapped_fields(head: Head, mapping: str) -> tuple[Field, ...]:
    """The fields of a user's mapping file. Refused when it is wrong or names columns that the file lacks."""
    present, specs = positions_of(head), _parse(mapping)
    for name in set_order():
        if name not in specs and normal(name) in present:
            specs[name] = {"column": name}
    missing = [name for name in REQUIRED if name not in specs]
    if missing:
        raise Refused(f"mapping: {', '.join(missing)} must be mapped: no loan can do without")
    for name, spec in specs.items():
        if "column" in spec and not sources(head, spec):
            raise Refused(
                f"mapping: {name} is to come from column {spec['column']!r}, which {head.path} lacks; "
                f"it has {', '.join(head.names[:20])}"
            )
    return tuple(field_of(head, name, specs[name]) for name in set_order() if name in specs)


def sources(head: Head, spec: dict[str, Any]) -> list[int]:
    """Positions of the file's columns that a spec may be read from, the exact name first."""
    present = positions_of(head)
    exact = [i for i, name in enumerate(head.names) if name == spec["column"]]
    wanted = [normal(str(spec["column"])), *(normal(a) for a in spec.get("aliases", ()))]
    return exact + [present[n] for n in wanted if n and n in present]


def field_of(head: Head, name: str, spec: dict[str, Any]) -> Field:
    """How a field is read from this file. Refused when the spec makes no sense."""
    shape = spec.get("shape") or shape_of(name)
    places, times, unit = _unit(name, shape, spec)
    formats = spec.get("format", "%Y-%m-%d")
    formats = [formats] if isinstance(formats, str) else formats
    if not isinstance(formats, list) or not all(isinstance(f, str) and f for f in formats):
        raise Refused(f'mapping: {name}: format must be a text such as "%m/%d/%Y" or a list of such texts')
    position = sources(head, spec)[0] if "column" in spec else -1
    constant = spec.get("constant")
    if isinstance(constant, (list, dict)):
        raise Refused(f"mapping: {name}: a constant is one value")
    if position >= 0 and head.names.count(head.names[position]) > 1:
        raise Refused(f"{head.path} has several columns named {head.names[position]!r}: keep the one that holds {name}")
    values = spec.get("values", {})
    if not isinstance(values, dict):
        raise Refused(f'mapping: {name}: values must be a table such as {{C = "conventional"}}')
    words = VOCABULARY.get(name)
    wrong = [str(v) for v in [*values.values(), *([] if constant is None else [constant])] if words and v not in words]
    if words and wrong:
        raise Refused(f"mapping: {name}: {wrong[0]!r} is none of {', '.join(words)}")
    return Field(
        name=name,
        shape=shape,
        column=head.names[position] if position >= 0 else "(mapping)",
        position=position,
        constant=None if constant is None else str(constant),
        places=places,
        times=times,
        unit=unit,
        formats=tuple(formats),
        values={code(str(k)): str(v) for k, v in values.items()},
        unknown=spec.get("unknown", ""),
        refused={code(str(k)): str(v) for k, v in spec.get("refused", {}).items()},
    )


def code(text: str) -> str:
    """A code as it is compared: without blanks, case and leading zeros ('05' is '5')."""
    return text.strip().casefold().lstrip("0") or "0"


def _unit(name: str, shape: str, spec: dict[str, Any]) -> tuple[int, int, str]:
    known = _UNITS.get(shape)
    if known is None:
        if "unit" in spec:
            raise Refused(f"mapping: {name} has no unit")
        return 0, 1, ""
    unit = spec.get("unit", _DEFAULT_UNIT[shape])
    if unit not in known:
        raise Refused(f"mapping: {name}: unit {unit!r} is unknown: use {', '.join(known)}")
    places, times = known[unit]
    return places, times, str(unit)
