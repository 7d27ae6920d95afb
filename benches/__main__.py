"""`python -m benches [--sizes 50k,500k,1m] [--quick] [--no-demo]`: measures and prints; asserts nothing."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benches import floor, formats, tapes
from benches.stopwatch import KINDS

_UNITS = {"k": 1_000, "m": 1_000_000}
OUT = Console()


def main() -> None:
    """Each size in processes of its own, one table each."""
    parser = argparse.ArgumentParser(prog="python -m benches", description=__doc__)
    parser.add_argument("--sizes", default="50k,500k,1m", help="loans per book, such as 50k,1m")
    parser.add_argument("--repeat", type=int, default=3, help="close the same month this often; the quickest counts")
    parser.add_argument("--quick", action="store_true", help="50k once and three months of the demo: does it all run?")
    parser.add_argument("--no-demo", action="store_true", help="the big books only")
    parser.add_argument("--folder", type=Path, help="where the books are built, and removed again")
    given = parser.parse_args()
    sizes = [_size(text) for text in ("50k" if given.quick else given.sizes).split(",")]
    OUT.print(f"{platform.machine()}, {_processor()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    OUT.print(f"load before: {os.getloadavg()[0]:.1f} (others' work: on a busy machine read the processor's seconds)")
    with tempfile.TemporaryDirectory(prefix="poolhouse-bench-", dir=given.folder) as temp:
        found = [_book_of(size, 1 if given.quick else given.repeat, Path(temp)) for size in sizes]
        _print_sizes(found)
        if not given.no_demo:
            _print_demo(_measure("demo", f"{temp}/demo", "3" if given.quick else "24"))
    _print_standards()
    formats.measured(5_000 if given.quick else formats.LOANS, OUT)


def _size(text: str) -> int:
    unit = _UNITS.get(text[-1:].lower())
    return int(float(text[:-1]) * unit) if unit else int(text)


def _processor() -> str:
    if Path("/proc/cpuinfo").is_file():
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()


def _measure(*arguments: str) -> dict[str, Any]:
    """A measurement in its own process; what it says on stderr goes through."""
    done = subprocess.run(
        [sys.executable, "-m", "benches.measure", *arguments], stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"benches.measure {' '.join(arguments)} failed")
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def _book_of(size: int, repeat: int, temp: Path) -> dict[str, Any]:
    """Everything about one size. The book is built once; its second month is closed in copies of it."""
    OUT.print(f"[dim]{size:,} loans ...[/dim]")
    tape, book, copy = tapes.build(size, temp), temp / "book", temp / "copy"
    built = _measure("build", str(tape), str(book))
    tape.unlink()
    months = []
    for _ in range(repeat):
        shutil.copytree(book, copy)
        os.sync()
        months.append(_measure("month", str(copy)))
        if len(months) < repeat:
            shutil.rmtree(copy)
    least = floor.least(str(copy), temp)
    shutil.rmtree(copy)
    shutil.rmtree(book)
    return {"size": size, "built": built, "month": min(months, key=lambda m: m["seconds"]), "least": least}


def _print(title: str, heads: list[str], rows: list[tuple[str, list[str]]]) -> None:
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("")
    for head in heads:
        table.add_column(head, justify="right")
    for name, cells in rows:
        table.add_row(name, *cells)
        if not name:
            table.add_section()
    OUT.print(table)


def _print_sizes(found: list[dict[str, Any]]) -> None:
    """One column per size: the way into the book, one month, what the month's time is spent on, the least."""

    def each(name: str, cell: Callable[[dict[str, Any]], str]) -> tuple[str, list[str]]:
        return name, [cell(one) for one in found]

    gap = ("", [""] * len(found))
    steps = ("close", "check", "sell", "pool", "issue", "notify", "close_month")
    rows = [
        each("reading the tape, loans/s", lambda o: _rate(o["built"]["rows"], o["built"]["seconds"]["read"])),
        each("check, loans/s, durable", lambda o: _rate(o["built"]["checked"], o["built"]["seconds"]["check"])),
        *(each(f"first {s.replace('_', '-')}, s", lambda o, s=s: f"{o['built']['seconds'][s]:.2f}") for s in steps),
        each("peak so far, GB", lambda o: _gb(o["built"]["peak_bytes"])),
        gap,
        each("second close-month, s", lambda o: f"{o['month']['seconds']:.2f}"),
        each("loans/s", lambda o: _rate(o["month"]["rows"]["loan_months"], o["month"]["seconds"])),
        each("peak, GB", lambda o: _gb(o["month"]["peak_bytes"])),
        each("written, MB", lambda o: f"{o['month']['bytes_written'] / 1e6:.0f}"),
        each("processor, s", lambda o: f"{o['month']['processor_seconds']:.2f}"),
        each("cores busy", lambda o: f"{o['month']['processor_seconds'] / o['month']['seconds']:.1f}"),
        *(each(f"  {kind}", lambda o, kind=kind: _share(o["month"]["kinds"], kind)) for kind in KINDS),
        gap,
        *(each(f"least {kind}, s", lambda o, kind=kind: f"{o['least'][kind]:.3f}") for kind in floor.KINDS),
        each("least in all, s", lambda o: f"{o['least']['seconds']:.2f}"),
        each("times the least", lambda o: f"{o['month']['seconds'] / o['least']['seconds']:.1f}"),
        each("bytes a row, in memory", lambda o: f"{o['least']['row_bytes']:.0f}"),
        each("bytes a row, in the file", lambda o: f"{o['least']['file_row_bytes']:.0f}"),
    ]  # fmt: skip
    _print("Books of the real tape, repeated", [f"{one['size']:,}" for one in found], rows)


def _share(kinds: dict[str, float], kind: str) -> str:
    return f"{kinds.get(kind, 0):.2f} s  {kinds.get(kind, 0) / sum(kinds.values()):4.0%}"


def _rate(count: int, seconds: float) -> str:
    return f"{count / seconds:,.0f}"


def _print_demo(found: dict[str, Any]) -> None:
    rows = [(name, [f"{seconds:.2f}"]) for name, seconds in found["stages"].items()]
    rows += [("total", [f"{found['seconds']:.2f}"]), ("peak, GB", [_gb(found["peak_bytes"])])]
    rows += [("written, MB", [f"{found['bytes_written'] / 1e6:.0f}"]), ("promises kept", [str(found["promises"])])]
    _print(f"The demo, {found['loans']:,} loans", ["seconds"], rows)


def _print_standards() -> None:
    """Rules judged a second, by a process of its own."""
    done = subprocess.run([sys.executable, "-m", "benches.standards"], stdout=subprocess.PIPE, text=True, check=True)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    names = {"evaluations": "rules judged", "seconds": "seconds", "processor_seconds": "processor, s",
             "million_a_second": "million a second", "explained": "answers put in words (one tape)",
             "explain_seconds": "seconds"}  # fmt: skip
    rows = [(name, [f"{one[key]:,}" for one in found]) for key, name in names.items()]
    _print("The check, all outlets", [f"{one['loans']:,} loans" for one in found], rows)


def _gb(count: int) -> str:
    return f"{count / 1e9:.2f}"


if __name__ == "__main__":
    main()
