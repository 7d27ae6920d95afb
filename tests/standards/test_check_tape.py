"""`check TAPE` on the real tape, the rules' listing and what changed: through the market's own functions."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from test_own_standards import BANK, OVERLAY

from poolhouse.findings import Refused
from poolhouse.loans import demo_tape
from poolhouse.market.check_tape import check_tape
from poolhouse.market.standards import rules_changed, rules_in_force


def test_the_real_tape_is_judged_for_every_outlet(tmp_path: Path) -> None:
    out = tmp_path / "findings.parquet"
    answer = check_tape(demo_tape(), as_of="2009-12-15", out=out)
    assert (answer["loans"], answer["rejected"], answer["edition"], answer["overlays"]) == (50_502, 0, "2026-11", [])
    assert set(answer["programs"]) == {"fnma", "fhlmc", "gnma", "private", "nonqm"}
    assert all(sum(found.values()) == 50_502 for found in answer["programs"].values())
    assert sum(answer["best"].values()) == 50_502
    rows = pl.read_parquet(out)
    assert rows.height == answer["findings"] and rows.null_count().sum_horizontal().item() == 0
    failing = {r["rule"]: r["loans"] for r in answer["reasons"] if (r["program"], r["outcome"]) == ("private", "fails")}
    for rule, count in failing.items():
        of = rows.filter(pl.col("program") == "private", pl.col("rule") == rule, pl.col("outcome") == "fails")
        assert of.height == count
    assert (rows["as_of"] == date(2009, 12, 15)).all() and (rows["edition"] == "2026-11").all()
    unknown = {(r["program"], r["rule"]): r for r in answer["unknown_versions"]}
    assert unknown["fnma", "max_dti"]["loans"] == 45_008
    assert unknown["fnma", "max_dti"]["nearest"] == date(2017, 7, 29)
    assert ("fnma", "conforming_limit") not in unknown
    json.dumps(answer, default=str)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Three rows: a plain loan, one with a high ratio, and one that can't be used."""
    path = tmp_path / "small.csv"
    rows = [
        "loan_number,originator_id,kind,note_amount_cents,note_rate_e7,term_months,note_date,purpose,occupancy,units,"
        "state,ltv_e4,score,dti_e4,reserves_months,mi_pct",
        "A,X,conventional,25000000,650000,360,2026-10-14,purchase,principal,1,OH,7140,760,3000,12,0",
        "B,X,conventional,25000000,650000,360,2026-10-14,purchase,principal,1,OH,8240,760,5200,12,0",
        "C,X,conventional,lots,650000,360,2026-10-14,purchase,principal,1,OH,7140,760,3000,12,0",
    ]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_findings_as_csv_and_json_say_rule_limit_value_source_and_cure(small: Path, tmp_path: Path) -> None:
    answer = check_tape(small, as_of="2026-12-01", programs=["fnma"], out=tmp_path / "f.csv")
    assert (answer["loans"], answer["rejected"]) == (2, 1)
    rows = pl.read_csv(tmp_path / "f.csv")
    found = {(r["loan_number"], r["rule"]): r for r in rows.rows(named=True)}
    assert set(found) == {("B", "max_dti"), ("B", "mortgage_insurance"), ("C", "tape")}
    insurance = found["B", "mortgage_insurance"]
    assert (insurance["limit"], insurance["value"]) == ("6%", "0%")
    assert insurance["cure"].endswith(" less loan, or MI of 12% (6% at a price)")
    assert (found["B", "max_dti"]["limit"], found["B", "max_dti"]["value"]) == ("50%", "52%")
    assert found["C", "tape"]["field"] == "note_amount_cents"
    check_tape(small, as_of="2026-12-01", programs=["fnma"], out=tmp_path / "f.json")
    assert len(json.loads((tmp_path / "f.json").read_text())) == 3


def test_what_the_tape_lacks_is_named(small: Path, tmp_path: Path) -> None:
    """Without insurance on the tape a loan above 80% can't be judged; without occupancy it says what it took."""
    rows = pl.read_csv(small).drop("mi_pct", "occupancy", "score")
    rows.write_csv(tmp_path / "bare.csv")
    answer = check_tape(
        tmp_path / "bare.csv", as_of="2026-12-01", programs=["fnma", "private"], out=tmp_path / "b.json"
    )
    found = {(r["loan_number"], r["program"], r["rule"]): r for r in json.loads((tmp_path / "b.json").read_text())}
    assert found["B", "fnma", "mortgage_insurance"]["outcome"] == "undetermined"
    assert found["B", "fnma", "mortgage_insurance"]["field"] == "mi_pct"
    assert found["A", "private", "conduit_score"]["field"] == "score"
    assert ("A", "fnma", "mortgage_insurance") not in found
    assumed = {(r["program"], r["rule"]): r["loans"] for r in answer["reasons"] if r["outcome"] == "assumed"}
    assert assumed["fnma", "refinance_purpose"] == 2


