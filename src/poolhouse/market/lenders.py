"""lenders: who made the loans, how fast they sold them, how the loans do against their peers', what came of it."""

from __future__ import annotations

from typing import Any

import polars as pl

from poolhouse import sale
from poolhouse.dates import first_day, month_name
from poolhouse.findings import Refused
from poolhouse.market.commitments import commitments
from poolhouse.market.desk import Desk, commit
from poolhouse.market.repurchase import by_lender, register
from poolhouse.market.watch import SERIOUS, watched

STOPPED = "lender stopped"
_DAYS_A_YEAR = 365
_ID = "party_id"


def lenders(desk: Desk) -> dict[str, Any]:
    """A row for each lender whose loans have closed, most serious defaults first, then by loans.

    Keys: lenders (see `_row`), watched (lenders whose loans aggregators bought), stopped (suspended or terminated),
    sales_refused (offers turned down for that). Amounts in cents, shares and ratios in e4 (a percent is 100).
    """
    closed = desk.book.scan("loans").select(
        "loan_id", "note_date", "note_amount_cents", pl.col("originator_party_id").alias(_ID)
    ).collect()  # fmt: skip
    if not closed.height:
        return {"lenders": [], "watched": 0, "stopped": 0, "sales_refused": 0, "repurchases_outstanding": 0}
    refusals = _refusals(desk)
    frame = _loans(desk, closed)
    for more in (*_scores(desk), _approvals(desk), _lines(desk), _states(desk), by_lender(desk)):
        frame = frame.join(more, on=_ID, how="left")
    frame = frame.join(desk.lenders(), on=_ID).sort(
        ["serious_defaults", "loans", "code"], descending=[True, True, False], nulls_last=True
    )
    why = _refused_by_reason(refusals, closed)
    rows = [_row(lender, why.get(lender[_ID], {})) for lender in frame.head(frame.height).iter_rows(named=True)]
    return {
        "lenders": rows,
        "watched": sum(1 for row in rows if row["sold"]),
        "stopped": sum(1 for row in rows if row["state"] in sale.STOPPED),
        "sales_refused": int(refusals["reason"].str.starts_with(STOPPED).sum()),
        "repurchases_outstanding": sum(row["repurchases_outstanding"] for row in rows),
    }


def _row(lender: dict[str, Any], refused: dict[str, int]) -> dict[str, Any]:
    """One lender, ready for JSON."""
    loans, sold, serious = lender["loans"], lender["sold"], lender["serious_defaults"] or 0
    expected, limit, peak = lender["expected_defaults_e6"], lender["line_limit_cents"], lender["line_peak_cents"] or 0
    return {
        "lender": lender["name"],
        "code": lender["code"],
        "type": lender["type"],
        "lender_state": lender["state"],
        "loans": loans,
        "note_amount_cents": lender["note_amount_cents"],
        "sold": sold,
        "share_sold_e4": 10_000 * sold // loans,
        "retained": loans - sold,
        "refused": refused,
        "days_to_sale_median": lender["days_to_sale_median"],
        "turns_per_year": lender["turns_per_year"],
        "line_peak_cents": peak,
        "line_limit_cents": limit,
        "line_peak_share_e4": 10_000 * peak // limit if limit else None,
        "serious_defaults": serious,
        "serious_rate_e4": 10_000 * serious // sold if sold else None,
        "expected_defaults_e6": expected,
        "early_defaults": lender["early_defaults"] or 0,
        "measured_loans": lender["measured_loans"] or 0,
        "measured_defaults": lender["measured_defaults"] or 0,
        "compare_ratio_e4": lender["ratio_e4"],
        "p_value_e9": lender["p_value_e9"],
        "demands": lender["demands"] or 0,
        "defect_rate_e4": 10_000 * (lender["demands"] or 0) // sold if sold else None,
        "repurchases_outstanding": lender["repurchases_outstanding"] or 0,
        "outstanding_cents": lender["outstanding_cents"] or 0,
        "approvals": [name for name in ("fnma", "fhlmc", "gnma", "private") if lender[name]],
        "state": lender["watch_state"] or "approved",
        "since": month_name(lender["since"]) if lender["since"] is not None else None,
        "why": lender["why"] or "",
    }


