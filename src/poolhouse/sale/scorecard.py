"""A lender's scorecard: what is counted of its loans, and the states it goes through.

Counts stand beside what like loans of other lenders would give; a state only gets worse when there are
enough defaults, their ratio is above its limit, and so many or more had too small a chance to be luck.
Which state follows which, by which test or by people's decision, is one table: `scorecard.transitions`.
Sources: FHA Neighborhood Watch (investor.md 6.6): 90 days late within two years, compare ratio.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import polars as pl

from poolhouse.dates import first_day, last_day, month_name
from poolhouse.findings import Refused
from poolhouse.rules import Rulebook
from poolhouse.sale.watching import Record, expectations, judged
from poolhouse.tables import LENDER_STATES, Event, Outcome

STATES = ("approved", "watch", "overlay", "suspended", "terminated", "reinstated")
"""The states, from good to bad; `reinstated` stands as `approved` does, on loans sold since."""
STOPPED = ("suspended", "terminated")
"""States in which the aggregators buy nothing new."""


def current_states(states: pl.DataFrame) -> pl.DataFrame:
    """The latest row of LENDER_STATES of each lender, by lender. Lenders without one are approved."""
    return (
        states.sort("decided_date", "lender_id").unique("lender_id", keep="last", maintain_order=True).sort("lender_id")
    )


def measured(loans: pl.DataFrame, name: str, month: int, rulebook: Rulebook) -> pl.DataFrame:
    """`loans` that a measure of `scorecard.measures` looks at, with `bad`: does the loan count as a default?

    loans: loan_id, lender_id, kind, score_mid, ltv_e4, age (instalments due so far, 0 none) and age_1, age_2,
    age_3: the age at which it was first so many instalments behind, null never.
    """
    rule = rulebook.get("scorecard.measures", first_day(month))[name]
    bad = (pl.col(f"age_{rule['missed']}") <= rule["within"]).fill_null(False)
    return loans.filter(pl.col("age").is_between(1, rule["oldest"])).with_columns(bad.alias("bad"))


def windows(loans: pl.DataFrame, month: int, rulebook: Rulebook) -> pl.DataFrame:
    """By lender: missed, within, loans that old, bad (ever so far behind within so many instalments), expected_e6."""
    rule = rulebook.get("scorecard.windows", first_day(month))
    parts = []
    for within in rule["within"]:
        old = loans.filter(pl.col("age") >= within)
        for missed in rule["missed"]:
            counted = old.with_columns(bad=(pl.col(f"age_{missed}") <= within).fill_null(False))
            found = expectations(counted, month, rulebook)
            parts.append(found.with_columns(missed=pl.lit(missed, pl.Int16), within=pl.lit(within, pl.Int16)))
    return pl.concat(parts).sort("lender_id", "within", "missed")


def rate_lenders(loans: pl.DataFrame, states: pl.DataFrame, month: int, rulebook: Rulebook) -> Outcome:
    """The tests of a month's end: event "LenderStateChanged" and a LENDER_STATES row per lender that gets worse.

    loans: as in `measured`, plus sold_month i32. states: LENDER_STATES rows so far. Of a lender that was
    reinstated only the loans sold since are watched. `answer`: lenders tested and how many changed.
    """
    now = current_states(states)
    loans = _since_reinstated(loans, states)
    found: dict[int, dict[str, Any]] = {}
    tested: set[int] = set()
    for rule in _by(rulebook, month, "test"):
        records = _suspects(loans, rule, month, rulebook)
        for record in records:
            tested.add(record.lender_id)
            before = _state_of(now, record.lender_id)
            if before["state"] not in rule["from"] or month - before["month"] < rule["months"]:
                continue
            if not _fails(record, rule, month, rulebook):
                continue
            worst = found.get(record.lender_id)
            if worst is None or STATES.index(rule["to"]) > STATES.index(worst["state"]):
                found[record.lender_id] = _row(record, rule, before["state"], month)
    rows = [found[lender] for lender in sorted(found)]
    frame = pl.DataFrame(rows, schema=LENDER_STATES.schema) if rows else LENDER_STATES.empty()
    return Outcome(
        events=[_event(row) for row in rows],
        records={"lender_states": LENDER_STATES.conform(frame)},
        answer={"tested": len(tested), "changed": len(rows)},
    )


def decide(
    lender: dict[str, Any], state: str, reason: str, states: pl.DataFrame, outstanding: int, today: date, month: int,
    rulebook: Rulebook,
) -> Outcome:  # fmt: skip
    """People's decision about a lender: an event, and a row effective today.

    lender: party_id, name. outstanding: its repurchase demands not paid yet. Refused: a state that is none, no
    reason, a change that `scorecard.transitions` doesn't allow, or a reinstatement before its conditions are met.
    """
    if state not in STATES:
        raise Refused(f"rate-lender: {state!r} is no state; choose one of {', '.join(STATES)}")
    if not reason.strip():
        raise Refused("rate-lender: --reason is empty: say why, it is kept with the decision")
    before = _state_of(current_states(states), lender["party_id"])
    allowed = sorted({r["to"] for r in _by(rulebook, month, "people") if before["state"] in r["from"]})
    if state not in allowed:
        raise Refused(
            f"rate-lender: {lender['name']} is {before['state']}; from there people may decide "
            f"{', '.join(allowed) or 'nothing'}"
        )
    if before["decided_date"] is not None and before["decided_date"] >= today:
        raise Refused(
            f"rate-lender: {lender['name']} was made {before['state']} on {before['decided_date']}: one decision a day"
        )
    if state == "reinstated":
        _may_return(lender["name"], before, outstanding, month, rulebook)
    nothing = {"measure": "", "defaults": 0, "loans": 0, "expected_defaults_e6": 0, "ratio_e4": 0, "p_value_e9": 0}
    row = {
        "decided_date": today, "lender_id": lender["party_id"], "month": month, "state": state,
        "previous": before["state"], "effective_date": today, "decided_by": "people", **nothing,
        "reason": reason.strip(),
    }  # fmt: skip
    frame = LENDER_STATES.conform(pl.DataFrame([row], schema=LENDER_STATES.schema))
    answer = {"lender": lender["name"], "state": state, "previous": before["state"], "effective": today.isoformat()}
    return Outcome([_event(row)], records={"lender_states": frame}, answer=answer)


def outside_overlay(loans: pl.DataFrame, lenders: Iterable[int], as_of: date, rulebook: Rulebook) -> pl.Series:
    """loan_ids of these lenders' loans that their overlay keeps out. loans: loan_id, seller_id, score_mid, ltv_e4."""
    rule = rulebook.get("scorecard.overlay", as_of)
    passes = (pl.col("score_mid") >= rule["score"]) & (pl.col("ltv_e4") <= rule["ltv_e4"])
    theirs = pl.col("seller_id").is_in(pl.Series(sorted(lenders), dtype=pl.Int32).implode())
    return loans.filter(theirs & ~passes.fill_null(False))["loan_id"]


