"""pool and issue: bought loans become pools; their securities go to investors by auction."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from poolhouse import investing, pooling, sale, servicing
from poolhouse.book import canonical_hash
from poolhouse.book.canon import sha256_text
from poolhouse.dates import first_day, last_business_day, month_name
from poolhouse.findings import Refused
from poolhouse.market.classes import open_classes, trusts
from poolhouse.market.desk import Desk, commit, finding_dicts, trades
from poolhouse.market.rejects import keep_rejects
from poolhouse.market.structure import text_of_deal
from poolhouse.sale.pricing.llpa import general_limit
from poolhouse.tables import POOLS, PRICES, TRADES, Event
from poolhouse.tables.codes import FHLMC, FNMA, GNMA


def pool(desk: Desk, deal: Path | str | None = None) -> dict[str, Any]:
    """Events PoolsFormed and SecuritiesIssued; records pools, securities and deals; rows in pool_loans, pool_waits.

    deal: a deal's TOML that this month's private pools are issued as, instead of the assumed one. Refused: one that a
    book can't pay, or when no private pool comes together.
    """
    desk.require("pool")
    month, terms = desk.month, None if deal is None else text_of_deal(Path(deal))
    body = {} if terms is None else {"deal": sha256_text(terms)}
    with desk.book.command("pool", f"pool:{month_name(month)}", body) as txn:
        if txn.replayed is not None:
            return txn.replayed
        waiting = waiting_loans(desk, month)
        pools = desk.book.records("pools")
        next_id = int(pools["pool_id"].to_numpy().max(initial=0)) + 1
        answer: dict[str, Any] = {"month": month_name(month), "offered": waiting.height, "pools": 0, "pooled": 0}
        if waiting.height:
            outcome = pooling.form(waiting, month, next_id, desk.rulebook, _classes(desk), terms)
            formed = outcome.records.get("pools", POOLS.empty())
            answer |= {
                "pools": formed.height, "pooled": outcome.tables["pool_loans"].height,
                "waiting": outcome.tables["pool_waits"].height, "face_cents": int(formed["face_cents"].sum()),
            }  # fmt: skip
            if terms is not None and outcome.records["deals"].is_empty():
                raise _no_private_pool(month)
            outcome.events = outcome.events or [Event("PoolsFormed", desk.today, answer)]
            commit(txn, outcome, month)
        elif terms is not None:
            raise _no_private_pool(month)
        else:
            txn.event("PoolsFormed", desk.today, answer)
        txn.finish(answer, desk.today)
    return answer


def _no_private_pool(month: int) -> Refused:
    return Refused(
        f"pool: no private pool comes together in {month_name(month)}, so a deal has nothing to be of: leave it out"
    )


def _classes(desk: Desk) -> int:
    """Classes of deals in the book so far."""
    return int((desk.book.records("securities")["class_name"] != "").sum())


def waiting_loans(desk: Desk, month: int) -> pl.DataFrame:
    """Loans bought and not pooled: this month's sales and those that wait, at their balance T(month)."""
    sold = desk.book.scan("sales").select(
        "loan_id", "program", "coupon_rate_e7", "pass_through_rate_e7", "guaranty_fee_rate_e7", "settlement_date",
        "buyer_id", sold_month=pl.col("settlement_date").dt.year() * 12 + pl.col("settlement_date").dt.month() - 1,
    ).collect()  # fmt: skip
    pooled = desk.book.scan("pool_loans").select("loan_id").collect()
    given_up = desk.book.scan("pool_waits").filter(pl.col("outcome") == "portfolio").select("loan_id").collect()
    sold = sold.join(pooled, on="loan_id", how="anti").join(given_up, on="loan_id", how="anti")
    opening = desk.opening(month, columns=servicing.OPENING_COLUMNS)
    opening = opening.join(sold.select("loan_id"), on="loan_id", how="semi")
    opening = opening.filter((pl.col("remittance") == 1) | pl.col("loan_id").is_in(_sold_now(sold, month).implode()))
    stand = servicing.scheduled_after(opening, month)
    state = opening.select("loan_id", "servicer_id", "last_paid_due_date")
    loans = (
        desk.book.scan("loans")
        .select(
            "loan_id",
            "kind",
            "note_rate_e7",
            "term_months",
            "note_date",
            "first_due_date",
            "maturity_date",
            "occupancy",
            "units",
            "state",
            "note_amount_cents",
        )
        .join(sold.lazy().select("loan_id"), on="loan_id", how="semi")
        .collect()
    )
    frame = sold.join(state, on="loan_id").join(stand, on="loan_id").join(loans, on="loan_id")
    return frame.rename({"buyer_id": "owner_id"}).with_columns(
        _high_balance(frame, desk, month),
        pl.col("sold_month").cast(pl.Int32),
        pl.when(pl.col("settlement_date") > first_day(month)).then(pl.col("settlement_date"))
        .otherwise(pl.lit(first_day(month))).alias("settlement_date"),
    ).sort("loan_id")  # fmt: skip


def _high_balance(frame: pl.DataFrame, desk: Desk, month: int) -> pl.Series:
    """Above the limit that a loan of the place may have without being high balance: pooled apart from the others."""
    above = frame["note_amount_cents"].to_numpy() > general_limit(frame, first_day(month), desk.rulebook)
    return (frame["program"].is_in([FNMA, FHLMC, GNMA]) & pl.Series(above)).alias("high_balance")


