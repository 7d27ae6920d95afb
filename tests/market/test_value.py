"""A book's security valued from its loans: what it starts from is what the book's tables say."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from poolhouse import loans
from poolhouse.findings import Refused
from poolhouse.market import value_loans
from poolhouse.market.market import Market


def _months_of(column: str) -> pl.Expr:
    return pl.col(column).dt.year() * 12 + pl.col(column).dt.month() - 1


def test_a_security_starts_where_its_loans_stand(queried: Market) -> None:
    """Balance, interest and principal of the first month against the subledger's rows, for every security alive."""
    month = queried.book.months("loan_months")[-1]
    rows = queried.book.segment("loan_months", month).filter(
        (pl.col("pool_id") > 0) & (pl.col("closing_scheduled_cents") > 0)
    )
    pools = queried.book.records("pools").join(
        queried.book.records("securities").select("pool_id", "cusip"), on="pool_id"
    )
    alive = pools.filter(pl.col("pool_id").is_in(rows["pool_id"].unique().to_list()))
    exact = 0
    for pool in alive.rows(named=True):
        loans = rows.filter(pl.col("pool_id") == pool["pool_id"])
        answer = queried.value(pool["cusip"], price="100", rows=True)
        assert answer == queried.value(pool["pool_number"], price="100", rows=True)
        first, balance = answer["cashflows"][0], loans["closing_scheduled_cents"].sum() / 100
        assert answer["pool"]["balance"] == pytest.approx(balance, abs=0.001)
        assert first["net_interest"] == pytest.approx(balance * pool["coupon_rate_e7"] / 1e7 / 12, rel=1e-9)
        own = loans.with_columns(s=pl.col("closing_scheduled_cents") - pl.col("pending_unscheduled_cents"))
        due = own.filter(pl.col("s") > 0).select(
            (pl.col("payment_cents") - pl.col("s") * pl.col("note_rate_e7") / 12e7).sum() / 100
        ).item()  # fmt: skip
        pending = loans["pending_unscheduled_cents"].sum() / 100
        # where less is owed than the instalment was made for, the note ends sooner; the standard keeps the term
        paid_ahead = (
            own.filter(pl.col("s") > 0)
            .select(r=pl.col("note_rate_e7") / 12e7, s="s", p="payment_cents", n=_months_of("maturity_date") - month)
            .filter(
                (pl.col("p") * (1 - (1 + pl.col("r")).pow(-pl.col("n"))) / pl.col("r") / pl.col("s") - 1).abs() > 1e-4
            )
        )
        if paid_ahead.is_empty():
            assert first["principal"] == pytest.approx(due + pending, rel=1e-4)
            exact += 1
        assert answer["delay_days"] == pool["delay_days"] - 31
        assert sum(row["principal"] for row in answer["cashflows"]) == pytest.approx(balance, rel=1e-9)
    assert exact > 2, "no security without curtailments to compare"


@pytest.mark.parametrize("speed", [{"cpr": 60}, {"cpr": [60, 60]}, {"psa": 900}, {"smm": 7}, {"cdr": 50, "cpr": 3}])
def test_speeds_hold_from_the_month_that_is_not_known_yet(queried: Market, speed: dict[str, Any]) -> None:
    """What prepaid in the last month is received and comes first; a speed in that month would count it twice."""
    month = queried.book.months("loan_months")[-1]
    rows = queried.book.segment("loan_months", month).filter(pl.col("pool_id") > 0)
    (pool,) = rows.group_by("pool_id").agg(pl.col("pending_unscheduled_cents").sum()).sort(
        "pending_unscheduled_cents"
    ).tail(1).rows(named=True)  # fmt: skip
    number = queried.book.records("pools").filter(pl.col("pool_id") == pool["pool_id"])["pool_number"].item()
    still, fast = (queried.value(number, speeds=given, rows=True)["cashflows"] for given in ({}, speed))
    assert still[0]["principal"] == pytest.approx(fast[0]["principal"], rel=1e-12)
    assert fast[0]["principal"] > pool["pending_unscheduled_cents"] / 100 > 0
    assert fast[1]["principal"] > 1.5 * still[1]["principal"]


def test_a_tape_is_one_pool_of_new_loans() -> None:
    """The shipped tape's dollars are all paid, and the first month's interest is each loan's own."""
    tape = loans.as_loans(loans.read_tape(loans.demo_tape()).tape)
    answer = value_loans.value_tape(loans.demo_tape(), strip=0.5, speeds={"psa": 150}, price=100, rows=True)
    assert answer["pool"]["loans"] == tape.height
    assert answer["totals"]["principal"] == pytest.approx(tape["note_amount_cents"].sum() / 100, rel=1e-12)
    net = (tape["note_amount_cents"] / 100 * (tape["note_rate_e7"] / 1e7 - 0.005).clip(0) / 12).sum()
    assert answer["cashflows"][0]["net_interest"] == pytest.approx(net, rel=1e-12)
    assert answer["bond_equivalent_yield"] == pytest.approx(answer["pool"]["coupon"], abs=0.15)


def test_a_strip_in_basis_points_is_refused() -> None:
    with pytest.raises(Refused, match="50 basis points"):
        value_loans.value_tape(loans.demo_tape(), strip=50)


def test_a_security_nobody_knows(queried: Market) -> None:
    with pytest.raises(Refused, match="is not in the book: give a CUSIP"):
        queried.value("000000000")
