"""What docs/valuation.md shows runs, and names nothing that isn't there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from poolhouse import valuation

PAGE_OF_MODELS = Path(__file__).parents[2] / "docs" / "prepayment.md"
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


def test_the_models_page_runs() -> None:
    """Its two examples, and every parameter it names is one."""
    page = PAGE_OF_MODELS.read_text(encoding="utf-8")
    known: dict[str, Any] = {}
    for code in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(code, known)
    assert known["flows"].height == 360 and known["smm"].shape == (1, 120)
    table = page[page.index("| part |") : page.index("* Month 1")]
    named = set(re.findall(r"`([a-z_]+)`", table))
    fields = set(valuation.PrepaymentModel.__dataclass_fields__)
    assert named <= fields and {f for f in fields - named if not f.startswith("usual_")} == set()
