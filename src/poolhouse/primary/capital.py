"""What lenders and the market's other parties start with: cash through the endowments door.

Every amount is assumed (`rules/assumptions/primary.toml`). Investors are endowed by investing.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from poolhouse.rules import Rulebook, system_parties
from poolhouse.tables import Event, Posting


def endow(lenders: pl.DataFrame, opened: date, rulebook: Rulebook) -> Event:
    """Opening capital of new lenders, an event "LendersEndowed".

    lenders: party_id i32, type str (one row per lender). opened: the day the cash is theirs.
    """
    types = lenders["type"].unique().sort().to_list()
    amounts = {t: rulebook.get("primary.capital_cents", opened, type=t) for t in types}
    frame = lenders.select(
        pl.col("party_id").cast(pl.Int32),
        pl.col("type").replace_strict(amounts, return_dtype=pl.Int64).alias("endowment_cents"),
    ).sort("party_id")
    counts = lenders.group_by("type").len().sort("type")
    body = {
        "lenders": lenders.height,
        "endowment_cents": int(frame["endowment_cents"].sum()),
        "lenders_by_type": dict(zip(counts["type"].to_list(), counts["len"].to_list(), strict=True)),
        "endowment_cents_by_type": amounts,
    }
    return Event("LendersEndowed", opened, body, (Posting("Endowed", frame, opened),))


def endow_system(opened: date, rulebook: Rulebook) -> Event:
    """Opening cash of enterprises, issuers, conduit, insurers, line providers, dealer and servicers.

    An event "SystemEndowed". Parties without a value in `primary.system_capital_cents` start with none.
    """
    values = rulebook.parameters["primary.system_capital_cents"].values
    codes = sorted({str(dict(v.dims)["code"]) for v in values})
    amounts = {code: rulebook.get("primary.system_capital_cents", opened, code=code) for code in codes}
    frame = pl.DataFrame(
        {"party_id": [system_parties()[code]["party_id"] for code in codes], "endowment_cents": list(amounts.values())},
        schema={"party_id": pl.Int32, "endowment_cents": pl.Int64},
    ).sort("party_id")
    body = {"endowment_cents": sum(amounts.values()), "endowment_cents_by_party": amounts}
    return Event("SystemEndowed", opened, body, (Posting("Endowed", frame, opened),))
