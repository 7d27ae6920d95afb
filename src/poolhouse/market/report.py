"""report: the market as one dictionary of figures; every figure from the book, none kept beside it."""

from __future__ import annotations

from typing import Any

import polars as pl

from poolhouse import primary, sale
from poolhouse.dates import first_day, last_day, month_name
from poolhouse.market.classes import by_class
from poolhouse.market.desk import Desk
from poolhouse.tables.codes import ASSUMED, BOOK_PROGRAMS, UNDETERMINED

NAMES = {"fnma": "Fannie Mae", "fhlmc": "Freddie Mac", "gnma": "Ginnie Mae", "private": "Private conduit"}
_TAPE_CAVEAT = (
    "Every loan of this tape was in truth sold to a Federal Home Loan Bank: share sold and days to sale are outcomes "
    "of our market on such loans, not the market's; never compare them with market-wide figures."
)
_SCOPE_CAVEAT = "Principal and interest only: escrow and mortgage insurance premiums are not in the books yet."


_OUTSIDE_A_BOOK = ("pricing.", "standards.nonqm_", "prepayment.", "default.")
"""Assumptions of prices, projections and of an outlet that a book doesn't sell to."""


def report(desk: Desk) -> dict[str, Any]:
    """All figures at the book's clock. Keys: see docs/tour.md; amounts in integer cents."""
    start, end = first_day(desk.start), last_day(max(desk.start, desk.month - 1))
    counted = _loans(desk)
    pools = desk.book.records("pools")
    sales = desk.book.segment("sales")
    pace = primary.turns(sales, desk.loans(["loan_id", "note_date", "note_amount_cents", "originator_type"]))
    layouts = {body["layout"] for body in desk.book.event_bodies("TapeRead")}
    return {
        "edition": desk.meta["edition"],
        "seed": desk.seed,
        "market_date": desk.today.isoformat(),
        "overrides": desk.rulebook.overrides(start, end),
        "assumptions": [a for a in desk.rulebook.assumptions() if not a["name"].startswith(_OUTSIDE_A_BOOK)],
        "caveats": ([_TAPE_CAVEAT] if "ama" in layouts else []) + [_SCOPE_CAVEAT],
        "loans": counted,
        "share_sold": round(counted["sold"] / counted["offered"], 6) if counted["offered"] else 0.0,
        "days_to_sale_median": pace["days_to_sale_median"],
        "turns_per_year": pace["turns_per_year"],
        "turns_by_lender_type": pace.get("by_type", {}),
        "pools": pools.height,
        "securities": desk.book.records("securities").height,
        "original_face_cents": int(pools["face_cents"].sum()),
        "months": desk.month - desk.start,
        "programs": _programs(desk, pools),
        "classes": by_class(desk),
        "cash": cash(desk),
        "delinquency": _delinquency(desk),
        "lenders": _lenders(desk),
        "findings": _findings(desk),
        "example_loan": _example(desk),
        "head": desk.book.head,
    }


def _loans(desk: Desk) -> dict[str, int]:
    """Counts of loans: offered on the tapes, rejected, closed so far, eligible somewhere, sold, kept."""
    tapes = desk.book.event_bodies("TapeRead")
    late = (
        desk.book.segment("rejects").filter(pl.col("reason").str.contains("book has this loan|nothing is owed")).height
    )
    closed = desk.loans(["loan_id"]).height
    best = (
        desk.book.scan("checks").group_by("loan_id").agg(pl.col("answer").min())
        .group_by("answer").len().collect()
    )  # fmt: skip
    answers = dict(best.rows())
    sold = desk.book.segment("sales").height
    return {
        "offered": sum(t["loans"] for t in tapes) - late,
        "rejected": sum(t["rejected"] for t in tapes) + late,
        "closed": closed,
        "eligible": sum(n for answer, n in answers.items() if answer <= ASSUMED),
        "undetermined": answers.get(UNDETERMINED, 0),
        "sold": sold,
        "retained": closed - sold,
    }


