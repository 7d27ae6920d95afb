"""Judges loans: one answer per loan and program, with the rules behind it as bitmasks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from functools import reduce
from operator import or_
from typing import Any

import polars as pl

from poolhouse.rules import Rulebook, Value
from poolhouse.standards.catalogue import MASKS, Program, programs
from poolhouse.standards.common import KIND_BIT
from poolhouse.standards.facts import Facts, stretches
from poolhouse.standards.frame import SHAPES, filled, prepare
from poolhouse.standards.verdict import layered, parts
from poolhouse.tables import CHECKS, codes
from poolhouse.tables.codes import MARKET_PROGRAMS

_BYTE = 8
_BITS = [pl.lit(1 << place, pl.UInt8) for place in range(_BYTE)]
_AT_ONCE = 2
"""Stretches judged at once: while one is computed the next one's rules are put together."""
_PLAIN = pl.QueryOptFlags.none()
"""The plan is what is written: looking for common parts in a hundred expressions takes longer than to work them out."""


def evaluate(
    loans: pl.DataFrame,
    as_of: date,
    rulebook: Rulebook,
    asked: tuple[int | Program, ...] = MARKET_PROGRAMS,
) -> pl.DataFrame:
    """Rows of `checks`: one per loan and program, as delivered on `as_of`.

    `loans`: columns of tables.LOANS (at least `frame.COLUMNS`), one row per loan_id. `asked`: programs, by code or as
    read from a user's file. Rules that take effect by delivery are those of `as_of`, others those of each loan's
    own dates. Ineligible beats undetermined beats assumed. Raises polars.ColumnNotFoundError for a missing column."""
    ready = prepare(loans, as_of, rulebook)
    gaps = gaps_of(ready)
    by_kinds: dict[tuple[str, ...], list[Program]] = {}
    for one in programs(asked):
        by_kinds.setdefault(one.kinds, []).append(one)
    jobs, frames = [], []
    for judged in by_kinds.values():
        takes = judged[0].takes()
        frames += [_wrong_kind(ready.filter(~takes), one, as_of) for one in judged]
        names = {name for one in judged for rule in one.rules for name in rule.parameters}
        jobs += [
            (part, tuple(judged), Facts(rulebook, as_of, cased, noted, gaps))
            for (cased, noted), part in stretches(ready.filter(takes), rulebook, names)
        ]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        frames += [frame for found in pool.map(lambda job: _answers(*job), jobs) for frame in found]
    return CHECKS.conform(pl.concat(frames) if frames else CHECKS.empty())


def evaluations(loans: pl.DataFrame, judged: tuple[Program, ...]) -> int:
    """How often a rule is judged for a loan: all of a program's rules, or one where it doesn't take the loan's kind."""
    counts = dict(loans.group_by("kind").len().iter_rows())
    return sum(
        number * (len(program.rules) if kind in program.kinds else 1)
        for kind, number in counts.items()
        for program in judged
    )


def gaps_of(ready: pl.DataFrame) -> frozenset[str]:
    """Columns in which some loan has no value, and what the reader filled in for some (`frame.filled`)."""
    flags = int(ready.select(pl.col("imputed_flags").bitwise_or()).item() or 0)
    columns = {name for name in SHAPES if ready[name].null_count()}
    return frozenset(columns | {filled(name) for name in codes.imputed_names(flags)})


@dataclass(frozen=True)
class Recorded(Facts):
    """Facts that note what a rule looked up: the same rule with the same numbers says the same of a loan, so it is
    worked out once for all programs that share it."""

    seen: list[tuple[Any, ...]] = field(default_factory=list)

    def value(self, name: str, **dims: Any) -> Value:
        found = super().value(name, **dims)
        self.seen.append((name, found.value, found.nearest))
        return found

    def lines(self, full: str, **fixed: Any) -> list[Value]:
        found = super().lines(full, **fixed)
        self.seen.append((full, *((v.value, v.nearest, v.dims) for v in found)))
        return found


def _answers(loans: pl.DataFrame, judged: tuple[Program, ...], facts: Facts) -> list[pl.DataFrame]:
    """The answers of programs that take the same kinds of loans, for loans of these kinds."""
    lazy = loans.lazy()
    known: dict[str, dict[str, pl.Expr]] = {}
    masks: dict[str, pl.Expr] = {}
    for program in judged:
        layers: list[dict[str, pl.Expr]] = [{}, {}, {}]
        found: dict[str, list[tuple[int, pl.Expr]]] = {mask: [] for mask in MASKS.values()}
        for rule in program.rules:
            if rule.bit == KIND_BIT:
                continue
            recorded = Recorded(**vars(facts))
            verdict = rule.check(recorded, program.code)
            key = f"{id(rule.check)} {recorded.seen!r}"
            if key not in known:
                for layer, lets in zip(layers, verdict.lets, strict=False):
                    layer.update(lets)
                base, known[key] = parts(str(len(known)), verdict)
                layers[-1].update(base)
            for outcome, where in known[key].items():
                found[MASKS[outcome]].append((rule.bit, where))
        lazy = layered(lazy, layers)
        masks |= {f"{program.code}:{mask}": _mask(bits) for mask, bits in found.items()}
    taken = lazy.select("loan_id", **masks).collect(optimizations=_PLAIN)
    return [_rows(taken, program, facts.delivered) for program in judged]


def _rows(taken: pl.DataFrame, program: Program, day: date) -> pl.DataFrame:
    """One program's rows of `checks`."""
    masks = {mask: pl.col(f"{program.code}:{mask}") for mask in MASKS.values()}
    answer = (
        pl.when(masks["reasons"] != 0).then(codes.INELIGIBLE)
        .when(masks["undetermined"] != 0).then(codes.UNDETERMINED)
        .when(masks["assumptions"] != 0).then(codes.ASSUMED)
        .otherwise(codes.ELIGIBLE)
    )  # fmt: skip
    return _as_checks(taken, program, day, answer, masks)


def _wrong_kind(loans: pl.DataFrame, program: Program, day: date) -> pl.DataFrame:
    """Rows of loans of a kind that the program doesn't take: that reason alone."""
    bit = next((1 << rule.bit for rule in program.rules if rule.bit == KIND_BIT), 0)
    masks = {mask: pl.lit(bit if mask == MASKS["fails"] else 0, pl.Int64) for mask in MASKS.values()}
    return _as_checks(loans, program, day, pl.lit(codes.INELIGIBLE), masks)


def _as_checks(
    loans: pl.DataFrame, program: Program, day: date, answer: pl.Expr, masks: dict[str, pl.Expr]
) -> pl.DataFrame:
    said = {"program": pl.lit(program.code, pl.Int8), "answer": answer.cast(pl.Int8), "as_of": pl.lit(day), **masks}
    return loans.select(**{name: said.get(name, pl.col(name)) for name in CHECKS.schema})


def _mask(found: list[tuple[int, pl.Expr]]) -> pl.Expr:
    """Bits as one integer. Put together a byte at a time: eight times less memory to run through than in words."""
    by_byte: dict[int, list[pl.Expr]] = {}
    for bit, where in found:
        by_byte.setdefault(bit // _BYTE, []).append(where.cast(pl.UInt8) * _BITS[bit % _BYTE])
    words = [reduce(or_, bits).cast(pl.Int64) * (1 << _BYTE * place) for place, bits in sorted(by_byte.items())]
    return reduce(or_, words) if words else pl.lit(0, pl.Int64)
