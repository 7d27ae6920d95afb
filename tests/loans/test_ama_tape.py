"""The real tape of 2009: every count its description gives, and the same loans from every format."""

from __future__ import annotations

import gzip
import time
from pathlib import Path

import polars as pl
import pytest
from sample_tapes import AMA, csv_of, write

from poolhouse.findings import Refused
from poolhouse.loans import TapeRead, demo_tape, read_tape
from poolhouse.tables import TAPE, codes


@pytest.fixture(scope="module")
def read() -> TapeRead:
    return read_tape(demo_tape())


@pytest.fixture(scope="module")
def raw() -> pl.DataFrame:
    """The tape's own cells as numbers, in the order of the file."""
    numbers = ("Rate", "LTV", "Amount", "UPB", "Back", "Income", "PMI", "Term", "MortDate")
    return pl.read_parquet(demo_tape()).with_columns(pl.col(n).cast(pl.Float64) for n in numbers)


def _counts(read: TapeRead) -> dict[str, int]:
    return {f.rule.removeprefix("loans."): f.count for f in read.findings}


def test_every_loan_is_read_and_none_rejected(read: TapeRead) -> None:
    assert (read.rows, read.tape.height, read.rejects.height) == (50_502, 50_502, 0)
    assert (read.layout, read.start_month) == ("ama", 2009 * 12)
    assert read.tape.equals(TAPE.conform(read.tape))
    assert read.tape["note_amount_cents"].sum() == pytest.approx(7.938e11, rel=1e-4)


def test_the_counts_of_its_description(read: TapeRead) -> None:
    expected = {
        "note_rate_snapped": 22_293, "note_rate_off_grid": 89, "note_year_earlier": 2_400, "ltv_scaled": 15,
        "ltv_unusable": 1, "streamline_inferred": 562, "limited_cash_out_assumed": 41_312,
        "lien_assumed_first": 3_894, "score_band": 50_502, "upb_above_note": 1, "curtailed_before_sale": 34,
    }  # fmt: skip
    counts = _counts(read)
    assert {k: counts[k] for k in expected} == expected
    assert counts["seasoned_before_sale"] + counts["curtailed_before_sale"] == 4_492
    flags = read.tape["imputed_flags"]
    for name in (
        "note_rate_snapped",
        "ltv_scaled",
        "streamline_inferred",
        "limited_cash_out_assumed",
        "lien_assumed_first",
    ):
        assert (flags & codes.IMPUTED[name] != 0).sum() == expected[name]


def test_snapping_saves_the_interest_that_rounding_added(read: TapeRead, raw: pl.DataFrame) -> None:
    clean = read.tape.sort("tape_row")
    stated = (raw["Rate"] * 1e7).round().cast(pl.Int64)
    extra = (raw["UPB"] * (stated - clean["note_rate_e7"]) / 1e7 / 12).sum()
    assert extra == pytest.approx(14_851, rel=0.01)
    assert ((clean["note_rate_e7"] - stated).abs() <= 500).all()


def test_loan_to_value(read: TapeRead) -> None:
    ltv = read.tape.filter(pl.col("ltv_e4") > 9_700)
    as_stated = ltv.filter(pl.col("imputed_flags") & codes.IMPUTED["ltv_scaled"] == 0)
    assert (ltv.height, as_stated.height, ltv.filter(pl.col("kind") == "conventional").height) == (3_408, 3_393, 0)
    assert as_stated.filter(pl.col("ltv_e4") > 10_000).height == 942
    fha = ltv.filter(pl.col("kind") == "fha")
    assert [fha.filter(pl.col("ltv_e4") == x).height for x in (9_819, 9_900)] == [219, 1_102]
    cap = 10_205  # a loan of 98% of itself plus a fee of 2%: 1 / 0.98 = 102.041%, rounded up
    assert as_stated.filter((pl.col("kind") == "usda") & (pl.col("ltv_e4") > cap)).height == 278
    unknown = read.tape.filter(pl.col("ltv_e4").is_null())
    assert unknown.select("kind", "value_cents").rows() == [("va", None)]
    values = read.tape.filter(pl.col("ltv_e4").is_not_null())
    off = values["note_amount_cents"] * 10_000 - values["value_cents"] * values["ltv_e4"]
    assert (2 * off.abs() <= values["ltv_e4"]).all()


