"""Says in words why a loan got its answer: rule, limit, value and source of every bit set in `checks`."""

from __future__ import annotations

from datetime import date

import polars as pl

from poolhouse.rules import Rulebook
from poolhouse.standards.catalogue import MASKS, PROGRAMS, rules_of
from poolhouse.standards.facts import Facts, stretches
from poolhouse.standards.frame import prepare
from poolhouse.standards.verdict import NEAREST, Rule, Verdict
from poolhouse.tables import codes

SCHEMA: dict[str, pl.DataType] = {
    name: pl.String()
    for name in ("program", "answer", "rule", "outcome", "field", "limit", "value", "source", "message")
}
"""Columns of an explanation besides loan_id (Int32), which comes first."""


def explain(checks: pl.DataFrame, loans: pl.DataFrame, rulebook: Rulebook) -> pl.DataFrame:
    """One row for each rule that fails, can't be judged or rests on an assumption, for the `checks` rows given.

    Returns loan_id, program, answer, rule, outcome (fails | undetermined | assumed), field, limit, value,
    source, message, sorted by loan, program and rule. A loan that is plainly eligible has no row."""
    frames: list[pl.DataFrame] = []
    for delivered in sorted(checks["as_of"].unique().to_list()):
        asked = checks.filter(pl.col("as_of") == delivered)
        frames += _of_one_day(asked, loans, rulebook, delivered)
    empty = pl.DataFrame(schema={"loan_id": pl.Int32(), "code": pl.Int8(), "bit": pl.Int8(), **SCHEMA})
    return pl.concat([empty, *frames]).sort("loan_id", "code", "bit", "outcome").drop("code", "bit")


def _of_one_day(checks: pl.DataFrame, loans: pl.DataFrame, rulebook: Rulebook, day: date) -> list[pl.DataFrame]:
    wanted = loans.join(checks.select("loan_id").unique(), on="loan_id", how="semi")
    masks = checks.select("loan_id", "program", "answer", *MASKS.values())
    frames: list[pl.DataFrame] = []
    for noted, part in stretches(prepare(wanted, day), rulebook):
        facts = Facts(rulebook, day, noted)
        for program in PROGRAMS:
            rows = part.join(masks.filter(pl.col("program") == program), on="loan_id", how="inner")
            frames += _of_one_program(rows, facts, program)
    return frames


def _of_one_program(rows: pl.DataFrame, facts: Facts, program: int) -> list[pl.DataFrame]:
    """A frame for each rule and outcome that some row has; rules that nobody met are not worded."""
    if rows.is_empty():
        return []
    met = {outcome: int(rows.select(pl.col(mask).bitwise_or()).item()) for outcome, mask in MASKS.items()}
    frames = []
    for rule in rules_of(program):
        bit = 1 << rule.bit
        for outcome in (name for name, bits in met.items() if bits & bit):
            hit = rows.filter((pl.col(MASKS[outcome]) & bit) != 0)
            frames.append(_words(hit, rule, rule.check(facts, program), outcome, program))
    return frames


def _words(rows: pl.DataFrame, rule: Rule, verdict: Verdict, outcome: str, program: int) -> pl.DataFrame:
    limit, value = verdict.limit.words, verdict.value
    said = {
        "fails": pl.format("{}: {} does not meet {}", pl.lit(rule.meaning), value, limit),
        "undetermined": pl.format(
            "{}: {} can't be judged against {}; {}", pl.lit(rule.meaning), value, limit, pl.lit(rule.unknown)
        ),
        "assumed": pl.format("{}: {} passes assuming {}", pl.lit(rule.meaning), value, _assumptions(verdict)),
    }[outcome]
    return rows.select(
        "loan_id",
        pl.col("program").alias("code"),
        pl.lit(rule.bit, pl.Int8).alias("bit"),
        pl.lit(codes.PROGRAMS[program]).alias("program"),
        pl.col("answer").replace_strict(list(range(4)), list(codes.ANSWERS), return_dtype=pl.String).alias("answer"),
        pl.lit(rule.name).alias("rule"),
        pl.lit(outcome).alias("outcome"),
        pl.lit(rule.field).alias("field"),
        limit.alias("limit"),
        value.alias("value"),
        verdict.limit.source.alias("source"),
        said.alias("message"),
    )


def _assumptions(verdict: Verdict) -> pl.Expr:
    """The names of the assumptions that the loan's pass rests on, joined by commas."""
    cases = {**verdict.assumptions, NEAREST: verdict.limit.nearest}
    named = [pl.when(where.fill_null(False)).then(pl.lit(name)) for name, where in cases.items()]
    return pl.concat_str(named, separator=", ", ignore_nulls=True)
