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
from poolhouse.market import value_facts
from poolhouse.market.desk import Desk
from poolhouse.market.report import missed, month_index
from poolhouse.market.standards import text_of
from poolhouse.market.value import Answer, dated, delay_of, measures, month0_of, settle_days_of, speeds_of
from poolhouse.market.value_borrowers import Asked, behaviour, cashflows, told
from poolhouse.market.value_oas import DEFAULT_PATHS, read_market, with_oas
from poolhouse.rules import Rulebook
from poolhouse.valuation import wrong

_ACCRUAL_DAYS = 31
"""What a stated delay counts beside the actual one: the month of accrual and the accrual date."""
_E7_PER_PERCENT = 100_000
_OF_LOANS = [
    "loan_id", "note_rate_e7", "first_due_date", "maturity_date", "note_date", "note_amount_cents", "score_mid",
    "ltv_e4", "mi_pct", "kind", "state", "imputed_flags",
]  # fmt: skip


def value_security(
    desk: Desk, pool: dict[str, Any], *, delay_days: float | None = None, program: str | None = None, **options: Any
) -> Answer:
    """A pool of the book (a row of `pool_of`), from its loans one by one as they stand at the last closed month;
    `options` as of `value_pool`. The pool's own delay unless another is given. Principal received and not yet
    distributed comes in month 1; speeds and models add nothing to it then, since it is what borrowers did. Holders of a
    guaranteed pool lose nothing. Keys as there; pool has cusip, pool_number, guaranteed and loans too, by_speed is
    empty."""
    if delay_days is None and program is None:
        delay_days = pool["delay_days"] - _ACCRUAL_DAYS
    coupon = pool["coupon_rate_e7"] / _E7_PER_PERCENT
    if options.get("guaranteed"):
        raise Refused("--guaranteed is of a tape or a pool by numbers: the book knows who guarantees its own")
    loans = loans_of(desk, pool).with_columns(coupon=pl.min_horizontal("wac", pl.lit(coupon)))
    named = {
        "cusip": pool["cusip"], "pool_number": pool["pool_number"], "as_of": desk.today.isoformat(),
        "guaranteed": pool["guarantee"] != "none",
    }  # fmt: skip
    first = int(loans["as_of"].to_numpy().max())
    return _value(loans, named, coupon, delay_of(program, delay_days), first=first, book=desk.rulebook, **options)


def value_tape(
    tape: str | Path, mapping: str | Path | None = None, *, strip: float, delay_days: float | None = None,
    program: str | None = None, **options: Any,
) -> Answer:  # fmt: skip
    """A tape's loans as one pool at their closing: each new, with its whole term. `strip`: what servicing and
    guaranty take of each note rate, percent. Otherwise as `value_security`; pool has tape and rejected."""
    read = tapes.read_tape(tape, text_of(mapping, "mapping") if mapping is not None else None)
    loans = loans_of_tape(read.tape, strip)
    if loans.is_empty():
        raise Refused(f"{tape} has no usable loan: `poolhouse check {tape}` lists why")
    if not (loans["coupon"] > 0).any() and (loans["wac"] > 0).any():
        raise Refused(f"strip {strip:g}% takes the whole of every note rate: 50 basis points are 0.5")
    named = {"tape": str(tape), "rejected": read.rows - loans.height}
    balance = loans["balance"].to_numpy()
    mean = float(balance @ loans["coupon"].to_numpy() / balance.sum())
    first = dated(options.get("settle"))
    if first is None:
        first = int(loans["note_month"].to_numpy().max()) + 1
    return _value(loans, named, mean, delay_of(program, delay_days), first=first, **options)


def loans_of_tape(tape: pl.DataFrame, strip: float) -> pl.DataFrame:
    """A tape's loans for projection, as `loans_of` has them, and their coupon; each new, at its closing."""
    rate = pl.col("note_rate_e7") / _E7_PER_PERCENT
    return tapes.as_loans(tape).select(
        (pl.col("note_amount_cents") / 100).alias("balance"), rate.alias("wac"),
        pl.col("term_months").cast(pl.Int32).alias("wam"), pl.lit(0, pl.Int32).alias("age"),
        (rate - float(wrong.numbers("strip", strip, 0))).clip(0).alias("coupon"), *value_facts.of_loans(),
    ).with_columns(
        pl.col("note_month").alias("as_of"), behind=pl.lit(0, pl.Int32), known=pl.lit(0, pl.Int32),
        received=pl.lit(False),
    )  # fmt: skip


