"""The fees of the government programs, looked up: HUD ML 2023-05, 38 USC 3729, 7 CFR 3555.107."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from standards_factory import loans

from poolhouse.rules import load
from poolhouse.standards.premiums import premiums

SMALL, LARGE = 72_620_000, 72_620_001
FHA, VA = {"kind": "fha"}, {"kind": "va"}


@pytest.mark.parametrize(
    ("loan", "upfront", "annual", "months"),
    [
        (FHA | {"term_months": 360, "note_amount_cents": SMALL, "ltv_e4": 9_000}, 175_000, 50_000, 132),
        (FHA | {"term_months": 360, "note_amount_cents": SMALL, "ltv_e4": 9_500}, 175_000, 50_000, 0),
        (FHA | {"term_months": 360, "note_amount_cents": SMALL, "ltv_e4": 9_501}, 175_000, 55_000, 0),
        (FHA | {"term_months": 360, "note_amount_cents": LARGE, "ltv_e4": 9_000}, 175_000, 70_000, 132),
        (FHA | {"term_months": 360, "note_amount_cents": LARGE, "ltv_e4": 9_501}, 175_000, 75_000, 0),
        (FHA | {"term_months": 180, "note_amount_cents": SMALL, "ltv_e4": 9_000}, 175_000, 15_000, 132),
        (FHA | {"term_months": 180, "note_amount_cents": SMALL, "ltv_e4": 9_001}, 175_000, 40_000, 0),
        (FHA | {"term_months": 180, "note_amount_cents": LARGE, "ltv_e4": 7_800}, 175_000, 15_000, 132),
        (FHA | {"term_months": 180, "note_amount_cents": LARGE, "ltv_e4": 7_801}, 175_000, 40_000, 132),
        (FHA | {"term_months": 180, "note_amount_cents": LARGE, "ltv_e4": 9_001}, 175_000, 65_000, 0),
        (VA | {"va_use": "first", "ltv_e4": 10_000}, 215_000, 0, 0),
        (VA | {"va_use": "later", "ltv_e4": 10_000}, 330_000, 0, 0),
        (VA | {"va_use": "later", "ltv_e4": 9_500}, 150_000, 0, 0),
        (VA | {"va_use": "first", "ltv_e4": 9_000}, 125_000, 0, 0),
        (VA | {"va_use": "first", "purpose": "cash_out", "ltv_e4": 9_000}, 215_000, 0, 0),
        (VA | {"va_use": "exempt", "ltv_e4": 10_000}, 0, 0, 0),
        (VA | {"va_use": "later", "purpose": "limited_cash_out", "streamline": True}, 50_000, 0, 0),
        (VA | {"va_use": ""}, None, 0, 0),
        ({"kind": "usda", "ltv_e4": 10_000}, 100_000, 35_000, 0),
        (FHA | {"imputed": ["closing_costs_assumed"]}, 175_000, None, None),
    ],
)
def test_the_table(loan: dict[str, Any], upfront: int | None, annual: int | None, months: int | None) -> None:
    rates = premiums(loans(loan), date(2026, 12, 1), load())
    assert rates.row(0) == (1, upfront, annual, months)


def test_the_funding_fee_of_an_earlier_closing_is_that_day_s() -> None:
    loan = VA | {"va_use": "first", "ltv_e4": 10_000}
    closed = ({"note_date": day} for day in (date(2019, 12, 31), date(2020, 1, 1), date(2023, 4, 7)))
    rates = premiums(loans(*(loan | one for one in closed)), date(2026, 12, 1), load())
    assert rates["upfront_rate_e7"].to_list() == [215_000, 230_000, 215_000]


def test_no_version_no_rate_and_no_rows_for_conventional_loans() -> None:
    rates = premiums(loans(FHA | {"note_date": date(2009, 3, 1)}, {}), date(2009, 6, 1), load())
    assert rates.rows() == [(1, 175_000, None, None)]
