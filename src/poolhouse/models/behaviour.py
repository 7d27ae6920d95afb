"""Turns the assumed behaviour of borrowers into integer thresholds, one set per month.

Probabilities are floats only here. Every class of loan gets its threshold once; a loan's 64-bit
draw is then compared with the threshold of its class, so a decision never depends on a processor.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from poolhouse.chance import Uint64s, threshold
from poolhouse.money import Int64s
from poolhouse.rules.rulebook import Rulebook

STATES = 5
"""Months behind as the model sees them: 0, 1, 2, 3, and 4 or more."""

_E4 = 10_000


@dataclass(frozen=True)
class Behaviour:
    """Thresholds and integers of one month. Arrays of classes are flat; the methods say their order."""

    score_floors: Int64s
    score_unknown: int
    ltv_floors: Int64s
    ltv_unknown: int
    prepay_class_e7: int
    prepay_reach_e7: int
    prepay_ramp: int
    prepay: Uint64s  # incentive class x age 0..ramp
    able: Uint64s  # state x score band x loan-to-value band
    pays: Uint64s  # (none, none or one, none to two) x state x score band x loan-to-value band
    curtails: np.uint64
    curtailment_shares_e4: Int64s
    curtailment_leaves: int
    payment_day_ends: Uint64s  # a draw below the d-th is a payment on day d or before
    liquidation_after: int
    liquidates: np.uint64
    proceeds_e6: Int64s  # net proceeds of a sale, of the home's value at closing

    def borrower_class(self, state: Int64s, score: Int64s, ltv_e4: Int64s) -> Int64s:
        """Position in `able` and in each row of `pays`."""
        score_band = np.searchsorted(self.score_floors, score, side="right") - 1
        ltv_band = np.searchsorted(self.ltv_floors, ltv_e4, side="right") - 1
        return (state * len(self.score_floors) + score_band) * len(self.ltv_floors) + ltv_band

    def prepay_class(self, incentive_e7: Int64s, age_months: Int64s) -> Int64s:
        """Position in `prepay`."""
        reach = np.clip(incentive_e7, -self.prepay_reach_e7, self.prepay_reach_e7 - 1)
        incentive = (reach + self.prepay_reach_e7) // self.prepay_class_e7
        return incentive * (self.prepay_ramp + 1) + np.clip(age_months, 0, self.prepay_ramp)


class _Same:
    """A rulebook as a key: the same one, not an equal one, which would be slow to tell."""

    def __init__(self, rulebook: Rulebook) -> None:
        self.rulebook = rulebook

    def __hash__(self) -> int:
        return id(self.rulebook)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.rulebook is self.rulebook


def behaviour(rulebook: Rulebook, as_of: date) -> Behaviour:
    """The assumptions `models.*` in force on a date. A table of the wrong size is a ValueError."""
    return _behaviour(_Same(rulebook), as_of)


@lru_cache(maxsize=4)  # every part of a month asks for the same
def _behaviour(same: _Same, as_of: date) -> Behaviour:
    rulebook = same.rulebook

    def get(name: str) -> Any:
        return rulebook.get(f"models.{name}", as_of)

    # e4 x e4 x e4 = e12, of which e6 is kept: a home's value times e6 stays far below 2^63.
    house_price, kept = get("house_price_e4"), _E4 - get("sale_cost_e4")
    return Behaviour(
        score_floors=_int64s(get("score_band_floors")),
        score_unknown=get("score_when_unknown"),
        ltv_floors=_int64s(get("ltv_band_floors_e4")),
        ltv_unknown=get("ltv_when_unknown_e4"),
        prepay_class_e7=get("prepay_class_e7"),
        prepay_reach_e7=get("prepay_reach_e7"),
        prepay_ramp=get("prepay_ramp_months"),
        prepay=_thresholds(_prepay_chances(get)),
        able=_thresholds(_able_chances(get)),
        pays=_thresholds(_pay_chances(get)),
        curtails=threshold(get("curtailment_chance")),
        curtailment_shares_e4=_int64s(get("curtailment_shares_e4")),
        curtailment_leaves=get("curtailment_leaves_payments"),
        payment_day_ends=_thresholds(_day_chances(get("payment_days"))),
        liquidation_after=get("liquidation_after_months"),
        liquidates=threshold(get("liquidation_chance")),
        proceeds_e6=_int64s([house_price * sale * kept // 10**6 for sale in get("distressed_sale_e4")]),
    )


def smm(cpr: float) -> float:
    """Single monthly mortality of a yearly rate, both as fractions. Source: SIFMA Standard Formulas, SF-7."""
    return 1 - math.pow(1 - cpr, 1 / 12)


def _prepay_chances(get: Callable[[str], Any]) -> npt.NDArray[np.float64]:
    """Logistic in the incentive at the middle of its class, linear in age up to the ramp."""
    reach, width, ramp = get("prepay_reach_e7"), get("prepay_class_e7"), get("prepay_ramp_months")
    rows = []
    for low in range(-reach, reach, width):
        distance = (low + width / 2 - get("prepay_midpoint_e7")) / get("prepay_slope_e7")
        cpr = get("prepay_turnover_cpr") + get("prepay_refinance_cpr") / (1 + math.exp(-distance))
        rows.append([smm(cpr) * age / ramp for age in range(ramp + 1)])
    return np.array(rows)


def _able_chances(get: Callable[[str], Any]) -> npt.NDArray[np.float64]:
    """Share of would-be prepayers who can: months behind x score x loan to value."""
    behind, score, ltv = (np.array(get(f"prepay_by_{x}")) for x in ("months_behind", "score", "ltv"))
    _sized("models.prepay_by_months_behind", behind, STATES)
    _sized("models.prepay_by_score", score, len(get("score_band_floors")))
    _sized("models.prepay_by_ltv", ltv, len(get("ltv_band_floors_e4")))
    able: npt.NDArray[np.float64] = behind[:, None, None] * score[None, :, None] * ltv[None, None, :]
    return able


def _pay_chances(get: Callable[[str], Any]) -> npt.NDArray[np.float64]:
    """Cumulative chances of paying none, up to one, up to two instalments, by class; the rest pays all."""
    miss, by_score = np.array(get("miss_when_current")), np.array(get("behind_none_by_score"))
    by_ltv, outcomes = np.array(get("miss_by_ltv")), np.array(get("behind_outcomes"))
    _sized("models.miss_when_current", miss, len(get("score_band_floors")))
    _sized("models.behind_none_by_score", by_score, len(get("score_band_floors")))
    _sized("models.miss_by_ltv", by_ltv, len(get("ltv_band_floors_e4")))
    _sized("models.behind_outcomes", outcomes, STATES - 1)
    chances = np.ones((3, STATES, len(miss), len(by_ltv)))
    chances[0, 0] = np.minimum(miss[:, None] * by_ltv[None, :], 1)
    for state in range(1, STATES):
        none, one, two = outcomes[state - 1]
        worse = np.minimum(none * by_score, get("behind_none_most"))[:, None]
        payers = (1 - worse) / (1 - none)  # those who pay something keep their proportions
        chances[0, state] = worse
        chances[1, state] = worse + one * payers
        chances[2, state] = worse + (one + two) * payers
    return chances


def _day_chances(ranges: list[list[float]]) -> list[float]:
    """Chance that a payment has arrived by day 1, 2, ... 31."""
    daily = [0.0] * 31
    for first, last, chance in ranges:
        for day in range(int(first), int(last) + 1):
            daily[day - 1] += chance / (int(last) - int(first) + 1)
    if abs(sum(daily) - 1) > 1e-9:
        raise ValueError(f"models.payment_days: the chances add up to {sum(daily)}, not to 1")
    return [math.fsum(daily[: day + 1]) for day in range(31)]


def _sized(name: str, values: npt.NDArray[np.float64], size: int) -> None:
    if len(values) != size:
        raise ValueError(f"{name}: {len(values)} values, and the bands ask for {size}")


def _thresholds(chances: npt.ArrayLike) -> Uint64s:
    """Flat thresholds, the first axis outermost."""
    return np.array([threshold(float(p)) for p in np.ravel(chances)], dtype=np.uint64)


def _int64s(values: list[int]) -> Int64s:
    return np.array(values, dtype=np.int64)
