"""Why nobody bought a loan: one row per loan offered and not sold, with the reason that came nearest."""

from __future__ import annotations

import polars as pl

from poolhouse.sale.outlets import NO_COUPON, NO_PRICE, NOT_APPROVED
from poolhouse.tables import REFUSALS
from poolhouse.tables.codes import ASSUMED, NO_PROGRAM, PROGRAMS, UNDETERMINED

_OFFER_REASONS = {
    NOT_APPROVED: "lender not approved by {program}",
    NO_COUPON: "no permitted coupon of {program} for its note rate: the spread breaks the servicing or buy-up limit",
    NO_PRICE: "no price on the sheet of {program} for its coupon and term",
}


def refusals(
    candidates: pl.DataFrame, checks: pl.DataFrame, offered: pl.DataFrame, sold: pl.DataFrame, barred: pl.Series,
    kept_out: pl.Series,
) -> pl.DataFrame:  # fmt: skip
    """REFUSALS of the candidates that `sold` lacks. barred: lenders; kept_out: loans outside their lender's overlay.

    A loan that qualified somewhere is told how far its best offer got (program: that one); one that
    qualified nowhere, whether a missing field or a rule stood in the way (program 0: all).
    """
    left = candidates.select("loan_id", "seller_id", "current").join(sold, on="loan_id", how="anti")
    nearest = (
        offered.sort("loan_id", "stage", "program", descending=[False, True, False])
        .unique("loan_id", keep="first", maintain_order=True)
        .select("loan_id", "program", "stage")
    )
    answers = (
        checks.filter(pl.col("answer") > ASSUMED)
        .join(left, on="loan_id", how="semi")
        .group_by("loan_id")
        .agg(
            pl.col("answer").min().alias("answer"),
            pl.col("program").filter(pl.col("answer") == UNDETERMINED).sort().alias("open_programs"),
        )
    )
    frame = left.join(nearest, on="loan_id", how="left").join(answers, on="loan_id", how="left")
    reason = (
        pl.when(pl.col("seller_id").is_in(barred.implode()))
        .then(pl.lit("lender stopped: suspended or terminated, see its scorecard"))
        .when(pl.col("loan_id").is_in(kept_out.implode()))
        .then(pl.lit("lender under overlay: the score or loan-to-value is outside what it may still sell"))
        .when(~pl.col("current"))
        .then(pl.lit("not current: an instalment is past due"))
        .when(pl.col("stage").is_not_null())
        .then(_offer_reason())
        .when(pl.col("answer") == UNDETERMINED)
        .then(pl.lit("undetermined: a field is missing, for ") + _names(pl.col("open_programs")))
        .when(pl.col("answer").is_not_null())
        .then(pl.lit("not eligible under any program"))
        .otherwise(pl.lit("not checked"))
    )
    limited = pl.col("seller_id").is_in(barred.implode()) | pl.col("loan_id").is_in(kept_out.implode())
    free = ~limited & pl.col("current")
    return REFUSALS.conform(
        frame.select(
            "loan_id",
            pl.col("seller_id").alias("lender_id"),
            pl.when(free).then(pl.col("program").fill_null(NO_PROGRAM)).otherwise(NO_PROGRAM).cast(pl.Int8).alias("program"),
            reason.alias("reason"),
        )
    )  # fmt: skip


def _offer_reason() -> pl.Expr:
    names = pl.col("program").replace_strict(dict(enumerate(PROGRAMS)), default="", return_dtype=pl.String)
    chosen = pl.lit("")
    for stage, text in _OFFER_REASONS.items():
        before, _, after = text.partition("{program}")
        chosen = pl.when(pl.col("stage") == stage).then(pl.lit(before) + names + pl.lit(after)).otherwise(chosen)
    return chosen


def _names(programs: pl.Expr) -> pl.Expr:
    """A list of program codes as words: 'fnma, fhlmc'."""
    words = dict(enumerate(PROGRAMS))
    return programs.list.eval(
        pl.element().replace_strict(words, default="", return_dtype=pl.String)
    ).list.join(", ")  # fmt: skip
