"""The prepayment model against a slow one written from its description, and against what must hold whatever it says."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import poolhouse
from poolhouse import loans, valuation
from poolhouse.valuation import OwnModel, PrepaymentModel, WrongInput, prepayment_model
from poolhouse.valuation.speeds import cpr_to_smm

QUIET: dict[str, Any] = {"refinance": 0, "seasonality": 0, "lock_in": 0, "curtailment": 0, "buyout": 0}
RATES = 6 + np.random.default_rng(4).normal(0, 0.35, (5, 60)).cumsum(axis=1)
HISTORY = 7 + np.random.default_rng(5).normal(0, 0.2, 40).cumsum()


def slow(
    m: PrepaymentModel, rates: list[float], wac: float, age: int, month0: int, balance: float, score: float, ltv: float
) -> list[float]:
    """One loan, one month after the other, in plain arithmetic; `rates` begin with the loan's first month."""

    def month_share(cpr: float) -> float:
        return 1 - (1 - cpr / 100) ** (1 / 12)

    def curve(x: float, middle: float, scale: float) -> float:
        return 1 / (1 + math.exp(-(x - middle) / scale))

    def seasoned(month: int, ramp: float) -> float:
        if month <= ramp - 0.5:
            return month / ramp
        if month >= ramp + 0.5:
            return 1.0
        steps = [min((month - 0.5 + (k + 0.5) / 20_000) / ramp, 1) for k in range(20_000)]  # the mean over the month
        return sum(steps) / len(steps)

    found, passed = [], 0.0
    for place in range(len(rates)):
        life = place + 1
        looked = sum(w * rates[max(place - back, 0)] for back, w in enumerate(m.lag))
        gain = wac - looked
        season = m.seasons[(month0 - 1 + place - age) % 12] ** m.seasonality
        turnover = month_share(m.turnover) * seasoned(life, m.turnover_ramp) * season
        turnover *= 1 - m.lock_in * curve(-gain, m.lock_in_midpoint, m.lock_in_slope)
        size = min(max(balance, m.size_low), m.size_high) / m.size_reference
        refinance = month_share(m.refinance) * seasoned(life, m.refinance_ramp) * curve(gain, m.midpoint, m.slope)
        refinance *= size**m.size * (m.burnout_floor + (1 - m.burnout_floor) * math.exp(-m.burnout * passed))
        able = math.exp(-m.credit * max(m.credit_from - score, 0) / 100 - m.equity * max(ltv - m.equity_from, 0) / 10)
        bought = (
            month_share(m.buyout) * seasoned(life, m.buyout_ramp) * math.exp(m.weak * (m.usual_score - score) / 100)
        )
        voluntary = able * (turnover + refinance)
        found.append(1 - (1 - voluntary) * (1 - month_share(m.curtailment)) * (1 - bought))
        passed += max(gain - m.burnout_from, 0) / 12
    return found[age:]


def test_month_by_month() -> None:
    model = prepayment_model(slope=0.4, burnout=0.8)
    for path in RATES:
        expected = slow(model, path.tolist(), 6.75, 0, 4, 420_000, 690, 88)
        found = model.smm(path, 6.75, 0, 4, balance=420_000, score=690, ltv=88)
        assert found.shape == (1, 60) and found[0] == pytest.approx(expected, rel=1e-7)


def test_the_past_is_remembered() -> None:
    """Lag and burnout of a loan with a history are those it had in the middle of the same path."""
    model = prepayment_model()
    whole = model.smm(RATES[:1], 7.0, 0, 1, score=700)
    later = model.smm(RATES[:1, 24:], 7.0, 24, 1, score=700, history=RATES[0, :24])
    assert later == pytest.approx(whole[:, 24:], rel=1e-12)
    older = np.concatenate([np.full(28, 2.0), RATES[0, [0, 0]], RATES[0, :24]])  # in months before the loan was made
    assert model.smm(RATES[:1, 24:], 7.0, 24, 1, score=700, history=older) == pytest.approx(later, rel=1e-12)
    assert not np.allclose(model.smm(RATES[:1, 24:], 7.0, 24, 1, score=700), later, rtol=1e-3)
    given = model.smm(RATES[:1], 7.0, 0, 1, exposure=1.5)
    assert (given[0, 10:] < model.smm(RATES[:1], 7.0, 0, 1)[0, 10:]).all()


