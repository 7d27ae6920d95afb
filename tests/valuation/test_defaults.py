"""Default and severity by hand, house prices and jobs against what was published, and vectors against single loans."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl
import pytest

import poolhouse
from poolhouse.dates import parse_month
from poolhouse.findings import Refused
from poolhouse.rules.house_prices import house_price_e4, known_months
from poolhouse.rules.unemployment import unemployment_e3
from poolhouse.valuation import WrongInput, default_model, marked_ltv

MODEL = default_model(
    peak=1.2, rise=24, stay=12, fall=40, tail=0.2, credit=1.0, usual_score=740, score_cap=800, equity=0.4, usual_ltv=75,
    ltv_low=30, ltv_high=130, jobs=0.1, usual_unemployment=5, behind=[1, 5, 20], half_life=6, most=0.5, discount=0.2,
    sale_cost=0.1, carry=0.002, least=0.05,
)  # fmt: skip
PEAK = 1 - (1 - 0.012) ** (1 / 12)


def test_the_age_curve() -> None:
    """Half way up at 12 months, level from 24 to 36, half way down at 56, the tail from 76 on."""
    mdr = MODEL.mdr(0, 120, ltv=75.0).ravel()
    assert mdr[[11, 23, 35, 55, 75, 119]] == pytest.approx(PEAK * np.array([0.5, 1, 1, 0.6, 0.2, 0.2]), rel=1e-12)
    assert MODEL.mdr(24, 3, ltv=75.0).ravel() == pytest.approx(mdr[24:27])


@pytest.mark.parametrize(
    ("facts", "factor"),
    [
        ({"score": 640}, math.exp(1)), ({"score": 850}, math.exp(-0.6)), ({"score": math.nan}, 1),
        ({"ltv": 95}, math.exp(0.8)), ({"ltv": 300}, math.exp(2.2)), ({"ltv": 1}, math.exp(-1.8)),
        ({"unemployment": 10}, math.exp(0.5)), ({"behind": 1}, 5), ({"behind": 7}, 20),
    ],
)  # fmt: skip
def test_each_effect(facts: dict[str, Any], factor: float) -> None:
    usual = MODEL.mdr(30, 1, ltv=75.0).item()
    assert MODEL.mdr(30, 1, **{"ltv": 75.0, **facts}).item() == pytest.approx(min(usual * factor, 0.5), rel=1e-12)


def test_arrears_fade_and_months_differ() -> None:
    """The excess of two months behind, 19, halves in six months; unemployment goes by month, the last going on."""
    late = MODEL.mdr(30, 7, ltv=75.0, behind=2).ravel() / MODEL.mdr(30, 7, ltv=75.0).ravel()
    assert late[[0, 6]] == pytest.approx([20, 10.5], rel=1e-12)
    jobs = MODEL.mdr(30, 4, ltv=75.0, unemployment=[5, 6, 7]).ravel() / MODEL.mdr(30, 4, ltv=75.0).ravel()
    assert jobs == pytest.approx(np.exp([0, 0.1, 0.2, 0.2]), rel=1e-12)


def test_severity_by_hand() -> None:
    """At 100% LTV: owed 1, a year's interest at 6% and carry of 2.4%, a sale of 0.8 less 10%: 0.364 lost; insurance of
    30% pays 0.318 of it. At 50% the sale more than pays: the least. No loss beyond all of it."""
    assert MODEL.severity(100.0, 6.0, 12).item() == pytest.approx(1 + 0.06 + 0.024 - 0.72, rel=1e-12)
    assert MODEL.severity(100.0, 6.0, 12, 30).item() == pytest.approx(max(0.364 - 0.3 * 1.06, 0.05), rel=1e-12)
    assert MODEL.severity([50.0, 1e6], 6.0, 12).tolist() == [0.05, 1.0]
    assert MODEL.severity(100.0, 6.0, 0).item() == pytest.approx(0.28, rel=1e-12)
    half = MODEL.severity(100.0, 6.0, 12, 100, 50).item()  # an insurer of all the debt that pays half of a loss
    assert half == pytest.approx(0.364 / 2, rel=1e-12)


def test_vectors_are_those_of_each_loan() -> None:
    """Default by loan and month, and what each loan loses in the month of its liquidation, six months later."""
    loans = {"balance": [200e3, 300e3], "wac": [6.0, 7.0], "wam": [60, 24], "age": [30, 0]}
    found = MODEL.vectors(
        **loans, ltv=[95.0, 70.0], score=[680, math.nan], house_prices=np.linspace(1, 0.7, 30), lag=6, mi_pct=[25, 0]
    )
    prices = np.concatenate([np.linspace(1, 0.7, 30), np.full(30, 0.7)])
    for month in range(60):
        for k in range(2):
            rate, term = loans["wac"][k] / 1200, loans["wam"][k]
            left = max((1 - (1 + rate) ** -(term - month)) / (1 - (1 + rate) ** -term), 0) if month < term else 0.0
            ltv = [95.0, 70.0][k] * left / prices[month]
            mdr = MODEL.mdr(loans["age"][k] + month, 1, ltv=ltv, score=[680, math.nan][k]).item()
            assert found["cdr"][k, month] == pytest.approx(100 * (1 - (1 - mdr) ** 12), rel=1e-9)
            share = MODEL.severity(max(ltv, 1e-9), loans["wac"][k], 6, [25, 0][k]).item()
            if month + 6 < 60:
                assert found["severity"][k, month + 6] == pytest.approx(100 * share, rel=1e-9)
    columns = [loans["balance"], loans["wac"], [5.5, 6.5], loans["wam"]]
    flows = poolhouse.cashflows(*columns, age=loans["age"], smm=1.0, **found)
    each = [
        poolhouse.cashflows(
            *(column[k] for column in columns), age=loans["age"][k], smm=1.0, cdr=found["cdr"][k],
            severity=found["severity"][k], lag=6,
        )
        for k in range(2)
    ]  # fmt: skip
    for name in ("default", "loss", "recovery", "cash_flow"):
        alone = each[0][name].to_numpy() + np.pad(each[1][name].to_numpy(), (0, 36))
        assert flows[name].to_numpy() == pytest.approx(alone, rel=1e-12, abs=1e-6)
    assert 0 < flows["loss"].sum() < 0.2 * 500e3


def test_months_that_are_over_have_no_defaults() -> None:
    """And those who are behind at their end fade from then on."""
    now = MODEL.mdr(32, 10, ltv=75.0, behind=2).ravel()
    later = MODEL.mdr(30, 12, ltv=75.0, behind=2, known=2).ravel()
    assert later.tolist() == [0.0, 0.0, *now.tolist()]


def test_published_indexes() -> None:
    """FHFA: US 408.91 in 2017Q4 and 61.65 for Alaska in 1975Q1, each at its quarter's middle; BLS: 10.0% in 2009-10."""
    assert house_price_e4("US", parse_month("2017-11")) == 4_089_100
    assert house_price_e4(pl.Series(["AK", "US"]), parse_month("1975-02"))[0] == 616_500
    assert house_price_e4("US", parse_month("2026-01")) == 4_089_100  # unchanged after the last
    low, middle, high = house_price_e4("US", [parse_month(f"2017-{month}") for month in ("08", "09", "11")])
    assert middle == round(low + (high - low) / 3)
    assert house_price_e4(pl.Series(["PR", ""]), 24000).tolist() == [int(house_price_e4("US", 24000))] * 2
    assert (unemployment_e3(parse_month("2009-10")), unemployment_e3(parse_month("2030-01"))) == (100, 46)
    assert unemployment_e3(parse_month("2025-10")) == unemployment_e3(parse_month("2025-09"))
    for refused in (lambda: house_price_e4("US", known_months()[0] - 1), lambda: unemployment_e3(0)):
        with pytest.raises(Refused, match="starts in"):
            refused()


