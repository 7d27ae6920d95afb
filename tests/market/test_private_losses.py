"""Two private pools whose borrowers do everything at once: losses of every size, a pool lost to the last cent.

The classes' months are held against the remittances by an allocation written out here, which runs no deal.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import kit_market as kit
from poolhouse.dates import month_name, parse_month
from poolhouse.findings import Refused
from poolhouse.market.market import Market

RATES = (650_000, 750_000)
NOTE, PAYMENTS = 90_000_077, {650_000: 568_862, 750_000: 629_294}
LOANS, DOOMED, JULY = 27, 3, parse_month("2009-07")
"""Loans in all, and in the second pool, of which nothing is left."""
LATE = "L-0000"
"""In the first pool; unpaid from May on, and bought out on demand in July."""


def rows() -> list[dict[str, Any]]:
    big = {"note_amount_cents": NOTE, "value_cents": 120_000_000, "ltv_e4": 7_500, "income_cents": 60_000_000}
    return [
        row | {"note_rate_e7": RATES[number >= LOANS - DOOMED]} for number, row in enumerate(kit.alike(LOANS, **big))
    ]


def payments() -> list[dict[str, Any]]:
    """Each loan's own fate, month by month; the second pool's properties are sold for ten dollars in June and July."""
    chance, sent = random.Random(4), []

    def send(loan: str, month: int, day: int, cents: int, kind: str) -> None:
        values = (loan, f"{month_name(month)}-{day:02d}", cents, kind, f"{loan}/{len(sent)}")
        sent.append(dict(zip(kit.PAYMENT_COLUMNS, values, strict=True)))

    for number, row in enumerate(rows()):
        loan, due, stopped = row["loan_number"], PAYMENTS[row["note_rate_e7"]], False
        for month in range(kit.JANUARY + 2, kit.JANUARY + 12):
            if number >= LOANS - DOOMED:
                fate = 0.0 if month == JULY - number % 2 else 0.05 if month < JULY - 2 else 1.0
            else:
                fate = chance.random() if loan != LATE else 0.5 if month < JULY - 2 else 1.0
            if fate < 0.04:
                sold = 1_000 if number >= LOANS - DOOMED else int(NOTE * chance.uniform(0, 1.5))
                send(loan, month, 20, sold, "liquidation")
                break
            stopped |= fate >= 0.95
            if stopped:
                if fate < 0.3:
                    send(loan, month, 20, int(NOTE * chance.uniform(0, 0.6)), "liquidation")
                    break
                continue
            send(loan, month, 5, due, "instalment")
            if fate > 0.9:
                send(loan, month, 12, chance.randrange(1, NOTE // 3), "curtailment")
            elif fate > 0.87:
                send(loan, month, 17, NOTE * 11 // 10, "payoff")
                break
            elif fate > 0.8:
                send(loan, month, 25, 2 * due, "instalment")
    return sent


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Market:
    folder = tmp_path_factory.mktemp("losses")
    file = kit.write_rows(folder / "payments.csv", payments())
    made = kit.build(folder / "book", kit.write_rows(folder / "tape.csv", rows()), 6, file)
    demand = {"loan": LATE, "reason": "early_default", "remedy": "repurchase"}
    assert made.repurchase(kit.write_rows(folder / "demands.csv", [demand]))["demands"] == 1
    for _ in range(6):
        kit.month_by_steps(made, file)
    return made


def test_losses_go_from_the_bottom_up_and_no_cent_is_left_behind(market: Market) -> None:
    columns = ("investor_interest_cents", "scheduled_principal_cents", "unscheduled_principal_cents", "loss_cents",
               "closing_scheduled_cents")  # fmt: skip
    brought = market.book.segment("pool_months").group_by("pool_id", "month").agg(pl.col(columns).sum())
    months = {(r["pool_id"], r["month"]): r for r in brought.to_dicts()}
    classes = {(r["security_id"], r["month"]): r for r in market.book.segment("class_months").to_dicts()}
    paid = market.book.segment("holder_months").group_by("security_id", "month").agg(
        pl.col("principal_cents").sum(), pl.col("interest_cents").sum()
    )  # fmt: skip
    holders = {(r["security_id"], r["month"]): r for r in paid.to_dicts()}
    securities = market.book.records("securities").sort("loss_rank", descending=True).to_dicts()
    losses = 0
    for pool in market.book.records("pools").to_dicts():
        mine = [s for s in securities if s["pool_id"] == pool["pool_id"]]
        left = {s["security_id"]: s["original_face_cents"] for s in mine}
        cushion = pool["truncation_cents"]  # the cents beyond whole dollars of face are nobody's
        for month in range(mine[0]["issue_month"] + 1, kit.JANUARY + 12):
            came = months.get((pool["pool_id"], month), dict.fromkeys(columns, 0))
            row = {s["security_id"]: classes[(s["security_id"], month)] for s in mine}
            cash, alive = came["scheduled_principal_cents"] + came["unscheduled_principal_cents"], sum(left.values())
            got = sum(r["principal_cents"] for r in row.values())
            assert cash - cushion <= got <= cash
            lost = max(alive - got - came["closing_scheduled_cents"], 0)
            assert 0 <= came["loss_cents"] - lost <= (cushion if alive else 0)
            losses, rest = losses + (lost > 0), lost
            over = came["closing_scheduled_cents"] == 0
            for number, r in row.items():  # from the lowest class up; on the last date losses come before principal
                part = min(left[number] - (0 if over else r["principal_cents"]), rest)
                assert (r["opening_cents"], r["loss_cents"]) == (left[number], part)
                left[number], rest = left[number] - r["principal_cents"] - part, rest - part
                assert r["closing_cents"] == left[number] >= 0
                held = holders.get((number, month), {"principal_cents": 0, "interest_cents": 0})
                assert (held["principal_cents"], held["interest_cents"]) == (r["principal_cents"], r["interest_cents"])
            assert rest == 0 and sum(left.values()) <= came["closing_scheduled_cents"]
            interest = sum(r["interest_cents"] for r in row.values())
            assert 0 <= came["investor_interest_cents"] - interest <= 7 + cushion
    assert losses >= 7


def test_a_pool_lost_to_the_last_cent_takes_its_senior_class_too(market: Market) -> None:
    """Each property brought ten dollars, less than the servicer had advanced: that is its own loss."""
    (pool,) = market.book.records("pools").filter(pl.col("coupon_rate_e7") == 700_000)["pool_id"]
    over = market.structure(None, "P000002", speeds={"cpr": 10}, prices={"A": 99})
    assert [c["loss_cents"] for c in over["so_far"]] == lost_by(market, pool)
    assert [c["balance_cents"] for c in over["so_far"]] == [0] * 7 and over["collateral"]["principal_cents"] == 0
    assert over["called"] is None
    gone = market.book.segment("class_months", parse_month("2009-12")).filter(pl.col("pool_id") == pool)
    assert gone["closing_cents"].to_list() == [0] * 7 and gone["factor_e8"].to_list() == [0] * 7
    faces = market.book.records("securities").filter(pl.col("pool_id") == pool).sort("security_id")
    assert (pl.Series(lost_by(market, pool)) > faces["original_face_cents"] * 95 // 100).all()
    assert market.book.balances(account="servicer_advances")["cents"].sum() == (
        market.book.segment("loan_months", parse_month("2009-12"))["advance_balance_cents"].sum()
    )


def lost_by(market: Market, pool: int) -> list[int]:
    rows = market.book.segment("class_months").filter(pl.col("pool_id") == pool)
    return rows.group_by("security_id").agg(pl.col("loss_cents").sum()).sort("security_id")["loss_cents"].to_list()


def test_every_promise_holds(market: Market) -> None:
    assert [p["first_failure"] for p in market.verify()["promises"] if not p["ok"]] == []


def test_what_was_bought_out_is_late_no_more(market: Market) -> None:
    """The triggers look at loans that the trust still has, not at one whose price waits to be passed on."""
    number = market.book.segment("loans").filter(pl.col("loan_number") == LATE)["loan_id"][0]
    tail = market.book.segment("loan_months", JULY).filter(pl.col("loan_id") == number).row(0, named=True)
    assert tail["pool_id"] == 1 and tail["closing_scheduled_cents"] == tail["pending_unscheduled_cents"] > 0
    behind = pl.col("month") - (pl.col("last_paid_due_date").dt.year().cast(pl.Int32) * 12
                                + pl.col("last_paid_due_date").dt.month() - 1) >= 2  # fmt: skip
    trust = (pl.col("pool_id") == 1) & (pl.col("remittance") == 1) & (pl.col("end_code") == 0)
    late = market.book.segment("loan_months").filter(trust & behind).group_by(pl.col("month") + 1).agg(
        pl.col("closing_scheduled_cents").sum()
    )  # fmt: skip
    wanted = dict(late.iter_rows())
    dates = market.book.segment("deal_months").filter(pl.col("pool_id") == 1)
    assert {m: cents for m, cents in dates.select("month", "late_cents").iter_rows() if cents} == {
        m: cents for m, cents in wanted.items() if m < kit.JANUARY + 12
    }
    assert JULY + 1 in wanted


def test_the_deals_run_again_from_the_remittances_give_what_the_book_paid(market: Market) -> None:
    issued = {s["security_id"]: s["class_name"] for s in market.book.records("securities").to_dicts()}
    names = ("interest_cents", "principal_cents", "loss_cents")
    rows = market.book.segment("class_months").filter(pl.col("pool_id") == 1)
    paid = {(r["month"], issued[r["security_id"]]): [r[n] for n in (*names, "closing_cents")] for r in rows.to_dicts()}
    history = market.structure(None, "P000001", speeds={"cpr": 10})["history"]
    again = {(parse_month(r["month"]), r["class"]): [r[n] for n in (*names, "ending_balance_cents")] for r in history}
    assert again == paid


def test_a_deal_for_private_pools_that_do_not_come_together_is_refused(market: Market, tmp_path: Path) -> None:
    copy = kit.copied(Path(str(market.book.folder)), tmp_path / "book")
    copy.check()
    copy.sell()
    with pytest.raises(Refused, match="no private pool comes together in 2010-01"):
        copy.pool(_terms(market, tmp_path))
    assert copy.pool()["pools"] == 0


def _terms(market: Market, folder: Path) -> Path:
    file = folder / "deal.toml"
    file.write_text(market.book.records("deals")["terms"][0], encoding="utf-8")
    return file