def _loans(desk: Desk, closed: pl.DataFrame) -> pl.DataFrame:
    """Loans closed and sold per lender, days to sale, and turns of capital a year."""
    sales = desk.book.scan("sales").select("loan_id", "settlement_date").collect()
    days = (pl.col("settlement_date") - pl.col("note_date")).dt.total_days()
    both = closed.join(sales, on="loan_id", how="left").with_columns(days.alias("days"))
    sold = pl.col("days").is_not_null()
    # Cents times days over all of a lender's loans stays below 2^63: $160 bn x 365 days is 5.8e15.
    turns = _DAYS_A_YEAR * pl.col("note_amount_cents").filter(sold).sum() / (
        pl.col("note_amount_cents") * pl.col("days")
    ).sum()  # fmt: skip
    return both.group_by(_ID).agg(
        pl.len().alias("loans"), pl.col("note_amount_cents").sum(), sold.sum().alias("sold"),
        pl.col("days").median().alias("days_to_sale_median"), turns.round(2).alias("turns_per_year"),
    ).with_columns(  # nothing sold, or all on the day of the note: no turns to speak of
        pl.when(pl.col("turns_per_year").is_finite()).then("turns_per_year").alias("turns_per_year")
    ).sort(_ID)  # fmt: skip


def bought_loans(desk: Desk) -> pl.DataFrame:
    """The loans that aggregators bought, as the lender watch sees them at the last month closed."""
    return watched(desk, desk.book.segment("delinquencies"), desk.month - 1)


def _scores(desk: Desk) -> list[pl.DataFrame]:
    """Serious defaults ever, what peers' like loans give within the measure's time, ratio and chance, by party."""
    loans, month = bought_loans(desk), desk.month - 1
    serious = sale.measured(loans, "serious_default", month, desk.rulebook)
    early = sale.measured(loans, "early_default", month, desk.rulebook)
    records = sale.judged(serious, month, desk.rulebook)
    tests = pl.DataFrame(
        [(r.lender_id, r.ratio_e4, r.p_value_e9) for r in records],
        schema={_ID: pl.Int32, "ratio_e4": pl.Int64, "p_value_e9": pl.Int64}, orient="row",
    )  # fmt: skip
    found = sale.expectations(serious, month, desk.rulebook)
    counts = found.select(
        pl.col("lender_id").alias(_ID), measured_loans="loans", measured_defaults="bad",
        expected_defaults_e6="expected_e6",
    )  # fmt: skip
    ever = loans.group_by(pl.col("lender_id").alias(_ID)).agg(
        pl.col(f"age_{SERIOUS}").is_not_null().sum().cast(pl.Int64).alias("serious_defaults")
    )  # fmt: skip
    soon = early.group_by(pl.col("lender_id").alias(_ID)).agg(
        pl.col("bad").sum().cast(pl.Int64).alias("early_defaults")
    )
    return [ever.sort(_ID), counts, soon.sort(_ID), tests]


def lender_card(desk: Desk, name: str) -> dict[str, Any]:
    """One lender's scorecard in full: its row of `lenders`, each depth at each age against peers, and its history.

    name: code or name. Refused: no such lender. `windows`: missed instalments, within, loans, bad, expected_e6.
    """
    lender = the_lender(desk, name)
    party = int(lender["party_id"])
    row = next((r for r in lenders(desk)["lenders"] if r["code"] == lender["code"]), None)
    if row is None:
        raise Refused(f"lenders: {name!r} has closed no loan yet")
    found = sale.windows(bought_loans(desk), desk.month - 1, desk.rulebook)
    table = found.filter(pl.col("lender_id") == party).select("within", "missed", "loans", "bad", "expected_e6")
    states = desk.book.records("lender_states").filter(pl.col("lender_id") == party)
    return {
        "lender": row,
        "windows": [dict(zip(table.columns, r, strict=True)) for r in table.head(table.height).rows()],
        "repurchases": register(desk, party)["demands"],
        "commitments": commitments(desk, party)["commitments"],
        "history": [_told(r) for r in states.iter_rows(named=True)],
    }


