"""Poolhouse's prepayment model in both forms, with facts and histories."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from test_oas import POOL, paths_of

from poolhouse.valuation import WrongInput, quick_model, quick_speeds
from poolhouse.valuation.oas import oas
from poolhouse.valuation.prepayment import prepayment_model

PATHS = paths_of(count=128)
FACTS: tuple[dict[str, Any], ...] = (
    {}, {"balance": 450e3, "score": 690, "ltv": 92}, {"history": np.linspace(3, 6.5, 40)},
    {"history": [6.7], "exposure": 0.7}, {"history": np.linspace(9, 6.5, 4)}, {"history": []},
)  # fmt: skip


@pytest.mark.parametrize("facts", FACTS, ids=str)
@pytest.mark.parametrize(("wac", "age"), [(7.2, 0), (8.5, 30), (4.0, 100)])
def test_both_forms_give_the_same_speeds(facts: dict[str, Any], wac: float, age: int) -> None:
    loan = prepayment_model().at(**facts)
    known = loan.smm(PATHS.mortgage.T, wac, age, 9)
    form = quick_model(loan).quick(wac, age, 9, 360)
    found = quick_speeds.speeds(form, PATHS.mortgage, 0, 128, wac, 360).T
    assert np.abs(found - known).max() < 4e-7
    assert known.max() > 0.003


@pytest.mark.parametrize("changes", [{"turnover": 0.0}, {"refinance": 0.0}, {"burnout": 0.0, "lag": (1.0,)}])
def test_and_with_a_part_missing(changes: dict[str, Any]) -> None:
    model = prepayment_model(**changes)
    known = model.smm(PATHS.mortgage.T, 7.2, 3, 1)
    found = quick_speeds.speeds(quick_model(model).quick(7.2, 3, 1, 360), PATHS.mortgage, 0, 128, 7.2, 360).T
    assert np.abs(found - known).max() < 4e-7


def test_and_the_same_oas() -> None:
    model = prepayment_model()
    slow, fast = (oas(POOL, 101.5, PATHS, one) for one in (model, quick_model(model)))
    assert fast.oas_bp == pytest.approx(slow.oas_bp, abs=1e-3)
    assert fast.effective_duration == pytest.approx(slow.effective_duration, abs=1e-4)
    assert fast.z_spread_bp == pytest.approx(slow.z_spread_bp, abs=1e-3)


def test_it_is_for_one_loan_or_pool() -> None:
    with pytest.raises(WrongInput, match="balance must be a number"):
        quick_model(prepayment_model().at(balance=[1e5, 2e5]))
