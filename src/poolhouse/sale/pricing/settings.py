"""The settings of a price sheet by section and name: what each is, its unit, and what it is when a sheet that has
the section leaves it out."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from poolhouse.findings import Refused
from poolhouse.tables.codes import PROGRAMS

KEEP = object()
"""Left out: the model's."""

_SCALES = {
    "times": 1_000,
    "points": 1_000_000,
    "bp": 1_000,
    "percent": 100_000,
    "share": 100,
    "days": 1,
    "dollars": 100,
}
"""Unit that people write -> factor to the unit kept: e3, e6, e7, e7, e4, days, cents."""
_MOST = {"times": 1_000, "points": 100, "bp": 1_000, "percent": 100, "share": 1_000, "days": 3_650}
"""The most that can be meant, where more would be a mistaken unit."""
WORDS = {
    "times": "years of fee, such as 4.5",
    "points": "points of price, such as 0.25",
    "bp": "basis points a year, such as 25",
    "percent": "percent a year, such as 6.25",
    "share": "percent, such as 80",
    "days": "a whole number of days",
    "dollars": "dollars",
    "score": "a credit score",
    "flag": "true or false",
    "state": "two-letter postal codes",
}


@dataclass(frozen=True)
class Setting:
    """`unit`: a key of WORDS. `shape`: one | list | grid. `absent`: value when left out, KEEP the model's.
    `negative`: whether it may be below zero."""

    unit: str
    meaning: str
    absent: Any = KEEP
    shape: str = "one"
    negative: bool = False


def _servicing(who: str) -> dict[str, Setting]:
    kinds = ("conventional", "fha", "va", "usda")
    return {
        **{k: Setting("times", f"base servicing fee {who}, {k} loans") for k in kinds},
        "above": Setting("times", f"servicing fee above the least, {who}"),
        "size_tops": Setting("dollars", "upper ends of the sizes of loan, ascending", [], "list"),
        "by_size": Setting("times", "added by size, one more than size_tops", [], "list", True),
        "no_escrow": Setting("times", "added for loans without escrow", 0, negative=True),
        "slow_states": Setting("state", "states where foreclosure is slow", [], "list"),
        "slow_state": Setting("times", "added in slow_states", 0, negative=True),
        "per_point": Setting("times", "added per point of note rate above carry.market_rate", 0, negative=True),
        "low": Setting("times", "never less", 0),
        "high": Setting("times", "never more", 100_000),
    }


_ADJUSTMENTS = {
    "score_floors": Setting("score", "lowest score of each row, descending to 0", [], "list"),
    "ltv_tops": Setting("share", "highest loan to value of each column but the last", [], "list"),
    "grid": Setting("points", "taken off by score (rows) and loan to value (columns)", [], "grid", True),
    **{
        name: Setting("points", f"taken off: {words}", 0, negative=True)
        for name, words in (
            ("cash_out", "cash-out refinance"), ("investment", "investment property"), ("second_home", "second home"),
            ("condo", "condominium"), ("two_to_four", "two to four units"),
        )
    },
}  # fmt: skip
_COSTS = {
    "hedge": Setting("points", "cost of the hedge", 0),
    "delivery": Setting("points", "cost of delivery, due diligence included", 0),
    "days": Setting("days", "from pricing to the money (a swap's is its settlement date)"),
}

SETTINGS: dict[str, dict[str, Setting]] = {
    "multiples": {
        "buy_up": Setting("times", "paid for guaranty fee bought up"),
        "buy_down": Setting("times", "asked for guaranty fee bought down"),
        "excess": Setting("times", "worth of excess kept beyond the servicing fee"),
    },
    "guaranty_fee": {p: Setting("bp", f"ongoing guaranty fee before buy-up, {p}") for p in ("fnma", "fhlmc", "gnma")},
    "servicing.kept": _servicing("kept"),
    "servicing.released": _servicing("sold"),
    "llpa": {
        "minimum_mi": Setting("points", "adjustment for the minimum mortgage insurance option; left out: not known"),
        "freddie_alternate": Setting("flag", "charge Freddie Mac's alternate column", False),
    },
    "mi": {"lender_paid": Setting("points", "single premium for each percent of coverage, where the lender pays")},
    "costs.swap": _COSTS,
    "costs.cash": _COSTS,
    "costs.conduit": _COSTS,
    "carry": {
        "line_rate": Setting("percent", "what the funding line costs"),
        "market_rate": Setting("percent", "the market's mortgage rate, from which per_point counts"),
    },
    "hold": {
        "prepaid": Setting("share", "of the balance prepaid a year"),
        "prepaid_per_point": Setting("share", "more for each point that the note rate is above carry.market_rate", 0),
        "prepaid_most": Setting("share", "of the balance prepaid a year at most"),
        "yield": Setting("percent", "asked of a loan held"),
        "servicing_cost": Setting("bp", "cost of servicing a loan held"),
        "capital": Setting("bp", "charge for the capital of a loan held"),
    },
    "hold.loss": {
        "score_floors": Setting("score", "lowest score of each row, descending to 0", shape="list"),
        "ltv_tops": Setting("share", "highest loan to value of each column but the last", shape="list"),
        "grid": Setting("bp", "expected loss a year by score (rows) and loan to value (columns)", shape="grid"),
        "government": Setting("bp", "expected loss a year of government loans"),
    },
    **{f"conduit_adjustments.{p}": _ADJUSTMENTS for p in ("private", "nonqm")},
}
"""Section -> name -> setting. `docs/pricing.md` lists them; a test compares."""


