"""Offers on the shipped tape: their contract, the sums, the strips, and what is open to whom."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from poolhouse import loans, rules, standards
from poolhouse.sale import pricing
from poolhouse.tables import OFFERS
from poolhouse.tables.codes import ASSUMED, FHLMC, FNMA, GNMA
from poolhouse.tables.offers import PARTS

DAY = date(2009, 6, 1)
BOOK = rules.load()


@pytest.fixture(scope="module")
def tape() -> pl.DataFrame:
    return loans.as_loans(loans.read_tape(loans.demo_tape()).tape.gather_every(25))


@pytest.fixture(scope="module")
def checks(tape: pl.DataFrame) -> pl.DataFrame:
    return standards.evaluate(tape, DAY, BOOK)


@pytest.fixture(scope="module")
def offered(tape: pl.DataFrame, checks: pl.DataFrame) -> pl.DataFrame:
    return pricing.offers(tape, checks, pricing.model_sheet(DAY, BOOK), DAY, BOOK)


def test_offers_keep_their_contract(offered: pl.DataFrame) -> None:
    assert OFFERS.conform(offered).equals(offered)
    assert offered.select(OFFERS.key).is_unique().all()


def test_parts_sum_to_the_price_and_the_price_to_the_proceeds(offered: pl.DataFrame) -> None:
    assert (offered.select(pl.sum_horizontal(PARTS)).to_series() == offered["all_in_e6"]).all()
    exact = offered["balance_cents"].to_numpy().astype(object) * offered["all_in_e6"].to_numpy().astype(object)
    assert [(2 * x + 100_000_000) // 200_000_000 for x in exact[:3000]] == offered["proceeds_cents"].to_list()[:3000]
    for name in ("buy_down_e6", "llpa_e6", "mi_e6", "hedge_e6", "delivery_e6", "credit_e6"):
        assert (offered[name] <= 0).all(), name


def test_strips_sum_to_the_note_rate_within_their_limits(tape: pl.DataFrame, offered: pl.DataFrame) -> None:
    with_note = offered.join(tape.select("loan_id", "note_rate_e7"), on="loan_id")
    strips = ["coupon_rate_e7", "guaranty_fee_rate_e7", "servicing_fee_rate_e7", "excess_rate_e7"]
    sold = with_note.filter(pl.col("execution").is_in(["swap", "cash"]))
    assert (sold.select(pl.sum_horizontal(strips)).to_series() == sold["note_rate_e7"]).all()
    swap = sold.filter(pl.col("execution") == "swap")
    for programs, least, most in (((FNMA, FHLMC), 25_000, 50_000), ((GNMA,), 19_000, 69_000)):
        part = swap.filter(pl.col("program").is_in(programs))
        assert part.height and part["servicing_fee_rate_e7"].is_between(least, most).all()
    assert swap["buy_up_rate_e7"].max() <= 25_000 and swap["guaranty_fee_rate_e7"].min() >= 0
    assert set(swap.filter(pl.col("program") == GNMA)["guaranty_fee_rate_e7"]) == {6_000}


def test_only_what_the_standards_allow_is_offered(checks: pl.DataFrame, offered: pl.DataFrame) -> None:
    open_to = checks.filter(pl.col("answer") <= ASSUMED).select("loan_id", "program")
    asked = offered.filter(pl.col("program") != 0).select("loan_id", "program").unique()
    assert asked.join(open_to, on=["loan_id", "program"], how="anti").is_empty()
    assert offered.filter(pl.col("execution") == "hold")["loan_id"].n_unique() == checks["loan_id"].n_unique()


def test_a_part_of_a_tape_is_priced_like_the_whole(
    tape: pl.DataFrame, checks: pl.DataFrame, offered: pl.DataFrame
) -> None:
    few = tape.filter(pl.col("loan_id") % 7 == 3)
    sheet = pricing.model_sheet(DAY, BOOK)
    alone = pricing.offers(few, checks, sheet, DAY, BOOK, threads=1)
    assert alone.equals(offered.filter(pl.col("loan_id") % 7 == 3))
    assert pricing.offers(few.clear(), checks, sheet, DAY, BOOK).equals(OFFERS.empty())


def test_a_sheet_of_another_day_is_no_sheet(tape: pl.DataFrame) -> None:
    with pytest.raises(ValueError, match="the sheet is of 2009-06-01"):
        pricing.offers(tape, None, pricing.model_sheet(DAY, BOOK), date(2009, 7, 1), BOOK)
