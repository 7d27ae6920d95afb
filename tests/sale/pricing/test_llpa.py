"""Loan-level price adjustments: bands, attributes, waivers, what isn't known. Source: Fannie Mae LLPA matrix
01/28/2026 and Freddie Mac Exhibit 19 (07/01/2026), whose base grids are the same."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from poolhouse.sale.pricing import llpa
from sale.pricing.pricing_kit import BOOK, DAY, loan, offer, priced

NOT_KNOWN = {"minimum_mi": None, "freddie_alternate": False}


def points(day: date = DAY, **changes: str) -> dict[str, int]:
    """Charges in points x 1000, those that are not zero."""
    found = llpa.charges(loan(changes), day, BOOK, NOT_KNOWN)
    assert found.priced[0]
    assert found.total[0] == sum(int(part[0]) for part in found.parts.values())
    return {name: int(part[0]) // 1_000 for name, part in found.parts.items() if part[0]}


@pytest.mark.parametrize(
    ("purpose", "ltv", "score", "expected"),
    [
        ("purchase", 3_000, 600, 0), ("purchase", 3_001, 600, 125), ("purchase", 6_000, 639, 125),
        ("purchase", 6_001, 639, 1_500), ("purchase", 6_001, 640, 1_125), ("purchase", 9_500, 700, 1_125),
        ("purchase", 9_501, 700, 875), ("limited_cash_out", 8_000, 700, 1_875),
        ("limited_cash_out", 8_500, 650, 3_375), ("cash_out", 3_000, 800, 375), ("cash_out", 7_501, 660, 4_750),
        ("cash_out", 6_001, 639, 3_375),
    ],
)  # fmt: skip
def test_the_grid_by_purpose_score_and_ltv(purpose: str, ltv: int, score: int, expected: int) -> None:
    mi = {"mi_pct": "35"} if ltv > 8_000 else {}
    found = points(purpose=purpose, ltv_e4=str(ltv), score=str(score), **mi)
    assert found.get("grid", 0) == expected
    assert set(found) <= {"grid"}


def test_a_short_term_skips_the_grid_and_the_condominium() -> None:
    assert points(term_months="180") == {}
    assert points(term_months="181") == {"grid": 875}
    assert points(term_months="180", property_type="condo") == {}
    assert points(property_type="condo") == {"grid": 875, "condo": 750}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"occupancy": "investment"}, {"investment": 3_375}),
        ({"occupancy": "second_home", "ltv_e4": "7000"}, {"grid": 125, "second_home": 1_625}),
        ({"property_type": "manufactured"}, {"manufactured": 500}),
        ({"units": "2", "property_type": "two_to_four", "ltv_e4": "7500"}, {"grid": 375, "two_to_four": 375}),
        ({"cltv_e4": "9001"}, {"subordinate": 1_875}),
        ({"cltv_e4": "8000"}, {}),
        ({"note_amount_cents": "83275001"}, {"high_balance": 1_000}),
        ({"note_amount_cents": "83275000"}, {}),
        ({"note_amount_cents": "83275001", "state": "HI"}, {}),
        ({"note_amount_cents": "83275001", "purpose": "cash_out"}, {"grid": 2_375, "high_balance": 1_750}),
    ],
)
def test_attributes_add_up(changes: dict[str, str], expected: dict[str, int]) -> None:
    assert points(**changes) == {"grid": 875} | expected


def test_waivers() -> None:
    assert points(affordable="homeready") == {"grid": 875, "waived": -875}
    assert points(affordable="home_possible", property_type="condo") == {"grid": 875, "condo": 750, "waived": -1_625}
    assert "waived" not in points(affordable="hfa")
    first = {"first_time_buyer": "true"}
    assert points(**first, ami_ratio_e4="10000") == {"grid": 875, "waived": -875}
    assert points(**first, ami_ratio_e4="10001") == {"grid": 875}
    assert points(**first) == {"grid": 875}
    assert points(**first, ami_ratio_e4="9000", occupancy="investment") == {"grid": 875, "investment": 3_375}
    assert points(ami_ratio_e4="9000") == {"grid": 875}


def test_a_high_cost_county_allows_a_higher_income() -> None:
    in_2025 = {"first_time_buyer": "true", "ami_ratio_e4": "12000", "state": "CA", "note_date": "2025-06-02"}
    day = date(2025, 6, 2)
    assert "waived" in points(day, **in_2025, county_fips="06075")  # San Francisco
    assert "waived" not in points(day, **in_2025, county_fips="06019")  # Fresno: at the baseline
    assert "waived" not in points(day, **{**in_2025, "ami_ratio_e4": "12001"}, county_fips="06075")


def test_the_minimum_insurance_option_is_not_guessed() -> None:
    low = {"ltv_e4": "9000", "mi_pct": "12"}  # the standard is 25%
    answer = priced(low)
    assert {o["execution"] for o in answer["offers"]} == {"conduit", "hold"}
    assert "minimum mortgage insurance option is not known" in answer["unpriced"][0]
    told = priced(low, what_if=["llpa.minimum_mi=0.375"])
    labels = {line["label"]: line["points_e6"] for line in offer(told, "fnma", "swap", 600_000)["lines"]}
    assert labels["adjustment: minimum mortgage insurance"] == -375_000
    assert points(ltv_e4="9000", mi_pct="25") == {"grid": 750}


@pytest.mark.parametrize(
    ("affordable", "ltv", "term", "standard"),
    [
        ("", "9700", "360", 35), ("", "9500", "240", 25), ("homeready", "9700", "360", 25),
        ("home_possible", "9500", "360", 25), ("homeready", "8500", "240", 6), ("hfa", "9700", "360", 18),
        ("hfa", "9500", "360", 16), ("hfa", "9000", "360", 12),
    ],
)  # fmt: skip
def test_affordable_programs_have_a_lower_standard_coverage(
    affordable: str, ltv: str, term: str, standard: int
) -> None:
    """Source: Fannie Mae Selling Guide B7-1-02."""
    facts = {"affordable": affordable, "ltv_e4": ltv, "term_months": term}
    for coverage, known in ((standard, True), (standard - 1, False)):
        found = llpa.charges(loan(facts | {"mi_pct": str(coverage)}), DAY, BOOK, NOT_KNOWN)
        assert found.priced[0] == known and found.minimum_mi[0] != known


def test_government_loans_have_no_minimum_option() -> None:
    assert not llpa.charges(loan({"kind": "fha", "ltv_e4": "9650"}), DAY, BOOK, NOT_KNOWN).minimum_mi[0]


def test_no_score_takes_the_lowest_row_and_no_ltv_no_price() -> None:
    assert points(score="") == {"grid": 2_750}
    found = llpa.charges(loan({"ltv_e4": ""}), DAY, BOOK, NOT_KNOWN)
    assert not found.priced[0]
    cash_out = {"purpose": "cash_out", "ltv_e4": "7500"}
    for beyond in ({"ltv_e4": "8001", "mi_pct": "12"}, {"cltv_e4": "8001"}):
        assert not llpa.charges(loan(cash_out | beyond), DAY, BOOK, NOT_KNOWN).priced[0]
    assert points(**cash_out, cltv_e4="8000") == {"grid": 1_625, "subordinate": 1_125}
    assert points(ltv_e4="7500", cltv_e4="10500") == {"grid": 375, "subordinate": 1_875}


def test_an_older_day_says_that_its_matrix_is_not_known() -> None:
    assert "not known for 2009-06-01, the nearest" in llpa.citation(date(2009, 6, 1), BOOK)
    assert "nearest" not in llpa.citation(DAY, BOOK)


def test_freddies_alternate_is_charged_when_asked_for() -> None:
    def labels(answer: dict[str, Any], program: str) -> set[str]:
        return {line["label"] for line in offer(answer, program, "swap", 600_000)["lines"]}

    asked = priced(what_if=["llpa.freddie_alternate=true"])
    assert "adjustment: Freddie Mac alternate" in labels(asked, "fhlmc")
    assert "adjustment: Freddie Mac alternate" not in labels(asked, "fnma")
    assert "adjustment: Freddie Mac alternate" not in labels(priced(), "fhlmc")
