"""`poolhouse structure`: a deal's classes as text and JSON, prices, losses, pictures, and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

DEALS = Path(__file__).parents[2] / "examples" / "deals"
SEQUENTIAL = str(DEALS / "sequential.toml")


def test_the_published_deal_as_json(terminal: Any) -> None:
    """Fabozzi, Capital Markets, 5th edition, table 30.4 at 165 PSA."""
    code, answer = terminal.json("structure", SEQUENTIAL, "--psa", "165", "--price", "A=101-16", "--rows")
    assert code == 0 and [c["class"] for c in answer["classes"]] == ["A", "B", "C", "D"]
    assert [c["last_month"] for c in answer["classes"]] == [81, 100, 178, 357]
    assert [c["first_month"] for c in answer["classes"]] == [1, 81, 100, 178]
    first = answer["months"][0]
    assert (first["class"], first["interest_cents"], first["principal_cents"]) == ("A", 1_215_625_00, 709_923_49)
    a, b = answer["classes"][:2]
    assert a["price"] == 101.5 and 6 < a["bond_equivalent_yield"] < 7.5 and "price" not in b
    own = next(row for row in answer["by_speed"] if row["psa"] == 165)
    assert own["classes"] == answer["classes"]
    assert answer["left_over_cents"] < 100 and sum(c["principal_cents"] for c in answer["classes"]) == 400_000_000_00


def test_a_class_bought_at_par_yields_its_coupon_from_the_first(terminal: Any) -> None:
    """7.5% monthly without delay is 7.618169% bond-equivalent, 200 ((1 + 7.5/1200)^6 - 1), whatever the speed."""
    for psa in ("50", "400"):
        code, answer = terminal.json("structure", SEQUENTIAL, "--psa", psa, *(f"--price={n}=100" for n in "ABCD"))
        assert code == 0
        assert [c["bond_equivalent_yield"] for c in answer["classes"]] == pytest.approx([7.618169] * 4, abs=1e-6)


def test_losses_and_views(terminal: Any) -> None:
    arguments = ("--cpr", "15", "--cdr", "2", "--severity", "40")
    code, out, err = terminal("structure", str(DEALS / "shifting.toml"), *arguments)
    assert code == 0, err
    assert "Who loses what" in out and "Principal lost by speed" in out and "net WAC" in out and "clean-up call" in out
    code, answer = terminal.json("structure", str(DEALS / "shifting.toml"), *arguments, "--no-call")
    assert answer["called"] is None
    assert sum(c["loss_cents"] for c in answer["classes"]) == answer["collateral"]["loss_cents"] > 0
    code, out, _ = terminal("structure", str(DEALS / "overcollateralised.toml"), *arguments, "--rows")
    assert code == 0 and "made good by excess interest" in out and "Months, dollars" in out


def test_index_and_resecuritisation(terminal: Any) -> None:
    code, low = terminal.json("structure", str(DEALS / "floater.toml"), "--psa", "165", "--index", "1,2")
    assert low["index"] == [1, 2] and {c["class"]: c["rate"] for c in low["classes"]}["IFL"] == 25.5
    code, answer = terminal.json("structure", str(DEALS / "resecuritised.toml"), "--psa", "165")
    assert code == 0 and round(answer["collateral"]["wal"], 2) == 11.16


def test_a_page(terminal: Any, tmp_path: Path) -> None:
    page = tmp_path / "deal.html"
    code, answer = terminal.json("structure", SEQUENTIAL, "--psa", "165", "--plot", str(page))
    assert code == 0 and answer["plot"] == str(page) and "months" not in answer
    text = page.read_text(encoding="utf-8")
    assert "Balance by class, dollars" in text and "CMO-1, sequential" in text


def test_paths_of_rates(terminal: Any) -> None:
    paths = ("--rates", str(DEALS.parent / "rates.toml"), "--paths", "16")
    code, answer = terminal.json("structure", str(DEALS / "market.toml"), *paths, "--price", "P=101-16")
    assert code == 0 and [c["class"] for c in answer["oas"]["classes"]] == ["P", "IO", "FL", "IFL", "Z"]
    assert [c["priced"] for c in answer["oas"]["classes"]] == [True, False, False, False, False]
    code, out, _ = terminal("structure", str(DEALS / "shifting.toml"), "--cdr=2", "--severity=40", *paths)
    assert code == 0 and "On paths of rates   16 paths" in out and "Average lives over the paths" in out
    assert "Principal lost on paths" in out and "The clean-up call ends the deal on" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--price", "A"), "write CLASS=PRICE"),
        (("--price", "E=100"), "no such class"),
        (("--price", "A=dear"), "is none"),
        (("--psa", "100", "--cpr", "6"), "give one"),
        (("--plot", "deal.pdf"), "end the name with"),
        (("--psa", "fast"), "is no number"),
        (("--index", "500"), "must not be above 100"),
    ],
)
def test_refused(terminal: Any, arguments: tuple[str, ...], said: str) -> None:
    code, _, err = terminal("structure", SEQUENTIAL, *arguments)
    assert code == 2 and said in " ".join(err.split())


def test_files_that_are_none(terminal: Any, tmp_path: Path) -> None:
    for name, content in (("binary.toml", b"\xff\xfe"), ("large.toml", b"#" * 1_000_001), ("empty.toml", b"")):
        (tmp_path / name).write_bytes(content)
        code, _, err = terminal("structure", str(tmp_path / name))
        assert code == 2 and name in err
    (tmp_path / "device.toml").symlink_to("/dev/zero")
    code, _, err = terminal("structure", str(tmp_path / "device.toml"))
    assert code == 2 and "is no file" in err
    upon = (DEALS / "resecuritised.toml").read_text(encoding="utf-8")
    (tmp_path / "alone.toml").write_text(upon, encoding="utf-8")
    code, _, err = terminal("structure", str(tmp_path / "alone.toml"))
    assert code == 2 and "planned.toml" in err


def test_on_eighty_columns_no_figure_is_cut() -> None:
    from rich.console import Console

    from poolhouse.cli.views_structure import structure as shown
    from poolhouse.market.structure import structure

    answer = structure(
        DEALS / "shifting.toml", speeds={"cpr": 15, "cdr": 2}, severity=40, prices={"A": 99, "B6": 20}, rows=True
    )
    console = Console(width=80, highlight=False)
    with console.capture() as told:
        console.print(shown(answer))
    text = told.get()
    assert "…" not in text and "378,000,000" in text and "-75.052" in text and "No room here for: B6" in text


def test_a_pool_of_a_book_comes_in_two_parts(terminal: Any) -> None:
    code, out, err = terminal("structure", str(DEALS / "shifting.toml"), "--book", "b", "--pool", "P000057")
    assert code == 0, err
    assert out.index("So far") < out.index("$4,970.00") < out.index("To come") < out.index("net WAC")
    code, _, err = terminal("structure", str(DEALS / "shifting.toml"), "--pool", "P000057")
    assert code == 2 and "--book and --pool go together" in err


def test_without_a_price_it_says_how_to_get_a_yield(terminal: Any) -> None:
    _, bare, _ = terminal("structure", SEQUENTIAL, "--psa", "165")
    _, priced, _ = terminal("structure", SEQUENTIAL, "--psa", "165", "--price", "A=101-16")
    assert "--price A=101-16" in bare and "--price" not in priced and "Yield" in priced
