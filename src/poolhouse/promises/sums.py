"""Integer sums of one part of a month, by who holds what and who pays whom: parts just add up.

They come from loan rows and payments alone; what they must equal stands in registers and ledger.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from poolhouse.promises.evidence import HELD, PartMonth, trusts
from poolhouse.rules import system_parties
from poolhouse.tables.codes import ACTUAL_ACTUAL, BOOK_PROGRAMS

ENTERPRISES = {
    code: int(system_parties()[p]["party_id"]) for code, p in enumerate(BOOK_PROGRAMS) if p in ("fnma", "fhlmc", "gnma")
}
"""Who guarantees a program's pools."""


@dataclass(frozen=True)
class Sums:
    """controls: party_id, account, rows_cents. pools: pool_id, balance_cents, loans, loans_before.
    flows: pool_id, owner_id and what moved for the loans whose distribution was theirs.
    servicers: party_id, moved_cents (sources less uses), custody_cents, transferred_cents, claim_cents.
    receipts: party_id, value_date, wanted_cents. fees: party_id, fee_cents."""

    controls: pl.DataFrame
    pools: pl.DataFrame
    flows: pl.DataFrame
    servicers: pl.DataFrame
    receipts: pl.DataFrame
    fees: pl.DataFrame


_KEYS = {
    "controls": ["party_id", "account"],
    "pools": ["pool_id"],
    "flows": ["pool_id", "owner_id"],
    "servicers": ["party_id"],
    "receipts": ["party_id", "value_date"],
    "fees": ["party_id"],
}


def add_up(parts: list[Sums]) -> Sums:
    """Sums of several parts as one."""
    if len(parts) == 1:
        return parts[0]
    total = {
        name: pl.concat([getattr(p, name) for p in parts]).group_by(keys).sum().sort(keys)
        for name, keys in _KEYS.items()
    }
    return Sums(**total)


def sums(view: PartMonth) -> Sums:
    """All sums of a part."""
    rows = view.rows.with_columns(
        held=pl.sum_horizontal(HELD),
        was_held=pl.sum_horizontal(f"was_{c}" for c in HELD),
        enterprise=pl.col("program").cast(pl.Int32).replace_strict(ENTERPRISES, default=0, return_dtype=pl.Int32),
    )
    fees = rows.filter(pl.col("enterprise") > 0).group_by(party_id="enterprise").agg(
        fee_cents=(pl.col("guaranty_fee_cents") - pl.col("guaranty_relief_cents")).sum()
    )  # fmt: skip
    return Sums(_controls(rows), _pools(rows), _flows(rows), _servicers(rows), _receipts(view), fees)


def _controls(rows: pl.DataFrame) -> pl.DataFrame:
    """What the control accounts must stand at: debits positive."""
    actual, scheduled = pl.col("closing_actual_cents"), pl.col("closing_scheduled_cents")
    whole = pl.col("pool_id") == 0
    own = pl.col("remittance") == ACTUAL_ACTUAL
    parts = [
        ("loans_held", pl.col("owner_id"), pl.when(own).then(actual).when(whole).then(scheduled).otherwise(0)),
        ("loans_held", pl.lit(trusts()), pl.when(whole).then(0).otherwise(scheduled)),
        ("servicing_memo", pl.col("servicer_id"), actual),
        ("mortgage_payable", pl.lit(int(system_parties()["borrowers"]["party_id"])), -actual),
        ("servicer_advances", pl.col("servicer_id"), pl.col("advance_balance_cents")),
        ("guarantor_advances", pl.col("enterprise"), pl.col("guarantor_advance_balance_cents")),
        ("custodial_payable", pl.col("servicer_id"), -pl.col("held")),
    ]
    columns = ["party_id", "account", "rows_cents"]
    frames = [
        rows.select(party_id=party.cast(pl.Int32), rows_cents=cents)
        .group_by("party_id")
        .sum()
        .with_columns(account=pl.lit(account))
        .select(columns)
        for account, party, cents in parts
    ]
    return pl.concat(frames).group_by("party_id", "account").sum()


