"""Turns a rule written as data into the expressions of a verdict, exact about what it doesn't know.

Of the lines that fit a loan the last in the file wins. Where a column that a line asks for is unknown, the line may
fit or not: the loan passes only if it does either way, fails only if it fails either way, and else can't be judged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import reduce
from operator import and_, or_
from typing import Any

import polars as pl

from poolhouse.rules import Value
from poolhouse.standards import cures
from poolhouse.standards.facts import NO, Facts, cite, whole
from poolhouse.standards.frame import SHAPES, flagged
from poolhouse.standards.verdict import YES, Limit, Rule, Verdict
from poolhouse.standards.vocabulary import NO_LIMIT, Spec
from poolhouse.standards.words import MISSING, text, unit_of
from poolhouse.tables.codes import PROGRAMS

_FAR = 1 << 61
"""Stands for 'no limit': beyond any number of a loan."""


@dataclass(frozen=True)
class _Limits:
    """What the lines say of each loan: the limit at its strictest and at its laxest (the same but for gaps)."""

    strict: pl.Expr
    lax: pl.Expr
    nearest: pl.Expr
    applies: pl.Expr
    fields: tuple[str, ...]
    lets: tuple[dict[str, pl.Expr], ...]


def rule_of(
    written: Spec, bit: int, programs: tuple[int, ...], check: Callable[[Facts, int], Verdict] | None = None
) -> Rule:
    """The rule of a specification."""
    return Rule(
        bit, written.name, programs, written.field, written.meaning,
        check or (lambda facts, program: verdict(written, facts, program)), written.unknown, (written.parameter,),
        written.when, written.test,
    )  # fmt: skip


def verdict(written: Spec, facts: Facts, program: int) -> Verdict:
    """The verdict of a rule written as data. A rule without a line for the program applies to no loan."""
    named = PROGRAMS[program] if program < len(PROGRAMS) else ""
    lines = facts.lines(written.parameter, program=named)
    limits = _limits(lines, written, facts)
    low, high = _ends(written)
    absent = pl.col(written.field).is_null() if written.field in facts.gaps else NO
    if written.test in ("at_most", "at_least"):
        over, unsure = _numbers(written.test, low, high, limits)
    else:
        over, unsure = _words_beyond(written, lines), NO
    return _outcome(written, facts, lines, limits, over, unsure, absent)


def _ends(written: Spec) -> tuple[pl.Expr, pl.Expr]:
    """The value at its lowest and highest: apart only for a score that is a band."""
    column = pl.col(written.field)
    return (column, band_end()) if written.field == "score" else (column, column)


def band_end() -> pl.Expr:
    """Where the loan's score band ends (exclusive): as far above the midpoint as the floor is below it.
    A score that is no band ends at itself."""
    score = pl.col("score")
    return pl.when(flagged("score_band")).then(2 * pl.col("score_mid") - score).otherwise(score)


def score_words() -> pl.Expr:
    """'640', or '300 to 620' for a band."""
    score = pl.col("score")
    return pl.when(band_end() > score).then(pl.format("{} to {}", score, band_end())).otherwise(text(score, ""))


def _numbers(test: str, low: pl.Expr, high: pl.Expr, limits: _Limits) -> tuple[pl.Expr, pl.Expr]:
    """Where the value is beyond the limit for sure, and where it may be."""
    exact = limits.strict is limits.lax
    if test == "at_most":
        over = low > limits.lax
        return over, NO if exact else (high > limits.strict) & ~over
    if low is high:
        over = low < limits.lax
        return over, NO if exact else (low < limits.strict) & ~over
    over = (low < limits.lax) & (high <= limits.lax)
    return over, (low < limits.strict) & ~over


def _words_beyond(written: Spec, lines: list[Value]) -> pl.Expr:
    """Where the word or yes-or-no is not what the loan's line asks for."""
    column = pl.col(written.field)
    beyond: pl.Expr = pl.lit(False)
    for place, line in enumerate(lines):
        if line.value == NO_LIMIT or written.test == "given":
            bad: pl.Expr = pl.lit(False)
        elif written.test == "is":
            bad = column != line.value
        else:
            inside = reduce(or_, [column == word for word in line.value])
            bad = ~inside if written.test == "one_of" else inside
        fits = pl.col(f"{written.parameter}:{place}").fill_null(NO)
        beyond = pl.when(fits).then(bad).otherwise(beyond) if line.dims else bad
    return beyond


