"""The one-loan book against hand-worked tables: every table, date and ledger line up to the fifth payment."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import money_checks
import one_loan_market as one
from poolhouse.dates import parse_month
from poolhouse.market.market import Market
from poolhouse.tables.codes import FNMA, NO_PROGRAM

MONTHS = pl.read_csv(one.GOLDEN / "one_loan.csv")
LINES = pl.read_csv(one.GOLDEN / "one_loan_ledger.csv", try_parse_dates=True)
CASES = MONTHS["case"].unique(maintain_order=True).to_list()
FNMA_ID, TRUSTS, WAREHOUSE, HOLDER, LENDER = 3, 2, 20, 53, 1000


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Market]:
    return {name: one.build(tmp_path_factory.mktemp(f"case-{name}"), name) for name in CASES}


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest, books: dict[str, Market]) -> tuple[str, Market]:
    return request.param, books[request.param]


@pytest.fixture(scope="module")
def on_time(books: dict[str, Market]) -> Market:
    return books["a"]


def expected_months(name: str) -> pl.DataFrame:
    months = [parse_month(m) for m in MONTHS.filter(pl.col("case") == name)["month"]]
    return MONTHS.filter(pl.col("case") == name).with_columns(pl.Series("month", months, dtype=pl.Int32)).drop("case")


def test_ledger_lines_equal_the_hand_worked_ledger(case: tuple[str, Market]) -> None:
    name, market = case
    parties = market.book.records("parties").select("party_id", party="code")
    events = market.book.events().select("seq", event="kind")
    found = (
        market.book.lines().join(events, left_on="event_seq", right_on="seq").join(parties, on="party_id")
        .filter(~pl.col("event").str.ends_with("Endowed"))
    )  # fmt: skip
    columns = ["event", "value_date", "party", "account", "cents"]
    order = ["value_date", "event", "party", "account"]
    expected = LINES.filter(pl.col("case") == name).select(columns).sort(order)
    assert found.select(columns).sort(order).rows() == expected.rows()


def test_loan_months_equal_the_hand_worked_months(case: tuple[str, Market]) -> None:
    name, market = case
    expected = expected_months(name).drop(
        "factor_e8", "due_to_trust_cents", "holder_principal_cents", "holder_interest_cents"
    )
    rows = market.book.segment("loan_months").filter(pl.col("month") >= parse_month("2009-03"))
    assert rows.select(expected.columns).to_dicts() == expected.to_dicts()


def test_pool_factors_and_holder_equal_the_hand_worked_months(case: tuple[str, Market]) -> None:
    name, market = case
    expected = expected_months(name)
    live = pl.col("month") <= expected["month"].max()
    factors = market.book.segment("pool_factors").filter(live)
    assert factors["factor_e8"].to_list() == expected["factor_e8"].to_list()
    assert factors["received_cents"].to_list() == expected["due_to_trust_cents"].to_list()
    assert factors["paid_cents"].to_list() == expected["due_to_trust_cents"].to_list()
    assert factors["rounding_balance_cents"].to_list() == [0] * factors.height
    held = market.book.segment("holder_months").filter(live)
    assert held["holder_id"].to_list() == [HOLDER] * expected.height
    assert held["principal_cents"].to_list() == expected["holder_principal_cents"].to_list()
    assert held["interest_cents"].to_list() == expected["holder_interest_cents"].to_list()
    pools = market.book.segment("pool_months").filter(live & (pl.col("month") >= parse_month("2009-03")))
    assert pools["received_cents"].to_list() == expected["due_to_trust_cents"].to_list()
    assert pools["guaranty_fee_cents"].to_list() == expected["guaranty_fee_cents"].to_list()
    assert pools["closing_scheduled_cents"].to_list() == expected["closing_scheduled_cents"].to_list()
    after = market.book.segment("pool_factors").filter(~live)
    assert after["paid_cents"].sum() == 0 and set(after["factor_e8"]) <= {0}


def test_nothing_is_out_of_balance(case: tuple[str, Market]) -> None:
    _, market = case
    money_checks.check_all(market)
    with one.own_numbers(one.OWN_NUMBERS):
        checked = money_checks.check_promises(market)
    assert min(checked.values()) > 0  # one loan is enough to give each promise something to check
    assert market.book.check().ok


def test_the_calendar_from_closing_to_first_payment(on_time: Market) -> None:
    """Closes 14 January, issued 1 February, first instalment 1 March, record date the last business day of
    February, holders paid 25 March."""
    book = on_time.book
    loan = book.segment("loans").row(0, named=True)
    assert (loan["note_date"], loan["first_due_date"], loan["maturity_date"]) == (
        date(2009, 1, 14), date(2009, 3, 1), date(2039, 2, 1),
    )  # fmt: skip
    pool = book.records("pools").row(0, named=True)
    assert (pool["issue_date"], pool["first_payment_date"], pool["pay_day"], pool["delay_days"]) == (
        date(2009, 2, 1), date(2009, 3, 25), 25, 55,
    )  # fmt: skip
    first = book.segment("pool_factors").row(0, named=True)
    assert (first["record_date"], first["publish_date"], first["pay_date"]) == (
        date(2009, 2, 27), date(2009, 3, 5), date(2009, 3, 25),
    )  # fmt: skip
    months = {
        m: book.segment("loan_months", parse_month(m)).row(0, named=True) for m in ("2009-01", "2009-02", "2009-03")
    }
    assert [m["scheduled_interest_cents"] for m in months.values()] == [0, 0, 135_417]
    assert [m["owner_id"] for m in months.values()] == [LENDER, TRUSTS, TRUSTS]
    assert [m["program"] for m in months.values()] == [NO_PROGRAM, FNMA, FNMA]
    # The instalment of 1 March is a month late only in April; none was due before.
    assert [m["last_paid_due_date"] for m in months.values()] == [date(2009, 2, 1), date(2009, 2, 1), date(2009, 3, 1)]
    assert loan["odd_days_interest_cents"] == 80_137  # 18 days of 14 to 31 January, actual/365


def only(frame: pl.DataFrame, **expected: Any) -> None:
    """The frame has one row, and it says this."""
    assert frame.height == 1
    row = frame.row(0, named=True)
    assert {name: row[name] for name in expected} == expected


def test_sale_pool_security_and_trades(on_time: Market) -> None:
    book = on_time.book
    only(
        book.segment("sales"), seller_id=LENDER, buyer_id=FNMA_ID, program=FNMA, method="flow", coupon_rate_e7=600_000,
        pass_through_rate_e7=600_000, guaranty_fee_rate_e7=25_000, servicing_fee_rate_e7=25_000,
        servicing_released=False, price_e6=105_565_000, scheduled_upb_cents=25_000_000, proceeds_cents=26_391_250,
        accrued_cents=75_000, settlement_date=date(2009, 2, 19), line_principal_cents=24_500_000,
        line_interest_cents=98_000, servicing_right_cents=250_000, gain_cents=1_641_250,
    )  # fmt: skip
    only(book.segment("pool_loans"), pool_id=1, scheduled_cents=25_000_000, guaranty_fee_rate_e7=25_000)
    only(
        book.records("pools"), prefix="CL", issuer_id=FNMA_ID, guarantor_id=FNMA_ID, guarantee="implied",
        coupon_rate_e7=600_000, scheduled_cents=25_000_000, truncation_cents=0, face_cents=25_000_000, loans=1,
        wac_e7=650_000, wam_months=360, wala_months=0,
    )  # fmt: skip
    only(book.records("securities"), security_id=1, pool_id=1, cusip="990000010", issue_month=parse_month("2009-02"))
    issued, placed = book.records("trades").sort("settlement_date").to_dicts()
    assert (issued["kind"], issued["seller_id"], issued["buyer_id"], issued["face_cents"]) == (
        "issue", TRUSTS, FNMA_ID, 25_000_000,
    )  # fmt: skip
    assert (placed["kind"], placed["seller_id"], placed["buyer_id"], placed["face_cents"]) == (
        "placement", FNMA_ID, HOLDER, 25_000_000,
    )  # fmt: skip
    assert (placed["price_e6"], placed["principal_cents"], placed["accrued_cents"], placed["settlement_date"]) == (
        110_000_000, 27_500_000, 100_000, date(2009, 2, 25),
    )  # fmt: skip
    assert book.segment("refusals").height == book.segment("pool_waits").height == 0


def test_owners_pledge_and_notices(on_time: Market) -> None:
    found = on_time.book.segment("assignments").select("role", "from_id", "to_id", "effective_date", "reason").rows()
    assert sorted(found) == sorted([
        ("owner", 0, LENDER, date(2009, 1, 14), "closing"),
        ("servicer", 0, LENDER, date(2009, 1, 14), "closing"),
        ("pledge", 0, WAREHOUSE, date(2009, 1, 14), "closing"),
        ("pledge", WAREHOUSE, 0, date(2009, 2, 19), "sale"),
        ("owner", LENDER, FNMA_ID, date(2009, 2, 19), "sale"),
        ("owner", FNMA_ID, TRUSTS, date(2009, 2, 20), "securitization"),
        ("pool", 0, 1, date(2009, 2, 20), "securitization"),
    ])  # fmt: skip
    notices = on_time.book.segment("notices").select("kind", "from_id", "to_id", "due_date", "sent_date", "exemption")
    assert notices.rows() == [
        ("ownership", LENDER, FNMA_ID, date(2009, 3, 21), date(2009, 2, 27), ""),
        ("ownership", FNMA_ID, TRUSTS, date(2009, 3, 22), None, "no_change_of_title"),
    ]  # fmt: skip


def test_payments_are_kept_as_sent(on_time: Market, tmp_path: Path) -> None:
    sent = pl.read_csv(one.payments("a", tmp_path / "sent.csv"), try_parse_dates=True)
    kept = on_time.book.segment("payments")
    assert kept.select("received_date", "amount_cents", "kind", "reference").rows() == sent.drop("loan").rows()
    assert set(kept["disposition"]) == {"applied"} and set(kept["servicer_id"]) == {LENDER}


def test_the_written_ledger_is_the_scripts_own() -> None:
    script = one.script("one_loan_ledger")
    assert (one.GOLDEN / "one_loan_ledger.csv").read_text(encoding="utf-8") == script.as_csv()
    assert (one.GOLDEN / "one_loan_ledger.md").read_text(encoding="utf-8") == script.as_markdown()


@pytest.mark.parametrize("name", CASES)
def test_the_hand_worked_ledger_balances(name: str) -> None:
    """Each party's entry, and the cash of each day, sum to zero."""
    lines = LINES.filter(pl.col("case") == name)
    assert (lines.group_by("event", "value_date", "party").agg(pl.col("cents").sum())["cents"] == 0).all()
    cash = lines.filter(pl.col("account").is_in(["cash", "custodial_cash"]))
    assert (cash.group_by("event", "value_date").agg(pl.col("cents").sum())["cents"] == 0).all()
