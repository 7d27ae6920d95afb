"""The public HMDA register: which rows are loans, their numbers, and every gap said."""

from __future__ import annotations

import gzip
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from agency_samples import HMDA
from sample_tapes import csv_of, write

from poolhouse.findings import Refused
from poolhouse.loans import TapeRead, read_tape
from poolhouse.tables import codes


def _read(folder: Path, *rows: dict[str, str]) -> TapeRead:
    return read_tape(write(folder, csv_of([*rows]), "hmda.csv"))


def _counts(read: TapeRead) -> dict[str, int]:
    return {f.rule.removeprefix("loans."): f.count for f in read.findings}


def test_every_field_of_a_loan(tmp_path: Path) -> None:
    read = _read(tmp_path, HMDA)
    row = read.tape.row(0, named=True)
    expected = {
        "originator_id": "549300EXAMPLE0000001", "kind": "conventional", "note_amount_cents": 24_500_000,
        "note_rate_e7": 512_500, "term_months": 360, "purpose": "purchase", "occupancy": "principal", "units": 1,
        "rate_type": "fixed", "property_type": "unknown", "state": "OH", "county_fips": "39049",
        "value_cents": 26_500_000, "ltv_e4": 9_500, "cltv_e4": 9_500, "score": None, "dti_e4": 3_599,
        "income_cents": 8_400_000, "lien_position": 1, "underwriting": "du", "amortization": "full",
        "points_cents": 150_025, "closing_costs_cents": 370_025, "points_and_fees_cents": None,
    }  # fmt: skip
    assert {k: row[k] for k in expected} == expected
    assert row["note_date"].year == 2022 and row["note_date"].day <= 28
    assert {"note_month", "note_day", "other"} <= set(codes.imputed_names(row["imputed_flags"]))
    assert (read.layout, read.rows) == ("hmda", 1)
    told = {"amount_rounded", "score_unknown", "note_month", "dti_band", "ltv_from_cltv", "property_type_unknown"}
    assert told <= _counts(read).keys()


def test_only_loans_are_loans(tmp_path: Path) -> None:
    rows = [HMDA | {"action_taken": str(code), "income": str(50 + code)} for code in range(1, 9)]
    read = _read(tmp_path, *rows)
    assert (read.rows, sorted(read.tape["tape_row"]), read.rejects.height) == (2, [1, 6], 0)
    counts = _counts(read)
    assert (counts["set_aside"], counts["note_year_of_purchase"]) == (6, 1)
    with pytest.raises(Refused, match="no row of it is a loan"):
        _read(tmp_path, *rows[1:5])


def test_loan_numbers_are_unique_and_come_again(tmp_path: Path) -> None:
    other = HMDA | {"income": "85"}
    first = _read(tmp_path, HMDA, other, HMDA, HMDA)
    numbers = first.tape.sort("tape_row")["loan_number"].to_list()
    assert numbers[0].startswith("549300EXAMPLE0000001-2022-") and len(set(numbers)) == 4
    assert numbers[2:] == [numbers[0] + "-2", numbers[0] + "-3"]
    assert _counts(first)["equal_rows"] == 2
    again = _read(tmp_path, other, HMDA | {"tract_population": "4000"})
    assert again.tape.sort("tape_row")["loan_number"].to_list() == [numbers[1], numbers[0]]


@pytest.mark.parametrize(
    ("column", "cell", "field", "value"),
    [
        ("debt_to_income_ratio", "43", "dti_e4", 4_300),
        ("debt_to_income_ratio", "<20%", "dti_e4", 1_999),
        ("debt_to_income_ratio", "20%-<30%", "dti_e4", 2_999),
        ("debt_to_income_ratio", "50%-60%", "dti_e4", 6_000),
        ("debt_to_income_ratio", ">60%", "dti_e4", 6_001),
        ("debt_to_income_ratio", "Exempt", "dti_e4", None),
        ("debt_to_income_ratio", "what", "dti_e4", None),
        ("combined_loan_to_value_ratio", "80.1239", "ltv_e4", 8_012),
        ("combined_loan_to_value_ratio", "NA", "ltv_e4", 9_245),
        ("property_value", "Exempt", "value_cents", 25_789_474),
        ("income", "NA", "income_cents", None),
        ("income", "-12", "income_cents", None),
        ("lien_status", "2", "lien_position", 2),
        ("loan_type", "2", "kind", "fha"),
        ("loan_type", "4", "kind", "usda"),
        ("loan_purpose", "31", "purpose", "limited_cash_out"),
        ("loan_purpose", "32", "purpose", "cash_out"),
        ("loan_purpose", "2", "purpose", "cash_out"),
        ("loan_purpose", "5", "purpose", "purchase"),
        ("construction_method", "2", "property_type", "manufactured"),
        ("total_units", "3", "property_type", "two_to_four"),
        ("occupancy_type", "3", "occupancy", "investment"),
        ("aus_1", "6", "underwriting", ""),
        ("aus_1", "4", "underwriting", "gus"),
        ("interest_only_payment", "1", "amortization", "interest_only"),
        ("balloon_payment", "1", "amortization", "balloon"),
        ("negative_amortization", "1", "amortization", "negative"),
        ("balloon_payment", "1111", "amortization", ""),
        ("county_code", "NA", "county_fips", None),
        ("total_loan_costs", "NA", "closing_costs_cents", 367_500),
        ("total_points_and_fees", "4100", "points_and_fees_cents", 410_000),
    ],
)
def test_codes_and_ranges(tmp_path: Path, column: str, cell: str, field: str, value: Any) -> None:
    assert _read(tmp_path, HMDA | {column: cell}).tape[field].to_list() == [value]


