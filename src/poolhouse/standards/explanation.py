"""Says in words why a loan got its answer: rule, limit, value and source of every bit set in `checks`."""

from __future__ import annotations

from datetime import date

import polars as pl

from poolhouse.rules import Rulebook
from poolhouse.standards.catalogue import MASKS, Program, programs
from poolhouse.standards.evaluation import gaps_of
from poolhouse.standards.facts import NO, Facts, date_column, stretches
from poolhouse.standards.frame import prepare
from poolhouse.standards.verdict import NEAREST, Rule, Verdict, layered
from poolhouse.tables import codes
from poolhouse.tables.codes import MARKET_PROGRAMS

SCHEMA: dict[str, pl.DataType] = {
    name: pl.String()
    for name in ("program", "answer", "rule", "outcome", "field", "limit", "value", "source", "message", "cure")
}
"""Columns of an explanation besides loan_id (Int32), which comes first."""


def explain(
    checks: pl.DataFrame,
    loans: pl.DataFrame,
    rulebook: Rulebook,
    asked: tuple[int | Program, ...] = MARKET_PROGRAMS,
) -> pl.DataFrame:
    """One row for each rule that fails, can't be judged or rests on an assumption, for the `checks` rows given.

    Returns loan_id, program, answer, rule, outcome (fails | undetermined | assumed), field, limit, value,
    source, message, cure (what would make it pass, as far as it can be computed, else ''; for what can't be judged,
    what to find out), sorted by loan, program and rule. `field`: what the rule judges, or what the loan lacks to be
    judged (several: 'dti_e4, reserves_months'). A loan that is plainly eligible has no row. `asked`
    as in `evaluate`."""
    frames: list[pl.DataFrame] = []
    judged = programs(asked)
    for delivered in sorted(checks["as_of"].unique().to_list()):
        of_day = checks.filter(pl.col("as_of") == delivered)
        frames += _of_one_day(of_day, loans, rulebook, delivered, judged)
    empty = pl.DataFrame(schema={"loan_id": pl.Int32(), "code": pl.Int8(), "bit": pl.Int8(), **SCHEMA})
    return pl.concat([empty, *frames]).sort("loan_id", "code", "bit", "outcome").drop("code", "bit")


def _of_one_day(
    checks: pl.DataFrame, loans: pl.DataFrame, rulebook: Rulebook, day: date, judged: tuple[Program, ...]
) -> list[pl.DataFrame]:
    wanted = loans.join(checks.select("loan_id").unique(), on="loan_id", how="semi")
    masks = checks.select("loan_id", "program", "answer", *MASKS.values())
    frames: list[pl.DataFrame] = []
    ready = prepare(wanted, day, rulebook).with_columns(as_of=pl.lit(day))
    gaps = gaps_of(ready)
    for (cased, noted), part in stretches(ready, rulebook):
        facts = Facts(rulebook, day, cased, noted, gaps)
        for program in judged:
            rows = part.join(masks.filter(pl.col("program") == program.code), on="loan_id", how="inner")
            frames += _of_one_program(rows, facts, program)
    return frames


def _of_one_program(rows: pl.DataFrame, facts: Facts, program: Program) -> list[pl.DataFrame]:
    """A frame for each rule and outcome that some row has; rules that nobody met are not worded."""
    if rows.is_empty():
        return []
    met = {outcome: int(rows.select(pl.col(mask).bitwise_or()).item()) for outcome, mask in MASKS.items()}
    frames = []
    for rule in program.rules:
        bit = 1 << rule.bit
        for outcome in (name for name, bits in met.items() if bits & bit):
            hit = rows.filter((pl.col(MASKS[outcome]) & bit) != 0)
            frames.append(_words(hit, rule, rule.check(facts, program.code), outcome, program, facts))
    return frames


def _words(
    rows: pl.DataFrame, rule: Rule, verdict: Verdict, outcome: str, program: Program, facts: Facts
) -> pl.DataFrame:
    limit, value, meaning = verdict.limit.words(), verdict.value(), pl.lit(rule.meaning)
    lacks = (verdict.lacks() if verdict.lacks is not None else pl.lit(rule.field)).fill_null("")
    without = pl.when(lacks == "").then(pl.lit("")).otherwise(" without " + lacks)
    said = {
        "fails": pl.format("{}: {} does not meet {}", meaning, value, limit),
        "undetermined": pl.format(
            "{}: {} can't be judged against {}{}; {}", meaning, value, limit, without, pl.lit(rule.unknown)
        ),
        "assumed": pl.format("{}: {} passes assuming {}", meaning, value, _assumptions(verdict)),
    }[outcome]
    cure = {
        "fails": pl.lit("") if verdict.cure is None else verdict.cure().fill_null(""),
        "undetermined": pl.lit(rule.unknown),
        "assumed": pl.lit(""),
    }[outcome]
    return (
        layered(rows.lazy(), verdict.lets)
        .select(
            "loan_id",
            pl.col("program").alias("code"),
            pl.lit(rule.bit, pl.Int8).alias("bit"),
            pl.lit(program.name).alias("program"),
            pl.col("answer")
            .replace_strict(list(range(4)), list(codes.ANSWERS), return_dtype=pl.String)
            .alias("answer"),
            pl.lit(rule.name).alias("rule"),
            pl.lit(outcome).alias("outcome"),
            (
                pl.when(lacks != "").then(lacks).otherwise(pl.lit(rule.field))
                if outcome == "undetermined"
                else pl.lit(rule.field)
            ).alias("field"),
            limit.alias("limit"),
            value.alias("value"),
            verdict.limit.source().alias("source"),
            (said + _no_version(rule, verdict, facts)).alias("message"),
            cure.alias("cure"),
        )
        .collect()
    )


def _no_version(rule: Rule, verdict: Verdict, facts: Facts) -> pl.Expr:
    """' (no version known for 2009-03-01; nearest is from 2017-07-29)' where the limit is only the nearest."""
    if verdict.limit.nearest is NO or not rule.parameters:
        return pl.lit("")
    column = date_column(facts.rulebook.parameters[rule.parameters[0]].basis)
    since = verdict.limit.source().str.extract(r"nearest is from (\d{4}-\d\d-\d\d)").fill_null("later")
    words = pl.format(" (no version known for {}; nearest is from {})", pl.col(column).cast(pl.String), since)
    return pl.when(verdict.limit.nearest.fill_null(False)).then(words).otherwise(pl.lit(""))


def _assumptions(verdict: Verdict) -> pl.Expr:
    """The names of the assumptions that the loan's pass rests on, joined by commas."""
    cases = {**verdict.assumptions, NEAREST: verdict.limit.nearest}
    named = [pl.when(where.fill_null(False)).then(pl.lit(name)) for name, where in cases.items()]
    return pl.concat_str(named, separator=", ", ignore_nulls=True)
