"""A tape of any layout, written as our columns or as ULDD, is the same tape again."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from poolhouse.findings import Refused
from poolhouse.loans import demo_tape, read_tape
from poolhouse.loans.layouts import described
from poolhouse.market.convert import convert
from poolhouse.tables import TAPE

LOAN = {
    "Credit Score": "742", "First Payment Date": "202003", "Maturity Date": "205002", "Original UPB": "251000",
    "Number of Units": "1", "Occupancy Status": "P", "Original LTV": "85", "Original Interest Rate": "3.875",
    "Amortization Type": "FRM", "Property State": "IL", "Property Type": "SF", "Loan Purpose": "P",
    "Original Loan Term": "360", "Seller Name": "Ex & Co <1>", "Loan Sequence Number": "F20Q10000001",
}  # fmt: skip


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    """Two good loans and a bad one in Freddie Mac's layout."""
    columns = described("freddie")["headerless"]["columns"]
    rows = [LOAN, LOAN | {"Loan Sequence Number": "F20Q10000003", "Credit Score": "1"},
            LOAN | {"Loan Sequence Number": "F20Q10000002"}]  # fmt: skip
    path = tmp_path / "sflld.txt"
    path.write_text("".join("|".join(row.get(c, "") for c in columns) + "\n" for row in rows))
    return path


@pytest.mark.parametrize(("to", "name"), [("canonical", "t.csv"), ("canonical", "t.parquet"), ("uldd", "t.xml")])
def test_a_converted_tape_is_the_same_tape(tape: Path, tmp_path: Path, to: str, name: str) -> None:
    answer = convert(tape, to=to, out=tmp_path / name)
    assert (answer["layout"], answer["rows"], answer["loans"], answer["rejected"]) == ("freddie", 3, 2, 1)
    assert answer["rejects"][0]["source_field"] == "Credit Score"
    assert {"loans.note_date_derived", "loans.rejected"} <= {f["rule"] for f in answer["findings"]}
    json.dumps(answer)
    old, new = read_tape(tape).tape, read_tape(tmp_path / name)
    assert (new.layout, new.rejects.height) == (to, 0)
    same = [n for n in TAPE.schema if n not in ("tape_row", *(["imputed_flags"] if to == "uldd" else []))]
    assert new.tape.select(same).equals(old.select(same), null_equal=True)
    assert {p.name for p in tmp_path.iterdir()} == {"sflld.txt", name}


def test_the_real_tape_keeps_its_hash_through_our_own_columns(tmp_path: Path) -> None:
    convert(demo_tape(), to="canonical", out=tmp_path / "t.parquet")
    rows = pl.int_range(1, 50_503, dtype=pl.Int64, eager=True).alias("tape_row")
    old = read_tape(demo_tape()).tape.sort("tape_row").with_columns(rows)
    assert read_tape(tmp_path / "t.parquet").tape.sort("tape_row").equals(old)


@pytest.mark.parametrize(
    ("to", "name", "message"),
    [
        ("uldd", "t.csv", "written as .xml"),
        ("canonical", "t.xml", "written as .csv or .parquet"),
        ("excel", "t.csv", "written as canonical or uldd"),
        ("uldd", "no/t.xml", "there is no folder"),
        ("uldd", "folder.xml", "can't be written"),
    ],
)
def test_what_cannot_be_written_is_said_and_leaves_nothing(
    tape: Path, tmp_path: Path, to: str, name: str, message: str
) -> None:
    (tmp_path / "folder.xml").mkdir()
    with pytest.raises(Refused, match=message):
        convert(tape, to=to, out=tmp_path / name)
    assert {p.name for p in tmp_path.iterdir()} == {"sflld.txt", "folder.xml"}


def test_the_tape_itself_is_never_written_over(tmp_path: Path) -> None:
    convert(demo_tape(), to="canonical", out=tmp_path / "t.csv")
    before = (tmp_path / "t.csv").stat()
    with pytest.raises(Refused, match="is the tape itself"):
        convert(tmp_path / "t.csv", to="canonical", out=tmp_path / "." / "t.csv")
    assert (tmp_path / "t.csv").stat().st_mtime_ns == before.st_mtime_ns


def test_a_mapping_file_goes_along(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("n,l,k,a,r,t,d\n1,L,F,100,6,30,2020-01-05\n")
    (tmp_path / "map.toml").write_text(
        'loan_number = "n"\noriginator_id = "l"\nkind = {column = "k", values = {F = "fha"}}\nnote_date = "d"\n'
        'note_amount_cents = {column = "a", unit = "thousands"}\nnote_rate_e7 = {column = "r", unit = "percent"}\n'
        'term_months = {column = "t", unit = "years"}\n'
    )
    convert(tmp_path / "own.csv", tmp_path / "map.toml", to="uldd", out=tmp_path / "t.xml")
    assert read_tape(tmp_path / "t.xml").tape["note_amount_cents"].to_list() == [10_000_000]
