"""repurchase: loans with something wrong in them go back to the lenders that sold them, and the cash comes back.

A demand is judged and kept when it is made; the month's end after it pays. A loan in a pool is bought out at par
by who sold it into the pool, as any loan that leaves a pool, and its holders get the balance as principal of the
next distribution; from there it goes to its lender.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl

from poolhouse import sale, servicing
from poolhouse.dates import last_day, month_name
from poolhouse.findings import Refused
from poolhouse.market.desk import Desk
from poolhouse.market.files import TextTable, read_table
from poolhouse.market.rejects import keep_file
from poolhouse.rules import system_parties
from poolhouse.tables import REPURCHASES, Outcome
from poolhouse.tables.codes import ACTIVE, ACTUAL_ACTUAL, LIQUIDATED

_STATE = (
    "month", "loan_id", "owner_id", "pool_id", "payee_id", "remittance", "end_code", "closing_actual_cents",
    "last_paid_due_date", "maturity_date", "loss_cents", "pass_through_rate_e7", "guaranty_fee_rate_e7",
)  # fmt: skip


def repurchase(desk: Desk, demands: Path | str) -> dict[str, Any]:
    """Demand that lenders take loans back, make them whole, indemnify or pay a lower price. Event RepurchaseDemanded.

    A file with loan, reason, remedy and, where they are needed, amount_cents and date. Rows that can't stand are
    answered as rejects with why; Refused when none can.
    """
    read = read_table(demands, ["loan", "reason", "remedy"], "repurchase", ("amount_cents", "date"))
    replayed = desk.book.answer(read.name)
    if replayed is not None:
        return replayed
    judged = _judged(desk, read)
    good = judged.filter(pl.col("why").is_null())
    rejects = _rejects(read, judged)
    if not good.height:
        why = "; ".join(f"row {r['row']}: {r['reason']}" for r in rejects[:5]) or "the file has no rows"
        raise Refused(f"repurchase: no demand stands: {why}")
    rows = _rows(desk, good, read.name)
    by_remedy = dict(rows.group_by("remedy").len().sort("remedy").rows())
    answer = {
        "month": month_name(desk.month), "demands": rows.height, "asked_cents": int(rows["total_cents"].sum()),
        "remedies": by_remedy, "rejected": len(rejects), "rejects": rejects,
    }  # fmt: skip
    return keep_file(
        desk, "repurchase", read.name, "RepurchaseDemanded", "repurchases", rows, answer, counted="demands"
    )


def register(desk: Desk, lender_id: int | None = None) -> dict[str, Any]:
    """Every demand as it stands: `demands`, and what is open. Amounts in cents."""
    rows = _latest(desk)
    if lender_id is not None:
        rows = rows.filter(pl.col("lender_id") == lender_id)
    names = desk.parties().select("party_id", "name")
    numbers = desk.loans(["loan_id", "loan_number"])
    told = (
        rows.join(names.rename({"party_id": "lender_id", "name": "lender"}), on="lender_id", how="left")
        .join(numbers, on="loan_id", how="left").sort("demand_date", "demand_id")
        .select(
            "loan_number", "lender", "reason", "remedy", "state",
            pl.col("demand_date", "due_date", "settled_date").cast(pl.String),
            "principal_cents", "interest_cents", "premium_cents", "loss_cents", "total_cents", "note",
        )
    )  # fmt: skip
    unpaid = rows.filter(pl.col("state") == "open")
    return {
        "open": unpaid.height, "open_cents": int(unpaid["total_cents"].sum()),
        "promised": rows.filter(pl.col("state") == "promised").height,
        "paid": rows.filter(pl.col("state") == "paid").height,
        "paid_cents": int(rows.filter(pl.col("state") == "paid")["total_cents"].sum()),
        "timetable_days": desk.rulebook.get("repurchase.timetable", desk.today),
        "demands": [dict(zip(told.columns, r, strict=True)) for r in told.head(told.height).rows()],
    }  # fmt: skip


def by_lender(desk: Desk) -> pl.DataFrame:
    """party_id, demands ever, and how many of them are unpaid and for how much."""
    unpaid = pl.col("state") == "open"
    return _latest(desk).group_by(party_id="lender_id").agg(
        demands=pl.len().cast(pl.Int64), repurchases_outstanding=unpaid.sum().cast(pl.Int64),
        outstanding_cents=pl.col("total_cents").filter(unpaid).sum(),
    ).sort("party_id")  # fmt: skip


def demands_of(desk: Desk, month: int) -> pl.DataFrame:
    """The demands that stand in a month, as its close takes them, and whether it `settles` each."""
    demands = sale.standing_demands(desk.book.records("repurchases").drop("event_seq"), month)
    return demands.with_columns(sale.settles(demands, month, desk.rulebook))


def back_to_lenders(demands: pl.DataFrame) -> pl.DataFrame:
    """`servicing.Changes.demanded` of `demands_of`."""
    back = demands.filter(pl.col("remedy") == "repurchase").sort("loan_id")
    return back.select(servicing.none_demanded().columns)


def settle_demands(desk: Desk, rows: pl.DataFrame, month: int) -> Outcome:
    """What a month's end pays. rows: the month's LOAN_MONTHS rows of the loans demanded."""
    demands = demands_of(desk, month).drop("settles")
    if not demands.height:
        return Outcome()
    ids = demands["loan_id"].implode()
    prices = desk.book.scan("sales").filter(pl.col("loan_id").is_in(ids)).select("loan_id", "price_e6").collect()
    return sale.settle(demands, rows.select(_STATE).drop("month"), prices, month, desk.rulebook)


def _latest(desk: Desk) -> pl.DataFrame:
    """Each demand's last row: the one that ends it, or the one that opened it."""
    rows = desk.book.records("repurchases").drop("event_seq")
    final = rows.filter(~pl.col("state").is_in(list(sale.OPEN)))
    standing = rows.filter(pl.col("state").is_in(list(sale.OPEN))).join(final, on="demand_id", how="anti")
    return pl.concat([standing, final]).sort("demand_id")


