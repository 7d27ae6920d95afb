"""Payments files as they come: bad rows are rejected with a reason each, the others go on; bad files are refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import kit_market as kit
import money_checks
from poolhouse.findings import Refused
from poolhouse.market.market import Market

PAYMENT = 158_017


def row(
    loan: str, cents: Any = PAYMENT, day: str = "2009-03-10", kind: str = "instalment", reference: str = ""
) -> dict[str, Any]:
    values = (loan, day, cents, kind, reference or f"{loan}/{day}/{kind}")
    return dict(zip(kit.PAYMENT_COLUMNS, values, strict=True))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve loans sold and pooled in February, the first instalments due on 1 March; March is ready to close."""
    folder = tmp_path_factory.mktemp("template")
    market = kit.build(folder / "book", kit.write_rows(folder / "tape.csv", kit.alike(12)), 2)
    for step in kit.STEPS[:-1]:
        getattr(market, step)()
    market.close_book()
    return folder / "book"


@pytest.fixture
def march(template: Path, tmp_path: Path) -> Market:
    """A copy of that book."""
    return kit.copied(template, tmp_path / "book")


BAD: list[tuple[dict[str, Any], str, str]] = [
    (row("L-9999"), "loan", "no such loan"),
    (row(""), "loan", "no such loan"),
    (row("L-0001", day="10.03.2009"), "received_date", "is no date"),
    (row("L-0001", day="2009-02-30"), "received_date", "is no date"),
    (row("L-0001", cents="1580.17"), "amount_cents", "no whole number of cents"),
    (row("L-0001", cents="all of it"), "amount_cents", "no whole number of cents"),
    (row("L-0001", cents=""), "amount_cents", "no whole number of cents"),
    (row("L-0001", cents=0), "amount_cents", "must be above zero"),
    (row("L-0001", cents=-PAYMENT), "amount_cents", "must be above zero"),
    (row("L-0001", cents=10**12 + 1), "amount_cents", "more than any loan owes"),
    (row("L-0001", cents=10**25), "amount_cents", "no whole number of cents"),
    (row("L-0001", kind="gift"), "kind", "must be one of instalment, curtailment, payoff, liquidation"),
    (row("L-0001", reference=" "), "reference", "is empty"),
]


def test_bad_rows_are_rejected_and_the_others_go_on(march: Market, tmp_path: Path) -> None:
    good = [row("L-0000"), row("L-0001", reference="g-1"), row("L-0002", cents="158,017", kind="Payment")]
    rows = [good[0], *[bad for bad, _, _ in BAD], *good[1:]]
    answer = march.close_month(kit.write_rows(tmp_path / "payments.csv", rows))
    assert (answer["received_cents"], answer["rejected"]) == (3 * PAYMENT, len(BAD))
    kept = march.book.segment("payments")
    assert kept["amount_cents"].to_list() == [PAYMENT] * 3 and set(kept["kind"]) == {"instalment"}
    rejects = march.book.segment("rejects")
    assert rejects["row"].to_list() == list(range(2, len(BAD) + 2))
    for found, (sent, field, reason) in zip(rejects.to_dicts(), BAD, strict=True):
        assert (found["field"], found["loan_number"]) == (field, sent["loan"])
        assert reason in found["reason"] and found["value"] == str(sent[field]).strip()
    assert [r["row"] for r in answer["rejects"]] == rejects["row"].to_list()
    money_checks.check_all(march)


def test_a_reference_is_booked_once(march: Market, tmp_path: Path) -> None:
    """Twice in a file, or again in a later month: the second is a reject; loans may share a day, not a reference."""
    first = [
        row("L-0000", reference="A"),
        row("L-0000", reference="A"),
        row("L-0001", reference="A"),
        row("L-0001", reference="B"),
    ]
    march.close_month(kit.write_rows(tmp_path / "march.csv", first))
    assert march.book.segment("payments")["reference"].to_list() == ["A", "B"]
    for step in kit.STEPS[:-1]:
        getattr(march, step)()
    later = [row("L-0000", day="2009-04-09", reference="B"), row("L-0002", day="2009-04-09", reference="C")]
    answer = march.close_month(kit.write_rows(tmp_path / "april.csv", later))
    assert answer["rejected"] == 1 and "was received before" in answer["rejects"][0]["reason"]
    assert march.book.segment("payments")["reference"].to_list() == ["A", "B", "C"]


