"""Where each cent went: whatever a month's money came from and went to, the split sums to the payment."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kit_market as kit
from poolhouse.dates import month_name, parse_month
from poolhouse.findings import Refused
from poolhouse.market.market import Market
from poolhouse.market.trace import PAID, USES, flow

HELD = ("suspense_cents", "prepaid_cents", "pending_unscheduled_cents", "pending_interest_cents")
USED = (
    "refunded", "guarantor_recovered", "recovered", "guaranty_fee", "owner_interest", "owner_principal",
    "servicer_kept",
)  # fmt: skip
TRUST = ("investor_interest", "scheduled_principal", "unscheduled_principal")
OTHER = ("advanced", "guarantor_advanced", "buyout", "claim", "shortfall")
CENTS = st.integers(0, 10**9)


@pytest.fixture(scope="module")
def pairs(queried: Market) -> list[tuple[dict[str, Any], dict[str, Any] | None]]:
    """Each loan-month of the book with the one before it."""
    months = queried.book.segment("loan_months").sort("loan_id", "month")
    rows = list(months.head(months.height).iter_rows(named=True))
    before = [None, *rows[:-1]]
    return [(r, b if b and b["loan_id"] == r["loan_id"] else None) for r, b in zip(rows, before, strict=True)]


def test_every_split_of_a_real_run_sums_to_its_payment(pairs: list[Any]) -> None:
    assert len(pairs) > 4_000
    for row, before in pairs:
        moves = flow(row, before)
        assert sum(c for s, _, c in moves if s == PAID) == row["paid_cents"]
        assert all(c > 0 for _, _, c in moves)
        used = {use: sum(c for _, u, c in moves if u == use) for use in USES}
        assert used["refund"] == row["refunded_cents"]
        assert used["servicer_repaid"] == row["recovered_cents"]
        assert used["kept"] == row["servicer_kept_cents"]
        assert used["fee"] == row["guaranty_fee_cents"] - row["guaranty_relief_cents"]
        trust = row["payee_pool_id"] > 0
        assert used["trust_scheduled"] == (row["scheduled_principal_cents"] if trust else 0)
        assert used["owner_principal"] == row["owner_principal_cents"]


def test_money_held_last_month_reaches_last_months_payee_not_this_payments(pairs: list[Any]) -> None:
    """Two months with extra principal in a row: this month's is held, last month's goes to the pool."""
    twice = [
        (r, b) for r, b in pairs
        if b and r["payee_pool_id"] and r["pending_unscheduled_cents"] > 0 and b["pending_unscheduled_cents"] > 0
    ]  # fmt: skip
    assert twice
    for row, before in twice:
        moves = flow(row, before)
        assert ("held_principal", "trust_unscheduled", before["pending_unscheduled_cents"]) in moves
        assert (PAID, "trust_unscheduled") not in {(s, u) for s, u, _ in moves}


def test_a_late_instalment_repays_the_advance_that_went_to_the_pool(pairs: list[Any]) -> None:
    late = [(r, b) for r, b in pairs if r["recovered_cents"] and r["advanced_cents"] and r["payee_pool_id"]]
    assert late
    for row, before in late:
        kinds = {(s, u) for s, u, _ in flow(row, before)}
        assert ("advanced", "trust_scheduled") in kinds
        assert (PAID, "servicer_repaid") in kinds or row["buyout_cents"] > 0


@st.composite
def months(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """Any month whose cash adds up: held amounts may fall or rise, any of the other sources may be there."""
    pooled = draw(st.booleans())
    row: dict[str, Any] = {f"{name}_cents": draw(CENTS) for name in (*USED, *TRUST, *OTHER)}
    row |= {name: draw(CENTS) for name in HELD} | {"payee_pool_id": 7 if pooled else 0}
    row["guaranty_relief_cents"] = draw(st.integers(0, row["guaranty_fee_cents"]))
    before = {name: draw(CENTS) for name in HELD}
    row["servicer_kept_cents"] -= draw(st.integers(0, 10**6))  # rounding can cost the servicer a cent
    used = sum(row[f"{n}_cents"] for n in (*USED, *(TRUST if pooled else ()))) - row["guaranty_relief_cents"]
    paid = used + sum(row[n] - before[n] for n in HELD) - sum(row[f"{n}_cents"] for n in OTHER)
    if paid < 0:
        row["refunded_cents"] -= paid  # nothing came in: what was held and not needed is given back
        paid = 0
    return row | {"paid_cents": paid}, before


@given(months())
def test_whatever_the_month_the_split_sums_to_the_payment(pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
    row, before = pair
    moves = flow(row, before)
    assert sum(c for s, _, c in moves if s == PAID) == row["paid_cents"]
    into = sum(c for _, _, c in moves)
    assert into == sum(row[f"{n}_cents"] for n in (*OTHER, "paid")) + sum(before[n] for n in HELD) + max(
        0, -row["servicer_kept_cents"]
    )


@given(months(), st.integers(-5, 5).filter(bool))
def test_a_month_that_loses_a_cent_is_not_split(pair: tuple[dict[str, Any], dict[str, Any]], off: int) -> None:
    row, before = pair
    with pytest.raises(ValueError, match="misses by"):
        flow(row | {"owner_interest_cents": row["owner_interest_cents"] + 10 + off}, before)


def _numbers(market: Market, wanted: pl.Expr, most: int) -> list[tuple[str, str]]:
    loans = market.book.segment("loans").select("loan_id", "loan_number")
    rows = market.book.segment("loan_months").filter(wanted).join(loans, on="loan_id").sort("month", "loan_id")
    return [(n, month_name(m)) for n, m in rows.head(most).select("loan_number", "month").rows()]


def test_traces_sum_name_parties_and_go_on_to_the_holders(queried: Market) -> None:
    pooled = _numbers(queried, (pl.col("payee_pool_id") > 0) & (pl.col("paid_cents") > 0), 30)
    whole = _numbers(queried, (pl.col("payee_pool_id") == 0) & (pl.col("paid_cents") > 0), 10)
    late = _numbers(queried, pl.col("advanced_cents") > 0, 10)
    for number, month in itertools.chain(pooled, whole, late):
        answer = queried.trace(number, month)
        assert json.loads(json.dumps(answer)) == answer
        assert sum(s["cents"] for s in answer["split"]) == answer["paid_cents"]
        assert answer["paid_cents"] == sum(r["amount_cents"] for r in answer["received"])
        assert {"party", "role", "account", "cents"} <= set(answer["split"][0]) if answer["paid_cents"] else True
        if answer["pool"]:
            pool = sum(s["cents"] for s in answer["split"] if s["what"].endswith("to the pool"))
            assert sum(h["cents"] for h in answer["holders"]) == pool == answer["pool"]["from_payment_cents"]
            assert sum(h["other_money_cents"] for h in answer["holders"]) == answer["pool"]["from_other_money_cents"]
    assert queried.trace(*late[0])["other_money"]


def test_the_loan_sold_this_month_pays_its_seller(queried: Market) -> None:
    changed_hands = (pl.col("payee_pool_id") == 0) & (pl.col("payee_id") != pl.col("owner_id"))
    earned = (pl.col("owner_interest_cents") > 0) & (pl.col("paid_cents") > 0)
    sold = queried.book.segment("loan_months").filter(changed_hands & earned)
    loans = queried.book.segment("loans").select("loan_id", "loan_number", "originator_name")
    row = sold.join(loans, on="loan_id").sort("month", "loan_id").head(1).row(0, named=True)
    split = queried.trace(row["loan_number"], month_name(row["month"]))["split"]
    prior = [s for s in split if s["role"] == "prior owner"]
    assert {s["party"] for s in prior} == {row["originator_name"]}
    assert not [s for s in split if s["role"] == "investor"]


def test_money_that_was_not_accepted_is_shown_beside_the_split(tmp_path: Path) -> None:
    """A payoff a cent short is an exception, an odd amount waits in suspense, a double payment is held ahead."""
    tape = kit.write_rows(tmp_path / "tape.csv", kit.alike(1))
    paid = [
        ("2009-03-02", 158_017, "instalment"), ("2009-04-02", 100_000, "instalment"),
        ("2009-05-02", 216_034, "instalment"),
        ("2009-05-20", 1_000, "payoff"), ("2009-06-02", 316_034, "instalment"), ("2009-07-02", 158_017, "instalment"),
    ]  # fmt: skip
    rows = [
        {"loan": "L-0000", "received_date": day, "amount_cents": cents, "kind": kind, "reference": f"R{i}"}
        for i, (day, cents, kind) in enumerate(paid)
    ]
    market = kit.build(tmp_path / "book", tape, 7, kit.write_rows(tmp_path / "payments.csv", rows))
    april, may, june, july = (market.trace("L-0000", f"2009-0{m}") for m in (4, 5, 6, 7))
    assert [(s["account"], s["cents"]) for s in april["split"]] == [("suspense", 100_000)]
    assert [e["amount_cents"] for e in may["exceptions"]] == [1_000]
    assert may["paid_cents"] == 216_034 == sum(s["cents"] for s in may["split"])
    assert ("prepaid", 158_017) in [(s["account"], s["cents"]) for s in june["split"]]
    assert [(s["account"], s["cents"]) for s in july["split"]] == [("prepaid", 158_017)]
    held = [m for m in july["other_money"] if m["source"].startswith("instalments held")]
    assert sum(m["cents"] for m in held) == 158_017


def test_what_cannot_be_traced_says_why(queried: Market) -> None:
    number, month = _numbers(queried, pl.col("paid_cents") > 0, 1)[0]
    with pytest.raises(Refused, match="write YYYY-MM"):
        queried.trace(number, "March")
    with pytest.raises(Refused, match=r"its months in this book are .* to 2009-12"):
        queried.trace(number, "2015-01")
    with pytest.raises(Refused, match="nearest: "):
        queried.trace("999999999", month)
    assert parse_month(month) >= kit.JANUARY
