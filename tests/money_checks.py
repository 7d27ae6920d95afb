"""What must hold in any book, recomputed from its tables and ledger lines: each check names what it found wrong."""

from __future__ import annotations

from datetime import date

import polars as pl

from poolhouse.ledger import cash_accounts
from poolhouse.market.desk import Desk
from poolhouse.market.market import Market

HELD = ("suspense_cents", "prepaid_cents", "pending_unscheduled_cents", "pending_interest_cents")
_SOURCES = ("paid", "advanced", "guarantor_advanced", "buyout", "claim", "shortfall", "guaranty_relief")
_USES = (
    "refunded",
    "owner_principal",
    "owner_interest",
    "guaranty_fee",
    "recovered",
    "guarantor_recovered",
    "servicer_kept",
)
_NEVER_NEGATIVE = (
    *HELD, "closing_actual_cents", "closing_scheduled_cents", "advance_balance_cents",
    "guarantor_advance_balance_cents", "paid_cents", "refunded_cents", "loss_cents", "claim_cents",
)  # fmt: skip
_TO_TRUST = ("scheduled_principal", "unscheduled_principal", "investor_interest")


def check_all(market: Market) -> None:
    """Every identity below; AssertionError says which one broke and where."""
    rows = with_opening(market)
    check_rows(rows)
    check_lines(market)
    check_loans_tie(market)
    check_pools_tie(market)
    check_owners(market)


def check_promises(market: Market) -> dict[str, int]:
    """`verify` finds every promise kept. Gives how many facts it checked for each."""
    answer = market.verify()
    broken = [p for p in answer["promises"] if not p["ok"]]
    assert answer["ok"] and not broken, broken
    assert len(answer["promises"]) == 12 and answer["head"] == market.book.head
    return {p["name"]: p["checked"] for p in answer["promises"]}


def with_opening(market: Market) -> pl.DataFrame:
    """All loan_months rows, each with the row before: `was_*` columns (entering rows for a loan's first month)."""
    desk = Desk(market.book)
    rows = market.book.segment("loan_months")
    before = [rows] + [desk.entering(m).select(rows.columns) for m in market.book.months("loans")]
    was = pl.concat(before).select(pl.col("month") + 1, "loan_id", *_was())
    found = rows.join(was, on=["month", "loan_id"], how="left")
    assert not found["was_held"].null_count(), "a loan's month has no month before it"
    return found


def _was() -> list[pl.Expr]:
    columns = [
        "closing_actual_cents", "closing_scheduled_cents", "owner_id", "pool_id", "servicer_id", "note_rate_e7",
        "pass_through_rate_e7", "guaranty_fee_rate_e7", "payment_cents", "maturity_date", "remittance",
    ]  # fmt: skip
    return [pl.sum_horizontal(HELD).alias("was_held"), *[pl.col(c).alias(f"was_{c}") for c in columns]]


def _sum(names: tuple[str, ...]) -> pl.Expr:
    return pl.sum_horizontal([f"{n}_cents" for n in names])


def none(frame: pl.DataFrame, bad: pl.Expr, what: str) -> None:
    """No row of the frame is bad."""
    found = frame.filter(bad.fill_null(True))
    assert not found.height, f"{what}: {found.height} of {frame.height}, first {found.row(0, named=True)}"


def check_rows(rows: pl.DataFrame) -> None:
    """Each loan's month: cash in = cash out + what is still held; balances move by principal only."""
    pooled = pl.when(pl.col("payee_pool_id") > 0).then(_sum(_TO_TRUST)).otherwise(0)
    kept = pl.sum_horizontal(HELD) - pl.col("was_held")
    none(rows, _sum(_SOURCES) != _sum(_USES) + pooled + kept, "cash of a loan's month")
    none(rows, pl.col("opening_actual_cents") != pl.col("was_closing_actual_cents"), "opening actual balance")
    none(rows, pl.col("opening_scheduled_cents") != pl.col("was_closing_scheduled_cents"), "opening scheduled balance")
    for name in ("note_rate_e7", "payment_cents", "maturity_date"):
        none(rows, pl.col(name) != pl.col(f"was_{name}"), f"terms: {name}")
    for name in _NEVER_NEGATIVE:
        none(rows, pl.col(name) < 0, f"{name} below zero")
    split = pl.col("investor_interest_cents") + pl.col("guaranty_fee_cents") + pl.col("servicing_fee_cents")
    none(rows, pl.col("scheduled_interest_cents") != split, "split of scheduled interest")
    none(
        rows,
        (pl.col("payee_id") != pl.col("was_owner_id")) | (pl.col("payee_pool_id") != pl.col("was_pool_id")),
        "payee",
    )
    ended = pl.col("end_code") > 0
    none(
        rows,
        ended & ((pl.col("closing_actual_cents") > 0) | (pl.col("suspense_cents") > 0)),
        "an ended loan owes or holds",
    )


def check_lines(market: Market) -> None:
    """Debits equal credits for each party in each event; money only moves, every day."""
    lines = market.book.lines()
    none(lines.group_by("event_seq", "party_id").agg(pl.col("cents").sum()), pl.col("cents") != 0, "a party's entry")
    cash = lines.filter(pl.col("account").is_in(cash_accounts()))
    none(
        cash.group_by("event_seq", "value_date").agg(pl.col("cents").sum()),
        pl.col("cents") != 0,
        "cash of an event's day",
    )


def _ledger(market: Market, account: str) -> pl.DataFrame:
    rows = market.book.balances().filter((pl.col("account") == account) & (pl.col("cents") != 0))
    return rows.select("party_id", "cents").sort("party_id")