def _limits(lines: list[Value], written: Spec, facts: Facts) -> _Limits:
    """The lines folded in file order. Which lines fit, and the limit's two ends, are worked out first as columns."""
    largest = written.test == "at_most"
    numeric = written.test in ("at_most", "at_least")
    none = whole(_FAR if largest else -_FAR)
    fold = _Limits(none, none, NO, pl.lit(False), (), ())
    fitting: dict[str, pl.Expr] = {}
    for place, line in enumerate(lines):
        number = _number(line, largest) if numeric else none
        limited = line.value != NO_LIMIT
        fits = _fit(line)
        if fits is None:
            everywhere = YES if limited else pl.lit(False)
            fold = _Limits(number, number, YES if line.nearest else NO, everywhere, (), ())
            continue
        name = f"{written.parameter}:{place}"
        fitting[name] = fits
        gaps = any(column in facts.gaps for column, _ in line.dims)
        fold = _folded(fold, pl.col(name), gaps, (number, limited, line.nearest), largest)
    fields = tuple(dict.fromkeys(column for line in lines for column, _ in line.dims))
    if not fitting or not numeric:
        return replace(fold, fields=fields, lets=(fitting,))
    ends = {f"{written.parameter}:strict": fold.strict}
    strict = lax = pl.col(f"{written.parameter}:strict")
    if fold.lax is not fold.strict:
        ends[f"{written.parameter}:lax"] = fold.lax
        lax = pl.col(f"{written.parameter}:lax")
    return replace(fold, strict=strict, lax=lax, fields=fields, lets=(fitting, ends))


def _folded(before: _Limits, fits: pl.Expr, gaps: bool, line: tuple[pl.Expr, bool, bool], largest: bool) -> _Limits:
    """One more line: it wins where it fits, and where it may fit it widens the gap between strictest and laxest."""
    number, limited, nearest = line
    on = YES if limited else NO
    sure = fits.fill_null(NO) if gaps else fits
    strict, lax = before.strict, before.lax
    if gaps:
        perhaps = pl.when(fits.is_null()).then(number)
        low, high = pl.min_horizontal, pl.max_horizontal
        lax = pl.when(sure).then(number).otherwise((high if largest else low)(lax, perhaps))
        strict = pl.when(sure).then(number).otherwise((low if largest else high)(strict, perhaps))
    else:
        same = strict is lax
        strict = pl.when(sure).then(number).otherwise(strict)
        lax = strict if same else pl.when(sure).then(number).otherwise(lax)
    applies = pl.when(sure).then(on).otherwise(before.applies | (fits.is_null() & on) if gaps else before.applies)
    near = YES if nearest else NO
    return replace(
        before, strict=strict, lax=lax,
        nearest=NO if near is NO and before.nearest is NO else pl.when(sure).then(near).otherwise(before.nearest),
        applies=YES if before.applies is YES and limited else applies,
    )  # fmt: skip


def _number(line: Value, largest: bool) -> pl.Expr:
    if line.value == NO_LIMIT:
        return whole(_FAR if largest else -_FAR)
    if not isinstance(line.value, list):
        return whole(line.value)
    cases = [pl.when(pl.col("units") == units).then(whole(v)) for units, v in enumerate(line.value, start=1)]
    return whole(line.value[0]) if len(set(line.value)) == 1 else pl.coalesce(cases)


def _limit_words(line: Value, written: Spec) -> pl.Expr:
    if line.value == NO_LIMIT:
        return pl.lit("no limit")
    if written.test in ("at_most", "at_least"):
        return text(_number(line, True), unit_of(written.field))
    if written.test == "is":
        return pl.lit("yes" if line.value else "no")
    if written.test == "given":
        return pl.lit("given")
    return pl.lit(("not " if written.test == "none_of" else "") + ", ".join(line.value))


def _fit(line: Value) -> pl.Expr | None:
    """Whether a line fits a loan (null: it may); None for a line that fits all."""
    found = [matches(column, wanted) for column, wanted in line.dims]
    return reduce(and_, found) if found else None


