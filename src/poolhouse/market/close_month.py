"""close-month: the open month runs from its 1st to its last day, and the clock moves on.

The loan phase runs part by part, side by side; rows of one part give rows and integer sums. Then
pools, factors, holders, lenders watched, servicing rights, in the order of their dates.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from poolhouse import investing, pooling, servicing
from poolhouse.book import PART_ROWS, Txn, canonical_hash
from poolhouse.dates import business_day, first_day, last_day, month_name
from poolhouse.market.classes import standings
from poolhouse.market.commitments import end_commitments
from poolhouse.market.desk import Desk, by_part, commit, trades
from poolhouse.market.receive import Received, from_model, read_payments, rejects_answer, servicer_moves
from poolhouse.market.repurchase import back_to_lenders, demands_of, settle_demands
from poolhouse.market.watch import watch_lenders
from poolhouse.rules import Rulebook
from poolhouse.tables import ASSIGNMENTS, LOAN_MONTHS, LOANS, PAYMENTS, POOL_FACTORS, REJECTS, Event, Outcome
from poolhouse.tables.codes import ACTIVE

THREADS = 2


@dataclass(frozen=True)
class PartResult:
    """What the loan phase hands on from one part."""

    sums: pl.DataFrame
    pools: pl.DataFrame
    collected: pl.DataFrame
    receipts: pl.DataFrame
    claims: pl.DataFrame
    assignments: pl.DataFrame
    standing: pl.DataFrame
    demanded: pl.DataFrame


_STANDING = [
    "loan_id", "owner_id", "servicer_id", "pool_id", "remittance", "note_rate_e7", "pass_through_rate_e7",
    "guaranty_fee_rate_e7", "closing_scheduled_cents", "last_paid_due_date", "maturity_date", "end_code",
]  # fmt: skip


def close_month(desk: Desk, payments: Path | str | None = None) -> dict[str, Any]:
    """Run the month. payments: a user's file; without one the borrower model pays."""
    desk.require("close-month")
    month = desk.month
    received = read_payments(desk, payments, month) if payments is not None else None
    body = {"payments": canonical_hash(received.good) if received is not None else "model"}
    with desk.book.command("close-month", f"close-month:{month_name(month)}", body) as txn:
        if txn.replayed is not None:
            return txn.replayed
        answer = _run(desk, txn, month, received)
        if received is not None:
            answer = {**answer, "waiting": received.waiting}
        txn.finish(answer, first_day(month + 1))
    return answer


def _run(desk: Desk, txn: Txn, month: int, received: Received | None) -> dict[str, Any]:
    given = received.good if received is not None else None
    rejects = received.rejects if received is not None else REJECTS.empty()
    moves = servicer_moves(desk, month)
    commit(txn, Outcome(servicing.transfer_event(desk.opening(month), moves, month) if moves.height else []), month)
    results = loan_phase(desk, txn, month, given, moves)
    if rejects.height:
        txn.segment("rejects", rejects, month=month, part=PART_ROWS)
    sums = servicing.add_up([r.sums for r in results])
    receipts = pl.concat([r.receipts for r in results]).group_by("servicer_id", "value_date", "sale").sum()
    claims = pl.concat([r.claims for r in results]).group_by("servicer_id", "insurer_id").sum()
    receipts, claims = receipts.sort("servicer_id", "value_date", "sale"), claims.sort("servicer_id", "insurer_id")
    events = servicing.month_events(month, receipts, sums, claims, desk.rulebook)
    commit(txn, Outcome(events[:5]), month)
    pools = servicing.add_pools([r.pools for r in results])
    collected = servicing.add_collections([r.collected for r in results])
    held = pay_holders(desk, pools, collected, month)
    commit(txn, held, month)
    ended = pl.concat([r.assignments for r in results])
    tables = {"assignments": ended, "pool_months": pools}
    commit(txn, Outcome(events[5:], tables), month)
    answer = _answer(month, sums, receipts, held, rejects)
    commit(txn, settle_demands(desk, pl.concat([r.demanded for r in results]), month), month)
    commit(txn, end_commitments(desk, month), month)
    _month_end(desk, txn, month, pl.concat([r.standing for r in results]))
    txn.event("MonthClosed", last_day(month), answer)
    return answer