def _judged(desk: Desk, read: TextTable) -> pl.DataFrame:
    """The file's rows with what the book knows of each loan, `field` and `why` it can't stand (null: it stands)."""
    known = desk.loans(["loan_id", "loan_number"])
    rows = read.frame.join(known, left_on="loan", right_on="loan_number", how="left", maintain_order="left")
    ids = rows["loan_id"].drop_nulls().unique()
    sales = desk.book.scan("sales").filter(pl.col("loan_id").is_in(ids.implode())).select(
        "loan_id", "seller_id", "buyer_id", "price_e6", "settlement_date", "program"
    ).collect()  # fmt: skip
    history = desk.book.scan("loan_months").filter(pl.col("loan_id").is_in(ids.implode())).select(_STATE).collect()
    history = history.sort("loan_id", "month")
    last = history.unique("loan_id", keep="last", maintain_order=True).drop("loss_cents", "month")
    trusts = system_parties()["trusts"]["party_id"]
    lost = history.group_by("loan_id").agg(
        lost_cents=pl.col("loss_cents").filter(pl.col("owner_id") != trusts).sum(),
        bearer_id=pl.col("owner_id").filter(pl.col("loss_cents") > 0).last(),
    )  # fmt: skip
    moved = pl.concat([desk.book.segment(t, desk.month).select("loan_id") for t in ("sales", "pool_loans")]).unique()
    standing = sale.standing_demands(desk.book.records("repurchases").drop("event_seq"))
    for more in (sales, last, lost, _relieved(desk, history, sales)):
        rows = rows.join(more, on="loan_id", how="left", maintain_order="left")
    day = pl.col("date").str.to_date("%Y-%m-%d", strict=False)
    rows = rows.with_columns(
        row_number=pl.col("row"), cents=pl.col("amount_cents").cast(pl.Int64, strict=False),
        day=pl.when(pl.col("date") == "").then(pl.lit(desk.today)).otherwise(day),
        moved=pl.col("loan_id").is_in(moved["loan_id"].implode()),
        pending=pl.col("loan_id").is_in(standing["loan_id"].implode()),
    )  # fmt: skip
    return _verdict(desk, rows)


