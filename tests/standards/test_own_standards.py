"""Users' own programs and lenders' overlays: made here, judged, and refused where they are broken."""

from __future__ import annotations

import copy
import json
import tomllib
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from standards_factory import loans

from poolhouse.findings import Refused
from poolhouse.rules import load
from poolhouse.standards import evaluate, explain
from poolhouse.standards.catalogue import FIRST_OWN, program
from poolhouse.standards.facts import BASES
from poolhouse.standards.frame import DERIVED
from poolhouse.standards.own import Standards, with_overlays, with_program
from poolhouse.standards.vocabulary import BEYOND, MISSING, TESTS
from poolhouse.tables.codes import FHLMC, FNMA, GNMA

DAY = date(2026, 12, 1)
BANK = """
[program]
name = "harbor"
title = "Harbor Bank portfolio"
kinds = ["conventional"]

[[rule]]
name = "largest"
field = "note_amount_cents"
test = "at_most"
meaning = "largest loan"
basis = "delivery"
source = "Harbor Bank credit policy 4.1"
values = [
  {from = 2026-01-01, value = 100000000},
  {from = 2026-01-01, value = 50000000, occupancy = ["second_home", "investment"]},
]

[[rule]]
name = "ratio"
field = "ltv_e4"
test = "at_most"
meaning = "loan to value"
basis = "delivery"
source = "Harbor Bank credit policy 4.2"
values = [
  {from = 2026-01-01, value = [8000, 7500, 7000, 7000]},
  {from = 2026-06-01, value = [8500, 7500, 7000, 7000], confidence = "found"},
  {from = 2026-01-01, value = 7000, score = [300, 699]},
]

[[rule]]
name = "states"
field = "state"
test = "one_of"
meaning = "the bank's own states"
basis = "delivery"
source = "Harbor Bank credit policy 1.1"
values = [{from = 2026-01-01, value = ["OH", "PA"]}]

[[rule]]
name = "reserves"
field = "reserves_months"
test = "at_least"
meaning = "instalments in reserve"
missing = "undetermined"
unknown = "ask the lender for the reserves"
basis = "delivery"
source = "Harbor Bank credit policy 4.5"
values = [{from = 2026-01-01, value = 6}]
"""
OVERLAY = """
[overlay]
name = "house"
programs = ["fnma"]

[[rule]]
name = "score floor"
field = "score"
test = "at_least"
meaning = "credit score, the lender's floor"
basis = "delivery"
source = "lender's credit policy"
values = [{from = 2025-01-01, value = 620}]
"""


def harbor() -> Standards:
    return with_program(Standards(load(), ()), BANK, "harbor.toml")


def judged(standards: Standards, *changes: dict[str, object]) -> tuple[list[int], pl.DataFrame]:
    tape = loans(*changes)
    checks = evaluate(tape, DAY, standards.rulebook, standards.programs)
    return checks["answer"].to_list(), explain(checks, tape, standards.rulebook, standards.programs)


def test_a_users_program_answers_like_a_shipped_one() -> None:
    answers, said = judged(
        harbor(),
        {},
        {"note_amount_cents": 60_000_000},
        {"note_amount_cents": 60_000_000, "occupancy": "investment"},
        {"ltv_e4": 8_500},
        {"ltv_e4": 8_501},
        {"ltv_e4": 7_100, "score": 690, "score_mid": 690},
        {"units": 2, "ltv_e4": 7_600},
        {"state": "CA"},
        {"reserves_months": None},
        {"kind": "fha"},
        {"lien_position": 2},
    )
    assert answers == [0, 0, 3, 0, 3, 3, 3, 3, 2, 3, 3]
    found = {row["loan_id"]: row for row in said.rows(named=True)}
    assert set(found) == {3, 5, 6, 7, 8, 9, 10, 11}
    assert (found[3]["rule"], found[3]["limit"], found[3]["cure"]) == ("largest", "$500,000", "$100,000 less loan")
    assert found[5]["source"] == "Harbor Bank credit policy 4.2 (from 2026-06-01, found)"
    assert (found[6]["limit"], found[7]["limit"]) == ("70%", "75%")
    assert found[8]["message"] == "the bank's own states: CA does not meet OH, PA"
    assert "reserves_months" in found[9]["message"] and found[9]["cure"] == "ask the lender for the reserves"
    assert (found[10]["rule"], found[11]["rule"]) == ("loan_type", "first_lien")
    assert set(said["program"]) == {"harbor"}