def _example(desk: Desk) -> str:
    """The number of a loan that was pooled, else of any: something to try a query on."""
    pooled = desk.book.scan("pool_loans").select("loan_id").head(1).collect()["loan_id"].to_list()
    loans = desk.book.scan("loans").select("loan_id", "loan_number")
    found = (loans.filter(pl.col("loan_id").is_in(pooled)) if pooled else loans).head(1).collect()
    return str(found["loan_number"][0]) if found.height else "NUMBER"


def _programs(desk: Desk, pools: pl.DataFrame) -> list[dict[str, Any]]:
    """Per program: pools, face, averages weighted by face, range of coupons, and loans kept whole."""
    rows = []
    pooled = desk.book.scan("pool_loans").select("loan_id").collect()
    whole = desk.book.scan("sales").select("loan_id", "program").collect().join(pooled, on="loan_id", how="anti")
    for code, name in enumerate(BOOK_PROGRAMS):
        mine = pools.filter(pl.col("program") == code)
        unpooled = whole.filter(pl.col("program") == code).height
        if not name or not (mine.height or unpooled):
            continue
        if not mine.height:
            rows.append(_no_pools(name, unpooled))
            continue
        face = mine["face_cents"].to_numpy()

        def average(column: str, mine: pl.DataFrame = mine, face: Any = face) -> float:
            return float((mine[column].to_numpy() * (face / face.sum())).sum())

        rows.append(
            {
                "program": name, "name": NAMES[name], "pools": mine.height, "loans": int(mine["loans"].sum()),
                "face_cents": int(face.sum()), "wac": round(average("wac_e7") / 100_000, 3),
                "wam_months": round(average("wam_months")), "wala_months": round(average("wala_months"), 1),
                "coupon_min": int(mine["coupon_rate_e7"].to_numpy().min()) / 100_000,
                "coupon_max": int(mine["coupon_rate_e7"].to_numpy().max()) / 100_000,
                "guarantee": mine["guarantee"][0], "whole_loans": unpooled,
            }
        )  # fmt: skip
    return rows


def _no_pools(program: str, whole_loans: int) -> dict[str, Any]:
    """A program whose loans were bought and wait, or stay whole: nothing to average."""
    nothing = dict.fromkeys(("wac", "wam_months", "wala_months", "coupon_min", "coupon_max"))
    return {
        "program": program, "name": NAMES[program], "pools": 0, "loans": 0, "face_cents": 0, **nothing, "guarantee": "",
        "whole_loans": whole_loans,
    }  # fmt: skip


def cash(desk: Desk) -> dict[str, int]:
    """Where the borrowers' money went, over all months closed; `difference_cents` must be zero.

    Flows come from loan_months and holder_months, the change in custody from the ledger's accounts.
    """
    total = desk.book.scan("loan_months").select(pl.col("^.*_cents$").sum()).collect()
    held = desk.book.scan("holder_months").select(
        (pl.col("principal_cents") + pl.col("interest_cents")).sum()
    ).collect().item()  # fmt: skip

    def flow(*names: str) -> int:
        return sum(int(total[f"{n}_cents"][0]) for n in names)

    balances = desk.book.balances(last_day(desk.month - 1))
    custody = balances.filter(
        (pl.col("account") == "custodial_cash")
        | ((pl.col("account") == "cash") & pl.col("party_id").is_in([desk.party("trusts"), desk.party("paying_agent")]))
    )["cents"].sum()
    entries = {
        "borrowers_paid_cents": flow("paid") - flow("refunded"),
        "advanced_cents": flow("advanced"),
        "advances_recovered_cents": flow("recovered"),
        "claims_cents": flow("claim"),
        "buyouts_cents": flow("buyout"),
        "investors_received_cents": int(held),
        "servicers_kept_cents": flow("servicer_kept") - flow("shortfall"),
        "guarantors_received_cents": flow("guaranty_fee", "guarantor_recovered") - flow("guaranty_relief"),
        "guarantors_paid_cents": flow("guarantor_advanced"),
        "portfolio_owners_received_cents": flow("owner_principal", "owner_interest"),
        "custodial_change_cents": int(custody),
    }
    came = ("borrowers_paid", "advanced", "claims", "buyouts", "guarantors_paid")
    went = (
        "advances_recovered", "investors_received", "servicers_kept", "guarantors_received",
        "portfolio_owners_received", "custodial_change",
    )  # fmt: skip
    entries["difference_cents"] = sum(entries[f"{k}_cents"] for k in came) - sum(entries[f"{k}_cents"] for k in went)
    return entries


