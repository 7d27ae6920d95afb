"""The card's totals against the processor's: in Numba's simulator everywhere, on a card where there is one."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from poolhouse.findings import Refused
from poolhouse.valuation import WrongInput, cashflows

CASES = [
    {"psa": 150},
    {"cpr": 6, "cdr": 5, "severity": 40, "lag": 3},
    {"smm": 1, "sda": 900, "severity": 40, "lag": 0, "advance": False},
    {"psa": [100, 200], "cdr": 20, "lag": 2, "severity": 30, "advance": False},
]
CLOSE = 1e-9
"""Of the column's largest: the bound asked for; the simulator differs by 1e-15."""


def differences(count: int, longest: int) -> list[float]:
    """Largest difference of any column, by case."""
    rng = np.random.default_rng(3)
    wac = np.where(rng.random(count) < 0.05, 0.0, rng.uniform(0, 12, count))
    loans = {
        "balance": rng.uniform(0, 1e6, count), "wac": wac, "coupon": wac * 0.9,
        "wam": rng.integers(1, longest + 1, count), "age": rng.integers(0, 50, count),
    }  # fmt: skip
    found = []
    for case in (*CASES, {"cpr": rng.uniform(0, 100, (count, 1)), "cdr": 3}):
        one, other = cashflows(**loans, **case, device="gpu"), cashflows(**loans, **case)
        found.append(
            max(float(np.abs(one[n] - other[n]).max()) / max(float(other[n].abs().max()), 1.0) for n in other.columns)
        )
    return found


def test_the_card_agrees_in_numbas_simulator() -> None:
    """200 loans on one block, so that it turns twice."""
    script = (
        "import test_gpu; from poolhouse.valuation import kernels_gpu; kernels_gpu.BLOCKS = 1; "
        "print(max(test_gpu.differences(200, 13)))"
    )
    where = {"NUMBA_ENABLE_CUDASIM": "1", "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, env={**os.environ, **where}
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < CLOSE


@pytest.mark.gpu
def test_the_card_agrees() -> None:
    assert max(differences(200_000, 480)) < CLOSE


def test_no_card_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    from poolhouse.valuation import kernels_gpu

    monkeypatch.setattr(kernels_gpu.cuda, "is_available", lambda: False)
    with pytest.raises(Refused, match="no CUDA device"):
        cashflows(1e6, 6, 5, 360, psa=100, device="gpu")
    with pytest.raises(WrongInput, match="'tpu' is neither"):
        cashflows(1e6, 6, 5, 360, psa=100, device="tpu")
