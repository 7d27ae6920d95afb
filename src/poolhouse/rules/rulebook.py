"""Reads the dated parameters and answers: what was this rule on that date, says who, how surely?

A parameter is a list of values, each with the date it takes effect, its source and a confidence,
and possibly dimensions (program, units, ...). A date before the first known version is answered
with the nearest one and says so (`nearest`): it is never guessed in silence.

An edition is what was published by the end of its month. A value may say when it was `announced`
(else: the day it takes effect); an edition leaves out what was announced later.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from importlib.resources import files
from typing import Any

from poolhouse.dates import first_day, parse_month

DEFAULT_EDITION = "2026-11"
EDITIONS = ("2025-11", DEFAULT_EDITION)
"""Oldest first."""

META = {"from", "value", "source", "confidence", "announced"}
"""Keys of a value that are no dimensions."""
PREFIX = "standards."


@dataclass(frozen=True)
class Value:
    """One version of one parameter. `confidence`: found | memory | assumed. `nearest`: asked for a
    date before the first known version. `override`: why an override stands in its place, or ''."""

    name: str
    value: Any
    effective: date
    source: str
    confidence: str
    dims: tuple[tuple[str, Any], ...] = ()
    nearest: bool = False
    override: str = ""
    announced: date = date.min
    rank: int = 0  # place in its file: where several lines fit a loan, the last one wins
    late: bool = False  # announced after the edition: stands in for want of an earlier one, always `nearest`


@dataclass(frozen=True)
class Parameter:
    """A named rule with all its versions, oldest first."""

    name: str
    meaning: str
    unit: str
    basis: str
    assumed: bool
    values: tuple[Value, ...]
    annual: bool = False  # set anew each January: after the last known year it is unknown again

    def ended(self, version: Value, as_of: date) -> bool:
        """Whether the version is of a year that is over, and the next one's is not known."""
        return self.annual and as_of.year > max(version.effective.year, self.values[-1].effective.year)


@dataclass(frozen=True)
class Rulebook:
    """All parameters of an edition. `rules`: tests written as data ([[rule]] tables), whose limits are the
    parameter `standards.NAME`; `standards/` turns them into rules."""

    edition: str
    parameters: dict[str, Parameter]
    override_rows: tuple[dict[str, Any], ...]
    tables: dict[str, Any] = field(default_factory=dict)
    rules: tuple[dict[str, Any], ...] = ()

    def lookup(self, name: str, as_of: date, **dims: Any) -> Value:
        """The version in force on a date for these dimensions. KeyError for an unknown name."""
        matching = [v for v in self.parameters[name].values if all(dims.get(k) == x for k, x in v.dims)]
        if not matching:
            raise KeyError(f"{name}: no value for {dims}")
        override = self._override(name, as_of, dims)
        if override is not None:
            return override
        in_force = [v for v in matching if v.effective <= as_of and not v.late]
        if in_force:  # the most specific dimensions win, then the latest version
            found = max(in_force, key=lambda v: (len(v.dims), v.effective))
            return replace(found, nearest=True) if self.parameters[name].ended(found, as_of) else found
        first = max(matching, key=lambda v: (len(v.dims), -v.effective.toordinal()))
        return Value(**{**first.__dict__, "nearest": True})

    def lines(self, name: str, as_of: date, **fixed: Any) -> list[Value]:
        """Of each set of dimensions the version in force, in file order, as far as the dimensions in `fixed` agree:
        for rules whose other dimensions are columns of the loan. Only where nothing at all is in force yet, the
        first versions, each `nearest`. Empty for an unknown name's lines, KeyError for an unknown name."""
        values = [v for v in self.parameters[name].values if all(fixed.get(k, x) == x for k, x in v.dims if k in fixed)]
        override = self._override(name, as_of, fixed)
        if override is not None:
            return [override]
        newest: dict[tuple[tuple[str, Any], ...], Value] = {}
        first: dict[tuple[tuple[str, Any], ...], Value] = {}
        place: dict[tuple[tuple[str, Any], ...], int] = {}
        for v in values:  # ascending by effective day
            dims = tuple((k, tuple(x) if isinstance(x, list) else x) for k, x in v.dims if k not in fixed)
            place[dims] = min(place.get(dims, v.rank), v.rank)
            first.setdefault(dims, v)
            if v.effective <= as_of and not v.late:
                newest[dims] = v
        over = {d: replace(v, nearest=True) for d, v in newest.items() if self.parameters[name].ended(v, as_of)}
        chosen = newest | over or {dims: replace(v, nearest=True) for dims, v in first.items()}
        return [Value(**{**chosen[dims].__dict__, "dims": dims}) for dims in sorted(chosen, key=lambda d: place[d])]

    def with_rules(self, parameters: dict[str, Parameter]) -> Rulebook:
        """This rulebook and the limits of a user's own rules."""
        return Rulebook(self.edition, {**self.parameters, **parameters}, self.override_rows, self.tables, self.rules)

    def get(self, name: str, as_of: date, **dims: Any) -> Any:
        """The bare value of `lookup`."""
        return self.lookup(name, as_of, **dims).value

    def change_dates(self, prefix: str) -> tuple[date, ...]:
        """Days on which a parameter whose name starts with `prefix` changes, ascending: between two of
        them every lookup answers the same, so rules are picked once per stretch and not once per loan."""
        asked = [p for name, p in self.parameters.items() if name.startswith(prefix)]
        days = {v.effective for p in asked for v in p.values}
        days |= {date(p.values[-1].effective.year + 1, 1, 1) for p in asked if p.annual}
        for row in self.override_rows:
            if row["name"].startswith(prefix):
                days |= {row.get("from", date.min), row["until"]}
        return tuple(sorted(days))

    def _override(self, name: str, as_of: date, dims: dict[str, Any]) -> Value | None:
        for row in self.override_rows:
            meant = "program" not in row or dims.get("program") in row["program"]
            if meant and row["name"] == name and row.get("from", date.min) <= as_of < row["until"]:
                why = str(row["why"])
                return Value(name, row["value"], row.get("from", date.min), why, "assumed", override=why)
        return None

    def overrides(self, start: date, end: date) -> list[dict[str, Any]]:
        """Overrides in force somewhere in start <= date <= end, for reports."""
        return [
            {"name": r["name"], "value": r["value"], "until": r["until"].isoformat(), "why": r["why"]}
            for r in self.override_rows
            if r.get("from", date.min) <= end and start < r["until"]
        ]

    def assumptions(self) -> list[dict[str, Any]]:
        """Every assumed parameter with its latest values, for reports: name, meaning, unit, values."""
        return [
            {"name": p.name, "meaning": p.meaning, "unit": p.unit, "values": [v.value for v in p.values]}
            for p in self.parameters.values()
            if p.assumed
        ]