def loan_phase(desk: Desk, txn: Txn, month: int, given: pl.DataFrame | None, moves: pl.DataFrame) -> list[PartResult]:
    """Every part's month, two at a time; each writes its own segments."""
    parts = desk.parts(month)
    shared = month_inputs(desk, month, moves)

    def one(part: int) -> PartResult:
        opening = desk.opening(month, part, servicing.OPENING_COLUMNS)
        payments = (
            _part_of(given, part) if given is not None else from_model(desk, opening, _part_of(moves, part), month)
        )
        rows, sent = part_month(desk, shared, part, opening, payments)
        txn.segment("loan_months", rows, month=month, part=part)
        if sent.height:
            txn.segment("payments", sent, month=month, part=part)
        return _result(desk, shared, opening, rows, sent)

    if not parts:  # no loan is there yet, or the last one has ended: a month without rows
        return [_result(desk, shared, LOAN_MONTHS.empty(), LOAN_MONTHS.empty(), PAYMENTS.empty())]
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(one, parts))


def _result(
    desk: Desk, shared: MonthInputs, opening: pl.DataFrame, rows: pl.DataFrame, sent: pl.DataFrame
) -> PartResult:
    """A part's sums from its rows before and after the month and its payments."""
    month, demanded = shared.month, shared.demands["loan_id"]
    kinds = loans_of(
        desk, rows.select("loan_id", "claim_cents").filter(pl.col("claim_cents") > 0)["loan_id"], ["loan_id", "kind"]
    )
    return PartResult(
        servicing.month_sums(rows), servicing.pool_months(rows),
        servicing.collections(opening, shared.deals, month), servicing.receipt_sums(sent),
        servicing.claim_rows(rows, kinds), exits(opening, rows, month), still_looked_at(desk, rows, month),
        rows.filter(pl.col("loan_id").is_in(demanded.implode())) if len(demanded) else rows.clear(),
    )  # fmt: skip


def still_looked_at(desk: Desk, rows: pl.DataFrame, month: int) -> pl.DataFrame:
    """Where loans stand, of those that the month's end looks at: late ones, and pooled ones when rights are sold."""
    looked_at = (pl.col("last_paid_due_date") < first_day(month)) | (pl.col("end_code") != ACTIVE)
    if servicing.rights_sold(month, desk.rulebook):
        looked_at |= pl.col("pool_id") > 0
    return rows.lazy().filter(looked_at).select(_STANDING).collect()


@dataclass(frozen=True)
class MonthInputs:
    """What every part of a month's loan phase is given: rules, sales, pooled loans, servicing that moves, demands, and
    the pools that are issued as deals."""

    month: int
    rules: servicing.MonthRules
    sales: pl.DataFrame
    pooled: pl.DataFrame
    moves: pl.DataFrame
    demands: pl.DataFrame
    deals: list[int]


def month_inputs(desk: Desk, month: int, moves: pl.DataFrame) -> MonthInputs:
    """The loan phase's inputs as the book records them. moves: `servicer_moves` of the month."""
    return MonthInputs(
        month, servicing.month_rules(desk.rulebook, month), *month_changes(desk, month), moves,
        demands_of(desk, month), desk.book.records("deals")["pool_id"].to_list(),
    )  # fmt: skip


