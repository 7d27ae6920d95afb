"""Freddie Mac's origination file: every field, every gap, and files that are nearly it."""

from __future__ import annotations

import gzip
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from agency_samples import FREDDIE, PERFORMANCE, bars
from sample_tapes import write

from poolhouse.findings import Refused
from poolhouse.loans import TapeRead, read_tape
from poolhouse.tables import codes


def _read(folder: Path, *rows: dict[str, str], **options: Any) -> TapeRead:
    return read_tape(write(folder, bars("freddie", *rows, **options), "historical.txt"))


def _second(**cells: str) -> dict[str, str]:
    return FREDDIE | {"Loan Sequence Number": "F20Q10000002"} | cells


def test_every_field_of_a_loan(tmp_path: Path) -> None:
    read = _read(tmp_path, FREDDIE)
    row = read.tape.row(0, named=True)
    expected = {
        "loan_number": "F20Q10000001", "originator_id": "BANK OF EXAMPLE, N.A.", "kind": "conventional",
        "originator_name": "BANK OF EXAMPLE, N.A.", "note_amount_cents": 25_100_000, "note_rate_e7": 387_500,
        "term_months": 360, "first_due_date": date(2020, 3, 1), "rate_type": "fixed", "purpose": "purchase",
        "occupancy": "principal", "units": 1, "property_type": "detached", "state": "IL", "county_fips": None,
        "value_cents": 29_529_412, "ltv_e4": 8_500, "cltv_e4": 9_000, "score": 742, "dti_e4": 3_600, "mi_pct": 25,
        "first_time_buyer": False, "borrowers": 2, "lien_position": 1, "amortization": "full", "affordable": "",
        "income_cents": None, "paid_to_date": None,
    }  # fmt: skip
    assert {k: row[k] for k in expected} == expected
    assert (row["note_date"].year, row["note_date"].month) == (2020, 1) and 1 <= row["note_date"].day <= 28
    assert {"note_month", "note_day", "value_from_ltv"} <= set(codes.imputed_names(row["imputed_flags"]))
    assert (read.layout, read.start_month, read.rows, read.rejects.height) == ("freddie", 2020 * 12, 1, 0)


@pytest.mark.parametrize(
    ("column", "cell", "field", "value"),
    [
        ("Credit Score", "9999", "score", None),
        ("Mortgage Insurance Percentage (MI %)", "999", "mi_pct", 0),
        ("Mortgage Insurance Percentage (MI %)", "000", "mi_pct", 0),
        ("Number of Units", "99", "units", 1),
        ("Occupancy Status", "9", "occupancy", "principal"),
        ("Occupancy Status", "S", "occupancy", "second_home"),
        ("Occupancy Status", "I", "occupancy", "investment"),
        ("Original Combined LTV (CLTV)", "999", "cltv_e4", None),
        ("Original Debt-to-Income (DTI)", "999", "dti_e4", None),
        ("Original LTV", "999", "ltv_e4", None),
        ("First Time Homebuyer Flag", "9", "first_time_buyer", None),
        ("First Time Homebuyer Flag", "Y", "first_time_buyer", True),
        ("Property Type", "CO", "property_type", "condo"),
        ("Property Type", "PU", "property_type", "pud"),
        ("Property Type", "MH", "property_type", "manufactured"),
        ("Property Type", "CP", "property_type", "coop"),
        ("Property Type", "99", "property_type", "unknown"),
        ("Loan Purpose", "C", "purpose", "cash_out"),
        ("Loan Purpose", "N", "purpose", "limited_cash_out"),
        ("Loan Purpose", "R", "purpose", "limited_cash_out"),
        ("Loan Purpose", "9", "purpose", "purchase"),
        ("Number of Borrowers", "99", "borrowers", 1),
        ("Special Eligibility Program", "H", "affordable", "home_possible"),
        ("Special Eligibility Program", "F", "affordable", "hfa"),
        ("Interest Only Indicator (I/O)", "Y", "amortization", "interest_only"),
    ],
)
def test_codes_and_what_says_not_known(tmp_path: Path, column: str, cell: str, field: str, value: Any) -> None:
    read = _read(tmp_path, FREDDIE | {column: cell})
    assert read.tape[field].to_list() == [value]
    if cell.strip("9") == "" and cell != "9":
        assert any(f.rule == f"loans.{field}_unknown" and f.count == 1 for f in read.findings)
    unsaid = read.tape["imputed_flags"][0] & codes.IMPUTED["limited_cash_out_assumed"]
    assert bool(unsaid) == (cell == "R")


