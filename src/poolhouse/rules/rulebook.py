"""Reads the dated parameters and answers: what was this rule on that date, says who, how surely?

A parameter is a list of values, each with the date it takes effect, its source and a confidence,
and possibly dimensions (program, units, ...). A date before the first known version is answered
with the nearest one and says so (`nearest`): it is never guessed in silence.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from importlib.resources import files
from typing import Any

DEFAULT_EDITION = "2026-11"
EDITIONS = (DEFAULT_EDITION,)

_META = {"from", "value", "source", "confidence"}


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


@dataclass(frozen=True)
class Parameter:
    """A named rule with all its versions, oldest first."""

    name: str
    meaning: str
    unit: str
    basis: str
    assumed: bool
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Rulebook:
    """All parameters of an edition. `used_nearest` collects the names answered before their time."""

    edition: str
    parameters: dict[str, Parameter]
    override_rows: tuple[dict[str, Any], ...]
    tables: dict[str, Any] = field(default_factory=dict)

    def lookup(self, name: str, as_of: date, **dims: Any) -> Value:
        """The version in force on a date for these dimensions. KeyError for an unknown name."""
        matching = [v for v in self.parameters[name].values if all(dims.get(k) == x for k, x in v.dims)]
        if not matching:
            raise KeyError(f"{name}: no value for {dims}")
        override = self._override(name, as_of, dims)
        if override is not None:
            return override
        in_force = [v for v in matching if v.effective <= as_of]
        if in_force:  # the most specific dimensions win, then the latest version
            return max(in_force, key=lambda v: (len(v.dims), v.effective))
        first = max(matching, key=lambda v: (len(v.dims), -v.effective.toordinal()))
        return Value(**{**first.__dict__, "nearest": True})

    def get(self, name: str, as_of: date, **dims: Any) -> Any:
        """The bare value of `lookup`."""
        return self.lookup(name, as_of, **dims).value

    def change_dates(self, prefix: str) -> tuple[date, ...]:
        """Days on which a parameter whose name starts with `prefix` changes, ascending: between two of
        them every lookup answers the same, so rules are picked once per stretch and not once per loan."""
        days = {v.effective for name, p in self.parameters.items() if name.startswith(prefix) for v in p.values}
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
    """The rulebook of an edition, read from package data."""
    if edition not in EDITIONS:
        raise KeyError(f"edition {edition!r} is unknown: choose one of {', '.join(EDITIONS)}")
    parameters: dict[str, Parameter] = {}
    overrides: list[dict[str, Any]] = []
    tables: dict[str, Any] = {}
    for folder, assumed in (("data", False), ("assumptions", True)):
        for entry in sorted((files(__package__) / folder).iterdir(), key=lambda e: e.name):
            if not entry.name.endswith(".toml"):
                continue
            content = tomllib.loads(entry.read_text(encoding="utf-8"))
            for raw in content.pop("parameter", []):
                if raw["name"] in parameters:
                    raise ValueError(f"{entry.name}: {raw['name']} is defined twice")
                parameters[raw["name"]] = _parameter(raw, assumed)
            overrides += content.pop("override", [])
            tables |= content
    return Rulebook(edition, parameters, tuple(overrides), tables)


def _parameter(raw: dict[str, Any], assumed: bool) -> Parameter:
    values = [
        Value(
            raw["name"],
            v["value"],
            v.get("from", date.min),
            v.get("source", raw.get("source", "assumed")),
            v.get("confidence", raw.get("confidence", "assumed")),
            tuple((k, x) for k, x in v.items() if k not in _META),
        )
        for v in raw["values"]
    ]
    values.sort(key=lambda v: v.effective)
    return Parameter(
        raw["name"], raw["meaning"], raw.get("unit", ""), raw.get("basis", "reporting_month"), assumed, tuple(values)
    )


@lru_cache(maxsize=1)
def system_parties() -> dict[str, dict[str, Any]]:
    """The parties that every book starts with, by code: party_id, name, role, type."""
    return {p["code"]: p for p in load().tables["party"]}
