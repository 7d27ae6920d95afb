"""Cash flows against exact fractions, the two routes against each other, and what is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from exact_flows import exact_flows
from hypothesis import given, settings
from hypothesis import strategies as st

import poolhouse
from poolhouse.findings import Refused
from poolhouse.valuation import WrongInput, cashflows, file_cashflows, schedule, totals
from poolhouse.valuation import terms as terms_of
from poolhouse.valuation.speeds import cdr_to_mdr

ULP = 2.0**-52
NAMES = ["month", *schedule.COLUMNS]
speeds = st.one_of(st.sampled_from([0.0, 100.0]), st.floats(0, 100))


@settings(max_examples=150, deadline=None)
@given(
    balance=st.floats(1e-2, 1e12), wac=st.one_of(st.just(0.0), st.floats(1e-6, 30)), share=st.floats(0, 1),
    smm=st.lists(speeds, min_size=1, max_size=24), cdr=st.lists(speeds, min_size=1, max_size=24),
    wam=st.integers(1, 24), severity=speeds, lag=st.integers(0, 30), advance=st.booleans(),
)  # fmt: skip
def test_every_cell_is_the_exact_fractions(
    balance: float, wac: float, share: float, smm: list[float], cdr: list[float], wam: int, severity: float, lag: int,
    advance: bool,
) -> None:  # fmt: skip
    """To 1e-12 of the column's largest and 64 ulp of the balance: what is left where sums cancel."""
    smm, cdr = ([*given, *[given[-1]] * 24][:wam] for given in (smm, cdr))
    frame = cashflows(
        balance, wac, wac * share, wam, smm=smm, cdr=cdr, severity=severity, lag=lag, advance=advance, age=0
    )
    mdr = list(cdr_to_mdr(cdr))
    exact = exact_flows(balance, wac, wac * share, wam, smm, mdr, severity, lag, advance)
    assert frame.columns == NAMES and frame.height == wam
    for name in schedule.COLUMNS:
        wanted = np.array([float(month[name]) for month in exact])
        assert np.abs(frame[name].to_numpy() - wanted).max() <= 1e-12 * np.abs(wanted).max() + 64 * ULP * balance, name


@pytest.mark.parametrize("wac", [0.0, 1e-9, 8.125, 100.0])
def test_a_long_pool_to_the_last_digits(wac: float) -> None:
    """360 months, each cell within 16 ulp of itself; 10 is the most seen."""
    smm = [0.5] * 360
    frame = cashflows(1e8, wac, wac, 360, smm=0.5)
    exact = exact_flows(1e8, wac, wac, 360, smm, [0.0] * 360)
    for name in ("balance", "scheduled_principal", "prepayment", "gross_interest", "ending_balance"):
        for ours, month in zip(frame[name].to_list(), exact, strict=True):
            assert abs(ours - float(month[name])) <= 16 * ULP * float(month[name]), name


CASES = {
    "psa": {"psa": 150}, "cpr": {"cpr": 6.0}, "all at once": {"smm": 100}, "nothing": {},
    "psa and sda": {"psa": 165, "sda": 300, "severity": 35.0},
    "at once": {"smm": 1, "cdr": 10, "severity": 60, "lag": 0},
    "not advanced": {"psa": [100, 200, 300], "cdr": [1, 2, 3], "lag": 24, "severity": 90, "advance": False},
    "all default": {"cpr": 100, "cdr": 100, "severity": 100, "lag": 3},
    "no time to default": {"psa": 100, "sda": 500, "advance": False, "lag": 400},
}  # fmt: skip


def mixed(count: int = 3_000) -> dict[str, np.ndarray]:
    """Loans in any order: terms 1 to 480, some without interest, some without balance."""
    rng = np.random.default_rng(3)
    wac = np.where(rng.random(count) < 0.02, 0.0, rng.uniform(0, 14, count))
    balance = np.where(rng.random(count) < 0.02, 0.0, rng.uniform(1e3, 1e6, count))
    wam, age = rng.integers(1, 481, count), rng.integers(0, 200, count)
    return {"balance": balance, "wac": wac, "coupon": wac * 0.9, "wam": wam, "age": age}


def agree(one: pl.DataFrame, other: pl.DataFrame) -> None:
    assert one.columns == other.columns and one.height == other.height
    for name in one.columns:
        a, b = one[name].to_numpy(), other[name].to_numpy()
        assert np.abs(a - b).max() <= 3e-14 * np.abs(a).max(), name


