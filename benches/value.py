"""Cash flows at the machine's limit: `python -m benches.value [--loans 2m] [--whole 53m] [--others ENV]`.

The same work by our kernels, by plain NumPy and by what other packages there are, as ratios in one run; how much of
this machine's measured arithmetic, cache and memory the kernel uses; and 53 million loans from memory and from Parquet.
`--others` names the Python of a throw-away environment with QuantLib, pymbs, mtge, mortgagekit, absbox installed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numba
import numpy as np
import polars as pl
from rich.console import Console

from benches.quickest import best
from poolhouse import loans as tapes
from poolhouse.valuation import cashflows, file_cashflows

OUT = Console(width=120)
PSA, THREADS = 150, 2
FLOPS, L1_BYTES = 13, 88
"""Of a loan-month that only prepays: products and sums, and bytes read or written in the first-level cache."""
LOAN_BYTES = 32
_UNITS = {"k": 1_000, "m": 1_000_000}


def real_loans(count: int) -> dict[str, np.ndarray]:
    """The shipped tape repeated with varied rate, age and balance, in no order."""
    tape = tapes.as_loans(tapes.read_tape(tapes.demo_tape()).tape)
    pick = np.arange(count) % tape.height
    shake = np.random.default_rng(4)
    term = tape["term_months"].to_numpy()[pick].astype(np.int32)
    age = np.minimum(shake.integers(0, 300, count, dtype=np.int32), term - 1)
    wac = tape["note_rate_e7"].to_numpy()[pick] / 100_000 + shake.uniform(-1, 1, count)
    balance = tape["note_amount_cents"].to_numpy()[pick] / 100 * shake.uniform(0.5, 1.5, count)
    return {"balance": balance, "wac": wac, "coupon": wac - 0.5, "wam": term - age, "age": age}


def by_numpy(loans: dict[str, np.ndarray]) -> np.ndarray:
    """What one writes in NumPy: a column operation per term of the formula, month by month, totals as it goes."""
    rate, net = loans["wac"] / 1200, loans["coupon"] / 1200
    balance, left = loans["balance"].copy(), loans["wam"].astype(np.float64)
    payment = balance * rate / (1 - (1 + rate) ** -left)
    totals = np.zeros((int(loans["wam"].max()), 5))
    for month in range(len(totals)):
        alive = loans["wam"] > month
        interest = balance * rate
        scheduled = np.where(alive, np.minimum(payment - interest, balance), 0.0)
        smm = 1 - (1 - PSA / 100 * 0.002 * np.minimum(loans["age"] + month + 1, 30)) ** (1 / 12)
        prepaid = (balance - scheduled) * smm
        totals[month] = balance.sum(), interest.sum(), (balance * net).sum(), scheduled.sum(), prepaid.sum()
        balance = balance - scheduled - prepaid
        payment = payment * (1 - smm)
    return totals


@numba.njit(nogil=True, fastmath=True)
def _multiply_add(rounds: int, out: Any) -> None:
    """Independent chains of a product and a sum in registers: what arithmetic can do at most."""
    lanes = np.ones(64)
    for _ in range(rounds):
        for j in range(64):
            lanes[j] = lanes[j] * 0.999 + 0.001
    out[0] = lanes.sum()


@numba.njit(nogil=True, fastmath=True)
def _stream(rounds: int, out: Any) -> None:
    """a[j] = a[j] + b[j] c[j] over three columns of a block: what the first-level cache can do, 32 bytes a turn."""
    a, b, c = np.ones(256), np.full(256, 1e-9), np.ones(256)
    for _ in range(rounds):
        for j in range(256):
            a[j] = a[j] + b[j] * c[j]
    out[0] = a.sum()


def limits() -> dict[str, float]:
    """This machine's, on both threads at once: FLOP/s, bytes/s from the first cache, bytes/s from memory."""

    def both(work: Callable[[], object]) -> float:
        def all_at_once() -> None:
            with ThreadPoolExecutor(THREADS) as pool:
                list(pool.map(lambda _: work(), range(THREADS)))

        all_at_once()
        return best(all_at_once)

    rounds, out = 4_000_000, np.zeros(1)
    flops = THREADS * rounds * 64 * 2 / both(lambda: _multiply_add(rounds, out))
    cache = THREADS * 1_000_000 * 256 * 32 / both(lambda: _stream(1_000_000, out))
    large = [np.ones(20_000_000) for _ in range(THREADS)]
    memory = THREADS * large[0].nbytes / both(lambda: [column.sum() for column in large[:1]])
    return {"flops": flops, "cache": cache, "memory": memory}


