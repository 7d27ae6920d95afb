"""From loan_months rows to events: sums by who pays whom, then one posting per kind of cash.

The sums are integers per (servicer, recipient, owner, guarantor, insurer), so they add up over
parts in any order.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from poolhouse.dates import business_day, first_day, last_day, month_name, on_or_before
from poolhouse.rules import Rulebook, system_parties
from poolhouse.tables import POOL_MONTHS, Event, Posting
from poolhouse.tables.codes import BOOK_PROGRAMS, SCHEDULED_SCHEDULED

_INSURERS = {"conventional": "mi", "fha": "fha", "va": "va", "usda": "usda"}
_KEYS = ["servicer_id", "recipient_id", "owner_id", "guarantor_id", "program"]
_AMOUNTS = (
    "refunded", "interest_applied", "principal", "discharged", "taken_back", "fee_paid", "guaranty_relief", "advanced",
    "guarantor_advanced", "shortfall", "remitted", "trust_principal", "trust_interest", "owner_principal",
    "owner_interest", "recovered", "guarantor_recovered", "servicer_kept", "buyout", "buyout_principal",
    "buyout_interest", "owner_loss", "trust_loss",
)  # fmt: skip


def _cents(name: str) -> pl.Expr:
    return pl.col(f"{name}_cents")


def month_sums(rows: pl.DataFrame) -> pl.DataFrame:
    """Sums of one part's loan_months rows by the parties between whom money moves."""
    pooled = pl.col("payee_pool_id") > 0
    guarantor = [system_parties()[p]["party_id"] if p in ("fnma", "fhlmc", "gnma") else 0 for p in BOOK_PROGRAMS]
    program = pl.col("program").cast(pl.Int32)
    principal = _cents("principal_applied") + _cents("curtailment")
    unpaid_fall = _cents("opening_actual") - _cents("closing_actual") - principal
    derived = {
        "principal": principal,
        "discharged": pl.max_horizontal(unpaid_fall, 0),
        "taken_back": pl.max_horizontal(-unpaid_fall, 0),
        "fee_paid": _cents("guaranty_fee") - _cents("guaranty_relief"),
        "trust_principal": pl.when(pooled)
        .then(_cents("scheduled_principal") + _cents("unscheduled_principal"))
        .otherwise(0),
        "trust_interest": pl.when(pooled).then(_cents("investor_interest")).otherwise(0),
        "remitted": pl.when(pooled)
        .then(_cents("scheduled_principal") + _cents("unscheduled_principal") + _cents("investor_interest"))
        .otherwise(0),
        "buyout_interest": _cents("buyout") - _cents("buyout_principal"),
        "owner_loss": pl.when(
            pooled
            & (_cents("owner_principal") == 0)
            & (_cents("unscheduled_principal") > 0)
            & (pl.col("program") == BOOK_PROGRAMS.index("private"))
            & (pl.col("remittance") == SCHEDULED_SCHEDULED)
        )
        .then(0)
        .otherwise(_cents("loss")),
    }
    derived["trust_loss"] = _cents("loss") - derived["owner_loss"]
    amounts = [(derived.get(name, _cents(name))).alias(f"{name}_cents") for name in _AMOUNTS]
    keys = [
        pl.col("servicer_id"),
        # Of a loan that leaves its pool this month the buyer gets what comes after; of others the owner before.
        pl.when(pooled & (pl.col("payee_id") == system_parties()["trusts"]["party_id"]))
        .then(pl.col("owner_id"))
        .otherwise(pl.col("payee_id"))
        .alias("recipient_id"),
        pl.col("owner_id"),
        program.replace_strict(list(range(len(BOOK_PROGRAMS))), guarantor, return_dtype=pl.Int32).alias("guarantor_id"),
        pl.col("program"),
    ]
    return rows.lazy().select(keys + amounts).group_by(_KEYS).sum().sort(_KEYS).collect()


def add_up(parts: list[pl.DataFrame]) -> pl.DataFrame:
    """Sums of several parts as one table."""
    return pl.concat(parts).group_by(_KEYS).sum().sort(_KEYS)


def claim_rows(rows: pl.DataFrame, kinds: pl.DataFrame) -> pl.DataFrame:
    """Claims by servicer and insurer. kinds: loan_id, kind."""
    insurers = {kind: system_parties()[code]["party_id"] for kind, code in _INSURERS.items()}
    claims = rows.filter(_cents("claim") > 0).join(kinds, on="loan_id", how="left")
    return (
        claims.select(
            "servicer_id", "claim_cents", insurer_id=pl.col("kind").replace_strict(insurers, return_dtype=pl.Int32)
        )
        .group_by("servicer_id", "insurer_id")
        .sum()
        .sort("servicer_id", "insurer_id")
    )


def pool_months(rows: pl.DataFrame) -> pl.DataFrame:
    """POOL_MONTHS rows of one part (sum over parts with `add_pools`)."""
    pool = pl.max_horizontal("pool_id", "payee_pool_id")
    inside = pl.col("payee_pool_id") > 0
    paid = (
        rows.lazy()
        .filter(pool > 0)
        .select(
            "month",
            pool.alias("pool_id"),
            "servicer_id",
            pl.when(inside).then(_cents("opening_scheduled")).otherwise(0).alias("opening_scheduled_cents"),
            *[
                pl.when(inside).then(_cents(c)).otherwise(0).alias(f"{c}_cents")
                for c in ("scheduled_principal", "unscheduled_principal", "investor_interest", "guaranty_fee")
            ],
            pl.when(
                inside
                & (pl.col("program") == BOOK_PROGRAMS.index("private"))
                & (pl.col("remittance") == SCHEDULED_SCHEDULED)
            )
            .then(_cents("loss"))
            .otherwise(0)
            .alias("loss_cents"),
            pl.when(inside)
            .then(_cents("scheduled_principal") + _cents("unscheduled_principal") + _cents("investor_interest"))
            .otherwise(0)
            .alias("received_cents"),
            pl.when(pl.col("pool_id") > 0)
            .then(_cents("closing_scheduled"))
            .otherwise(0)
            .alias("closing_scheduled_cents"),
            ((pl.col("pool_id") > 0) & (_cents("closing_scheduled") > 0)).cast(pl.Int32).alias("loans"),
        )
    )
    return _pool_sums(paid)


