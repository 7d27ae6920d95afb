"""1, Balanced: debits equal credits, per party, in every entry; and cash only moves.

Read from the ledger lines alone.
"""

from __future__ import annotations

import polars as pl

from poolhouse import ledger
from poolhouse.promises.evidence import Evidence
from poolhouse.promises.tally import Tally


def balanced(evidence: Evidence) -> Tally:
    """A fact per (event, party, day), per day with cash, and per account and party used."""
    tally, lines = Tally(), evidence.lines
    entries = lines.group_by("event_seq", "party_id", "value_date").agg(pl.col("cents").sum())
    tally.expect(
        entries.sort("event_seq", "party_id", "value_date"),
        pl.col("cents") == 0,
        evidence.say(
            "event {event_seq} on {value_date}: debits less credits of {party_id:party}, expected $0.00, found "
            "{cents:cents}"
        ),
    )
    cash = (
        lines.filter(pl.col("account").is_in(ledger.cash_accounts())).group_by("value_date").agg(pl.col("cents").sum())
    )
    tally.expect(
        cash.sort("value_date"),
        pl.col("cents") == 0,
        evidence.say("{value_date}: cash over all parties only moves, expected a change of $0.00, found {cents:cents}"),
    )
    tally.expect(
        lines.select("account").unique().sort("account"),
        pl.col("account").is_in(list(ledger.chart())),
        evidence.say("a ledger line: expected an account of the chart, found {account!r}"),
    )
    tally.expect(
        lines.select("party_id").unique().sort("party_id"),
        pl.col("party_id").is_in(evidence.book.records("parties")["party_id"].implode()),
        evidence.say("a ledger line: expected a party of the record, found {party_id}"),
    )
    return tally
