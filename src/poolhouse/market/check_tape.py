"""check TAPE: a tape's loans against programs' standards, outside any book."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from poolhouse import loans
from poolhouse.dates import first_day
from poolhouse.findings import Refused
from poolhouse.loans.closing import as_loans
from poolhouse.market.standards import chosen, day_of, heading, text_of
from poolhouse.money import RATE_ONE
from poolhouse.standards import evaluate, explain
from poolhouse.standards.catalogue import CODES
from poolhouse.standards.evaluation import evaluations
from poolhouse.standards.facts import date_column
from poolhouse.standards.own import Standards
from poolhouse.standards.premiums import premiums
from poolhouse.standards.summary import counts
from poolhouse.tables.codes import ANSWERS

FORMATS = (".csv", ".parquet", ".json")
FIRST = 10
"""Rejected rows that the answer shows; the findings file holds all."""


def check_tape(
    tape: str | Path, mapping: str | Path | None = None, *, as_of: str | date | None = None,
    edition: str | None = None, programs: Sequence[str] = (), overlays: Sequence[str | Path] = (),
    out: str | Path | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Judges a tape. `as_of`: the delivery, left out the month after the tape's last note; `programs`, `overlays` as in
    `standards.chosen`; `out`: findings.csv, .parquet or .json: a row for each rule that a loan fails or can't be judged
    by, and for each row of the tape that can't be used.

    Keys: tape, as_of, edition, overrides, overlays, loans, rejected, programs (answers), best (by the best answer of
    an outlet), reasons (the most frequent), unknown_versions, premiums, rejects (the first ten), filled (what the
    reader filled in or changed: field, loans, message), evaluations, findings, out, seconds.
    """
    began = time.perf_counter()
    form = _form(out)
    standards = chosen(programs, overlays, edition)
    read = loans.read_tape(tape, text_of(mapping, "mapping") if mapping is not None else None)
    asked = as_loans(read.tape)
    day = day_of(as_of) if as_of else first_day(read.tape.select(_month("note_date").max()).item() + 1)
    started = time.perf_counter()
    checks = evaluate(asked, day, standards.rulebook, standards.programs)
    judged = time.perf_counter()
    answer = {
        "tape": str(tape),
        **heading(standards, asked.select(pl.col("note_date").min()).item(), day),
        "loans": asked.height,
        "rejected": read.rows - asked.height,
        **_counted(checks, standards),
        "unknown_versions": _unknown_versions(asked, standards, day),
        "premiums": _premiums(asked, standards, day),
        "rejects": read.rejects.head(FIRST).to_dicts(),
        "filled": [{"field": f.field, "loans": f.count, "message": f.message} for f in read.findings],
        "evaluations": evaluations(asked, standards.programs),
    }
    if out is not None:
        rows = findings(checks, asked, standards, read.rejects)
        _write(rows, Path(out), form)
        answer |= {"findings": rows.height, "out": str(out)}
    seconds = {"read": started - began, "judge": judged - started, "all": time.perf_counter() - began}
    return answer | {"seconds": {name: round(value, 3) for name, value in seconds.items()}}


def findings(checks: pl.DataFrame, asked: pl.DataFrame, standards: Standards, rejects: pl.DataFrame) -> pl.DataFrame:
    """Every failure and every rule that can't be judged, in the tape's order, then the rejected rows. Columns:
    loan_number, tape_row, program, answer, rule, outcome, field, limit, value, source, message, cure, as_of, edition.
    Assumptions are counted, not listed."""
    met = checks.filter((pl.col("reasons") | pl.col("undetermined")) != 0).with_columns(assumptions=pl.lit(0, pl.Int64))
    said = explain(met, asked, standards.rulebook, standards.programs)
    numbers = asked.select("loan_id", "loan_number", "tape_row")
    rows = said.join(numbers, on="loan_id", how="left", maintain_order="left").drop("loan_id")
    spoilt = rejects.select(
        pl.col("loan_number").fill_null(""),
        pl.col("row").cast(pl.Int64).alias("tape_row"),
        "field",
        pl.col("value").fill_null(""),
        pl.col("reason").alias("message"),
        program=pl.lit(""), answer=pl.lit("rejected"), rule=pl.lit("tape"), outcome=pl.lit("rejected"),
        limit=pl.lit(""), source=pl.lit(""), cure=pl.lit(""),
    )  # fmt: skip
    columns = ["loan_number", "tape_row", *(c for c in said.columns if c != "loan_id")]
    day = checks["as_of"][0] if checks.height else None
    return pl.concat(
        [rows.with_columns(pl.col("tape_row").cast(pl.Int64)).select(columns), spoilt.select(columns)]
    ).with_columns(as_of=pl.lit(day, pl.Date), edition=pl.lit(standards.rulebook.edition))


