"""`value --rates`: a desk's own market from a file, and the answer's figures by another way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from poolhouse import valuation
from poolhouse.findings import Refused
from poolhouse.market.value import value_pool
from poolhouse.market.value_facts import unknown
from poolhouse.market.value_groups import grouped
from poolhouse.market.value_oas import read_market
from poolhouse.valuation import rates
from poolhouse.web import value_page

EXAMPLE = Path(__file__).parents[2] / "examples" / "rates.toml"
POOL = {"balance": 400e6, "wac": 5.0, "coupon": 4.5, "wam": 357}


def asked(**options: Any) -> dict[str, Any]:
    common = {"speeds": {"psa": 165}, "price": "100-21", "program": "umbs", "settle": "2010-01-14", "rates": EXAMPLE}
    return value_pool(**POOL, **(common | {"paths": 128} | options))


def test_a_curve_in_fractions_is_refused_and_a_program_may_be_written_large(tmp_path: Path) -> None:
    text = EXAMPLE.read_text(encoding="utf-8").replace("par = [1.09, 3.85, 4.65]", "par = [0.0109, 0.0385, 0.0465]")
    wrong = tmp_path / "rates.toml"
    wrong.write_text(text, encoding="utf-8")
    with pytest.raises(Refused, match=r"par is meant in percent, and its highest is 0\.0465"):
        read_market(wrong)
    assert value_pool(**POOL, program="UMBS")["delay_days"] == 24


def test_the_example_market_values_a_pool() -> None:
    found = asked()["oas"]
    market = read_market(EXAMPLE)
    paths = rates.rate_paths(market.curve, market.model, market.coupon, count=128, settle_days=13, months=357)
    security = valuation.security(400e6, 5.0, 4.5, 357, month0=1, delay_days=24)
    again = valuation.price_at_oas(security, found["oas_bp"], paths, market.borrowers)
    assert again.price == pytest.approx(100 + 21 / 32, abs=1e-5)  # the answer used the model's tabled form
    assert found["option_cost_bp"] == pytest.approx(found["z_spread_bp"] - found["oas_bp"])
    assert sum(found["key_rate_durations"].values()) == pytest.approx(found["effective_duration"], rel=1e-2)
    assert np.mean(found["by_path"]) == pytest.approx(100 + 21 / 32 + 13 / 360 * 4.5, abs=1e-6)
    assert len(found["by_path"]) == found["paths"] == 128 and found["groups"] == 1
    json.dumps(found)


def test_speeds_rise_with_the_incentive() -> None:
    curve = asked()["oas"]["s_curve"]
    assert curve["incentive"][0] == -4.0 and curve["incentive"][-1] == 4.0
    assert np.all(np.diff(curve["cpr"]) > 0)


def test_the_page_draws_paths_and_speeds() -> None:
    drawn = value_page.figures(asked(rows=True))
    assert len(drawn["paths"]["data"][0]["x"]) == 128
    assert drawn["s_curve"]["data"][0]["y"] == asked()["oas"]["s_curve"]["cpr"]
    assert "paths" not in value_page.figures(asked(rows=True, rates=None))


def test_loans_of_like_rate_term_and_age_are_one_group() -> None:
    loans = pl.DataFrame(
        {"balance": [100.0, 300.0, 50.0], "wac": [5.01, 4.99, 5.2], "coupon": [4.5, 4.5, 4.5], "wam": [357, 357, 357],
         "age": [3, 3, 3]}
    )  # fmt: skip
    groups = grouped(unknown(loans)).groups
    assert groups["balance"].to_list() == [400.0, 50.0]
    assert groups["wac"][0] == pytest.approx((100 * 5.01 + 300 * 4.99) / 400)


def test_a_file_of_changes_to_the_borrowers(tmp_path: Path) -> None:
    slow = tmp_path / "slow.toml"
    slow.write_text(EXAMPLE.read_text(encoding="utf-8") + "refinance = 5\n", encoding="utf-8")
    assert asked(rates=slow)["oas"]["oas_bp"] > asked()["oas"]["oas_bp"]


BROKEN = {
    "years = [": "not TOML",
    "tears = 1": "tears is unknown",
    "years = [2]": "par, mortgage_rate, vol is missing",
    "years = [2, 10]\npar = [1]\nmortgage_rate = 5\n[[vol]]\nexpiry = 1\ntenor = 2\nbp = 90": "rates.toml: ",
    "years = [2]\npar = [1]\nmortgage_rate = 5\n[[vol]]\nexpiry = 1": "expiry, tenor and bp",
    "years = [2]\npar = ['x']\nmortgage_rate = 5\n[[vol]]\nexpiry = 1\ntenor = 2\nbp = 90": "rates.toml: ",
    "years = [2]\npar = [1]\nmortgage_rate = 5\nfactors = 3\n[[vol]]\nexpiry = 1\ntenor = 2\nbp = 90": "rates.toml: ",
    "years = [2]\npar = [1]\nmortgage_rate = 5\n[[vol]]\nexpiry = 1\ntenor = 2\nbp = 90": "5 or more",
    EXAMPLE.read_text(encoding="utf-8") + "fast = 1": "fast",
    EXAMPLE.read_text(encoding="utf-8").replace("= 5.09", "= 0.0509"): "in percent",
    EXAMPLE.read_text(encoding="utf-8") + "lag = 7": "add up to 1",
    EXAMPLE.read_text(encoding="utf-8").replace("bp = 105", "bp = 'x'"): "volatility_bp must be numbers",
    EXAMPLE.read_text(encoding="utf-8").replace("expiry = 1\n", "expiry = 1e9\n"): "must not be above 100",
    EXAMPLE.read_text(encoding="utf-8").replace("10, 30]", "10, 1e9]"): "must not be above 100",  # not gigabytes
    "prepayment = 5\n" + EXAMPLE.read_text(encoding="utf-8").replace("[prepayment]", ""): "must be a table",
    "seed = 'x'\n" + EXAMPLE.read_text(encoding="utf-8"): "seed 'x' must be a whole number",
    "seed = -1\n" + EXAMPLE.read_text(encoding="utf-8"): "seed -1 must be a whole number",
}


@pytest.mark.parametrize("text", BROKEN)
def test_anything_else_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "rates.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Refused, match=BROKEN[text]):
        asked(rates=path)


def test_a_spread_needs_a_price() -> None:
    with pytest.raises(Refused, match="needs a price"):
        asked(price=None)
