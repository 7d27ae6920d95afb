"""Representations and warranties: when a lender is relieved of them by the loan's own payments.

After so many first instalments since the sale, few of them late and the last one on time, a lender answers
only for what outlives the relief (life-of-loan reasons). Source: Fannie Mae Selling Guide A2-3.2-02, A2-2-07.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from poolhouse.rules import Rulebook

IN_FORCE, NOT_YET, LOST, NONE = "in force", "not yet", "lost", "none"


def relief(months: pl.DataFrame, sold: pl.DataFrame, rulebook: Rulebook) -> pl.DataFrame:
    """loan_id, payments (instalments seen of those that count), late_30, late_60 and relief, a row per loan of `sold`.

    months: loan_id, month i32, missed (instalments unpaid at the month's end); later months may be there too.
    sold: loan_id, settlement_date. The instalments that count are those due in the months after the sale's.
    relief: in force | not yet | lost (too many were late, or the last one) | none (the sale's date knows no relief).
    """
    days = sold["settlement_date"].unique().sort().to_list()
    rules = [rulebook.get("repurchase.relief", day) for day in days]
    names = ("payments", "late_30", "late_60")
    terms = pl.DataFrame(
        {"settlement_date": days} | {f"most_{name}": [int(rule[name]) for rule in rules] for name in names},
        schema={"settlement_date": pl.Date} | {f"most_{name}": pl.Int64 for name in names},
    )
    loans = sold.select("loan_id", "settlement_date").join(terms, on="settlement_date", how="left")
    first = pl.col("settlement_date").dt.year() * 12 + pl.col("settlement_date").dt.month() - 1
    seen = months.join(loans, on="loan_id").with_columns(number=pl.col("month") - first)
    seen = seen.filter(pl.col("number").is_between(1, pl.col("most_payments")))
    last = (pl.col("number") == pl.col("most_payments")) & (pl.col("missed") > 0)
    counted = seen.group_by("loan_id").agg(
        payments=pl.len().cast(pl.Int64), late_30=(pl.col("missed") == 1).sum().cast(pl.Int64),
        late_60=(pl.col("missed") > 1).sum().cast(pl.Int64), late_last=last.any(),
    )  # fmt: skip
    both = loans.join(counted, on="loan_id", how="left").with_columns(
        pl.col("payments", "late_30", "late_60").fill_null(0), pl.col("late_last").fill_null(False)
    )
    bad = (pl.col("late_30") > pl.col("most_late_30")) | (pl.col("late_60") > pl.col("most_late_60"))
    state = (
        pl.when(pl.col("most_payments") == 0).then(pl.lit(NONE))
        .when(bad | pl.col("late_last")).then(pl.lit(LOST))
        .when(pl.col("payments") < pl.col("most_payments")).then(pl.lit(NOT_YET))
        .otherwise(pl.lit(IN_FORCE))
    )  # fmt: skip
    return both.select("loan_id", "payments", "late_30", "late_60", relief=state).sort("loan_id")


def life_of_loan(as_of: date, rulebook: Rulebook) -> dict[str, bool]:
    """Each reason for a demand, and whether it outlives the relief."""
    lives = rulebook.get("repurchase.life_of_loan_reasons", as_of)
    return {str(code): True for code in lives} | {
        str(code): False for code in rulebook.get("repurchase.reasons", as_of)
    }