def test_paths_and_loans_are_rows() -> None:
    """Each row alone, in either order of memory, and loan by loan along one history."""
    model = prepayment_model()
    together = model.smm(RATES, 6.5, 10, 6, history=HISTORY)
    for row, path in zip(together, RATES, strict=True):
        assert model.smm(path, 6.5, 10, 6, history=HISTORY)[0] == pytest.approx(row, rel=1e-13)
    assert model.smm(np.asfortranarray(RATES), 6.5, 10, 6, history=HISTORY) == pytest.approx(together, rel=1e-13)
    ages, wacs, scores = [0, 10, 400], [5.0, 6.5, 9.0], [820, math.nan, 600]
    each = model.smm(RATES[0], wacs, ages, 6, score=scores, history=HISTORY, balance=[50e3, 3e5, math.nan])
    for k, balance in enumerate((50e3, 3e5, None)):
        score = None if math.isnan(scores[k]) else scores[k]
        alone = model.smm(RATES[0], wacs[k], ages[k], 6, score=score, history=HISTORY, balance=balance)
        assert each[k] == pytest.approx(alone[0], rel=1e-13)


def test_a_tape_loan_by_loan() -> None:
    """400 loans of the shipped tape along one path of rates: their cash flows together are those of each alone."""
    tape = loans.read_tape(loans.demo_tape()).tape.head(400)
    balance, wac = tape["note_amount_cents"].to_numpy() / 100, tape["note_rate_e7"].to_numpy() / 1e5
    wam = tape["term_months"].to_numpy().astype(int)
    facts = {"score": tape["score_mid"].to_numpy(), "ltv": tape["ltv_e4"].cast(float).to_numpy() / 100}
    rates = np.linspace(5, 3.5, int(wam.max()))
    smm = 100 * prepayment_model().smm(rates, wac, 0, 7, balance=balance, **facts)
    together = poolhouse.cashflows(balance, wac, wac - 0.5, wam, age=0, smm=smm)
    alone = np.zeros(len(rates))
    for k in range(0, 400, 8):
        one = slice(k, k + 8)
        part = poolhouse.cashflows(balance[one], wac[one], wac[one] - 0.5, wam[one], age=0, smm=smm[one])["prepayment"]
        alone[: len(part)] += part.to_numpy()
    assert together["prepayment"].to_numpy() == pytest.approx(alone, rel=1e-9, abs=1e-6)
    own = prepayment_model().smm(rates, wac[5], 0, 7, balance=balance[5], score=facts["score"][5], ltv=facts["ltv"][5])
    assert smm[5] == pytest.approx(100 * own[0], rel=1e-12) and smm.shape == (400, len(rates))


def test_plain_turnover_is_the_standard_ramp() -> None:
    """Nothing but turnover of 6%: that CPR from the month after the ramp's last on, half its month's share at 15."""
    smm = prepayment_model(turnover=6, turnover_ramp=30, **QUIET).smm(np.full(60, 6.0), 6, 0, 1)[0]
    full = float(cpr_to_smm(6)) / 100
    assert smm[30:] == pytest.approx(np.full(30, full), rel=1e-12)
    assert smm[14] == pytest.approx(full / 2, rel=1e-12) and smm[0] == pytest.approx(full / 30, rel=1e-12)


@pytest.mark.parametrize(
    ("change", "faster"),
    [({"wac": 8.0}, True), ({"wac": 3.0}, False), ({"score": 640}, False), ({"ltv": 110}, False),
     ({"balance": 900_000}, True), ({"exposure": 3.0}, False), ({"age": 60}, True)],
)  # fmt: skip
def test_who_prepays_faster(change: dict[str, Any], faster: bool) -> None:
    model = prepayment_model(buyout=0.0)
    usual: dict[str, Any] = {"wac": 7.0, "age": 3, "month0": 1}
    same, other = (model.smm(np.full(12, 6.0), **{**usual, **extra}).sum() for extra in ({}, change))
    assert bool(other > same) is faster and other != same


