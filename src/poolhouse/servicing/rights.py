"""Servicing rights change hands apart from the loans: who sells, for how much, and what moves on the day."""

from __future__ import annotations

import polars as pl

from poolhouse import chance
from poolhouse.dates import first_day, last_day, month_name
from poolhouse.money import half_up_div
from poolhouse.rules import Rulebook, system_parties
from poolhouse.tables import ASSIGNMENTS, Event, Outcome, Posting

CUSTODY = ("suspense_cents", "prepaid_cents", "pending_unscheduled_cents", "pending_interest_cents")


def agree(rows: pl.DataFrame, buyer_id: int, effective: int, month: int, multiple_e2: int, agreed_to: str) -> Outcome:
    """Sell the servicing of these loans: event ServicingSold, assignments effective on the 1st of `effective`.

    rows: loan_id, servicer_id, program rates and closing_scheduled_cents (LOAN_MONTHS columns).
    Price = multiple (e2) x yearly servicing fee on the scheduled balance, per loan, half-up.
    """
    fee_rate = pl.col("note_rate_e7") - pl.col("pass_through_rate_e7") - pl.col("guaranty_fee_rate_e7")
    weighted = rows.select(fee_rate.cast(pl.Int64) * pl.col("closing_scheduled_cents") * multiple_e2).to_series()
    price = half_up_div(weighted.to_numpy(), 10_000_000 * 100)
    frame = rows.select("loan_id", from_id="servicer_id").with_columns(
        pl.Series("price_cents", price), pl.lit(buyer_id, pl.Int32).alias("to_id")
    ).filter(pl.col("from_id") != buyer_id)  # fmt: skip
    assignments = frame.select(
        "loan_id", pl.lit("servicer").alias("role"), "from_id", "to_id",
        pl.lit(first_day(effective)).alias("effective_date"), pl.col("price_cents").alias("consideration_cents"),
        pl.lit(0, pl.Int64).alias("accrued_cents"), pl.lit("servicing_sale").alias("reason"),
    )  # fmt: skip
    sums = frame.group_by("from_id", "to_id").agg(pl.len().alias("loans"), pl.col("price_cents").sum()).sort("from_id")
    body = {
        "month": month_name(month), "effective": first_day(effective).isoformat(), "to": agreed_to,
        "loans": frame.height, "price_cents": int(frame["price_cents"].sum()), "sellers": sums.height,
    }  # fmt: skip
    event = Event("ServicingSold", last_day(month), body, (Posting("ServicingSold", sums, last_day(month)),))
    return Outcome([event] if frame.height else [], {"assignments": ASSIGNMENTS.conform(assignments)}, answer=body)


def rights_sold(month: int, rulebook: Rulebook) -> bool:
    """Is it a month in which servicing changes hands, as assumed?"""
    return month % 12 + 1 in rulebook.get("servicing.rights_sale", first_day(month))["calendar_months"]


def assumed_sale(rows: pl.DataFrame, lenders: pl.DataFrame, seed: int, month: int, rulebook: Rulebook) -> Outcome:
    """The servicing-rights market of a month, as assumed: some lenders sell the servicing of their pooled loans.

    rows: LOAN_MONTHS rows of the month; lenders: party_id, code.
    """
    if not rights_sold(month, rulebook):
        return Outcome()
    terms = rulebook.get("servicing.rights_sale", first_day(month))
    keys = chance.text_keys(lenders["code"])
    chosen = chance.draws(seed, keys, month, "servicing-sale") < chance.threshold(terms["share_e4"] / 10_000)
    sellers = lenders.filter(pl.Series(chosen))["party_id"]
    sold = rows.filter(
        (pl.col("pool_id") > 0) & (pl.col("remittance") == 1) & (pl.col("end_code") == 0)
        & pl.col("servicer_id").is_in(sellers.implode())
    )  # fmt: skip
    if not sold.height:
        return Outcome()
    buyer = int(system_parties()[terms["buyer"]]["party_id"])
    return agree(sold, buyer, month + terms["months_to_transfer"], month, terms["multiple_e2"], terms["buyer"])


def transfer_event(opening: pl.DataFrame, moves: pl.DataFrame, month: int) -> list[Event]:
    """What moves on the 1st: custody, advances (the new servicer repays them) and the loans serviced.

    opening: LOAN_MONTHS rows of the month before; moves: loan_id, servicer_id (the new one).
    """
    joined = opening.join(moves.select("loan_id", to_id="servicer_id"), on="loan_id")
    joined = joined.filter(pl.col("servicer_id") != pl.col("to_id"))
    if not joined.height:
        return []
    sums = (
        joined.select(
            pl.col("servicer_id").alias("from_id"),
            "to_id",
            pl.sum_horizontal(CUSTODY).alias("custody_cents"),
            pl.col("advance_balance_cents").alias("advances_cents"),
            pl.col("closing_actual_cents").alias("actual_cents"),
        )
        .group_by("from_id", "to_id")
        .sum()
        .sort("from_id", "to_id")
    )
    body = {
        "month": month_name(month), "loans": joined.height, "custody_cents": int(sums["custody_cents"].sum()),
        "advances_cents": int(sums["advances_cents"].sum()), "actual_cents": int(sums["actual_cents"].sum()),
    }  # fmt: skip
    day = first_day(month)
    return [Event("ServicingTransferred", day, body, (Posting("ServicingTransferred", sums, day),))]