def scaled(where: str, value: Any, setting: Setting) -> Any:
    """A setting's value in the unit kept. Refused with the place and what to write."""
    if setting.shape == "list":
        return [_one(where, v, setting) for v in _listed(where, value)]
    if setting.shape == "grid":
        return [[_one(where, v, setting) for v in _listed(where, row)] for row in _listed(where, value)]
    return _one(where, value, setting)


def number(where: str, value: Any, factor: int, wanted: str, *, negative: bool = False, most: int = 10**9) -> int:
    """An exact multiple of 1/factor, no larger than `most`, as an integer. Refused otherwise."""
    shown = str(value) if isinstance(value, Decimal) else repr(value)
    try:
        exact = Decimal(str(value).replace("_", "")) if not isinstance(value, bool) else Decimal("NaN")
    except InvalidOperation:
        exact = Decimal("NaN")
    if exact.is_finite() and abs(exact) > most:
        raise Refused(f"{where}: {shown} is above {most:,}: write {wanted}")
    if not exact.is_finite() or (exact < 0 and not negative):
        raise Refused(f"{where}: {shown} is not what stands here: write {wanted}")
    if exact * factor != (exact * factor).to_integral_value():
        raise Refused(f"{where}: {shown} has more decimals than can be meant: write {wanted}")
    return int(exact * factor)


def check_shapes(name: str, values: dict[str, dict[str, Any]]) -> None:
    """What several settings must be together. Refused with the sections that disagree."""
    times = values["multiples"]
    if times["buy_down"] < times["buy_up"]:
        raise Refused(
            f"{name}: multiples: buy_down is below buy_up: fee could be bought up and down at a gain; "
            "give buy_down at least buy_up"
        )
    if values["hold"]["prepaid_most"] > _SCALES["share"] * 100:
        raise Refused(f"{name}: hold.prepaid_most is above 100: no more than all of a balance is prepaid")
    for kept in ("kept", "released"):
        section = values[f"servicing.{kept}"]
        if section["size_tops"] and len(section["by_size"]) != len(section["size_tops"]) + 1:
            raise Refused(f"{name}: servicing.{kept}: by_size has one value more than size_tops")
        if section["low"] > section["high"]:
            raise Refused(f"{name}: servicing.{kept}: low is above high")
    for key in ("hold.loss", *(f"conduit_adjustments.{p}" for p in PROGRAMS[4:])):
        table = values[key]
        grid, floors, tops = table["grid"], table["score_floors"], table["ltv_tops"]
        if grid and (len(grid) != len(floors) or any(len(row) != len(tops) + 1 for row in grid)):
            raise Refused(f"{name}: {key}: grid needs a row for each of score_floors and a column more than ltv_tops")
        if floors != sorted(floors, reverse=True) or tops != sorted(tops) or (floors and floors[-1] != 0):
            raise Refused(f"{name}: {key}: score_floors descend to 0, ltv_tops ascend")


def _one(where: str, value: Any, setting: Setting) -> Any:
    wanted = WORDS[setting.unit]
    if setting.unit == "flag":
        if str(value).lower() not in ("true", "false"):
            raise Refused(f"{where}: {value!r} is not what stands here: write {wanted}")
        return str(value).lower() == "true"
    if setting.unit == "state":
        if not (isinstance(value, str) and len(value) == 2 and value.isalpha()):
            raise Refused(f"{where}: {value!r} is not what stands here: write {wanted}")
        return value.upper()
    most = _MOST.get(setting.unit, 10**9)
    return number(where, value, _SCALES.get(setting.unit, 1), wanted, negative=setting.negative, most=most)


def _listed(where: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise Refused(f"{where}: {value!r} is not what stands here: write a list in [brackets]")
    return value
