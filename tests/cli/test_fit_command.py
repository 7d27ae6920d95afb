"""`poolhouse fit prepayment`: what it asks the market, its text, JSON and pictures, and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from poolhouse.findings import Refused


def test_it_asks_and_shows(terminal: Any) -> None:
    code, out, _ = terminal("fit", "prepayment", "--book", "b", "--split", "loans", "--holdout", "0.3")
    assert code == 0 and terminal.calls[-1] == ("fit_prepayment", (), {"split": "loans", "holdout": 0.3})
    for words in ("40 prepaid", "the rate 2 months before", "5.1", "0.7", "1.4", "2.9 to 8.8", "12.3%",
                  "+0.10 of them", "held", "too little", "2009-02*",
                  "+0.625", "1.036", "extra principal"):  # fmt: skip
        assert words in out, words
    assert "bought out" not in out  # the sample has no pools


def test_json_is_the_answer(terminal: Any) -> None:
    code, answer = terminal.json("fit", "prepayment", "--book", "b")
    assert code == 0 and answer == terminal.replies["fit_prepayment"]
    assert terminal.calls[-1][2] == {"split": "time", "holdout": 0.25}


def test_a_page(terminal: Any, tmp_path: Path) -> None:
    code, answer = terminal.json("fit", "prepayment", "--book", "b", "--plot", tmp_path / "fit.html")
    page = (tmp_path / "fit.html").read_text(encoding="utf-8")
    assert code == 0 and answer["plot"].endswith("fit.html")
    for name in ("curve", "unseen", "months", "shape"):
        assert f'data-figure="{name}"' in page
    assert "<td>0.7</td><td>1.4</td><td>2.9 to 8.8</td>" in page and "scatter by 12.3% beyond chance" in page
    assert "held: the data say too little of it" in page
    assert "2009-01 to 2009-02" in page and '"shapes"' in page and "20 against 19 predicted" in page


@pytest.mark.browser
def test_a_picture(terminal: Any, tmp_path: Path) -> None:
    assert terminal("fit", "prepayment", "--book", "b", "--plot", tmp_path / "fit.png")[0] == 0
    assert (tmp_path / "fit.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_what_is_refused(terminal: Any) -> None:
    code, out, err = terminal("fit", "prepayment", "--book", "b", "--plot", "x.gif")
    assert code == 2 and ".html or .png" in err + out and not terminal.calls
    terminal.replies["fit_prepayment"] = Refused("fit: 12 prepayments in 300 loan-months to fit")
    code, answer = terminal.json("fit", "prepayment", "--book", "b")
    assert code == 2 and "12 prepayments" in answer["error"]
