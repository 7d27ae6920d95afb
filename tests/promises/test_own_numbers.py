"""The numbers that promises work out for themselves, against hand-made ones and the package's own way."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import polars as pl
import pytest

from poolhouse.money import level_payment, monthly_interest
from poolhouse.promises.evidence import Evidence, cents_of
from poolhouse.promises.factored import bound, factor_of
from poolhouse.promises.held import half_up
from poolhouse.promises.owned import standing
from poolhouse.promises.terms import annuity, billed


def notes(rows: list[tuple[int, int, int]]) -> Evidence:
    loans = pl.DataFrame(
        {
            "loan_id": list(range(len(rows))),
            "note_amount_cents": [r[0] for r in rows],
            "note_rate_e7": [r[1] for r in rows],
            "term_months": [r[2] for r in rows],
            "first_due_date": [date(2009, 3, 1)] * len(rows),
        },
        schema_overrides={"loan_id": pl.Int32, "note_rate_e7": pl.Int32, "term_months": pl.Int16},
    )
    return cast(Evidence, SimpleNamespace(loans=loans))


def test_the_guides_loan_is_billed_1580_17_until_february_2039() -> None:
    row = billed(notes([(25_000_000, 650_000, 360)])).row(0, named=True)
    assert row["wanted_payment_cents"] == 158_017
    assert row["wanted_maturity"] == 2039 * 12 + 1


def test_instalments_equal_the_packages_on_every_kind_of_note() -> None:
    random = np.random.default_rng(7)
    rows: list[Any] = [
        (int(a), int(r) * 1_250, int(t))
        for a, r, t in zip(
            random.integers(1_000, 10**9, 500), random.integers(0, 960, 500), random.integers(1, 481, 500), strict=True
        )
    ]
    rows += [(101, 0, 2), (1_000_001, 0, 8), (12, 0, 24), (36, 0, 24)]  # half cents: only a fraction can tell
    found = billed(notes(rows))["wanted_payment_cents"].to_list()
    assert found == [level_payment(*row) for row in rows]
    assert found[-4:] == [51, 125_000, 1, 2]


def test_an_annuity_pays_its_note_off() -> None:
    rate, balance, payment = Fraction(600_000, 120_000_000), Fraction(1), annuity(600_000, 24)
    for _ in range(24):
        balance = balance * (1 + rate) - payment
    assert balance == 0


def test_interest_is_rounded_like_money() -> None:
    balances = np.array([0, 1, 99, 25_000_000, 10**10, 12_000])
    for rate in (0, 1, 50_000, 650_000, 999_999):
        assert cents_of(balances * rate).tolist() == monthly_interest(balances, rate).tolist()


@pytest.mark.parametrize(
    ("balance", "truncation", "face", "factor"),
    [(10_050, 50, 10_000, 10**8), (50, 50, 10_000, 0), (20, 50, 10_000, 0), (5_000, 0, 30_000, 16_666_667)],
)
def test_factors_leave_the_issues_truncation_out(balance: int, truncation: int, face: int, factor: int) -> None:
    assert factor_of(balance, truncation, face) == factor


def test_the_rounding_bound_is_the_designs() -> None:
    assert bound(2 * 10**8, 99, 3, 5) == 1 + 99 + 3 + Fraction(5, 2)


def test_half_up_of_large_numbers() -> None:
    assert [half_up(n, 10**30) for n in (5 * 10**29 - 1, 5 * 10**29, 15 * 10**29)] == [0, 1, 2]


def test_who_stands_where_on_a_day() -> None:
    days = [date(2009, 1, 5), date(2009, 1, 5), date(2009, 2, 1), date(2009, 1, 20)]
    rows = pl.DataFrame({"loan_id": [0, 1, 0, 1], "to_id": [7, 8, 9, 0], "effective_date": days})
    held = standing(rows)
    ids = np.array([0, 1, 2])
    assert held.on(date(2009, 1, 4), ids).tolist() == [0, 0, 0]
    assert held.on(date(2009, 1, 5), ids).tolist() == [7, 8, 0]
    assert held.on(date(2009, 1, 31), ids).tolist() == [7, 0, 0]
    assert held.on(date(2009, 2, 1), ids).tolist() == [9, 0, 0]