def test_scores_and_ratios(read: TapeRead, raw: pl.DataFrame) -> None:
    conventional = read.tape.filter(pl.col("kind") == "conventional").sort("tape_row")
    assert conventional.height == 45_008
    own = raw.filter(pl.col("FedGuar") == "0")["Borrower Credit Score"].replace_strict(
        {"1": 300, "2": 620, "3": 660, "4": 700, "5": 760}, return_dtype=pl.Int16
    )
    assert (own != conventional["score"]).sum() == 4_094
    assert (conventional["score"] < 620).sum() == 253
    assert (conventional["dti_e4"] > 5_000).sum() == 866
    assert ((conventional["dti_e4"] > 5_000) | (conventional["score"] < 620)).sum() == 1_106
    streamline = read.tape.filter("streamline")
    assert streamline.select("kind", "dti_e4", "income_cents").unique().rows() == [("fha", None, None)]


def test_insurance_limits_and_terms(read: TapeRead) -> None:
    tape = read.tape
    above_80 = tape.filter((pl.col("kind") == "conventional") & (pl.col("ltv_e4") > 8_000))
    assert (above_80.filter(pl.col("mi_pct") > 0).height, above_80.filter(pl.col("mi_pct") == 0).height) == (3_221, 3)
    assert above_80.filter(pl.col("purpose") == "limited_cash_out").height == 2_046
    limits = {1: 41_700_000, 2: 53_385_000, 3: 64_530_000, 4: 80_195_000}
    over = tape.filter(pl.col("note_amount_cents") > pl.col("units").replace_strict(limits, return_dtype=pl.Int64))
    assert (over.height, over.filter(pl.col("kind") == "conventional").height) == (70, 67)
    assert over["note_amount_cents"].max() == 68_482_000
    usual = tape["term_months"].is_in([120, 180, 240, 300, 360])
    odd = tape.filter(~usual)
    assert (odd.height, odd.filter(pl.col("term_months") < 120).height) == (1_457, 27)
    second = tape.filter((pl.col("kind") != "conventional") & (pl.col("occupancy") == "second_home"))
    assert second.height == 2


def test_lenders(read: TapeRead, raw: pl.DataFrame) -> None:
    lenders = read.tape.select("originator_id", "originator_name", "originator_type", "originator_state").unique()
    assert lenders.height == 559 == lenders["originator_id"].n_unique()
    assert raw["Seller"].n_unique() == 547
    assert (read.tape["originator_type"] == "depository").sum() == 50_458
    assert set(read.tape["originator_type"]) == {"depository", "insurer"}


def test_note_dates_spread_evenly_and_only_where_they_may(read: TapeRead, raw: pl.DataFrame) -> None:
    note = read.tape.sort("tape_row")["note_date"]
    assert (note.dt.year().cast(pl.Float64) == raw["MortDate"]).all()
    months = note.dt.strftime("%Y-%m").value_counts().sort("note_date").rows()
    assert [m for m, _ in months][:4] == ["2008-10", "2008-11", "2008-12", "2009-01"]
    assert len(months) == 15
    for name, count in months:
        fair = 2_400 / 3 if name < "2009" else 48_102 / 12
        assert abs(count - fair) < 4.5 * fair**0.5, (name, count)
    assert note.dt.day().max() == 28
    due = read.tape.select(pl.col("note_date").dt.month_start().dt.offset_by("2mo") == pl.col("first_due_date"))
    assert due.to_series().all()


def test_government_fees_are_what_the_note_holds_above_its_base(read: TapeRead) -> None:
    rate = {("fha", False): 0.0175, ("fha", True): 0.015}
    fha = read.tape.filter(pl.col("kind") == "fha")
    for streamline, part in fha.group_by("streamline"):
        factor = rate[("fha", bool(streamline[0]))]
        base = part["note_amount_cents"] - part["financed_fee_cents"]
        assert ((base * factor - part["financed_fee_cents"]).abs() <= 1).all()
    assert read.tape.filter(pl.col("kind") == "conventional")["financed_fee_cents"].sum() == 0