def _sold_now(sold: pl.DataFrame, month: int) -> pl.Series:
    return sold.filter(pl.col("sold_month") == month)["loan_id"]


def issue(desk: Desk) -> dict[str, Any]:
    """Event Placed: this month's securities, and those kept from earlier auctions, are offered to investors."""
    desk.require("issue")
    month = desk.month
    with desk.book.command("issue", f"issue:{month_name(month)}", {}) as txn:
        if txn.replayed is not None:
            return txn.replayed
        pools = desk.book.records("pools").drop("event_seq")
        securities = desk.book.records("securities").drop("event_seq")
        classes, stand = open_classes(desk, month)
        factors = security_factors(factors_of(desk, month), classes)
        offered = investing.offers(trades(desk), securities, pools, factors, month)
        sheet = desk.book.records("prices").filter(pl.col("month") == month).drop("event_seq")
        investors = desk.parties().filter(pl.col("role") == "investor")["party_id"].to_list()
        cash = desk.book.balances(account="cash", parties=investors).select(
            pl.col("party_id").alias("holder_id"), pl.col("cents").alias("cash_cents")
        )  # fmt: skip
        held = investing.positions(trades(desk), last_business_day(month))
        outcome = investing.place(offered, sheet, cash, held, month, desk.rulebook, trusts(stand))
        clearing = outcome.records.pop("prices", PRICES.empty())
        placed = outcome.records.get("trades", TRADES.empty())
        answer: dict[str, Any] = {
            "month": month_name(month), "offered": offered.height, "placed": placed["security_id"].n_unique(),
            "face_cents": int(placed["face_cents"].sum()), "proceeds_cents": int(placed["principal_cents"].sum()),
        }  # fmt: skip
        next_sheet = sale.sheet(month + 1, sheet, clearing.select(_CLEARED), desk.rulebook)
        outcome.records["prices"] = next_sheet
        outcome.events.append(Event("SheetPublished", desk.today, answer))
        commit(txn, outcome, month)
        txn.finish(answer, desk.today)
    return answer


_CLEARED = ["program", "term_bucket", "coupon_rate_e7", "price_e6"]


def factors_of(desk: Desk, month: int) -> pl.DataFrame:
    """POOL_FACTORS of the open month, before it closes: scheduled balances and what was received are known.

    A factor of M depends on the instalments due on 1 M and the principal received in M-1 only.
    """
    pools = desk.book.records("pools").drop("event_seq")
    opening = desk.opening(month, columns=servicing.OPENING_COLUMNS)
    opening = opening.filter((pl.col("pool_id") > 0) & (pl.col("remittance") == 1))
    stand = servicing.scheduled_after(opening, month).join(opening.select("loan_id", "pool_id"), on="loan_id")
    totals = stand.group_by("pool_id").agg(
        closing_scheduled_cents=pl.col("scheduled_upb_cents").sum(), received_cents=pl.lit(0, pl.Int64),
        loans=(pl.col("scheduled_upb_cents") > 0).sum().cast(pl.Int32),
    ).sort("pool_id")  # fmt: skip
    previous = desk.book.segment("pool_factors", month - 1)
    return pooling.factors(totals, previous, pools, month, desk.rulebook)


def security_factors(pool_factors: pl.DataFrame, classes: pl.DataFrame) -> pl.DataFrame:
    """security_id, factor_e8 of a month: whole pools by their factor, classes (CLASS_MONTHS rows) by their own."""
    whole = pool_factors.join(classes.select("pool_id").unique(), on="pool_id", how="anti")
    return pl.concat(
        [whole.select(pl.col("pool_id").alias("security_id"), "factor_e8"), classes.select("security_id", "factor_e8")]
    ).sort("security_id")


def trade(desk: Desk, tickets: Path | str) -> dict[str, Any]:
    """Settle a desk's tickets: event TradesSettled per day, record trades. Refused tickets are answered."""
    month = desk.month
    read, unread = investing.read_tickets(tickets)
    key = f"trade:{month_name(month)}:{canonical_hash(read)}"
    with desk.book.command("trade", key, {"tickets": read.height}) as txn:
        if txn.replayed is not None:
            return txn.replayed
        securities = desk.book.records("securities").drop("event_seq")
        pools = desk.book.records("pools").drop("event_seq")
        outcome = investing.trade(
            read,
            desk.parties().drop("event_seq"),
            securities,
            pools,
            trades(desk),
            security_factors(factors_of(desk, month), open_classes(desk, month)[0]),
            desk.today,
            month,
            desk.rulebook,
        )
        findings = sorted([*unread, *outcome.findings], key=lambda finding: finding.row)
        settled = outcome.records.get("trades", TRADES.empty())
        answer = {
            "month": month_name(month), "tickets": read.height + len(unread), "settled": settled.height,
            "rejected": len(findings), "rejects": finding_dicts(findings),
        }  # fmt: skip
        if not settled.height:
            why = "; ".join(f.message for f in findings[:3]) or "the file has no rows"
            raise Refused(f"trade: no ticket can settle: {why}")
        refused = [{"row": f.row, "field": f.field, "value": f.value, "reason": f.message} for f in findings]
        keep_rejects(txn, "tickets", refused, month)
        commit(txn, outcome, month)
        txn.finish(answer, desk.today)
    return answer