def test_a_users_program_and_overlays_from_files(small: Path, tmp_path: Path) -> None:
    own, house = tmp_path / "harbor.toml", tmp_path / "house.toml"
    own.write_text(BANK, encoding="utf-8")
    house.write_text(OVERLAY.replace('["fnma"]', '["harbor"]').replace("620", "770"), encoding="utf-8")
    plain = check_tape(small, programs=[str(own)])
    assert plain["programs"]["harbor"]["eligible"] == 2
    strict = check_tape(small, programs=[str(own)], overlays=[house])
    assert strict["overlays"] == ["house"]
    assert strict["programs"]["harbor"]["not eligible"] == 2
    assert [r["rule"] for r in strict["reasons"] if r["outcome"] == "fails"] == ["house: score floor"]
    listed = rules_in_force([str(own)], "2026-07-01", overlays=[house])
    limits = {r["rule"]: [line["value"] for line in r["limits"]] for r in listed["programs"][0]["rules"]}
    assert next(r for r in rules_in_force(["nonqm"])["programs"][0]["rules"] if r["rule"] == "nonqm_dscr")["when"] == (
        "documentation dscr"
    )
    assert limits["ratio"] == ["85% / 75% / 70% / 70%", "70%"]
    assert limits["house: score floor"] == ["770"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"programs": ["fnam"]}, "no such program file; the built-in programs are"),
        ({"edition": "1999-01"}, "is unknown"),
        ({"as_of": "soon"}, "write YYYY-MM-DD"),
        ({"out": "f.txt"}, ".csv, .parquet, .json"),
        ({"overlays": ["nowhere.toml"]}, "no such overlay file"),
    ],
)
def test_what_cannot_be_done_is_refused(small: Path, given: dict[str, object], said: str) -> None:
    with pytest.raises(Refused) as refused:
        check_tape(small, **given)  # type: ignore[arg-type]
    assert said in str(refused.value)


def test_an_edition_does_not_know_what_was_announced_later() -> None:
    """The limits of 2026 were announced on 25 November 2025: the edition of that month knows them."""
    for edition in ("2025-11", "2026-11"):
        limits = rules_in_force(["fnma"], "2026-02-01", edition)["programs"][0]["rules"]
        baseline = next(r for r in limits if r["rule"] == "conforming_limit")["limits"][0]
        assert baseline["value"].startswith("$832,750")
    old = rules_in_force(["fnma"], "2026-09-01", "2025-11")["programs"][0]["rules"]
    ratio = next(r for r in old if r["rule"] == "max_ltv")["limits"][0]
    assert ratio["from"] == date(2023, 11, 18)


def test_every_rule_in_force_says_limit_and_source() -> None:
    listed = rules_in_force(["fnma", "fhlmc", "gnma", "private", "nonqm", "qm"], "2026-12-01")
    for program in listed["programs"]:
        for rule in program["rules"]:
            assert rule["limits"], rule["rule"]
            for line in rule["limits"]:
                assert line["value"] and line["source"] and line["confidence"], rule["rule"]
    annual = next(row for row in listed["fees"] if row["rule"] == "annual_rate_e7")["limits"]
    said = {line["for"]: line["value"] for line in annual}
    small = "kind fha, term_months 181 to 480, base_amount_cents up to $726,200"
    assert (said[small], said[f"{small}, base_ltv_e4 from 95.01%"]) == ("0.5%", "0.55%")


def test_a_nought_that_is_no_number_is_said_in_words() -> None:
    listed = rules_in_force(["fnma", "gnma"], "2026-12-01")
    limits = {
        (r["rule"], line["for"]): line["value"] for p in listed["programs"] for r in p["rules"] for line in r["limits"]
    }
    assert limits["max_ltv", "purpose purchase, occupancy second_home"] == "90% / not bought / not bought / not bought"
    assert limits["debt_ratio", "kind va"] == "none stated"
    assert limits["upfront_fee", "kind va, va_use exempt"] == "0%"
    conduit = {r["rule"]: r["limits"][0]["value"] for r in rules_in_force(["private"])["programs"][0]["rules"]}
    assert conduit["property_type"] == "not coop / manufactured"


def test_a_rule_before_its_first_version_is_listed_as_unknown() -> None:
    listed = rules_in_force(["fnma"], "2009-03-01")["programs"][0]["rules"]
    dti = next(r for r in listed if r["rule"] == "max_dti")["limits"][0]
    assert dti["note"] == "no version known for 2009-03-01; nearest is from 2017-07-29"


def test_what_changed_between_two_days() -> None:
    changes = rules_changed("2025-11-15", "2025-11-16")["changes"]
    assert [(c["rule"], c["before"], c["after"]) for c in changes] == [("min_score", "620", "no limit")]
    year = {c["rule"]: c for c in rules_changed("2025-12-31", "2026-01-01")["changes"]}
    assert year["conforming_limit_cents"]["after"].startswith("$832,750")
    assert rules_changed("2026-01-01", "2026-01-01")["changes"] == []
    with pytest.raises(Refused, match="earlier date first"):
        rules_changed("2026-01-01", "2025-01-01")


def test_the_guide_names_every_key_of_the_answers(small: Path, tmp_path: Path) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "standards.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(check|standards|standards diff|--out)` \| (.*) \|$", guide, re.M))
    told = {name: set(re.findall(r"`(\w+)`", row)) for name, row in rows.items()}
    assert told["check"] == set(check_tape(small, out=tmp_path / "f.csv"))
    assert told["standards"] == set(rules_in_force(["fnma"]))
    assert told["standards diff"] == set(rules_changed("2025-12-31", "2026-01-01"))
    assert told["--out"] == set(pl.read_csv(tmp_path / "f.csv").columns)


def test_findings_are_the_same_in_every_format(small: Path, tmp_path: Path) -> None:
    for form in ("csv", "parquet", "json"):
        check_tape(small, as_of="2026-12-01", out=tmp_path / f"f.{form}")
    parquet = pl.read_parquet(tmp_path / "f.parquet")
    assert (
        pl.read_csv(tmp_path / "f.csv", schema=parquet.schema)
        .with_columns(pl.col(pl.String).fill_null(""))
        .equals(parquet)
    )
    said = pl.DataFrame(json.loads((tmp_path / "f.json").read_text()), schema=parquet.schema | {"as_of": pl.String()})
    assert said.with_columns(pl.col("as_of").str.to_date()).equals(parquet)