def matches(column: str, wanted: Any) -> pl.Expr:
    """One condition: a word, one of some words, true or false, a number or a range; null where the column is."""
    value = pl.col(column)
    found: pl.Expr
    if isinstance(wanted, tuple | list):
        if SHAPES[column] == pl.String():
            found = reduce(or_, [value == word for word in wanted])
        else:
            found = value.is_between(*wanted)
    else:
        found = value == wanted
    return found


def _of_line(lines: list[Value], written: Spec, say: Callable[[Value], pl.Expr], none: str) -> pl.Expr:
    """What `say` says of the line that holds for the loan."""
    said: pl.Expr = pl.lit(none)
    for place, line in enumerate(lines):
        fits = pl.col(f"{written.parameter}:{place}").fill_null(NO)
        said = pl.when(fits).then(say(line)).otherwise(said) if line.dims else say(line)
    return said


def _outcome(
    written: Spec, facts: Facts, lines: list[Value], limits: _Limits, over: pl.Expr, unsure: pl.Expr, absent: pl.Expr
) -> Verdict:
    """Puts each case where the rule says: fails, can't be judged, or an assumption."""
    over = over.fill_null(NO)
    fails = over if written.beyond == "fails" else NO
    unknown = [e for e in (unsure, absent if written.missing == "undetermined" else NO) if e is not NO]
    if written.beyond == "undetermined":
        unknown.append(over)
    undetermined = reduce(or_, [e.fill_null(NO) for e in unknown]) if unknown else NO
    assumptions: dict[str, pl.Expr] = {}
    if written.missing == "assumed" and absent is not NO:
        assumptions[written.assuming] = absent
    if written.beyond == "assumed":
        assumptions[written.assuming] = over | assumptions.get(written.assuming, NO)
    applies = limits.applies
    if written.when:
        asked = reduce(and_, [matches(column, wanted) for column, wanted in written.when])
        sure = asked.fill_null(NO)
        fields = [column for column, _ in written.when if column in facts.gaps]
        if fields:
            trouble = [e for e in (fails, undetermined) if e is not NO]
            doubt = asked.is_null() & reduce(or_, trouble) if trouble else NO
            fails = NO if fails is NO else sure & fails
            undetermined = NO if undetermined is NO else sure & undetermined
            if doubt is not NO:
                assumptions[f"this rule does not apply: {', '.join(fields)} not given"] = doubt
            applies = applies & (sure | doubt if doubt is not NO else sure)
        else:
            applies = applies & sure
    return Verdict(
        fails=fails, undetermined=undetermined, assumptions=assumptions, applies=applies,
        value=lambda: _value_words(written.field), lets=limits.lets,
        limit=Limit(
            lambda: _of_line(lines, written, lambda line: _limit_words(line, written), "no limit"),
            lambda: _of_line(lines, written, lambda line: pl.lit(cite(line)), ""),
            limits.nearest,
        ),
        cure=lambda: _cure(written, lines, limits), lacks=lambda: _lacking(written, limits),
    )  # fmt: skip


def _value_words(field: str) -> pl.Expr:
    kind, value = SHAPES[field], pl.col(field)
    if field == "score":
        return score_words()
    if kind == pl.Boolean():
        return pl.when(value).then(pl.lit("yes")).when(~value).then(pl.lit("no")).otherwise(pl.lit(MISSING))
    if kind == pl.String() or kind == pl.Date():
        return value.cast(pl.String).fill_null(MISSING)
    return text(value, unit_of(field))


def _cure(written: Spec, lines: list[Value], limits: _Limits) -> pl.Expr:
    if written.cure:
        return pl.lit(written.cure)
    if written.test in ("at_most", "at_least"):
        number = pl.col(written.field).cast(pl.Int64)
        return pl.when(limits.lax.abs() < _FAR).then(cures.by_field(written.field, written.test, number, limits.lax))
    limit = _of_line(lines, written, lambda line: _limit_words(line, written), "no limit")
    return pl.format(f"{written.field}: {{}}", limit)


def _lacking(written: Spec, limits: _Limits) -> pl.Expr:
    """Names of the unknown columns among those the rule reads."""
    names = dict.fromkeys((written.field, *limits.fields))
    cases = [pl.when(pl.col(name).is_null()).then(pl.lit(name)) for name in names]
    return pl.concat_str(cases, separator=", ", ignore_nulls=True)