def _pools(rows: pl.DataFrame) -> pl.DataFrame:
    """Balances of the loans in each pool, counted now and before the distribution."""
    balance = pl.col("closing_scheduled_cents")
    now = rows.filter(pl.col("pool_id") > 0).group_by("pool_id").agg(
        balance_cents=balance.sum(), loans=(balance > 0).sum().cast(pl.Int64)
    )  # fmt: skip
    before = rows.filter(pl.col("payee_pool_id") > 0).group_by(pool_id="payee_pool_id").agg(
        loans_before=(pl.col("was_closing_scheduled_cents") > 0).sum().cast(pl.Int64)
    )  # fmt: skip
    both = now.join(before, on="pool_id", how="full", coalesce=True).with_columns(pl.col(pl.Int64).fill_null(0))
    return both.select("pool_id", "balance_cents", "loans", "loans_before")


def _sources() -> pl.Expr:
    """Money in: payments as accepted, own-fund advances, guaranty, claims, the buyer's money, interest made up."""
    names = (
        "accepted_cents",
        "advanced_cents",
        "guarantor_advanced_cents",
        "buyout_cents",
        "claim_cents",
        "shortfall_cents",
    )
    return pl.sum_horizontal(names) - pl.col("refunded_cents")


def _to_pool() -> pl.Expr:
    due = pl.sum_horizontal("scheduled_principal_cents", "unscheduled_principal_cents", "investor_interest_cents")
    return pl.when(pl.col("payee_pool_id") > 0).then(due).otherwise(0)


def _to_others() -> pl.Expr:
    """Money out, but for the pools: owners, guaranty fee, servicing, advances repaid."""
    return pl.sum_horizontal(
        "owner_principal_cents", "owner_interest_cents", "guaranty_fee_cents", "servicer_kept_cents", "recovered_cents",
        "guarantor_recovered_cents",
    ) - pl.col("guaranty_relief_cents")  # fmt: skip


def _flows(rows: pl.DataFrame) -> pl.DataFrame:
    """By pool, or by owner for loans outside pools, as the distribution of the month was owed."""
    return rows.group_by(
        pool_id="payee_pool_id", owner_id=pl.when(pl.col("payee_pool_id") > 0).then(0).otherwise(pl.col("payee_id"))
    ).agg(
        sources_cents=_sources().sum(), to_pool_cents=_to_pool().sum(), to_others_cents=_to_others().sum(),
        held_more_cents=(pl.col("held") - pl.col("was_held")).sum(), loans=pl.len().cast(pl.Int64),
    )  # fmt: skip


def _servicers(rows: pl.DataFrame) -> pl.DataFrame:
    moved = pl.col("servicer_id") != pl.col("was_servicer_id")
    taken = pl.when(moved).then(pl.col("was_held")).otherwise(0)
    mine = rows.group_by(party_id="servicer_id").agg(
        moved_cents=(_sources() - _to_pool() - _to_others()).sum(), custody_cents=pl.col("held").sum(),
        transferred_cents=taken.sum(), claim_cents=pl.col("claim_cents").sum(),
    )  # fmt: skip
    given = rows.filter(moved).group_by(party_id="was_servicer_id").agg(given=pl.col("was_held").sum())
    both = mine.join(given, on="party_id", how="full", coalesce=True).with_columns(pl.col(pl.Int64).fill_null(0))
    return both.with_columns(pl.col("transferred_cents") - pl.col("given")).drop("given")


def _receipts(view: PartMonth) -> pl.DataFrame:
    return view.payments.filter(pl.col("disposition") != "exception").group_by(
        party_id="servicer_id", value_date="received_date"
    ).agg(wanted_cents=pl.col("amount_cents").sum())  # fmt: skip
