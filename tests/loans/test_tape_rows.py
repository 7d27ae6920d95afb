"""Rows of canonical and mapped tapes: exact values, defaults, rejects with row, field and reason."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sample_tapes import CANONICAL, csv_of, write

from poolhouse.findings import Refused
from poolhouse.loans import TapeRead, demo_tape, read_tape
from poolhouse.loans.defaults import fee_rate
from poolhouse.loans.mapping import REQUIRED
from poolhouse.tables import REJECTS, TAPE, codes

CASES = tomllib.loads((Path(__file__).parents[1] / "cases" / "tapes" / "rejects.toml").read_text())["case"]
DOC = Path(__file__).parents[2] / "docs" / "tapes.md"


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c['field']}={c['cell']}")
def test_one_bad_cell_rejects_its_row(tmp_path: Path, case: dict[str, str]) -> None:
    bad = CANONICAL | {"loan_number": "B2", case["field"]: f'"{case["cell"]}"'}
    read = read_tape(write(tmp_path, csv_of([CANONICAL, bad])))
    assert read.tape["loan_number"].to_list() == ["A1"]
    found = read.rejects.filter(pl.col("field") == case["field"]).row(0, named=True)
    assert (found["row"], found["value"], found["source_field"]) == (2, case["cell"].strip(), case["field"])
    assert case["reason"] in found["reason"]
    assert read.findings[0].severity == "error" and read.findings[0].count == 1


FACTS: dict[str, tuple[str, Any]] = {
    "lien_position": ("2", 2), "cltv_e4": ("8950", 8_950), "application_date": ("2008-12-01", date(2008, 12, 1)),
    "underwriting": ("LPA", "lpa"), "amortization": ("balloon", "balloon"), "documentation": ("dscr", "dscr"),
    "affordable": ("hfa", "hfa"), "escrowed": ("Y", True), "mi_payer": ("lender", "lender"),
    "relocation": ("no", False), "buydown": ("1", True), "community_second": ("f", False),
    "contributions_e4": ("300", 300), "reserves_months": ("6", 6), "late_30_12m": ("1", 1), "late_60_24m": ("0", 0),
    "title_months": ("14", 14), "apr_e7": ("681250", 681_250), "apor_e7": ("590000", 590_000),
    "points_and_fees_cents": ("512345", 512_345),
    "ami_ratio_e4": ("7999", 7_999),
    "residual_income_cents": ("125000", 125_000), "household_size": ("4", 4),
    "va_use": ("later", "later"), "va_entitlement_cents": ("3600000", 3_600_000), "rural": ("true", True),
    "paid_to_date": ("2009-06-01", date(2009, 6, 1)), "dscr_e4": ("12500", 12_500),
}  # fmt: skip
"""Facts that no loan needs: a cell and what it is read as."""
MAPPED_FACTS = {
    "cltv_e4": ("percent", "89.5"), "contributions_e4": ("percent", "3"), "apr_e7": ("percent", "6.8125"),
    "apor_e7": ("fraction", "0.059"), "points_and_fees_cents": ("dollars", "5,123.45"),
    "ami_ratio_e4": ("fraction", "0.7999"), "residual_income_cents": ("thousands", "1.25"),
    "va_entitlement_cents": ("thousands", "36"), "dscr_e4": ("fraction", "1.25"),
}  # fmt: skip


def test_facts_that_no_loan_needs_are_read_from_every_format(tmp_path: Path) -> None:
    after = list(TAPE.schema)[list(TAPE.schema).index("streamline") + 1 : list(TAPE.schema).index("tape_row")]
    assert list(FACTS) == after
    full = CANONICAL | {name: cell for name, (cell, _) in FACTS.items()}
    plain = read_tape(write(tmp_path, csv_of([full, CANONICAL | {"loan_number": "A2"}]))).tape
    expected = {name: value for name, (_, value) in FACTS.items()}
    assert {name: plain[name][0] for name in FACTS} == expected
    empty = {name: "" if TAPE.schema[name] == pl.String else None for name in FACTS}
    assert {name: plain[name][1] for name in FACTS} == empty
    plain.drop("tape_row").write_parquet(tmp_path / "typed.parquet")
    assert read_tape(tmp_path / "typed.parquet").tape.equals(plain)
    own = full | {f"My {name}": f'"{cell}"' for name, (_, cell) in MAPPED_FACTS.items()}
    own = {name: cell for name, cell in own.items() if name not in MAPPED_FACTS}
    lines = [f'{name} = {{column = "My {name}", unit = "{unit}"}}' for name, (unit, _) in MAPPED_FACTS.items()]
    mapped = read_tape(write(tmp_path, csv_of([own])), "\n".join(lines)).tape
    assert {name: mapped[name][0] for name in FACTS} == expected


def test_every_bad_field_of_a_row_is_told_once(tmp_path: Path) -> None:
    bad = CANONICAL | {"loan_number": "B2", "term_months": "0", "kind": "x", "note_rate_e7": ""}
    read = read_tape(write(tmp_path, csv_of([bad, CANONICAL])))
    assert read.rejects.select("row", "field").rows() == [(1, "kind"), (1, "note_rate_e7"), (1, "term_months")]


def test_later_duplicates_are_rejected(tmp_path: Path) -> None:
    read = read_tape(write(tmp_path, csv_of([CANONICAL, CANONICAL | {"loan_number": " A1 "}, CANONICAL])))
    assert (read.tape.height, read.rejects["row"].to_list()) == (1, [2, 3])


def test_no_usable_row_at_all_is_refused_with_the_first_reason(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"none of 1 rows can be used; row 1: kind 'x' is none of"):
        read_tape(write(tmp_path, csv_of([CANONICAL | {"kind": "x"}])))


def test_defaults_of_a_minimal_tape(tmp_path: Path) -> None:
    read = read_tape(write(tmp_path, csv_of([CANONICAL])))
    row = read.tape.row(0, named=True)
    assert (read.layout, read.start_month) == ("canonical", 2009 * 12 + 1)
    assert row["first_due_date"] == date(2009, 4, 1)
    assert (row["purpose"], row["occupancy"], row["units"], row["property_type"]) == (
        "purchase",
        "principal",
        1,
        "unknown",
    )
    assert (row["value_cents"], row["ltv_e4"], row["score"], row["dti_e4"]) == (None, None, None, None)
    assert (row["points_cents"], row["closing_costs_cents"], row["financed_fee_cents"]) == (125_000, 375_000, 0)
    names = set(codes.imputed_names(row["imputed_flags"]))
    assumed = {"purpose_assumed", "occupancy_assumed", "units_assumed", "mi_assumed", "other"}
    assert names == {"first_due_date", "closing_costs_assumed", "lender_type_assumed", *assumed}


@pytest.mark.parametrize(
    ("given_cells", "expected"),
    [
        ({"value_cents": "30000000"}, (30_000_000, 8_333)),
        ({"ltv_e4": "8000"}, (31_250_000, 8_000)),
        ({"ltv_e4": "9700"}, (25_773_196, 9_700)),
        ({"ltv_e4": "8000", "value_cents": "31000000"}, (31_000_000, 8_000)),
    ],
)
def test_value_and_loan_to_value_give_each_other(tmp_path: Path, given_cells: dict[str, str], expected: Any) -> None:
    row = read_tape(write(tmp_path, csv_of([CANONICAL | given_cells]))).tape.row(0, named=True)
    assert (row["value_cents"], row["ltv_e4"]) == expected


@pytest.mark.parametrize(
    ("kind", "purpose", "streamline", "day", "rate"),
    [
        ("fha", "purchase", "false", "2009-05-01", 175_000),
        ("fha", "limited_cash_out", "true", "2009-05-01", 150_000),
        ("fha", "purchase", "false", "2010-04-04", 175_000),
        ("fha", "purchase", "false", "2010-04-05", 225_000),
        ("va", "purchase", "false", "2009-05-01", 215_000),
        ("va", "limited_cash_out", "false", "2009-05-01", 50_000),
        ("usda", "purchase", "false", "2009-05-01", 200_000),
        ("usda", "purchase", "false", "2026-05-01", 100_000),
        ("conventional", "purchase", "false", "2009-05-01", 0),
    ],
)
def test_government_fee_by_date(kind: str, purpose: str, streamline: str, day: str, rate: int) -> None:
    frame = pl.DataFrame(
        {
            "kind": [kind],
            "purpose": [purpose],
            "streamline": [streamline == "true"],
            "note_date": [date.fromisoformat(day)],
        }
    )
    assert frame.select(fee_rate()).item() == rate


MAPPING = """
loan_number = "Loan ID"
originator_id = {constant = "bank-7"}
kind = {column = "Type", values = {C = "conventional", F = "fha"}}
note_amount_cents = {column = "Amount", unit = "dollars"}
note_rate_e7 = {column = "Rate", unit = "percent"}
term_months = {column = "Years", unit = "years"}
note_date = {column = "Closed", format = ["%m/%d/%Y", "%d-%b-%Y"]}
occupancy = {constant = "principal"}
first_time_buyer = {column = "First", values = {J = "yes", N = "no"}}
ltv_e4 = {column = "LTV", unit = "percent"}
"""
MAPPED = {"Loan ID": "7", "Type": "C", "Amount": '"$250,000.10"', "Rate": "6.875%", "Years": "30"}
MAPPED |= {"Closed": "02/10/2009", "First": "J", "LTV": "80.129"}


def _mapped(tmp_path: Path, mapping: str = MAPPING, **cells: str) -> TapeRead:
    return read_tape(write(tmp_path, csv_of([MAPPED | cells])), mapping)


def test_a_mapping_reads_foreign_columns_exactly(tmp_path: Path) -> None:
    read = _mapped(tmp_path)
    row = read.tape.row(0, named=True)
    assert read.layout == "mapped"
    assert (row["loan_number"], row["originator_id"], row["kind"]) == ("7", "bank-7", "conventional")
    assert (row["note_amount_cents"], row["note_rate_e7"], row["term_months"]) == (25_000_010, 687_500, 360)
    assert (row["note_date"], row["first_time_buyer"], row["ltv_e4"]) == (date(2009, 2, 10), True, 8_012)
    assert _mapped(tmp_path, Closed="10-Feb-2009").content_hash == read.content_hash
    assert _mapped(tmp_path, Type="f").tape["kind"].to_list() == ["fha"]


def test_a_mapping_takes_canonical_columns_it_does_not_name(tmp_path: Path) -> None:
    assert _mapped(tmp_path, score="712").tape["score"].to_list() == [712]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('colour = "Type"', "'colour' is no canonical column"),
        ('score = "FICO"', "score is to come from column 'FICO'"),
        ('score = {column = "Type", unit = "points"}', "unit 'points' is unknown"),
        ('state = {column = "Type", unit = "dollars"}', "state has no unit"),
        ('state = {colum = "Type"}', "unknown keys"),
        ('state = {column = "Type", constant = "OH"}', "either a column or a constant"),
        ("state = 5", "give a column's name"),
        ('purpose = {column = "Type", values = {C = "buy"}}', "'buy' is none of purchase"),
        ('purpose = {constant = "buy"}', "'buy' is none of purchase"),
        ('purpose = {column = "Type", values = "C"}', "values must be a table"),
        ("state = ", "not TOML"),
        ("state = {constant = [1]}", "a constant is one value"),
        ('first_due_date = {column = "Closed", format = 5}', "format must be a text"),
    ],
)
def test_a_wrong_mapping_is_refused_by_name(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(Refused, match=message):
        _mapped(tmp_path, MAPPING + line)
    with pytest.raises(Refused, match="note_amount_cents, note_rate_e7"):
        _mapped(tmp_path, 'loan_number = "Loan ID"')


@pytest.mark.parametrize(
    ("cell", "cents"),
    [
        ("1", 100),
        ("1.5", 150),
        ("1.50", 150),
        ("1.500", 150),
        ("1,234.56", 123_456),
        ("$1234.05", 123_405),
        ("90071992.07", 9_007_199_207),
    ],
)
def test_dollars_are_exact(tmp_path: Path, cell: str, cents: int) -> None:
    assert _mapped(tmp_path, Amount=f'"{cell}"').tape["note_amount_cents"].to_list() == [cents]


def test_a_tape_written_out_reads_back_the_same(tmp_path: Path) -> None:
    tape = read_tape(demo_tape()).tape.gather_every(97)
    tape = tape.sort("tape_row").with_columns(pl.int_range(1, tape.height + 1, dtype=pl.Int64).alias("tape_row"))
    tape.write_parquet(tmp_path / "t.parquet")
    tape.write_csv(tmp_path / "t.csv")
    for name in ("t.parquet", "t.csv"):  # a date, a flag and a null of each format come back as they were
        again = read_tape(tmp_path / name)
        assert again.layout == "canonical"
        assert again.tape.equals(TAPE.conform(tape))


cell = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["", " ", "250000", "0.05", "360", "2009-01-31", "fha", "1e9", "-1", "NaN", "9" * 30, '"', "a,b", "\x00"]
    ),
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.fixed_dictionaries(dict.fromkeys(TAPE.schema, cell)), max_size=4))
def test_whatever_the_cells_hold_no_row_is_lost(tmp_path: Path, rows: list[dict[str, str]]) -> None:
    good = dict.fromkeys(TAPE.schema, "") | CANONICAL
    frame = pl.DataFrame([good, *rows], schema=dict.fromkeys(TAPE.schema, pl.String))
    frame.write_parquet(tmp_path / "t.parquet")
    read = read_tape(tmp_path / "t.parquet")
    assert read.tape.height + read.rejects["row"].n_unique() == read.rows == len(rows) + 1
    assert TAPE.conform(read.tape).equals(read.tape) and REJECTS.conform(read.rejects).equals(read.rejects)
    frame.write_csv(tmp_path / "t.csv")
    again = read_tape(tmp_path / "t.csv")
    assert again.tape.height + again.rejects["row"].n_unique() == again.rows


def _table(header: str) -> dict[str, list[str]]:
    """A table of the guide: first cell -> the cells after it."""
    lines = iter(DOC.read_text(encoding="utf-8").splitlines())
    next(line for line in lines if line.startswith(header))
    next(lines)
    rows: dict[str, list[str]] = {}
    for line in lines:
        if not line.startswith("|"):
            break
        name, *rest = (c.strip() for c in line.strip("|").split("|"))
        rows[name.strip("`")] = rest
    return rows


def test_the_guide_lists_every_column_as_the_contract_has_it() -> None:
    kinds = {pl.String(): "text", pl.Date(): "date", pl.Boolean(): "true/false"}
    expected = {
        c.name: [
            kinds.get(c.dtype, "integer"),
            c.unit,
            "yes" if c.name in REQUIRED else "",
            c.meaning.replace("|", "/"),
        ]
        for c in TAPE.columns
        if c.name != "tape_row"
    }
    assert _table("| column |") == expected


def test_the_guide_lists_every_flag_and_its_example_works(tmp_path: Path) -> None:
    assert set(_table("| flag |")) == set(codes.IMPUTED)
    text = DOC.read_text(encoding="utf-8")
    mapping = text.split("```toml\n")[1].split("```")[0]
    tape = text.split("```csv\n")[1].split("```")[0]
    read = read_tape(write(tmp_path, tape), mapping)
    assert (read.layout, read.tape.height, read.rejects.height) == ("mapped", 2, 1)
