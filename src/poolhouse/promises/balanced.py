"""1, Balanced: debits equal credits, per party, in every entry; and cash only moves.

Read from the ledger lines alone.
"""

from __future__ import annotations

import polars as pl

from poolhouse import ledger
from poolhouse.promises.evidence import Evidence, amount
from poolhouse.promises.tally import Tally


def balanced(evidence: Evidence) -> Tally:
    """A fact per (event, party, day), per day with cash, and per account and party used."""
    tally, lines = Tally(), evidence.lines
    entries = lines.group_by("event_seq", "party_id", "value_date").agg(pl.col("cents").sum())
    tally.expect(
        entries.sort("event_seq", "party_id", "value_date"),
        pl.col("cents") == 0,
        lambda r: (
            f"event {r['event_seq']} on {r['value_date']}: the debits of {evidence.party(r['party_id'])} exceed its "
            f"credits by {amount(r['cents'])}; expected $0.00"
        ),
    )
    cash = (
        lines.filter(pl.col("account").is_in(ledger.cash_accounts())).group_by("value_date").agg(pl.col("cents").sum())
    )
    tally.expect(
        cash.sort("value_date"),
        pl.col("cents") == 0,
        lambda r: (
            f"{r['value_date']}: over all parties cash changed by {amount(r['cents'])}; expected $0.00, it only moves"
        ),
    )
    tally.expect(
        lines.select("account").unique().sort("account"),
        pl.col("account").is_in(list(ledger.chart())),
        lambda r: f"account {r['account']!r} is not in the chart of accounts",
    )
    tally.expect(
        lines.select("party_id").unique().sort("party_id"),
        pl.col("party_id").is_in(evidence.book.records("parties")["party_id"].implode()),
        lambda r: f"party {r['party_id']} has ledger lines and is not in the record of parties",
    )
    return tally
