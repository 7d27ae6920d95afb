"""Tables on screens of any width: no word and no figure is broken, and what is left out is named."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from poolhouse.cli.grids import table

NAMES = ("Lender", "Settles", "Program", "Principal", "Net wire")
ROWS = [("UNION SAVINGS BANK", "2009-02-17", "Freddie Mac", "$74,667,623.00", "$7,175,399.07")]


def shown(width: int) -> str:
    console = Console(file=StringIO(), width=width, highlight=False)
    console.print(table(NAMES, ROWS, right=(3, 4), spare=(2, 1)))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert max(len(line) for line in text.splitlines()) <= width
    return str(text)


@pytest.mark.parametrize(("width", "without"), [(140, ""), (75, ""), (60, "Program"), (45, "Settles, Program")])
def test_a_narrow_screen_goes_without_what_can_be_spared(width: int, without: str) -> None:
    text = shown(width)
    for whole in ("UNION", "$74,667,623.00", "$7,175,399.07"):
        assert whole in text
    assert ("2009-02-17" in text) == ("Settles" not in without)
    assert ("Freddie" in text) == ("Program" not in without)
    told = " ".join(text.split())
    assert (f"No room here for: {without}. --json has them." in told) == bool(without)


def test_a_figure_that_has_no_room_shows_that_it_is_cut() -> None:
    text = shown(30)
    assert "$74,667,623.00" not in text and "…" in text


def test_two_words_over_a_figure_need_room_too() -> None:
    """Else all columns seem to fit and every figure is cut."""
    console = Console(file=StringIO(), width=34, highlight=False)
    console.print(table(("Month", "Net interest", "Rate", "Lost"), [("1", "5", "net WAC", "7")], range(4), spare=(3,)))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "Net interest" in text and "net WAC" in text and "…" not in text and "No room here for: Lost" in text
