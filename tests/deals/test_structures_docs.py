"""What docs/structures.md shows runs, and its table of rules is the vocabulary."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from poolhouse.deals.vocabulary import RULES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "structures.md").read_text(encoding="utf-8")


def test_the_example_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    code = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert code
    monkeypatch.chdir(ROOT)
    known: dict[str, object] = {}
    exec(code[1], known)
    assert known["run"].classes["P"].principal[0] == 508_169_52  # type: ignore[attr-defined]


def test_every_rule_stands_in_the_table() -> None:
    section = PAGE[PAGE.index("## The rules") :]
    assert re.findall(r"^\| `([a-z_]+)` \|", section, re.MULTILINE) == list(RULES)
