"""Steps out of order are refused and say what to run; the same step again gives the same answer."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import kit_market as kit
from poolhouse.findings import Refused
from poolhouse.market.market import Market


@pytest.fixture
def market(tmp_path: Path) -> Market:
    """A book with forty loans closed in January 2009, nothing else done."""
    tape = kit.write_rows(tmp_path / "tape.csv", kit.alike(8))
    made = Market(tmp_path / "book", create=True)
    made.close(tape)
    return made


@pytest.mark.parametrize("position", range(1, len(kit.STEPS)))
def test_a_step_before_its_turn_is_refused(market: Market, position: int) -> None:
    step, missing = kit.STEPS[position], kit.STEPS[position - 1]
    for earlier in kit.STEPS[: position - 1]:
        getattr(market, earlier)()
    head = market.book.head
    words = f"{step.replace('_', '-')}: out of order; 2009-01 is open and `{missing.replace('_', '-')}` has not run yet"
    with pytest.raises(Refused, match=re.escape(words)):
        getattr(market, step)()
    assert market.book.head == head
    getattr(market, missing)()
    getattr(market, step)()


def test_nothing_can_be_done_without_a_book(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="there is no book"):
        Market(tmp_path / "nowhere")
    empty = Market(tmp_path / "nowhere", create=True)
    for step in kit.STEPS:
        with pytest.raises(Refused, match="there is no book"):
            getattr(empty, step)()
    assert not (tmp_path / "nowhere").exists()


def test_the_same_step_twice_gives_the_same_answer(market: Market, tmp_path: Path) -> None:
    closed = market.close(tmp_path / "tape.csv")
    for step in kit.STEPS[:-1]:
        first = getattr(market, step)()
        head, keys = market.book.head, market.book.command_keys()
        assert getattr(market, step)() == first
        assert (market.book.head, market.book.command_keys()) == (head, keys)
    assert market.close(tmp_path / "tape.csv") == closed


def test_a_late_tape_closes_before_the_months_check(market: Market, tmp_path: Path) -> None:
    """Two tapes in one month: both close; their loans go on together."""
    other = kit.write_rows(tmp_path / "more.csv", kit.alike(3, originator_id="second-bank"))
    rows = [line.replace("L-", "M-") for line in other.read_text().splitlines()]
    other.write_text("\n".join(rows) + "\n")
    assert market.close(other)["closed_now"] == 3
    kit.month_by_steps(market)
    assert market.book.segment("loan_months").height == 11


def test_a_tape_after_the_months_check_waits_for_the_next_month(market: Market, tmp_path: Path) -> None:
    """Its loans would be judged by nobody."""
    other = kit.write_rows(tmp_path / "other.csv", [{**kit.ONE_LOAN, "loan_number": "LATE"}])
    market.check()
    with pytest.raises(Refused, match="2009-01's loans were checked already; close the month, then bring this tape"):
        market.close(other)
    assert market.close(tmp_path / "tape.csv")["closed_now"] == 8
    for step in kit.STEPS[1:]:
        getattr(market, step)()
    assert market.close(other)["closed_now"] == 1
    market.check()
    assert market.book.segment("checks")["loan_id"].n_unique() == 9


def test_loan_numbers_the_book_has_are_rejected(market: Market, tmp_path: Path) -> None:
    again = kit.write_rows(tmp_path / "again.csv", [*kit.alike(2), {**kit.ONE_LOAN, "loan_number": "NEW"}])
    answer = market.close(again)
    assert answer["closed_now"] == 1
    rejects = market.book.segment("rejects")
    assert rejects["loan_number"].to_list() == ["L-0000", "L-0001"]
    assert all("has this loan already" in reason for reason in rejects["reason"])


def test_after_the_month_closed_its_payments_stand(market: Market, tmp_path: Path) -> None:
    """The model's January was closed: another payments file can only be February's."""
    kit.month_by_steps(market)
    january = kit.write_rows(tmp_path / "payments.csv", [_payment("L-0000", "2009-01-20", "r-1")])
    with pytest.raises(Refused, match="2009-02 is open"):
        market.close_month(january)
    assert market.book.segment("payments").height == 0


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"seed": 9}, "--seed 9: the book was opened with 1"),
        ({"start": "2009-03"}, "--start 2009-03: the book was opened with 2009-01"),
        ({"start": "soon"}, "'soon' is no month: write YYYY-MM"),
        ({"edition": "1999"}, "--edition 1999: the book was opened with"),
    ],
)
def test_a_book_keeps_its_terms(market: Market, tmp_path: Path, terms: dict[str, object], said: str) -> None:
    head = market.book.head
    with pytest.raises(Refused, match=re.escape(said)):
        Market(tmp_path / "book", create=True, **terms).run(tmp_path / "tape.csv", months=1)  # type: ignore[arg-type]
    assert market.book.head == head


def test_a_start_without_a_mortgage_rate_makes_no_book(tmp_path: Path) -> None:
    tape = kit.write_rows(tmp_path / "tape.csv", kit.alike(1))
    with pytest.raises(Refused):
        kit.build(tmp_path / "book", tape, 1, start="1950-01")
    assert not (tmp_path / "book").exists()


def test_months_must_be_one_or_more(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="must be at least 1"):
        kit.build(tmp_path / "book", kit.write_rows(tmp_path / "tape.csv", kit.alike(1)), 0)


def test_another_tape_after_the_months_are_over_is_refused(market: Market, tmp_path: Path) -> None:
    kit.month_by_steps(market)
    other = kit.write_rows(tmp_path / "other.csv", [{**kit.ONE_LOAN, "loan_number": "LATE"}])
    with pytest.raises(Refused, match="never had this tape"):
        kit.build(tmp_path / "book", other, 1)


def _payment(loan: str, day: str, reference: str, cents: int = 158_017) -> dict[str, object]:
    return dict(zip(kit.PAYMENT_COLUMNS, (loan, day, cents, "instalment", reference), strict=True))
