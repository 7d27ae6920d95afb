"""Any tape, any payments: no exception, every row a loan or a reject, and every identity of the book holds."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tape_strategies import TAPES, sent

import kit_market as kit
import money_checks
import one_loan_market
from poolhouse.findings import Refused

MONTHS = 5
SMALL_POOLS = {"pooling.min_pool_cents": 100_00}
"""So that a handful of loans makes pools."""


def run_and_check(tape: list[dict[str, Any]], payments: list[dict[str, Any]] | None, small_pools: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        file = kit.write_rows(place / "tape.csv", tape)
        paid = kit.write_rows(place / "payments.csv", payments) if payments else None
        with one_loan_market.own_numbers(SMALL_POOLS if small_pools else {}):
            try:
                market = kit.build(place / "book", file, MONTHS, paid, start="2009-01")
            except Refused as refused:
                assert "none of" in str(refused), refused  # not one row can be used
                return
            money_checks.check_all(market)
            money_checks.check_promises(market)
            assert market.book.check().ok
        market.close_book()


def bounded(examples: int) -> settings:
    return settings(
        max_examples=examples, deadline=None, derandomize=True, database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )  # fmt: skip


@bounded(4)
@given(tape=TAPES, small_pools=st.booleans())
def test_any_tape_under_the_borrower_model(tape: list[dict[str, Any]], small_pools: bool) -> None:
    run_and_check(tape, None, small_pools)


@bounded(5)
@given(data=st.data(), tape=TAPES, small_pools=st.booleans())
def test_any_tape_and_any_payments(data: st.DataObject, tape: list[dict[str, Any]], small_pools: bool) -> None:
    run_and_check(tape, data.draw(sent(tape, MONTHS)), small_pools)


@pytest.mark.slow
@bounded(150)
@given(data=st.data(), tape=TAPES, small_pools=st.booleans(), model=st.booleans())
def test_many_tapes(data: st.DataObject, tape: list[dict[str, Any]], small_pools: bool, model: bool) -> None:
    run_and_check(tape, None if model else data.draw(sent(tape, MONTHS)), small_pools)