def test_a_second_lien_has_no_loan_to_value_of_its_own(tmp_path: Path) -> None:
    row = _read(tmp_path, HMDA | {"lien_status": "2", "property_value": "NA"}).tape.row(0, named=True)
    assert (row["ltv_e4"], row["cltv_e4"]) == (None, 9_500)


@pytest.mark.parametrize(
    ("column", "cell", "field", "reason"),
    [
        ("interest_rate", "NA", "note_rate_e7", "says that it is not known"),
        ("interest_rate", "Exempt", "note_rate_e7", "says that it is not known"),
        ("loan_term", "", "term_months", "is empty"),
        ("loan_amount", "x", "note_amount_cents", "not a positive amount"),
        ("total_units", "5-24", "units", "more than four units"),
        ("total_units", ">149", "units", "more than four units"),
        ("reverse_mortgage", "1", "reverse", "is a reverse mortgage"),
        ("open_end_line_of_credit", "1", "open_end", "open-end line of credit"),
        ("intro_rate_period", "60", "rate_type", "adjustable-rate"),
        ("loan_type", "9", "kind", "no known code"),
        ("action_taken", "", "action", "is empty"),
        ("action_taken", "9", "action", "no known code"),
        ("activity_year", "22", "note_year", "outside 1970 to 2099"),
        ("lei", "", "originator_id", "is empty"),
    ],
)
def test_wrong_codes_reject_their_row_alone(tmp_path: Path, column: str, cell: str, field: str, reason: str) -> None:
    read = _read(tmp_path, HMDA, HMDA | {column: cell}, HMDA | {"income": "20"})
    assert sorted(read.tape["tape_row"]) == [1, 3]
    found = read.rejects.filter(read.rejects["field"] == field).row(0, named=True)
    assert (found["row"], found["source_field"], found["value"]) == (2, column, cell) and reason in found["reason"]


def test_a_register_without_a_needed_column_names_it(tmp_path: Path) -> None:
    lacking = {k: v for k, v in HMDA.items() if k not in ("interest_rate", "lei")}
    with pytest.raises(Refused, match="looks like the public HMDA register but lacks lei, interest_rate"):
        _read(tmp_path, lacking)


def test_the_same_file_in_other_clothes(tmp_path: Path) -> None:
    text = csv_of([HMDA, HMDA | {"income": "20"}])
    plain = read_tape(write(tmp_path, text))
    for content in (
        b"\xef\xbb\xbf" + text.encode(), text.replace("\n", "\r\n", 1).encode(), gzip.compress(text.encode()),
        text.rstrip().encode(), text.replace(",", "|").encode(),
    ):  # fmt: skip
        assert read_tape(write(tmp_path, content, "x")).content_hash == plain.content_hash
    cut = read_tape(write(tmp_path, text[:-40]))
    assert (cut.rows, cut.tape.height, cut.rejects["field"].to_list()) == (2, 1, ["row"])


def test_note_dates_spread_over_the_year(tmp_path: Path) -> None:
    rows = [HMDA | {"income": str(i)} for i in range(1, 1_201)]
    months = _read(tmp_path, *rows).tape["note_date"].dt.month().value_counts().sort("note_date")
    assert months.height == 12 and all(60 < n < 140 for n in months["count"])
    assert _read(tmp_path, *rows).tape["note_date"].min() >= date(2022, 1, 1)


def test_a_file_without_header_is_never_taken_for_it(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no known column"):
        read_tape(write(tmp_path, ",".join(HMDA.values()) + "\n"))
