"""What docs/structures.md shows runs, and its table of rules is the vocabulary."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from poolhouse.deals.vocabulary import RULES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "structures.md").read_text(encoding="utf-8")


def test_the_example_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    monkeypatch.chdir(ROOT)
    known: dict[str, object] = {}
    exec(first, known)
    assert known["run"].classes["P"].principal[0] == 508_169_52  # type: ignore[attr-defined]
    exec(second, known)
    assert set(known["found"]["classes"][0]) == {"class", *re.findall(r"`(\w+)`", _keys())}  # type: ignore[index]


def _keys() -> str:
    """First cells of the table of keys on paths."""
    table = PAGE[PAGE.index("| key, of each class") : PAGE.index("A price is per 100")]
    return " ".join(line.split("|")[1] for line in table.splitlines()[2:] if line)


def test_every_rule_stands_in_the_table() -> None:
    section = PAGE[PAGE.index("## The rules") :]
    assert re.findall(r"^\| `([a-z_]+)` \|", section, re.MULTILINE) == list(RULES)
