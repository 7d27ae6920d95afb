"""8, Eligible: nobody bought a loan that its standards, asked again today, would refuse.

Each purchase is judged again under the book's edition, as of the delivery its stored answer was for;
`reevaluate` is `standards.evaluate`, and the stored answer must equal it, reason by reason.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import polars as pl

from poolhouse import standards
from poolhouse.promises.evidence import Evidence
from poolhouse.promises.tally import Tally
from poolhouse.rules import Rulebook
from poolhouse.tables.codes import ANSWERS, ASSUMED, ELIGIBLE, PROGRAMS

Reevaluate = Callable[[pl.DataFrame, date, Rulebook], pl.DataFrame]

_MASKS = ("reasons", "assumptions", "undetermined")


def eligible(evidence: Evidence, reevaluate: Reevaluate | None = None) -> Tally:
    """Facts per purchase: an answer was there, it is what the standards say, and it is a yes."""
    tally, book = Tally(), evidence.book
    sales = book.scan("sales").select("loan_id", "program", "settlement_date").collect()
    checks = (
        book.scan("checks").collect().join(sales, on=["loan_id", "program"], how="semi")
        .sort("loan_id", "program", "as_of").unique(["loan_id", "program"], keep="last", maintain_order=True)
    )  # fmt: skip
    facts = sales.join(checks, on=["loan_id", "program"], how="left").sort("loan_id")
    again = pl.concat(
        [_again(evidence, part, reevaluate or standards.evaluate) for part in facts.partition_by("as_of")] or [checks]
    )
    renamed = again.select("loan_id", "program", *[pl.col(c).alias(f"{c}_now") for c in ("answer", *_MASKS)])
    facts = facts.join(renamed, on=["loan_id", "program"], how="left").sort("loan_id")
    tally.expect(
        facts, pl.col("as_of") <= pl.col("settlement_date"),
        lambda r: f"{evidence.loan(r['loan_id'])} sold to {PROGRAMS[r['program']]}: checked as of {r['as_of']}; expected an answer by "
        f"its settlement on {r['settlement_date']}",
    )  # fmt: skip
    same = pl.all_horizontal(pl.col(c) == pl.col(f"{c}_now") for c in ("answer", *_MASKS))
    tally.expect(
        facts, same,
        lambda r: f"{evidence.loan(r['loan_id'])} sold to {PROGRAMS[r['program']]}: stored answer {_words(r, '')}; expected "
        f"{_words(r, '_now')} as of {r['as_of']}",
    )  # fmt: skip
    tally.expect(
        facts, pl.col("answer_now").is_in([ELIGIBLE, ASSUMED]),
        lambda r: f"{evidence.loan(r['loan_id'])} was sold to {PROGRAMS[r['program']]}; expected a loan that is eligible, found "
        f"{_words(r, '_now')}",
    )  # fmt: skip
    return tally


def _again(evidence: Evidence, facts: pl.DataFrame, reevaluate: Reevaluate) -> pl.DataFrame:
    """The answers of one delivery date, worked out anew for the loans sold."""
    as_of = facts["as_of"][0]
    loans = evidence.book.scan("loans").join(facts.lazy().select("loan_id"), on="loan_id", how="semi").collect()
    if as_of is None or not loans.height:
        return reevaluate(loans.clear(), evidence.clock, evidence.rulebook)
    return reevaluate(loans.sort("loan_id"), as_of, evidence.rulebook)


def _words(row: dict[str, int | None], suffix: str) -> str:
    answer = row[f"answer{suffix}"]
    if answer is None:
        return "none"
    masks = ", ".join(f"{m} {row[f'{m}{suffix}']:#x}" for m in _MASKS if row[f"{m}{suffix}"])
    return ANSWERS[answer] + (f" ({masks})" if masks else "")
