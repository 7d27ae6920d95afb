"""Rules that every program applies: kind of loan, first lien, fixed rate, why it was refinanced."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from poolhouse.standards.facts import NO, Facts
from poolhouse.standards.frame import GOVERNMENT, filled, flagged
from poolhouse.standards.verdict import Limit, Verdict
from poolhouse.standards.words import text
from poolhouse.tables.codes import GNMA

LAW = {
    GNMA: "12 USC 1721(g): loans insured or guaranteed by FHA, VA or USDA",
}
"""Who may buy which kind of loan, by law; the other built-in programs take conventional loans."""


KIND_BIT = 0
"""The bit of every program's first rule: whether it takes the loan's kind at all."""


def kinds_of(kinds: tuple[str, ...], name: str) -> Callable[[Facts, int], Verdict]:
    """The check of a user's own program that takes these kinds."""
    return lambda facts, program: Verdict(
        fails=~pl.any_horizontal(pl.col("kind") == kind for kind in kinds),
        limit=Limit(lambda: pl.lit(" or ".join(kinds)), lambda: pl.lit(f"the program {name}")),
        value=lambda: pl.col("kind").cast(pl.String),
        cure=_elsewhere,
    )


def _elsewhere() -> pl.Expr:
    return pl.format("none: offer it to a program for {} loans", pl.col("kind").cast(pl.String))


def loan_type(facts: Facts, program: int) -> Verdict:
    """Ginnie Mae pools hold government loans only; the others here take conventional loans only."""
    return Verdict(
        fails=~pl.col("kind").is_in(GOVERNMENT) if program == GNMA else pl.col("kind") != "conventional",
        limit=Limit(
            lambda: pl.lit("fha, va or usda" if program == GNMA else "conventional"),
            lambda: pl.lit(LAW.get(program, "this rulebook: government loans go to Ginnie Mae issuers")),
        ),
        value=lambda: pl.col("kind").cast(pl.String),
        cure=_elsewhere,
    )


def first_lien(facts: Facts, program: int) -> Verdict:
    """First liens only. A tape without the lien's position is read as first lien, and says so."""
    position = pl.col("lien_position")
    return Verdict(
        fails=position > 1,
        limit=Limit(
            lambda: pl.lit("first lien"), lambda: pl.lit("Fannie Mae Selling Guide B2-1.2; Ginnie Mae MBS Guide ch. 9")
        ),
        value=lambda: text(position, ""),
        cure=lambda: pl.lit("only as a first lien"),
        assumptions={"first lien": flagged("lien_assumed_first") & position.is_null()},
    )


def amortising_fixed(facts: Facts, program: int) -> Verdict:
    """A fixed rate: the only kind that the market here can service."""
    return Verdict(
        fails=pl.col("rate_type") != "fixed",
        limit=Limit(lambda: pl.lit("fixed"), lambda: pl.lit("this rulebook: adjustable rates are not serviced yet")),
        value=lambda: pl.col("rate_type").cast(pl.String),
        cure=lambda: pl.lit("only with a fixed rate"),
    )


_FILLED = {
    "limited_cash_out_assumed": "limited cash-out",
    "purpose_assumed": "a purchase",
    "occupancy_assumed": "the borrower's own home",
    "units_assumed": "one unit",
}
"""What the reader filled in where the tape doesn't say, and the limits turn on it."""


def refinance_purpose(facts: Facts, program: int) -> Verdict:
    """A refinance whose cash-out is not on the tape is judged as limited cash-out, and says so; so does a loan whose
    purpose, occupancy or units are not on it."""
    return Verdict(
        fails=NO,
        limit=Limit(
            lambda: pl.lit("purchase, limited_cash_out or cash_out"),
            lambda: pl.lit("Fannie Mae Selling Guide B2-1.3-02"),
        ),
        value=lambda: pl.col("purpose").cast(pl.String),
        assumptions={said: flagged(name) for name, said in _FILLED.items() if filled(name) in facts.gaps},
    )
