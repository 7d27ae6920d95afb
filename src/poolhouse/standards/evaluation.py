"""Judges loans: one answer per loan and program, with the rules behind it as bitmasks."""

from __future__ import annotations

from datetime import date

import polars as pl

from poolhouse.rules import Rulebook
from poolhouse.standards.catalogue import MASKS, PROGRAMS, rules_of
from poolhouse.standards.common import kind_taken, loan_type
from poolhouse.standards.facts import Facts, stretches
from poolhouse.standards.frame import prepare
from poolhouse.standards.verdict import outcomes
from poolhouse.tables import CHECKS, codes


def evaluate(loans: pl.DataFrame, as_of: date, rulebook: Rulebook) -> pl.DataFrame:
    """Four rows of `checks` per loan, one for each program, as delivered on `as_of`.

    `loans`: columns of tables.LOANS (at least `frame.COLUMNS`), one row per loan_id. Rules that take effect by
    delivery are those of `as_of`, others those of each loan's note date. Ineligible beats undetermined beats
    assumed. Raises polars.ColumnNotFoundError where a column is missing."""
    ready = prepare(loans, as_of)
    frames = [
        _answers(part, program, Facts(rulebook, as_of, noted))
        for noted, part in stretches(ready, rulebook)
        for program in PROGRAMS
    ]
    return CHECKS.conform(pl.concat(frames) if frames else CHECKS.empty())


def _answers(loans: pl.DataFrame, program: int, facts: Facts) -> pl.DataFrame:
    """One program's answers. A loan of a kind that the program doesn't take gets that reason alone."""
    takes = kind_taken(program)
    masks: dict[str, pl.Expr] = {mask: pl.lit(0, pl.Int64) for mask in MASKS.values()}
    wrong_kind = dict(masks)
    for rule in rules_of(program):
        if rule.check is loan_type:
            wrong_kind[MASKS["fails"]] = pl.lit(1 << rule.bit, pl.Int64)
            continue
        for outcome, where in outcomes(rule.check(facts, program)).items():
            masks[MASKS[outcome]] |= where.cast(pl.Int64) * (1 << rule.bit)
    lazy = loans.lazy()
    parts = [
        lazy.filter(takes).select("loan_id", **masks),
        lazy.filter(~takes).select("loan_id", **wrong_kind),
    ]
    answer = (
        pl.when(pl.col("reasons") != 0).then(codes.INELIGIBLE)
        .when(pl.col("undetermined") != 0).then(codes.UNDETERMINED)
        .when(pl.col("assumptions") != 0).then(codes.ASSUMED)
        .otherwise(codes.ELIGIBLE)
    )  # fmt: skip
    rows = pl.concat(parts).with_columns(
        program=pl.lit(program, pl.Int8), answer=answer.cast(pl.Int8), as_of=pl.lit(facts.delivered)
    )
    return rows.select(*CHECKS.schema).collect()
