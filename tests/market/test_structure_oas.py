"""`structure --rates`: the answer's figures by another way, a book's pool, processes, and what is refused."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from poolhouse import valuation
from poolhouse.findings import Refused
from poolhouse.market.structure import structure
from poolhouse.market.value import value_pool
from poolhouse.market.value_oas import read_market
from poolhouse.valuation import rates
from poolhouse.web import structure_page

ROOT = Path(__file__).parents[2]
RATES, DEALS = ROOT / "examples" / "rates.toml", ROOT / "examples" / "deals"
PRICES = {"P": "101-16", "IFL": 98, "Z": 92.0}


@lru_cache
def asked(**options: Any) -> dict[str, Any]:
    common = {"speeds": None, "settle": "2010-01-14", "rates": RATES, "paths": 32, "rows": True}
    return structure(DEALS / "market.toml", prices=PRICES, **(common | options))


def by_class(answer: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["class"]: row for row in answer["oas"]["classes"]}


def test_prices_given_have_spreads_and_others_a_price() -> None:
    found = asked()["oas"]
    rows = by_class(asked())
    assert found["paths"] == 32 and found["called_share"] == 0
    for name, row in rows.items():
        assert row["priced"] == (name in PRICES)
        assert row["oas_bp"] == pytest.approx(0, abs=1e-7) or row["priced"]
        assert row["option_cost_bp"] == pytest.approx(row["z_spread_bp"] - row["oas_bp"])
        assert len(row["by_path"]) == 32 and row["loss_share"] == 0
        size = next(c["size_cents"] for c in asked()["classes"] if c["class"] == name) / 100
        assert np.mean(row["by_path"]) / 100 * size == pytest.approx(row["value"])
        assert row["wal_5"] <= row["wal"] <= row["wal_95"] and row["wal_standard_error"] > 0
    assert rows["P"]["price"] == 101.5
    assert rows["P"]["wal_deviation"] < rows["FL"]["wal_deviation"] < rows["Z"]["wal_deviation"]
    assert rows["IFL"]["effective_duration"] > rows["P"]["effective_duration"] > rows["FL"]["effective_duration"] > 0
    json.dumps(found)


def test_the_collateral_is_the_pool_that_value_values() -> None:
    """The two commands on the same rates, and the sum of the classes at no spread."""
    whole = asked()["oas"]["collateral"]
    pool = value_pool(
        300e6, 5.0, 4.5, 357, price=whole["price"], delay_days=24, settle="2010-01-14", rates=RATES, paths=32
    )["oas"]
    for name in ("oas_bp", "standard_error_bp", "z_spread_bp", "effective_duration", "effective_convexity"):
        assert whole[name] == pytest.approx(pool[name], rel=1e-4, abs=1e-3), name
    bare = structure(DEALS / "market.toml", settle="2010-01-14", rates=RATES, paths=32)["oas"]
    parts = sum(row["value"] for row in bare["classes"])
    assert parts == pytest.approx(whole["value"], abs=1)


def test_zero_spread_and_the_files_own_market() -> None:
    """The price of a class at an OAS of 0 on paths made here: its month's mean flows, discounted along them."""
    from poolhouse import deals
    from poolhouse.deals.on_paths import on_paths

    market = read_market(RATES)
    paths = rates.rate_paths(market.curve, market.model, market.coupon, count=32, settle_days=13, months=357)
    deal = deals.parse((DEALS / "market.toml").read_text(encoding="utf-8"), "market.toml")
    got = on_paths(deal, paths, valuation.quick_model(market.borrowers.at())).classes["FL"]
    value = float((got.cash * paths.discount(24)[: len(got.cash)]).sum(axis=0).mean())
    row = by_class(asked())["FL"]
    assert row["value"] == pytest.approx(value, rel=1e-9)
    rate = asked()["oas"]["index"] + 0.6
    assert got.rate == pytest.approx(rate)
    assert row["price"] == pytest.approx(100 * value / 75e6 - rate * 13 / 360, abs=1e-6)


def test_processes_share_the_paths_and_change_nothing() -> None:
    small = {"settle": "2010-01-14", "rates": RATES, "paths": 16}
    one, two = (structure(DEALS / "market.toml", processes=n, **small)["oas"] for n in (1, 2))
    assert one == two


def test_defaults_asked_for_hold_on_every_path() -> None:
    answer = structure(
        DEALS / "shifting.toml", speeds={"cdr": 2.0}, severity=40.0, rates=RATES, paths=16, prices={"B1": 80}
    )
    rows = by_class(answer)
    shares = [rows[name]["loss_share"] for name in ("A", "B1", "B2", "B3", "B4", "B5", "B6")]
    assert shares == sorted(shares) and shares[-1] == 1.0 and rows["B6"]["loss_percent"] > 90
    assert answer["oas"]["collateral"]["loss_share"] == 1.0 and answer["oas"]["called_share"] > 0
    assert rows["B1"]["price"] == 80 and rows["B1"]["oas_bp"] > 100


def test_defaults_asked_for_take_the_place_of_buyouts() -> None:
    """A guarantor pays both as principal: a hair of defaults asked for leaves less than the model's own buyouts."""
    lives = [
        structure(DEALS / "market.toml", speeds=speeds, rates=RATES, paths=16)["oas"]["collateral"]["wal"]
        for speeds in ({}, {"cdr": 1e-6})
    ]
    assert lives[1] > lives[0] + 0.05


def test_a_class_without_a_balance_has_a_value_alone() -> None:
    rows = by_class(structure(DEALS / "overcollateralised.toml", rates=RATES, paths=16))
    residual = rows["R"]
    assert residual["value"] > 0 and residual["price"] is None and residual["wal"] is None
    assert rows["A"]["price"] is not None


def test_the_page_draws_the_paths() -> None:
    drawn = structure_page.figures(asked())
    assert [box["name"] for box in drawn["paths"]["data"]] == ["P", "IO", "FL", "IFL", "Z"]
    lives = drawn["path_lives"]["data"][0]
    assert lives["y"] == [row["wal"] for row in asked()["oas"]["classes"]]
    assert "paths" in structure_page.render(asked())
    assert "paths" not in structure_page.figures({k: v for k, v in asked().items() if k != "oas"})


def test_what_can_not_be_meant_is_refused() -> None:
    with pytest.raises(Refused, match="multiple of 8"):
        structure(DEALS / "market.toml", rates=RATES, paths=20)
    with pytest.raises(Refused, match="10,000 at most"):
        structure(DEALS / "market.toml", rates=RATES, paths=16_000)
    with pytest.raises(Refused, match="above 0"):
        structure(DEALS / "market.toml", rates=RATES, paths=16, prices={"P": -200})
    with pytest.raises(Refused, match="no such class"):
        structure(DEALS / "market.toml", rates=RATES, paths=16, prices={"Q": 100})
