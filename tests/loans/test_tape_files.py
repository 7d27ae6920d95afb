"""Files that are no tape get one clear error, quickly; odd but honest files are read."""

from __future__ import annotations

import gzip
import time
import tracemalloc
import zlib
from pathlib import Path

import polars as pl
import pytest
from sample_tapes import CANONICAL, csv_of, write

from poolhouse.findings import Refused
from poolhouse.loans import read_tape

GOOD = csv_of([CANONICAL])
HEADER, ROW = GOOD.splitlines()


def _bomb() -> bytes:
    """A gzip file of 2 GiB of one letter in one line, made without holding it."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    letters = b"a" * 2**24
    return b"".join(
        [packer.compress(HEADER.encode() + b"\n"), *(packer.compress(letters) for _ in range(128)), packer.flush()]
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (gzip.compress(b""), "is empty"),
        (b"\x7fELF\x02\x01\x01\0\0\0\0\0\0", "is binary"),
        (b"PK\x03\x04\x14\0\0\0\x08\0", "is binary"),
        (HEADER.encode(), "has a header but no loans"),
        (HEADER.encode() + b"\n\n\r\n", "has a header but no loans"),
        (b"1,2,3\n4,5,6\n", "no known column"),
        (b"hello world\n", "no known column"),
        (HEADER.replace("kind,", "").encode() + b"\n", "lacks kind"),
        (gzip.compress(GOOD.encode() * 50)[:-20], "cut off or damaged"),
        (b"\x1f\x8b" + b"garbage" * 20, "cut off or damaged"),
        (b"a" * 2_000_000, "first line is longer"),
        ((HEADER + "\n").encode() + b"9" * 3_000_000, "line longer than"),
        (",".join(f"c{i}" for i in range(1_000_000)).encode() + b"\n1\n", "longer than|columns"),
        (",".join(f"c{i}" for i in range(5_000)).encode() + b"\n1\n", "has 5,000 columns"),
        (GOOD.encode("utf-16"), "UTF-16"),
        (GOOD.replace("\n", "\r").encode(), "CR only"),
        (GOOD.replace("kind", "loan_number").replace("note_date", "kind").encode(), "lacks note_date"),
        (GOOD.replace("kind", "kind,kind").replace("conv", "fha,conv").encode(), "several columns named 'kind'"),
        (b"caf\xe9," + GOOD.encode(), "UTF-8"),
        (b"PAR1", "no end"),
        (b"PAR1" + b"\0" * 100, "no end"),
        (b"PAR1" + b"\0" * 100 + b"\xff\xff\xff\x7fPAR1", "footer"),
        (b"PAR1" + b"\1" * 100 + b"\x20\0\0\0PAR1", "not readable Parquet"),
        (_bomb(), "line longer than"),
    ],
    ids=range(25),
)
def test_no_tape_at_all(tmp_path: Path, content: bytes, message: str) -> None:
    path = write(tmp_path, content, "file")
    started = time.perf_counter()
    tracemalloc.start()
    with pytest.raises(Refused, match=message):
        read_tape(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200 * 2**20
    assert time.perf_counter() - started < 5


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no such file"):
        read_tape(tmp_path / "nothing.csv")
    with pytest.raises(Refused, match="is not a file"):
        read_tape(tmp_path)
    with pytest.raises(Refused, match="is not a file"):
        read_tape("/dev/zero")


def test_parquet_with_far_too_many_columns_or_nested_cells(tmp_path: Path) -> None:
    pl.DataFrame({f"c{i}": [1] for i in range(3_000)}).write_parquet(tmp_path / "wide.parquet")
    with pytest.raises(Refused, match="3,000 columns"):
        read_tape(tmp_path / "wide.parquet")
    nested = pl.DataFrame({**{k: [v] for k, v in CANONICAL.items()}, "score": [[700]]})
    nested.write_parquet(tmp_path / "nested.parquet")
    with pytest.raises(Refused, match="column 'score' holds List"):
        read_tape(tmp_path / "nested.parquet")


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + GOOD.encode(),
        GOOD.replace("\n", "\r\n").encode(),
        GOOD.replace("\n", "\n\n").encode(),
        GOOD.rstrip("\n").encode(),
        GOOD.replace(",", ";").encode(),
        GOOD.replace(",", "\t").encode(),
        GOOD.replace("A1", '"A1"').replace("kind", '"Kind"').encode(),
        GOOD.replace(",", " , ").encode(),
        GOOD.replace("loan_number", "Loan Number").replace("note_date", "NOTE-DATE").encode(),
        gzip.compress(GOOD.encode()),
    ],
    ids=["bom", "crlf", "blank-lines", "no-last-newline", "semicolon", "tab", "quoted", "blanks", "header", "gzip"],
)
def test_the_same_tape_in_other_clothes(tmp_path: Path, content: bytes) -> None:
    plain = read_tape(write(tmp_path, GOOD))
    other = read_tape(write(tmp_path, content, "other"))
    assert other.tape.equals(plain.tape)
    assert other.content_hash == plain.content_hash


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (ROW.rpartition(",")[0], "6 fields and the header 7"),
        (ROW + ",9", "8 fields and the header 7"),
        (ROW.replace("A1", '"A1'), "quote stands open"),
        (ROW.replace("A1", 'A1"'), "quote stands open or inside"),
        ("x" * 200_000, "longer than"),
        (ROW.replace("A1", "A\0"), "NUL"),
        (ROW.replace("A1", "\udce9"), "UTF-8"),
    ],
)
def test_lines_that_are_no_row_are_rejected_alone(tmp_path: Path, line: str, reason: str) -> None:
    last = ROW.replace("A1", "A2")
    text = "\n".join([HEADER, ROW, line, last]) + "\n"
    read = read_tape(write(tmp_path, text.encode(errors="surrogateescape")))
    assert read.tape["loan_number"].to_list() == ["A1", "A2"]
    assert read.tape["tape_row"].to_list() == [1, 3]
    assert read.rejects.select("row", "field").rows() == [(2, "row")]
    assert reason in read.rejects["reason"][0]


def test_rows_over_several_blocks_keep_their_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("poolhouse.loans.files._BLOCK", 200)
    lines = [HEADER]
    for i in range(1, 61):
        row = ROW.replace("A1", f'"N{i:03}"' if i % 7 == 0 else f"N{i:03}")
        lines.append(row if i % 10 else row + ",too,many")
    read = read_tape(write(tmp_path, "\n".join(lines)))
    assert read.rows == 60
    assert read.rejects["row"].to_list() == [10, 20, 30, 40, 50, 60]
    assert read.tape["loan_number"].to_list() == [f"N{i:03}" for i in range(1, 61) if i % 10]
    assert read.tape["tape_row"].to_list() == [i for i in range(1, 61) if i % 10]
