"""Judges loans: one answer per loan and program, with the rules behind it as bitmasks."""

from __future__ import annotations

from datetime import date
from functools import reduce
from operator import or_

import polars as pl

from poolhouse.rules import Rulebook
from poolhouse.standards.catalogue import MASKS, Program, programs
from poolhouse.standards.common import loan_type
from poolhouse.standards.facts import Facts, stretches
from poolhouse.standards.frame import SHAPES, prepare
from poolhouse.standards.verdict import layered, parts
from poolhouse.tables import CHECKS, codes
from poolhouse.tables.codes import MARKET_PROGRAMS

_BYTE = 8
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
    judged = programs(asked)
    frames = [
        _answers(part, program, Facts(rulebook, as_of, cased, noted, gaps))
        for (cased, noted), part in stretches(ready, rulebook)
        for program in judged
    ]
    return CHECKS.conform(pl.concat(frames) if frames else CHECKS.empty())


def gaps_of(ready: pl.DataFrame) -> frozenset[str]:
    """Columns in which some loan has no value."""
    return frozenset(name for name in SHAPES if ready[name].null_count())


def _answers(loans: pl.DataFrame, program: Program, facts: Facts) -> pl.DataFrame:
    """One program's answers. A loan of a kind that the program doesn't take gets that reason alone."""
    takes = program.takes()
    found: dict[str, list[tuple[int, pl.Expr]]] = {mask: [] for mask in MASKS.values()}
    layers: list[dict[str, pl.Expr]] = [{}, {}, {}]
    wrong = 0
    for rule in program.rules:
        if rule.check is loan_type:
            wrong = 1 << rule.bit
            continue
        verdict = rule.check(facts, program.code)
        for layer, lets in zip(layers, verdict.lets, strict=False):
            layer.update(lets)
        base, outcomes = parts(rule, verdict)
        layers[-1].update(base)
        for outcome, where in outcomes.items():
            found[MASKS[outcome]].append((rule.bit, where))
    none = pl.lit(0, pl.Int64)
    wrong_kind = dict.fromkeys(MASKS.values(), none) | {MASKS["fails"]: pl.lit(wrong, pl.Int64)}
    lazy = loans.lazy()
    taken = layered(lazy.filter(takes), layers).select("loan_id", **{mask: _mask(w) for mask, w in found.items()})
    both = [taken, lazy.filter(~takes).select("loan_id", **wrong_kind)]
    answer = (
        pl.when(pl.col("reasons") != 0).then(codes.INELIGIBLE)
        .when(pl.col("undetermined") != 0).then(codes.UNDETERMINED)
        .when(pl.col("assumptions") != 0).then(codes.ASSUMED)
        .otherwise(codes.ELIGIBLE)
    )  # fmt: skip
    rows = pl.concat(both).with_columns(
        program=pl.lit(program.code, pl.Int8), answer=answer.cast(pl.Int8), as_of=pl.lit(facts.delivered)
    )
    return rows.select(*CHECKS.schema).collect(optimizations=_PLAIN)


def _mask(found: list[tuple[int, pl.Expr]]) -> pl.Expr:
    """Bits as one integer. Put together a byte at a time: eight times less memory to run through than in words."""
    by_byte: dict[int, list[pl.Expr]] = {}
    for bit, where in found:
        by_byte.setdefault(bit // _BYTE, []).append(where.cast(pl.UInt8) * pl.lit(1 << bit % _BYTE, pl.UInt8))
    words = [reduce(or_, bits).cast(pl.Int64) * (1 << _BYTE * place) for place, bits in sorted(by_byte.items())]
    return reduce(or_, words) if words else pl.lit(0, pl.Int64)