@lru_cache(maxsize=4)
def load(edition: str = DEFAULT_EDITION) -> Rulebook:
    """The rulebook of an edition, read from package data. KeyError for an unknown edition."""
    if edition not in EDITIONS:
        raise KeyError(f"edition {edition!r} is unknown: choose one of {', '.join(EDITIONS)}")
    known_until = first_day(parse_month(edition) + 1)
    parameters: dict[str, Parameter] = {}
    overrides: list[dict[str, Any]] = []
    rules: list[dict[str, Any]] = []
    tables: dict[str, Any] = {}
    for folder, assumed in (("data", False), ("assumptions", True)):
        for entry in sorted((files(__package__) / folder).iterdir(), key=lambda e: e.name):
            if not entry.name.endswith(".toml"):
                continue
            content = tomllib.loads(entry.read_text(encoding="utf-8"))
            written = content.pop("rule", [])
            limits = [{**rule, "name": PREFIX + rule["name"]} for rule in written if "values" in rule]
            for raw in [*content.pop("parameter", []), *limits]:
                if raw["name"] in parameters:
                    raise ValueError(f"{entry.name}: {raw['name']} is defined twice")
                parameters[raw["name"]] = _published(parameter(raw, assumed), known_until)
            rules += written
            overrides += content.pop("override", [])
            tables |= content
    return Rulebook(edition, parameters, tuple(overrides), tables, tuple(rules))


def parameter(raw: dict[str, Any], assumed: bool) -> Parameter:
    """A parameter from its TOML table."""
    values = [
        Value(
            raw["name"],
            v["value"],
            v.get("from", date.min),
            v.get("source", raw.get("source", "assumed")),
            v.get("confidence", raw.get("confidence", "assumed")),
            tuple((k, x) for k, x in v.items() if k not in META),
            announced=v.get("announced", v.get("from", date.min)),
            rank=rank,
        )
        for rank, v in enumerate(raw["values"])
    ]
    values.sort(key=lambda v: v.effective)
    return Parameter(
        raw["name"], raw["meaning"], raw.get("unit", ""), raw.get("basis", "reporting_month"), assumed, tuple(values),
        raw.get("annual", False),
    )  # fmt: skip


def _published(whole: Parameter, known_until: date) -> Parameter:
    """Without what was announced later than the edition. Where that leaves nothing for some dimensions, their first
    version stays as a stand-in that always says it is only the nearest."""
    if whole.assumed or all(v.announced < known_until for v in whole.values):
        return whole
    kept = [v for v in whole.values if v.announced < known_until]
    has = {repr(v.dims) for v in kept}
    for v in whole.values:
        if repr(v.dims) not in has:
            has.add(repr(v.dims))
            kept.append(Value(**{**v.__dict__, "late": True}))
    kept.sort(key=lambda v: v.effective)
    return replace(whole, values=tuple(kept))


@lru_cache(maxsize=1)
def system_parties() -> dict[str, dict[str, Any]]:
    """The parties that every book starts with, by code: party_id, name, role, type."""
    return {p["code"]: p for p in load().tables["party"]}
