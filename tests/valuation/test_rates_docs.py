"""What docs/rates_and_oas.md shows runs, and its fields are there."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from poolhouse import valuation
from poolhouse.valuation import rates

PAGE = (Path(__file__).parents[2] / "docs" / "rates_and_oas.md").read_text(encoding="utf-8")


def test_the_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    first, of_losses = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    known: dict[str, Any] = {"__name__": "example"}
    exec(first, known)
    spread, error, cost, duration, multiple = map(float, capsys.readouterr().out.split())
    assert 0 < error < cost < spread
    assert 1 < duration < 8
    assert 2 < multiple < 8
    exec(of_losses, known)
    whole = valuation.oas(replace(known["risky"], credit=None), 98.5, known["paths"], known["Borrowers"]())
    assert known["lost"].oas_bp < whole.oas_bp - 30


def test_every_name_is_there() -> None:
    named = re.findall(r"`(valuation|rates)\.([a-z_]+)", PAGE)
    assert len(named) > 8
    assert [name for owner, name in named if not hasattr({"valuation": valuation, "rates": rates}[owner], name)] == []
    rows = [name for row in re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)]
    assert len(rows) == 11
    assert set(rows) <= {one.name for one in fields(valuation.Oas)}
