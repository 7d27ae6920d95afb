"""`poolhouse value`: a pool by numbers, its JSON, pictures, and what does not go together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from poolhouse.market.value import in_32nds, price_of

POOL = ("--balance", "400e6", "--wac", "8.125", "--coupon", "7.5", "--wam", "357")
GINNIE = ("--balance", "100", "--wac", "9.5", "--coupon", "9", "--wam", "360", "--psa", "150")


def test_the_published_example(terminal: Any) -> None:
    """SIFMA Standard Formulas, SF-51: Ginnie Mae I 9% at par."""
    code, answer = terminal.json("value", *GINNIE, "--price", "100", "--program", "ginnie1")
    assert code == 0
    printed = {"bond_equivalent_yield": 9.10675, "mortgage_yield": 8.93863, "wal": 9.77844, "price": 100,
               "macaulay_duration": 5.73147, "modified_duration": 5.48186}  # fmt: skip
    assert {name: round(answer[name], 5) for name in printed} == printed
    assert round(answer["convexity"], 4) == 54.4326 and "cashflows" not in answer
    code, later = terminal.json("value", *GINNIE, "--price", "100-00", "--delay-days", "14", "--settle", "2026-12-08")
    assert round(later["bond_equivalent_yield"], 5) == 9.10644 and later["settle_days"] == 7


def test_rows_and_yields(terminal: Any) -> None:
    code, answer = terminal.json("value", *POOL, "--psa", "100", "--price", "101-16", "--rows")
    assert code == 0 and len(answer["cashflows"]) == 357 and answer["pool"]["age"] == 3
    first = answer["cashflows"][0]
    assert round(first["cash_flow"]) == 3_035_005 and round(first["scheduled_payment"]) == 2_975_868
    code, back = terminal.json("value", *POOL, "--psa", "100", "--yield", str(answer["bond_equivalent_yield"]))
    assert back["price"] == pytest.approx(101.5, abs=1e-9) and back["price_32nds"] == "101-16"
    code, back = terminal.json("value", *POOL, "--psa", "100", "--mortgage-yield", str(answer["mortgage_yield"]))
    assert back["price"] == pytest.approx(101.5, abs=1e-9)
    own = next(row for row in answer["by_speed"] if row["psa"] == 100)
    assert own["wal"] == pytest.approx(answer["wal"]) and own["price_at_yield"] == pytest.approx(101.5)
    code, none = terminal.json("value", *POOL)
    assert none["price"] is None and none["bond_equivalent_yield"] is None and none["wal"] > 20


def test_the_text_shows_what_was_meant(terminal: Any) -> None:
    code, out, _ = terminal(
        "value", *POOL, "--psa", "100,120,150,165", "--cdr", "1", "--severity", "35", "--no-advance", "--rows",
        "--price", "99-16+",
    )  # fmt: skip
    assert code == 0
    for words in ("100, 120, 150 ... PSA", "not advanced", "99-16.50", "Lost", "By speed", "the first 39 and the last"):
        assert words in out


@pytest.mark.browser
def test_pictures(terminal: Any, tmp_path: Path) -> None:
    code, answer = terminal.json("value", *POOL, "--psa", "150", "--price", "101", "--plot", tmp_path / "v.png")
    assert code == 0 and "cashflows" not in answer
    assert (tmp_path / "v.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert (tmp_path / "v.png").stat().st_size > 30_000


def test_a_page(terminal: Any, tmp_path: Path) -> None:
    code, _ = terminal.json("value", *POOL, "--plot", tmp_path / "v.html")
    page = (tmp_path / "v.html").read_text(encoding="utf-8")
    assert code == 0 and '"principal"' in page and "http-equiv" in page and "$400,000,000" in page


def test_no_browser_no_picture(terminal: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    code, answer = terminal.json("value", *POOL, "--plot", tmp_path / "v.png")
    assert code == 2 and "Chromium" in answer["error"]


@pytest.mark.parametrize(
    "arguments",
    [
        [], POOL[:6], [*POOL, "--book", "b", "--security", "c"], ["--book", "b"], [*POOL, "--psa", "1", "--cpr", "1"],
        [*POOL, "--psa", "fast"], [*POOL, "--price", "101-40"], [*POOL, "--price", "0"], [*POOL, "--plot", "x.gif"],
        [*POOL, "--price", "100", "--yield", "5"], [*POOL, "--program", "fnma"], [*POOL, "--settle", "tomorrow"],
        [*POOL, "--cpr", "101"], ["--balance", "0", *POOL[2:]], [*POOL[:5], "9", *POOL[6:]],
        [*POOL, "--delay-days", "-1"], [*POOL, "--program", "umbs", "--delay-days", "14"],
        ["--book", "b", "--security", "c", "--age", "3"], [*POOL, "--strip", "0.5"],
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(terminal: Any, arguments: list[str]) -> None:
    code, answer = terminal.json("value", *arguments)
    assert code == 2 and answer["error"]


def test_a_books_security_is_asked_of_the_market(terminal: Any) -> None:
    code, _ = terminal.json("value", "--book", "b", "--security", "31400ABC1", "--psa", "150", "--price", "101")
    assert code == 0
    name, (security,), options = terminal.calls[-1]
    assert (name, security, options["speeds"]["psa"], options["price"]) == ("value", "31400ABC1", 150.0, "101")


@pytest.mark.parametrize(
    ("text", "price", "again"),
    [
        ("101-16", 101.5, "101-16"),
        ("99-31+", 99.984375, "99-31.50"),
        ("101.5", 101.5, "101-16"),
        ("7-00.25", 7.0078125, "7-00.25"),
    ],
)
def test_prices_in_32nds(text: str, price: float, again: str) -> None:
    assert price_of(text) == price and in_32nds(price) == again
