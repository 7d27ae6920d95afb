"""A loan's life, what an investor owns and how lenders do, against the tables they are told from."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import polars as pl
import pytest

from poolhouse.dates import month_name
from poolhouse.findings import Refused
from poolhouse.market.market import Market

KEYS = {"terms", "owners", "notices", "pool", "security", "servicers", "months"}


def _number(market: Market, loan_id: int) -> str:
    return str(market.book.segment("loans").filter(pl.col("loan_id") == loan_id)["loan_number"][0])


def _pooled(market: Market) -> dict[str, Any]:
    return market.book.segment("pool_loans").sort("loan_id").row(0, named=True)


def test_a_pooled_loans_life(queried: Market) -> None:
    pooled = _pooled(queried)
    number = _number(queried, pooled["loan_id"])
    life = queried.loan(number)
    assert set(life) >= KEYS and json.loads(json.dumps(life)) == life
    assert queried.loan(f"#{pooled['loan_id']}") == life
    row = queried.book.segment("loans").filter(pl.col("loan_number") == number).row(0, named=True)
    assert life["terms"]["note_amount_cents"] == row["note_amount_cents"]
    assert life["terms"]["note_date"] == row["note_date"].isoformat()
    assert [o["reason"] for o in life["owners"]][:3] == ["closing", "sale", "securitization"]
    assert [o["until"] for o in life["owners"]] == [*[o["from"] for o in life["owners"]][1:], None]
    assert life["sale"]["proceeds_cents"] == life["owners"][1]["price_cents"]
    pools = queried.book.records("pools").filter(pl.col("pool_id") == pooled["pool_id"]).row(0, named=True)
    assert life["pool"]["pool_number"] == pools["pool_number"]
    assert len(life["security"]["cusip"]) == 9 and life["security"]["face_cents"] == pools["face_cents"]
    months = queried.book.segment("loan_months").filter(pl.col("loan_id") == pooled["loan_id"]).sort("month")
    assert [m["month"] for m in life["months"]] == [month_name(m) for m in months["month"]]
    assert [m["paid_cents"] for m in life["months"]] == months["paid_cents"].to_list()
    assert (
        sum(p["amount_cents"] for p in life["payments"] if p["disposition"] != "exception")
        == months["paid_cents"].sum()
    )


def test_eligibility_says_limit_value_and_source_for_each_program(queried: Market) -> None:
    life = queried.loan(_number(queried, _pooled(queried)["loan_id"]))
    programs = {e["program"]: e for e in life["eligibility"]}
    assert list(programs) == ["fnma", "fhlmc", "gnma", "private"]
    assert any(e["answer"].startswith("eligible") for e in programs.values())
    for each in programs.values():
        if each["answer"] == "not eligible":
            failed = [r for r in each["reasons"] if r["outcome"] == "fails"]
            assert failed and all(r["limit"] and r["value"] and r["source"] for r in failed)


def test_a_loan_nobody_bought_says_why_and_has_no_pool(queried: Market) -> None:
    sold = queried.book.segment("sales")["loan_id"]
    refused = queried.book.segment("refusals").filter(~pl.col("loan_id").is_in(sold.implode())).sort("loan_id")
    life = queried.loan(_number(queried, refused["loan_id"][0]))
    assert life["pool"] is life["security"] is life["sale"] is None
    assert life["refusals"][0]["reason"] == refused["reason"][0]
    assert [o["reason"] for o in life["owners"]] == ["closing"]


def test_delinquency_counts_instalments_unpaid_at_the_months_end(queried: Market) -> None:
    rows = queried.book.segment("loan_months").with_columns(
        missed=pl.col("month")
        - (pl.col("last_paid_due_date").dt.year() * 12 + pl.col("last_paid_due_date").dt.month() - 1)
    )
    words = {0: "current", 1: "30 days", 2: "60 days"}
    for missed, said in words.items():
        some = rows.filter(
            (pl.col("missed") == missed) & (pl.col("end_code") == 0) & (pl.col("month") < 24120)
        ).sort("month", "loan_id").row(0, named=True)  # fmt: skip
        life = {m["month"]: m for m in queried.loan(f"#{some['loan_id']}")["months"]}
        assert life[month_name(some["month"])]["delinquency"] == said


def test_an_unknown_loan_is_refused_with_the_nearest(queried: Market) -> None:
    known = _number(queried, 0)
    with pytest.raises(Refused, match=f"nearest: {known}"):
        queried.loan(str(int(known) + 1))
    with pytest.raises(Refused, match="ids #0 to #"):
        queried.loan("#99999999")
    with pytest.raises(Refused, match="after # comes"):
        queried.loan("#abc")


def test_a_loan_that_has_not_closed_yet_says_when(queried: Market) -> None:
    closed = queried.book.segment("loans")["loan_number"]
    waiting = queried.book.segment("tape").filter(~pl.col("loan_number").is_in(closed.implode()))
    if waiting.height:
        with pytest.raises(Refused, match=f"closes with its note on {waiting['note_date'][0]}"):
            queried.loan(waiting["loan_number"][0])


def _faces(market: Market) -> dict[tuple[int, int], int]:
    """(holder, security) -> face, straight from the trades settled by the clock."""
    faces: dict[tuple[int, int], int] = {}
    trades = market.book.records("trades").filter(pl.col("settlement_date") <= market.book.market_date)
    for security, seller, buyer, face in trades.select("security_id", "seller_id", "buyer_id", "face_cents").rows():
        faces[buyer, security] = faces.get((buyer, security), 0) + face
        faces[seller, security] = faces.get((seller, security), 0) - face
    return {key: face for key, face in faces.items() if face}


def test_what_a_pension_owns(queried: Market) -> None:
    answer = queried.lookthrough("pension")
    assert json.loads(json.dumps(answer)) == answer
    assert answer["code"] == "investor:pension"
    mine = {s: f for (h, s), f in _faces(queried).items() if h == 50}
    assert {s["security_id"]: s["face_cents"] for s in answer["securities"]} == mine
    last = queried.book.segment("loan_months", queried.book.months("loan_months")[-1])
    behind = last.filter((pl.col("closing_scheduled_cents") > 0) & pl.col("pool_id").is_in(list(mine)))
    assert answer["loans"] == behind.height == sum(answer["states"].values()) == sum(answer["delinquency"].values())
    paid = queried.book.segment("holder_months").filter(pl.col("holder_id") == 50)
    assert answer["received"]["principal_cents"] == paid["principal_cents"].sum()


def test_the_plan_looks_through_its_fund(queried: Market) -> None:
    plan, fund = queried.lookthrough("401(k)"), queried.lookthrough("investor:fund")
    through = plan["through_funds"][0]
    assert through["fund"] == fund["holder"]
    assert plan["loans"] == fund["loans"] > 0
    assert plan["balance_cents"] == pytest.approx(fund["balance_cents"] * through["share_e8"] / 1e8, abs=200)
    assert [o["holder"] for o in fund["owned_by"]] == [plan["holder"]]


def test_do_i_own_my_own_mortgage(queried: Market) -> None:
    faces = _faces(queried)
    pool = next(s for (h, s) in sorted(faces) if h == 51)
    last = queried.book.segment("loan_months", queried.book.months("loan_months")[-1])
    row = last.filter((pl.col("pool_id") == pool) & (pl.col("closing_scheduled_cents") > 0)).row(0, named=True)
    number = _number(queried, row["loan_id"])
    every = [code for (h, s) in sorted(faces) if s == pool for code in [_code(queried, h)]]
    owns = {code: queried.lookthrough(code, loan=number)["own_loan"] for code in every}
    assert sum(o["cents"] for o in owns.values()) == row["closing_scheduled_cents"]
    plan = queried.lookthrough("401(k)", loan=number)["own_loan"]
    assert plan["owned"] and 0 < plan["cents"] < owns["investor:fund"]["cents"]
    kept = queried.book.segment("refusals")["loan_id"][0]
    assert queried.lookthrough("pension", loan=f"#{kept}")["own_loan"]["owned"] is False


def _code(market: Market, party_id: int) -> str:
    return str(market.book.records("parties").filter(pl.col("party_id") == party_id)["code"][0])


@pytest.mark.parametrize(
    ("name", "why"), [("nobody such", "nobody in the book"), ("investor:", "fits 6 parties"), ("", "nobody")]
)
def test_a_holder_that_is_none_or_several_is_refused(queried: Market, name: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        queried.lookthrough(name)


def test_the_lenders_table_counts_every_loan_once(queried: Market) -> None:
    answer = queried.lenders()
    assert json.loads(json.dumps(answer)) == answer
    rows = answer["lenders"]
    loans, sales = queried.book.segment("loans"), queried.book.segment("sales")
    assert sum(r["loans"] for r in rows) == loans.height
    assert sum(r["sold"] for r in rows) == sales.height
    assert sum(r["note_amount_cents"] for r in rows) == loans["note_amount_cents"].sum()
    assert (
        sum(r["serious_defaults"] for r in rows)
        == queried.book.segment("delinquencies").filter(pl.col("missed") == 3).height
    )
    assert answer["watched"] == sales["seller_id"].n_unique()
    assert answer["stopped"] == answer["sales_refused"] == 0
    refused = queried.book.segment("refusals").unique(["loan_id", "reason"]).height
    assert sum(n for r in rows for n in r["refused"].values()) == refused
    assert all(r["approvals"] and r["line_peak_cents"] > 0 for r in rows)


def test_days_to_sale_of_one_lender_by_hand(queried: Market) -> None:
    top = max(queried.lenders()["lenders"], key=lambda r: (r["sold"], r["code"]))
    party = queried.book.records("parties").filter(pl.col("code") == top["code"])["party_id"][0]
    notes = dict(queried.book.segment("loans").select("loan_id", "note_date").rows())
    sold = (
        queried.book.segment("sales").filter(pl.col("seller_id") == party).select("loan_id", "settlement_date").rows()
    )
    days = sorted((settled - notes[loan]).days for loan, settled in sold)
    middle = len(days) // 2
    median = days[middle] if len(days) % 2 else (days[middle - 1] + days[middle]) / 2
    assert top["days_to_sale_median"] == median
    assert all(isinstance(d, int) for d in days) and date(2009, 1, 1) < queried.book.market_date
