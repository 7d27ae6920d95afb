"""The notebook of examples/ runs from its first cell to its last, and ends in an OAS with its figures."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

NOTEBOOK = Path(__file__).parents[2] / "examples" / "tape_to_oas.ipynb"


@pytest.mark.slow
def test_every_cell_runs(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    shown = []
    for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] != "code":
            continue
        body = ast.parse("".join(cell["source"])).body
        last = body.pop() if isinstance(body[-1], ast.Expr) else None
        exec(compile(ast.Module(body, []), str(NOTEBOOK), "exec"), names)
        if isinstance(last, ast.Expr):
            shown.append(eval(compile(ast.Expression(last.value), str(NOTEBOOK), "eval"), names))
    pictures = [one for one in shown if type(one).__name__ == "Figure"]
    assert len(pictures) == 4 and all(picture.data for picture in pictures)
    found = names["found"]
    assert 0 < found.standard_error_bp < 5
    assert found.option_cost_bp > 0 and found.effective_duration > 0
    assert "oas_bp" in capsys.readouterr().out
