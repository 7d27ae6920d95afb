"""What docs/valuation.md shows runs, and names nothing that isn't there."""

from __future__ import annotations

import re
from pathlib import Path

from poolhouse import valuation

PAGE = (Path(__file__).parents[2] / "docs" / "valuation.md").read_text(encoding="utf-8")


def test_the_example_runs() -> None:
    code = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert code
    known: dict[str, object] = {}
    exec(code[1], known)
    assert known["months"].height == 357


def test_every_name_is_there() -> None:
    named = re.findall(r"`(?:valuation\.)?([a-z_]+)(?=[`(])", PAGE)
    functions = [name for name in named if f"`{name}(" in PAGE or f"valuation.{name}" in PAGE]
    assert len(functions) > 8
    assert [name for name in functions if name != "cashflows" and not hasattr(valuation, name)] == []