def _by(rulebook: Rulebook, month: int, who: str) -> list[dict[str, Any]]:
    return [rule for rule in rulebook.get("scorecard.transitions", first_day(month)) if rule["by"] == who]


def _since_reinstated(loans: pl.DataFrame, states: pl.DataFrame) -> pl.DataFrame:
    back = states.filter(pl.col("state") == "reinstated").group_by("lender_id").agg(back=pl.col("month").max())
    kept = loans.join(back, on="lender_id", how="left", maintain_order="left")
    return kept.filter(pl.col("back").is_null() | (pl.col("sold_month") >= pl.col("back"))).drop("back")


def _state_of(now: pl.DataFrame, lender_id: int) -> dict[str, Any]:
    state = now.filter(pl.col("lender_id") == lender_id)
    if not state.height:
        return {"state": "approved", "month": 0, "decided_date": None}
    return dict(state.select("state", "month", "decided_date").row(0, named=True))


def _suspects(loans: pl.DataFrame, rule: dict[str, Any], month: int, rulebook: Rulebook) -> list[Record]:
    """The lenders with defaults enough, and more than expected: the rest need no exact test."""
    watched = measured(loans, rule["measure"], month, rulebook)
    return judged(watched, month, rulebook, at_least_bad=rule["defaults"])


def _fails(record: Record, rule: dict[str, Any], month: int, rulebook: Rulebook) -> bool:
    limit = int(rulebook.get("scorecard.compare_ratio_e4", first_day(month))[rule["ratio"]])
    enough = record.bad >= int(rule["defaults"]) and record.ratio_e4 > limit
    return enough and record.p_value_e9 < int(rule["p_value_e9"])


def _may_return(name: str, before: dict[str, Any], outstanding: int, month: int, rulebook: Rulebook) -> None:
    months = rulebook.get("scorecard.terminated_months", first_day(month))
    since = month - before["month"]
    if before["state"] == "terminated" and since < months:
        raise Refused(f"rate-lender: {name} was terminated {since} months ago; it may be taken back after {months}")
    if outstanding:
        raise Refused(f"rate-lender: {name} has {outstanding} repurchase demands not paid: settle them first")


def _row(record: Record, rule: dict[str, Any], previous: str, month: int) -> dict[str, Any]:
    measure = {
        "serious_default": "seriously delinquent or lost",
        "early_default": "60 days late in their first payments",
    }
    reason = (
        f"{record.bad} of {record.loans} loans {measure.get(rule['measure'], rule['measure'])}; like loans of other "
        f"lenders would give {record.expected_e6 // 10_000 / 100:.2f}, a compare ratio of {record.ratio_e4 / 100:.0f}%"
        f"; so many or more have a chance of {record.p_value_e9 / 1e7:.4f}%"
    )
    return {
        "decided_date": last_day(month), "lender_id": record.lender_id, "month": month, "state": rule["to"],
        "previous": previous, "effective_date": first_day(month + 1), "decided_by": "test", "measure": rule["measure"],
        "defaults": record.bad, "loans": record.loans, "expected_defaults_e6": record.expected_e6,
        "ratio_e4": record.ratio_e4, "p_value_e9": record.p_value_e9, "reason": reason,
    }  # fmt: skip


def _event(row: dict[str, Any]) -> Event:
    dates = {name: row[name].isoformat() for name in ("decided_date", "effective_date")}
    return Event("LenderStateChanged", row["decided_date"], {**row, **dates, "month": month_name(row["month"])})
