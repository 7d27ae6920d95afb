"""value, loan by loan: a book's security from its loans as they stand, or a tape's loans as one pool."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from poolhouse import loans as tapes
from poolhouse import valuation
from poolhouse.dates import month_of
from poolhouse.findings import Refused
from poolhouse.market.desk import Desk
from poolhouse.market.standards import text_of
from poolhouse.market.value import Answer, delay_of, measures, month0_of, settle_days_of, speeds_of
from poolhouse.market.value_oas import DEFAULT_PATHS, with_oas
from poolhouse.valuation import wrong

_ACCRUAL_DAYS = 31
"""What a stated delay counts beside the actual one: the month of accrual and the accrual date."""
_E7_PER_PERCENT = 100_000


def value_security(
    desk: Desk, security: str, *, delay_days: float | None = None, program: str | None = None, **options: Any
) -> Answer:
    """A security of the book, from its loans one by one as they stand at the last closed month; `options` as of
    `value_pool`. The pool's own delay unless another is given. Principal received and not yet distributed comes in
    month 1. Keys as there; pool has cusip, pool_number and loans too, by_speed is empty. Refused: no such security."""
    pool = pool_of(desk, security)
    if pool["class_name"]:
        number = pool["pool_number"]
        raise Refused(
            f"{security} is class {pool['class_name']} of pool {number}'s deal: `poolhouse structure --book DIR --pool "
            f"{number}` values its classes, `value` the loans of whole pools"
        )
    if delay_days is None and program is None:
        delay_days = pool["delay_days"] - _ACCRUAL_DAYS
    coupon = pool["coupon_rate_e7"] / _E7_PER_PERCENT
    loans = loans_of(desk, pool).with_columns(coupon=pl.min_horizontal("wac", pl.lit(coupon)))
    named = {"cusip": pool["cusip"], "pool_number": pool["pool_number"], "as_of": desk.today.isoformat()}
    return _value(loans, named, coupon, delay_of(program, delay_days), **options)


def value_tape(
    tape: str | Path, mapping: str | Path | None = None, *, strip: float, delay_days: float | None = None,
    program: str | None = None, **options: Any,
) -> Answer:  # fmt: skip
    """A tape's loans as one pool at their closing: each new, with its whole term. `strip`: what servicing and
    guaranty take of each note rate, percent. Otherwise as `value_security`; pool has tape and rejected."""
    read = tapes.read_tape(tape, text_of(mapping, "mapping") if mapping is not None else None)
    rate = pl.col("note_rate_e7") / _E7_PER_PERCENT
    loans = tapes.as_loans(read.tape).select(
        (pl.col("note_amount_cents") / 100).alias("balance"), rate.alias("wac"),
        pl.col("term_months").cast(pl.Int32).alias("wam"), pl.lit(0, pl.Int32).alias("age"),
        (rate - float(wrong.numbers("strip", strip, 0))).clip(0).alias("coupon"),
    )  # fmt: skip
    if loans.is_empty():
        raise Refused(f"{tape} has no usable loan: `poolhouse check {tape}` lists why")
    if not (loans["coupon"] > 0).any() and (loans["wac"] > 0).any():
        raise Refused(f"strip {strip:g}% takes the whole of every note rate: 50 basis points are 0.5")
    named = {"tape": str(tape), "rejected": read.rows - loans.height}
    balance = loans["balance"].to_numpy()
    mean = float(balance @ loans["coupon"].to_numpy() / balance.sum())
    return _value(loans, named, mean, delay_of(program, delay_days), **options)


def _value(
    loans: pl.DataFrame, named: dict[str, Any], coupon: float, delay: float, *,
    speeds: Mapping[str, Any] | None = None, settle: str | date | float | None = None, price: str | float | None = None,
    bond_equivalent_yield: float | None = None, mortgage_yield: float | None = None, rows: bool = False,
    rates: str | Path | None = None, paths: int = DEFAULT_PATHS, **options: Any,
) -> Answer:  # fmt: skip
    """The answer of loans with balance, wac, coupon, wam, age."""
    columns: dict[str, Any] = {name: loans[name].to_numpy() for name in ("balance", "wac", "coupon", "wam", "age")}
    speed, days = speeds_of(speeds), settle_days_of(settle)
    frame = valuation.cashflows(**columns, **speed, **options)
    of = valuation.flows_of(frame, coupon, delay_days=delay, settle_days=days)
    total = float(columns["balance"].sum())

    def mean(name: str) -> float:
        return float(columns["balance"] @ columns[name]) / total

    pool = {
        **named, "loans": loans.height, "balance": total, "wac": mean("wac"), "coupon": coupon,
        "wam": int(np.round(mean("wam"))), "age": int(np.round(mean("age"))),
    }  # fmt: skip
    answer = {
        "pool": pool, "speeds": speed | options,
        **measures(of, frame, price, bond_equivalent_yield, mortgage_yield), "delay_days": delay, "settle_days": days,
        "by_speed": [],
    }  # fmt: skip
    answer |= {"cashflows": frame.head(answer["last_month"]).rows(named=True)} if rows else {}
    return answer if rates is None else with_oas(answer, loans, rates, month0=month0_of(settle), paths=paths)


def pool_of(desk: Desk, asked: str) -> dict[str, Any]:
    """The pool of a security: by CUSIP (of a class of its deal too) or pool number. POOLS columns; cusip and class_name
    of the security ('' of a pool in classes asked for by its number); classes: how many it has."""
    text = asked.strip()
    securities = desk.book.records("securities").select("pool_id", "cusip", "class_name")
    pools = desk.book.records("pools").join(securities, on="pool_id")
    found = pools.filter(pl.col("cusip") == text)
    if not found.height:
        found = pools.filter(pl.col("pool_number") == text)
        if found.height > 1:
            found = found.head(1).with_columns(cusip=pl.lit(""), class_name=pl.lit(""))
    if found.height != 1:
        some = ", ".join(pools.sort("pool_id", "cusip")["cusip"].head(5).to_list())
        raise Refused(
            f"security {asked!r} is not in the book: give a CUSIP or pool number, such as {some or '(none yet)'}"
        )
    row = found.row(0, named=True)
    return row | {
        "classes": securities.filter((pl.col("pool_id") == row["pool_id"]) & (pl.col("class_name") != "")).height
    }


def loans_of(desk: Desk, pool: dict[str, Any]) -> pl.DataFrame:
    """Its loans for projection: balance, wac, wam, age; what is received, not yet paid out, as loans of a month."""
    month = max(desk.month - 1, desk.start)
    served = desk.book.scan("loan_months", [month]).filter(
        (pl.col("pool_id") == pool["pool_id"]) & (pl.col("closing_scheduled_cents") > 0)
    ).select("loan_id", "closing_scheduled_cents", "pending_unscheduled_cents").collect()  # fmt: skip
    if served.is_empty():
        month = month_of(pool["issue_date"])
        served = desk.book.scan("pool_loans", [month]).filter(pl.col("pool_id") == pool["pool_id"]).select(
            "loan_id", pl.col("scheduled_cents").alias("closing_scheduled_cents"),
            pl.lit(0, pl.Int64).alias("pending_unscheduled_cents"),
        ).collect()  # fmt: skip
    terms = desk.loans(["loan_id", "note_rate_e7", "first_due_date", "maturity_date"])
    rows = served.join(terms, on="loan_id", how="left").sort("loan_id")
    at = {
        name: pl.col(name).dt.year() * 12 + pl.col(name).dt.month() - 1 for name in ("first_due_date", "maturity_date")
    }
    rows = rows.select(
        (pl.col("closing_scheduled_cents") - pl.col("pending_unscheduled_cents")).alias("own"),
        pl.col("pending_unscheduled_cents").alias("pending"),
        (pl.col("note_rate_e7") / _E7_PER_PERCENT).alias("wac"),
        (at["maturity_date"] - month).clip(1).cast(pl.Int32).alias("wam"),
        (month - at["first_due_date"] + 1).clip(0).cast(pl.Int32).alias("age"),
    )
    own = rows.filter(pl.col("own") > 0).select((pl.col("own") / 100).alias("balance"), "wac", "wam", "age")
    pending = rows.filter(pl.col("pending") > 0).select(
        (pl.col("pending") / 100).alias("balance"), "wac", pl.lit(1, pl.Int32).alias("wam"), "age"
    )
    found = pl.concat([own, pending])
    if found.is_empty():
        raise Refused(f"pool {pool['pool_number']}: nothing is left of it")
    return found
