"""The rules in force on a day as rows for people, and what changed between two days.

A day stands for all dates of a loan at once: applied for, closed and delivered on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import Any

import polars as pl

from poolhouse.rules import Rulebook, Value
from poolhouse.standards.catalogue import Program
from poolhouse.standards.facts import FHA_PREMIUM, Facts
from poolhouse.standards.verdict import Rule
from poolhouse.standards.vocabulary import NO_LIMIT
from poolhouse.standards.words import unit_of

Row = dict[str, Any]
_NO_END = 99_999
"""Ranges that reach so far, and amounts far beyond, have no upper end for a reader."""
_NOUGHT = re.compile(r"\b0: ([^,;]+)")
"""What a parameter's meaning says of the value 0: '...; 0: not bought'."""
FEES = "premiums."
"""Prefix of the fee tables of the government programs."""


def in_force(program: Program, rulebook: Rulebook, day: date) -> list[Row]:
    """A row for each rule of the program: bit, rule, meaning, when it is asked ('': always), basis, and `limits`: a row
    for each line in force, with what it is for, value (as text), from, source, confidence and `note`, which says where
    no version is known yet."""
    return [
        {
            "bit": rule.bit,
            "rule": rule.name,
            "meaning": rule.meaning,
            "when": _conditions(rule.when),
            "basis": rulebook.parameters[rule.parameters[0]].basis if rule.parameters else "",
            "limits": [
                row
                for place, name in enumerate(rule.parameters)
                for row in _lines(rulebook, name, day, program.name, "" if place == 0 else _short(name), rule)
            ]
            or [_fixed(rule, program, Facts(rulebook, day, day))],
        }
        for rule in program.rules
    ]


def _fixed(rule: Rule, program: Program, facts: Facts) -> Row:
    """What a rule without a parameter asks for: the same words for every loan."""
    limit = rule.check(facts, program.code).limit
    words, source = pl.select(limit.words().alias("words"), limit.source().alias("source")).row(0)
    return {"for": "", "value": words, "from": None, "source": source, "confidence": "memory", "note": ""}


def fees(rulebook: Rulebook, day: date) -> list[Row]:
    """The government programs' upfront and annual fees in force: parameter, meaning and `limits` as in `in_force`."""
    return [
        {"rule": _short(name), "meaning": one.meaning, "limits": _lines(rulebook, name, day, "", "", None)}
        for name, one in rulebook.parameters.items()
        if name.startswith(FEES) or name == FHA_PREMIUM
    ]


def changes(names: Iterable[str], rulebook: Rulebook, before: date, after: date) -> list[Row]:
    """What differs between two days in the named parameters: rule, for, before and after (as text, '' where there is
    none), from, source, confidence. A version known only from a later day on counts as unknown on an earlier one."""
    rows: list[Row] = []
    for name in sorted(set(names)):
        then, now = (_by_dims(rulebook.lines(name, day)) for day in (before, after))
        for dims in [*then, *(d for d in now if d not in then)]:
            old, new = then.get(dims), now.get(dims)
            read = unit(rulebook, name, None), nought_of(rulebook, name)
            said = [spoken(v, *read) if v else "" for v in (old, new)]
            if said[0] != said[1]:
                stated = new or old
                assert stated is not None  # the dims came from one of the two
                rows.append(
                    {"rule": _short(name), "for": _dims(stated), "before": said[0], "after": said[1]} | _cited(stated)
                )
    return rows


def _by_dims(lines: list[Value]) -> dict[str, Value]:
    """Known versions by their dimensions."""
    return {repr(line.dims): line for line in lines if not line.nearest}


def _lines(rulebook: Rulebook, name: str, day: date, program: str, label: str, rule: Rule | None) -> list[Row]:
    fixed = {"program": program} if program else {}
    found = rulebook.lines(name, day, **fixed)
    said, nought = unit(rulebook, name, rule), nought_of(rulebook, name)
    return [
        {
            "for": "; ".join(part for part in (label, _dims(line)) if part),
            "value": _test(rule) + spoken(line, said, nought),
            **_cited(line),
            "note": f"no version known for {day}; nearest is from {line.effective}" if line.nearest else "",
        }
        for line in found
    ]


def _test(rule: Rule | None) -> str:
    """What must be said beside the words of a rule: that they are the ones not taken."""
    return "not " if rule is not None and rule.test == "none_of" else ""


def _cited(line: Value) -> Row:
    if line.override:
        return {"from": line.effective, "source": f"override: {line.override}", "confidence": line.confidence}
    return {"from": line.effective, "source": line.source, "confidence": line.confidence}


def _short(name: str) -> str:
    return name.partition(".")[2]


def _dims(line: Value) -> str:
    """'purpose purchase, ltv_e4 80.01% to 90%'."""
    return _conditions(line.dims)


def _conditions(found: Iterable[tuple[str, Any]]) -> str:
    return ", ".join(f"{column} {_wanted(column, wanted)}" for column, wanted in found)


def _wanted(column: str, wanted: Any) -> str:
    said = unit_of(column)
    if isinstance(wanted, list | tuple):
        if wanted and isinstance(wanted[0], str):
            return " or ".join(wanted)
        low, high = wanted
        if high >= (_NO_END if said != "cents" else _NO_END * _NO_END):
            return f"from {figure(low, said)}"
        return f"up to {figure(high, said)}" if low == 0 else f"{figure(low, said)} to {figure(high, said)}"
    return "yes" if wanted is True else "no" if wanted is False else figure(wanted, said)


def unit(rulebook: Rulebook, name: str, rule: Rule | None) -> str:
    """How a parameter's numbers are said: by its own unit, else by the field that its rule judges."""
    word = rulebook.parameters[name].unit.replace("whole percent", "percent").split(" ")[0]
    if word in ("cents", "e4", "e7", "percent"):
        return word
    return unit_of(rule.field) if rule is not None and not word else unit_of(name)


def nought_of(rulebook: Rulebook, name: str) -> str:
    """What 0 means where it is no number: 'not bought'; '' elsewhere."""
    found = _NOUGHT.search(rulebook.parameters[name].meaning)
    return found[1] if found else ""


def spoken(line: Value, said: str, nought: str = "") -> str:
    """A version's value as text; a list is for 1, 2, 3 and 4 units or for bands. `nought`: the word for 0."""
    value = line.value
    if isinstance(value, dict):
        return "; ".join(f"{key}: {', '.join(words)}" for key, words in value.items())
    if isinstance(value, list):
        return " / ".join(
            _either(v) if isinstance(v, dict) else nought if nought and v == 0 else figure(v, said) for v in value
        )
    return nought if nought and value == 0 and not isinstance(value, bool) else figure(value, said)


def _either(tier: dict[str, int]) -> str:
    """A tier of a table that is a share of the loan, or an amount."""
    return " ".join(figure(value, unit_of("_" + key)) for key, value in tier.items())


def figure(value: Any, said: str) -> str:
    """One number or word: 8_000 in e4 -> '80%', 41_700_000 cents -> '$417,000', true -> 'yes', none -> 'no limit'."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, int):
        return "no limit" if value == NO_LIMIT else str(value)
    if said == "cents":
        return f"${value // 100:,}" + (f".{value % 100:02}" if value % 100 else "")
    places = {"e4": 2, "e7": 5}.get(said)
    if places is None:
        return f"{value}%" if said == "percent" else f"{value:,}"
    whole, rest = divmod(value, 10**places)
    return f"{whole}.{rest:0{places}}".rstrip("0").rstrip(".") + "%"
