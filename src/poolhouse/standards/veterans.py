"""VA's own tests: what is left of a partial entitlement, and the income left after all payments."""

from __future__ import annotations

import polars as pl

from poolhouse.standards import cures
from poolhouse.standards.facts import NO, Facts, cite
from poolhouse.standards.verdict import Limit, Verdict
from poolhouse.standards.words import text

IS_VA = pl.col("kind") == "va"
AMOUNT, VALUE, LEFT = pl.col("note_amount_cents"), pl.col("value_cents"), pl.col("va_entitlement_cents")
RESIDUAL, PERSONS = pl.col("residual_income_cents"), pl.col("household_size")
_WHOLE = 10_000
_ADULTS = 1
"""A household of unknown size is at least the borrowers themselves."""


def entitlement(facts: Facts, program: int) -> Verdict:
    """Partial entitlement: guaranty plus what the borrower has in the home cover a quarter of the value. Full
    entitlement (none stated) has no limit."""
    share = facts.value("va_covered_e4")
    fee = pl.col("financed_fee_cents")
    base = AMOUNT - fee
    guaranty = pl.min_horizontal(LEFT, base * share.value // _WHOLE)
    needed = VALUE * share.value // _WHOLE
    cover = guaranty + pl.max_horizontal(VALUE - base, pl.lit(0))
    return Verdict(
        applies=IS_VA & LEFT.is_not_null(),
        fails=cover < needed,
        undetermined=VALUE.is_null(),
        value=lambda: text(cover, "cents"),
        limit=Limit.of(share, "e4").shown_as(lambda: text(needed, "cents")),
        cure=lambda: pl.format("{} more of down payment", cures.whole_dollars(needed - LEFT - (VALUE - base))),
        lacks=lambda: pl.lit("value_cents"),
    )


def residual_income(facts: Facts, program: int) -> Verdict:
    """Income left each month after debts, taxes and housing: at least the table's by region, household and loan, a
    fifth more where the debt ratio is above the review ratio. Not on the tape: assumed enough."""
    table = _table(facts)
    review, more = facts.value("government_review_dti_e4", kind="va"), facts.value("va_residual_more_e4")
    raised = (pl.col("dti_e4") > review.value).fill_null(False)
    listed, needed = pl.col("va_residual:table"), pl.col("va_residual:needed")
    more_of_it = (listed * (_WHOLE + more.value) + _WHOLE - 1) // _WHOLE
    cited = facts.value("va_residual_cents", region="northeast", loan="large")
    return Verdict(
        applies=IS_VA & ~pl.col("streamline"),
        fails=needed > RESIDUAL,
        undetermined=RESIDUAL.is_not_null() & needed.is_null(),
        assumptions={
            "residual income": RESIDUAL.is_null(),
            "a household of the borrowers alone": RESIDUAL.is_not_null() & PERSONS.is_null(),
        },
        value=lambda: text(RESIDUAL, "cents"),
        limit=Limit(lambda: text(needed, "cents"), lambda: pl.lit(cite(cited)), pl.lit(True) if cited.nearest else NO),
        cure=lambda: pl.format("{} more of residual income a month", cures.whole_dollars(needed - RESIDUAL)),
        lacks=lambda: pl.lit("state"),
        lets=({"va_residual:table": table}, {"va_residual:needed": pl.when(raised).then(more_of_it).otherwise(listed)}),
    )


def _table(facts: Facts) -> pl.Expr:
    """The table's amount, cents; null where the state has no region."""
    from_amount = facts.value("va_residual_large_loan_cents").value
    persons = PERSONS.cast(pl.Int64).fill_null(pl.col("borrowers").cast(pl.Int64)).clip(_ADULTS)
    cases = []
    for region, states in facts.value("va_regions").value.items():
        large, small = (
            _amount(facts, persons, facts.value("va_residual_cents", region=region, loan=loan).value, loan)
            for loan in ("large", "small")
        )
        amount = pl.when(from_amount <= AMOUNT).then(large).otherwise(small)
        cases.append(pl.when(pl.col("state").is_in(states)).then(amount))
    return pl.coalesce(cases)


def _amount(facts: Facts, persons: pl.Expr, listed: list[int], loan: str) -> pl.Expr:
    """Listed for 1 to 5 persons; then an amount for each more, up to seven."""
    each, most = (
        facts.value("va_residual_each_more_cents", loan=loan).value,
        facts.value("va_residual_most_persons").value,
    )
    cases = [pl.when(persons == size).then(pl.lit(amount)) for size, amount in enumerate(listed, start=1)]
    beyond = pl.min_horizontal(persons, pl.lit(most)) - len(listed)
    return pl.coalesce(*cases, pl.lit(listed[-1]) + beyond * each)