def test_rows_of_other_months_wait_for_their_month(march: Market, tmp_path: Path) -> None:
    """One file may hold a year: each close takes its own month, and nothing is rejected for being early."""
    year = kit.write_rows(
        tmp_path / "year.csv",
        [row("L-0000", day=f"2009-{m:02d}-09", reference=f"r{m}") for m in range(3, 6)],
    )  # fmt: skip
    assert march.close_month(year)["rejected"] == 0
    for _ in range(2):
        kit.month_by_steps(march, year)
    paid = march.book.segment("loan_months").filter(pl.col("loan_id") == 0)
    assert paid["paid_cents"].to_list() == [0, 0, PAYMENT, PAYMENT, PAYMENT]


def test_a_bad_row_is_told_once_wherever_its_file_comes_again(march: Market, tmp_path: Path) -> None:
    """A file of several months comes with each close; another file's first row is another row."""
    rows = [row("L-0000", cents=-1), row("L-0001", day="soon"), row("L-0002"), row("L-0003", day="2009-02-10")]
    file = kit.write_rows(tmp_path / "file.csv", [*rows, row("L-0002", day="2009-04-10")])
    assert march.close_month(file)["rejected"] == 3
    kit.month_by_steps(march, file)
    assert march.book.segment("rejects").height == 3
    other = kit.write_rows(tmp_path / "other.csv", [row("L-0000", cents=-1, day="2009-05-10")])
    kit.month_by_steps(march, other)
    assert march.book.segment("rejects").height == 4


def test_money_for_a_loan_that_ended_is_rejected(march: Market, tmp_path: Path) -> None:
    off = kit.write_rows(tmp_path / "off.csv", [row("L-0003", cents=26_000_000, kind="payoff")])
    march.close_month(off)
    ended = march.book.segment("loan_months", kit.JANUARY + 2).filter(pl.col("end_code") > 0)
    assert ended["loan_id"].to_list() == [3] and ended["refunded_cents"][0] > 0
    for month in (4, 5):
        for step in kit.STEPS[:-1]:
            getattr(march, step)()
        answer = march.close_month(
            kit.write_rows(tmp_path / f"{month}.csv", [row("L-0003", day=f"2009-{month:02d}-09")])
        )
        assert answer["rejected"] == 1 and "has ended" in answer["rejects"][0]["reason"], month
    money_checks.check_all(march)


def test_too_small_a_payoff_is_an_exception_not_a_loss(march: Market, tmp_path: Path) -> None:
    """The money is not taken, and the row says so."""
    answer = march.close_month(kit.write_rows(tmp_path / "off.csv", [row("L-0003", cents=20_000_000, kind="payoff")]))
    assert answer["received_cents"] == 0
    assert march.book.segment("payments")["disposition"].to_list() == ["exception"]
    money_checks.check_all(march)