def add_pools(parts: list[pl.DataFrame]) -> pl.DataFrame:
    """POOL_MONTHS rows summed over parts."""
    return _pool_sums(pl.concat(parts).lazy())


def _pool_sums(rows: pl.LazyFrame) -> pl.DataFrame:
    total = rows.group_by("month", "pool_id", "servicer_id").sum().with_columns(pl.col("loans").cast(pl.Int32))
    return POOL_MONTHS.conform(total.collect())


def receipt_sums(payments: pl.DataFrame) -> pl.DataFrame:
    """Accepted money by servicer, day and whether it is a property's sale."""
    return (
        payments.filter(pl.col("disposition") != "exception")
        .select(
            "servicer_id", value_date="received_date", sale=pl.col("kind") == "liquidation", paid_cents="amount_cents"
        )
        .group_by("servicer_id", "value_date", "sale")
        .sum()
        .sort("servicer_id", "value_date", "sale")
    )


_EVENTS: tuple[tuple[str, str, tuple[str, ...], dict[str, tuple[str, ...]]], ...] = (
    (
        "PaymentsApplied",
        "end",
        ("PaymentsApplied", "HeldTakenBack", "PaymentsRefunded", "ServicingKept", "PortfolioRemitted"),
        {"interest_cents": ("interest_applied",), "principal_cents": ("principal",), "refunded_cents": ("refunded",)},
    ),
    ("Reported", "report", (), {}),
    (
        "FeesDrafted",
        "fee",
        ("FeesDrafted", "FeesRelieved"),
        {"guaranty_fee_cents": ("fee_paid",), "relieved_cents": ("guaranty_relief",)},
    ),
    (
        "Remitted",
        "draft",
        ("Advanced", "ShortfallMade", "Remitted", "GuarantorAdvanced"),
        {"remitted_cents": ("remitted",), "advanced_cents": ("advanced",), "shortfall_cents": ("shortfall",)},
    ),
    (
        "AdvancesRecovered",
        "end",
        ("AdvancesRecovered",),
        {"recovered_cents": ("recovered",), "guarantor_recovered_cents": ("guarantor_recovered",)},
    ),
    ("BoughtOut", "end", ("BoughtOut",), {"buyout_cents": ("buyout",)}),
    (
        "Liquidated",
        "end",
        ("Liquidated", "TrustLoss", "DebtDischarged"),
        {"loss_cents": ("owner_loss", "trust_loss"), "discharged_cents": ("discharged",)},
    ),
)
"""Events made of the month's sums, in date order: kind, day, posting templates, and what the body adds up."""

_BY_GUARANTOR = ("FeesDrafted", "FeesRelieved", "GuarantorAdvanced")


def month_events(
    month: int, receipts: pl.DataFrame, sums: pl.DataFrame, claims: pl.DataFrame, rulebook: Rulebook
) -> list[Event]:
    """The month's events: PaymentsReceived, those of `_EVENTS`, ClaimsPaid.

    receipts: `receipt_sums`; sums: `add_up`; claims: `claim_rows`, each over all parts.
    """
    end, first, name = last_day(month), first_day(month), month_name(month)
    drafted = _with_draft_dates(sums, first, rulebook)
    fee_day = first.replace(day=int(rulebook.get("servicing.guaranty_fee_draft_day", first)))
    days = {
        "end": end,
        "report": business_day(month, 2),
        "fee": on_or_before(fee_day),
        "draft": max(drafted["value_date"].to_list(), default=end),
    }
    events = [_received(receipts, end, name)]
    for kind, when, templates, totals in _EVENTS:
        rows, day = (drafted, None) if when == "draft" else (sums, days[when])
        guaranteed = rows.filter(pl.col("guarantor_id") > 0)
        postings = tuple(Posting(t, guaranteed if t in _BY_GUARANTOR else rows, day) for t in templates)
        body = {key: sum(int(sums[f"{c}_cents"].sum()) for c in columns) for key, columns in totals.items()}
        events.append(Event(kind, days[when], {"month": name, **body}, postings))
    paid = {"month": name, "claims_cents": int(claims["claim_cents"].sum())}
    return [*events, Event("ClaimsPaid", end, paid, (Posting("ClaimsPaid", claims, end),))]


def _received(receipts: pl.DataFrame, end: date, name: str) -> Event:
    postings = (
        Posting("BorrowersEarn", receipts.filter(~pl.col("sale"))),
        Posting("PropertySold", receipts.filter(pl.col("sale"))),
        Posting("PaymentsReceived", receipts),
    )
    return Event("PaymentsReceived", end, {"month": name, "paid_cents": int(receipts["paid_cents"].sum())}, postings)


def _with_draft_dates(sums: pl.DataFrame, first: date, rulebook: Rulebook) -> pl.DataFrame:
    days = [
        on_or_before(first.replace(day=int(rulebook.get("servicing.draft_day", first, program=p))))
        for p in BOOK_PROGRAMS
    ]
    dates = pl.DataFrame(
        {"program": list(range(len(BOOK_PROGRAMS))), "value_date": days},
        schema={"program": pl.Int8, "value_date": pl.Date},
    )
    return sums.join(dates, on="program", how="left", maintain_order="left")