def _value(
    loans: pl.DataFrame, named: dict[str, Any], coupon: float, delay: float, *, first: int,
    speeds: Mapping[str, Any] | None = None, severity: float | list[float] | None = None, lag: int = 12,
    advance: bool = True, settle: str | date | float | None = None, price: str | float | None = None,
    bond_equivalent_yield: float | None = None, mortgage_yield: float | None = None, rows: bool = False,
    rates: str | Path | None = None, paths: int = DEFAULT_PATHS, book: Rulebook | None = None, **borrowers: Any,
) -> Answer:  # fmt: skip
    """The answer of loans with balance, wac, coupon, wam, age and facts; first: month index of the first month."""
    market = None if rates is None else read_market(rates)
    of = behaviour(
        Asked(**borrowers), speeds_of(speeds), severity, lag, advance, first=first,
        guaranteed=bool(named.get("guaranteed")), market=market, book=book,
    )  # fmt: skip
    days, frame = settle_days_of(settle), cashflows(loans, of)
    flows = valuation.flows_of(frame, coupon, delay_days=delay, settle_days=days)
    balance = loans["balance"].to_numpy()
    total = float(balance.sum())

    def mean(name: str) -> float:
        return float(balance @ loans[name].to_numpy()) / total

    pool = {
        **named, **({"guaranteed": True} if of.guaranteed else {}), "loans": loans.height, "balance": total,
        "wac": mean("wac"), "coupon": coupon, "wam": int(np.round(mean("wam"))), "age": int(np.round(mean("age"))),
    }  # fmt: skip
    answer = {
        "pool": pool, "speeds": of.said,
        **measures(flows, frame, price, bond_equivalent_yield, mortgage_yield), "delay_days": delay,
        "settle_days": days, "by_speed": [],
    }  # fmt: skip
    answer |= {"borrowers": told(loans, of)} if of.modelled else {}
    answer |= {"cashflows": frame.head(answer["last_month"]).rows(named=True)} if rows else {}
    return answer if market is None else with_oas(answer, loans, market, of, month0=month0_of(settle), paths=paths)


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
    """Its loans for projection: balance, wac, wam, age, and `value_facts.FACTS`; what is received, not yet paid out, as
    loans of a month."""
    month = max(desk.month - 1, desk.start)
    served = desk.book.scan("loan_months", [month]).filter(
        (pl.col("pool_id") == pool["pool_id"]) & (pl.col("closing_scheduled_cents") > 0)
    ).select(
        "loan_id", "closing_scheduled_cents", "pending_unscheduled_cents", missed(month).cast(pl.Int32).alias("behind")
    ).collect()  # fmt: skip
    known = 1 if served.height else 0  # what borrowers did in the month is received already, and stands beside
    if served.is_empty():
        month = month_of(pool["issue_date"])
        served = desk.book.scan("pool_loans", [month]).filter(pl.col("pool_id") == pool["pool_id"]).select(
            "loan_id", pl.col("scheduled_cents").alias("closing_scheduled_cents"),
            pl.lit(0, pl.Int64).alias("pending_unscheduled_cents"), pl.lit(0, pl.Int32).alias("behind"),
        ).collect()  # fmt: skip
    terms = desk.book.scan("loans").select(_OF_LOANS).filter(pl.col("loan_id").is_in(served["loan_id"].implode()))
    rows = served.join(terms.collect(), on="loan_id", how="left").sort("loan_id")
    cents = pl.col("closing_scheduled_cents") - pl.col("pending_unscheduled_cents")
    rows = rows.select(
        cents.alias("own"), pl.col("pending_unscheduled_cents").alias("pending"),
        (pl.col("note_rate_e7") / _E7_PER_PERCENT).alias("wac"),
        (month_index("maturity_date") - month).clip(1).cast(pl.Int32).alias("wam"),
        (month - month_index("first_due_date") + 1).clip(0).cast(pl.Int32).alias("age"),
        *value_facts.of_loans(), pl.lit(month, pl.Int32).alias("as_of"), "behind",
        pl.lit(known, pl.Int32).alias("known"),
    )  # fmt: skip
    rest = ["wac", "wam", "age", *value_facts.FACTS]
    own = rows.filter(pl.col("own") > 0).select((pl.col("own") / 100).alias("balance"), pl.exclude("own", "pending"))
    pending = rows.filter(pl.col("pending") > 0).select(
        (pl.col("pending") / 100).alias("balance"),
        pl.exclude("own", "pending", "wam"),
        pl.lit(1, pl.Int32).alias("wam"),
    )
    found = pl.concat(
        frame.with_columns(received=pl.lit(gone)).select("balance", *rest)
        for frame, gone in ((own, False), (pending, True))
    )
    if found.is_empty():
        raise Refused(f"pool {pool['pool_number']}: nothing is left of it")
    return found