def test_an_empty_month_is_a_month_in_which_nobody_paid(march: Market, tmp_path: Path) -> None:
    """A header alone is a file: the servicer advances what is due."""
    file = tmp_path / "nobody.csv"
    file.write_text(",".join(kit.PAYMENT_COLUMNS) + "\n")
    answer = march.close_month(file)
    assert answer["received_cents"] == 0 and answer["advanced_cents"] > 0
    money_checks.check_all(march)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\x00\x01\x02\xff\xfe" * 100, "payments.csv"),
        (b"PAR1 but nothing else", "Parquet"),
        (b"loan,amount_cents\nL-0000,158017\n", "column received_date, kind, reference is missing"),
        (b"Loan,loan ,received_date,amount_cents,kind,reference\n", "column loan stands twice"),
        (b"loan,loan,received_date,amount_cents,kind,reference\na,b,c,d,e,f\n", "column loan stands twice"),
    ],
)
def test_a_file_that_is_no_payments_file_is_refused(march: Market, tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "payments.csv"
    file.write_bytes(content)
    before = march.book.head
    with pytest.raises(Refused, match=re.escape(said)):
        march.close_month(file)
    assert march.book.head == before
    with pytest.raises(Refused, match="no such file"):
        march.close_month(tmp_path / "nothing.csv")
    with pytest.raises(Refused, match="is not a file"):
        march.close_month(tmp_path)


def test_a_line_that_is_no_row_is_rejected_and_the_others_go_on(march: Market, tmp_path: Path) -> None:
    """A field too many, an open quote: the row is told, its neighbours are booked."""
    file = kit.write_rows(tmp_path / "payments.csv", [row("L-0000"), row("L-0001", reference="g-1")])
    file.write_text(
        file.read_text() + 'L-0002,2009-03-10,158017,instalment,r,more\nL-0003,"2009-03-10,1,instalment,s\n'
    )
    answer = march.close_month(file)
    assert (answer["received_cents"], answer["rejected"]) == (2 * PAYMENT, 2)
    assert [(r["row"], r["field"], r["loan_number"]) for r in answer["rejects"]] == [
        (3, "row", "L-0002"),
        (4, "row", "L-0003"),
    ]
    assert "6 fields" in answer["rejects"][0]["reason"]


def test_rows_of_different_files_are_different_rows(march: Market, tmp_path: Path) -> None:
    """An undated row is told for each file it stands in, though number and loan are the same; and once per file."""
    for name, loan in (("a", "L-0000"), ("b", "L-0001")):
        rows = [row(loan, reference=f"{name}{m}", day=f"2009-{m:02d}-10") for m in (3, 4, 5)]
        kit.write_rows(tmp_path / f"{name}.csv", [row("L-0002", day="soon"), *rows])
    assert march.close_month(tmp_path / "a.csv")["rejected"] == 1
    kit.month_by_steps(march, tmp_path / "b.csv")
    assert march.book.segment("rejects").height == 3  # the undated row of each, and b's of March: closed
    kit.month_by_steps(march, tmp_path / "b.csv")
    assert march.book.segment("rejects").height == 3


def test_rows_that_wait_are_counted(march: Market, tmp_path: Path) -> None:
    file = kit.write_rows(tmp_path / "p.csv", [row("L-0000"), row("L-0000", day="2009-05-10", reference="later")])
    assert march.close_month(file)["waiting"] == {"2009-05": 1}


def test_semicolons_separate_as_well(march: Market, tmp_path: Path) -> None:
    file = kit.write_rows(tmp_path / "payments.csv", [row("L-0000")])
    file.write_text(file.read_text().replace(",", ";"))
    assert march.close_month(file)["received_cents"] == PAYMENT


def test_a_byte_order_mark_does_no_harm(march: Market, tmp_path: Path) -> None:
    plain = kit.write_rows(tmp_path / "payments.csv", [row("L-0000")])
    plain.write_bytes(b"\xef\xbb\xbf" + plain.read_bytes())
    assert march.close_month(plain)["received_cents"] == PAYMENT


def test_columns_in_any_order_case_and_format(march: Market, tmp_path: Path) -> None:
    frame = pl.DataFrame([row("L-0000")]).select(reversed(kit.PAYMENT_COLUMNS)).with_columns(note=pl.lit("thanks"))
    frame = frame.rename({"loan": " Loan "}).with_columns(pl.col("received_date").str.to_date())
    frame.write_parquet(tmp_path / "payments.parquet")
    assert march.close_month(tmp_path / "payments.parquet")["received_cents"] == PAYMENT


def test_loans_paid_ahead_are_paid_off_and_curtailed(march: Market, tmp_path: Path) -> None:
    """Instalments held ahead count for the payoff, their interest too; the ledger closes on the same balances."""
    ahead = [row(f"L-{number:04d}", 4 * PAYMENT) for number in range(4)]
    then = [
        row("L-0000", 26_000_000, "2009-04-17", "payoff"), row("L-0001", 24_940_000, "2009-04-17", "curtailment"),
        row("L-0002", 4_700_000, "2009-04-16", "curtailment"), row("L-0002", 26_000_000, "2009-04-17", "payoff"),
        row("L-0003", PAYMENT, "2009-04-05"), row("L-0003", 26_000_000, "2009-04-17", "payoff"),
    ]  # fmt: skip
    file = kit.write_rows(tmp_path / "payments.csv", ahead + then)
    march.close_month(file)
    kit.month_by_steps(march, file)
    ended = march.book.segment("loan_months", kit.JANUARY + 3).filter(pl.col("loan_id") < 4)
    assert ended["closing_actual_cents"].to_list() == [0] * 4
    assert march.verify()["ok"]
