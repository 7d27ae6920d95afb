"""Counts answers for reports: by program, over the whole tape, the top reasons, and what assumptions decide."""

from __future__ import annotations

from typing import Any

import polars as pl

from poolhouse.rules import Rulebook, load
from poolhouse.standards.catalogue import MASKS, RULES, Program, programs
from poolhouse.standards.facts import Facts
from poolhouse.standards.frame import GRID, flagged, prepare
from poolhouse.tables import codes
from poolhouse.tables.codes import MARKET_PROGRAMS

TOP = 10


def summary(checks: pl.DataFrame, loans: pl.DataFrame, rulebook: Rulebook | None = None) -> dict[str, Any]:
    """What a market's `checks` say, as plain integers and text.

    `programs`: program -> answer -> loans. `loans`: offered, and by the best answer of any program: eligible
    (`eligible_outright` without and `eligible_assumed` with assumptions only), undetermined, not_eligible.
    `reasons`: the ten most frequent of each outcome: program, rule, outcome, loans. `assumed`: rule -> loans whose
    best answer rests on it. `turns_on_limited_cash_out`: conventional loans bought by an enterprise that a
    cash-out would make ineligible."""
    best = checks.group_by("loan_id").agg(pl.col("answer").min()).sort("loan_id")
    by_best = [best.filter(pl.col("answer") == code).height for code in range(4)]
    return {
        **counts(checks, programs(MARKET_PROGRAMS)),
        "loans": {
            "offered": loans.height,
            "eligible": by_best[codes.ELIGIBLE] + by_best[codes.ASSUMED],
            "eligible_outright": by_best[codes.ELIGIBLE],
            "eligible_assumed": by_best[codes.ASSUMED],
            "undetermined": by_best[codes.UNDETERMINED],
            "not_eligible": by_best[codes.INELIGIBLE],
        },
        "assumed": _assumed(checks),
        "turns_on_limited_cash_out": _turning(checks, loans, rulebook or load()),
    }


def counts(checks: pl.DataFrame, judged: tuple[Program, ...]) -> dict[str, Any]:
    """`programs`: program -> answer -> loans; `reasons`: the ten most frequent of each outcome, by program and rule."""
    each = {one: checks.filter(pl.col("program") == one.code) for one in judged}
    return {
        "programs": {one.name: _answers(rows) for one, rows in each.items()},
        "reasons": _reasons(each),
    }


def _answers(checks: pl.DataFrame) -> dict[str, int]:
    return {name: checks.filter(pl.col("answer") == code).height for code, name in enumerate(codes.ANSWERS)}


def _bit_counts(rows: pl.DataFrame, program: Program, outcome: str) -> dict[str, int]:
    """Rule -> rows of the program with its bit set."""
    mask = pl.col(MASKS[outcome])
    found = rows.select(((mask & (1 << rule.bit)) != 0).sum().alias(rule.name) for rule in program.rules)
    return {name: int(found[name][0]) for name in found.columns}


def _reasons(each: dict[Program, pl.DataFrame]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for outcome in MASKS:
        found = [
            (-loans, program.code, program.name, rule)
            for program, checks in each.items()
            for rule, loans in _bit_counts(checks, program, outcome).items()
            if loans
        ]
        rows += [
            {"program": name, "rule": rule, "outcome": outcome, "loans": -negative}
            for negative, _, name, rule in sorted(found)[:TOP]
        ]
    return rows


def _assumed(checks: pl.DataFrame) -> dict[str, int]:
    """Rule -> loans that some program takes only under the rule's assumption."""
    passing = checks.filter(pl.col("answer") == codes.ASSUMED)
    counts = {
        rule.name: passing.filter(
            pl.col("program").is_in(rule.programs), (pl.col("assumptions") & (1 << rule.bit)) != 0
        )["loan_id"].n_unique()
        for rule in RULES
    }
    return {name: loans for name, loans in sorted(counts.items()) if loans}


def _turning(checks: pl.DataFrame, loans: pl.DataFrame, rulebook: Rulebook) -> int:
    """Loans assumed limited cash-out that an enterprise takes and whose ratio is above its cash-out limit."""
    if not checks.height:
        return 0
    day = checks["as_of"][0]
    bought = checks.filter(pl.col("program").is_in([codes.FNMA, codes.FHLMC]), pl.col("answer") <= codes.ASSUMED)
    asked = loans.join(bought, on="loan_id", how="semi").filter(flagged("limited_cash_out_assumed"))
    assumed = prepare(asked, day, rulebook)
    cash_out = {cell: {**dims, "purpose": "cash_out"} for cell, dims in GRID.items()}
    limit = Facts(rulebook, day, day).by_units("max_ltv_e4", "grid", cash_out, program=codes.PROGRAMS[codes.FNMA])
    return assumed.filter(pl.col("ltv_e4") > limit.number()).height
