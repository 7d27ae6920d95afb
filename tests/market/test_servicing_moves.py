"""Servicing moves on the 1st: custody, advances and the loans go to the new servicer, borrowers are told in time."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

import kit_market as kit
import money_checks
from poolhouse.findings import Refused
from poolhouse.market.market import Market

NEW, NEW_CODE, OLD = 70, "servicer:msr-buyer", 1000
MOVING = ["L-0000", "L-0001", "L-0002", "L-0003"]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve loans pooled in February; in March L-0000 paid nothing, L-0001 paid twice, the others once."""
    folder = tmp_path_factory.mktemp("template")
    tape = kit.write_rows(folder / "tape.csv", kit.alike(12))
    extra = {1: 158_017, 3: 12_345}  # one instalment ahead; less than one, held in suspense
    sent = [(f"L-{i:04d}", "2009-03-05", 158_017 + extra.get(i, 0), "instalment", f"m-{i}") for i in range(1, 12)]
    rows = [dict(zip(kit.PAYMENT_COLUMNS, s, strict=True)) for s in sent]
    kit.build(folder / "book", tape, 3, kit.write_rows(folder / "march.csv", rows)).close_book()
    return folder / "book"


@pytest.fixture
def april(template: Path, tmp_path: Path) -> Market:
    return kit.copied(template, tmp_path / "book")


def listed(tmp_path: Path, *numbers: str) -> Path:
    return kit.write_rows(tmp_path / "loans.csv", [{"loan": n} for n in numbers])


def nobody_pays(tmp_path: Path) -> Path:
    file = tmp_path / "nobody.csv"
    file.write_text(",".join(kit.PAYMENT_COLUMNS) + "\n")
    return file


def test_servicer_custody_and_advances_move_on_the_day(april: Market, tmp_path: Path) -> None:
    answer = april.transfer(listed(tmp_path, *MOVING), NEW_CODE, "2009-06-01")
    assert (answer["loans"], answer["rejected"]) == (4, 0)
    for _ in range(2):
        kit.month_by_steps(april, nobody_pays(tmp_path))
    may = april.book.segment("loan_months", kit.JANUARY + 4)
    assert set(may["servicer_id"]) == {OLD}  # nothing moved before the day
    moving = may.filter(pl.col("loan_id") < 4)
    advances = int(moving["advance_balance_cents"].sum())
    custody = int(moving.select(pl.sum_horizontal("suspense_cents", "prepaid_cents")).to_series().sum())
    assert advances > 0 and custody >= 12_345
    before = {p: kit.balance(april, p, "servicer_advances") for p in (NEW_CODE, "originator:first-bank")}
    assert before[NEW_CODE] == 0
    kit.month_by_steps(april, nobody_pays(tmp_path))
    event = april.book.event_bodies("ServicingTransferred")
    assert event == [{
        "month": "2009-06", "loans": 4, "custody_cents": custody, "advances_cents": advances,
        "actual_cents": int(moving["closing_actual_cents"].sum()),
    }]  # fmt: skip
    day = date(2009, 6, 1)
    assert kit.balance(april, NEW_CODE, "servicer_advances", day) == advances
    assert kit.balance(april, NEW_CODE, "custodial_cash", day) == custody
    assert kit.balance(april, NEW_CODE, "servicing_memo", day) == event[0]["actual_cents"]
    june = april.book.segment("loan_months", kit.JANUARY + 5)
    assert june.filter(pl.col("servicer_id") == NEW)["loan_id"].to_list() == [0, 1, 2, 3]
    terms = ["note_rate_e7", "payment_cents", "maturity_date"]
    assert june.filter(pl.col("loan_id") < 4).select(terms).rows() == moving.select(terms).rows()
    money_checks.check_all(april)
    money_checks.check_promises(april)


def test_payments_go_to_the_new_servicer_from_the_day_on(april: Market, tmp_path: Path) -> None:
    april.transfer(listed(tmp_path, *MOVING), NEW_CODE, "2009-06-01")
    days = ("2009-04-05", "2009-05-05", "2009-06-05")
    rows = [dict(zip(kit.PAYMENT_COLUMNS, ("L-0002", d, 158_017, "instalment", d), strict=True)) for d in days]
    file = kit.write_rows(tmp_path / "payments.csv", rows)
    for _ in range(3):
        kit.month_by_steps(april, file)
    paid = april.book.segment("payments").filter(pl.col("received_date") > date(2009, 4, 1))
    assert paid["servicer_id"].to_list() == [OLD, OLD, NEW]
    money_checks.check_all(april)


def test_borrowers_are_told_fifteen_days_before_and_after(april: Market, tmp_path: Path) -> None:
    april.transfer(listed(tmp_path, *MOVING), NEW_CODE, "2009-06-01")
    for _ in range(3):
        kit.month_by_steps(april)
    notices = april.book.segment("notices").filter(pl.col("transfer_date") == date(2009, 6, 1))
    told = {kind: notices.filter(pl.col("kind") == kind) for kind in ("servicing_goodbye", "servicing_hello")}
    for kind, away in (("servicing_goodbye", -15), ("servicing_hello", 15)):
        assert told[kind]["loan_id"].to_list() == [0, 1, 2, 3], kind
        assert set(told[kind]["due_date"]) == {date(2009, 6, 1) + timedelta(days=away)}
        assert all(sent <= due for sent, due in told[kind].select("sent_date", "due_date").rows())
        assert (told[kind]["from_id"][0], told[kind]["to_id"][0]) == (OLD, NEW)


def test_rows_that_cannot_move_are_told_and_the_others_move(april: Market, tmp_path: Path) -> None:
    answer = april.transfer(listed(tmp_path, "L-0000", "X-1", "L-0000", "L-0001"), NEW_CODE, "2009-06-01")
    assert answer["loans"] == 2
    assert [(r["row"], r["reason"]) for r in answer["rejects"]] == [
        (2, "no such loan in the book"),
        (3, "listed twice"),
    ]
    head = april.book.head
    repeated = april.transfer(listed(tmp_path, "L-0000", "X-1", "L-0000", "L-0001"), NEW_CODE, "2009-06-01")
    assert repeated == answer and april.book.head == head
    with pytest.raises(Refused, match="another transfer is agreed already"):
        april.transfer(listed(tmp_path, "L-0001"), "issuer:ginnie-a", "2009-07-01")


@pytest.mark.parametrize(
    ("to", "effective", "said"),
    [
        (NEW_CODE, "2009-04-01", "must be the 1st of a month after 2009-04"),
        (NEW_CODE, "2009-06-02", "must be the 1st of a month"),
        (NEW_CODE, "soon", "is no date"),
        ("borrowers", "2009-06-01", "borrowers"),
        ("originator:first-bank", "2009-06-01", "is serviced there already"),
    ],
)
def test_transfers_that_cannot_be(april: Market, tmp_path: Path, to: str, effective: str, said: str) -> None:
    head = april.book.head
    with pytest.raises(Refused, match=said):
        april.transfer(listed(tmp_path, *MOVING), to, effective)
    assert april.book.head == head