def others(python: str) -> list[dict[str, Any]]:
    """The other packages' own lines."""
    with tempfile.TemporaryDirectory() as home:
        settings = Path(home) / ".config" / "pymbs"
        settings.mkdir(parents=True)
        (settings / "config.yaml").write_text(f"project directory: {home}\n", encoding="utf-8")
        script = Path(__file__).with_name("value_others.py")
        done = subprocess.run(
            [python, str(script)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False,
            env={**os.environ, "HOME": home, "PYTHONPATH": ""},
        )  # fmt: skip
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def small(count: int, python: str | None) -> None:
    """Rates of one run beside each other, and the share of the machine's limits."""
    loans = real_loans(count)
    months = int(loans["wam"].sum(dtype=np.int64))
    cashflows(**loans, psa=PSA)  # compiled, read in
    few = {name: column[: count // 20] for name, column in loans.items()}
    few_months = int(few["wam"].sum(dtype=np.int64))
    rates = {
        "kernel, two threads": months / best(lambda: cashflows(**loans, psa=PSA, threads=2)),
        "kernel, one thread": months / best(lambda: cashflows(**loans, psa=PSA, threads=1)),
        "kernel, one CPR": months / best(lambda: cashflows(**loans, cpr=8, threads=2)),
        "kernel, with defaults": months / best(lambda: cashflows(**loans, psa=PSA, sda=100, severity=35, threads=2)),
        "a row per loan and month": few_months / best(lambda: cashflows(**few, psa=PSA, rows=True), 2),
        "plain NumPy": few["wam"].size * int(few["wam"].max()) / best(lambda: by_numpy(few), 2),
    }
    found, ours = limits(), cashflows(**few, psa=PSA)
    gap = np.abs(by_numpy(few)[:, 0] / ours["balance"].to_numpy() - 1)[:-12].max()
    processor = time.process_time()
    cashflows(**loans, psa=PSA, threads=2)
    processor = time.process_time() - processor
    OUT.print(
        f"{count:,} loans, {months:,} loan-months; load {os.getloadavg()[0]:.1f} (others' work slows all but this:)"
    )
    OUT.print(f"  the kernel on two threads: {months / processor / 1e6:,.0f} million loan-months a second of one core")
    top = rates["kernel, two threads"]
    for name, rate in rates.items():
        OUT.print(f"  {name:28} {rate / 1e6:12,.1f} million loan-months/s {top / rate:10.1f} x slower than the first")
    for line in others(python) if python else []:
        if "rate" in line:
            OUT.print(
                f"  {line['name']:28} {line['rate'] / 1e6:12,.3f} million loan-months/s {top / line['rate']:10,.0f} x"
            )
        else:
            OUT.print(f"  {line['name']:28} left out: {line['why']}")
    OUT.print(f"  plain NumPy's balances differ from ours by {gap:.0e} at most (its last year of months left out)")
    used = {"flops": top * FLOPS, "cache": top * L1_BYTES, "memory": top / months * count * LOAN_BYTES}
    for name, unit in (("flops", "GFLOP/s"), ("cache", "GB/s in the first cache"), ("memory", "GB/s from memory")):
        share = used[name] / found[name]
        OUT.print(f"  measured limit {found[name] / 1e9:8,.1f} {unit}; the kernel, two threads, uses {share:.0%} of it")


def whole(count: int, folder: Path | None) -> None:
    """All loans of a country from memory, then from a file in a process of its own, whose memory is its own."""
    loans = real_loans(count)
    months = int(loans["wam"].sum(dtype=np.int64))
    cashflows(**{name: column[:100_000] for name, column in loans.items()}, psa=PSA)
    processor = time.process_time()
    seconds = best(lambda: cashflows(**loans, psa=PSA), 1)
    processor = time.process_time() - processor
    OUT.print(f"{count:,} loans, {months:,} loan-months: {seconds:.2f} s from memory, {months / seconds / 1e9:.2f}e9/s")
    OUT.print(f"  {processor:.2f} s of the processor, {months / processor / 1e9:.2f}e9 a second of one core")
    with tempfile.TemporaryDirectory(dir=folder) as temp:
        for part in (count // 8, count):
            path = Path(temp) / "loans.parquet"
            pl.DataFrame({name: column[:part] for name, column in loans.items()}).write_parquet(
                path, compression="uncompressed"
            )
            if part == count:
                del loans
            done = subprocess.run(
                [sys.executable, "-m", "benches.value", "--file", str(path)],
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            OUT.print(f"  {part:,} from Parquet ({path.stat().st_size / 1e9:.2f} GB): {done.stdout.strip()}")


def streamed(path: str) -> None:
    began = time.perf_counter()
    found = file_cashflows(path, psa=PSA)
    seconds = time.perf_counter() - began
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    peak = int(status.split("VmHWM:")[1].split()[0]) / 1e6  # rusage would count the parent's at the fork
    used = f"{seconds:.2f} s ({time.process_time():.2f} of the processor), peak memory {peak:.2f} GB"
    print(f"{used}, {found['cash_flow'].sum():.6e} dollars")


def main() -> None:
    """Each part asked for."""
    parser = argparse.ArgumentParser(prog="python -m benches.value", description=__doc__)
    parser.add_argument("--loans", default="2m")
    parser.add_argument("--whole", help="53m: every first mortgage in the country")
    parser.add_argument("--others", help="the Python of an environment with other packages")
    parser.add_argument("--folder", type=Path, help="where the large file is written, and removed again")
    parser.add_argument("--file", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.file:
        streamed(given.file)
        return
    small(_count(given.loans), given.others)
    if given.whole:
        whole(_count(given.whole), given.folder)


def _count(text: str) -> int:
    return int(float(text.rstrip("kmKM")) * _UNITS.get(text[-1:].lower(), 1))


if __name__ == "__main__":
    main()