def test_marked_to_the_index() -> None:
    """80% of a Nevada home of 2006 with nothing paid down, four years later; and half paid down."""
    then, now = parse_month("2006-05"), parse_month("2010-05")
    rise = int(house_price_e4("NV", now)) / int(house_price_e4("NV", then))
    found = marked_ltv([80.0, 80.0], pl.Series(["NV", "NV"]), then, now, left=[1.0, 0.5])
    assert rise < 0.65 and found == pytest.approx([80 / rise, 40 / rise])


@pytest.mark.parametrize(
    "change",
    [{"peak": 101}, {"peak": -1}, {"rise": 0}, {"behind": []}, {"most": 2}, {"hazard": 1}, {"credit": math.nan}],
)
def test_wrong_parameters(change: dict[str, Any]) -> None:
    with pytest.raises(WrongInput):
        default_model(**change)


@pytest.mark.parametrize(
    "call",
    [
        lambda: MODEL.mdr(0, 0, ltv=80), lambda: MODEL.mdr(-1, 5, ltv=80), lambda: MODEL.mdr(0, 5, ltv=-1),
        lambda: MODEL.mdr(0, 5, ltv=80, behind=-1), lambda: MODEL.severity(0, 6), lambda: MODEL.severity(80, 6, -1),
        lambda: MODEL.mdr(0, 5, ltv=80, unemployment=[[5]]), lambda: MODEL.severity(80, 6, 12, 101),
        lambda: MODEL.vectors(1, 6, 12, 0, ltv=80, house_prices=0),
    ],
)  # fmt: skip
def test_what_cannot_be_meant(call: Any) -> None:
    with pytest.raises(WrongInput):
        call()
