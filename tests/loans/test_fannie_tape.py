"""Fannie Mae's performance file: a loan's months become one loan, with its terms and how late it was."""

from __future__ import annotations

import gzip
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from agency_samples import FANNIE, FREDDIE, bars
from sample_tapes import write

from poolhouse.findings import Refused
from poolhouse.loans import TapeRead, read_tape
from poolhouse.tables import codes


def _read(folder: Path, *rows: dict[str, str], **options: Any) -> TapeRead:
    return read_tape(write(folder, bars("fannie", *rows, **options), "2019Q4.csv"))


def _months(statuses: str, first: str = "012020", **cells: str) -> list[dict[str, str]]:
    """A loan's rows, one per status ('0 1 2 XX'), from a month on."""
    month, year = int(first[:2]), int(first[2:])
    rows = []
    for i, status in enumerate(statuses.split()):
        at = year * 12 + month - 1 + i
        period = f"{at % 12 + 1:02}{at // 12}"
        late = {"Current Loan Delinquency Status": status.zfill(2)}
        rows.append(FANNIE | {"Monthly Reporting Period": period} | late | cells)
    return rows


def test_every_field_of_a_loan(tmp_path: Path) -> None:
    read = _read(tmp_path, *_months("0 " * 13))
    row = read.tape.row(0, named=True)
    expected = {
        "loan_number": "100000000001", "originator_id": "Example Mortgage, LLC", "kind": "conventional",
        "note_amount_cents": 32_000_000, "note_rate_e7": 312_500, "term_months": 360, "rate_type": "fixed",
        "first_due_date": date(2020, 1, 1), "purpose": "cash_out", "occupancy": "principal", "units": 1,
        "property_type": "pud", "state": "CA", "ltv_e4": 8_000, "cltv_e4": 8_800, "score": 701, "dti_e4": 4_100,
        "mi_pct": 0, "mi_payer": "", "first_time_buyer": False, "borrowers": 2, "lien_position": 1,
        "amortization": "full", "affordable": "none", "relocation": False, "paid_to_date": None, "late_30_12m": 0,
        "late_60_24m": 0,
    }  # fmt: skip
    assert {k: row[k] for k in expected} == expected
    assert (row["note_date"].year, row["note_date"].month) == (2019, 11) and 1 <= row["note_date"].day <= 28
    assert "note_day" in codes.imputed_names(row["imputed_flags"])
    assert (read.layout, read.rows, read.start_month) == ("fannie", 1, 2019 * 12 + 10)


@pytest.mark.parametrize(
    ("statuses", "paid_to", "late_30", "late_60"),
    [
        ("0 0 0", None, 0, 0),
        ("0 1 0 1 2", date(2020, 3, 1), 3, 1),
        ("0 0 1", date(2020, 2, 1), 1, 0),
        ("0 0 XX", None, None, None),
        ("0 XX 0", None, None, None),
        ("1 2 3" + " 0" * 12, None, 0, 2),
        ("1 2 3" + " 0" * 23, None, 0, 1),
        ("XX" + " 0" * 12, None, 0, None),
        ("XX" + " 0" * 24, None, 0, 0),
        ("0 1 2 3 4 5 6 7 8 9 10 11 12 13", date(2020, 1, 1), 12, 12),
    ],
)
def test_what_is_paid_and_how_often_late(
    tmp_path: Path, statuses: str, paid_to: date | None, late_30: int | None, late_60: int | None
) -> None:
    row = _read(tmp_path, *_months(statuses)).tape.row(0, named=True)
    assert (row["paid_to_date"], row["late_30_12m"], row["late_60_24m"]) == (paid_to, late_30, late_60)


def test_a_file_that_begins_late_knows_what_it_has_rows_or_history_of(tmp_path: Path) -> None:
    rows = _months("0 0", first="062022")
    row = _read(tmp_path, *rows).tape.row(0, named=True)
    assert (row["late_30_12m"], row["late_60_24m"]) == (None, None)
    history = {"Loan Payment History": "02" * 6 + "00" * 8 + "01" + "00" * 9}
    row = _read(tmp_path, rows[0], rows[1] | history).tape.row(0, named=True)
    assert (row["late_30_12m"], row["late_60_24m"]) == (1, 6)
    history = {"Loan Payment History": "XX" * 12 + "00" * 12}
    row = _read(tmp_path, rows[0], rows[1] | history).tape.row(0, named=True)
    assert (row["late_30_12m"], row["late_60_24m"]) == (0, None)


def test_the_last_instalment_paid_where_the_file_says_it(tmp_path: Path) -> None:
    rows = _months("0 1 2", **{"Last Paid Installment Date": "012020"})
    assert _read(tmp_path, *rows).tape["paid_to_date"].to_list() == [date(2020, 1, 1)]


def test_a_loan_that_left_is_read_as_it_was_made(tmp_path: Path) -> None:
    gone = {"Zero Balance Code": "01", "Current Loan Delinquency Status": ""}
    rows = [*_months("0 1 0"), _months("0 0 0 0")[3] | gone]
    read = _read(tmp_path, *rows)
    row = read.tape.row(0, named=True)
    assert (row["note_amount_cents"], row["paid_to_date"], row["late_30_12m"]) == (32_000_000, None, None)
    assert [f.count for f in read.findings if f.rule == "loans.left_later"] == [1]
    assert not [f for f in read.findings if f.rule == "loans.lateness_unknown"]


