"""From loan_months rows to events: sums by who pays whom, then one posting per kind of cash.

The sums are integers per (servicer, recipient, owner, guarantor, insurer), so they add up over
parts in any order.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from poolhouse.dates import business_day, first_day, last_day, month_name, on_or_before
from poolhouse.rules import Rulebook, system_parties
from poolhouse.tables import POOL_MONTHS, Event, Posting
from poolhouse.tables.codes import PROGRAMS

_INSURERS = {"conventional": "mi", "fha": "fha", "va": "va", "usda": "usda"}
_KEYS = ["servicer_id", "recipient_id", "owner_id", "guarantor_id", "program"]
_AMOUNTS = (
    "refunded", "interest_applied", "principal", "discharged", "fee_paid", "guaranty_relief", "advanced",
    "guarantor_advanced", "shortfall", "remitted", "trust_principal", "trust_interest", "owner_principal",
    "owner_interest", "recovered", "guarantor_recovered", "servicer_kept", "buyout", "buyout_principal",
    "buyout_interest", "owner_loss", "trust_loss",
)  # fmt: skip


def _cents(name: str) -> pl.Expr:
    return pl.col(f"{name}_cents")


def month_sums(rows: pl.DataFrame) -> pl.DataFrame:
    """Sums of one part's loan_months rows by the parties between whom money moves."""
    pooled = pl.col("payee_pool_id") > 0
    guarantor = [system_parties()[p]["party_id"] if p in ("fnma", "fhlmc", "gnma") else 0 for p in PROGRAMS]
    program = pl.col("program").cast(pl.Int32)
    derived = {
        "principal": _cents("principal_applied") + _cents("curtailment"),
        "discharged": _cents("opening_actual")
        - _cents("closing_actual")
        - _cents("principal_applied")
        - _cents("curtailment"),
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
            & (pl.col("program") == PROGRAMS.index("private"))
        )
        .then(0)
        .otherwise(_cents("loss")),
    }
    derived["trust_loss"] = _cents("loss") - derived["owner_loss"]
    amounts = [(derived.get(name, _cents(name))).alias(f"{name}_cents") for name in _AMOUNTS]
    keys = [
        pl.col("servicer_id"),
        pl.when(pooled).then(pl.col("owner_id")).otherwise(pl.col("payee_id")).alias("recipient_id"),
        pl.col("owner_id"),
        program.replace_strict(list(range(len(PROGRAMS))), guarantor, return_dtype=pl.Int32).alias("guarantor_id"),
        pl.col("program"),
    ]
    return rows.select(keys + amounts).group_by(_KEYS).sum().sort(_KEYS)


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
    paid = rows.filter(pool > 0).select(
        "month",
        pool.alias("pool_id"),
        "servicer_id",
        pl.when(inside).then(_cents("opening_scheduled")).otherwise(0).alias("opening_scheduled_cents"),
        *[
            pl.when(inside).then(_cents(c)).otherwise(0).alias(f"{c}_cents")
            for c in ("scheduled_principal", "unscheduled_principal", "investor_interest", "guaranty_fee")
        ],
        pl.when(inside & (pl.col("program") == PROGRAMS.index("private")))
        .then(_cents("loss"))
        .otherwise(0)
        .alias("loss_cents"),
        pl.when(inside)
        .then(_cents("scheduled_principal") + _cents("unscheduled_principal") + _cents("investor_interest"))
        .otherwise(0)
        .alias("received_cents"),
        pl.when(pl.col("pool_id") > 0).then(_cents("closing_scheduled")).otherwise(0).alias("closing_scheduled_cents"),
        ((pl.col("pool_id") > 0) & (_cents("closing_scheduled") > 0)).cast(pl.Int32).alias("loans"),
    )
    return add_pools([paid])


def add_pools(parts: list[pl.DataFrame]) -> pl.DataFrame:
    """POOL_MONTHS rows summed over parts."""
    keys = ["month", "pool_id", "servicer_id"]
    total = pl.concat(parts).group_by(keys).sum().with_columns(pl.col("loans").cast(pl.Int32))
    return POOL_MONTHS.conform(total)


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


