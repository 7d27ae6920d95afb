"""Which notices go out when, against dates worked out by hand."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from poolhouse import notices
from poolhouse.rules import system_parties
from poolhouse.rules.rulebook import load
from poolhouse.tables import ASSIGNMENTS, NOTICES

RULES = load()
IDS = {code: party["party_id"] for code, party in system_parties().items()}
FNMA, TRUSTS, CONDUIT, MSR_BUYER = IDS["fnma"], IDS["trusts"], IDS["conduit"], IDS["servicer:msr-buyer"]
LENDER = 1000


def assign(*rows: tuple[int, str, int, int, date, str]) -> pl.DataFrame:
    """loan, role, from, to, effective, reason."""
    names = ["loan_id", "role", "from_id", "to_id", "effective_date", "reason"]
    frame = pl.DataFrame([dict(zip(names, r, strict=True)) for r in rows])
    frame = frame.with_columns(consideration_cents=pl.lit(0, pl.Int64), accrued_cents=pl.lit(0, pl.Int64))
    return frame.select([pl.col(n).cast(t) for n, t in ASSIGNMENTS.schema.items()])


def homes(*occupancies: str) -> pl.DataFrame:
    """Loans 0, 1, 2 ... with these occupancies."""
    return pl.DataFrame(
        {"loan_id": list(range(len(occupancies))), "occupancy": list(occupancies)},
        schema_overrides={"loan_id": pl.Int32},
    )


def due(assignments: pl.DataFrame, loans: pl.DataFrame, as_of: date, already: pl.DataFrame | None = None) -> Any:
    rows = notices.due(assignments, loans, NOTICES.empty() if already is None else already, as_of, RULES)
    assert rows.equals(NOTICES.conform(rows))
    return rows


CLOSING = (0, "owner", 0, LENDER, date(2010, 1, 14), "closing")
SALE = (0, "owner", LENDER, FNMA, date(2010, 2, 10), "sale")


def test_a_sale_is_told_by_the_new_owner_within_thirty_days() -> None:
    rows = due(assign(CLOSING, SALE), homes("principal"), date(2010, 2, 26))
    assert rows.to_dicts() == [
        {
            "loan_id": 0, "kind": "ownership", "from_id": LENDER, "to_id": FNMA, "transfer_date": date(2010, 2, 10),
            "due_date": date(2010, 3, 12), "sent_date": date(2010, 2, 26), "exemption": "",
        }
    ]  # fmt: skip


def test_nothing_is_sent_twice_nor_before_it_happens() -> None:
    sale = assign(CLOSING, SALE)
    first = due(sale, homes("principal"), date(2010, 2, 26))
    assert due(sale, homes("principal"), date(2010, 3, 31), first).is_empty()
    assert due(sale, homes("principal"), date(2010, 2, 9)).is_empty()


def test_closing_itself_is_no_transfer() -> None:
    servicer = (0, "servicer", 0, LENDER, date(2010, 1, 14), "closing")
    gone = (0, "owner", FNMA, 0, date(2010, 3, 1), "payoff")
    assert due(assign(CLOSING, servicer, gone), homes("principal"), date(2010, 3, 31)).is_empty()


def test_a_month_of_runs_never_lets_a_deadline_pass() -> None:
    """Whatever day a loan is sold on, notices sent on one fixed day a month are in time."""
    days = [date(2009, 1, 1) + timedelta(days=k) for k in range(400)]
    sales = assign(*[(k, "owner", LENDER, FNMA, day, "sale") for k, day in enumerate(days)])
    loans = homes(*["principal"] * len(days))
    sent = NOTICES.empty()
    send_day = 10
    for month in range(15):
        run = date(2009 + month // 12, month % 12 + 1, send_day)
        sent = pl.concat([sent, due(sales, loans, run, sent)])
    assert sent.height == len(days)
    assert (sent["sent_date"] <= sent["due_date"]).all()
    assert (sent["sent_date"] >= sent["transfer_date"]).all()


@pytest.mark.parametrize(("days", "exemption"), [(30, "sold_within_30_days"), (31, "")])
def test_sold_on_within_thirty_days(days: int, exemption: str) -> None:
    resale = (0, "owner", CONDUIT, TRUSTS, date(2010, 2, 10) + timedelta(days=days), "securitization")
    first = (0, "owner", LENDER, CONDUIT, date(2010, 2, 10), "sale")
    rows = due(assign(first, resale), homes("principal"), date(2010, 3, 31))
    assert rows["exemption"].to_list() == [exemption, ""]
    assert rows["sent_date"].to_list() == [None if exemption else date(2010, 3, 31), date(2010, 3, 31)]
    assert rows["to_id"].to_list() == [CONDUIT, TRUSTS]


def test_the_next_loan_is_no_resale() -> None:
    other = (1, "owner", LENDER, FNMA, date(2010, 2, 12), "sale")
    rows = due(assign(SALE, other), homes("principal", "principal"), date(2010, 2, 26))
    assert rows["exemption"].to_list() == ["", ""]


def test_an_enterprise_keeps_title_when_it_pools() -> None:
    """The purchase is told; pool and buyout are not, and the pool is not a resale of the purchase."""
    pooled = (0, "owner", FNMA, TRUSTS, date(2010, 2, 20), "securitization")
    bought = (0, "owner", TRUSTS, FNMA, date(2010, 7, 1), "buyout")
    rows = due(assign(SALE, pooled, bought), homes("principal"), date(2010, 7, 31))
    assert rows["exemption"].to_list() == ["", "no_change_of_title", "no_change_of_title"]


def test_a_repurchase_by_the_lender_is_told() -> None:
    back = (0, "owner", TRUSTS, LENDER, date(2010, 7, 1), "repurchase")
    rows = due(
        assign(SALE, back),
        homes("principal"),
        date(2010, 7, 31),
        due(assign(SALE), homes("principal"), date(2010, 3, 1)),
    )
    assert rows.select("to_id", "exemption").rows() == [(LENDER, "")]


def test_homes_outside_the_rules() -> None:
    moves = [(k, "owner", LENDER, FNMA, date(2010, 2, 10), "sale") for k in range(3)]
    moves += [(k, "servicer", LENDER, MSR_BUYER, date(2010, 4, 1), "servicing_sale") for k in range(3)]
    rows = due(assign(*moves), homes("principal", "second_home", "investment"), date(2010, 3, 10))
    exempt = dict(zip(rows.select("loan_id", "kind").rows(), rows["exemption"], strict=True))
    assert exempt == {
        (0, "ownership"): "", (1, "ownership"): "not_principal_dwelling", (2, "ownership"): "not_principal_dwelling",
        (0, "servicing_goodbye"): "", (1, "servicing_goodbye"): "", (2, "servicing_goodbye"): "not_principal_dwelling",
        (0, "servicing_hello"): "", (1, "servicing_hello"): "", (2, "servicing_hello"): "not_principal_dwelling",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("effective", "goodbye", "hello"),
    [
        (date(2026, 10, 1), date(2026, 9, 16), date(2026, 10, 16)),  # Servicing Guide's example
        (date(2010, 3, 1), date(2010, 2, 14), date(2010, 3, 16)),
        (date(2010, 2, 10), date(2010, 2, 14), date(2010, 3, 16)),  # first payment due on 1 March
        (date(2009, 12, 2), date(2009, 12, 17), date(2010, 1, 16)),
    ],
)
def test_days_of_a_servicing_transfer(effective: date, goodbye: date, hello: date) -> None:
    moved = assign((0, "servicer", LENDER, MSR_BUYER, effective, "servicing_sale"))
    rows = due(moved, homes("principal"), effective)
    assert dict(rows.select("kind", "due_date").rows()) == {"servicing_goodbye": goodbye, "servicing_hello": hello}
    assert rows["transfer_date"].unique().to_list() == [effective]


def test_a_transfer_agreed_ahead_is_told_in_time_and_not_years_before() -> None:
    moved = assign((0, "servicer", LENDER, MSR_BUYER, date(2010, 7, 1), "servicing_sale"))
    loans = homes("principal")
    assert due(moved, loans, date(2010, 4, 30)).is_empty()
    may = due(moved, loans, date(2010, 5, 10))
    assert may["kind"].to_list() == ["servicing_goodbye"]
    june = due(moved, loans, date(2010, 6, 10), may)
    assert june["kind"].to_list() == ["servicing_hello"]
    assert (pl.concat([may, june])["sent_date"] <= pl.concat([may, june])["due_date"]).all()


def test_a_loan_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="loan 0 was transferred"):
        due(assign(SALE), homes(), date(2010, 3, 1))
