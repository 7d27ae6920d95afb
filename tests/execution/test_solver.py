"""The optimiser against every assignment there is: the best is found and proven, and the bound never lies below it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from small_problems import DOLLAR, best, every_assignment, keeps, problem, value

import poolhouse
from poolhouse.execution.check import check, proceeds
from poolhouse.execution.groups import Offers
from poolhouse.execution.problem import Average, Comparability, Limit, Problem, Share, Total
from poolhouse.execution.solve import Solution
from poolhouse.execution.solve import solve as timed
from poolhouse.findings import Refused


def solve(given: Problem, **options: Any) -> Solution:
    return timed(given, clock=time.monotonic, **options)


FANNIE, FREDDIE = {"agency": "Fannie Mae"}, {"agency": "Freddie Mac"}
MILLION = 1_000_000 * DOLLAR
CASES: dict[str, tuple[Limit, ...]] = {
    "none": (),
    "a minimum if used": (Total(name="min", per="pool", min_if_used=MILLION),),
    "a total at most": (Total(name="max", where={"servicer": "kept"}, max=1_500_000 * DOLLAR),),
    "a total at least": (Total(name="at least", where=FANNIE, min=1_200_000 * DOLLAR),),
    "a commitment at a pair-off": (Total(name="c", where=FANNIE, min=2 * MILLION, short_cost=0.004),),
    "a count": (Total(name="count", where=FREDDIE, measure="count", max=2),),
    "an average": (Average(name="score", of="score", where=FANNIE, min=730),),
    "an average at most": (Average(name="dti", of="dti", where=FREDDIE, max=34.5),),
    "a share by balance": (Share(name="high", of={"high_balance": "Y"}, per="pool", max=0.4),),
    "a share by count": (Share(name="ca", of={"state": "CA"}, where=FANNIE, by="count", max=0.25),),
    "comparable averages": (Comparability(name="cmp", a=FANNIE, b=FREDDIE, average="score", within=8),),
    "comparable shares": (Comparability(name="cmp", a=FANNIE, b=FREDDIE, each="state", by="count", within=0.35),),
    "several": (
        Total(name="min", where={"pool_type": "Single-Issuer"}, per="pool", min_if_used=MILLION),
        Share(name="high", of={"high_balance": "Y"}, per="pool", max=0.5),
        Average(name="score", of="score", where=FANNIE, min=700),
        Comparability(name="cmp", a=FANNIE, b=FREDDIE, average="dti", within=5),
    ),
}


@pytest.mark.parametrize("limits", CASES.values(), ids=CASES)
@pytest.mark.parametrize("seed", range(4))
def test_the_best_of_all_assignments_is_found_and_proven(limits: tuple[Limit, ...], seed: int) -> None:
    given = problem(seed, 7, 4, limits)
    wanted = best(given)
    if wanted is None:
        with pytest.raises(Refused, match=r"limits|assignment"):
            solve(given, seconds=10)
        return
    solution = solve(given, seconds=20, gap=0.0)
    assert solution.bound_cents >= wanted
    assert solution.proceeds_cents == wanted
    chosen = tuple(int(k) for k in solution.assignment)
    assert keeps(given, chosen) and value(given, chosen) == wanted
    assert solution.bound_cents - wanted <= DOLLAR
    assert solution.greedy_cents is None or solution.greedy_cents <= wanted


@pytest.mark.parametrize("limits", CASES.values(), ids=CASES)
def test_the_exact_test_says_what_plain_arithmetic_says(limits: tuple[Limit, ...]) -> None:
    given = problem(11, 5, 4, limits)
    for k, chosen in enumerate(every_assignment(given)):
        if k % 7 == 0:
            taken = np.array(chosen)
            assert (not check(given, taken)) == keeps(given, chosen)
            assert proceeds(given, taken) == value(given, chosen)


def test_a_loan_may_stay_when_told_so() -> None:
    limits = (Total(name="max", max=1_500_000 * DOLLAR),)
    given = problem(3, 6, 3, limits, assign="any")
    worth = (given.loans["balance_cents"] * 1.018).cast(pl.Int64)
    given = Problem(given.loans.with_columns(unassigned_cents=worth), given.offers, given.pools, limits, "any")
    solution = solve(given, seconds=10, gap=0.0)
    values, stay = given.offers["value_cents"].to_list(), worth.to_list()
    wanted = max(
        sum(values[k] if k >= 0 else stay[i] for i, k in enumerate(chosen))
        for chosen in every_assignment(given)
        if keeps(given, chosen)
    )
    assert solution.proceeds_cents == wanted and (solution.assignment < 0).any()


def test_limits_that_contradict_are_named() -> None:
    limits = (
        Total(name="Fannie at least", where=FANNIE, min=99 * MILLION),
        Total(name="count", measure="count", max=50),
    )
    with pytest.raises(Refused, match="Fannie at least"):
        solve(problem(1, 6, 3, limits), seconds=5)


def test_no_loans_one_loan_one_pool() -> None:
    empty = problem(1, 3, 2)
    nothing = Problem(empty.loans.head(0), empty.offers.head(0), empty.pools)
    assert solve(nothing).proceeds_cents == 0
    one = problem(5, 1, 1)
    assert solve(one).proceeds_cents == one.offers["value_cents"][0] == solve(one).bound_cents


def test_the_same_question_gets_the_same_answer() -> None:
    given = problem(8, 9, 4, CASES["a minimum if used"])
    first, second = solve(given, gap=0.0), solve(given, gap=0.0)
    assert first.assignment.tolist() == second.assignment.tolist()


def test_a_loan_without_an_offer_is_told() -> None:
    given = problem(2, 4, 2)
    fewer = given.offers.filter(pl.col("loan") != 2)
    with pytest.raises(Refused, match="row 2"):
        solve(Problem(given.loans, fewer, given.pools))


def test_a_wrong_column_is_told_with_those_there_are() -> None:
    with pytest.raises(Refused, match=r"no column 'colour'.*there are: agency"):
        solve(problem(2, 4, 2, (Total(name="x", where={"colour": "red"}, max=1),)))


def test_pools_may_be_called_by_numbers() -> None:
    """A pool's key is its name, also where it reads like a row number."""
    given = problem(3, 6, 3, (Total(name="small", per="pool", min_if_used=300_000 * DOLLAR),))
    named = replace(given, pools=given.pools.with_columns(pool=pl.Series(["7", "8", "9"])))
    labels = [group.label for group in Offers(named).groups({}, "pool")]
    assert labels == ["pool 7", "pool 8", "pool 9"]
    assert solve(named, seconds=10).proceeds_cents == best(named)


