"""Every command that the README and the tour show is one the command line takes."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
LINES = [
    line.split("#")[0].split(";")[0].strip()
    for name in ("README.md", "docs/tour.md", "docs/structures.md")
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines()
    if line.startswith("poolhouse ")
]
FILES = (
    "loans.csv",
    "tickets.csv",
    "moved.csv",
    "payments.csv",
    "demands.csv",
    "commitments.csv",
    "offers.csv",
    "pools.csv",
    "limits.toml",
    "desk.toml",
    "mine.toml",
)


def test_the_docs_show_every_command() -> None:
    from poolhouse.cli.app import app

    known = {c.name or c.callback.__name__ for c in app.registered_commands if c.callback}
    shown = {line.split()[1] for line in LINES}
    assert known - shown == {"demo"}  # `make demo` runs it


@pytest.mark.parametrize("line", LINES)
def test_a_command_of_the_docs_is_taken(terminal: Any, line: str, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    for name in FILES:
        Path(name).write_text("loan\n1\n", encoding="utf-8")
    for deal in (ROOT / "examples" / "deals").glob("*.toml"):
        shutil.copy(deal, tmp_path)
    shutil.copy(ROOT / "examples" / "rates.toml", tmp_path)
    code, _, err = terminal(*shlex.split(line)[1:])
    assert code == 0, err


def test_make_runs_what_the_docs_name() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    pages = [
        (ROOT / n).read_text(encoding="utf-8") for n in ("README.md", "CONTRIBUTING.md", "docs/tour.md", ".ci/run")
    ]
    named = {m for page in pages for m in re.findall(r"^(?:exec )?make ([a-z-]+)|`make ([a-z-]+)`", page, re.MULTILINE)}
    assert {a or b for a, b in named} <= targets
