"""standards: the rules in force on a day, what changed between two, and the standards that a user chose."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from poolhouse.findings import Refused
from poolhouse.rules import Rulebook, load
from poolhouse.rules.rulebook import DEFAULT_EDITION
from poolhouse.standards import listing, own
from poolhouse.standards.catalogue import CODES, program
from poolhouse.standards.facts import FHA_PREMIUM, PREFIX
from poolhouse.tables.codes import GNMA, MARKET_PROGRAMS, NONQM

OUTLETS = (*MARKET_PROGRAMS, NONQM)
"""Programs that a tape is checked for unless others are named."""


def chosen(programs: Sequence[str], overlays: Sequence[str | Path], edition: str | None) -> own.Standards:
    """The standards to judge by. `programs`: names of built-in programs or TOML files of users' own; none: every
    outlet. `overlays`: TOML files. Refused for what is neither, and for files outside the vocabulary."""
    rulebook = _rulebook(edition)
    if not programs:
        standards = own.Standards(rulebook, tuple(program(code) for code in OUTLETS))
    else:
        named = [program(CODES[one]) for one in dict.fromkeys(programs) if one in CODES]
        standards = own.Standards(rulebook, tuple(sorted(named, key=lambda one: one.code)))
        for one in dict.fromkeys(programs):
            if one not in CODES:
                standards = own.with_program(standards, text_of(one, "program"), Path(one).name)
    for path in overlays:
        standards = own.with_overlays(standards, text_of(path, "overlay"), Path(path).name)
    return standards


def rules_in_force(
    programs: Sequence[str] = (), as_of: str | date | None = None, edition: str | None = None,
    overlays: Sequence[str | Path] = (),
) -> dict[str, Any]:  # fmt: skip
    """Keys: as_of, edition, overrides, overlays, programs (name, title, kinds, rules as `listing.in_force` has them),
    and fees where Ginnie Mae is among them. `as_of` left out: the first day of the edition's month."""
    standards = chosen(programs, overlays, edition)
    day = day_of(as_of) if as_of else date.fromisoformat(f"{standards.rulebook.edition}-01")
    return {
        **heading(standards, day, day),
        "programs": [
            {"name": p.name, "title": p.title, "kinds": list(p.kinds),
             "rules": listing.in_force(p, standards.rulebook, day)}
            for p in standards.programs
        ],
        "fees": listing.fees(standards.rulebook, day) if GNMA in [p.code for p in standards.programs] else [],
    }  # fmt: skip


def rules_changed(before: str | date, after: str | date, edition: str | None = None) -> dict[str, Any]:
    """What changed from one day to another. Keys: edition, before, after, changes (`listing.changes`)."""
    rulebook = _rulebook(edition)
    days = day_of(before), day_of(after)
    if days[0] > days[1]:
        raise Refused(f"{days[0]} is after {days[1]}: give the earlier date first")
    names = [n for n in rulebook.parameters if n.startswith((PREFIX, listing.FEES)) or n == FHA_PREMIUM]
    return {
        "edition": rulebook.edition,
        "before": days[0],
        "after": days[1],
        "changes": listing.changes(names, rulebook, *days),
    }


def heading(standards: own.Standards, first: date, last: date) -> dict[str, Any]:
    """What every answer says first: the day, the edition, the overrides in force in between, the overlays."""
    overrides = [o for o in standards.rulebook.overrides(first, last) if o["name"].startswith(PREFIX)]
    return {
        "as_of": last,
        "edition": standards.rulebook.edition,
        "overrides": overrides,
        "overlays": list(standards.overlays),
    }


def _rulebook(edition: str | None) -> Rulebook:
    try:
        return load(edition or DEFAULT_EDITION)
    except KeyError as error:
        raise Refused(str(error.args[0])) from error


def text_of(path: str | Path, kind: str) -> str:
    place = Path(path)
    if not place.is_file():
        known = f"; the built-in programs are {', '.join(CODES)}" if kind == "program" else ""
        raise Refused(f"{path}: there is no such {kind} file{known}")
    try:
        return place.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise Refused(f"{path} is no text in UTF-8: byte {error.start}") from error


def day_of(given: str | date) -> date:
    if isinstance(given, date):
        return given
    try:
        return date.fromisoformat(given)
    except ValueError as error:
        raise Refused(f"{given!r} is no date: write YYYY-MM-DD") from error