def test_slopes_are_derivatives() -> None:
    """Every one against a central difference, at ages on both sides of the ramps and on their corners."""
    chance = np.random.default_rng(1)
    count = 400
    cells = (
        chance.normal(0.5, 1, count), chance.uniform(0, 3, count), np.arange(count) % 50, np.arange(count) % 12 + 1,
        chance.uniform(3e4, 2e6, count), chance.uniform(550, 850, count), chance.uniform(20, 130, count),
    )  # fmt: skip
    model = prepayment_model(turnover_ramp=20.2, refinance_ramp=9.7, lock_in=0.3, burnout=0.6, seasonality=0.7)
    for name, slope in model.slopes(*cells).items():
        at = getattr(model, name)
        ends = [prepayment_model(**{**vars(model), name: at + step}).voluntary(*cells) for step in (1e-6, -1e-6)]
        assert slope == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-5, abs=1e-9), name


def test_a_path_goes_into_cash_flows() -> None:
    smm = prepayment_model().at(score=700, history=HISTORY).smm(RATES[:1], 6.5, 12, 3)
    flows = poolhouse.cashflows(100.0, 6.5, 6.0, 60, age=300, smm=100 * smm)
    kept = 1 - flows["prepayment"] / (flows["balance"] - flows["scheduled_principal"])
    assert kept[:59].to_numpy() == pytest.approx(1 - smm[0, :59], rel=1e-9)


def test_a_function_of_ones_own() -> None:
    own = OwnModel(lambda rates, wac, age, month0: np.where(rates < wac, 0.02, 0.005))
    assert set(np.unique(own.smm(RATES, 6.0, 0, 1))) == {0.02, 0.005}
    with pytest.raises(WrongInput, match="your function gave"):
        OwnModel(lambda rates, wac, age, month0: rates[:, 1:] / 100).smm(RATES, 6.0, 0, 1)
    with pytest.raises(WrongInput, match="must not be above 1"):
        OwnModel(lambda rates, wac, age, month0: rates).smm(RATES, 6.0, 0, 1)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"rates": [[6.0, math.nan]]}, "finite"), ({"rates": []}, "at least one"), ({"month0": 13}, "1 to 12"),
        ({"wac": -1}, "wac"), ({"age": 2.5}, "whole months"), ({"wac": [6, 7, 8]}, "one a row"),
        ({"score": 5000}, "score"), ({"history": [[6.0]]}, "oldest first"), ({"balance": -1}, "balance"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant(given: dict[str, Any], said: str) -> None:
    usual: dict[str, Any] = {"rates": RATES[:2], "wac": 6.0, "age": 0, "month0": 1}
    with pytest.raises(WrongInput, match=said):
        prepayment_model().smm(**{**usual, **given})


@pytest.mark.parametrize(
    "change",
    [{"turnover": -1}, {"slope": 0}, {"lag": [0.5, 0.4]}, {"lag": []}, {"seasons": [1] * 11}, {"refinance": 101},
     {"burnout_floor": 2}, {"speed": 3}, {"midpoint": math.inf}],
)  # fmt: skip
def test_wrong_parameters(change: dict[str, Any]) -> None:
    with pytest.raises(WrongInput):
        prepayment_model(**change)
    with pytest.raises(WrongInput):
        prepayment_model().at(rate=3)


def test_the_defaults_are_in_the_rules() -> None:
    """Every parameter stands in the assumptions, and the package offers the models by name."""
    assert prepayment_model().turnover == 6.5 and sum(prepayment_model().seasons) == pytest.approx(12)
    assert prepayment_model(turnover=8).turnover == 8 and isinstance(valuation.prepayment_model(), PrepaymentModel)
