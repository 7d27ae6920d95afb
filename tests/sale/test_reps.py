"""Relief from representations and warranties: 36 clean payments since the sale, by the rule of the day it was sold."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from poolhouse import rules, sale
from poolhouse.dates import parse_month

BOOK = rules.load()
SALE = parse_month("2015-03")


def relieved(missed: list[int], sold: date = date(2015, 3, 12)) -> tuple[int, str]:
    """A loan's months after its sale, each with so many instalments unpaid at its end: (payments seen, relief)."""
    start = sold.year * 12 + sold.month  # the month after the sale
    months = pl.DataFrame(
        {"loan_id": 7, "month": range(start - 1, start + len(missed)), "missed": [0, *missed]},
        schema={"loan_id": pl.Int32, "month": pl.Int32, "missed": pl.Int64},
    )
    loans = pl.DataFrame({"loan_id": [7], "settlement_date": [sold]}, schema_overrides={"loan_id": pl.Int32})
    row = sale.relief(months, loans, BOOK).row(0, named=True)
    return row["payments"], row["relief"]


@pytest.mark.parametrize(
    ("late", "state"),
    [
        ({}, "in force"),
        ({5: 1, 20: 1}, "in force"),  # two of thirty-six may be 30 days late
        ({5: 1, 20: 1, 30: 1}, "lost"),
        ({5: 2}, "lost"),  # one 60 days late is too many
        ({36: 1}, "lost"),  # the 36th must be on time
        ({35: 1}, "in force"),
    ],
)
def test_thirty_six_payments_of_a_sale_since_july_2014(late: dict[int, int], state: str) -> None:
    """Source: Fannie Mae Selling Guide A2-3.2-02."""
    assert relieved([late.get(n, 0) for n in range(1, 37)]) == (36, state)


def test_what_comes_after_the_thirty_sixth_changes_nothing() -> None:
    assert relieved([0] * 36 + [1, 2, 3]) == (36, "in force")


def test_thirty_five_are_not_enough() -> None:
    assert relieved([0] * 35) == (35, "not yet")


def test_earlier_sales_have_earlier_rules() -> None:
    assert relieved([0] * 36, date(2013, 5, 10)) == (36, "in force")
    assert relieved([0, 1] + [0] * 34, date(2013, 5, 10))[1] == "lost"
    assert relieved([0] * 40, date(2009, 5, 10)) == (0, "none")


def test_life_of_loan_reasons_outlive_the_relief() -> None:
    reasons = sale.life_of_loan(date(2026, 1, 1), BOOK)
    assert reasons["misstatement"] and reasons["clear_title"] and not reasons["early_default"]
