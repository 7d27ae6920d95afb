"""What a rule says about a column of loans, and what a rule is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from poolhouse.rules import Value
from poolhouse.standards.facts import NO, Cells, Facts, cite
from poolhouse.standards.words import text

YES = pl.lit(True)
Said = Callable[[], pl.Expr]
"""Text for people, put together only when it is asked for: most loans need no words."""


@dataclass(frozen=True)
class Limit:
    """What a rule asks for and who says so, as text expressions for people; `nearest`: where it comes from
    the nearest known version because none is known for the loan's date."""

    words: Said
    source: Said
    nearest: pl.Expr = NO

    @classmethod
    def of(cls, value: Value, unit: str) -> Limit:
        """One number for all loans."""
        return cls(lambda: text(pl.lit(value.value), unit), lambda: pl.lit(cite(value)), YES if value.nearest else NO)

    @classmethod
    def of_cells(cls, cells: Cells, unit: str) -> Limit:
        """A number for each cell."""
        return cls(lambda: text(cells.number(), unit), cells.source, cells.nearest())

    @classmethod
    def of_grid(cls, cells: Cells) -> Limit:
        """A ratio for each cell, of which some are not bought (0)."""
        number = cells.number()
        said = pl.when(number > 0).then(text(number, "e4")).otherwise(pl.lit("not bought"))
        return cls(lambda: said, cells.source, cells.nearest())

    def shown_as(self, words: Said) -> Limit:
        """The same limit in other words."""
        return replace(self, words=words)


@dataclass(frozen=True)
class Verdict:
    """Expressions over the columns of `frame.prepare`. A loan outside `applies` passes; else `fails` beats
    `undetermined`, which beats the assumptions. A null counts as false, so a rule says itself what is missing.

    `value`: the loan's value as text. `assumptions`: name -> where the loan passes only under it. `cure`: what would
    make a failing loan pass, as text; null where nothing can be computed. `lacks`: names of the fields without which
    it can't be judged. `lets`: columns to work out first, layer by layer, that the others refer to: an expression
    used ten times is worked out ten times."""

    fails: pl.Expr
    limit: Limit
    value: Said
    undetermined: pl.Expr = NO
    assumptions: dict[str, pl.Expr] = field(default_factory=dict)
    applies: pl.Expr = YES
    cure: Said | None = None
    lacks: Said | None = None
    lets: tuple[dict[str, pl.Expr], ...] = ()


@dataclass(frozen=True)
class Rule:
    """One standard. `bit` is its place in the bitmasks of `checks`: stored books hold it, never renumber. Bits are
    a program's own: two rules share one only when no program has both.

    `programs`: codes whose aggregator applies it. `field`: the column of `loans` it judges. `meaning`: what it
    asks for. `unknown`: what to find out when it can't be judged. `check(facts, program)` gives the verdict.
    `parameters`: full names of all parameters it reads, the deciding one first: loans are cut where one of them
    changes. `when`, `test`: of a rule written as data, the conditions (column, wanted) under which it is asked, and
    its test."""

    bit: int
    name: str
    programs: tuple[int, ...]
    field: str
    meaning: str
    check: Callable[[Facts, int], Verdict]
    unknown: str = "give the value"
    parameters: tuple[str, ...] = ()
    when: tuple[tuple[str, Any], ...] = ()
    test: str = ""


NEAREST = "nearest known rule version"
"""The assumption made when no version of a rule is known for the loan's date."""


def parts(name: str, verdict: Verdict) -> tuple[dict[str, pl.Expr], dict[str, pl.Expr]]:
    """How a verdict becomes its exclusive outcomes: boolean columns without nulls to work out first, whose names start
    with `name`, and from them the outcomes fails, undetermined, assumed. One that can't happen to any loan is left
    out: a million comparisons saved."""
    base: dict[str, pl.Expr] = {}

    def column(part: str, where: pl.Expr) -> pl.Expr:
        base[f"{name}:{part}"] = where.fill_null(NO)
        return pl.col(f"{name}:{part}")

    applies = None if verdict.applies is YES else column("applies", verdict.applies)

    def applied(where: pl.Expr) -> pl.Expr:
        return where if applies is None else where & applies

    found: dict[str, pl.Expr] = {}
    better = []
    if verdict.fails is not NO:
        better.append(column("fails", verdict.fails))
        found["fails"] = applied(better[0])
    if verdict.undetermined is not NO:
        unknown = column("undetermined", verdict.undetermined)
        found["undetermined"] = applied(unknown & ~better[0] if better else unknown)
        better.append(unknown)
    grounds = [where for where in (verdict.limit.nearest, *verdict.assumptions.values()) if where is not NO]
    if grounds:
        assumed = column("assumed", pl.any_horizontal(where.fill_null(NO) for where in grounds))
        for worse in better:
            assumed = assumed & ~worse
        found["assumed"] = applied(assumed)
    return base, found


def layered(lazy: pl.LazyFrame, layers: Sequence[dict[str, pl.Expr]]) -> pl.LazyFrame:
    """The frame with columns worked out layer by layer."""
    for layer in layers:
        lazy = lazy.with_columns(**layer) if layer else lazy
    return lazy
