"""A desk's limits, as a TOML file says them, to the optimiser's: [[total]], [[average]], [[share]], [[comparability]].

docs/execution.md has every key. Amounts are dollars in the file, shares and differences of shares fractions (0.1 is
ten percent). What is unknown is refused with its place and the nearest word there is.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from fractions import Fraction
from typing import Any, Literal

import polars as pl

from poolhouse.execution.groups import Offers
from poolhouse.execution.problem import Average, Comparability, Limit, Measure, Problem, Share, Total
from poolhouse.findings import Refused
from poolhouse.market.offer_columns import column_name

KEYS = {
    "assign": ("loans", "unassigned_price"),
    "total": ("name", "where", "per", "measure", "min", "max", "min_if_used", "short_cost", "over_cost"),
    "average": ("name", "where", "per", "of", "by", "min", "max"),
    "share": ("name", "where", "per", "of", "by", "min", "max"),
    "comparability": ("name", "a", "b", "within", "average", "share", "each", "by"),
}
_TABLES = ("loan", "pool")
_CONDITIONS = ("min", "max", "not")
_CENTS, _PER_100 = 100, 100
Raw = dict[str, Any]


@dataclass(frozen=True)
class LimitFile:
    """Limits in the file's order; `numbers`: columns they count with; `unassigned_price`: per 100, where loans may
    stay."""

    name: str
    limits: tuple[Limit, ...]
    assign: Literal["all", "any"]
    unassigned_price: Fraction
    numbers: frozenset[str]


def read_limits(text: str, name: str) -> LimitFile:
    """The limits of a TOML text; `name` is the file's, for messages. Refused with the place and what to write."""
    try:
        raw = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise Refused(f"{name}: not TOML: {error}") from error
    _known(name, raw, KEYS)
    assign, price = _assign(f"{name}: assign", raw.get("assign", {}))
    limits: list[Limit] = []
    for kind in KEYS:
        if kind == "assign":
            continue
        entries = raw.get(kind, [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise Refused(f"{name}: write each {kind} under a line [[{kind}]]")
        for number, entry in enumerate(entries, 1):
            limits.append(_limit(name, kind, number, entry))
    names = [limit.name for limit in limits]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise Refused(f"{name}: two limits are called {', '.join(twice)}: give each a name of its own")
    return LimitFile(name, tuple(limits), assign, price, frozenset(_numbers(limits)))


def _assign(where: str, raw: object) -> tuple[Literal["all", "any"], Fraction]:
    if not isinstance(raw, dict):
        raise Refused(f"{where} is a table: write [assign]")
    _known(where, raw, KEYS["assign"])
    said = _word(where, raw, "loans", ("all", "any"))
    price = _number(f"{where}: unassigned_price", raw.get("unassigned_price", 0))
    if said == "all" and "unassigned_price" in raw:
        raise Refused(f'{where}: unassigned_price goes with loans = "any"')
    return ("any" if said == "any" else "all"), price


def _limit(name: str, kind: str, number: int, raw: Raw) -> Limit:
    title = raw.get("name", f"{kind} {number}")
    if not isinstance(title, str) or not title.strip():
        raise Refused(f"{name}: {kind} {number}: name is a text")
    place = f"{name}: {kind} {title!r}" if "name" in raw else f"{name}: {title}"
    _known(place, raw, KEYS[kind])
    return _MAKE[kind](place, title.strip(), raw)


def _total(place: str, name: str, raw: Raw) -> Limit:
    measure = _measure(place, raw, "measure")
    if not {"min", "max", "min_if_used"} & set(raw):
        raise Refused(f"{place}: give min, max or min_if_used")
    unit = _CENTS if measure == "balance" else 1
    amounts = {key: _at_least_0(f"{place}: {key}", raw[key]) for key in ("min", "max", "min_if_used") if key in raw}
    if measure == "count" and any(a.denominator != 1 for a in amounts.values()):
        raise Refused(f"{place}: loans are counted in whole numbers")
    _in_order(place, amounts.get("min"), amounts.get("max"))
    costs = {}
    for key, other in (("short_cost", "min"), ("over_cost", "max")):
        if key not in raw:
            continue
        if other not in raw:
            raise Refused(f"{place}: {key} is what missing {other} costs: give {other} too")
        cost = _at_least_0(f"{place}: {key}", raw[key])
        costs[key] = cost / _PER_100 if measure == "balance" else cost * _CENTS
    sides: Any = {key: amount * unit for key, amount in amounts.items()} | costs
    return Total(name=name, where=_where(place, raw, "where"), per=_column(place, raw, "per"),
                 measure=measure, **sides)  # fmt: skip


def _average(place: str, name: str, raw: Raw) -> Limit:
    of = _column(place, raw, "of")
    if of is None:
        raise Refused(f'{place}: of names the column that is averaged, such as of = "score"')
    sides: Any = _sides(place, raw, _number)
    return Average(name=name, of=of, where=_where(place, raw, "where"), per=_column(place, raw, "per"),
                   by=_measure(place, raw, "by"), **sides)  # fmt: skip


def _share(place: str, name: str, raw: Raw) -> Limit:
    of = _where(place, raw, "of")
    if not of:
        raise Refused(f'{place}: of says what is counted, such as of = {{state = "CA"}}')
    sides: Any = _sides(place, raw, _fraction)
    return Share(name=name, of=of, where=_where(place, raw, "where"), per=_column(place, raw, "per"),
                 by=_measure(place, raw, "by"), **sides)  # fmt: skip


def _comparability(place: str, name: str, raw: Raw) -> Limit:
    what = [key for key in ("average", "share", "each") if key in raw]
    if len(what) != 1:
        raise Refused(f"{place}: give one of average (a column), share (a class) and each (a column)")
    if "within" not in raw:
        raise Refused(f"{place}: within says how far a and b may lie apart")
    for side in ("a", "b"):
        if not _where(place, raw, side):
            raise Refused(f'{place}: {side} says which group is compared, such as {side} = {{agency = "Fannie Mae"}}')
    read = _at_least_0 if what == ["average"] else _fraction
    return Comparability(
        name=name, a=_where(place, raw, "a"), b=_where(place, raw, "b"), within=read(f"{place}: within", raw["within"]),
        average=_column(place, raw, "average"), share=_where(place, raw, "share") if "share" in raw else None,
        each=_column(place, raw, "each"), by=_measure(place, raw, "by"),
    )  # fmt: skip


_MAKE: dict[str, Callable[[str, str, Raw], Limit]] = {
    "total": _total, "average": _average, "share": _share, "comparability": _comparability,
}  # fmt: skip


# Words, numbers, conditions


def _known(place: str, raw: Mapping[str, Any], keys: Iterable[str]) -> None:
    for key in raw:
        if key not in keys:
            raise Refused(f"{place}: {key} is unknown{_near(key, keys)}; there are {', '.join(keys)}")


def _near(word: str, words: Iterable[str]) -> str:
    close = get_close_matches(word, list(words), 1)
    return f", {close[0]} may be meant" if close else ""


def _word(place: str, raw: Raw, key: str, words: tuple[str, ...]) -> str:
    said = raw.get(key, words[0])
    if said not in words:
        raise Refused(f"{place}: {key} = {said!r}: write {' or '.join(words)}")
    return str(said)


def _measure(place: str, raw: Raw, key: str) -> Measure:
    return "count" if _word(place, raw, key, ("balance", "count")) == "count" else "balance"


def _number(place: str, value: object) -> Fraction:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Refused(f"{place} is a number without quotes, not {value!r}")
    if isinstance(value, Decimal) and not value.is_finite():
        raise Refused(f"{place} is {value}: leave the key out where there is no limit")
    return Fraction(value)


def _at_least_0(place: str, value: object) -> Fraction:
    found = _number(place, value)
    if found < 0:
        raise Refused(f"{place} is below zero")
    return found


def _fraction(place: str, value: object) -> Fraction:
    found = _at_least_0(place, value)
    if found > 1:
        raise Refused(f"{place} = {value}: a share is a fraction from 0 to 1: write {float(found) / _PER_100:g} "
                      f"for {value} percent")  # fmt: skip
    return found


def _sides(place: str, raw: Raw, read: Callable[[str, object], Fraction]) -> dict[str, Fraction]:
    sides: dict[str, Fraction] = {key: read(f"{place}: {key}", raw[key]) for key in ("min", "max") if key in raw}
    if not sides:
        raise Refused(f"{place}: give min, max or both")
    _in_order(place, sides.get("min"), sides.get("max"))
    return sides


def _in_order(place: str, low: Fraction | None, high: Fraction | None) -> None:
    if low is not None and high is not None and low > high:
        raise Refused(f"{place}: min is above max")


def _name(written: str) -> str:
    table, dot, rest = written.partition(".")
    if dot and table.strip().lower().rstrip("s") in _TABLES:
        return f"{table.strip().lower().rstrip('s')}.{column_name(rest)}"
    return column_name(written)


def _column(place: str, raw: Raw, key: str) -> str | None:
    if key not in raw:
        return None
    if not isinstance(raw[key], str) or not raw[key].strip():
        raise Refused(f"{place}: {key} is the name of a column")
    return _name(raw[key])


def _where(place: str, raw: Raw, key: str) -> dict[str, object]:
    value = raw.get(key, {})
    if not isinstance(value, dict):
        raise Refused(f'{place}: {key} is a table of conditions, such as {{servicer = "Alpha"}}')
    found: dict[str, object] = {}
    for written, wanted in value.items():
        if written in _TABLES and isinstance(wanted, dict) and not set(wanted) <= set(_CONDITIONS):
            for inner, sought in wanted.items():  # loan.score = 700 is a table in a table
                found[_name(f"{written}.{inner}")] = _wanted(f"{place}: {key} {written}.{inner}", sought)
        else:
            found[_name(written)] = _wanted(f"{place}: {key} {written}", wanted)
    return found


def _wanted(place: str, wanted: Any) -> object:
    if not isinstance(wanted, dict):
        return _values(place, wanted)
    _known(place, wanted, _CONDITIONS)
    if not wanted:
        raise Refused(f"{place}: give min, max or not")
    sides: dict[str, object] = {k: _number(f"{place}: {k}", v) for k, v in wanted.items() if k != "not"}
    return sides | {k: _values(place, v) for k, v in wanted.items() if k == "not"}


def _values(place: str, wanted: Any) -> object:
    values = wanted if isinstance(wanted, list) else [wanted]
    if not values or any(isinstance(v, dict | list) for v in values):
        raise Refused(f"{place}: write a value, or a list of values")
    plain = [v if isinstance(v, str | int | Decimal) else str(v) for v in values]
    return plain if isinstance(wanted, list) else plain[0]


# The limits and the files they speak of


def _conditions(limit: Limit) -> Iterator[Mapping[str, object]]:
    for where in (getattr(limit, key, None) for key in ("where", "of", "a", "b", "share")):
        if isinstance(where, Mapping):
            yield where


def _numbers(limits: list[Limit]) -> Iterator[str]:
    """Columns whose values are added or compared with numbers."""
    for limit in limits:
        if isinstance(limit, Average):
            yield limit.of
        if isinstance(limit, Comparability) and limit.average is not None:
            yield limit.average
        for where in _conditions(limit):
            for name, wanted in where.items():
                if isinstance(wanted, Mapping) and {"min", "max"} & set(wanted):
                    yield name


def fitted(file: LimitFile, problem: Problem) -> tuple[tuple[Limit, ...], list[str]]:
    """The limits with their values in the columns' own type, and notes of what no offer has.

    Refused where a column is in none of the files, or should hold numbers and holds words.
    """
    offers, notes, fit = Offers(problem), list[str](), []
    there = [c for f in (problem.offers, problem.pools, problem.loans) for c in f.columns if not c.endswith("_cents")]
    for limit in file.limits:
        place = f"{file.name}: {limit.name}"
        changes: dict[str, Any] = {}
        for key in ("where", "of", "a", "b", "share"):
            where = getattr(limit, key, None)
            if isinstance(where, Mapping):
                changes[key] = {n: _fit(offers, place, n, w, there, notes) for n, w in where.items()}
                if not offers.mask(changes[key]).any() and not any(place in note for note in notes):
                    notes.append(f"{place}: no offer meets all conditions of {key} together")
        for key in ("per", "of", "average", "each"):
            name = getattr(limit, key, None)
            if isinstance(name, str):
                series = _series(offers, place, name, there)
                if name in file.numbers and not series.dtype.is_numeric() and key in ("of", "average"):
                    raise Refused(f"{place}: {name} is a column of words or empty, and {limit.name} averages it")
        fit.append(_replaced(limit, changes))
    return tuple(fit), notes


def _replaced(limit: Limit, changes: dict[str, Any]) -> Limit:
    return type(limit)(**{**vars(limit), **changes})


def _series(offers: Offers, place: str, name: str, there: list[str]) -> pl.Series:
    try:
        return offers.column(name)
    except Refused:
        bare = name.rpartition(".")[2]
        known = ", ".join(sorted(set(there)))
        raise Refused(f"{place}: no column {name} in offers, pools or loans{_near(bare, there)}; there are {known}"
                      ) from None  # fmt: skip


def _fit(offers: Offers, place: str, name: str, wanted: object, there: list[str], notes: list[str]) -> object:
    """A condition with its values as the column has them: "6.5" in quotes is a number in a column of numbers."""
    series = _series(offers, place, name, there)
    if isinstance(wanted, Mapping):
        if {"min", "max"} & set(wanted) and not series.dtype.is_numeric():
            raise Refused(f"{place}: {name} is a column of words: min and max compare numbers")
        sides: dict[str, object] = {}
        for key, value in wanted.items():
            sides[key] = _fit(offers, place, name, value, there, notes) if key == "not" else value
        return sides
    values = [_typed(series, v) for v in (wanted if isinstance(wanted, list) else [wanted])]
    for value in values:
        if not offers.mask({name: value}).any():
            words = series.unique().drop_nulls().cast(pl.String).to_list()
            notes.append(f"{place}: no offer has {name} = {value!s}{_near(str(value), words)}")
    return values if isinstance(wanted, list) else values[0]


def _typed(series: pl.Series, value: Any) -> Any:
    if isinstance(value, str) and series.dtype.is_numeric():
        try:
            number = Decimal(value.strip())
        except InvalidOperation:
            return value
        return number if number.is_finite() else value
    return str(value) if isinstance(value, int | Decimal) and not series.dtype.is_numeric() else value
