"""2, Conserved, of loans that went back: what their lenders paid is what was owed, posted and assigned.

The price comes from the loan's own row, the sale and the assignments; the cash from the ledger's lines; what
must equal them stands in the register of demands.
"""

from __future__ import annotations

import polars as pl

from poolhouse.promises.evidence import Evidence, cents_of, index
from poolhouse.promises.tally import Tally, beside

_PAR_E6 = 10**8


def returned(evidence: Evidence) -> Tally:
    """Facts per demand paid (its price, its assignment or its loss) and per party's cash of each kind of event."""
    tally = Tally()
    register = evidence.book.records("repurchases").drop("event_seq")
    paid = register.filter(pl.col("state") == "paid")
    bought = paid.filter((pl.col("remedy") == "repurchase") & (pl.col("principal_cents") > 0))
    _opened(tally, register, evidence)
    _assigned(tally, bought, evidence)
    if paid.height:
        _priced(tally, bought, evidence)
        _lost(tally, paid.filter(pl.col("loss_cents") > 0), evidence)
    _banked(tally, paid, evidence)
    return tally


def _opened(tally: Tally, register: pl.DataFrame, evidence: Evidence) -> None:
    """A demand that was paid or ended was made before, and only once."""
    counts = register.group_by("demand_id").agg(
        pl.col("loan_id").first(), made=pl.col("state").is_in(["open", "promised"]).sum(), rows=pl.len(),
        parties=pl.struct("loan_id", "lender_id", "remedy").n_unique(),
    ).sort("demand_id")  # fmt: skip
    tally.expect(
        counts,
        (pl.col("made") == 1) & (pl.col("rows") <= 2) & (pl.col("parties") == 1),
        evidence.say(
            "demand {demand_id} on {loan_id:loan}: expected made once and ended at most once, found {rows} rows"
        ),
    )


def _assigned(tally: Tally, bought: pl.DataFrame, evidence: Evidence) -> None:
    moved = evidence.assignments.filter((pl.col("role") == "owner") & (pl.col("reason") == "repurchase"))
    wanted = bought.select(
        "loan_id", effective_date="settled_date", wanted_from="claimant_id", wanted_to="lender_id",
        wanted=pl.col("principal_cents") + pl.col("premium_cents"), wanted_interest="interest_cents",
    )  # fmt: skip
    keys = ["loan_id", "effective_date"]
    same = (pl.col("from_id") == pl.col("wanted_from")) & (pl.col("to_id") == pl.col("wanted_to"))
    same &= pl.col("consideration_cents") == pl.col("wanted")
    tally.expect(
        moved.join(wanted, on=keys, how="full", coalesce=True).sort(keys),
        same & (pl.col("accrued_cents") == pl.col("wanted_interest")),
        evidence.say(
            "{loan_id:loan}, back to its lender on {effective_date}: expected {wanted:cents} + {wanted_interest:cents} "
            "by the demand, found {consideration_cents:cents} + {accrued_cents:cents} assigned"
        ),
    )


def _priced(tally: Tally, bought: pl.DataFrame, evidence: Evidence) -> None:
    """What the borrower owes at the sale's price, and interest since the last instalment paid."""
    rows = evidence.book.scan("loan_months").filter(pl.col("loan_id").is_in(bought["loan_id"].implode())).select(
        "loan_id", "month", "closing_actual_cents", "pass_through_rate_e7", "guaranty_fee_rate_e7",
        last=index("last_paid_due_date").cast(pl.Int64),
    ).collect()  # fmt: skip
    prices = evidence.book.scan("sales").select("loan_id", "price_e6").collect()
    facts = bought.join(rows, on=["loan_id", "month"], how="left").join(prices, on="loan_id", how="left")
    owed = facts["closing_actual_cents"].fill_null(0).to_numpy()
    months = facts["month"] + 1 - facts["last"]
    rates = [facts[c].fill_null(0).cast(pl.Int64).to_numpy() for c in ("pass_through_rate_e7", "guaranty_fee_rate_e7")]
    value = (2 * owed * facts["price_e6"].fill_null(0).to_numpy() + _PAR_E6) // (2 * _PAR_E6)
    facts = facts.with_columns(
        pl.Series("wanted", owed), pl.Series("above", value - owed),
        accrued=months * pl.Series(cents_of(owed * rates[0]) + cents_of(owed * rates[1])),
    )  # fmt: skip
    for column, wanted in (("principal_cents", "wanted"), ("premium_cents", "above"), ("interest_cents", "accrued")):
        what = column.removesuffix("_cents")
        text = f"{{loan_id:loan}}, back to its lender: {what}, expected {{{wanted}:cents}}, found {{{column}:cents}}"
        tally.expect(facts, pl.col(column) == pl.col(wanted), evidence.say(text))


def _lost(tally: Tally, paid: pl.DataFrame, evidence: Evidence) -> None:
    """No lender makes good more than what its loan lost."""
    whole = paid.filter(pl.col("remedy") != "reprice")
    losses = evidence.book.scan("loan_months").filter(pl.col("loan_id").is_in(whole["loan_id"].implode()))
    sums = losses.group_by("loan_id").agg(lost=pl.col("loss_cents").sum()).collect().sort("loan_id")
    tally.expect(
        whole.join(sums, on="loan_id", how="left"),
        pl.col("loss_cents") <= pl.col("lost"),
        evidence.say("{loan_id:loan}, made whole: expected at most the loss of {lost:cents}, found {loss_cents:cents}"),
    )


def _banked(tally: Tally, paid: pl.DataFrame, evidence: Evidence) -> None:
    """Each party's cash of an event is the sum of the demands behind it."""
    kind = (
        pl.when(pl.col("remedy") == "reprice").then(pl.lit("Repriced"))
        .when(pl.col("principal_cents") > 0).then(pl.lit("Repurchased")).otherwise(pl.lit("MadeWhole"))
    )  # fmt: skip
    demands = paid.with_columns(kind=kind)
    sides = [
        demands.select("kind", party_id=party, value_date="settled_date", wanted=sign * pl.col("total_cents"))
        for party, sign in (("lender_id", -1), ("claimant_id", 1))
    ]
    keys = ["kind", "party_id", "value_date"]
    wanted = pl.concat(sides).group_by(keys).agg(pl.col("wanted").sum())
    lines = evidence.lines.join(evidence.kinds, on="event_seq", how="left")
    posted = lines.filter(
        pl.col("kind").is_in(["Repurchased", "MadeWhole", "Repriced"]) & (pl.col("account") == "cash")
    ).group_by(keys).agg(posted=pl.col("cents").sum())  # fmt: skip
    tally.expect(
        beside(wanted, posted, keys),
        pl.col("wanted") == pl.col("posted"),
        evidence.say(
            "{kind}, {party_id:party}, {value_date}: expected {wanted:cents} by the demands, found {posted:cents} in "
            "the ledger"
        ),
    )