def test_loans_and_months_in_any_order_and_over_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [r for i in range(7) for r in _months(f"{i % 2} 1 0 {i % 3}", **{"Loan Identifier": str(200 + i)})]
    plain = _read(tmp_path, *rows)
    assert (plain.rows, plain.tape.height, plain.tape["tape_row"].to_list()) == (7, 7, [4 * i for i in range(1, 8)])
    assert plain.tape["late_30_12m"].to_list() == [i % 2 + 1 + (i % 3 > 0) for i in range(7)]
    monkeypatch.setattr("poolhouse.loans.files._BLOCK", 900)
    assert _read(tmp_path, *rows).tape.equals(plain.tape)
    mixed = _read(tmp_path, *sorted(rows, key=lambda r: (r["Monthly Reporting Period"][::-1], r["Loan Identifier"])))
    assert mixed.tape.drop("tape_row").equals(plain.tape.drop("tape_row"))
    assert _read(tmp_path, *rows, *rows).tape["late_30_12m"].equals(plain.tape["late_30_12m"])


@pytest.mark.parametrize("width", [108, 110, 113])
def test_all_widths_there_have_been(tmp_path: Path, width: int) -> None:
    no_score = {"Borrower Credit Score at Origination": "", "Co-Borrower Credit Score at Origination": ""}
    classic = {"Origination Classic FICO": "731"}
    read = _read(tmp_path, FANNIE | no_score | classic, width=width)
    assert read.tape["score"].to_list() == [731 if width == 113 else None]


@pytest.mark.parametrize(
    ("column", "cell", "field", "value"),
    [
        ("Loan Purpose", "R", "purpose", "limited_cash_out"),
        ("Loan Purpose", "U", "purpose", "limited_cash_out"),
        ("Occupancy Status", "U", "occupancy", "principal"),
        ("Property Type", "CP", "property_type", "coop"),
        ("Mortgage Insurance Percentage", "25.00", "mi_pct", 25),
        ("Mortgage Insurance Type", "2", "mi_payer", "lender"),
        ("Mortgage Insurance Type", "3", "mi_payer", ""),
        ("First Time Home Buyer Indicator", "", "first_time_buyer", None),
        ("Special Eligibility Program", "H", "affordable", "homeready"),
        ("Special Eligibility Program", "9", "affordable", ""),
        ("Co-Borrower Credit Score at Origination", "", "score", 755),
        ("Relocation Mortgage Indicator", "Y", "relocation", True),
    ],
)
def test_codes(tmp_path: Path, column: str, cell: str, field: str, value: Any) -> None:
    tape = _read(tmp_path, FANNIE | {column: cell}).tape
    assert tape[field].to_list() == [value]
    assert bool(tape["imputed_flags"][0] & codes.IMPUTED["limited_cash_out_assumed"]) == (
        cell == "U" and field == "purpose"
    )


@pytest.mark.parametrize(
    ("column", "cell", "field", "reason"),
    [
        ("Amortization Type", "ARM", "rate_type", "adjustable-rate"),
        ("Loan Purpose", "X", "purpose", "no known code"),
        ("Original UPB", "", "note_amount_cents", "is empty"),
        ("Origination Date", "132019", "note_date", "not a date written as %m%Y"),
        ("First Payment Date", "092020", "first_due_date", "one or two months"),
        ("Monthly Reporting Period", "202001", "period", "not a date"),
        ("Loan Identifier", "", "loan_number", "is empty"),
        ("Borrower Credit Score at Origination", "7xx", "own_score", "not a whole number"),
        ("Co-Borrower Credit Score at Origination", "200", "co_score", "outside 300 to 850"),
    ],
)
def test_wrong_codes_reject_their_loan_alone(tmp_path: Path, column: str, cell: str, field: str, reason: str) -> None:
    others = [FANNIE | {"Loan Identifier": str(i)} for i in (1, 3)]
    bad = FANNIE | {"Loan Identifier": "2"} | {column: cell}
    read = _read(tmp_path, others[0], bad, others[1])
    assert read.tape["loan_number"].to_list() == ["1", "3"]
    found = read.rejects.row(0, named=True)
    assert (found["row"], found["field"], found["value"]) == (2, field, cell) and reason in found["reason"]


def test_the_same_file_in_other_clothes(tmp_path: Path) -> None:
    text = bars("fannie", *_months("0 1 2"))
    plain = read_tape(write(tmp_path, text))
    mixed = text.replace("\n", "\r\n", 1)
    for content in (
        b"\xef\xbb\xbf" + text.encode(),
        mixed.encode(),
        gzip.compress(text.encode()),
        text.rstrip().encode(),
    ):
        assert read_tape(write(tmp_path, content, "x")).content_hash == plain.content_hash


def test_cut_off_and_wrong_widths(tmp_path: Path) -> None:
    text = bars("fannie", *_months("0 1 2"), FANNIE | {"Loan Identifier": "9"})
    read = read_tape(write(tmp_path, text[:-40]))
    assert (read.tape.height, read.rows, read.rejects.height) == (1, 2, 1)
    with pytest.raises(Refused, match="performance file but has 112 columns, and that has 108 or 110 or 113"):
        _read(tmp_path, FANNIE, width=112)


def test_a_file_of_two_layouts_is_the_one_most_lines_have(tmp_path: Path) -> None:
    text = bars("fannie", *_months("0 0 0")) + bars("freddie", FREDDIE)
    read = read_tape(write(tmp_path, text))
    assert (read.layout, read.rejects["field"].to_list()) == ("fannie", ["row"])
    text = bars("freddie", FREDDIE, FREDDIE | {"Loan Sequence Number": "F20Q10000002"}) + bars("fannie", FANNIE)
    assert read_tape(write(tmp_path, text)).layout == "freddie"