def test_a_users_program_says_which_kinds_it_takes() -> None:
    text = BANK.replace('["conventional"]', '["fha", "va"]')
    answers, said = judged(with_program(Standards(load(), ()), text, "harbor.toml"), {}, {"kind": "va"})
    assert answers == [3, 0]
    assert said["message"].to_list() == ["kind of loan: conventional does not meet fha or va"]


def test_before_its_first_version_a_users_rule_says_so() -> None:
    tape, standards = loans({"ltv_e4": 9_000}), harbor()
    early = date(2025, 12, 31)
    checks = evaluate(tape, early, standards.rulebook, standards.programs)
    said = explain(checks, tape, standards.rulebook, standards.programs)
    row = said.filter(pl.col("rule") == "ratio").row(0, named=True)
    assert "no version known for 2025-12-31; nearest is from 2026-01-01" in row["message"]


def test_an_overlay_refuses_what_the_program_takes_and_is_named() -> None:
    both = Standards(load(), (program(FNMA), program(GNMA)))
    low = {"score": 600, "score_mid": 600}
    assert judged(both, low)[0] == [0, 3]
    answers, said = judged(with_overlays(both, OVERLAY, "house.toml"), low)
    assert answers == [3, 3]
    row = said.filter(pl.col("program") == "fnma").row(0, named=True)
    assert (row["rule"], row["limit"], row["cure"]) == ("house: score floor", "620", "20 points more")
    assert row["source"].startswith("lender's credit policy")
    assert judged(with_overlays(both, OVERLAY, "house.toml"), {})[0][0] == 0


def test_an_overlay_on_a_users_program() -> None:
    text = OVERLAY.replace('programs = ["fnma"]', 'programs = ["harbor"]')
    standards = with_overlays(harbor(), text, "house.toml")
    assert standards.overlays == ("house",)
    assert judged(standards, {"score": 600, "score_mid": 600, "ltv_e4": 6_000})[0] == [3]


def test_own_programs_have_codes_of_their_own() -> None:
    two = with_program(harbor(), BANK.replace("harbor", "second"), "second.toml")
    assert [p.code for p in two.programs] == [FIRST_OWN, FIRST_OWN + 1]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[program]", "[programme]", "lacks the table [program]"),
        ('name = "harbor"', 'name = "fnma"', "is taken"),
        ('name = "harbor"', 'nam = "harbor"', "lacks the table [program] with a name"),
        ('kinds = ["conventional"]', 'kinds = ["jumbo"]', "is no kind of loan"),
        ('field = "ltv_e4"', 'field = "ltv"', "did you mean 'ltv_e4'?"),
        ('field = "ltv_e4"', 'feild = "ltv_e4"', "'feild' is no key of a rule; did you mean 'field'?"),
        ('test = "one_of"', 'test = "at_most"', "can't be asked of 'state', which holds words"),
        ('test = "one_of"', 'test = "in"', "is no test"),
        ('basis = "delivery"', 'basis = "closing"', "is no basis"),
        ("value = 7000,", "value = 70.5,", "no whole number"),
        ("value = [8000, 7500, 7000, 7000]", "value = [8000, 7500]", "no list of four"),
        ("{from = 2026-01-01, value = 6}", "{value = 6}", "lacks 'from'"),
        ("{from = 2026-01-01, value = 6}", "{from = 2026-01-01}", "lacks 'value'"),
        ('source = "Harbor Bank credit policy 4.5"', "", "lacks 'source'"),
        ('occupancy = ["second_home", "investment"]', 'occupancy = ["holiday"]', "is no word of occupancy"),
        ('missing = "undetermined"', 'missing = "skip"', "is no missing"),
        ('name = "ratio"', 'name = "largest"', "stands twice"),
        ("score = [300, 699]", "score = [699, 300]", "not a whole number or a range"),
        ("[program]", "[program", "is no TOML file"),
    ],
)  # fmt: skip
def test_a_broken_file_is_refused_with_the_place_and_the_remedy(old: str, new: str, said: str) -> None:
    assert old in BANK
    with pytest.raises(Refused) as refused:
        with_program(Standards(load(), ()), BANK.replace(old, new, 1), "harbor.toml")
    assert said in str(refused.value)
    assert "harbor.toml" in str(refused.value)


