"""The worked execution of a 6.875% note, line by line, and the published adjustments' worked cells.

Figures: guaranty fee 46 bp, servicing worth 5 times, buy-up 4.5, buy-down 6.5, TBA 6.0 at 101.50 and 6.5 at 103.00,
adjustment 0.875. 6.0: 101.50 + 0.7425 - 0.875 + 1.25; 6.5: 103.00 - 2.1775 - 0.875 + 1.25.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from sale.pricing.pricing_kit import DAY, ROOT, offer, priced


@pytest.fixture(scope="module")
def answer() -> dict[str, Any]:
    return priced(any_outlet=True)


def lines(of: dict[str, Any]) -> list[tuple[int | None, int | None, int]]:
    return [(line["rate_e7"], line["times_e3"], line["points_e6"]) for line in of["lines"]]


def test_the_six_percent_coupon_buys_up(answer: dict[str, Any]) -> None:
    for program in ("fnma", "fhlmc"):
        swap = offer(answer, program, "swap", 600_000)
        assert lines(swap) == [
            (None, None, 101_500_000),
            (16_500, 4_500, 742_500),
            (None, None, -875_000),
            (25_000, 5_000, 1_250_000),
        ]
        assert (swap["all_in_e6"], swap["all_in_32nds"]) == (102_617_500, "102-19.76")
        assert [line["cents"] for line in swap["lines"]] == [40_600_000, 297_000, -350_000, 500_000]
        assert swap["proceeds_cents"] == 41_047_000
        assert (swap["servicing_fee_rate_e7"], swap["guaranty_fee_rate_e7"]) == (25_000, 62_500)


def test_the_six_and_a_half_percent_coupon_buys_down(answer: dict[str, Any]) -> None:
    swap = offer(answer, "fnma", "swap", 650_000)
    assert lines(swap)[1:] == [(-33_500, 6_500, -2_177_500), (None, None, -875_000), (25_000, 5_000, 1_250_000)]
    assert swap["all_in_e6"] == 101_197_500
    assert (swap["servicing_fee_rate_e7"], swap["guaranty_fee_rate_e7"]) == (25_000, 12_500)


def test_the_five_and_a_half_percent_coupon_is_refused(answer: dict[str, Any]) -> None:
    assert not [o for o in answer["offers"] if o["coupon_rate_e7"] == 550_000]
    why = {r["program"]: r["reason"] for r in answer["refused"] if r["coupon_rate_e7"] == 550_000}
    assert why == dict.fromkeys(("fnma", "fhlmc"), "note rate less coupon is 137.5 bp, above the most of 112.5 bp")


def test_the_swap_is_chosen_over_the_conduit(answer: dict[str, Any]) -> None:
    conduit = offer(answer, "private", "conduit", servicing="released")
    assert conduit["all_in_e6"] == 102_400_000
    best = answer["offers"][answer["best"]]
    assert (best["execution"], best["coupon_rate_e7"], best["all_in_e6"]) == ("swap", 600_000, 102_617_500)
    assert answer["offers"][answer["second"]]["program"] == "private"
    assert answer["ahead_e6"] == 217_500


def test_the_conduit_is_closed_to_a_conforming_loan() -> None:
    answer = priced()
    assert not offer(answer, "private", "conduit", servicing="released")["open"]
    assert answer["offers"][answer["second"]]["program"] != "private"


def test_the_command_line_of_the_guide_prints_it() -> None:
    command = (
        "price --amount 400000 --rate 6.875 --ltv 80 --score 745 --dti 36 --purpose purchase "
        "--sheet examples/worked_sheet.toml --any-outlet"
    )
    assert f"poolhouse {command}" in (ROOT / "docs" / "pricing.md").read_text(encoding="utf-8")
    run = [sys.executable, "-m", "poolhouse.cli", *command.split()]
    done = subprocess.run([*run, "--json"], cwd=ROOT, capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    assert answer["as_of"] == DAY.isoformat()
    assert answer["offers"][answer["best"]]["all_in_e6"] == 102_617_500
    text = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for figure in (
        "87.5 bp = 25 servicing + 46 guaranty fee + 16.5 bought up",
        "37.5 bp = 25 servicing + 46 guaranty fee - 33.5 bought down",
        "102.6175",
        "102-19.76",
        "0.7425",
        "-2.1775",
        "101.1975",
        "102.40",
        "$410,470.00",
        "137.5 bp",
    ):
        assert figure in text, figure


@pytest.mark.parametrize(
    ("ltv", "score", "points", "cents"),
    [(8_000, 745, 875_000, 350_000), (8_001, 745, 1_000_000, 400_000), (8_000, 780, 375_000, 150_000),
     (8_000, 779, 625_000, 250_000)],
)  # fmt: skip
def test_published_cells_of_the_adjustment_grid(ltv: int, score: int, points: int, cents: int) -> None:
    mi = {"mi_pct": "12"} if ltv > 8_000 else {}
    answer = priced({"ltv_e4": str(ltv), "score": str(score), **mi})
    swap = offer(answer, "fnma", "swap", 600_000)
    line = next(line for line in swap["lines"] if line["label"].startswith("adjustment"))
    assert (line["points_e6"], line["cents"]) == (-points, -cents)
    assert "from 2023-05-01, found" in line["source"]
