"""Lenders watched: an exact tail against fractions, and who is stopped and who isn't."""

from __future__ import annotations

import math
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poolhouse import rules, sale
from poolhouse.dates import parse_month
from poolhouse.sale.tail import at_least
from poolhouse.tables import LENDER_STATES

MONTH = parse_month("2010-06")
BOOK = rules.load()


def exact(count: int, cells: list[tuple[int, float]]) -> Fraction:
    """P(X >= count) loan by loan, in fractions."""
    chances = [Fraction(1)] + [Fraction(0)] * count
    for loans, rate in cells:
        p = Fraction(rate)
        for _ in range(loans):
            for j in range(count, 0, -1):
                stays = 1 if j == count else 1 - p
                chances[j] = chances[j] * stays + chances[j - 1] * p
            chances[0] *= 1 - p
    return chances[count]


@settings(max_examples=60, deadline=None)
@given(
    cells=st.lists(st.tuples(st.integers(1, 12), st.floats(0.0001, 0.9)), min_size=1, max_size=4),
    count=st.integers(1, 12),
)
def test_the_tail_equals_fractions(cells: list[tuple[int, float]], count: int) -> None:
    assert at_least(count, cells) == pytest.approx(float(exact(count, cells)), abs=1e-12)


def test_the_tail_of_a_large_book_neither_underflows_nor_drifts() -> None:
    # 200,000 loans at 2%: the chance of none is 10^-1755. Summed term by term from logarithms of factorials.
    loans, rate, count = 200_000, 0.02, 4_200
    logs = (
        math.lgamma(loans + 1) - math.lgamma(j + 1) - math.lgamma(loans - j + 1)
        + j * math.log(rate) + (loans - j) * math.log1p(-rate)
        for j in range(count, 6_000)
    )  # fmt: skip
    whole = at_least(count, [(loans, rate)])
    assert whole == pytest.approx(math.fsum(math.exp(log) for log in logs), rel=1e-6)
    assert at_least(count, [(150_000, rate), (50_000, rate)]) == pytest.approx(whole, abs=1e-10)


def watch(*groups: tuple[int, int, int, dict[str, object]]) -> pl.DataFrame:
    """(lender, loans, serious defaults, columns) -> one row per loan."""
    parts = []
    for lender, loans, serious, columns in groups:
        row = {"kind": "conventional", "score_mid": 720, "ltv_e4": 7_800, "vintage": 2009} | columns
        parts.append(
            pl.DataFrame({k: [v] * loans for k, v in row.items()}).with_columns(
                pl.lit(lender, pl.Int32).alias("lender_id"),
                pl.Series("serious", [i < serious for i in range(loans)]),
                pl.col("score_mid").cast(pl.Int16),
                pl.col("ltv_e4").cast(pl.Int32),
            )
        )
    frame = pl.concat(parts)
    return frame.with_columns(pl.int_range(pl.len(), dtype=pl.Int32).alias("loan_id"))


def rate(frame: pl.DataFrame, previous: pl.DataFrame | None = None) -> pl.DataFrame:
    states = LENDER_STATES.empty() if previous is None else previous
    return sale.rate_lenders(frame, states, MONTH, BOOK).records["lender_states"]


def test_a_bad_lender_is_stopped_and_a_big_one_with_the_same_count_is_not() -> None:
    frame = watch((1000, 100, 8, {}), (1001, 1_000, 8, {}), (1002, 5_000, 50, {}))
    outcome = sale.rate_lenders(frame, LENDER_STATES.empty(), MONTH, BOOK)
    row = outcome.records["lender_states"].row(0, named=True)
    assert outcome.records["lender_states"].height == 1
    assert (row["lender_id"], row["state"], row["serious_defaults"], row["loans"]) == (1000, "stopped", 8, 100)
    # Others: 58 of 6,000, and the prior of 100 loans at (58 + 1) / (6,000 + 2).
    peer = Fraction(58 + 100 * Fraction(59, 6002), 6_100)
    tail = 1 - sum(math.comb(100, j) * peer**j * (1 - peer) ** (100 - j) for j in range(8))
    assert row["p_value_e9"] == round(tail * 10**9)
    assert row["expected_defaults_e6"] == round(100 * peer * 10**6)
    event = outcome.events[0]
    assert (event.kind, event.body["lender_id"]) == ("LenderStateChanged", 1000)
    assert "8 of 100 loans" in event.body["reason"]


def test_four_defaults_are_never_enough() -> None:
    assert not rate(watch((1000, 4, 4, {}), (1001, 100_000, 10, {}))).height
    assert rate(watch((1000, 5, 5, {}), (1001, 100_000, 10, {}))).height


def test_a_lender_of_risky_loans_is_compared_with_like_loans() -> None:
    risky = {"kind": "fha", "score_mid": 610, "ltv_e4": 9_800}
    peers = [(1001, 2_000, 200, risky), (1001, 20_000, 100, {})]
    assert not rate(watch((1000, 100, 12, risky), *peers)).height
    assert rate(watch((1000, 100, 12, {}), *peers))["lender_id"].to_list() == [1000]


def test_a_lender_alone_has_no_peers_and_is_not_judged() -> None:
    assert not rate(watch((1000, 100, 90, {}))).height


def test_once_stopped_it_is_not_stopped_again() -> None:
    frame = watch((1000, 100, 8, {}), (1001, 5_000, 50, {}))
    first = rate(frame)
    assert first.height == 1
    assert not rate(frame, first).height


def test_unknown_scores_and_values_are_a_band_of_their_own() -> None:
    blank = {"score_mid": None, "ltv_e4": None}
    assert not rate(watch((1000, 100, 10, blank), (1001, 1_000, 100, blank), (1001, 9_000, 9, {}))).height


def test_the_order_of_rows_decides_nothing() -> None:
    frame = watch(
        (1000, 100, 8, {}), (1000, 50, 3, {"kind": "fha"}), (1001, 5_000, 50, {}), (1001, 50, 1, {"kind": "fha"})
    )
    assert rate(frame).equals(rate(frame.sample(fraction=1.0, shuffle=True, seed=3)))
