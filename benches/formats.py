"""`python -m benches.formats [--loans 50k]`: how fast a tape of each layout is read, and how much memory that takes.

The shipped tape's loans, written in each layout; a performance file has 24 months of each loan. Every
file is read in a process of its own. Prints a table and asserts nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
from rich.console import Console
from rich.table import Table

from benches.measure import peak_bytes
from poolhouse import loans
from poolhouse.loans import uldd_write
from poolhouse.loans.layouts import described

LOANS = 50_502
MONTHS = 24
CODES = {"purchase": "P", "limited_cash_out": "N", "cash_out": "C"}


def main() -> None:
    """A row per layout; `read PATH` is the process that reads one."""
    if sys.argv[1:2] == ["read"]:
        print(json.dumps(_read(sys.argv[2])))
        return
    parser = argparse.ArgumentParser(prog="python -m benches.formats", description=__doc__)
    parser.add_argument("--loans", type=int, default=LOANS)
    given = parser.parse_args()
    out = Console()
    out.print(f"{os.cpu_count()} cores, load before {os.getloadavg()[0]:.1f}")
    measured(given.loans, out)


def measured(count: int, out: Console) -> None:
    """Writes, reads and prints every layout with `count` loans."""
    table = Table("layout", "MB", "rows", "seconds", "loans/s", "peak MB", title="Tapes read", title_justify="left")
    with tempfile.TemporaryDirectory(prefix="poolhouse-bench-") as folder:
        tape = loans.read_tape(loans.demo_tape()).tape
        tape = pl.concat([tape] * (count // tape.height + 1)).head(count)
        tape = tape.with_columns(pl.int_range(1, pl.len() + 1).cast(pl.String).alias("loan_number"))
        for name, write in WRITERS.items():
            path = Path(folder) / name
            write(tape, path)
            done = subprocess.run(
                [sys.executable, "-m", "benches.formats", "read", str(path)], capture_output=True, text=True, check=True
            )
            found = json.loads(done.stdout)
            rows = count * (MONTHS if name == "fannie" else 1)
            table.add_row(
                found["layout"],
                f"{path.stat().st_size / 1e6:,.0f}",
                f"{rows:,}",
                f"{found['seconds']:.2f}",
                f"{found['loans'] / found['seconds']:,.0f}",
                f"{found['peak'] / 1e6:,.0f}",
            )
            path.unlink()
    out.print(table)


def _read(path: str) -> dict[str, float | str]:
    began = time.perf_counter()
    read = loans.read_tape(path)
    seconds = time.perf_counter() - began
    return {"layout": read.layout, "loans": read.tape.height, "seconds": seconds, "peak": peak_bytes()}


def _canonical(tape: pl.DataFrame, path: Path) -> None:
    tape.drop("tape_row").write_csv(path)


def _uldd(tape: pl.DataFrame, path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(uldd_write.document(tape))


def _bars(name: str, tape: pl.DataFrame, path: Path, cells: dict[str, pl.Expr]) -> None:
    columns = described(name)["headerless"]["columns"]
    empty = pl.lit(None, pl.String)
    rows = tape.select(cells.get(c, empty).alias(c) for c in columns)
    rows.write_csv(path, separator="|", include_header=False, quote_style="never")


def _money(name: str) -> pl.Expr:
    return (pl.col(name) // 100).cast(pl.String)


def _freddie(tape: pl.DataFrame, path: Path) -> None:
    due = pl.col("first_due_date")
    _bars(
        "freddie",
        tape,
        path,
        {
            "Credit Score": pl.col("score"),
            "First Payment Date": due.dt.strftime("%Y%m"),
            "Maturity Date": due.dt.strftime("%Y%m"),
            "Number of Units": pl.col("units"),
            "Original UPB": _money("note_amount_cents"),
            "Original LTV": pl.col("ltv_e4") // 100,
            "Original Interest Rate": pl.col("note_rate_e7") / 100_000,
            "Amortization Type": pl.lit("FRM"),
            "Property State": pl.col("state"),
            "Property Type": pl.lit("SF"),
            "Loan Sequence Number": "F09Q1" + pl.col("loan_number").str.zfill(7),
            "Occupancy Status": pl.lit("P"),
            "Loan Purpose": pl.col("purpose").replace_strict(CODES),
            "Original Loan Term": pl.col("term_months"),
            "Number of Borrowers": pl.col("borrowers"),
            "Seller Name": pl.col("originator_name").str.replace_all("|", "", literal=True),
        },
    )


def _fannie(tape: pl.DataFrame, path: Path) -> None:
    note = pl.col("note_date")
    every = tape.with_columns(pl.lit(list(range(MONTHS))).alias("n")).explode("n")
    period = pl.col("first_due_date").dt.offset_by(pl.format("{}mo", "n"))
    _bars(
        "fannie",
        every,
        path,
        {
            "Loan Identifier": pl.col("loan_number"),
            "Monthly Reporting Period": period.dt.strftime("%m%Y"),
            "Seller Name": pl.col("originator_id"),
            "Original Interest Rate": pl.col("note_rate_e7") / 100_000,
            "Original UPB": _money("note_amount_cents"),
            "Original Loan Term": pl.col("term_months"),
            "Origination Date": note.dt.strftime("%m%Y"),
            "First Payment Date": pl.col("first_due_date").dt.strftime("%m%Y"),
            "Borrower Credit Score at Origination": pl.col("score"),
            "Loan Purpose": pl.col("purpose").replace_strict(CODES | {"limited_cash_out": "R"}),
            "Original Loan to Value Ratio (LTV)": pl.col("ltv_e4") // 100,
            "Number of Units": pl.col("units"),
            "Property State": pl.col("state"),
            "Amortization Type": pl.lit("FRM"),
            "Current Loan Delinquency Status": pl.lit("00"),
        },
    )


def _hmda(tape: pl.DataFrame, path: Path) -> None:
    text = pl.lit
    tape.select(
        pl.lit("2022").alias("activity_year"),
        pl.col("originator_id").alias("lei"),
        state_code=pl.col("state"),
        county_code=pl.col("county_fips"),
        census_tract=pl.col("loan_number"),
        action_taken=text("1"),
        purchaser_type=text("1"),
        loan_type=text("1"),
        loan_purpose=text("1"),
        lien_status=text("1"),
        loan_amount=_money("note_amount_cents"),
        combined_loan_to_value_ratio=(pl.col("ltv_e4") // 100).cast(pl.String),
        interest_rate=pl.col("note_rate_e7") / 100_000,
        rate_spread=text("NA"),
        total_loan_costs=text("NA"),
        origination_charges=text("NA"),
        loan_term=pl.col("term_months"),
        property_value=_money("value_cents"),
        occupancy_type=text("1"),
        total_units=pl.col("units"),
        income=text("84"),
        debt_to_income_ratio=text("36"),
        applicant_age=text("35-44"),
        aus_1=text("1"),
    ).write_csv(path)


WRITERS: dict[str, Callable[[pl.DataFrame, Path], None]] = {
    "canonical": _canonical,
    "freddie": _freddie,
    "fannie": _fannie,
    "hmda": _hmda,
    "uldd": _uldd,
}

if __name__ == "__main__":
    main()