def test_the_solver_says_nothing_on_stdout() -> None:
    code = (
        "import time; from small_problems import problem; from poolhouse.execution.solve import solve;"
        "solve(problem(1, 5, 3), clock=time.monotonic, seconds=5)"
    )
    paths = os.pathsep.join([str(Path(__file__).parent), str(Path(poolhouse.__file__).parents[1])])
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, env={**os.environ, "PYTHONPATH": paths})
    assert (ran.returncode, ran.stdout) == (0, b""), ran.stderr


WHOLE = Problem(
    pl.DataFrame({"balance_cents": [10_000_000, 20_000_000, 30_000_000], "score": [700, 720, 740]}),
    pl.DataFrame(
        {
            "loan": [0, 1, 1, 2, 2],
            "pool": [0, 0, 1, 0, 1],
            "value_cents": [10_100_000, 20_200_000, 20_100_000, 30_300_000, 30_300_001],
        }
    ),
    pl.DataFrame({"pool": ["x", "y"], "z": ["1", "1"]}),
)
IN_X = {"pool": "x"}


@pytest.mark.parametrize(
    ("limit", "cents"),
    [
        (Total(name="t", max=60_000_000), 60_600_001),
        (Total(name="t", min=60_000_000), 60_600_001),
        (Total(name="t", measure="count", min=3, max=3), 60_600_001),
        (Total(name="t", where=IN_X, min=30_000_000, max=30_000_000), 60_600_001),
        (Total(name="t", where=IN_X, min=40_000_000, max=40_000_000), 60_500_000),
        (Total(name="t", per="pool", min_if_used=30_000_000), 60_600_001),
        (Total(name="t", where=IN_X, measure="count", max=2, min=2), 60_600_001),
        (Total(name="t", where={"pool": "y"}, max=0), 60_600_000),
        (Average(name="a", of="score", where=IN_X, by="count", min=720, max=720), 60_600_000),
        (Share(name="s", of={"score": 700}, where=IN_X, by="count", max=Fraction(1, 3)), 60_600_000),
    ],
)
def test_limits_met_exactly_are_kept(limit: Limit, cents: int) -> None:
    """A total of 60 million is no more than 60 million, and half of two loans is one."""
    found = solve(replace(WHOLE, limits=(limit,)), seconds=10)
    assert (found.proceeds_cents, found.bound_cents) == (cents, cents)


def test_costs_have_a_gap_too() -> None:
    """Values may be below zero: the gap is then a share of the bound's size, and never negative."""
    given = problem(5, 6, 3, (Total(name="t", where=FANNIE, min=1_000_000 * DOLLAR),))
    costs = replace(given, offers=given.offers.with_columns(value_cents=-pl.col("value_cents")))
    found = solve(costs, seconds=10)
    assert found.proceeds_cents == best(costs) and found.proceeds_cents < 0 and 0 <= found.gap <= 1e-5


def test_minimums_out_of_reach_are_named() -> None:
    with pytest.raises(Refused, match="in the way: far"):
        solve(replace(WHOLE, limits=(Total(name="far", per="pool", min_if_used=90_000_000),)), seconds=5)
