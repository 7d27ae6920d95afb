"""Every command calls the market's method of its name with what the user gave, and no more."""

from __future__ import annotations

import csv
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from poolhouse.findings import Refused


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    path = tmp_path / "tape.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["loan_number"], ["1"]])
    return path


def test_demo_makes_its_book_and_runs_24_months(terminal: Any) -> None:
    code, answer = terminal.json("demo")
    assert code == 0
    assert answer["loans"]["offered"] == 50_502
    assert terminal.calls == [("open", ("demo-book",), {"create": True}), ("demo", (), {"months": 24})]


def test_run_passes_what_was_given(terminal: Any, tape: Path) -> None:
    options = ["--months", 6, "--seed", 7, "--start", "2009-02", "--mapping", tape, "--payments", tape]
    code, _ = terminal.json("run", tape, "--book", "b", *options)
    assert code == 0
    assert terminal.calls == [
        ("open", ("b",), {"create": True, "seed": 7, "start": "2009-02"}),
        ("run", (tape,), {"months": 6, "seed": 7, "start": "2009-02", "mapping": tape, "payments": tape}),
    ]


def test_run_leaves_to_the_book_what_was_not_given(terminal: Any, tape: Path) -> None:
    terminal.json("run", tape, "--book", "b")
    assert terminal.calls == [("open", ("b",), {"create": True}), ("run", (tape,), {"months": 24})]


def test_close_takes_seed_start_edition_and_mapping(terminal: Any, tape: Path) -> None:
    terminal.json("close", tape, "--book", "b", "--seed", 2, "--start", "2009-01", "--edition", "2009")
    assert terminal.calls == [
        ("open", ("b",), {"create": True, "seed": 2, "start": "2009-01", "edition": "2009"}),
        ("close", (tape,), {"mapping": None}),
    ]


@pytest.mark.parametrize("name", ["check", "sell", "issue", "notify", "lenders", "report"])
def test_plain_commands(terminal: Any, name: str) -> None:
    code, _ = terminal.json(name, "--book", "b")
    assert code == 0
    assert terminal.calls == [("open", ("b",), {"create": False}), (name, (), {})]


def test_pool_takes_a_users_own_deal(terminal: Any, tape: Path) -> None:
    terminal.json("pool", "--book", "b")
    terminal.json("pool", "--book", "b", "--deal", tape)
    assert terminal.calls[1::2] == [("pool", (None,), {}), ("pool", (tape,), {})]


def test_trade_transfer_and_close_month(terminal: Any, tape: Path) -> None:
    terminal.json("trade", "--book", "b", "--tickets", tape)
    terminal.json("transfer", "--book", "b", "--loans", tape, "--to", "New Co", "--effective", "2009-05-01")
    terminal.json("close-month", "--book", "b", "--payments", tape)
    assert terminal.calls[1::2] == [
        ("trade", (tape,), {}),
        ("transfer", (tape, "New Co", date(2009, 5, 1)), {}),
        ("close_month", (), {"payments": tape}),
    ]


def test_queries(terminal: Any) -> None:
    terminal.json("loan", "X-1", "--book", "b")
    terminal.json("trace", "--book", "b", "--loan", "17", "--month", "2009-03")
    terminal.json("lookthrough", "--book", "b", "--holder", "pension")
    assert terminal.calls[1::2] == [
        ("loan", ("X-1",), {}),
        ("trace", ("17", "2009-03"), {}),
        ("lookthrough", ("pension",), {}),
    ]


def test_verify_exits_1_when_a_promise_fails(terminal: Any) -> None:
    assert terminal.json("verify", "--book", "b")[0] == 0
    row = {"id": 3, "name": "Tied", "ok": False, "checked": 9, "first_failure": "loan 7: 1 cent"}
    terminal.replies["verify"] = {"ok": False, "head": "00", "promises": [row]}
    code, answer = terminal.json("verify", "--book", "b")
    assert (code, answer["ok"]) == (1, False)
    code, out, _ = terminal("verify", "--book", "b")
    assert code == 1
    assert "FAILS" in out and "loan 7: 1 cent" in out