@pytest.mark.parametrize("case", CASES)
def test_the_kernels_total_what_the_rows_add_up_to(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    loans = mixed()
    rows = cashflows(**loans, **CASES[case], rows=True)
    assert rows.columns == ["pool", *NAMES] and rows.height == loans["wam"].sum()
    added = rows.group_by("month").agg(pl.col(schedule.COLUMNS).sum()).sort("month")
    monkeypatch.setattr(totals, "FEW", 0)
    agree(added, cashflows(**loans, **CASES[case]))


@pytest.mark.parametrize("kind", [{"cpr": 1}, {"psa": 1, "sda": 1}, {"smm": 30, "cdr": 1}])
def test_each_pool_may_have_its_own_speed(kind: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    loans, rng = mixed(700), np.random.default_rng(5)
    own = {name: rng.uniform(0, 90, (700, months)) for name, months in kind.items()}
    rows = cashflows(**loans, **own, rows=True, severity=[20, 40])
    one = {name: column[41] for name, column in loans.items()}
    alone = cashflows(**one, **{name: table[41] for name, table in own.items()}, severity=[20, 40])
    agree(rows.filter(pl.col("pool") == 41).drop("pool"), alone)
    added = rows.group_by("month").agg(pl.col(schedule.COLUMNS).sum()).sort("month")
    monkeypatch.setattr(totals, "FEW", 0)
    monkeypatch.setattr(totals, "WIDE_RUN", 300)
    agree(added, cashflows(**loans, **own, severity=[20, 40]))


@pytest.mark.parametrize(("months", "advance"), [(1, True), (30, False)])
def test_each_pool_may_lose_its_own_share(months: int, advance: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    loans, rng = mixed(400), np.random.default_rng(6)
    more = {"sda": 400, "psa": 90, "lag": 5, "advance": advance}
    own = rng.uniform(0, 100, (400, months))
    rows = cashflows(**loans, **more, severity=own, rows=True)
    for k in (0, 41, 399):
        one = {name: column[k] for name, column in loans.items()}
        agree(rows.filter(pl.col("pool") == k).drop("pool"), cashflows(**one, **more, severity=own[k]))
    added = rows.group_by("month").agg(pl.col(schedule.COLUMNS).sum()).sort("month")
    agree(added, cashflows(**loans, **more, severity=own))  # few rows, added
    monkeypatch.setattr(totals, "FEW", 0)
    for threads in (1, 3):
        agree(added, cashflows(**loans, **more, severity=own, threads=threads))


@pytest.mark.parametrize("count", [5_000, 70_000])
def test_the_number_of_threads_changes_no_bit(count: int) -> None:
    loans = mixed(count)
    one = cashflows(**loans, psa=150, sda=100, severity=30, threads=1)
    for threads in (2, 3, 7):
        assert cashflows(**loans, psa=150, sda=100, severity=30, threads=threads).equals(one)


def test_a_file_of_loans_is_the_same_as_its_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loans = mixed(40_000)
    frame = pl.DataFrame(loans)
    frame.write_parquet(tmp_path / "loans.parquet", row_group_size=5_000)
    monkeypatch.setattr(totals, "BATCH", 7_000)
    wanted = cashflows(**loans, psa=150, cdr=1)
    agree(wanted, file_cashflows(tmp_path / "loans.parquet", psa=150, cdr=1))
    agree(wanted, file_cashflows(frame.iter_slices(9_000), psa=150, cdr=1))
    with pytest.raises(WrongInput, match="batch 1: wac"):
        file_cashflows([frame.with_columns(wac=-1.0)], psa=1)
    with pytest.raises(WrongInput, match="missing: wam"):
        file_cashflows([frame.drop("wam")], psa=1)
    with pytest.raises(WrongInput, match="no loan"):
        file_cashflows([], psa=1)
    with pytest.raises(WrongInput, match="can't be read as Parquet"):
        file_cashflows(tmp_path / "none.parquet", psa=1)


def test_each_month_keeps_its_sums() -> None:
    """What was owed is paid, lost or still owed; what is paid is what it is called."""
    frame = poolhouse.cashflows(1e6, 7, 6.5, 360, psa=200, cdr=3, severity=40, lag=18)
    for left, right in (
        ("balance", ["principal", "loss", "ending_balance"]),
        ("principal", ["scheduled_principal", "prepayment", "recovery"]),
        ("cash_flow", ["net_interest", "principal"]),
        ("scheduled_payment", ["gross_interest", "scheduled_principal"]),
    ):
        assert np.allclose(frame[left], frame.select(pl.sum_horizontal(right)).to_series(), rtol=1e-13, atol=1e-6)
    assert frame["balance"][1:].to_list() == pytest.approx(frame["ending_balance"][:-1].to_list(), rel=1e-14)
    assert frame["ending_balance"][-1] == 0


def test_an_unknown_age_is_that_of_a_usual_term() -> None:
    known = [cashflows(1, 6, 5, wam, psa=100, age=age) for wam, age in ((357, 3), (170, 10), (181, 179), (400, 0))]
    for frame, wam in zip(known, (357, 170, 181, 400), strict=True):
        assert cashflows(1, 6, 5, wam, psa=100).equals(frame)


WRONG = {
    "balance -1 must not be below 0": {"balance": -1},
    "balance .* finite": {"balance": float("nan")},
    "wac .* finite": {"wac": [5.0, float("inf")]},
    "coupon 9 must not be above the WAC": {"coupon": 9.0},
    "wam 0 must be 1 to 1200": {"wam": 0},
    "wam 359.5 must be whole": {"wam": 359.5},
    "age -1 must be 0": {"age": -1},
    "cpr 101 must not be above 100": {"cpr": 101},
    "smm .* below 0": {"smm": -1},
    "psa -5": {"psa": -5},
    "psa and cpr say": {"psa": 100, "cpr": 6},
    "cdr and sda say": {"cdr": 1, "sda": 100},
    "severity 120": {"severity": 120},
    "lag -1": {"lag": -1},
    r"lag must be one number, not \[1, 2\]": {"lag": [1, 2]},
    "advance must be True or False, not 'no'": {"advance": "no"},
    "advance must be True or False, not None": {"advance": None},
    "threads -1 must be 1 to 1024 threads": {"threads": -1},
    "threads must be numbers": {"threads": "all"},
    "only totals on a card": {"rows": True, "device": "gpu"},
    "balance must be numbers, not array": {"balance": np.array([1 + 2j])},
    "wam must be numbers, not array": {"wam": np.array(["1970-12-01"], dtype="datetime64[D]")},
    "one length": {"balance": [1.0, 2.0], "wac": [5.0, 6.0, 7.0]},
    "no pool": {"balance": []},
    "cpr has 2 rows for 1 pools": {"cpr": [[1.0], [2.0]]},
    "severity has 2 rows for 1 pools": {"severity": [[1.0], [2.0]]},
    "one severity a month for all": {"wac": [8.0, 9.0], "severity": [[1.0], [2.0]], "device": "gpu"},
    "a row of months": {"psa": []},
    "must be numbers": {"wac": "8 1/8"},
}


@pytest.mark.parametrize("message", WRONG)
def test_what_cannot_be_meant_is_refused(message: str) -> None:
    asked = {"balance": 100.0, "wac": 8.0, "coupon": 7.5, "wam": 360} | WRONG[message]
    with pytest.raises(WrongInput, match=message):
        cashflows(**asked)
    assert issubclass(WrongInput, ValueError) and issubclass(WrongInput, Refused)


def test_kernels_run_where_nothing_can_be_kept_and_in_forks(tmp_path: Path) -> None:
    """A read-only installation: compiled each time; after it, a forked child and a second thread get the same."""
    script = """
import os, sys, numba, numpy as np
from concurrent.futures import ThreadPoolExecutor
import numba.core.caching as caching
caching.CacheImpl._locator_classes = []
from poolhouse.valuation import cashflows, totals
totals.FEW = 0
assert "numba" in sys.modules and "poolhouse.valuation.kernels" not in sys.modules
ask = lambda _: cashflows(np.full(500, 1e5), 6.0, 5.5, 360, psa=150, threads=2)["cash_flow"].sum()
with ThreadPoolExecutor(2) as pool:
    first, second = pool.map(ask, range(2))
child = os.fork()
if child == 0:
    os._exit(0 if ask(0) == first else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0 and first == second
print("same")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout == "same\n", done.stderr


def test_numba_is_loaded_for_many_loans_only() -> None:
    script = "import sys, poolhouse; poolhouse.cashflows(1e6, 6, 5, 360, psa=100); sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


@settings(max_examples=60, deadline=None)
@given(
    count=st.sampled_from([1, 7, 8, 9, 255, 256, 257, 700]), seed=st.integers(0, 2**32 - 1), terms=st.integers(1, 400),
    lag=st.integers(0, 40), advance=st.booleans(), cdr=st.one_of(st.just(0.0), st.floats(0, 100)),
    psa=st.floats(0, 2000),
)  # fmt: skip
def test_blocks_of_any_size_total_their_rows(
    count: int, seed: int, terms: int, lag: int, advance: bool, cdr: float, psa: float
) -> None:
    """The edges of a block and of a vector register, terms all alike or all different."""
    rng = np.random.default_rng(seed)
    wac = rng.uniform(0, 12, count)
    loans = terms_of.pools(
        rng.uniform(0, 1e6, count), wac, wac / 2, rng.integers(1, terms + 1, count), rng.integers(0, 40, count)
    )
    speeds = terms_of.speeds_of(
        count, psa=psa, cpr=None, smm=None, cdr=cdr, sda=None, severity=40, lag=lag, advance=advance
    )
    added, kernel = totals.summed(loans, speeds), totals.compiled(loans, speeds)
    for name in schedule.COLUMNS:
        assert np.abs(added[name] - kernel[name]).max() <= 3e-14 * loans.balance.sum() + 1e-9, name
