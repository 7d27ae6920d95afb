"""Help answers at once: it imports nothing heavy. Checked in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

import poolhouse

COMMANDS = (
    "demo", "run", "close", "check", "sell", "pool", "issue", "trade", "transfer", "notify", "close-month", "verify",
    "report", "loan", "trace", "lookthrough", "lenders", "rate-lender", "repurchase", "advice", "commit",
)  # fmt: skip
HEAVY = (
    "polars", "numpy", "numba", "highspy", "lxml", "sqlalchemy", "jinja2", "plotly", "rich", "holidays",
    "poolhouse.market",
)  # fmt: skip

PROBE = f"""
import sys
from poolhouse.cli.shell import run
code = run(sys.argv[1:])
heavy = [name for name in {HEAVY!r} if name in sys.modules]
sys.exit(f"heavy: {{heavy}}" if heavy else code)
"""


def _help(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PROBE, *arguments, "--help"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_help_imports_nothing_heavy_and_names_every_command() -> None:
    done = _help()
    assert (done.returncode, done.stderr) == (0, "")
    assert not [name for name in COMMANDS if f"\n  {name} " not in done.stdout]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_takes_book_and_json(name: str) -> None:
    done = _help(name)
    assert (done.returncode, done.stderr) == (0, "")
    assert "--book DIR" in done.stdout
    assert "--json" in done.stdout


def test_alone_it_shows_its_help() -> None:
    done = subprocess.run([sys.executable, "-m", "poolhouse.cli"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Usage: poolhouse")
    assert "..." not in done.stdout.split("Commands:")[1]  # every summary fits its line


def test_the_version_is_the_packages() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "poolhouse.cli", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"poolhouse {poolhouse.__version__}\n"
