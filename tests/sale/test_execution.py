"""Coupon choice against fractions, the tape's own rates and the published limits."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolhouse import loans, rules
from poolhouse.sale.execution import with_coupons, with_term_bucket

OF_2009 = date(2009, 2, 1)


def split(program: int, note_e7: int, as_of: date = OF_2009) -> tuple[int | None, int, int, int]:
    """coupon, guaranty fee, servicing fee, buy-up of one note."""
    frame = pl.DataFrame({"program": [program], "note_rate_e7": [note_e7]}).cast(
        {"program": pl.Int8, "note_rate_e7": pl.Int32}
    )
    row = with_coupons(frame, as_of, rules.load()).row(0, named=True)
    return (
        row["coupon_rate_e7"],
        row["guaranty_fee_rate_e7"],
        row["servicing_fee_rate_e7"],
        row["buy_up_rate_e7"],
    )


@pytest.mark.parametrize(
    ("program", "note", "coupon", "guaranty", "servicing", "buy_up"),
    [
        (1, 487_500, 400_000, 37_500, 50_000, 15_500),  # 87.5 bp: 22 + 25, then 25 to servicing, 15.5 bought up
        (1, 500_000, 450_000, 22_000, 28_000, 0),
        (2, 497_000, 450_000, 22_000, 25_000, 0),  # exactly the least spread
        (2, 496_999, 400_000, 46_999, 50_000, 24_999),  # just below it: the lower coupon, nearly all the buy-up
        (3, 550_000, 500_000, 6_000, 44_000, 0),  # the 50 bp that Ginnie I asks for: 44 + 6
        (3, 525_000, 500_000, 6_000, 19_000, 0),
        (3, 524_999, 450_000, 6_000, 68_999, 0),
        (4, 587_500, 550_000, 0, 37_500, 0),
    ],
)
def test_strips_by_hand(program: int, note: int, coupon: int, guaranty: int, servicing: int, buy_up: int) -> None:
    assert split(program, note) == (coupon, guaranty, servicing, buy_up)


@given(note=st.integers(97_000, 2_000_000), program=st.integers(1, 4))
def test_the_note_rate_is_divided_without_remainder_and_within_limits(note: int, program: int) -> None:
    coupon, guaranty, servicing, buy_up = split(program, note)
    assert coupon is not None, "the fee of 2009 leaves every note a coupon"
    assert coupon + guaranty + servicing == note
    assert coupon % 50_000 == 0
    fee, least, most, up = {1: (22, 25, 50, 25), 2: (22, 25, 50, 25), 3: (6, 19, 69, 0), 4: (0, 25, 75, 0)}[program]
    assert guaranty == fee * 1_000 + buy_up
    assert least * 1_000 <= servicing <= most * 1_000
    assert 0 <= buy_up <= up * 1_000
    # The highest such coupon, by fractions of a half point.
    assert coupon == Fraction(note - (fee + least) * 1_000, 50_000).__floor__() * 50_000


def test_no_coupon_where_the_spread_breaks_the_limits_of_its_time() -> None:
    # Fee 47.5 bp in 2023: 72.5 bp at least, so 6.72% falls to 5.5 and 122 bp, over the 112.5 allowed since 2019.
    assert split(1, 672_000, date(2023, 6, 1))[0] is None
    assert split(1, 672_500, date(2023, 6, 1))[0] == 600_000
    assert split(3, 24_000)[0] is None, "no coupon of zero"


def test_coupons_of_the_2009_tape() -> None:
    """Counts by coupon of its 45,008 conventional loans, counted apart from this code (AMA 2009 public use file)."""
    tape = loans.read_tape(loans.demo_tape()).tape.filter(pl.col("kind") == "conventional")
    chosen = with_coupons(
        tape.select(pl.lit(1, pl.Int8).alias("program"), "note_rate_e7"), OF_2009, rules.load()
    ).group_by("coupon_rate_e7")
    counts = dict(chosen.len().sort("coupon_rate_e7").rows())
    assert counts == {
        350_000: 89,
        400_000: 22_535,
        450_000: 18_608,
        500_000: 3_468,
        550_000: 244,
        600_000: 59,
        650_000: 5,
    }


def test_terms_go_to_the_smallest_bucket_that_holds_them() -> None:
    terms = [60, 120, 121, 180, 181, 240, 241, 360, 480]
    frame = pl.DataFrame({"term_months": terms}, schema={"term_months": pl.Int16})
    buckets = with_term_bucket(frame, OF_2009, rules.load())["term_bucket"].to_list()
    assert buckets == [120, 120, 180, 180, 240, 240, 360, 360, 360]
