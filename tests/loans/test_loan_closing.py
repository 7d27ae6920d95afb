"""Loans as they close: numbers, payments, maturities and odd days."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from pathlib import Path

import polars as pl
import pytest
from sample_tapes import CANONICAL, csv_of, write

from poolhouse import chance
from poolhouse.loans import as_loans, at_closing, demo_tape, read_tape
from poolhouse.tables import LOANS

PARTIES = pl.DataFrame(
    {"originator_id": ["L1"], "originator_party_id": [1_000]}, schema_overrides={"originator_party_id": pl.Int32}
)


def _close(tmp_path: Path, *rows: dict[str, str]) -> pl.DataFrame:
    tape = read_tape(write(tmp_path, csv_of([CANONICAL | r for r in rows]))).tape
    return at_closing(tape, 500, PARTIES, 24_109)


@pytest.mark.parametrize(
    ("note", "due", "days"),
    [
        ("2009-02-10", "2009-04-01", 19),
        ("2009-02-28", "2009-04-01", 1),
        ("2008-02-29", "2008-04-01", 1),
        ("2009-01-14", "2009-03-01", 18),
        ("2009-12-31", "2010-02-01", 1),
        ("2009-02-01", "2009-04-01", 28),
        ("2009-02-05", "2009-03-01", -4),
        ("2009-02-01", "2009-03-01", 0),
    ],
)
def test_odd_days_interest(tmp_path: Path, note: str, due: str, days: int) -> None:
    loan = _close(tmp_path, {"note_date": note, "first_due_date": due}).row(0, named=True)
    exact = Fraction(25_000_000 * 650_000 * abs(days), 365 * 10**7)
    rounded = int(exact + Fraction(1, 2))
    assert loan["odd_days_interest_cents"] == (rounded if days >= 0 else -rounded)


def test_a_loan_at_closing(tmp_path: Path) -> None:
    loans = _close(
        tmp_path, {"loan_number": "B"}, {"loan_number": "A", "term_months": "180", "note_date": "2009-01-14"}
    )
    assert loans.equals(LOANS.conform(loans))
    assert loans.select("loan_id", "loan_number", "originator_party_id", "closed_month").rows() == [
        (500, "A", 1_000, 24_109), (501, "B", 1_000, 24_109),
    ]  # fmt: skip
    assert loans["payment_cents"].to_list() == [217_777, 158_017]
    assert loans["maturity_date"].to_list() == [date(2024, 2, 1), date(2039, 3, 1)]
    assert loans["draw_key"].to_list() == [chance.text_key("A"), chance.text_key("B")]


def test_a_lender_without_a_party_is_a_mistake_of_the_caller(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no party for originators \\['L2'\\]"):
        _close(tmp_path, {"originator_id": "L2"})


def test_the_whole_tape_closes(tmp_path: Path) -> None:
    tape = read_tape(demo_tape()).tape
    ids = tape.select("originator_id").unique().sort("originator_id")
    parties = ids.with_columns(pl.int_range(1_000, 1_000 + ids.height, dtype=pl.Int32).alias("originator_party_id"))
    loans = at_closing(tape, 1, parties, 24_108)
    assert loans["loan_id"].to_list() == list(range(1, 50_503))
    last_due = loans.select(
        pl.col("maturity_date").dt.year() * 12 + pl.col("maturity_date").dt.month()
        - pl.col("first_due_date").dt.year() * 12 - pl.col("first_due_date").dt.month() + 1
    ).to_series()  # fmt: skip
    assert (last_due == loans["term_months"]).all()
    assert (loans["payment_cents"] * loans["term_months"] > loans["note_amount_cents"]).all()


def test_a_tape_outside_a_book_is_numbered_by_its_rows(tmp_path: Path) -> None:
    """The same notes as at closing, in the order given, numbered from 0."""
    changes = [{"loan_number": "b", "originator_id": "L2"}, {"loan_number": "a", "note_date": "2009-03-31"}]
    tape = read_tape(write(tmp_path, csv_of([CANONICAL | r for r in changes]))).tape
    back = as_loans(tape.reverse())
    assert back["loan_id"].to_list() == [0, 1]
    assert back["loan_number"].to_list() == tape["loan_number"].to_list()[::-1]
    assert back.sort("loan_number")["originator_party_id"].to_list() == [0, 1]
    parties = tape.select("originator_id", originator_party_id=pl.lit(7, pl.Int32))
    same = [c for c in LOANS.schema if c not in ("loan_id", "originator_party_id", "closed_month")]
    assert back.sort("loan_number").select(same).equals(at_closing(tape, 0, parties, 0).select(same))
    assert back.filter(pl.col("loan_number") == "a")["closed_month"].to_list() == [2009 * 12 + 2]
