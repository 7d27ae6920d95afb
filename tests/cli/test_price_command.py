"""`poolhouse price`: what it asks of the market, which options go together, how a tape's prices look."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    path = tmp_path / "loans.csv"
    path.write_text("loan_number\n1\n", encoding="utf-8")
    return path


def test_a_loan_by_options_becomes_columns_of_a_tape(terminal: Any) -> None:
    code, _, err = terminal(
        "price", "--amount", "$400,000.50", "--rate", "6.875", "--ltv", "80", "--score", "745", "--as-of", "2026-12-01",
        "--fact", "escrowed=false", "--property", "condo", "--what-if", "gfee=46", "--what-if", "buy_up=4",
    )  # fmt: skip
    assert code == 0, err
    name, _, asked = terminal.calls[-1]
    assert name == "price_loan"
    assert asked["facts"] == {
        "loan_number": "1", "originator_id": "1", "kind": "conventional", "term_months": "360",
        "note_amount_cents": "40000050", "note_rate_e7": "687500", "ltv_e4": "8000", "score": "745",
        "property_type": "condo", "note_date": "2026-12-01", "escrowed": "false",
    }  # fmt: skip
    assert list(asked["what_if"]) == ["gfee=46", "buy_up=4"]


def test_a_tape_and_one_of_its_loans(terminal: Any, tape: Path) -> None:
    code, out, _ = terminal("price", tape, "--out", "offers.csv", "--no-hold")
    assert code == 0
    assert terminal.calls[-1][0] == "price_tape" and terminal.calls[-1][2]["hold"] is False
    for figure in ("102-19.76", "$102,617.50", "[b]Monday[/b]", "gfee=46", "no program's standards are met"):
        assert figure in " ".join(out.split())
    code, out, _ = terminal("price", tape, "--loan", "1")
    assert code == 0 and terminal.calls[-1][2]["loan"] == "1"
    assert "Outlets closed to this loan" in out and "no loan to value" in out


@pytest.mark.parametrize(
    "arguments",
    [
        [], ["--loan", "1"], ["--book", "b"], ["--amount", "1", "--loan", "1"], ["--amount", "1"], ["--rate", "5"],
        ["--amount", "1", "--rate", "5"], ["--amount", "x", "--rate", "5", "--as-of", "2026-12-01"],
        ["--amount", "1", "--rate", "5.123456", "--as-of", "2026-12-01"],
        ["--amount", "1", "--rate", "5", "--as-of", "2026-12-01", "--fact", "escrowed"],
        ["--book", "b", "--loan", "1", "--edition", "2026-11"],
        ["--amount", "1", "--rate", "5", "--as-of", "2026-12-01", "--out", "x.csv"],
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_refused(terminal: Any, arguments: list[str]) -> None:
    code, answer = terminal.json("price", *arguments)
    assert code == 2 and answer["error"]
