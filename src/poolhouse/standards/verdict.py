"""What a rule says about a column of loans, and what a rule is."""

from __future__ import annotations

from collections.abc import Callable
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

    `value`: the loan's value as text. `assumptions`: name -> where the loan passes only under it."""

    fails: pl.Expr
    limit: Limit
    value: pl.Expr
    undetermined: pl.Expr = NO
    assumptions: dict[str, pl.Expr] = field(default_factory=dict)
    applies: pl.Expr = YES


@dataclass(frozen=True)
class Rule:
    """One standard. `bit` is its place in the bitmasks of `checks`: stored books hold it, never renumber.

    `programs`: codes whose aggregator applies it. `field`: the column of `loans` it judges. `meaning`: what it
    asks for. `unknown`: what to find out when it can't be judged. `check(facts, program)` gives the verdict."""

    bit: int
    name: str
    programs: tuple[int, ...]
    field: str
    meaning: str
    check: Callable[[Facts, int], Verdict]
    unknown: str = "give the value"


NEAREST = "nearest known rule version"
"""The assumption made when no version of a rule is known for the loan's date."""


def outcomes(verdict: Verdict) -> dict[str, pl.Expr]:
    """The exclusive outcomes as boolean columns without nulls: fails, undetermined, assumed. One that can't
    happen to any loan is left out: a million comparisons saved."""
    applies = verdict.applies.fill_null(False)
    fails = applies & verdict.fails.fill_null(False)
    unknown = applies & verdict.undetermined.fill_null(False) & ~fails
    possible = {}
    if verdict.fails is not NO:
        possible["fails"] = fails
    if verdict.undetermined is not NO:
        possible["undetermined"] = unknown
    grounds = [
        where.fill_null(False) for where in (verdict.limit.nearest, *verdict.assumptions.values()) if where is not NO
    ]
    if grounds:
        possible["assumed"] = applies & pl.any_horizontal(grounds) & ~fails & ~unknown
    return possible
