"""8, Eligible: nobody bought a loan that its standards, asked again today, would refuse.

Each purchase is judged again under the book's edition, as of the delivery its stored answer was for;
`reevaluate` is `standards.evaluate`, and the stored answer must equal it, reason by reason.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import polars as pl

from poolhouse import standards
from poolhouse.promises.evidence import THREADS, Evidence
from poolhouse.promises.tally import Tally
from poolhouse.rules import Rulebook
from poolhouse.tables.codes import ANSWERS, ASSUMED, ELIGIBLE

Reevaluate = Callable[[pl.DataFrame, date, Rulebook], pl.DataFrame]

_ANSWER = ("answer", "reasons", "assumptions", "undetermined")


def eligible(evidence: Evidence, reevaluate: Reevaluate | None = None) -> Tally:
    """Facts per answer stored: it is what the standards say; and per purchase: there was one, and it was a yes."""
    tally, book = Tally(), evidence.book
    stored = book.scan("checks").collect().sort("loan_id", "program", "as_of")
    judge = reevaluate or standards.evaluate
    with ThreadPoolExecutor(THREADS) as pool:
        found = list(
            pool.map(lambda day: _again(evidence, stored, day, judge), stored["as_of"].unique().sort().to_list())
        )
    renamed = {c: f"{c}_now" for c in _ANSWER}
    again = pl.concat([stored.clear(), *found]).rename(renamed)
    facts = stored.join(again, on=["loan_id", "program", "as_of"], how="left", maintain_order="left").with_columns(
        stored=_words(pl.col("answer"), ANSWERS),
        now=_words(pl.col("answer_now"), ANSWERS),
    )
    tally.expect(
        facts,
        pl.all_horizontal(pl.col(c) == pl.col(f"{c}_now") for c in _ANSWER),
        evidence.say(
            "{loan_id:loan} for {program:program} as of {as_of}: expected {now} (fails {reasons_now:#x}, assumes "
            "{assumptions_now:#x}, "
            "unknown {undetermined_now:#x}), found stored {stored} ({reasons:#x}, {assumptions:#x}, {undetermined:#x})"
        ),
    )
    sales = book.scan("sales").select("loan_id", "program", "settlement_date").collect().sort("loan_id")
    used = facts.unique(["loan_id", "program"], keep="last", maintain_order=True)
    tally.expect(
        sales.join(used, on=["loan_id", "program"], how="left", maintain_order="left"),
        pl.col("answer_now").is_in([ELIGIBLE, ASSUMED]) & (pl.col("as_of") <= pl.col("settlement_date")),
        evidence.say(
            "{loan_id:loan} sold on {settlement_date} to {program:program}: expected a loan that is eligible, "
            "found {now} as of {as_of}"
        ),
    )
    return tally


def _words(code: pl.Expr, names: tuple[str, ...]) -> pl.Expr:
    return code.cast(pl.Int64).replace_strict(
        list(range(len(names))), list(names), default="none", return_dtype=pl.String
    )


def _again(evidence: Evidence, stored: pl.DataFrame, as_of: date, judge: Reevaluate) -> pl.DataFrame:
    """The answers of one delivery date, worked out anew for the loans that have any."""
    asked = stored.lazy().filter(pl.col("as_of") == as_of).select("loan_id").unique()
    loans = evidence.book.scan("loans").join(asked, on="loan_id", how="semi").collect()
    return judge(loans.sort("loan_id"), as_of, evidence.rulebook)
