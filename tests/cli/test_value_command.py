"""`poolhouse value`: a pool by numbers, its JSON, pictures, and what does not go together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import poolhouse
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
    for words in ("100, 120, 150 ... PSA", "not advanced", "99-16+", "Lost", "By speed", "the first 39 and the last"):
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
        [*POOL, "--psa", "1", "--prepayment", "model"], [*POOL, "--cdr", "1", "--defaults", "model"],
        [*POOL, "--prepayment", "model"], [*POOL, "--prepayment", "none.toml", "--mortgage-rate", "5"],
        [*POOL, "--severity", "0", "--defaults", "model"], [*POOL, "--guaranteed", "--severity", "5"],
        [*POOL, "--unemployment", "high", "--defaults", "model"], [*POOL, "--house-prices", "1"],
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


def test_models_are_asked_of_the_market(terminal: Any) -> None:
    arguments = ("--book", "b", "--security", "c", "--prepayment", "fit.json", "--defaults", "model", "--lag", "9")
    world = ("--mortgage-rate", "5.1,5.2", "--house-prices", "0.9", "--unemployment", "8%")
    code, _ = terminal.json("value", *arguments, *world)
    assert code == 0
    options = terminal.calls[-1][2]
    assert (options["prepayment"], options["defaults"], options["severity"], options["lag"]) == (
        "fit.json", "model", None, 9,
    )  # fmt: skip
    assert (options["mortgage_rate"], options["house_prices"], options["unemployment"]) == ([5.1, 5.2], 0.9, 8.0)
    assert options["guaranteed"] is False


def test_the_text_says_what_the_models_saw(terminal: Any, tmp_path: Path) -> None:
    models = ("--prepayment", "model", "--defaults", "model", "--mortgage-rate", "7,7.5", "--house-prices", "1,0.95")
    code, out, _ = terminal("value", *POOL, *models, "--settle", "2010-03-12", "--price", "101")
    assert code == 0
    for words in (
        "prepayment by model, defaults by model", "from 2010-03", "mortgage rate 7, 7.5%", "unemployment 9.9%",
        "house prices 1, 0.95 of today's", "score", "740", "Defaulted", "Lost",
    ):  # fmt: skip
        assert words in out
    code, out, _ = terminal("value", *POOL, "--defaults", "model", "--guaranteed")
    assert "paid by the guarantor" in out and "house prices stay" in out and "Lost" not in out and "mortgage" not in out
    code, _ = terminal.json("value", *POOL, "--defaults", "model", "--plot", tmp_path / "v.html")
    page = (tmp_path / "v.html").read_text(encoding="utf-8")
    assert "defaults by model, 12 months to liquidation" in page and '"Lost"' in page


def test_the_text_says_what_losses_cost(terminal: Any) -> None:
    rates = Path(__file__).parents[2] / "examples" / "rates.toml"
    asked = ("value", *POOL, "--price", "101", "--rates", rates, "--paths", "16")
    assert "Credit cost" in terminal(*asked, "--cdr", "2", "--severity", "40")[1]
    assert "Credit cost" not in terminal(*asked, "--cdr", "2", "--guaranteed")[1]


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


@pytest.mark.parametrize(
    ("text", "price"),
    [("101-165", 101 + 16.625 / 32), ("101-160", 101.5), ("101-164", 101 + 16.5 / 32), ("99-317", 99 + 31.875 / 32)],
)
def test_eighths_of_a_32nd(terminal: Any, text: str, price: float) -> None:
    code, answer = terminal.json("value", *POOL, "--psa", "100", "--price", text)
    assert (code, answer["price"], answer["price_32nds"]) == (0, price, text)


@pytest.mark.parametrize("text", ["101-168", "101-169", "101-320", "101-165+", "101-16+5", "101-1655"])
def test_what_is_no_32nd_is_refused(terminal: Any, text: str) -> None:
    code, answer = terminal.json("value", *POOL, "--psa", "100", "--price", text)
    assert code == 2 and f"'{text}'" in answer["error"] and "0 to 7" in answer["error"]


def test_half_a_32nd_is_shown_as_quoted(terminal: Any) -> None:
    code, answer = terminal.json("value", *POOL, "--psa", "100", "--price", "99-31+")
    assert (code, answer["price"], answer["price_32nds"]) == (0, 99.984375, "99-31+")


@pytest.mark.parametrize(
    ("text", "dollars"),
    [
        ("$400,000,000", 400e6), ("400,000,000", 400e6), ("400e6", 400e6), ("400mm", 400e6), ("400 MM", 400e6),
        ("1.2bn", 1.2e9), ("$1.1bn", 1.1e9), ("400k", 400e3), ("250000.75", 250_000.75), ("400_000", 400e3),
        ("$400,000.50", 400_000.5), (".5mm", 500e3),
    ],
)  # fmt: skip
def test_balances_as_people_write_them(terminal: Any, text: str, dollars: float) -> None:
    code, answer = terminal.json("value", "--balance", text, *POOL[2:])
    assert code == 0 and answer["pool"]["balance"] == dollars


@pytest.mark.parametrize("option", ["--wac", "--coupon", "--yield", "--psa", "--cpr", "--cdr", "--severity"])
def test_a_rate_may_end_in_a_percent_sign(terminal: Any, option: str) -> None:
    speed = () if option == "--cpr" else ("--psa", "100")
    _, bare = terminal.json("value", *POOL, *speed, option, "8")
    code, answer = terminal.json("value", *POOL, *speed, option, "8%")
    assert code == 0 and answer == bare


@pytest.mark.parametrize(
    ("option", "text", "wanted"),
    [
        ("--balance", "400m", "thousand or million: write 400k or 400mm"),
        ("--balance", "$1.5M", "thousand or million: write $1.5k or $1.5mm"),
        ("--balance", "much", "give an amount in dollars, such as 400e6, 400mm or $400,000,000"),
        ("--balance", "4,00", "give an amount in dollars"), ("--balance", "4__0", "give an amount in dollars"),
        ("--balance", "nan", "give an amount in dollars"), ("--balance", "4e2mm", "give an amount in dollars"),
        ("--wac", "8,125", "give a number in percent, such as 8.125 or 8.125%"), ("--wac", "8%%", "in percent"),
        ("--coupon", "", "in percent"), ("--yield", "high", "in percent"), ("--mortgage-yield", "x", "in percent"),
        ("--strip", "half", "in percent"), ("--wam", "3.5", "give a whole number of months, such as 12"),
        ("--age", "ten", "of months"), ("--lag", "x", "of months"), ("--delay-days", "x", "of days, such as 24"),
        ("--psa", "100,x", "100 or 100,120,150"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_by_name(terminal: Any, option: str, text: str, wanted: str) -> None:
    code, answer = terminal.json("value", *POOL, option, text)
    assert code == 2
    for words in (option, f"'{text}'", wanted):
        assert words in answer["error"]


@pytest.mark.parametrize(
    ("wac", "coupon", "says"),
    [
        ("0.08125", "0.075", "wac 0.08125 looks like a fraction: write percent: 8.125"),
        ("0.08125", "7.5", "write percent: 8.125"),
        ("8.125", "0.075", "coupon 0.075 looks like a fraction: write percent: 7.5"),
    ],
)
def test_a_rate_as_a_fraction_is_refused(terminal: Any, wac: str, coupon: str, says: str) -> None:
    code, answer = terminal.json("value", *POOL[:2], "--wac", wac, "--coupon", coupon, *POOL[6:])
    assert code == 2 and says in answer["error"]


@pytest.mark.parametrize(("wac", "coupon"), [("8.125", "0"), ("8.125", "0.25"), ("0.5", "0.5"), ("0", "0")])
def test_small_rates_that_are_none(terminal: Any, wac: str, coupon: str) -> None:
    """Principal only, a strip, half a percent and none at all; nor does Python's own call guess."""
    code, _ = terminal.json("value", *POOL[:2], "--wac", wac, "--coupon", coupon, *POOL[6:])
    assert code == 0
    assert poolhouse.cashflows(100, 0.08125, 0.075, 12).height == 12


@pytest.mark.parametrize("options", [(), ("--program", "umbs")])
def test_a_settlement_too_late_is_named(terminal: Any, options: tuple[str, ...]) -> None:
    days = "75" if options else "45"
    code, answer = terminal.json("value", *POOL, "--settle", days, *options)
    assert code == 2 and f"settle_days {days} is too late" in answer["error"]
