"""Which layout a file has: told by what stands in it, never by its name.

Known layouts are data (data/*.toml): columns, codes, units, and for files without a header what their
cells look like. What is recognised but is no tape is refused with what to give instead.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from functools import lru_cache
from importlib.resources import files
from typing import Any

from poolhouse.findings import Refused
from poolhouse.loans.files import Head
from poolhouse.loans.mapping import (
    REQUIRED,
    Field,
    Layout,
    canonical_fields,
    canonical_names,
    field_of,
    mapped_fields,
    sources,
)
from poolhouse.rules import load

WITH_HEADER = ("ama", "hmda")
"""Known by the names of their columns."""
WITHOUT_HEADER = ("freddie", "freddie_performance", "fannie")
"""Known by the number of their columns and what stands in some of them."""

_ENOUGH = 0.5
"""Share of the first lines, or of the needed columns, that must look like a layout."""


def choose(head: Head, mapping: str | None) -> tuple[Head, Layout]:
    """The layout of a CSV or Parquet file, and its head with the names of its columns.

    Refused when the mapping is wrong, the columns are nobody's, or the file is a known one but no tape.
    """
    if mapping is not None:
        return head, Layout("mapped", mapped_fields(head, mapping))
    canonical = canonical_names(head)
    for name in WITHOUT_HEADER if head.sample and not canonical.issuperset(REQUIRED) else ():
        if known := _without_header(head, name):
            return known, _layout(known, name)
    best = max(WITH_HEADER, key=lambda name: _likeness(head, name)[0])
    alike, share = _likeness(head, best)
    if alike > len(canonical) and share >= _ENOUGH:
        return head, _layout(head, best)
    return head, Layout("canonical", canonical_fields(head))


def _likeness(head: Head, name: str) -> tuple[int, float]:
    """How many of a layout's columns the file has, and the share of those that must be there."""
    columns = [s for s in specs(name).values() if "column" in s]
    must = [s for s in columns if not s["optional"]]
    return sum(bool(sources(head, s)) for s in columns), sum(bool(sources(head, s)) for s in must) / len(must)


@lru_cache(maxsize=8)
def described(name: str) -> dict[str, Any]:
    """A known layout's data file."""
    return tomllib.loads((files("poolhouse.loans") / "data" / f"{name}.toml").read_text(encoding="utf-8"))


@lru_cache(maxsize=8)
def specs(name: str) -> dict[str, dict[str, Any]]:
    """A known layout, field by field."""
    found: dict[str, dict[str, Any]] = {}
    for field, raw in described(name).get("fields", {}).items():
        spec = {"column": raw} if isinstance(raw, str) else dict(raw)
        found[field] = {"aliases": [], "optional": False, **spec}
    if "fips_state" in found:
        found["fips_state"]["values"] = load().tables["fips_states"]
    return found


def _layout(head: Head, name: str) -> Layout:
    about = described(name)["layout"]
    fields: list[Field] = []
    missing: list[str] = []
    for field, spec in specs(name).items():
        if "constant" in spec or sources(head, spec):
            fields.append(field_of(head, field, spec))
        elif not spec["optional"]:
            missing.append(spec["column"])
    identity = [sources(head, {"column": column}) for column in about.get("identity", ())]
    missing += [c for c, at in zip(about.get("identity", ()), identity, strict=True) if not at and c not in missing]
    if missing:
        raise Refused(
            f"{head.path} looks like {about['title']} but lacks {', '.join(missing)}: "
            "add the columns or give a mapping file"
        )
    if identity:
        fields.append(Field("loan_number", "text", f"({', '.join(about['identity'][:3])}, …)"))
    return Layout(name, tuple(fields), tuple(about.get("required", ())), tuple(at[0] for at in identity))


def _without_header(head: Head, name: str) -> Head | None:
    """The head with the layout's names when the first lines are of that layout; Refused when they nearly are."""
    about = described(name)
    columns, widths = about["headerless"]["columns"], about["headerless"]["widths"]
    cells = {columns.index(column): re.compile(p) for column, p in about["headerless"]["cells"].items()}
    lines = [line.split(head.delimiter) for line in head.sample if line.strip()]
    alike = [
        line
        for line in lines
        if all(at < len(line) and pattern.fullmatch(line[at].strip()) for at, pattern in cells.items())
    ]
    if not alike or len(alike) < _ENOUGH * len(lines):
        return None
    if "not_a_tape" in about:
        raise Refused(f"{head.path} is {about['layout']['title']}: {about['not_a_tape']}")
    counts = [len(line) for line in alike]
    width = max(widths, key=counts.count)
    if counts.count(width) < _ENOUGH * len(alike):
        most = max(counts, key=counts.count)
        raise Refused(
            f"{head.path} looks like {about['layout']['title']} but has {most} columns, "
            f"and that has {_or(widths)}: give the file as it was published"
        )
    return replace(head, names=tuple(columns[:width]), header=False)


def _or(widths: list[int]) -> str:
    found = sorted(widths)
    first, last = found[0], found[-1]
    return f"{first} to {last}" if last - first == len(found) - 1 > 1 else " or ".join(str(w) for w in found)
