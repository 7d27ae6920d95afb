"""sell: eligible loans go where all of them together bring most; the rest stays with the lender, its line repaid."""

from __future__ import annotations

from typing import Any

import polars as pl

from poolhouse import primary, sale, servicing
from poolhouse.dates import month_name
from poolhouse.market.check import deliverable
from poolhouse.market.commitments import open_commitments
from poolhouse.market.desk import Desk, commit
from poolhouse.market.pool import waiting_loans
from poolhouse.tables import Outcome

NOT_CURRENT = "not current"


def sell(desk: Desk) -> dict[str, Any]:
    """Events LoansSold and LinesRepaid; rows in sales, refusals, assignments."""
    desk.require("sell")
    month = desk.month
    with desk.book.command("sell", f"sell:{month_name(month)}", {}) as txn:
        if txn.replayed is not None:
            return txn.replayed
        lenders = desk.lenders()
        candidates = _candidates(desk, month, lenders)
        answer: dict[str, Any] = {"month": month_name(month), "offered": candidates.height, "sold": 0, "refused": 0}
        if candidates.height:
            outcome = _sell(desk, candidates, lenders, month)
            answer["sold"] = outcome.tables["sales"].height
            answer["refused"] = outcome.tables["refusals"].height
            answer["proceeds_cents"] = int(outcome.tables["sales"]["proceeds_cents"].sum())
            commit(txn, outcome, month)
        else:
            txn.event("LoansSold", desk.today, answer)
        txn.finish(answer, desk.today)
    return answer


def _sell(desk: Desk, candidates: pl.DataFrame, lenders: pl.DataFrame, month: int) -> Outcome:
    approved = lenders.join(sale.approvals(lenders.select("party_id", "code", "type"), desk.rulebook), on="party_id")
    approved = approved.select("party_id", "code", "type", "fnma", "fhlmc", "gnma", "private")
    checks = (
        desk.book.scan("checks").join(candidates.lazy().select("loan_id"), on="loan_id", how="semi").collect()
        .sort("loan_id", "program", "as_of").unique(["loan_id", "program"], keep="last", maintain_order=True)
    )  # fmt: skip
    prices = desk.book.records("prices").filter(pl.col("month") == month).drop("event_seq")
    states = lender_states(desk)
    stopped = {lender for lender, state in states.items() if state in sale.STOPPED}
    limited = [lender for lender, state in states.items() if state == "overlay"]
    kept_out = sale.outside_overlay(candidates, limited, desk.today, desk.rulebook)
    outcome = sale.sell(
        candidates, checks, approved, stopped, prices, month, desk.rulebook, kept_out, open_commitments(desk),
        waiting_loans(desk, month).select(sale.NONE_WAITING.columns),
    )  # fmt: skip
    kept = candidates.join(outcome.tables["sales"].select("loan_id"), on="loan_id", how="anti", maintain_order="left")
    repaid = sale.retain(kept, lenders.select("party_id", "type"), desk.today, desk.rulebook)
    outcome.events += repaid.events
    outcome.tables["assignments"] = pl.concat([outcome.tables["assignments"], repaid.tables["assignments"]])
    return outcome


def lender_states(desk: Desk) -> dict[int, str]:
    """The state of each lender that the aggregators ever decided about; the others are approved."""
    states = sale.current_states(desk.book.records("lender_states").drop("event_seq"))
    return dict(states.select("lender_id", "state").rows())


def _candidates(desk: Desk, month: int, lenders: pl.DataFrame) -> pl.DataFrame:
    """Loans offered for the first time, and those refused last month only for not being current."""
    refused = desk.book.segment("refusals", month - 1).filter(pl.col("reason").str.starts_with(NOT_CURRENT))["loan_id"]
    offered_before = pl.concat(
        [desk.book.scan("sales").select("loan_id"), desk.book.scan("refusals").select("loan_id")]
    )
    fresh = pl.concat([desk.book.segment("loans", m) for m in (month - 1, month)])
    again = desk.book.scan("loans").filter(pl.col("loan_id").is_in(refused.implode())).collect()
    fresh = deliverable(fresh, month).join(offered_before.collect().unique(), on="loan_id", how="anti")
    loans = pl.concat([fresh, again]).unique("loan_id").sort("loan_id")
    opening = desk.opening(month, columns=servicing.OPENING_COLUMNS)
    opening = opening.filter(pl.col("loan_id").is_in(loans["loan_id"].implode()))
    stand = servicing.scheduled_after(opening, month)
    owners = opening.select("loan_id", seller_id="owner_id")
    drawn = _drawn(desk, loans, lenders, refused)
    return loans.join(stand, on="loan_id").join(owners, on="loan_id").join(drawn, on="loan_id").sort("loan_id")


def _drawn(desk: Desk, loans: pl.DataFrame, lenders: pl.DataFrame, repaid: pl.Series) -> pl.DataFrame:
    """What each loan's funding line advanced; nothing once it was repaid for a retained loan."""
    drawn = primary.advances(loans, lenders.select("party_id", "type"), desk.rulebook)
    return drawn.with_columns(
        pl.when(pl.col("loan_id").is_in(repaid.implode())).then(0).otherwise(pl.col("line_principal_cents"))
        .cast(pl.Int64).alias("line_principal_cents")
    )  # fmt: skip