def test_the_same_loans_from_any_format(read: TapeRead, tmp_path: Path) -> None:
    cells = pl.read_parquet(demo_tape())
    text = cells.write_csv().encode()
    for name, data in (
        ("t.csv.gz", gzip.compress(text, 1)),
        ("t.txt", text),
        ("gz-by-content.csv", gzip.compress(text, 1)),
    ):
        started = time.perf_counter()
        other = read_tape(write(tmp_path, data, name))
        assert other.tape.equals(read.tape) and other.rejects.equals(read.rejects)
        assert (other.findings, other.content_hash) == (read.findings, read.content_hash)
        assert time.perf_counter() - started < 10
    typed = cells.with_columns(
        pl.col("Amount", "UPB", "Income", "Term").cast(pl.Int64), pl.col("Rate", "LTV").cast(pl.Float64)
    )
    typed.write_parquet(tmp_path / "t.parquet")
    assert read_tape(tmp_path / "t.parquet").content_hash == read.content_hash


def test_the_hash_sees_one_cent(read: TapeRead, tmp_path: Path) -> None:
    changed = pl.read_parquet(demo_tape()).with_columns(
        pl.when(pl.col("LoanNumber") == "77").then(pl.col("Amount") + ".01").otherwise("Amount").alias("Amount")
    )
    changed.write_parquet(tmp_path / "t.parquet")
    assert read_tape(tmp_path / "t.parquet").content_hash != read.content_hash


def test_a_later_year_with_other_headers_and_padded_codes(tmp_path: Path) -> None:
    plain = read_tape(write(tmp_path, csv_of([AMA])))
    renamed = {
        "LoanNumber": "Loan Number",
        "Co Borrower Credit Score": "Co-Borrower Credit Score",
        "PropType": "PROP_TYPE",
    }
    later = {renamed.get(k, k): v for k, v in AMA.items()} | {"FHLBankID": "Cincinnati"}
    later |= {"Product": "01", "SellType": "01", "FIPSStateCode": "39", "FIPSCountyCode": "037", "FHFBID": "08109"}
    other = read_tape(write(tmp_path, csv_of([later]), "later.csv"))
    assert other.layout == "ama"
    assert other.content_hash == plain.content_hash


@pytest.mark.parametrize(
    ("column", "cell", "field", "reason"),
    [
        ("Product", "2", "rate_type", "adjustable-rate"),
        ("Product", "3", "rate_type", "no known code"),
        ("FedGuar", "4", "kind", "no known code"),
        ("Purpose", "3", "purpose", "no known code"),
        ("LienStatus", "2", "lien_code", "no known code"),
        ("MortDate", "2010", "note_year", "after the year of acquisition"),
        ("AmorTerm", "480", "amortization_months", "balloon"),
        ("Amount", "156200.005", "note_amount_cents", "at most 2 decimals"),
        ("Rate", "4.63", "note_rate_e7", "outside"),
    ],
)
def test_rows_that_cannot_be_used(tmp_path: Path, column: str, cell: str, field: str, reason: str) -> None:
    rows = [AMA, AMA | {"LoanNumber": "2", column: cell}]
    read = read_tape(write(tmp_path, csv_of(rows)))
    assert read.tape["loan_number"].to_list() == ["1"]
    found = read.rejects.row(0, named=True)
    assert (found["row"], found["loan_number"], found["field"], found["value"]) == (2, "2", field, cell)
    assert found["source_field"] == column and reason in found["reason"]


def test_a_tape_without_a_needed_column_names_it(tmp_path: Path) -> None:
    lacking = {k: v for k, v in AMA.items() if k not in ("Amount", "Term")}
    with pytest.raises(Refused, match="lacks Amount, Term"):
        read_tape(write(tmp_path, csv_of([lacking])))
