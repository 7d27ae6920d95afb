"""What the investors start with, and the plan that holds the fund."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from poolhouse.money import half_up_div
from poolhouse.rules import Rulebook, system_parties
from poolhouse.tables import Event, Posting

SHARE_ONE_E8 = 100_000_000

FUND_SHARES_SCHEMA: dict[str, pl.DataType] = {
    "fund_id": pl.Int32(),
    "holder_id": pl.Int32(),
    "paid_cents": pl.Int64(),
    "share_e8": pl.Int64(),
}


def endow(opened: date, rulebook: Rulebook) -> Event:
    """Opening cash of the investors and the plan's purchase of fund shares: an event "InvestorsEndowed".

    All assumed (`rules/assumptions/investing.toml`). The dealer is endowed with the other system parties.
    """
    amounts = _amounts(opened, rulebook)
    cash = pl.DataFrame(
        {"party_id": [_id(code) for code in amounts], "endowment_cents": list(amounts.values())},
        schema={"party_id": pl.Int32, "endowment_cents": pl.Int64},
    )
    shares = fund_shares(opened, rulebook)
    body = {
        "endowment_cents": sum(amounts.values()),
        "endowment_cents_by_party": amounts,
        "fund_shares_cents": int(shares["paid_cents"].sum()),
    }
    postings = (Posting("Endowed", cash, opened), Posting("FundSharesSold", shares, opened))
    return Event("InvestorsEndowed", opened, body, postings)


def fund_shares(opened: date, rulebook: Rulebook) -> pl.DataFrame:
    """Who holds a fund, FUND_SHARES_SCHEMA: what was paid in, and the share of the fund it bought.

    The fund's own capital belongs to holders outside the book, so a plan's share is what it paid over
    the fund's money in all.
    """
    amounts, rows = _amounts(opened, rulebook), []
    for dims in _dims("investing.fund_shares_cents", rulebook):
        paid = rulebook.get("investing.fund_shares_cents", opened, **dims)
        share = half_up_div(SHARE_ONE_E8 * paid, amounts[dims["fund"]] + paid)
        rows.append((_id(dims["fund"]), _id(dims["holder"]), paid, share))
    return pl.DataFrame(rows, schema=FUND_SHARES_SCHEMA, orient="row").sort("fund_id", "holder_id")


def _amounts(opened: date, rulebook: Rulebook) -> dict[str, int]:
    name = "investing.capital_cents"
    return {dims["code"]: rulebook.get(name, opened, **dims) for dims in _dims(name, rulebook)}


def _dims(name: str, rulebook: Rulebook) -> list[dict[str, Any]]:
    """The distinct dimensions of a parameter's values, in a fixed order."""
    return [dict(dims) for dims in sorted({value.dims for value in rulebook.parameters[name].values})]


def _id(code: str) -> int:
    return int(system_parties()[code]["party_id"])
