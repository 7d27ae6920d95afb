"""`poolhouse execute --offers`: which options go together, one JSON object on a real stdout, nothing half-written."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import poolhouse
from poolhouse.market import execute as execute_module
from poolhouse.market import execute_offers

EXAMPLES = Path(__file__).parents[2] / "examples"
FILES = {
    "--offers": EXAMPLES / "desk" / "EligiblePricingCombinations.csv",
    "--pools": EXAMPLES / "desk" / "PoolOptionData.csv",
    "--limits": EXAMPLES / "desk_limits.toml", "--loans": EXAMPLES / "desk" / "LoanData.csv",
}  # fmt: skip


REAL = execute_offers.execute_offers


def arguments(**other: Any) -> list[str]:
    files = {**{k.removeprefix("--"): v for k, v in FILES.items()}, **other}
    return [text for name, value in files.items() if value is not None for text in (f"--{name}", str(value))]


def started(*more: str) -> subprocess.Popen[str]:
    """The real program in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "poolhouse.cli", "execute", *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, env={**os.environ, "PYTHONPATH": str(Path(poolhouse.__file__).parents[1])},
    )  # fmt: skip


def test_stdout_is_one_json_object(tmp_path: Path) -> None:
    out = tmp_path / "a.csv"
    process = started(*arguments(out=out, seconds=3), "--json")
    said, err = process.communicate()
    assert (process.returncode, err, said.count("\n")) == (0, "", 1)
    answer = json.loads(said)
    for name in ("proceeds", "bound", "greedy_proceeds"):
        assert isinstance(answer[name], float) and round(answer[name] * 100) == answer[f"{name}_cents"]
    assert answer["gap"] == (answer["bound_cents"] - answer["proceeds_cents"]) / answer["bound_cents"]
    assert answer["loans"] == 60 and answer["pools_used"] == len(answer["used"]) and answer["seconds"] > 0
    assert answer["gain_over_greedy"]["cents"] == answer["proceeds_cents"] - answer["greedy_proceeds_cents"]
    assert answer["out"] == str(out) and len(out.read_text(encoding="utf-8").splitlines()) == 61
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv"]


def test_contradicting_limits_are_named(tmp_path: Path) -> None:
    limits = tmp_path / "l.toml"
    limits.write_text(
        '[[total]]\nname = "much"\nmin = 20_000_000\nwhere = {agency = "Fannie Mae"}\n'
        '[[total]]\nname = "little"\nmax = 19_000_000\nwhere = {agency = "Fannie Mae"}\n',
        encoding="utf-8",
    )
    process = started(*arguments(limits=limits), "--json")
    said, _ = process.communicate()
    assert process.returncode == 2
    assert "can't all be kept" in json.loads(said)["error"] and ("much" in said or "little" in said)


def test_an_interrupt_leaves_what_was_there(tmp_path: Path) -> None:
    out = tmp_path / "a.csv"
    out.write_text("before\n", encoding="utf-8")
    process = started(*arguments(out=out, seconds=60))
    time.sleep(5)  # reading is over, the search is on
    process.send_signal(signal.SIGINT)
    process.communicate()
    assert process.returncode == 130
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv"] and out.read_text(encoding="utf-8") == "before\n"


@pytest.fixture
def real(terminal: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A terminal before the real optimiser."""
    monkeypatch.setattr(execute_offers, "execute_offers", REAL)
    return terminal


def test_names_are_shown_as_they_are(terminal: Any) -> None:
    code, out, _ = terminal("execute", *arguments())
    assert code == 0
    for text in ("[b]Fannie[/b]", "[b]c3[/b]", "servicer = [b]X[/b]", "9.91 bp more", "1 stay where they are"):
        assert text in out


def test_a_person_sees_choice_limits_and_rejects(real: Any, tmp_path: Path) -> None:
    offers = tmp_path / "offers.csv"
    offers.write_text(
        "loan,balance,pool,price\n[b]1[/b],100000,x,101\n2,200000,x,101\n2,200000,y,oops\n", encoding="utf-8"
    )
    pools = tmp_path / "pools.csv"
    pools.write_text("pool,agency\nx,Fannie Mae\ny,Freddie Mac\n", encoding="utf-8")
    limits = tmp_path / "limits.toml"
    limits.write_text("[[total]]\nname = 'most'\nmax = 300_000\n", encoding="utf-8")
    code, out, err = real("execute", *arguments(offers=offers, pools=pools, limits=limits, loans=None))
    assert (code, err) == (0, "")
    shown = " ".join(out.split())
    for figure in (
        "Proceeds $303,000.00", "a gap of 0.00000%", "Fannie Mae 2 $300,000.00 100.0% $303,000.00 101.0000",
        "most $300,000.00 at most $300,000.00 yes", "offers.csv 3 price oops",
    ):  # fmt: skip
        assert figure in shown, out


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"pools": None}, "give --pools too"),
        ({"offers": None, "limits": None}, "give --offers, --limits too"),
        ({"offers": "nowhere.csv"}, "does not exist"),
        ({"seconds": 0}, "--seconds"),
        ({"out": "nowhere/a.csv"}, "no folder nowhere"),
        ({"rejects": "a.xlsx"}, "name the file so"),
    ],
)
def test_what_does_not_go_together_is_refused(real: Any, given: dict[str, Any], says: str) -> None:
    code, answer = real.json("execute", *arguments(**given))
    assert code == 2 and says in answer["error"]


def test_a_tape_and_files_of_offers_do_not_mix(terminal: Any) -> None:
    code, answer = terminal.json("execute", FILES["--loans"], *arguments())
    assert code == 2 and "don't go with TAPE" in answer["error"]
    code, answer = terminal.json("execute", *arguments(), "--as-of", "2026-12-01")
    assert code == 2 and "--as-of go with TAPE only" in answer["error"]
    code, answer = terminal.json("execute")
    assert code == 2 and "give TAPE, or --offers" in answer["error"]


def test_a_tape_s_options_reach_the_market(terminal: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    def remembers(*files: Any, **named: Any) -> dict[str, Any]:
        asked.update(named, files=files)
        return {"loans": 1}

    monkeypatch.setattr(execute_module, "execute_tape", remembers)
    tape, terms = str(FILES["--loans"]), str(FILES["--limits"])
    options = ["--as-of", "2026-12-01", "--commitments", terms, "--what-if", "hold=no", "--what-if", "gfee=46"]
    assert terminal.json("execute", tape, *options, "--explain", "7", "--edition", "2026-11", "--seconds", "9")[0] == 0
    assert asked == {
        "files": (tape, None), "as_of": "2026-12-01", "edition": "2026-11", "sheet": None, "commitments": Path(terms),
        "what_if": ["hold=no", "gfee=46"], "explain": ["7"], "out": None, "seconds": 9.0,
    }  # fmt: skip


def test_options_reach_the_market(terminal: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    def remembers(*files: Any, **named: Any) -> dict[str, Any]:
        asked.update(named, files=[Path(f).name for f in files])
        return {"loans": 1}

    monkeypatch.setattr(execute_offers, "execute_offers", remembers)
    assert terminal.json("execute", *arguments(out="a.csv", rejects="r.csv", seconds=7))[0] == 0
    assert asked == {
        "files": [FILES[k].name for k in ("--offers", "--pools", "--limits", "--loans")],
        "out": Path("a.csv"), "rejects": Path("r.csv"), "seconds": 7.0,
    }  # fmt: skip
