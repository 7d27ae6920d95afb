"""Each rule at its limit and beyond it, on a loan by hand and on loans of the real tape: refused for exactly that."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from standards_factory import loans

from poolhouse.loans import demo_tape, read_tape
from poolhouse.loans.closing import as_loans
from poolhouse.rules import load
from poolhouse.standards import CODES, RULES, evaluate, explain, rules_of
from poolhouse.tables import LOANS

LIMITS = tomllib.loads((Path(__file__).parents[1] / "cases" / "limits.toml").read_text(encoding="utf-8"))["limit"]
NAMES = [f"{one['program']}-{one['rule']}-{one.get('limit', '')}" for one in LIMITS]
DAY = date(2026, 12, 1)
NO_LIMIT = {"refinance_purpose", "streamline"}
"""Rules that never fail a loan: they say what is assumed or waived."""
UNSURE = {"fha_manual_factors", "usda_manual_ratio"}
"""Rules that ask for what no tape has: beyond them a loan is undetermined."""
EACH = 150


def changes(one: dict[str, Any], *parts: str) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for part in parts:
        merged |= one.get(part, {})
    return {k: None if v == -1 else v for k, v in merged.items()}


def bit(one: dict[str, Any]) -> int:
    return 1 << next(r.bit for r in rules_of(CODES[one["program"]]) if r.name == one["rule"])


def test_every_rule_stands_in_the_table() -> None:
    shown = {(one["rule"], one["program"]) for one in LIMITS}
    for rule in RULES:
        if rule.name not in NO_LIMIT | UNSURE:
            assert any((rule.name, name) in shown for name, code in CODES.items() if code in rule.programs), rule.name


@pytest.mark.parametrize("one", LIMITS, ids=NAMES)
def test_at_the_limit_and_beyond(one: dict[str, Any]) -> None:
    book, day, code = load(), one.get("as_of", DAY), CODES[one["program"]]
    tape = loans(changes(one, "base", "at"), changes(one, "base", "beyond"))
    checks = evaluate(tape, day, book, (code,))
    assert checks["reasons"].to_list() == [0, bit(one)]
    said = explain(checks, tape, book, (code,)).filter(pl.col("outcome") == "fails")
    row = said.row(0, named=True)
    assert (said.height, row["loan_id"], row["rule"]) == (1, 2, one["rule"])
    assert one["source"] in row["source"]
    assert row["limit"] == one.get("limit", row["limit"])
    assert row["cure"] == one.get("cure", row["cure"])


@pytest.fixture(scope="module")
def real() -> dict[str, pl.DataFrame]:
    """Loans of the shipped tape by kind, as if their notes were of October 2026."""
    every = as_loans(read_tape(demo_tape()).tape).with_columns(
        note_date=pl.lit(date(2026, 10, 14)), first_due_date=pl.lit(date(2026, 12, 1))
    )
    return {kind: every.filter(pl.col("kind") == kind) for kind in ("conventional", "fha", "va", "usda")}


@pytest.mark.parametrize("one", LIMITS, ids=NAMES)
def test_real_loans_pushed_over_one_limit_are_refused_for_exactly_that(
    one: dict[str, Any], real: dict[str, pl.DataFrame]
) -> None:
    """Of the real loans that the program takes at the limit, each is refused beyond it, for that reason alone."""
    code, day = CODES[one["program"]], one.get("as_of", DAY)
    kind = one.get("base", {}).get("kind", "conventional")
    sample = real[kind].gather_every(max(1, real[kind].height // EACH))

    def judged(*parts: str) -> pl.DataFrame:
        changed = {k: pl.lit(v, LOANS.schema[k]) for k, v in changes(one, "base", *parts).items()}
        return evaluate(sample.with_columns(**changed), day, load(), (code,))

    taken = judged("at").filter(pl.col("reasons") == 0)
    assert taken.height > EACH // 2
    beyond = judged("beyond").join(taken, on="loan_id", how="semi")
    assert (beyond["reasons"] == bit(one)).all(), beyond.filter(pl.col("reasons") != bit(one))
