"""Ally Auto Receivables Trust 2017-3: percent of each class outstanding at seven ABS speeds, to the printed hundredth,
and average lives. Exhibit 99.4 of September 17, 2018; see ally_2017_3.py."""

from __future__ import annotations

from functools import cache

import pytest

from poolhouse import deals
from poolhouse.deals.deal import Run
from poolhouse.deals.measures import flows_of
from poolhouse.valuation import wal
from published.ally_2017_3 import LOANS, deal, speeds_at

SPEEDS = (0.0, 0.5, 0.9, 1.1, 1.3, 1.5, 1.8)
PERCENT = {
    "A-2": [
        (1, "87.37 74.68 61.94 49.15 36.31 23.42 10.47"), (1, "84.65 69.39 54.23 39.17 24.22 9.36"),
        (1, "81.70 63.67 45.91 28.42 11.20"), (1, "79.84 60.06 40.66 21.64 3.00"), (1, "77.60 55.71 34.34 13.50"),
        (1, "74.82 50.33 26.54 3.45"), (1, "68.91 38.93 10.07"),
    ],
    "A-3": [
        (8, "98.95 93.56 88.15 82.72 77.26 71.78 66.27 60.75 55.21 49.64 45.26 41.07 36.85 32.62 28.38 24.11 19.82 "
            "15.52 11.19 6.85 2.49"),
        (7, "97.77 91.72 85.72 79.75 73.83 67.96 62.13 56.34 50.59 44.90 39.25 34.71 30.40 26.11 21.86 17.64 13.46 "
            "9.30 5.18 1.10"),
        (6, "97.63 90.75 83.98 77.33 70.80 64.38 58.08 51.90 45.84 39.90 34.08 28.38 23.70 19.27 14.92 10.66 6.48 "
            "2.39"),
        (6, "93.71 86.34 79.13 72.08 65.20 58.49 51.94 45.55 39.34 33.30 27.43 21.73 16.97 12.47 8.09 3.82"),
        (5, "97.19 89.02 81.07 73.34 65.83 58.55 51.50 44.67 38.06 31.69 25.55 19.65 13.98 9.14 4.56 0.15"),
        (5, "92.19 83.24 74.60 66.24 58.19 50.44 43.00 35.86 29.02 22.50 16.29 10.38 4.80"),
        (4, "92.70 81.71 71.19 61.14 51.57 42.47 33.85 25.73 18.12 11.04 4.48"),
    ],
    "B": [
        (38, "98.26 61.11 23.79"), (36, "94.93 63.75 32.84 2.22"), (33, "97.66 70.05 43.18 17.04"),
        (31, "97.22 68.49 42.55 17.61"), (29, "93.61 60.04 28.56 3.02"), (27, "66.77 33.37 2.71"), (22, "62.99 22.33"),
    ],
    "C": [
        (41, "83.54 42.37 10.61"), (40, "66.26 30.20"), (37, "89.99 60.42 31.75 4.01"), (35, "92.42 64.92 38.66 13.64"),
        (33, "75.81 49.57 24.93 1.89"), (30, "69.66 39.31 13.25"), (24, "82.90 43.47 7.45"),
    ],
    "D": [
        (44, "86.51 63.76 41.65 19.48"), (42, "96.74 62.98 40.87 22.78 5.42"), (41, "69.29 37.26 12.74"),
        (39, "86.36 56.06 27.46 2.62"), (37, "73.72 47.08 22.65 0.46"), (33, "85.60 56.08 29.31 5.29"),
        (27, "65.17 27.50"),
    ],
}  # fmt: skip
"""For each speed the first month below 100 (October 15, 2018 is the first), and what is printed from there until 0."""
LIVES = {
    "A-2": "0.37 0.32 0.28 0.25 0.23 0.21 0.18", "A-3": "1.51 1.34 1.18 1.10 1.00 0.91 0.75",
    "B": "3.32 3.16 2.94 2.77 2.57 2.34 1.90", "C": "3.53 3.41 3.24 3.09 2.88 2.60 2.11",
    "D": "3.84 3.69 3.52 3.39 3.20 2.90 2.33",
}  # fmt: skip
"""To maturity. Those to the call need the trust's first balance."""


@cache
def run_at(speed: float) -> Run:
    terms = deal()
    return deals.run(terms, deals.months_of(terms, speeds_at(speed)))


def test_the_pools_are_the_exhibits_total() -> None:
    assert round(LOANS[:, 0].sum(), 2) == 537_640_787.96 and len(LOANS) == 43


@pytest.mark.parametrize(("name", "others"), [("A-2", 0), ("A-3", 1), ("B", 2), ("C", 3), ("D", 5)])
def test_percent_outstanding(name: str, others: int) -> None:
    """211 of 222 as printed; the others are a hundredth higher there and miss the rounding limit here by up to 0.0012
    (up to $160 of principal: the exhibit's APRs are rounded)."""
    missed = 0
    for speed, (first, printed) in zip(SPEEDS, PERCENT[name], strict=True):
        life = run_at(speed).classes[name]
        percent = [100 * left / life.balance[0] for left in life.ending]
        last = first + len(printed.split()) - 1
        assert percent[: first - 1] == [100] * (first - 1) and percent[last] == 0
        for found, text in zip(percent[first - 1 : last], printed.split(), strict=True):
            missed += f"{found:.2f}" != text
            assert f"{found:.2f}" == text or -0.0062 < found - float(text) < 0, (speed, found)
    assert missed == others


@pytest.mark.parametrize("name", LIVES)
def test_average_lives(name: str) -> None:
    found = []
    for speed in SPEEDS:
        run = run_at(speed)
        found.append(f"{float(wal(flows_of(run.deal.classes[name], run.classes[name], 0))):.2f}")
    assert found == LIVES[name].split()