def month_events(
    month: int, receipts: pl.DataFrame, sums: pl.DataFrame, claims: pl.DataFrame, rulebook: Rulebook
) -> list[Event]:
    """The month's events before and after the holders are paid, in date order."""
    end, first = last_day(month), first_day(month)
    fee_day = on_or_before(first.replace(day=int(rulebook.get("servicing.guaranty_fee_draft_day", first))))
    drafted = _with_draft_dates(sums, first, rulebook)
    draft_day = max(drafted["value_date"].to_list(), default=end)
    name = month_name(month)

    def event(kind: str, day: date, postings: list[Posting], **body: Any) -> Event:
        return Event(kind, day, {"month": name, **body}, tuple(postings))

    def total(column: str) -> int:
        return int(sums[f"{column}_cents"].sum())

    liquidated = total("owner_loss") + total("trust_loss") + total("discharged")
    return [
        event(
            "PaymentsReceived",
            end,
            [
                Posting("BorrowersEarn", receipts.filter(~pl.col("sale"))),
                Posting("PropertySold", receipts.filter(pl.col("sale"))),
                Posting("PaymentsReceived", receipts),
            ],
            paid_cents=int(receipts["paid_cents"].sum()),
        ),
        event(
            "PaymentsApplied",
            end,
            [
                Posting("PaymentsApplied", sums, end),
                Posting("PaymentsRefunded", sums, end),
                Posting("ServicingKept", sums, end),
                Posting("PortfolioRemitted", sums, end),
            ],
            interest_cents=total("interest_applied"),
            principal_cents=total("principal"),
            refunded_cents=total("refunded"),
        ),
        event("Reported", business_day(month, 2), []),
        event(
            "FeesDrafted",
            fee_day,
            [
                Posting("FeesDrafted", sums.filter(pl.col("guarantor_id") > 0), fee_day),
                Posting("FeesRelieved", sums.filter(pl.col("guarantor_id") > 0), fee_day),
            ],
            guaranty_fee_cents=total("fee_paid"),
            relieved_cents=total("guaranty_relief"),
        ),
        event(
            "Remitted",
            draft_day,
            [
                Posting("Advanced", drafted),
                Posting("ShortfallMade", drafted),
                Posting("Remitted", drafted),
                Posting("GuarantorAdvanced", drafted.filter(pl.col("guarantor_id") > 0)),
            ],
            remitted_cents=total("remitted"),
            advanced_cents=total("advanced"),
            shortfall_cents=total("shortfall"),
        ),
        event(
            "AdvancesRecovered",
            end,
            [
                Posting("AdvancesRecovered", sums, end),
            ],
            recovered_cents=total("recovered"),
            guarantor_recovered_cents=total("guarantor_recovered"),
        ),
        event("BoughtOut", end, [Posting("BoughtOut", sums, end)], buyout_cents=total("buyout")),
        event(
            "Liquidated",
            end,
            [
                Posting("Liquidated", sums, end),
                Posting("TrustLoss", sums, end),
                Posting("DebtDischarged", sums, end),
            ],
            loss_cents=total("owner_loss") + total("trust_loss"),
            discharged_cents=liquidated - total("owner_loss") - total("trust_loss"),
        ),
        event("ClaimsPaid", end, [Posting("ClaimsPaid", claims, end)], claims_cents=int(claims["claim_cents"].sum())),
    ]


def _with_draft_dates(sums: pl.DataFrame, first: date, rulebook: Rulebook) -> pl.DataFrame:
    days = [
        on_or_before(first.replace(day=int(rulebook.get("servicing.draft_day", first, program=p)))) for p in PROGRAMS
    ]
    dates = pl.DataFrame(
        {"program": list(range(len(PROGRAMS))), "value_date": days}, schema={"program": pl.Int8, "value_date": pl.Date}
    )
    return sums.join(dates, on="program", how="left", maintain_order="left")
