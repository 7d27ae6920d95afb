"""What the report page draws: balances, factors, delinquency and speeds by month, and the flows of cash."""

from __future__ import annotations

from typing import Any

import polars as pl

from poolhouse.dates import month_name
from poolhouse.market.desk import Desk
from poolhouse.market.report import BUCKETS, NAMES, bucket, cash
from poolhouse.rules import mortgage_rate_e7
from poolhouse.tables.codes import BOOK_PROGRAMS

FACTOR_LINES = 60


def report_series(desk: Desk) -> dict[str, Any]:
    """JSON series over the months closed so far; `flows` are rows {from, to, cents}."""
    months = desk.book.months("loan_months")
    if not months:
        return {"months": []}
    return {
        "months": [month_name(m) for m in months],
        "balance_cents": _balances(desk, months),
        "delinquency": _delinquency(desk, months),
        "speeds": _speeds(desk, months),
        "factors": _factors(desk),
        "flows": _flows(desk),
        "mortgage_rate": [mortgage_rate_e7(m) / 100_000 for m in months],
    }


def _balances(desk: Desk, months: list[int]) -> dict[str, list[int]]:
    """Balance at each month's end by where the loan is held."""
    pooled = pl.when(pl.col("pool_id") > 0).then(pl.col("program")).otherwise(pl.lit(0, pl.Int8))
    rows = (
        desk.book.scan("loan_months")
        .group_by("month", pooled.alias("held"))
        .agg(pl.col("closing_scheduled_cents").sum())
        .collect()
    )
    found = {(m, p): c for m, p, c in rows.rows()}
    names = {0: "Whole loans, unsold or waiting"} | {i: f"{NAMES[p]} pools" for i, p in enumerate(BOOK_PROGRAMS) if p}
    return {
        name: [found.get((m, code), 0) for m in months]
        for code, name in names.items()
        if any((m, code) in found for m in months)
    }


def _delinquency(desk: Desk, months: list[int]) -> dict[str, list[float]]:
    """Share of live loans in each bucket, in percent."""
    rows = (
        desk.book.scan("loan_months").filter(pl.col("end_code") == 0)
        .group_by("month", bucket().alias("bucket")).len().collect()
    )  # fmt: skip
    found = {(m, b): n for m, b, n in rows.rows()}
    total = {m: sum(found.get((m, b), 0) for b in BUCKETS) or 1 for m in months}
    return {b: [round(100 * found.get((m, b), 0) / total[m], 3) for m in months] for b in BUCKETS}


def _speeds(desk: Desk, months: list[int]) -> dict[str, list[float]]:
    """CPR of each program's pools: unscheduled principal over the balance after scheduled principal."""
    rows = (
        desk.book.scan("pool_months").join(desk.book.records("pools").lazy().select("pool_id", "program"), on="pool_id")
        .group_by("month", "program").agg(
            pl.col("unscheduled_principal_cents").sum(),
            (pl.col("opening_scheduled_cents") - pl.col("scheduled_principal_cents")).sum().alias("base"),
        ).collect()
    )  # fmt: skip
    smm = {(m, p): u / b for m, p, u, b in rows.rows() if b > 0}
    return {
        NAMES[name]: [round(100 * (1 - (1 - smm.get((m, code), 0.0)) ** 12), 3) for m in months]
        for code, name in enumerate(BOOK_PROGRAMS)
        if name and any((m, code) in smm for m in months)
    }


def _factors(desk: Desk) -> list[dict[str, Any]]:
    """Factor of the largest pools over their life."""
    pools = desk.book.records("pools").sort("face_cents", "pool_id", descending=[True, False]).head(FACTOR_LINES)
    rows = desk.book.scan("pool_factors").filter(pl.col("pool_id").is_in(pools["pool_id"].implode())).collect()
    lines = []
    for pool_id, prefix, number, coupon in pools.select("pool_id", "prefix", "pool_number", "coupon_rate_e7").rows():
        mine = rows.filter(pl.col("pool_id") == pool_id).sort("month")
        lines.append(
            {
                "name": f"{prefix} {number} {coupon / 100_000:g}%",
                "months": [month_name(m) for m in mine["month"].to_list()],
                "factor": [f / 10**8 for f in mine["factor_e8"].to_list()],
            }
        )
    return lines


def _flows(desk: Desk) -> list[dict[str, Any]]:
    """Dollars from borrowers to everyone paid."""
    total = desk.book.scan("loan_months").select(pl.col("^.*_cents$").sum()).collect()

    def flow(name: str) -> int:
        return int(total[f"{name}_cents"][0])

    money = cash(desk)
    payoffs = money["borrowers_paid_cents"] - flow("interest_applied") - flow("scheduled_principal")
    parties = desk.parties().select("name", "role", holder_id="party_id")
    held = (
        desk.book.scan("holder_months").group_by("holder_id")
        .agg((pl.col("principal_cents") + pl.col("interest_cents")).sum().alias("cents")).collect()
        .join(parties, on="holder_id").sort("cents", "holder_id", descending=[True, False])
    )  # fmt: skip
    rows = [
        ("Borrowers: interest", "Servicers", flow("interest_applied")),
        ("Borrowers: scheduled principal", "Servicers", flow("scheduled_principal")),
        ("Borrowers: payoffs, curtailments, sales", "Servicers", payoffs),
        ("Insurers' claims", "Servicers", money["claims_cents"]),
        ("Servicers' advances", "Servicers", money["advanced_cents"]),
        ("Buyouts of bad loans", "Servicers", money["buyouts_cents"]),
        ("Guarantors' payments", "Servicers", money["guarantors_paid_cents"]),
        ("Servicers", "Trusts", money["investors_received_cents"]),
        ("Servicers", "Owners of whole loans", money["portfolio_owners_received_cents"]),
        ("Servicers", "Servicing fees", money["servicers_kept_cents"]),
        ("Servicers", "Guarantors", money["guarantors_received_cents"]),
        ("Servicers", "Advances repaid", money["advances_recovered_cents"]),
        ("Servicers", "Still in custody", money["custodial_change_cents"]),
    ]
    investors = held.filter(pl.col("role") == "investor")
    rows += [("Trusts", name, cents) for name, cents in investors.select("name", "cents").rows()]
    unsold = int(held["cents"].sum()) - int(investors["cents"].sum())
    rows.append(("Trusts", "Sellers holding unsold securities", unsold))
    return [{"from": a, "to": b, "cents": c} for a, b, c in rows if c > 0]