def missed(month: int | pl.Expr) -> pl.Expr:
    """Instalments unpaid on the last day of a month (MBA), from last_paid_due_date."""
    due = pl.min_horizontal(pl.lit(month) if isinstance(month, int) else month, month_index("maturity_date"))
    return (due - month_index("last_paid_due_date")).clip(lower_bound=0)


def month_index(column: str) -> pl.Expr:
    """A date column as month indexes."""
    return pl.col(column).dt.year().cast(pl.Int32) * 12 + pl.col(column).dt.month().cast(pl.Int32) - 1


BUCKETS = ("current", "days_30", "days_60", "days_90_plus", "foreclosure")


def bucket() -> pl.Expr:
    """The delinquency bucket of a loan_months row, by name."""
    behind = missed(pl.col("month"))
    return (
        pl.when(pl.col("workout") == 1).then(pl.lit("foreclosure")).when(behind == 0).then(pl.lit("current"))
        .when(behind == 1).then(pl.lit("days_30")).when(behind == 2).then(pl.lit("days_60"))
        .otherwise(pl.lit("days_90_plus"))
    )  # fmt: skip


def _delinquency(desk: Desk) -> dict[str, Any]:
    """Loans by bucket at the last month closed."""
    months = desk.book.months("loan_months")
    if not months:
        return {**dict.fromkeys(BUCKETS, 0), "loans_active": 0}
    rows = desk.book.scan("loan_months", [months[-1]]).filter(pl.col("end_code") == 0)
    counts = dict(rows.group_by(bucket().alias("b")).len().collect().rows())
    return {
        "month": month_name(months[-1]), **{b: counts.get(b, 0) for b in BUCKETS}, "loans_active": sum(counts.values()),
    }  # fmt: skip


def _lenders(desk: Desk) -> dict[str, Any]:
    refused = desk.book.scan("refusals").filter(pl.col("reason").str.starts_with("lender stopped")).collect()
    states = sale.current_states(desk.book.records("lender_states"))
    names = desk.lenders().select("party_id", "name")
    limited = states.join(names, left_on="lender_id", right_on="party_id")
    stopped = limited.filter(pl.col("state").is_in(list(sale.STOPPED)))
    now = dict(limited.group_by("state").len().sort("state").rows())
    return {
        "watched": desk.book.scan("sales").select(pl.col("seller_id").n_unique()).collect().item(),
        "stopped": stopped["lender_id"].n_unique(),
        "states": {state: now.get(state, 0) for state in sale.STATES if state != "approved"},
        "sales_refused": refused.height,
        "why": [{"lender": n, "month": month_name(m), "reason": r} for n, m, r in
                stopped.sort("month").select("name", "month", "reason").rows()],
    }  # fmt: skip


def _findings(desk: Desk) -> list[dict[str, Any]]:
    """Findings of all events, added up by step, rule and message."""
    total: dict[tuple[str, str, str, str], int] = {}
    for kind in ("TapeRead", "LoansClosed", "LoansSold", "PoolsFormed", "Placed", "TradesSettled"):
        for body in desk.book.event_bodies(kind):
            for f in body.get("findings", []):
                key = (f["step"], f["rule"], f["message"], f["severity"])
                total[key] = total.get(key, 0) + f["count"]
    return [{"step": s, "rule": r, "message": m, "severity": v, "count": n} for (s, r, m, v), n in total.items()]