def _relieved(desk: Desk, history: pl.DataFrame, sales: pl.DataFrame) -> pl.DataFrame:
    """loan_id and relief of the loans asked about, from all their months."""
    paid, last = pl.col("last_paid_due_date"), pl.col("maturity_date")
    index = paid.dt.year() * 12 + paid.dt.month() - 1
    final = last.dt.year() * 12 + last.dt.month() - 1
    missed = (pl.min_horizontal(pl.col("month"), final) - index).clip(0)
    months = history.filter(pl.col("end_code") == ACTIVE).select("loan_id", "month", missed=missed)
    return sale.relief(months, sales, desk.rulebook).select("loan_id", "relief")


def _verdict(desk: Desk, rows: pl.DataFrame) -> pl.DataFrame:
    reasons = sale.life_of_loan(desk.today, desk.rulebook)
    lives = [code for code, life in reasons.items() if life]
    remedy, ended = pl.col("remedy"), pl.col("end_code") != ACTIVE
    back, whole, lower = (remedy == name for name in ("repurchase", "make_whole", "reprice"))
    cents, given = pl.col("cents"), pl.col("amount_cents") != ""
    in_trust = pl.col("owner_id") == system_parties()["trusts"]["party_id"]
    private = in_trust & (pl.col("buyer_id") == system_parties()["conduit"]["party_id"])
    between = ~in_trust & (pl.col("remittance") != ACTUAL_ACTUAL)
    tests: list[tuple[pl.Expr, str, str]] = [
        (pl.col("loan_id").is_null(), "loan", "no such loan in the book: use the tape's loan number"),
        (pl.col("row") != pl.col("row").min().over("loan"), "loan", "stands twice in the file: one demand a loan"),
        (~pl.col("reason").is_in(list(reasons)), "reason", f"must be one of {', '.join(reasons)}"),
        (~remedy.is_in(list(sale.REMEDIES)), "remedy", f"must be one of {', '.join(sale.REMEDIES)}"),
        (pl.col("day").is_null(), "date", "is no date: write YYYY-MM-DD"),
        (pl.col("seller_id").is_null(), "loan", "was never sold: there is nobody to put it back to"),
        (pl.col("seller_id") == pl.col("buyer_id"), "loan", "its lender is its own issuer: nobody bought the loan"),
        (pl.col("day") > last_day(desk.month), "date", f"is after {month_name(desk.month)}, the open month"),
        (pl.col("day") < pl.col("settlement_date"), "date", "is before the loan was sold"),
        (pl.col("pending"), "loan", "a demand on this loan is open already"),
        (pl.col("end_code").is_null() | pl.col("moved"), "loan", "was sold or pooled this month: demand in the next"),
        (~ended & (pl.col("owner_id") == pl.col("seller_id")), "loan", "its lender owns it again already"),
        ((pl.col("relief") == sale.IN_FORCE) & ~pl.col("reason").is_in(lives), "reason",
         "the lender is relieved by the loan's clean payments; only life-of-loan reasons stand"),
        (ended & ~whole, "remedy", "the loan has ended: only a loss can be made whole"),
        (~ended & whole, "remedy", "the loan was not lost: demand its repurchase or an indemnity"),
        (whole & (pl.col("end_code") != LIQUIDATED), "remedy", "the loan was paid off: there is no loss to make whole"),
        (whole & (pl.col("lost_cents").fill_null(0) == 0), "remedy", "no owner outside a private trust lost on it"),
        (private & (remedy == "indemnify"), "remedy", "a private trust bears its losses: demand the repurchase"),
        (back & between, "loan", "waits for its pool: demand it back once it is pooled"),
        (remedy.is_in(["repurchase", "indemnify"]) & given, "amount_cents", "is worked out: leave it empty"),
        (given & cents.is_null(), "amount_cents", "is no whole number of cents"),
        (lower & (cents.fill_null(0) <= 0), "amount_cents", "must be above zero: how much less it should have cost"),
        (lower & (cents > pl.col("closing_actual_cents")), "amount_cents", "is more than the borrower owes"),
        (whole & ~cents.is_between(1, pl.col("lost_cents")), "amount_cents", "must be above zero, at most the loss"),
    ]  # fmt: skip
    field: Any = pl.when(pl.lit(False)).then(pl.lit(""))
    why: Any = pl.when(pl.lit(False)).then(pl.lit(""))
    for test, name, text in tests:
        field = field.when(test.fill_null(False)).then(pl.lit(name))
        why = why.when(test.fill_null(False)).then(pl.lit(text))
    return rows.with_columns(field=field.otherwise(None), why=why.otherwise(None))


