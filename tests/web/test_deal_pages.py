"""Pages of a deal and of a pool's value: what was asked for, colours, the cut spike, yields by speed, what was."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from poolhouse.market.structure import structure
from poolhouse.market.value import value_pool
from poolhouse.web import structure_page, value_page

DEALS = Path(__file__).parents[2] / "examples" / "deals"
STRESSED: dict[str, Any] = {"speeds": {"cpr": 15, "cdr": 2}, "severity": 40, "rows": True}


@pytest.fixture(scope="module")
def layers() -> dict[str, Any]:
    prices = {"P1": 100, "IO": 30}
    return structure(DEALS / "layers.toml", speeds={"psa": 165}, prices=prices, rows=True)


@pytest.fixture(scope="module")
def shifting() -> dict[str, Any]:
    return structure(DEALS / "shifting.toml", **STRESSED)


def test_a_class_keeps_its_colour(layers: dict[str, Any]) -> None:
    """The interest-only class has no principal: it must not push the colours of those after it."""
    drawn = structure_page.figures(layers)
    seen: dict[str, set[str]] = {}
    for place in ("balance", "principal", "lives"):
        for trace in drawn[place]["data"]:
            seen.setdefault(trace["name"], set()).add(trace["line"]["color"])
    assert set(seen) == {"P1", "IO", "P2", "T", "S"} and all(len(colours) == 1 for colours in seen.values())
    assert len(set.union(*seen.values())) == 5


def test_the_page_has_a_table_of_the_classes(layers: dict[str, Any], shifting: dict[str, Any]) -> None:
    rows = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in structure_page.render(layers).split("<tr>")]
    table = {row[0]: row for row in rows if row}
    first = layers["classes"][0]
    assert table["P1"][1] == f"${first['size_cents'] / 100:,.2f}" and table["P1"][3] == f"{first['wal']:.2f}"
    assert table["P1"][-2:] == ["100.0000", f"{first['bond_equivalent_yield']:.4f}"] and table["T"][-2:] == ["-", "-"]
    assert "Yield</th>" not in structure_page.render(shifting) and "net WAC" in structure_page.render(shifting)
    one = structure(DEALS / "planned.toml", speeds={"psa": 165}, prices={"P": 101}, rows=True)
    assert structure_page.figures(one)["yields"]["layout"]["showlegend"]  # else a lone class would have no name


def test_yields_by_speed_of_the_classes_with_a_price(layers: dict[str, Any], shifting: dict[str, Any]) -> None:
    data = structure_page.figures(layers)["yields"]["data"]
    assert [trace["name"] for trace in data] == ["P1 at 100", "IO at 30"]
    assert data[1]["x"] == [row["psa"] for row in layers["by_speed"]]
    assert data[1]["y"] == [row["classes"][1]["bond_equivalent_yield"] for row in layers["by_speed"]]
    assert "yields" not in structure_page.figures(shifting)


def test_what_was_asked_for_stands_under_the_deals_name(shifting: dict[str, Any], layers: dict[str, Any]) -> None:
    assert "CPR 15, CDR 2, severity 40%, 12 months to liquidation, advanced" in structure_page.render(shifting)
    assert "severity" not in structure_page.render(layers).split("<main>")[0]


def test_the_clean_up_call_is_cut_off_and_said(shifting: dict[str, Any]) -> None:
    """The axis ends a tenth above the dearest of the other months; the call's sum is in the note."""
    called = shifting["called"]
    by_month: dict[int, int] = {}
    for row in shifting["months"]:
        by_month[row["month"]] = by_month.get(row["month"], 0) + row["principal_cents"]
    dearest = max(cents for month, cents in by_month.items() if month != called)
    layout = structure_page.figures(shifting)["principal"]["layout"]
    assert by_month[called] > 2 * dearest
    assert layout["yaxis"]["range"] == pytest.approx([0, 1.1 * dearest / 100])
    assert layout["annotations"][0]["text"].endswith(
        f"the clean-up call in month {called} pays ${by_month[called] / 100:,.0f}"
    )
    uncalled = structure_page.figures(structure(DEALS / "shifting.toml", **STRESSED, call=False))["principal"]
    assert "range" not in uncalled["layout"]["yaxis"] and "annotations" not in uncalled["layout"]


def test_what_classes_got_and_lost_so_far(shifting: dict[str, Any]) -> None:
    history = [
        {"month": "2009-03", "class": "A", "principal_cents": 5, "loss_cents": 0, "ending_balance_cents": 95},
        {"month": "2009-03", "class": "B1", "principal_cents": 0, "loss_cents": 7, "ending_balance_cents": 13},
    ]
    so_far = {"original_cents": 100, "interest_cents": 123_456_78, "principal_cents": 5, "loss_cents": 7}
    laid = shifting | {
        "pool": {"pool_number": "P<7>", "cusip": "31400ABC1", "as_of": "2009-04-01"}, "history": history,
        "so_far": [so_far | {"class": "<A>", "balance_cents": 95}],
    }  # fmt: skip
    page = structure_page.render(laid)
    assert "Pool P&lt;7&gt;, 31400ABC1, as the book stands on 2009-04-01." in page
    assert '<th>&lt;A&gt;</th><td class="n">$1.00</td><td class="n">$123,456.78</td>' in page
    assert "So far" not in structure_page.render(shifting)
    assert structure_page.height(laid) > structure_page.height(shifting)
    drawn = structure_page.figures(laid)
    assert [trace["y"] for trace in drawn["loss_so_far"]["data"]] == [[0.0], [0.07]]
    assert drawn["balance_so_far"]["data"][0]["x"] == ["2009-03"]
    assert drawn["balance"]["layout"]["xaxis"]["title"]["text"] == "Month after 2009-04-01"


POOL: dict[str, Any] = {"balance": 1e6, "wac": 6.5, "coupon": 6.0, "wam": 300}


def test_a_value_says_at_which_price_and_on_what_terms() -> None:
    answer = value_pool(
        **POOL, speeds={"cpr": 10, "cdr": 2}, severity=30, price=101.5, program="umbs", settle="2026-11-15", rows=True
    )
    page = value_page.render(answer)
    assert "Yield by speed at a price of 101.5, percent" in page
    assert f"Price by speed at a yield of {answer['bond_equivalent_yield']:.4f}%, per 100" in page
    for said in ("age 60", "CPR 10, CDR 2, severity 30%, 12 months", "24 days of delay, settled 14 days after the 1st"):
        assert said in page.split("<main>")[0], said
    for place in ("yields", "prices"):
        assert value_page.figures(answer)[place]["layout"]["yaxis"]["tickformat"] == ",.1f"


@pytest.mark.parametrize(
    ("heights", "step", "form"),
    [([100.4, 103.1], 0.5, ",.1f"), ([4.0, 13.0], 2, ",.0f"), ([5.11, 5.13], 0.005, ",.3f"), ([1.0, 58.0], 10, ",.0f"),
     ([2.0, 2.0], 0.5, ",.1f"), ([0.0, None, 0.58], 0.1, ",.1f")],
)  # fmt: skip
def test_labels_have_as_many_decimals_as_their_step(heights: list[float], step: float, form: str) -> None:
    drawn = value_page.figure([value_page.line([0.0] * len(heights), heights, "#000")], "CPR", from_zero=False)
    axis = value_page.even(drawn)["layout"]["yaxis"]
    assert axis["dtick"] == pytest.approx(step) and axis["tickformat"] == form