def part_month(
    desk: Desk, shared: MonthInputs, part: int, opening: pl.DataFrame, payments: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """One part's month from its opening rows and payments: its rows and its payments with their disposition.

    `close-month` writes what this gives, and `verify` gives it again.
    """
    sales, pooled, moves, demands = (
        _part_of(f, part) for f in (shared.sales, shared.pooled, shared.moves, shared.demands)
    )
    here = servicing.Changes(sales, pooled, moves, cover(desk, payments, shared.month), back_to_lenders(demands))
    return servicing.run_month(opening, payments, here, shared.month, shared.rules)


def month_changes(desk: Desk, month: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """This month's sales and pooled loans, as the loan phase takes them."""
    sales = desk.book.segment("sales", month).select(
        "loan_id", "buyer_id", "program", "pass_through_rate_e7", "guaranty_fee_rate_e7"
    )
    pooled = desk.book.segment("pool_loans", month).sort("loan_id").select(
        "loan_id", "pool_id", "pass_through_rate_e7", "guaranty_fee_rate_e7"
    )  # fmt: skip
    return sales, pooled


def cover(desk: Desk, payments: pl.DataFrame, month: int) -> pl.DataFrame:
    """loan_id, share_e4, cap_e4 of the loans that liquidate: MI by its coverage, agencies by their rules."""
    ids = payments.filter(pl.col("kind") == "liquidation")["loan_id"].unique().sort()
    return insured(loans_of(desk, ids, ["loan_id", "kind", "mi_pct"]), month, desk.rulebook)


def loans_of(desk: Desk, ids: pl.Series, columns: list[str]) -> pl.DataFrame:
    """Columns of a few loans. Most parts have none to ask for, and then no file is opened."""
    if not len(ids):
        return LOANS.empty().select(columns)
    return desk.book.scan("loans").select(columns).filter(pl.col("loan_id").is_in(ids.implode())).collect()


def insured(loans: pl.DataFrame, month: int, rulebook: Rulebook) -> pl.DataFrame:
    """Claim terms of loans (loan_id, kind, mi_pct) liquidated in a month."""
    day = first_day(month)
    kinds = ("conventional", "fha", "va", "usda")
    share = {k: rulebook.get("servicing.claim_share_e4", day, kind=k) for k in kinds}
    cap = {k: rulebook.get("servicing.claim_cap_e4", day, kind=k) for k in kinds if k != "conventional"}
    own = pl.col("mi_pct").cast(pl.Int64) * 100
    return loans.select(
        "loan_id",
        pl.col("kind").replace_strict(share, return_dtype=pl.Int64).alias("share_e4"),
        pl.when(pl.col("kind") == "conventional").then(own)
        .otherwise(pl.col("kind").replace_strict(cap, default=0, return_dtype=pl.Int64)).alias("cap_e4"),
    ).sort("loan_id")  # fmt: skip


def _part_of(frame: pl.DataFrame, part: int) -> pl.DataFrame:
    return frame.filter(pl.col("loan_id") // PART_ROWS == part)


def exits(opening: pl.DataFrame, rows: pl.DataFrame, month: int) -> pl.DataFrame:
    """Assignments the month itself makes: buyouts move the owner; ended loans leave their pool."""
    before = opening.select("loan_id", was_owner="owner_id", was_pool="pool_id", was_ended="end_code")
    both = rows.filter((pl.col("buyout_cents") > 0) | (pl.col("end_code") != ACTIVE)).join(before, on="loan_id")
    bought = both.filter(
        (pl.col("buyout_cents") > 0) & (pl.col("was_pool") > 0) & (pl.col("owner_id") != pl.col("was_owner"))
    )
    ended = both.filter((pl.col("end_code") != ACTIVE) & (pl.col("was_ended") == ACTIVE) & (pl.col("pool_id") > 0))
    day = pl.lit(last_day(month))

    def assigned(
        frame: pl.DataFrame, role: str, old: str, new: pl.Expr, reason: str, price: str | None
    ) -> pl.DataFrame:
        return frame.select(
            "loan_id", pl.lit(role).alias("role"), pl.col(old).cast(pl.Int32).alias("from_id"),
            new.cast(pl.Int32).alias("to_id"), day.alias("effective_date"),
            (pl.col(price) if price else pl.lit(0, pl.Int64)).alias("consideration_cents"),
            pl.lit(0, pl.Int64).alias("accrued_cents"), pl.lit(reason).alias("reason"),
        )  # fmt: skip

    zero = pl.lit(0, pl.Int32)
    return ASSIGNMENTS.conform(
        pl.concat([
            assigned(bought, "owner", "was_owner", pl.col("owner_id"), "buyout", "buyout_cents"),
            assigned(bought, "pool", "was_pool", zero, "buyout", None),
            assigned(ended.join(bought, on="loan_id", how="anti"), "pool", "pool_id", zero, "payoff", None),
        ])
    )  # fmt: skip


def pay_holders(desk: Desk, pool_rows: pl.DataFrame, collected: pl.DataFrame, month: int) -> Outcome:
    """Factors, the deals' payment dates and the holders' payments: events FactorsPublished and HoldersPaid."""
    totals = pool_rows.group_by("pool_id").agg(
        pl.col("closing_scheduled_cents").sum(), pl.col("received_cents").sum(), pl.col("loans").sum(),
    ).sort("pool_id")  # fmt: skip
    pools = desk.book.records("pools").drop("event_seq")
    if not pools.height:
        return Outcome([_published(month, 0)])
    previous = desk.book.segment("pool_factors", month - 1) if month > desk.start else POOL_FACTORS.empty()
    factors = pooling.factors(totals, previous, pools, month, desk.rulebook)
    if not factors.height:
        return Outcome([_published(month, 0)], {"pool_factors": factors})
    deal_rows, class_rows, _ = pooling.pay_deals(standings(desk, month - 1), collected, month)
    held = investing.positions(trades(desk), factors["record_date"][0])
    paid = investing.pay_holders(factors, held, pools, month, class_rows)
    pool_of = desk.book.records("securities").select("security_id", "pool_id")
    by_pool = paid.tables["holder_months"].join(pool_of, on="security_id").group_by("pool_id").agg(
        paid_cents=pl.col("principal_cents").sum() + pl.col("interest_cents").sum()
    ).sort("pool_id")  # fmt: skip
    tables = {
        **paid.tables, "pool_factors": pooling.settle(factors, by_pool), "deal_months": deal_rows,
        "class_months": class_rows,
    }  # fmt: skip
    return Outcome([_published(month, factors.height), *paid.events], tables)


def _published(month: int, pools: int) -> Event:
    return Event("FactorsPublished", business_day(month, 4), {"month": month_name(month), "pools": pools})


def _month_end(desk: Desk, txn: Txn, month: int, standing: pl.DataFrame) -> None:
    """Lenders watched, then the servicing-rights market, from where each loan stands now."""
    commit(txn, watch_lenders(desk, standing, month), month)
    agreed = desk.book.scan("assignments").filter(
        (pl.col("role") == "servicer") & (pl.col("effective_date") > last_day(month))
    ).select("loan_id").collect()  # fmt: skip
    free = standing.join(agreed, on="loan_id", how="anti", maintain_order="left") if agreed.height else standing
    lenders = desk.lenders().select("party_id", "code")
    outcome = servicing.assumed_sale(free, lenders, desk.seed, month, desk.rulebook)
    moved = outcome.tables.pop("assignments", ASSIGNMENTS.empty())
    for part, frame in by_part(moved):
        txn.segment("assignments", frame, month=month, part=part)
    commit(txn, outcome, month)


def _answer(
    month: int, sums: pl.DataFrame, receipts: pl.DataFrame, held: Outcome, rejects: pl.DataFrame
) -> dict[str, Any]:
    holders = held.tables.get("holder_months")
    paid = int((holders["principal_cents"] + holders["interest_cents"]).sum()) if holders is not None else 0
    total = {k: int(sums[f"{k}_cents"].sum()) for k in ("advanced", "recovered", "buyout", "guaranty_relief")}
    return {
        "month": month_name(month), "received_cents": int(receipts["paid_cents"].sum()),
        **{f"{k}_cents": v for k, v in total.items()},
        "holders_paid_cents": paid,
        "rejected": rejects.height,
        "rejects": rejects_answer(rejects),
    }  # fmt: skip
