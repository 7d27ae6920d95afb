"""3, Tied: what the loans add up to is what the ledger's control accounts say, party by party.

Loan rows on one side, ledger lines on the other, at the end of every closed month.
"""

from __future__ import annotations

import polars as pl

from poolhouse.promises.evidence import Evidence
from poolhouse.promises.sums import Sums
from poolhouse.promises.tally import Tally, beside

ACCOUNTS = (
    "loans_held", "servicing_memo", "mortgage_payable", "servicer_advances", "guarantor_advances", "custodial_payable",
)  # fmt: skip
"""Control accounts of loan_months."""


class Tied:
    """Control accounts carried from month to month; months are given in order."""

    def __init__(self, evidence: Evidence) -> None:
        self.tally = Tally()
        self._evidence = evidence
        self._balances = pl.DataFrame(schema={"party_id": pl.Int32, "account": pl.String, "cents": pl.Int64})

    def month(self, month: int, sums: Sums) -> None:
        """A fact per party and control account at the month's end."""
        moved = self._evidence.lines_of(month).filter(pl.col("account").is_in(list(ACCOUNTS)))
        keys = ["party_id", "account"]
        self._balances = (
            pl.concat([self._balances, moved.select(*keys, "cents")]).group_by(keys).sum().filter(pl.col("cents") != 0)
        )
        facts = beside(self._balances, sums.controls.filter(pl.col("rows_cents") != 0), keys)
        self.tally.expect(
            facts,
            pl.col("cents") == pl.col("rows_cents"),
            self._evidence.say(
                "{m:month}, {account} of {party_id:party}: expected {rows_cents:cents} by the loans, found "
                "{cents:cents} in the "
                "ledger",
                m=month,
            ),
        )
