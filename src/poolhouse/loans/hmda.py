"""The public HMDA register: which rows are loans, their numbers, and how each gap is filled.

Every filling is flagged on the loan and counted in a finding. Source: data/hmda.toml; what is invented
stands in rules/assumptions/loans.toml.
"""

from __future__ import annotations

import polars as pl

from poolhouse import chance
from poolhouse.loans.mapping import Layout
from poolhouse.loans.notes import Notes, count, drawn_days, flagged
from poolhouse.loans.parse import text
from poolhouse.rules import load

_NO_LOAN = r"^[234578]$"
"""Codes of action_taken that end without a loan."""


def prepare(work: pl.DataFrame, raw: pl.DataFrame, layout: Layout, notes: Notes) -> pl.DataFrame:
    """The rows that are loans, with a loan number: lender, year, hash of the fixed columns.

    Rounded rows can be equal: the second of equals, in the file's order, ends in -2.
    """
    names = [str(at) for at in layout.identity]
    cells = raw.select(pl.concat_str([pl.col(n).fill_null("").str.strip_chars() for n in names], separator="|"))
    hashed = pl.Series([f"{key:016x}" for key in chance.text_keys(cells.to_series()).tolist()], dtype=pl.String)
    bare = pl.format("{}-{}-{}", *(pl.col(text(n)).fill_null("?") for n in ("originator_id", "note_year")), hashed)
    work = work.with_columns(bare.alias("loan_number"))
    if "rate_type" in work.columns:  # months until the rate changes: then it does change
        changes = pl.col(text("rate_type")).str.contains(r"^\d+$")
        work = work.with_columns(pl.when(changes).then(pl.lit("arm")).alias("rate_type"))
    no_loan = pl.col(text("action")).str.contains(_NO_LOAN).fill_null(False)
    notes.add("set_aside", "action", count(work, no_loan), "no loan came of it (action_taken), set aside")
    work = work.filter(~no_loan)
    nth = pl.int_range(1, pl.len() + 1).over("loan_number")
    notes.add("equal_rows", "loan_number", count(work, nth > 1), "row equal to an earlier one, read as another loan")
    number = pl.when(nth > 1).then(pl.format("{}-{}", "loan_number", nth)).otherwise("loan_number")
    return work.with_columns(number.alias("loan_number")).with_columns(pl.col("loan_number").alias(text("loan_number")))


def convert(work: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """Canonical columns (as far as the layout has them) from the usable rows of the working frame."""
    work = work.with_columns(pl.lit(0, pl.Int64).alias("imputed_flags"))
    for step in (_rounded, _note_date, _ratios, _purpose, _property, _terms, _costs):
        work = step(work, notes)
    return work


def _or_null(work: pl.DataFrame, *names: str) -> pl.DataFrame:
    return work.with_columns(pl.lit(None, pl.String).alias(n) for n in names if n not in work.columns)


def _rounded(work: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """Amount and value are midpoints of $10,000, and there is no score: nothing to fill, but to be known."""
    notes.add("amount_rounded", "note_amount_cents", work.height, "amount and value are midpoints of $10,000")
    notes.add("score_unknown", "score", work.height, "no score", "warning")
    return work.with_columns(flagged(pl.lit(True), "other"))


def _note_date(work: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """Only the year is known: month and day are drawn per loan. A purchased loan may be older."""
    draw = chance.draws(0, chance.text_keys(work["loan_number"]), 0, "note-month")
    month = 1 + chance.below(draw, 12)
    bought = pl.col("action") == "purchased"
    notes.add("note_month", "note_date", work.height, "note month and day drawn: the tape has the year only")
    notes.add("note_year_of_purchase", "note_date", count(work, bought), "bought: the year is that of the purchase")
    date = pl.date(pl.col("note_year"), pl.lit(pl.Series(month)), pl.lit(pl.Series(drawn_days(work))))
    work = work.with_columns(date.alias("note_date"), flagged(pl.lit(True), "note_month"))
    return work.with_columns(flagged(pl.lit(True), "note_day"))


def _ratios(work: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """Debt ratio: whole percents as they are, of a range its top. Loan to value: that of all liens."""
    work = _or_null(work, "dti_band")
    tops = {dict(v.dims)["band"]: v.value for v in load().parameters["loans.hmda_dti_band"].values}
    stated = pl.col("dti_band")
    whole = stated.str.extract(r"^(\d{1,2})%?$").cast(pl.Int64, strict=False) * 100
    top = stated.replace_strict(tops, default=None, return_dtype=pl.Int64)
    unread = stated.is_not_null() & whole.is_null() & top.is_null() & ~stated.is_in(["NA", "Exempt"])
    none = whole.is_null() & top.is_null()
    first = (pl.col("lien_position") == 1) & pl.col("cltv_e4").is_not_null()
    notes.add("dti_band", "dti_e4", count(work, top.is_not_null()), "debt ratio is the top of its range")
    notes.add("dti_unknown", "dti_e4", count(work, none & ~unread), "no debt ratio", "warning")
    notes.add("dti_unread", "dti_e4", count(work, unread), "debt ratio is no known range, unknown", "warning")
    notes.add("ltv_from_cltv", "ltv_e4", count(work, first), "loan to value is that of all liens")
    return work.with_columns(
        pl.coalesce(whole, top).alias("dti_e4"), pl.when(first).then(pl.col("cltv_e4")).alias("ltv_e4")
    )


def _purpose(work: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """Home improvement and other purposes take cash out of the house."""
    other = pl.col("purpose_code").is_in(["2", "4"])
    notes.add("purpose_as_cash_out", "purpose", count(work, other), "improvement or other purpose, read as a cash-out")
    high_cost = pl.col("hoepa_code") == "subject" if "hoepa_code" in work.columns else pl.lit(False)
    notes.add("high_cost", "hoepa", count(work, high_cost), "high-cost loan (HOEPA), read as any other", "warning")
    return work


def _property(work: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """Manufactured homes and several units are known; a condo can't be told from a house."""
    work = _or_null(work, "construction")
    kind = (
        pl.when(pl.col("construction") == "manufactured").then(pl.lit("manufactured"))
        .when(pl.col("units") > 1).then(pl.lit("two_to_four")).otherwise(pl.lit("unknown"))
    )  # fmt: skip
    notes.add("property_type_unknown", "property_type", count(work, kind == "unknown"), "house or condo: not said")
    return work.with_columns(kind.alias("property_type"))


def _terms(work: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """How the note is repaid."""
    work = _or_null(work, "negative_code", "interest_only_code", "balloon_code")
    stated = [pl.col(n) for n in ("negative_code", "interest_only_code", "balloon_code")]
    kinds = ("negative", "interest_only", "balloon")
    repaid = pl.coalesce(pl.when(s == "yes").then(pl.lit(k)) for s, k in zip(stated, kinds, strict=True))
    full = pl.all_horizontal((s == "no").fill_null(False) for s in stated)
    return work.with_columns(pl.coalesce(repaid, pl.when(full).then(pl.lit("full"))).alias("amortization"))


def _costs(work: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """Costs to third parties are all loan costs less the lender's own charges."""
    for name in ("loan_costs_cents", "points_cents"):
        if name not in work.columns:
            work = work.with_columns(pl.lit(None, pl.Int64).alias(name))
    rest = pl.max_horizontal(pl.col("loan_costs_cents") - pl.col("points_cents"), 0)
    both = pl.col("loan_costs_cents").is_not_null() & pl.col("points_cents").is_not_null()
    return work.with_columns(pl.when(both).then(rest).alias("closing_costs_cents"))
