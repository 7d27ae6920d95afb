"""What people read: the figures of the answers stand in the text, and users' text stays text."""

from __future__ import annotations

import re
from typing import Any

import pytest

import sample_report
from poolhouse.web import words


def test_the_market_as_a_table(terminal: Any) -> None:
    code, out, err = terminal("demo", "--book", "my book")
    assert code == 0
    out = " ".join(out.split())  # wrapped where the terminal ends
    for text in (
        "50,502", "48,777", "96.6%", "31", "9.4", "212", "not the market's", "Fannie Mae", "$4,123,456,789.00",
        "5.125%", "4% to 5.5%", "$2,014,696,554.52", "every cent accounted for", "36,010", "96.59%", "12 of 12 hold",
        "servicing.buyout_months", "poolhouse report --book my book --html report.html",
    ):  # fmt: skip
        assert text in out, text
    assert err.splitlines() == ["2009-01 (0 of 2)", "2009-02 (1 of 2)", "2009-03 (2 of 2)"]


def test_the_two_sides_of_the_cash_have_the_same_sum() -> None:
    sides = words.cash_sides(sample_report.report()["cash"])
    assert sides["total_in"] == sides["total_out"] == 210_220_544_452


def test_cash_that_does_not_reconcile_is_shouted(terminal: Any) -> None:
    spoiled = sample_report.report()
    spoiled["cash"] |= {"difference_cents": 1}
    terminal.replies["report"] = spoiled
    _, out, _ = terminal("report", "--book", "b")
    assert "DOES NOT RECONCILE" in out


def test_a_report_of_a_young_book_has_no_empty_tables(terminal: Any) -> None:
    young = {"edition": "2009", "loans": {"offered": 3, "rejected": 0}, "months": 0}
    terminal.replies["report"] = young
    code, out, _ = terminal("report", "--book", "b")
    assert code == 0
    assert "Delinquency" not in out and "By program" not in out


def test_trace_says_where_each_cent_went_and_keeps_brackets(terminal: Any) -> None:
    _, out, _ = terminal("trace", "--book", "b", "--loan", "1", "--month", "2009-03")
    assert "Where $1,580.17 went" in out
    assert "First [bold]Bank[/bold]" in out
    assert re.search(r"Together\s+\$1,580\.17", out)
    assert "miss the payment" not in out


def test_trace_says_when_the_shares_miss_the_payment(terminal: Any) -> None:
    terminal.replies["trace"] = {"paid_cents": 5, "split": [{"party": "x", "role": "y", "account": "z", "cents": 3}]}
    _, out, _ = terminal("trace", "--book", "b", "--loan", "1", "--month", "2009-03")
    assert "the shares miss the payment by $0.02" in out


def test_a_loans_life(terminal: Any) -> None:
    _, out, _ = terminal("loan", "1", "--book", "b")
    for text in ("Loan X-1", "$250,000.00", "6.875%", "31400ABC1", "First Bank", "2009-03", "20 more"):
        assert text in out, text


@pytest.mark.parametrize("name", ["lookthrough", "lenders"])
def test_other_queries_show_their_rows(terminal: Any, name: str) -> None:
    options = ["--holder", "pension"] if name == "lookthrough" else []
    code, out, _ = terminal(name, "--book", "b", *options)
    assert code == 0
    assert ("MA1" if name == "lookthrough" else "First Bank") in out


def test_a_step_says_what_comes_next(terminal: Any) -> None:
    _, out, _ = terminal("sell", "--book", "b")
    assert "Next: poolhouse pool --book b" in out


def test_control_characters_never_reach_the_terminal(terminal: Any) -> None:
    terminal.replies["lenders"] = {"lenders": [{"lender": "Bad\x1b[2JBank", "loans": 1}]}
    _, out, _ = terminal("lenders", "--book", "b")
    assert "\x1b" not in out
    assert "Bad?[2JBank" in out


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("paid_cents", -5, "-$0.05"),
        ("note_rate_e7", 687_500, "6.875%"),
        ("factor_e8", 99_512_345, "0.99512345"),
        ("ltv_e4", 8_000, "80.00%"),
        ("price_e6", 101_250_000, "101.25"),
        ("loan_id", 12_345, "12345"),
        ("loans", 12_345, "12,345"),
        ("streamline", True, "yes"),
        ("pool", None, "-"),
    ],
)
def test_figures_by_their_unit(key: str, value: Any, text: str) -> None:
    assert words.shown(key, value) == text


def test_labels() -> None:
    assert words.label("servicing_fee_cents") == "Servicing fee"
    assert words.label("wac") == "WAC"
    assert words.short_money(831_250_000_000) == "$8.31 billion"


def test_a_tapes_check_as_text(terminal: Any, tmp_path: Any) -> None:
    tape = tmp_path / "t.csv"
    tape.write_text("loan\n1\n", encoding="utf-8")
    code, out, _ = terminal("check", tape)
    assert code == 0
    for text in ("3 loans, delivered 2026-12-01, 1 rows", "2026-11", "[b]ours[/b]", "max_dti",
                 "nearest is from 2017-07-29", "no number", "75", "Best answer"):  # fmt: skip
        assert text in out, text


def test_the_rules_in_force_as_a_table(terminal: Any) -> None:
    code, out, _ = terminal("standards", "--program", "gnma", "--as-of", "2026-12-01")
    assert code == 0
    for text in (
        "Rules in force on 2026-12-01",
        "fha_score",
        "500",
        "first lien",
        "loans.financed_fee_rate"[6:],
        "2026-11",
    ):
        assert text in out, text
    _, changed, _ = terminal("standards", "diff", "2025-11-15", "2025-11-16")
    assert "min_score" in changed and "no limit" in changed and "1 values differ" in changed