def test_report_writes_the_page(terminal: Any, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    code, answer = terminal.json("report", "--book", "b", "--html", page)
    assert (code, answer["html"]) == (0, str(page))
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_refusal_is_a_message_and_code_2(terminal: Any) -> None:
    terminal.replies["sell"] = Refused("check the loans first: poolhouse check")
    code, out, err = terminal("sell", "--book", "b")
    assert (code, out, err) == (2, "", "poolhouse: check the loans first: poolhouse check\n")
    assert terminal.json("sell", "--book", "b") == (2, {"error": "check the loans first: poolhouse check"})


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("run", "/no/such/tape.csv", "--book", "b"), "/no/such/tape.csv"),
        (("run", "--book", "b"), "TAPE"),
        (("sell",), "--book"),
        (("sell", "--book", "b", "--fast"), "--fast"),
        (("nonsense",), "nonsense"),
        (("trace", "--book", "b", "--loan", "1", "--month", "March"), "YYYY-MM"),
        (("demo", "--months", "0"), "--months"),
        (("transfer", "--book", "b", "--loans", "/etc/hostname", "--to", "x", "--effective", "soon"), "soon"),
    ],
)
def test_a_wrong_command_line_is_refused_in_both_tongues(terminal: Any, arguments: tuple[str, ...], says: str) -> None:
    code, out, err = terminal(*arguments)
    assert (code, out) == (2, "")
    assert says in err and "Traceback" not in err
    code, answer = terminal.json(*arguments)
    assert code == 2
    assert says in answer["error"]
    assert terminal.calls == []


def test_a_file_that_cannot_be_written_is_said(terminal: Any, tmp_path: Path) -> None:
    code, answer = terminal.json("report", "--book", "b", "--html", tmp_path / "no" / "such" / "page.html")
    assert code == 2
    assert "No such file" in answer["error"]


def test_an_interrupt_is_tidy(terminal: Any) -> None:
    terminal.replies["demo"] = KeyboardInterrupt()
    code, out, err = terminal("demo")
    assert (code, out) == (130, "")
    assert "interrupted" in err and "Traceback" not in err
    assert "interrupted" in terminal.json("demo")[1]["error"]


def test_our_own_fault_shows_its_trace_and_still_answers_json(terminal: Any) -> None:
    terminal.replies["pool"] = KeyError("coupon")
    code, out, err = terminal("pool", "--book", "b", "--json")
    assert code == 3
    assert "KeyError" in json.loads(out)["error"]
    assert "Traceback" in err


def test_check_judges_a_tape_with_what_was_given(terminal: Any, tape: Path) -> None:
    options = [
        "--as-of",
        "2026-12-01",
        "--edition",
        "2026-11",
        "--program",
        "fnma",
        "--program",
        tape,
        "--out",
        "f.csv",
    ]
    code, answer = terminal.json("check", tape, *options, "--overlays", tape, "--mapping", tape)
    assert (code, answer["edition"]) == (0, "2026-11")
    given = {"as_of": "2026-12-01", "edition": "2026-11", "programs": ["fnma", str(tape)], "overlays": [tape],
             "out": Path("f.csv")}  # fmt: skip
    assert terminal.calls == [("check_tape", (tape, tape), given)]


def test_convert_asks_for_a_layout_and_a_file(terminal: Any, tape: Path) -> None:
    code, answer = terminal.json("convert", tape, "--to", "uldd", "--out", "loans.xml", "--mapping", tape)
    assert (code, answer["loans"]) == (0, 2)
    assert terminal.calls == [("convert", (tape, tape), {"to": "uldd", "out": Path("loans.xml")})]
    assert terminal.json("convert", tape, "--to", "excel", "--out", "x.xlsx")[0] == 2
    code, out, _ = terminal("convert", tape, "--to", "uldd", "--out", "loans.xml")
    assert code == 0 and "Loans of loans.csv (freddie) written to loans.xml: 2; rows that can't be used: 1" in out
    assert "note day drawn: the tape has the month only" in out and "[9]" in out


def test_check_takes_a_tape_or_a_book(terminal: Any, tape: Path) -> None:
    for arguments in ([], [tape, "--book", "b"], ["--book", "b", "--as-of", "2026-12-01"]):
        code, answer = terminal.json("check", *arguments)
        assert code == 2
        assert "TAPE" in answer["error"]
