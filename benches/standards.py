"""How fast the check judges rules: evaluations a second over the real tape, for every outlet.

`check` is called by whoever prints the figures; `python -m benches.standards` prints them alone.
"""

from __future__ import annotations

import json
import os
import time
from datetime import date
from typing import Any

import polars as pl

from poolhouse.loans import demo_tape, read_tape
from poolhouse.loans.closing import as_loans
from poolhouse.market.standards import OUTLETS
from poolhouse.rules import load
from poolhouse.standards import evaluate, explain, program
from poolhouse.standards.evaluation import evaluations

DELIVERED = date(2009, 12, 15)
REPEAT = 7


def check(times: int = 1, repeat: int = REPEAT) -> dict[str, Any]:
    """The real tape `times` over, judged `repeat` times by all outlets; the quickest counts.

    Keys: loans, evaluations, seconds, processor_seconds, million_a_second, explained (rows of words for every failure
    and every unknown, of one tape), explain_seconds, load (others' work: on a busy machine read processor_seconds)."""
    tape = as_loans(read_tape(demo_tape()).tape)
    asked = pl.concat([tape] * times).with_columns(loan_id=pl.int_range(tape.height * times, dtype=pl.Int32))
    rulebook, judged = load(), tuple(program(code) for code in OUTLETS)
    walls, processor = [], []
    for _ in range(repeat):
        wall, cpu = time.perf_counter(), time.process_time()
        checks = evaluate(asked, DELIVERED, rulebook, judged)
        walls.append(time.perf_counter() - wall)
        processor.append(time.process_time() - cpu)
    count = evaluations(asked, judged)
    began = time.perf_counter()
    of_one = checks.filter(pl.col("loan_id") < tape.height, (pl.col("reasons") | pl.col("undetermined")) != 0)
    said = explain(of_one.with_columns(assumptions=pl.lit(0, pl.Int64)), tape, rulebook, judged)
    return {
        "loans": asked.height,
        "evaluations": count,
        "seconds": round(min(walls), 4),
        "processor_seconds": round(min(processor), 4),
        "million_a_second": round(count / min(walls) / 1e6, 1),
        "explained": said.height,
        "explain_seconds": round(time.perf_counter() - began, 3),
        "load": round(os.getloadavg()[0], 1),
    }


if __name__ == "__main__":
    for over in (1, 10):
        print(json.dumps(check(over)))