def _same(market: Market, account: str, expected: pl.DataFrame, sign: int = 1) -> None:
    """The ledger's balances of an account are these sums by party."""
    wanted = expected.rename({expected.columns[0]: "party_id", expected.columns[1]: "cents"})
    wanted = wanted.group_by("party_id").agg(pl.col("cents").sum() * sign).filter(pl.col("cents") != 0)
    wanted = wanted.with_columns(pl.col("party_id").cast(pl.Int32)).sort("party_id")
    found = _ledger(market, account)
    assert found.rows() == wanted.rows(), f"{account}: ledger {found.rows()[:5]}, tables {wanted.rows()[:5]}"


def last_rows(market: Market) -> pl.DataFrame:
    """loan_months of the last month closed."""
    return market.book.segment("loan_months", Desk(market.book).month - 1)


def check_loans_tie(market: Market) -> None:
    """Control accounts = sums over the last month's rows, for every servicer, owner and guarantor."""
    rows = last_rows(market)
    own = (
        pl.when(pl.col("remittance") == 0)
        .then(pl.col("closing_actual_cents"))
        .otherwise(pl.col("closing_scheduled_cents"))
    )
    tail = pl.col("pool_id") > 0  # a loan bought out leaves its last payment to the trust for one month more
    trust = pl.when(tail).then(pl.col("closing_scheduled_cents")).otherwise(0)
    owner = pl.when(tail & (pl.col("remittance") == 1)).then(0).otherwise(own)
    owners = pl.concat([
        rows.select("owner_id", cents=owner), rows.select(pl.lit(2, pl.Int32).alias("owner_id"), cents=trust),
    ])  # fmt: skip
    entered = Desk(market.book).entering(Desk(market.book).month)  # closed, their first month still open
    assert not entered.height
    _same(market, "loans_held", owners)
    _same(market, "servicing_memo", rows.select("servicer_id", "closing_actual_cents"))
    _same(market, "servicer_advances", rows.select("servicer_id", "advance_balance_cents"))
    _same(market, "custodial_cash", rows.select("servicer_id", held=pl.sum_horizontal(HELD)))
    _same(market, "mortgage_payable", rows.select(pl.lit(1), "closing_actual_cents"), -1)
    guarantor = pl.col("program").replace_strict({0: 0, 1: 3, 2: 4, 3: 5, 4: 0}, return_dtype=pl.Int32)
    _same(market, "guarantor_advances", rows.select(guarantor, "guarantor_advance_balance_cents"))


def check_pools_tie(market: Market) -> None:
    """Factors fall to the trust's balance; positions are the original face; holders hold what the trusts owe."""
    month = Desk(market.book).month - 1
    factors = market.book.segment("pool_factors", month)
    pools = market.book.records("pools")
    balances = last_rows(market).filter(pl.col("pool_id") > 0).group_by("pool_id").agg(
        balance=pl.col("closing_scheduled_cents").sum()
    )  # fmt: skip
    joined = (
        factors.join(balances, on="pool_id", how="left")
        .join(pools, on="pool_id")
        .with_columns(pl.col("balance").fill_null(0))
    )
    none(joined, pl.col("closing_scheduled_cents") != pl.col("balance"), "balance of a trust")
    exact = (pl.col("balance") - pl.col("truncation_cents")).clip(lower_bound=0)
    off = (pl.col("factor_e8") * pl.col("face_cents") - exact * 10**8).abs() if joined.height else pl.lit(False)
    if joined.filter(pl.col("face_cents") < 9 * 10**10).height == joined.height:  # the product fits 64 bits
        none(joined, 2 * off > pl.col("face_cents"), "published factor")
    none(joined, pl.col("factor_e8") > pl.col("prior_factor_e8"), "a factor rose")
    trades = market.book.records("trades")
    moves = pl.concat([
        trades.select("security_id", pl.col("buyer_id").alias("holder_id"), "face_cents"),
        trades.select("security_id", pl.col("seller_id").alias("holder_id"), -pl.col("face_cents")),
    ])  # fmt: skip
    positions = (
        moves.group_by("security_id", "holder_id").agg(pl.col("face_cents").sum()).filter(pl.col("holder_id") != 2)
    )
    none(positions, pl.col("face_cents") < 0, "somebody sold what it didn't have")
    total = positions.group_by("security_id").agg(held=pl.col("face_cents").sum())
    none(
        pools.join(total, left_on="pool_id", right_on="security_id"),
        pl.col("held") != pl.col("face_cents"),
        "positions",
    )


def check_owners(market: Market) -> None:
    """Each loan's owners, servicers and pools follow one another; the last one stands in the last row."""
    rows = market.book.segment("assignments").sort("loan_id", "role", "effective_date")
    for role in ("owner", "servicer", "pool"):
        chain = rows.filter(pl.col("role") == role).with_columns(
            before=pl.col("to_id").shift(1).over("loan_id").fill_null(0)
        )  # fmt: skip
        none(chain, pl.col("from_id") != pl.col("before"), f"chain of {role}s")
    last = last_rows(market).filter(pl.col("end_code") == 0)
    day = date(*divmod(Desk(market.book).month, 12)[:1], Desk(market.book).month % 12 + 1, 1)
    for role, column in (("owner", "owner_id"), ("servicer", "servicer_id")):
        now = rows.filter((pl.col("role") == role) & (pl.col("effective_date") < day))
        now = now.unique("loan_id", keep="last", maintain_order=True).select("loan_id", party="to_id")
        none(last.join(now, on="loan_id", how="left"), pl.col("party") != pl.col(column), f"{role} of record")