@pytest.mark.parametrize(
    ("column", "cell", "field", "reason"),
    [
        ("Amortization Type", "ARM", "rate_type", "adjustable-rate"),
        ("Occupancy Status", "X", "occupancy", "no known code: use p, s, i"),
        ("Property Type", "ZZ", "property_type", "no known code"),
        ("Original Interest Rate", "38.75", "note_rate_e7", "outside 0.5% to 20%"),
        ("Original Interest Rate", "", "note_rate_e7", "is empty"),
        ("Original UPB", "abc", "note_amount_cents", "not a positive amount"),
        ("First Payment Date", "", "first_due_date", "is empty"),
        ("First Payment Date", "202013", "first_due_date", "not a date written as %Y%m"),
        ("Credit Score", "299", "score", "outside 300 to 850"),
        ("Property State", "Ohio", "state", "two-letter"),
        ("Number of Units", "5", "units", "outside 1 to 4"),
    ],
)
def test_wrong_codes_reject_their_row_alone(tmp_path: Path, column: str, cell: str, field: str, reason: str) -> None:
    read = _read(tmp_path, FREDDIE, _second(**{column: cell}), FREDDIE | {"Loan Sequence Number": "F20Q10000003"})
    assert read.tape["loan_number"].to_list() == ["F20Q10000001", "F20Q10000003"]
    found = read.rejects.row(0, named=True)
    assert (found["row"], found["loan_number"], found["field"]) == (2, "F20Q10000002", field)
    assert (found["source_field"], found["value"]) == (column, cell) and reason in found["reason"]


@pytest.mark.parametrize("width", [26, 28, 31, 32])
def test_older_quarters_have_fewer_columns(tmp_path: Path, width: int) -> None:
    read = _read(tmp_path, FREDDIE, width=width)
    assert read.tape["amortization"].to_list() == ["full" if width > 30 else ""]


def test_the_same_file_in_other_clothes(tmp_path: Path) -> None:
    text = bars("freddie", FREDDIE, _second())
    plain = read_tape(write(tmp_path, text))
    mixed = bars("freddie", FREDDIE, end="\r\n") + bars("freddie", _second())
    for content in (
        b"\xef\xbb\xbf" + text.encode(),
        mixed.encode(),
        gzip.compress(text.encode()),
        text.rstrip().encode(),
    ):
        other = read_tape(write(tmp_path, content, "anything.csv"))
        assert (other.content_hash, other.rejects.height) == (plain.content_hash, 0)


def test_a_file_cut_off_loses_its_last_line_only(tmp_path: Path) -> None:
    text = bars("freddie", FREDDIE, _second())
    read = read_tape(write(tmp_path, text[:-60]))
    assert (read.tape.height, read.rows) == (1, 2)
    assert read.rejects.select("row", "field").rows() == [(2, "row")]
    assert "fields and the file's first lines 32" in read.rejects["reason"][0]
    packed = gzip.compress(bars("freddie", *(_second(Channel=str(i)) for i in range(999))).encode())
    with pytest.raises(Refused, match="cut off or damaged"):
        read_tape(write(tmp_path, packed[:-9]))


def test_a_wrong_number_of_columns_is_told_as_such(tmp_path: Path) -> None:
    text = bars("freddie", FREDDIE, _second()).replace("\n", "|1\n")
    with pytest.raises(Refused, match=r"origination file but has 33 columns, and that has 26 to 32:"):
        read_tape(write(tmp_path, text))


def test_monthly_performance_is_no_tape(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"is Freddie Mac's monthly performance file.*origination file"):
        read_tape(write(tmp_path, bars("freddie_performance", PERFORMANCE, PERFORMANCE)))


def test_the_term_and_the_maturity_agree_or_it_is_said(tmp_path: Path) -> None:
    read = _read(
        tmp_path, FREDDIE, _second(**{"Maturity Date": "205003"}), _second(**{"Loan Sequence Number": "F20Q10000009"})
    )
    assert [f.count for f in read.findings if f.rule == "loans.maturity_off"] == [1]
    days = read.tape["note_date"].dt.day().to_list()
    assert read_tape(tmp_path / "historical.txt").tape["note_date"].dt.day().to_list() == days


def test_canonical_names_win_over_likeness(tmp_path: Path) -> None:
    header = "loan_number|originator_id|kind|note_amount_cents|note_rate_e7|term_months|note_date\n"
    read = read_tape(write(tmp_path, header + "A|B|fha|25000000|500000|360|2020-01-05\n"))
    assert read.layout == "canonical" and read.tape.select(pl.col("kind")).item() == "fha"
