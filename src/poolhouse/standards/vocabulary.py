"""Rules written as data: a small closed vocabulary of tests over columns of loans. docs/standards.md teaches it.

The shipped programs, lenders' overlays and users' own programs are all read here. A rule is a TOML table: a field,
a test (at_most, at_least, one_of, none_of, is, given), the limits as dated lines, and when it applies.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from poolhouse.findings import Refused
from poolhouse.loans.mapping import VOCABULARY
from poolhouse.rules.rulebook import META, PREFIX
from poolhouse.standards.facts import BASES
from poolhouse.standards.frame import SHAPES

TESTS = ("at_most", "at_least", "one_of", "none_of", "is", "given")
MISSING = ("undetermined", "assumed", "passes")
BEYOND = ("fails", "undetermined", "assumed")
NO_LIMIT = "none"
CONFIDENCES = ("found", "memory", "assumed")
_KEYS = {
    "name", "meaning", "field", "test", "values", "parameter", "when", "missing", "assuming", "beyond", "unknown",
    "cure", "basis", "source", "confidence", "unit", "programs", "bit",
}  # fmt: skip


@dataclass(frozen=True)
class Spec:
    """A rule as written, after its form was judged."""

    name: str
    meaning: str
    field: str
    test: str
    parameter: str
    when: tuple[tuple[str, Any], ...]
    missing: str
    assuming: str
    beyond: str
    unknown: str
    cure: str
    basis: str


def spec(raw: dict[str, Any], where: str, *, builtin: bool = False, prefix: str = PREFIX) -> Spec:
    """A rule's table, judged. Refused, naming file, rule and key, for anything outside the vocabulary."""
    name = str(raw.get("name", ""))
    here = f"{where}: rule {name!r}"
    if not name:
        raise Refused(f"{where}: a rule has no name")
    for key in raw:
        if key not in _KEYS or (key in ("programs", "bit", "parameter") and not builtin):
            raise Refused(f"{here}: {key!r} is no key of a rule{_meant(key, _KEYS)}")
    for key in ("field", "test", "meaning", "basis"):
        if key not in raw:
            raise Refused(f"{here} lacks {key!r}")
    field, test = str(raw["field"]), str(raw["test"])
    _known(here, "field", field, SHAPES)
    _known(here, "test", test, TESTS)
    _known(here, "basis", str(raw["basis"]), BASES)
    _known(here, "missing", raw.get("missing", "undetermined"), MISSING)
    _known(here, "beyond", raw.get("beyond", "fails"), BEYOND)
    _fits(here, field, test)
    if "parameter" not in raw:
        _lines(here, raw, field, test)
    when = tuple(raw.get("when", {}).items())
    for column, wanted in when:
        _condition(here, "when", column, wanted)
    return Spec(
        name, str(raw["meaning"]), field, test, str(raw.get("parameter", prefix + name)), when,
        str(raw.get("missing", "undetermined")), str(raw.get("assuming", f"{raw['meaning']} within the limit")),
        str(raw.get("beyond", "fails")), str(raw.get("unknown", "give the value")), str(raw.get("cure", "")),
        str(raw["basis"]),
    )  # fmt: skip


def _fits(here: str, field: str, test: str) -> None:
    """The test can be asked of the field's type."""
    kind = SHAPES[field]
    good = {
        "at_most": kind.is_integer(), "at_least": kind.is_integer(), "one_of": kind == pl.String(),
        "none_of": kind == pl.String(), "is": kind == pl.Boolean(), "given": True,
    }[test]  # fmt: skip
    if not good:
        holds = "true or false" if kind == pl.Boolean() else "words" if kind == pl.String() else "numbers"
        raise Refused(f"{here}: {test!r} can't be asked of {field!r}, which holds {holds}")


def _lines(here: str, raw: dict[str, Any], field: str, test: str) -> None:
    """Every dated line: value, date, source, confidence and dimensions."""
    values = raw.get("values")
    if not isinstance(values, list) or not values:
        raise Refused(f"{here} lacks 'values': a list of lines with from, value and source")
    for number, line in enumerate(values, start=1):
        at = f"{here}, line {number}"
        if "value" not in line:
            raise Refused(f"{at} lacks 'value'")
        if not isinstance(line.get("from"), date):
            raise Refused(f"{at} lacks 'from', the day from which it holds (from = 2026-01-01)")
        if not str(line.get("source", raw.get("source", ""))).strip():
            raise Refused(f"{at} lacks 'source': say who says so")
        _known(at, "confidence", line.get("confidence", raw.get("confidence", "assumed")), CONFIDENCES)
        _value(at, field, test, line["value"])
        for column, wanted in line.items():
            if column not in META and column != "program":
                _condition(at, "a line", column, wanted)


def _value(at: str, field: str, test: str, value: Any) -> None:
    if value == NO_LIMIT:
        return
    if test in ("at_most", "at_least"):
        listed = value if isinstance(value, list) else [value]
        if len(listed) not in (1, 4) or any(type(v) is not int for v in listed):
            raise Refused(f"{at}: value {value!r} is no whole number, no list of four for 1 to 4 units, and not 'none'")
    elif test in ("one_of", "none_of"):
        if not isinstance(value, list) or not value:
            raise Refused(f"{at}: value {value!r} is no list of words")
        _condition(at, "value", field, value)
    elif type(value) is not bool:
        raise Refused(f"{at}: value {value!r} is not true or false")


def _condition(at: str, what: str, column: str, wanted: Any) -> None:
    """`column = word | [words] | true | number | [from, to]`, as dimensions of lines and `when` have it."""
    _known(at, f"column of {what}", column, SHAPES)
    kind = SHAPES[column]
    if kind == pl.String():
        words = wanted if isinstance(wanted, list) else [wanted]
        for word in words:
            if not isinstance(word, str):
                raise Refused(f"{at}: {column} = {wanted!r} is not a word or a list of words")
            if column in VOCABULARY:
                _known(at, f"word of {column}", word, VOCABULARY[column])
    elif kind == pl.Boolean():
        if type(wanted) is not bool:
            raise Refused(f"{at}: {column} = {wanted!r} is not true or false")
    elif kind == pl.Date():
        raise Refused(f"{at}: {column} is a date; conditions take words, numbers, true and false")
    else:
        bounds = wanted if isinstance(wanted, list) else [wanted, wanted]
        if len(bounds) != 2 or any(type(b) is not int for b in bounds) or bounds[0] > bounds[1]:
            raise Refused(f"{at}: {column} = {wanted!r} is not a whole number or a range [from, to]")


def _known(at: str, what: str, given: Any, known: Any) -> None:
    if given not in known:
        raise Refused(f"{at}: {given!r} is no {what}{_meant(str(given), known)}")


def _meant(given: str, known: Any) -> str:
    """': did you mean ...?' or the list, where it is short."""
    close = difflib.get_close_matches(given, list(known), n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f": use one of {', '.join(known)}" if len(list(known)) <= 12 else "; docs/standards.md lists them"