def the_lender(desk: Desk, name: str) -> dict[str, Any]:
    """A lender's party by code or name. Refused: none or several."""
    wanted = name.strip().lower()
    fits = desk.lenders().filter(
        (pl.col("code").str.to_lowercase().is_in([wanted, f"originator:{wanted}"]))
        | (pl.col("name").str.to_lowercase() == wanted)
    )
    if fits.height != 1:
        which = f"{fits.height} lenders have that name: use a code" if fits.height else "there is no such lender"
        raise Refused(f"{name!r}: {which} (`poolhouse lenders --json` lists all)")
    return dict(fits.row(0, named=True))


def _told(row: dict[str, Any]) -> dict[str, Any]:
    keys = ("state", "previous", "decided_by", "measure", "defaults", "loans", "expected_defaults_e6", "ratio_e4",
            "p_value_e9", "reason")  # fmt: skip
    dates = {name: row[name].isoformat() for name in ("decided_date", "effective_date")}
    return {"month": month_name(row["month"]), **dates, **{key: row[key] for key in keys}}


def _approvals(desk: Desk) -> pl.DataFrame:
    known = desk.lenders().select(_ID, "code", "type")
    return sale.approvals(known, desk.rulebook).select(_ID, "fnma", "fhlmc", "gnma", "private")


def _lines(desk: Desk) -> pl.DataFrame:
    """The most each lender ever owed its funding line, from the ledger, and the line's limit (assumed)."""
    day = first_day(desk.month - 1)
    types = desk.lenders()["type"].unique().sort().to_list()
    limits = {t: desk.rulebook.get("primary.line_limit_cents", day, type=t) for t in types}
    owed = (
        desk.book.lines(account="line_payable")
        .group_by(_ID, "value_date").agg(pl.col("cents").sum()).sort(_ID, "value_date")
        .with_columns(owed=-pl.col("cents").cum_sum().over(_ID))
        .group_by(_ID).agg(pl.col("owed").max().alias("line_peak_cents"))
    )  # fmt: skip
    limit = pl.col("type").replace_strict(limits, return_dtype=pl.Int64).alias("line_limit_cents")
    return desk.lenders().select(_ID, limit).join(owed, on=_ID, how="left").sort(_ID)


def _states(desk: Desk) -> pl.DataFrame:
    """What was decided last about each lender, and since when it stands."""
    states = sale.current_states(desk.book.records("lender_states"))
    return states.select(
        pl.col("lender_id").alias(_ID), pl.col("state").alias("watch_state"), pl.col("month").alias("since"),
        pl.col("reason").alias("why"),
    )  # fmt: skip


def rate_lender(desk: Desk, name: str, state: str, reason: str) -> dict[str, Any]:
    """People decide about a lender: event LenderStateChanged, in effect from today. Refused: see `sale.decide`."""
    party = the_lender(desk, name)
    key = f"rate-lender:{party['party_id']}:{state}:{desk.today.isoformat()}"
    with desk.book.command("rate-lender", key, {"reason": reason.strip()}) as txn:
        if txn.replayed is not None:
            return txn.replayed
        states = desk.book.records("lender_states").drop("event_seq")
        outcome = sale.decide(
            party, state, reason, states, outstanding(desk, party["party_id"]), desk.today, desk.month, desk.rulebook
        )
        commit(txn, outcome, desk.month)
        txn.finish(outcome.answer, desk.today)
    return outcome.answer


def outstanding(desk: Desk, lender_id: int) -> int:
    """Repurchase demands on a lender that are not paid yet."""
    return int(by_lender(desk).filter(pl.col(_ID) == lender_id)["repurchases_outstanding"].sum())


def _refusals(desk: Desk) -> pl.DataFrame:
    return desk.book.scan("refusals").select("loan_id", "reason").collect()


def _refused_by_reason(refusals: pl.DataFrame, closed: pl.DataFrame) -> dict[int, dict[str, int]]:
    """Lender -> reason -> loans turned down for it (a loan offered again counts once per reason)."""
    counts = (
        refusals.unique().join(closed.select("loan_id", _ID), on="loan_id")
        .group_by(_ID, "reason").len().sort(_ID, "len", "reason", descending=[False, True, False])
    )  # fmt: skip
    found: dict[int, dict[str, int]] = {}
    for lender, reason, loans in counts.iter_rows():
        found.setdefault(lender, {})[reason] = loans
    return found
