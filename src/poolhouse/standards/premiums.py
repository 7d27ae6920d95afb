"""What the government's guarantee costs the borrower: the fee at closing, and the premium a year.

Rates are looked up in the tables of `rules/`; a loan for which a table needs what the tape lacks has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import reduce
from operator import and_

import polars as pl

from poolhouse.rules import Rulebook, Value
from poolhouse.standards.facts import Facts, stretches
from poolhouse.standards.frame import prepare
from poolhouse.standards.written import matches

UPFRONT = "standards.upfront_fee"
ANNUAL = "premiums.annual_rate_e7"
MONTHS = "premiums.annual_months"
SCHEMA = {
    "loan_id": pl.Int32(),
    "upfront_rate_e7": pl.Int64(),
    "annual_rate_e7": pl.Int64(),
    "annual_months": pl.Int64(),
}


def premiums(loans: pl.DataFrame, as_of: date, rulebook: Rulebook) -> pl.DataFrame:
    """A row for each government loan, by loan_id: `upfront_rate_e7` of the base loan, `annual_rate_e7` of the year's
    average balance, `annual_months` for which that is due (0: for life). Null where the tape doesn't say what the table
    asks for, or no version of the table is known for the loan's date: never guessed."""
    ready = prepare(loans.filter(pl.col("kind") != "conventional"), as_of, rulebook)
    found = []
    for (cased, noted), part in stretches(ready, rulebook):
        facts = Facts(rulebook, as_of, cased, noted)
        tables = {name: facts.lines(name) for name in (UPFRONT, ANNUAL, MONTHS)}
        looked_up = {column: _lookup(lines) for column, lines in zip(list(SCHEMA)[1:], tables.values(), strict=True)}
        found.append(part.select("loan_id", **looked_up))
    return pl.concat([pl.DataFrame(schema=SCHEMA), *found]).sort("loan_id")


def _lookup(lines: Sequence[Value]) -> pl.Expr:
    """The last line that fits; null as soon as a later line might fit but for a gap."""
    number: pl.Expr = pl.lit(None, pl.Int64)
    for line in lines:
        if line.nearest:
            continue
        fits = reduce(and_, [matches(column, wanted) for column, wanted in line.dims], pl.lit(True))
        number = pl.when(fits).then(pl.lit(line.value, pl.Int64)).when(fits.is_null()).then(None).otherwise(number)
    return number