def _month(column: str) -> pl.Expr:
    day = pl.col(column)
    return day.dt.year() * 12 + day.dt.month().cast(pl.Int32) - 1


def _counted(checks: pl.DataFrame, standards: Standards) -> dict[str, Any]:
    """Answers and reasons by program; and of the loans, by the best answer that an outlet gives."""
    outlets = [p.code for p in standards.programs if p.code != CODES["qm"]]
    best = checks.filter(pl.col("program").is_in(outlets)).group_by("loan_id").agg(pl.col("answer").min())
    by_answer = {name: best.filter(pl.col("answer") == code).height for code, name in enumerate(ANSWERS)}
    meanings = {(p.name, rule.name): rule.meaning for p in standards.programs for rule in p.rules}
    found = counts(checks, standards.programs)
    reasons = [{**row, "meaning": meanings[row["program"], row["rule"]]} for row in found["reasons"]]
    return {"programs": found["programs"], "best": by_answer, "reasons": reasons}


def _unknown_versions(asked: pl.DataFrame, standards: Standards, day: date) -> list[dict[str, Any]]:
    """Rules without a known version on some loans' own dates: program, rule, loans, nearest (the day it is from)."""
    dated = asked.select("note_date", case_date=pl.coalesce("application_date", "note_date"), as_of=pl.lit(day))
    rows = []
    for program in standards.programs:
        taken = dated.filter(asked["kind"].is_in(list(program.kinds)))
        for rule in program.rules:
            parameters = [standards.rulebook.parameters[name] for name in rule.parameters[:1]]
            for parameter in parameters:
                known = [v for v in parameter.values if dict(v.dims).get("program", program.name) == program.name]
                first = min((v.effective for v in known if not v.late), default=None)
                if first is None:
                    continue
                before = taken.filter(pl.col(date_column(parameter.basis)) < first).height
                if before:
                    rows.append({"program": program.name, "rule": rule.name, "loans": before, "nearest": first})
    return rows


def _premiums(asked: pl.DataFrame, standards: Standards, day: date) -> dict[str, dict[str, int]]:
    """What the government's guarantee costs by kind of loan, for loans whose tables answer: loans, upfront_cents (of
    the base loan) and first_year_cents (the annual rate on the base loan)."""
    rates = premiums(asked, day, standards.rulebook).drop_nulls(["upfront_rate_e7", "annual_rate_e7"])
    paid = rates.join(asked.select("loan_id", "kind", base=pl.col("note_amount_cents") - pl.col("financed_fee_cents")),
                      on="loan_id")  # fmt: skip
    of = {f"{name}_cents": ((pl.col("base") * pl.col(f"{rate}_rate_e7") + RATE_ONE // 2) // RATE_ONE).sum()
          for name, rate in (("upfront", "upfront"), ("first_year", "annual"))}  # fmt: skip
    rows = paid.group_by("kind").agg(pl.len().alias("loans"), **of).sort("kind")
    return {row.pop("kind"): row for row in rows.to_dicts()}


def _form(out: str | Path | None) -> str:
    form = Path(out).suffix.lower() if out is not None else FORMATS[0]
    if form not in FORMATS:
        raise Refused(f"{out}: findings are written as {', '.join(FORMATS)}: name the file so")
    if out is not None and not Path(out).parent.is_dir():
        raise Refused(f"{out}: there is no folder {Path(out).parent}")
    return form


def _write(rows: pl.DataFrame, out: Path, form: str) -> None:
    if form == ".csv":
        rows.write_csv(out)
    elif form == ".parquet":
        rows.write_parquet(out)
    else:
        rows.write_json(out)
