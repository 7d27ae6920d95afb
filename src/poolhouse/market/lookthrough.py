"""lookthrough: from an investor down to the loans behind its securities, and through funds.

A holder owns a share of a pool, not of a loan: shares of one loan are an attribution, and called so.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from poolhouse import investing
from poolhouse.dates import first_day, month_name
from poolhouse.findings import Refused
from poolhouse.market.desk import Desk, trades
from poolhouse.market.find import Names, Row, find_loan
from poolhouse.market.report import BUCKETS, bucket
from poolhouse.money import half_up_div

SHARE_ONE_E8 = 100_000_000
_STATES = 3


def lookthrough(desk: Desk, holder: str, loan: str | None = None) -> dict[str, Any]:
    """What stands behind a holder at the book's clock. holder: a party's code, name, or a part that fits one.

    Keys: holder, code, as_of, balances_of (the month whose closing balances are used), loans, pools,
    face_cents, balance_cents (the holder's share), received (principal and interest so far), states,
    delinquency (loans behind it), securities (each held: cusip, pool, class, share, balance, loans,
    states, delinquency), through_funds, owned_by; own_loan when `loan` is asked for: how much of that
    loan the holder owns. Shares in e8. Refused: nobody, or several parties, fit the name.
    """
    names = Names(desk)
    party = _party(desk, names, holder)
    positions = investing.positions(trades(desk), desk.today)
    funds = investing.fund_shares(first_day(desk.start), desk.rulebook)
    loans = _pooled(desk)
    securities = balances(desk, loans)
    found = investing.lookthrough(
        party["party_id"], positions, securities, desk.book.records("pools").drop("event_seq"), _by_pool(desk, loans),
        funds,
    )  # fmt: skip
    touched = sorted(
        {s["pool_id"] for s in [*found["direct"], *[s for f in found["through_funds"] for s in f["securities"]]]}
    )
    behind = loans.filter(pl.col("pool_id").is_in(touched))
    answer = {
        "holder": party["name"], "code": party["code"], "type": party["type"], "as_of": desk.today.isoformat(),
        "balances_of": month_name(_month(desk)), "pools": found["pools"], "loans": found["loans"],
        "face_cents": found["face_cents"], "balance_cents": found["balance_cents"],
        "received": _received(desk, party["party_id"]),
        "states": _counts(behind, "state"), "delinquency": _late(behind),
        "securities": found["direct"],
        "through_funds": [
            {"fund": names.party(f["fund_id"])["name"], "share_e8": f["share_e8"], "balance_cents": f["balance_cents"],
             "received": _share_of(_received(desk, f["fund_id"]), f["share_e8"]), "securities": f["securities"]}
            for f in found["through_funds"]
        ],
        "owned_by": [
            {"holder": names.party(o["holder_id"])["name"], "share_e8": o["share_e8"]} for o in found["owned_by"]
        ],
    }  # fmt: skip
    return answer | (
        {"own_loan": _own_loan(desk, names, party, loan, (positions, securities), funds)} if loan is not None else {}
    )


def _party(desk: Desk, names: Names, asked: str) -> Row:
    """The party of that code or name, or the one holder, else the one party, that the text is part of."""
    text = asked.strip().casefold()
    every = list(names.parties.values())
    exact = [p for p in every if text in (p["code"].casefold(), p["name"].casefold())]
    if len(exact) == 1:
        return exact[0]
    holding = set(desk.book.records("trades")["buyer_id"].to_list())
    parts = [p for p in every if text and (text in p["code"].casefold() or text in p["name"].casefold())]
    investors = [p for p in parts if p["role"] == "investor"]
    for fits in (investors, [p for p in parts if p["party_id"] in holding], parts):
        if len(fits) == 1:
            return fits[0]
    if parts:
        some = ", ".join(f"{p['name']} ({p['code']})" for p in parts[:8])
        raise Refused(f"lookthrough: {asked!r} fits {len(parts)} parties: {some}; use a code")
    known = ", ".join(p["code"] for p in every if p["role"] == "investor")
    raise Refused(f"lookthrough: nobody in the book is called {asked!r}; investors: {known}")


def _month(desk: Desk) -> int:
    """The last month closed."""
    return max(desk.month - 1, desk.start)


def _pooled(desk: Desk) -> pl.DataFrame:
    """Loans in pools with a balance: pool_id, loan_id, closing_scheduled_cents, state, bucket.

    A loan pooled in the open month is not serviced in its pool yet: it counts with its balance at issue.
    """
    month = _month(desk)
    served = desk.book.scan("loan_months", [month]).filter(
        (pl.col("pool_id") > 0) & (pl.col("closing_scheduled_cents") > 0)
    ).select("pool_id", "loan_id", "closing_scheduled_cents", bucket().alias("bucket"))  # fmt: skip
    new = desk.book.scan("pool_loans", [desk.month]).select(
        "pool_id", "loan_id", pl.col("scheduled_cents").alias("closing_scheduled_cents"),
        pl.lit(BUCKETS[0]).alias("bucket"),
    )  # fmt: skip
    states = desk.book.scan("loans").select("loan_id", "state")
    return pl.concat([served, new]).join(states, on="loan_id").collect().sort("pool_id", "loan_id")


def balances(desk: Desk, loans: pl.DataFrame) -> pl.DataFrame:
    """SECURITIES and balance_cents, what is left of each: of a whole pool what its loans (`_pooled`) owe, of a class
    what stood after the last month closed, its face where none has closed since its issue."""
    securities = desk.book.records("securities").drop("event_seq")
    owed = loans.group_by("pool_id").agg(owed_cents=pl.col("closing_scheduled_cents").sum())
    stood = desk.book.segment("class_months", _month(desk)).select("security_id", "closing_cents")
    both = securities.join(owed, on="pool_id", how="left").join(stood, on="security_id", how="left")
    return both.with_columns(
        balance_cents=pl.when(pl.col("class_name") == "").then(pl.col("owed_cents").fill_null(0))
        .otherwise(pl.col("closing_cents").fill_null(pl.col("original_face_cents")))
    ).drop("owed_cents", "closing_cents")  # fmt: skip


def _by_pool(desk: Desk, loans: pl.DataFrame) -> pl.DataFrame:
    """One row per pool, paid-off ones included: loans, delinquency by bucket, the states with most loans."""
    counts = loans.group_by("pool_id").agg(
        pl.len().cast(pl.Int32).alias("loans"),
        *[(pl.col("bucket") == b).sum().cast(pl.Int64).alias(b) for b in BUCKETS],
    )  # fmt: skip
    tops = (
        loans.group_by("pool_id", "state").len().sort("pool_id", "len", "state", descending=[False, True, False])
        .group_by("pool_id", maintain_order=True)
        .agg(pl.format("{} {}", "state", "len").head(_STATES).str.join(", ").alias("states"))
    )  # fmt: skip
    pools = desk.book.records("pools").select("pool_id")
    return pools.join(counts, on="pool_id", how="left").join(tops, on="pool_id", how="left").with_columns(
        pl.col("loans", *BUCKETS).fill_null(0), pl.col("states").fill_null("")
    ).sort("pool_id")  # fmt: skip


def _counts(loans: pl.DataFrame, column: str) -> dict[str, int]:
    rows = loans.group_by(column).len().sort("len", column, descending=[True, False])
    return {value or "unknown": count for value, count in rows.iter_rows()}


def _late(loans: pl.DataFrame) -> dict[str, int]:
    counts = _counts(loans, "bucket")
    return {b: counts.get(b, 0) for b in BUCKETS}


def _received(desk: Desk, party_id: int) -> dict[str, int]:
    paid = desk.book.scan("holder_months").filter(pl.col("holder_id") == party_id)
    row = paid.select(
        pl.col("principal_cents").sum(), pl.col("interest_cents").sum(), pl.col("month").n_unique()
    ).collect()
    principal, interest, months = row.row(0)
    return {"months": months, "principal_cents": principal, "interest_cents": interest}


def _share_of(received: dict[str, int], share_e8: int) -> dict[str, int]:
    """A fund holder's part of what the fund received: an attribution, the fund was paid."""
    shares = {key: half_up_div(received[key] * share_e8, SHARE_ONE_E8) for key in ("principal_cents", "interest_cents")}
    return {"months": received["months"], **shares}


def _own_loan(
    desk: Desk, names: Names, party: Row, asked: str, held: tuple[pl.DataFrame, pl.DataFrame], funds: pl.DataFrame
) -> dict[str, Any]:
    """ "Do I own my own mortgage?": the holder's share of one loan's balance, directly and through funds. held:
    positions, and `balances`: of a pool in classes, shares are by what is left of each."""
    found = find_loan(desk, asked)
    answer = {
        "loan": found["loan_number"],
        "pool_number": None,
        "cusip": None,
        "owned": False,
        "share_e8": 0,
        "cents": 0,
    }
    balance, pool_id = _balance(desk, found["loan_id"])
    if not pool_id:
        return answer | {"why": "the loan is in no pool"}
    shares = investing.loan_shares(balance, stakes(*held, pool_id), funds)
    whole, cents, part = sum(s["weight"] for s in shares), 0, 0
    for share in shares:
        if share["holder_id"] == party["party_id"]:
            cents, part = cents + share["cents"], part + share["weight"] * SHARE_ONE_E8
        for stake in share["through"]:
            if stake["holder_id"] == party["party_id"]:
                cents, part = cents + stake["cents"], part + share["weight"] * stake["share_e8"]
    pool = names.pool(pool_id)
    by = "by what is left of its classes" if pool["classes"] else "by face"
    why = f"it holds part of the loan's pool: an attribution {by}" if part else "it holds nothing of the loan's pool"
    return answer | {
        "pool_number": pool["pool_number"], "cusip": pool["cusip"], "owned": part > 0,
        "share_e8": half_up_div(part, whole) if whole else 0, "balance_cents": balance, "cents": cents, "why": why,
    }  # fmt: skip


def stakes(positions: pl.DataFrame, securities: pl.DataFrame, pool_id: int) -> list[tuple[int, int]]:
    """(holder, weight) of a pool's holders: face of a whole pool; of classes, each one's balance by face, in cents."""
    mine = positions.join(securities.filter(pl.col("pool_id") == pool_id), on="security_id").sort(
        "security_id", "holder_id"
    )
    columns = mine.select("holder_id", "face_cents", "class_name", "balance_cents", "original_face_cents")
    return [
        (holder, half_up_div(balance * face, whole) if name else face)
        for holder, face, name, balance, whole in columns.iter_rows()
    ]


def _balance(desk: Desk, loan_id: int) -> tuple[int, int]:
    """(scheduled balance, pool) of one loan now; (0, 0) when it is in no pool."""
    mine = _pooled(desk).filter(pl.col("loan_id") == loan_id)
    return (mine["closing_scheduled_cents"][0], mine["pool_id"][0]) if mine.height else (0, 0)
