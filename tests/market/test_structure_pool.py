"""A deal laid over a private pool of the book: what really came in, loss by loss, goes to its classes to the cent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from poolhouse.findings import Refused
from poolhouse.market.market import Market
from poolhouse.web import structure_page, words

DEALS = Path(__file__).parents[2] / "examples" / "deals"
SHIFTING = DEALS / "shifting.toml"
CLASSES = ("A", "B1", "B2", "B3", "B4", "B5", "B6")


@pytest.fixture(scope="module")
def market(lossy: Path) -> Market:
    return Market(lossy)


def the_pool(market: Market) -> dict[str, Any]:
    pools = market.book.records("pools")
    assert pools["program"].to_list() == [4]
    return pools.row(0, named=True)


def test_losses_are_borne_from_the_bottom_to_the_cent(market: Market) -> None:
    pool = the_pool(market)
    answer = market.structure(SHIFTING, pool["pool_number"], speeds={"cpr": 10})
    rows = pl.DataFrame(answer["history"])
    months = market.book.segment("pool_months").group_by("month", maintain_order=True).sum().sort("month")
    months = months.filter(pl.col("opening_scheduled_cents") > 0)
    lost = months["loss_cents"].to_list()
    assert sum(x > 0 for x in lost) == 2 and sum(lost) > 40_000_000
    assert len(answer["history"]) == months.height * len(CLASSES)
    left = {c["class"]: c["original_cents"] for c in answer["so_far"]}
    assert sum(left.values()) == pool["scheduled_cents"]
    for index, month in enumerate(months.iter_rows(named=True)):
        mine = {r["class"]: r for r in rows[index * 7 : index * 7 + 7].iter_rows(named=True)}
        assert sum(r["principal_cents"] for r in mine.values()) == (
            month["scheduled_principal_cents"] + month["unscheduled_principal_cents"]
        )
        loss = month["loss_cents"]
        for name in reversed(CLASSES):  # the lowest first, and the next only when it is gone
            left[name] -= mine[name]["principal_cents"]
            part = min(left[name], loss)
            assert mine[name]["loss_cents"] == part
            left[name], loss = left[name] - part, loss - part
        assert loss == 0
        assert {name: r["ending_balance_cents"] for name, r in mine.items()} == left
        assert sum(left.values()) == month["closing_scheduled_cents"]
    assert left["B6"] == left["B5"] == 0 < left["A"]
    assert [c["balance_cents"] for c in answer["so_far"]] == list(left.values())


def test_what_is_to_come_starts_from_where_the_classes_stand(market: Market) -> None:
    answer = market.structure(SHIFTING, the_pool(market)["pool_number"], speeds={"cpr": 10}, rows=True)
    now = {c["class"]: c["balance_cents"] for c in answer["so_far"]}
    assert {c["class"]: c["size_cents"] for c in answer["classes"]} == now
    assert answer["collateral"]["balance_cents"] == sum(now.values())
    assert sum(c["principal_cents"] for c in answer["classes"]) == sum(now.values())


def test_what_is_to_come_on_paths_of_rates(market: Market) -> None:
    """The classes as they stand on the loans as they stand: together they are worth what the collateral is."""
    rates = DEALS.parent / "rates.toml"
    answer = market.structure(SHIFTING, the_pool(market)["pool_number"], rates=rates, paths=16)
    rows = {row["class"]: row for row in answer["oas"]["classes"]}
    assert rows["B6"]["price"] is None and rows["B6"]["value"] == 0  # lost before today
    assert rows["A"]["price"] > 80 and rows["A"]["loss_share"] == 0
    whole = answer["oas"]["collateral"]
    assert whole["value"] / whole["price"] * 100 == pytest.approx(answer["collateral"]["balance_cents"] / 100, rel=1e-9)
    fee = 0.0002 * 4 * whole["value"]  # of the deal, some 0.02% a year
    assert whole["value"] - fee < sum(row["value"] for row in rows.values()) < whole["value"]


def test_the_page_says_what_the_classes_got_and_lost(market: Market) -> None:
    answer = market.structure(SHIFTING, the_pool(market)["pool_number"], speeds={"cpr": 10}, rows=True)
    page, last = structure_page.render(answer), answer["so_far"][-1]
    keys = ("original", "interest", "principal", "loss", "balance")
    cells = "".join(f'<td class="n">{words.money(last[f"{key}_cents"])}</td>' for key in keys)
    assert last["loss_cents"] > 0 and f"<th>B6</th>{cells}" in page
    lost = structure_page.figures(answer)["loss_so_far"]["data"]
    total = sum(c["loss_cents"] for c in answer["so_far"])
    assert sum(sum(trace["y"]) for trace in lost) == pytest.approx(total / 100)


def test_late_loans_stop_the_step_down(market: Market) -> None:
    """With lateness allowed at nothing, seniors keep getting all that is unscheduled, however early the step."""
    text = SHIFTING.read_text(encoding="utf-8").replace("[61, 70], [73, 60], [85, 40], [97, 20], [109, 0]", "[4, 0]")
    text = text.replace("two_times = {month", "# two_times = {month").replace("[[1, 20]", "[[1, 100]")
    folder = Path(str(market.place)).parent
    loose, strict = folder / "loose.toml", folder / "strict.toml"
    loose.write_text(text.replace("delinquency = 50", "delinquency = 100"), encoding="utf-8")
    strict.write_text(text.replace("delinquency = 50", "delinquency = 0"), encoding="utf-8")
    pool = the_pool(market)["pool_number"]
    paid = [
        sum(c["principal_cents"] for c in market.structure(file, pool)["so_far"] if c["class"] != "A")
        for file in (loose, strict)
    ]
    assert paid[0] > paid[1] > 0


def test_a_class_in_dollars_is_scaled_and_what_cannot_move_is_refused(market: Market) -> None:
    answer = market.structure(SHIFTING, "P000001")
    sizes = [c["original_cents"] for c in answer["so_far"]]
    assert all(size % 100 == 0 for size in sizes[1:])
    assert abs(sizes[1] - sum(sizes) * 0.0225) <= 100
    for name, refused in (
        ("resecuritised.toml", "can't be moved to another pool"),
        ("credit_risk.toml", "can't be moved to another pool"),
        ("sequential.toml", "the classes are due"),
    ):
        with pytest.raises(Refused, match=refused):
            market.structure(DEALS / name, "P000001")
    with pytest.raises(Refused, match="not in the book"):
        market.structure(SHIFTING, "P999999")