def _rejects(read: TextTable, judged: pl.DataFrame) -> list[dict[str, Any]]:
    broken = read.broken.select("row", "field", "value", "reason")
    found = [dict(zip(broken.columns, r, strict=True)) for r in broken.head(broken.height).rows()]
    columns = ("loan", "reason", "remedy", "amount_cents", "date")
    bad = judged.filter(pl.col("why").is_not_null()).select("row", "field", "why", *columns)
    return found + [
        {"row": int(r["row"]), "field": r["field"], "value": r[r["field"]], "reason": r["why"]}
        for r in bad.head(bad.height).iter_rows(named=True)
    ]


def _rows(desk: Desk, good: pl.DataFrame, name: str) -> pl.DataFrame:
    """REPURCHASES rows of new demands: what is asked for as the loan stood at the last month's end."""
    pay = int(desk.rulebook.get("repurchase.timetable", desk.today)["pay"])
    balance = good["closing_actual_cents"].to_numpy()
    above = sale.premium(good["closing_actual_cents"], good["price_e6"])
    interest = sale.accrued_interest(good, desk.month - 1)
    back = pl.col("remedy") == "repurchase"
    trusts = system_parties()["trusts"]["party_id"]
    owner = pl.when(pl.col("owner_id") == trusts).then("buyer_id").otherwise("owner_id")
    asked = (
        pl.when(pl.col("remedy") == "make_whole").then(pl.coalesce("cents", "lost_cents")).otherwise(pl.col("cents"))
    )
    zero = pl.lit(0, pl.Int64)
    rows = good.with_columns(above.alias("above"), interest.alias("accrued"), pl.Series("balance", balance)).select(
        demand_id=pl.lit(f"{name.split()[-1]}-") + pl.col("row").cast(pl.String),
        state=pl.when(pl.col("remedy") == "indemnify").then(pl.lit("promised")).otherwise(pl.lit("open")),
        month=pl.lit(desk.month, pl.Int32), loan_id="loan_id", lender_id="seller_id",
        claimant_id=pl.when(pl.col("remedy") == "make_whole").then("bearer_id").otherwise(owner).cast(pl.Int32),
        reason="reason", remedy="remedy", demand_date="day",
        due_date=pl.col("day") + timedelta(days=pay),
        settled_date=pl.lit(None, pl.Date),
        principal_cents=pl.when(back).then("balance").otherwise(zero),
        interest_cents=pl.when(back).then("accrued").otherwise(zero),
        premium_cents=pl.when(back).then("above").otherwise(zero),
        loss_cents=pl.when(back).then(zero).otherwise(asked.fill_null(0)),
        note=pl.lit("demanded"),
    ).with_columns(
        total_cents=pl.sum_horizontal("principal_cents", "interest_cents", "premium_cents", "loss_cents")
    )  # fmt: skip
    return REPURCHASES.conform(rows.select(list(REPURCHASES.schema)))
