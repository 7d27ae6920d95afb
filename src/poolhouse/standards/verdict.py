"""What a rule says about a column of loans, and what a rule is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from poolhouse.rules import Value
from poolhouse.standards.facts import NO, Cells, Facts, cite
from poolhouse.standards.words import text

YES = pl.lit(True)


@dataclass(frozen=True)
class Limit:
    """What a rule asks for and who says so, as text expressions for people; `nearest`: where it comes from
    the nearest known version because none is known for the loan's date."""

    words: pl.Expr
    source: pl.Expr
    nearest: pl.Expr = NO

    @classmethod
    def of(cls, value: Value, unit: str) -> Limit:
        """One number for all loans."""
        return cls(text(pl.lit(value.value), unit), pl.lit(cite(value)), YES if value.nearest else NO)

    @classmethod
    def of_cells(cls, cells: Cells, unit: str) -> Limit:
        """A number for each cell."""
        return cls(text(cells.number(), unit), cells.source(), cells.nearest())

    def shown_as(self, words: pl.Expr) -> Limit:
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
    value: pl.Expr
    undetermined: pl.Expr = NO
    assumptions: dict[str, pl.Expr] = field(default_factory=dict)
    applies: pl.Expr = YES
    cure: pl.Expr | None = None
    lacks: pl.Expr | None = None
    lets: tuple[dict[str, pl.Expr], ...] = ()


@dataclass(frozen=True)
class Rule:
    """One standard. `bit` is its place in the bitmasks of `checks`: stored books hold it, never renumber. Bits are
    a program's own: two rules share one only when no program has both.

    `programs`: codes whose aggregator applies it. `field`: the column of `loans` it judges. `meaning`: what it
    asks for. `unknown`: what to find out when it can't be judged. `check(facts, program)` gives the verdict.
    `parameters`: full names of the parameters it reads, the deciding one first."""

    bit: int
    name: str
    programs: tuple[int, ...]
    field: str
    meaning: str
    check: Callable[[Facts, int], Verdict]
    unknown: str = "give the value"
    parameters: tuple[str, ...] = ()


NEAREST = "nearest known rule version"
"""The assumption made when no version of a rule is known for the loan's date."""


def parts(rule: Rule, verdict: Verdict) -> tuple[dict[str, pl.Expr], dict[str, pl.Expr]]:
    """How a verdict becomes its exclusive outcomes: boolean columns without nulls to work out first, named by the
    rule's bit, and from them the outcomes fails, undetermined, assumed. One that can't happen to any loan is left
    out: a million comparisons saved."""
    base: dict[str, pl.Expr] = {}

    def column(name: str, where: pl.Expr) -> pl.Expr:
        base[f"{rule.bit}:{name}"] = where.fill_null(False)
        return pl.col(f"{rule.bit}:{name}")

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
        assumed = column("assumed", pl.any_horizontal(where.fill_null(False) for where in grounds))
        for worse in better:
            assumed = assumed & ~worse
        found["assumed"] = applied(assumed)
    return base, found


def layered(lazy: pl.LazyFrame, layers: Sequence[dict[str, pl.Expr]]) -> pl.LazyFrame:
    """The frame with columns worked out layer by layer."""
    for layer in layers:
        lazy = lazy.with_columns(**layer) if layer else lazy
    return lazy