def test_a_file_without_rules_or_an_overlay_on_nobody_is_refused() -> None:
    with pytest.raises(Refused, match=r"has no \[\[rule\]\]"):
        with_program(Standards(load(), ()), BANK.split("[[rule]]")[0], "harbor.toml")
    with pytest.raises(Refused, match="'fnam' is none of"):
        with_overlays(harbor(), OVERLAY.replace('["fnma"]', '["fnam"]'), "house.toml")


def test_the_guide_s_own_files_work_and_it_tells_the_whole_vocabulary() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "standards.md").read_text(encoding="utf-8")
    blocks = [part.split("```")[0] for part in guide.split("```toml\n")[1:]]
    own = with_program(Standards(load(), ()), next(b for b in blocks if "[program]" in b), "guide")
    assert judged(own, {"ltv_e4": 8_500}, {"ltv_e4": 8_600}, {"state": "CA"})[0] == [0, 3, 3]
    both = Standards(load(), (program(FNMA), program(FHLMC)))
    house = with_overlays(both, next(b for b in blocks if "[overlay]" in b), "guide")
    assert judged(house, {"score": 619, "score_mid": 619})[0] == [3, 3]
    for word in (*TESTS, *MISSING, *BEYOND, *BASES, *DERIVED):
        assert f"`{word}`" in guide or f'`"{word}"`' in guide, word


def toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k} = {toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(toml(v) for v in value) + "]"
    return value.isoformat() if isinstance(value, date) else json.dumps(value)


def spoilt(content: Any, junk: Any) -> Iterator[Any]:
    """The content with each of its values in turn replaced."""
    keys = content.keys() if isinstance(content, dict) else range(len(content))
    for key in keys:
        whole = copy.copy(content)
        whole[key] = junk
        yield whole
        if isinstance(content[key], dict | list):
            for inner in spoilt(content[key], junk):
                whole = copy.copy(content)
                whole[key] = inner
                yield whole


JUNK = [0, -1, 10**30, 1.5, True, "", "x", "{} [b]", [], ["x"], [1, 2, 3], {}, {"x": 1}, [[1]], date(2026, 1, 1),
        datetime(2026, 1, 1, 12, tzinfo=UTC)]  # fmt: skip


@pytest.mark.parametrize("junk", JUNK, ids=repr)
def test_whatever_stands_in_a_file_it_is_refused_or_it_works(junk: object) -> None:
    """No value in any place gives anything but a clear refusal, or a program that judges loans."""
    tape = loans({}, {"score": 600, "score_mid": 600, "reserves_months": None})
    refused = worked = 0
    for content in spoilt(tomllib.loads(BANK), junk):
        text = "\n".join(f"{key} = {toml(value)}" for key, value in content.items())
        try:
            standards = with_program(Standards(load(), ()), text, "harbor.toml")
        except Refused as error:
            assert str(error).startswith("harbor.toml")
            refused += 1
            continue
        checks = evaluate(tape, DAY, standards.rulebook, standards.programs)
        explain(checks, tape, standards.rulebook, standards.programs)
        worked += 1
    assert refused > worked


@pytest.mark.parametrize("text", ["a = " + "[" * 100_000, "a = " + "{b=" * 100_000, "a = " + "9" * 10_000])
def test_toml_without_end_is_refused(text: str) -> None:
    for read in (with_program, with_overlays):
        with pytest.raises(Refused, match="is no TOML file"):
            read(Standards(load(), (program(FNMA),)), text, "x.toml")
