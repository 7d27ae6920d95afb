"""A month's loans together: pools fill by loans that lose nothing, or less than waiting costs."""

from __future__ import annotations

from typing import Any

import polars as pl

from poolhouse import rules, sale
from poolhouse.dates import parse_month
from poolhouse.sale.choice.monthly import NONE_WAITING, together
from poolhouse.sale.outlets import best, offers
from sale.market_frames import candidates, checks, lender, lenders

MONTH = parse_month("2009-02")
BOOK = rules.load()
SHEET = sale.opening_sheet(MONTH, BOOK)
FNMA, FHLMC = 1, 2


def offered(count: int, prices: pl.DataFrame = SHEET, **fact: Any) -> tuple[pl.DataFrame, pl.DataFrame]:
    loans = candidates(*({"scheduled_upb_cents": 199_000_00, **fact} for _ in range(count)))
    answers = {i: {FNMA: 0, FHLMC: 0} for i in range(count)}
    found = offers(loans, checks(answers), lenders(lender()), prices, MONTH, BOOK)
    return found, loans.select("loan_id", "term_months")


def waiting(program: int, coupon: int, cents: int) -> pl.DataFrame:
    row = {"program": program, "term_months": 360, "coupon_rate_e7": coupon, "scheduled_upb_cents": cents}
    return pl.DataFrame([row], schema=NONE_WAITING.schema)


def test_loans_that_either_enterprise_pays_alike_for_fill_one_pool_instead_of_two() -> None:
    found, terms = offered(7)
    alone = best(found, MONTH)
    # 7 x 199,000 make one pool of a million, not two.
    assert alone["program"].n_unique() == 2
    chosen = together(found, NONE_WAITING, terms, MONTH, BOOK)
    assert chosen["program"].n_unique() == 1
    assert chosen["worth_cents"].sum() == alone["worth_cents"].sum()
    assert chosen.columns == alone.columns
    moved = chosen.filter(pl.col("program") != alone["program"])
    assert moved["tie"].to_list() == [""] * moved.height


def test_loans_go_where_others_wait() -> None:
    found, terms = offered(2)
    for program in (FNMA, FHLMC):
        there = waiting(program, 400_000, 700_000_00)
        assert together(found, there, terms, MONTH, BOOK)["program"].to_list() == [program] * 2


def test_nothing_moves_where_no_pool_can_fill_or_all_are_full() -> None:
    found, terms = offered(3)
    alone = best(found, MONTH)
    assert together(found, NONE_WAITING, terms, MONTH, BOOK).equals(alone)
    full = pl.concat([waiting(p, c, 5_000_000_00) for p in (FNMA, FHLMC) for c in (350_000, 400_000)])
    assert together(found, full, terms, MONTH, BOOK).equals(alone)


def test_a_loan_moves_for_less_than_waiting_costs_and_not_for_more() -> None:
    cost = int(BOOK.get("sale.waiting_cost_e6", parse_date(MONTH)))
    for less, goes in ((cost - 10_000, FHLMC), (cost + 10_000, FNMA)):
        price = pl.when(pl.col("program") == FHLMC).then(pl.col("price_e6") - less).otherwise("price_e6")
        found, terms = offered(2, SHEET.with_columns(price.alias("price_e6")))
        there = waiting(FHLMC, 400_000, 700_000_00)
        assert together(found, there, terms, MONTH, BOOK)["program"].to_list() == [goes] * 2


def parse_date(month: int) -> Any:
    from poolhouse.dates import first_day

    return first_day(month)


def test_no_loans_no_choice() -> None:
    found, terms = offered(1)
    assert together(found.clear(), NONE_WAITING, terms.clear(), MONTH, BOOK).height == 0
