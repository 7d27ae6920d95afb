"""Funding lines by type of lender: who lends, how much of a loan, up to what, at which rate.

Closing draws a line and sale repays it; both read the same parameters here, so that neither step
has to know the other. All of it is assumed: `assumptions/primary.toml`.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from poolhouse.dates import first_day
from poolhouse.money import RATE_ONE, half_up_div
from poolhouse.rules.rulebook import Rulebook, system_parties

LINES_SCHEMA: dict[str, pl.DataType] = {
    "type": pl.String(),
    "note_month": pl.Int32(),
    "provider_id": pl.Int32(),
    "line_rate_e7": pl.Int64(),
    "advance_rate_e7": pl.Int64(),
    "limit_cents": pl.Int64(),
    "pledged": pl.Boolean(),
}


def funding_lines(pairs: pl.DataFrame, rulebook: Rulebook) -> pl.DataFrame:
    """One row per distinct (type, note_month) of `pairs`, sorted: the line a lender of that type draws.

    provider_id: party; line_rate_e7: act/360 a year, fixed when drawn; advance_rate_e7: share of the
    note amount; limit_cents: most that may be drawn; pledged: whether the loan is collateral
    (deposits are not secured by loans).
    """
    rows = []
    distinct = pairs.select("type", "note_month").unique().sort("type", "note_month")
    for kind, month in zip(distinct["type"].to_list(), distinct["note_month"].to_list(), strict=True):
        as_of: date = first_day(month)
        provider = rulebook.get("primary.line_provider", as_of, type=kind)
        rows.append(
            (
                kind,
                month,
                system_parties()[provider]["party_id"],
                rulebook.get("primary.line_rate_e7", as_of, provider=provider),
                rulebook.get("primary.line_advance_rate_e7", as_of, provider=provider),
                rulebook.get("primary.line_limit_cents", as_of, type=kind),
                rulebook.get("primary.line_pledged", as_of, provider=provider),
            )
        )
    return pl.DataFrame(rows, schema=LINES_SCHEMA, orient="row")


def line_advance(note_amount_cents: pl.Series, advance_rate_e7: pl.Series) -> pl.Series:
    """What the line pays of each note: half-up(note amount x advance rate), cents."""
    product = note_amount_cents.to_numpy() * advance_rate_e7.to_numpy()
    return pl.Series("line_principal_cents", half_up_div(product, RATE_ONE), dtype=pl.Int64)
