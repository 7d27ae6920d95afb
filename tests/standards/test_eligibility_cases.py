"""The standards' answers against a table of loans written by hand (tests/cases/eligibility.toml)."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from standards_factory import loans

from poolhouse.rules import load
from poolhouse.standards import evaluate, explain
from poolhouse.tables.codes import ANSWERS

CASES = tomllib.loads((Path(__file__).parents[1] / "cases" / "eligibility.toml").read_text(encoding="utf-8"))["case"]
SHORT = {"eligible": ANSWERS[0], "assumed": ANSWERS[1], "undetermined": ANSWERS[2], "not": ANSWERS[3]}


def change(case: dict[str, Any]) -> dict[str, Any]:
    """The case's changes; -1 and '' stand for a missing value, which TOML has no word for."""
    return {k: None if v == -1 or (k, v) == ("county_fips", "") else v for k, v in case.get("loan", {}).items()}


@pytest.fixture(scope="module")
def answered() -> dict[str, tuple[list[int], pl.DataFrame]]:
    """Case name -> answers by program and the explanation, from one batch for each delivery date."""
    book, answered = load(), {}
    for day in sorted({case["as_of"] for case in CASES}):
        cases = [case for case in CASES if case["as_of"] == day]
        tape = loans(*(change(case) for case in cases))
        checks = evaluate(tape, day, book)
        said = explain(checks, tape, book)
        for number, case in enumerate(cases, start=1):
            own = pl.col("loan_id") == number
            answered[case["name"]] = (checks.filter(own)["answer"].to_list(), said.filter(own))
    return answered


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_case(case: dict[str, Any], answered: dict[str, tuple[list[int], pl.DataFrame]]) -> None:
    answers, said = answered[case["name"]]
    codes = dict(zip(["fnma", "fhlmc", "gnma", "private"], answers, strict=True))
    for program, expected in case["answers"].items():
        assert ANSWERS[codes[program]] == SHORT[expected], (program, said.filter(pl.col("program") == program))
    for program, expected in case.get("rules", {}).items():
        rows = said.filter(pl.col("program") == program)
        assert sorted(f"{o}:{r}" for o, r in rows.select("outcome", "rule").iter_rows()) == sorted(expected)


def test_case_names_are_unique() -> None:
    assert len({case["name"] for case in CASES}) == len(CASES)


def test_a_loan_alone_answers_as_in_a_batch(answered: dict[str, tuple[list[int], pl.DataFrame]]) -> None:
    for case in CASES[::6]:
        assert evaluate(loans(change(case)), case["as_of"], load())["answer"].to_list() == answered[case["name"]][0]
