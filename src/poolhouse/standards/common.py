"""Rules that every program applies: kind of loan, first lien, fixed rate, term, why it was refinanced."""

from __future__ import annotations

import polars as pl

from poolhouse.standards.facts import NO, Facts
from poolhouse.standards.frame import GOVERNMENT, flagged
from poolhouse.standards.verdict import Limit, Verdict
from poolhouse.standards.words import text
from poolhouse.tables.codes import GNMA

LAW = {
    GNMA: "12 USC 1721(g): loans insured or guaranteed by FHA, VA or USDA",
}
"""Who may buy which kind of loan, by law; any other program here takes conventional loans."""


def kind_taken(program: int) -> pl.Expr:
    """Whether the program takes this kind of loan at all."""
    return pl.col("kind").is_in(GOVERNMENT) if program == GNMA else pl.col("kind") == "conventional"


def loan_type(facts: Facts, program: int) -> Verdict:
    """Ginnie Mae pools hold government loans only; the others here take conventional loans only."""
    return Verdict(
        fails=~kind_taken(program),
        limit=Limit(
            pl.lit("fha, va or usda" if program == GNMA else "conventional"),
            pl.lit(LAW.get(program, "this rulebook: government loans go to Ginnie Mae issuers")),
        ),
        value=pl.col("kind"),
    )


def first_lien(facts: Facts, program: int) -> Verdict:
    """First liens only. A tape without the lien's position is read as first lien, and says so."""
    return Verdict(
        fails=NO,
        limit=Limit(pl.lit("first lien"), pl.lit("Fannie Mae Selling Guide B2-1.2; Ginnie Mae MBS Guide ch. 9")),
        value=pl.lit("not given"),
        assumptions={"first lien": flagged("lien_assumed_first")},
    )


def amortising_fixed(facts: Facts, program: int) -> Verdict:
    """Fixed rate, fully amortising: the only kind that the market here can service."""
    return Verdict(
        fails=pl.col("rate_type") != "fixed",
        limit=Limit(pl.lit("fixed"), pl.lit("this rulebook: adjustable rates are not serviced yet")),
        value=pl.col("rate_type"),
    )


def term(facts: Facts, program: int) -> Verdict:
    """Original term at most that of the program."""
    longest = facts.value("max_term_months")
    return Verdict(
        fails=pl.col("term_months") > longest.value,
        value=text(pl.col("term_months"), ""),
        limit=Limit.of(longest, ""),
    )


def refinance_purpose(facts: Facts, program: int) -> Verdict:
    """A refinance whose cash-out is not on the tape is judged as limited cash-out, and says so."""
    return Verdict(
        fails=NO,
        limit=Limit(pl.lit("purchase, limited_cash_out or cash_out"), pl.lit("Fannie Mae Selling Guide B2-1.3-02")),
        value=pl.lit("refinance"),
        assumptions={"limited cash-out": flagged("limited_cash_out_assumed")},
    )
