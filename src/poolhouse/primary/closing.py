"""A loan closes in the books: who pays whom on the note date, and who owns and services the loan after.

Principal and interest only: escrow and mortgage-insurance premiums are not modelled yet.
The loans of a tape have closed, so a breached limit is a finding, never a refusal.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from poolhouse.dates import first_day, month_name
from poolhouse.findings import Finding
from poolhouse.money import dollars
from poolhouse.rules import Rulebook, system_parties
from poolhouse.rules.funding import funding_lines, line_advance
from poolhouse.tables import ASSIGNMENTS, Event, Outcome, Posting

_INSURER = {"conventional": "mi", "fha": "fha", "va": "va", "usda": "usda"}


def close(loans: pl.DataFrame, lenders: pl.DataFrame, month: int, market_date: date, rulebook: Rulebook) -> Outcome:
    """Close the loans of a month: event "LoansClosed", table "assignments", findings on breached limits.

    loans: LOANS columns plus deemed_interest_cents and deemed_principal_cents (i64; instalments and
    curtailments deemed paid between closing and the book's opening, 0 for most).
    lenders: party_id i32, type str, and name str if known. Cash moves on each note date, deemed
    payments on market_date. After it a lender's loans_held, its servicing_memo and the borrowers'
    mortgage_payable are the notes less deemed principal, line_payable the advances, and the
    borrowers' cash is what it was before. ValueError: an originator that is not among the lenders.
    """
    frame = _amounts(_with_lines(loans, lenders, rulebook))
    body = {
        "month": month_name(month),
        "loans": frame.height,
        "note_amount_cents": _total(frame, "note_amount_cents"),
        "line_drawn_cents": _total(frame, "line_principal_cents"),
        "cash_brought_cents": _total(frame, "brought_cents"),
        "deemed_principal_cents": _total(frame, "deemed_principal_cents"),
        "value_unknown": int(frame["value_cents"].null_count()),
    }
    event = Event("LoansClosed", market_date, body, _postings(frame, market_date))
    return Outcome(
        events=[event],
        tables={"assignments": _assignments(frame)},
        findings=_breaches(frame, lenders, month, rulebook),
        answer=dict(body),
    )


def advances(loans: pl.DataFrame, lenders: pl.DataFrame, rulebook: Rulebook) -> pl.DataFrame:
    """loan_id and line_principal_cents: what each loan's line advanced at closing, in loan order."""
    return _with_lines(loans, lenders, rulebook).select("loan_id", "line_principal_cents")


def _with_lines(loans: pl.DataFrame, lenders: pl.DataFrame, rulebook: Rulebook) -> pl.DataFrame:
    types = lenders.select(pl.col("party_id").cast(pl.Int32).alias("originator_party_id"), "type")
    frame = loans.join(types, on="originator_party_id", how="left", maintain_order="left").with_columns(
        (pl.col("note_date").dt.year() * 12 + pl.col("note_date").dt.month() - 1).cast(pl.Int32).alias("note_month")
    )
    if frame["type"].null_count():
        missing = frame.filter(pl.col("type").is_null())["originator_party_id"].unique().sort().to_list()
        raise ValueError(f"originators {missing[:5]} are not among the lenders")
    lines = funding_lines(frame, rulebook)
    frame = frame.join(lines, on=["type", "note_month"], how="left", maintain_order="left")
    return frame.with_columns(line_advance(frame["note_amount_cents"], frame["advance_rate_e7"]))


def _amounts(frame: pl.DataFrame) -> pl.DataFrame:
    """Each loan's cash at closing, every amount >= 0; what comes in equals what goes out.

    Without a known value the home stands in the books at what the loan pays for it.
    """
    proceeds = pl.col("note_amount_cents") - pl.col("financed_fee_cents")
    purchase = pl.col("purpose") == "purchase"
    odd = pl.col("odd_days_interest_cents")
    frame = frame.with_columns(
        pl.coalesce("value_cents", proceeds).alias("home_cents"),
        pl.when(purchase).then(0).otherwise(proceeds).alias("payoff_cents"),
        pl.max_horizontal(odd, pl.lit(0, pl.Int64)).alias("odd_days_paid_cents"),
        pl.max_horizontal(-odd, pl.lit(0, pl.Int64)).alias("odd_days_credit_cents"),
        (pl.col("deemed_interest_cents") + pl.col("deemed_principal_cents")).alias("deemed_cents"),
        pl.col("kind").replace_strict(_insurers(), default=None, return_dtype=pl.Int32).alias("insurer_id"),
        pl.col("note_date").alias("value_date"),
    )
    needed = pl.when(purchase).then("home_cents").otherwise("payoff_cents") + pl.sum_horizontal(
        "points_cents", "closing_costs_cents", odd
    )
    return frame.with_columns(
        pl.max_horizontal(needed - proceeds, pl.lit(0, pl.Int64)).alias("brought_cents"),
        pl.max_horizontal(proceeds - needed, pl.lit(0, pl.Int64)).alias("kept_cents"),
        pl.min_horizontal(proceeds, "home_cents").alias("loan_to_home_cents"),
        pl.max_horizontal(pl.col("home_cents") - proceeds, pl.lit(0, pl.Int64)).alias("down_payment_cents"),
    )


def _insurers() -> dict[str, int]:
    return {kind: system_parties()[code]["party_id"] for kind, code in _INSURER.items()}


def _postings(frame: pl.DataFrame, market_date: date) -> tuple[Posting, ...]:
    # LOANS counts its borrowers in a column that bears the name of their party: out of the engine's way.
    frame = frame.drop("borrowers")
    purchase = frame["purpose"] == "purchase"
    return (
        Posting("LoanFunded", frame),
        Posting("HomeBought", frame.filter(purchase)),
        Posting("LoanRefinanced", frame.filter(~purchase)),
        Posting("FeeFinanced", frame.filter(pl.col("financed_fee_cents") > 0)),
        Posting("PointsAndCostsPaid", frame),
        Posting("OddDaysInterestPaid", frame),
        Posting("OddDaysInterestCredited", frame),
        Posting("BorrowerCashBrought", frame),
        Posting("BorrowerCashKept", frame),
        Posting("LineDrawn", frame),
        Posting("DeemedPaid", frame.filter(pl.col("deemed_cents") > 0), market_date),
    )


def _assignments(frame: pl.DataFrame) -> pl.DataFrame:
    def rows(role: str, to: str, of: pl.DataFrame) -> pl.DataFrame:
        return of.select(
            "loan_id",
            pl.lit(role).alias("role"),
            pl.lit(0, pl.Int32).alias("from_id"),
            pl.col(to).alias("to_id"),
            pl.col("note_date").alias("effective_date"),
            pl.lit(0, pl.Int64).alias("consideration_cents"),
            pl.lit(0, pl.Int64).alias("accrued_cents"),
            pl.lit("closing").alias("reason"),
        )

    pledged = frame.filter(pl.col("pledged") & (pl.col("line_principal_cents") > 0))
    parts = [
        rows("owner", "originator_party_id", frame),
        rows("servicer", "originator_party_id", frame),
        rows("pledge", "provider_id", pledged),
    ]
    return ASSIGNMENTS.conform(pl.concat(parts))


def _breaches(frame: pl.DataFrame, lenders: pl.DataFrame, month: int, rulebook: Rulebook) -> list[Finding]:
    """A month's draws above the line, or own funds needed above the lender's opening capital."""
    own = (pl.col("note_amount_cents") - pl.col("line_principal_cents")).sum()
    totals = frame.group_by("originator_party_id", "type").agg(
        pl.col("line_principal_cents").sum().alias("drawn"), own.alias("own"), pl.col("limit_cents").max(), pl.len()
    )
    types = totals["type"].unique().sort().to_list()
    capital = {t: rulebook.get("primary.capital_cents", first_day(month), type=t) for t in types}
    totals = totals.with_columns(
        pl.col("type").replace_strict(capital, default=None, return_dtype=pl.Int64).alias("capital")
    ).sort("originator_party_id")
    names = _names(lenders)
    found = []
    for rule, used, limit, what in (
        ("primary.line_limit_cents", "drawn", "limit_cents", "draws {used} of its funding line, above its limit"),
        ("primary.capital_cents", "own", "capital", "needs {used} of own cash, above its opening capital"),
    ):
        over = totals.filter(pl.col(used) > pl.col(limit))
        for party, amount, most, loans in over.select("originator_party_id", used, limit, "len").rows():
            found.append(
                Finding(
                    step="primary",
                    rule=rule,
                    message=f"{names.get(party, f'lender {party}')} {what.format(used=dollars(amount))} of "
                    f"{dollars(most)} in {month_name(month)}; the loans had closed, so they stay",
                    field=used,
                    value=str(amount),
                    count=loans,
                )
            )
    return found


def _names(lenders: pl.DataFrame) -> dict[int, str]:
    if "name" not in lenders.columns:
        return {}
    return dict(zip(lenders["party_id"].to_list(), lenders["name"].to_list(), strict=True))


def _total(frame: pl.DataFrame, column: str) -> int:
    return int(frame[column].sum())
