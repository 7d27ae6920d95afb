"""Loans nobody bought stay in the lender's portfolio, on its own money: the funding line is paid off.

Without this a refused loan would sit on a warehouse line, and in its pledge, for ever.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from poolhouse.rules import Rulebook
from poolhouse.sale.selling import pledge_ends, with_line_interest
from poolhouse.tables import ASSIGNMENTS, Event, Outcome, Posting


def retain(loans: pl.DataFrame, lenders: pl.DataFrame, market_date: date, rulebook: Rulebook) -> Outcome:
    """Pay off the lines of retained loans from the lenders' own cash: event "LinesRepaid".

    loans: loan_id i32, seller_id i32, note_date, line_principal_cents i64 (rows with 0 are passed
    over). lenders: party_id i32, type str. Table assignments: the pledges' ends. No event when no line is drawn.
    """
    drawn = loans.filter(pl.col("line_principal_cents") > 0).sort("loan_id")
    frame = with_line_interest(drawn.with_columns(pl.lit(market_date).alias("value_date")), lenders, rulebook)
    body = {
        "loans": frame.height,
        "line_principal_cents": int(frame["line_principal_cents"].sum()),
        "line_interest_cents": int(frame["line_interest_cents"].sum()),
    }
    events = [Event("LinesRepaid", market_date, body, (Posting("LineRepaid", frame),))] if frame.height else []
    return Outcome(
        events=events,
        tables={"assignments": ASSIGNMENTS.conform(pledge_ends(frame, "payoff"))},
        answer=dict(body),
    )
