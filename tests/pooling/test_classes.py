"""Private pools issued as deals: classes as securities, who gets how much of each, payment dates from a book's rows."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pooling_frames import MONTH, waiting

from poolhouse import deals, ledger, pooling, rules
from poolhouse.deals.collateral import Received
from poolhouse.findings import Refused
from poolhouse.pooling import classes, cusip
from poolhouse.tables import CLASS_MONTHS, DEAL_MONTHS, FIRST_CLASS_SECURITY, Outcome
from poolhouse.tables.codes import PRIVATE

RULES = rules.load()
TERMS = str(RULES.get("deals.private", date(2009, 2, 1)))
PRIVATE_LOAN: dict[str, Any] = {"program": PRIVATE, "owner_id": 6, "scheduled_upb_cents": 100_000_050}
TWO_CLASSES = """
[deal]
name = "Two classes"
losses = ["B", "A"]
[[class]]
name = "A"
share = 90
coupon = 4.5
[[class]]
name = "B"
share = 10
coupon = "net_wac"
[[pay]]
rule = "interest"
classes = ["A", "B"]
[[pay]]
rule = "sequential"
classes = ["A", "B"]
"""
COLLATERAL = "[collateral]\nbalance = 1_000_000\nwac = 5\ncoupon = 4.5\nwam = 360\n"


def form(*loans: dict[str, Any], **options: Any) -> Outcome:
    return pooling.form(waiting(*loans), MONTH, 7, RULES, **options)


def test_a_pool_without_a_guarantor_is_issued_in_classes_that_sum_to_its_face() -> None:
    outcome = form(PRIVATE_LOAN, {"scheduled_upb_cents": 100_000_000}, next_class=3)
    pools = {p["guarantee"]: p for p in outcome.records["pools"].to_dicts()}
    securities = outcome.records["securities"]
    whole = securities.filter(pl.col("pool_id") == pools["implied"]["pool_id"])
    assert whole.select("class_name", "loss_rank", "original_face_cents", "rate_type").rows() == [
        ("", 0, 100_000_000, "fixed")
    ]
    mine = securities.filter(pl.col("pool_id") == pools["none"]["pool_id"])
    assert mine["class_name"].to_list() == ["A", "B1", "B2", "B3", "B4", "B5", "B6"]
    assert mine["loss_rank"].to_list() == list(range(7))
    assert mine["security_id"].to_list() == [FIRST_CLASS_SECURITY + 3 + i for i in range(7)]
    assert mine["original_face_cents"].sum() == pools["none"]["face_cents"] == 100_000_000
    assert mine["original_face_cents"].to_list()[1:] == [2_250_000, 1_250_000, 750_000, 500_000, 375_000, 375_000]
    assert set(mine["class_rate_e7"]) == {pools["none"]["coupon_rate_e7"]}
    assert all(cusip.is_valid(c) for c in securities["cusip"]) and securities["cusip"].n_unique() == 8
    (deal,) = outcome.records["deals"].to_dicts()
    assert deal["pool_id"] == pools["none"]["pool_id"] and "shifting" in deal["name"]
    issued = outcome.records["trades"].filter(pl.col("security_id") >= FIRST_CLASS_SECURITY)
    assert issued.select("security_id", "face_cents").rows() == mine.select("security_id", "original_face_cents").rows()
    formed = next(e for e in outcome.events if e.body.get("program") == "private")
    lines = {(r["party_id"], r["account"]): r["cents"] for r in ledger.lines(formed).to_dicts()}
    assert lines[(6, "securities_held")] == 100_000_000 and lines[(2, "certificates")] == -100_000_000
    assert lines[(2, "rounding")] == -50


def test_a_users_own_deal_takes_the_place_of_the_assumed_one() -> None:
    outcome = form(PRIVATE_LOAN, private_deal=TWO_CLASSES)
    assert outcome.records["securities"].select("class_name", "class_rate_e7", "rate_type").rows() == [
        ("A", 450_000, "fixed"),
        ("B", outcome.records["pools"]["coupon_rate_e7"][0], "net_wac"),
    ]
    assert outcome.records["deals"]["terms"].to_list() == [TWO_CLASSES]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('losses = ["B", "A"]', "", "who bears losses"),
        ("[[class]]", "call = 10\n[[class]]", "without a call"),
        ("[[class]]", "reserve = 100\n[[class]]", "reserve in dollars"),
        ('losses = ["B", "A"]', 'losses = ["B"]', "class A: nobody else"),
        ("[[pay]]", '[[pay]]\nrule = "reserve_fund"\ntarget = 1\n[[pay]]', "due all that comes in"),
        ("[[pay]]", '[[pay]]\nrule = "reserve_draw"\nclasses = ["A"]\n[[pay]]', "due all that comes in"),
        ("[[class]]", f"{COLLATERAL}payoff_days_lost = 15\n[[class]]", "payoff_days_lost"),
        ("[[class]]", '[collateral]\ndeal = "other.toml"\nclass = "A"\n[[class]]', "can't be moved to another pool"),
        (
            "share = 90\ncoupon = 4.5",
            'share = 80\ncoupon = 5.0625\n[[pay]]\nrule = "overcollateralisation"\ntarget = 10\nfloor = 1',
            "overcollateralisation: a book's own",
        ),
        ("coupon = 4.5", "coupon = 4.5\nnet_wac_cap = true", "class A: .*capped"),
        ("coupon = 4.5", "floater = {margin = 4.5}", "class A"),
        ('name = "B"\nshare = 10', 'name = "B"\nshare = 9', "must be the collateral's"),
        ("coupon = 4.5", "coupon = 9", "lower a coupon"),
        (
            'coupon = 4.5\n[[class]]\nname = "B"\nshare = 10\ncoupon = "net_wac"',
            'coupon = 4\n[[class]]\nname = "B"\nshare = 10\ncoupon = 9',
            "class A: pays 4% of a pool that pays 4.5%",
        ),
        ("share = 90", "share = 95", "more than the collateral"),
    ],
)
def test_a_deal_that_a_book_cannot_pay_is_refused_with_the_pool_and_the_place(old: str, new: str, said: str) -> None:
    with pytest.raises(Refused, match=rf"deal of pool P000007.*{said}"):
        form(PRIVATE_LOAN, private_deal=TWO_CLASSES.replace(old, new, 1))


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=6), st.lists(st.integers(1, 10**6), min_size=1, max_size=9))
def test_owners_classes_sum_to_their_face_and_classes_owners_to_their_size(owed: list[int], parts: list[int]) -> None:
    face = sum(owed)
    if not face:
        return
    sizes = [part * face // sum(parts) for part in parts]
    sizes[0] += face - sum(sizes)
    shares = pl.DataFrame(
        [(1, owner, cents * 100) for owner, cents in enumerate(owed)],
        schema={"pool_id": pl.Int32, "owner_id": pl.Int32, "face_cents": pl.Int64}, orient="row",
    )  # fmt: skip
    securities = pl.DataFrame(
        [(i, 1, i, size * 100) for i, size in enumerate(sizes)],
        schema={"security_id": pl.Int32, "pool_id": pl.Int32, "loss_rank": pl.Int16, "original_face_cents": pl.Int64},
        orient="row",
    )  # fmt: skip
    given_out = classes.shares_of_classes(shares, securities)
    assert given_out["face_cents"].min() >= 0  # type: ignore[operator]
    by_owner = given_out.group_by("owner_id").agg(pl.col("face_cents").sum()).sort("owner_id")
    assert by_owner["face_cents"].to_list() == [cents * 100 for cents in owed]
    by_class = given_out.group_by("security_id").agg(pl.col("face_cents").sum()).sort("security_id")
    assert by_class["face_cents"].to_list() == [size * 100 for size in sizes]


months_of_cents = st.lists(
    st.tuples(st.integers(0, 300), st.integers(0, 4_000), st.integers(0, 1_500), st.integers(0, 6_000)),
    min_size=1, max_size=40,
)  # fmt: skip


@settings(deadline=None, max_examples=25)
@given(months_of_cents)
def test_a_book_that_keeps_rows_pays_what_a_deal_that_never_stops_pays(shares: list[tuple[int, ...]]) -> None:
    """Each month's state goes through the tables and back; the deal's own run never leaves memory."""
    outcome = form(PRIVATE_LOAN)
    records = outcome.records
    (issued,) = pooling.issued_deals(records["pools"], records["securities"], records["deals"])
    months, balance = [], 100_000_050
    for scheduled, unscheduled, loss, late in shares:
        parts = [balance * share // 10_000 for share in (scheduled, unscheduled, loss)]
        months.append(
            Received(balance, balance * 45 // 12_000, *parts[:2], parts[1], parts[2], balance * late // 10_000)
        )
        balance = months[-1].after
    state, dates, rows = deals.opened(issued.deal), DEAL_MONTHS.empty(), CLASS_MONTHS.empty()
    for month, received in enumerate(months, MONTH + 1):
        collected = pl.DataFrame(
            [(7, received.balance, received.interest, received.scheduled, received.unscheduled, received.loss,
              received.late)],
            schema=["pool_id", "opening_scheduled_cents", "investor_interest_cents", "scheduled_principal_cents",
                    "unscheduled_principal_cents", "loss_cents", "late_cents"], orient="row",
        )  # fmt: skip
        if month == MONTH + 1:
            stood = [pooling.Standing(issued, deals.opened(issued.deal), issued.deal.closing)]
        else:
            stood = pooling.standings([issued], dates, rows, month - 1)
        now, rows, after = pooling.pay_deals(stood, collected, month)
        dates = pl.concat([dates, now]).tail(pooling.window_months())
        paid = deals.step(issued.deal, state, received)
        state = paid.after
        assert after[0].state == state
        assert now["rest_cents"].to_list() == [paid.rest]
        for name, (security, face) in issued.securities.items():
            row = rows.filter(pl.col("security_id") == security).row(0, named=True)
            got = paid.classes[name]
            assert (row["interest_cents"], row["principal_cents"], row["loss_cents"]) == (
                got.interest, got.principal, got.loss,
            )  # fmt: skip
            assert abs(row["factor_e8"] * face - state.balance[name] * 10**8) * 2 <= face


def test_a_pool_paid_off_keeps_rows_of_zeros_and_a_missing_month_is_a_fault() -> None:
    records = form(PRIVATE_LOAN).records
    issued = pooling.issued_deals(records["pools"], records["securities"], records["deals"])
    opened = [pooling.Standing(issued[0], deals.opened(issued[0].deal), 100_000_000)]
    collected = pl.DataFrame(
        {"pool_id": [7], "opening_scheduled_cents": [100_000_050], "investor_interest_cents": [375_000],
         "scheduled_principal_cents": [50], "unscheduled_principal_cents": [100_000_000], "loss_cents": [0],
         "late_cents": [0]}
    )  # fmt: skip
    dates, rows, after = pooling.pay_deals(opened, collected, MONTH + 1)
    assert rows["principal_cents"].sum() == 100_000_000 and rows["factor_e8"].to_list() == [0] * 7
    assert dates["rest_cents"].item() == 50 + 375_000 - rows["interest_cents"].sum()
    stood = pooling.standings(issued, dates, rows, MONTH + 1)
    assert stood[0].state == after[0].state
    dates, rows, _ = pooling.pay_deals(stood, collected.clear(), MONTH + 2)
    assert rows.select(pl.col("^.*_cents$").sum()).row(0) == (0,) * 6
    with pytest.raises(ValueError, match="no payment date"):
        pooling.standings(issued, dates, rows, MONTH + 3)
