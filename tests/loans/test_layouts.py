"""Every layout is known by what stands in a file, whatever it is called; a stranger is told so."""

from __future__ import annotations

from pathlib import Path

import pytest
from agency_samples import FANNIE, FREDDIE, HMDA, PERFORMANCE, bars
from sample_tapes import AMA, CANONICAL, csv_of, write

from poolhouse.findings import Refused
from poolhouse.loans import read_tape
from poolhouse.loans.layouts import WITH_HEADER, WITHOUT_HEADER, described, specs
from poolhouse.loans.mapping import OURS, REQUIRED
from poolhouse.loans.uldd_write import document
from poolhouse.tables import TAPE


def _uldd(folder: Path) -> str:
    return "".join(document(read_tape(write(folder, csv_of([CANONICAL]))).tape))


@pytest.mark.parametrize("name", ["tape.csv", "tape.xml", "historical_data_2020Q1.txt", "2020Q1.parquet", "hmda.gz"])
def test_a_layout_is_told_by_content(tmp_path: Path, name: str) -> None:
    files = {
        "canonical": csv_of([CANONICAL]), "ama": csv_of([AMA]), "hmda": csv_of([HMDA]), "uldd": _uldd(tmp_path),
        "freddie": bars("freddie", FREDDIE), "fannie": bars("fannie", FANNIE),
    }  # fmt: skip
    for layout, text in files.items():
        assert read_tape(write(tmp_path, text, name)).layout == layout
    with pytest.raises(Refused, match="monthly performance file"):
        read_tape(write(tmp_path, bars("freddie_performance", PERFORMANCE), name))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (bars("freddie", FREDDIE, width=24), "has 24 columns"),
        (bars("freddie", FREDDIE).replace("F20Q10000001", "123"), "no known column"),
        (bars("freddie", FREDDIE).replace("|", ","), "no known column"),
        (bars("fannie", FANNIE, width=57), "has 57 columns, and that has 108 or 110 or 113"),
        ("1|2|3\n4|5|6\n", "no known column"),
        ("loan_purpose,income,lei\n1,2,3\n", "no known column"),
        ("|" * 112 + "\n", "no known column"),
    ],
)
def test_nearly_a_layout(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(Refused, match=message):
        read_tape(write(tmp_path, text))


def test_a_mapping_is_for_columns_with_names(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"loan_number is to come from column 'Loan Sequence Number'"):
        read_tape(
            write(tmp_path, bars("freddie", FREDDIE)), "\n".join(f'{n} = "Loan Sequence Number"' for n in REQUIRED)
        )


def test_a_header_put_above_a_file_without_one_is_one_reject(tmp_path: Path) -> None:
    header = "|".join(described("freddie")["headerless"]["columns"]) + "\n"
    read = read_tape(write(tmp_path, header + bars("freddie", FREDDIE)))
    assert (read.tape.height, set(read.rejects["row"])) == (1, {1})


@pytest.mark.parametrize("layout", [*WITH_HEADER, *WITHOUT_HEADER])
def test_every_layout_names_its_source_and_its_own_columns(layout: str) -> None:
    about = described(layout)
    assert about["layout"]["source"] and about["layout"]["confidence"] in ("found", "memory")
    if layout in WITHOUT_HEADER:
        columns = about["headerless"]["columns"]
        assert max(about["headerless"]["widths"]) == len(columns) == len(set(columns))
        used = {s["column"] for s in specs(layout).values() if "column" in s} | about["headerless"]["cells"].keys()
        assert used <= set(columns)
    given = set(specs(layout)) & set(TAPE.schema)
    assert not given & set(OURS)
    if specs(layout) and layout != "ama":
        made = {"freddie": {"note_date"}, "fannie": set(), "hmda": {"note_date", "loan_number"}}[layout]
        assert set(REQUIRED) - given == made


@pytest.mark.parametrize("mapping", ["a = " + "[" * 100_000, "a = " + "9" * 10_000, "a = "])
def test_a_mapping_that_is_no_toml_is_refused(tmp_path: Path, mapping: str) -> None:
    with pytest.raises(Refused, match="not TOML"):
        read_tape(write(tmp_path, csv_of([CANONICAL])), mapping)
