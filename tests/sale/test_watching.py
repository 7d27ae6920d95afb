"""Lenders watched: an exact tail against fractions, who gets worse and who doesn't, and what people may decide."""

from __future__ import annotations

import math
from datetime import date
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poolhouse import rules, sale
from poolhouse.dates import first_day, parse_month
from poolhouse.findings import Refused
from poolhouse.sale.tail import at_least
from poolhouse.tables import LENDER_STATES, Outcome

MONTH = parse_month("2010-06")
BOOK = rules.load()


def exact(count: int, cells: list[tuple[int, int, int]]) -> Fraction:
    """P(X >= count) by counting the ways the bad loans can lie, in fractions."""
    chances = {0: Fraction(1)}
    for own, every, bad in cells:
        ways = {
            x: Fraction(math.comb(own, x) * math.comb(every - own, bad - x), math.comb(every, bad))
            for x in range(min(own, bad) + 1)
            if bad - x <= every - own
        }
        sums: dict[int, Fraction] = {}
        for a, p in chances.items():
            for b, q in ways.items():
                sums[a + b] = sums.get(a + b, Fraction(0)) + p * q
        chances = sums
    return sum((p for x, p in chances.items() if x >= count), Fraction(0))


cell = st.integers(1, 30).flatmap(lambda every: st.tuples(st.integers(1, every), st.just(every), st.integers(0, every)))


@settings(max_examples=80, deadline=None)
@given(cells=st.lists(cell, min_size=1, max_size=4), count=st.integers(0, 12))
def test_the_tail_equals_fractions(cells: list[tuple[int, int, int]], count: int) -> None:
    assert at_least(count, cells) == pytest.approx(float(exact(count, cells)), abs=1e-12)


def test_the_tail_of_a_large_book_neither_underflows_nor_drifts() -> None:
    # 200,000 of 1,000,000 loans, 20,000 bad ones: 4,000 expected, 4,200 is 3.5 standard deviations off.
    own, every, bad, count = 200_000, 1_000_000, 20_000, 4_200

    def log_comb(n: int, k: int) -> float:
        return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)

    logs = (log_comb(own, x) + log_comb(every - own, bad - x) - log_comb(every, bad) for x in range(count, 6_000))
    whole = at_least(count, [(own, every, bad)])
    assert whole == pytest.approx(math.fsum(math.exp(log) for log in logs), rel=1e-4)  # lgamma's own rounding
    assert 1e-5 < whole < 1e-3


def watch(*groups: tuple[int, int, int, dict[str, object]]) -> pl.DataFrame:
    """(lender, loans, serious defaults, columns) -> one row per loan; `depth` and `at`: how bad, and how soon."""
    parts = []
    for lender, loans, bad, columns in groups:
        row = {"kind": "conventional", "score_mid": 720, "ltv_e4": 7_800, "age": 12, "sold_month": MONTH - 11} | columns
        depth, at = int(str(row.pop("depth", 3))), row.pop("at", 9)
        frame = pl.DataFrame({k: [v] * loans for k, v in row.items()}).with_columns(
            pl.lit(lender, pl.Int32).alias("lender_id"),
            pl.col("score_mid").cast(pl.Int16), pl.col("ltv_e4").cast(pl.Int32),
            *[pl.Series(f"age_{d}", [at if i < bad and d <= depth else None for i in range(loans)], dtype=pl.Int16)
              for d in (1, 2, 3)],
        )  # fmt: skip
        parts.append(frame)
    frame = pl.concat(parts)
    return frame.with_columns(pl.int_range(pl.len(), dtype=pl.Int32).alias("loan_id"))


def rate(frame: pl.DataFrame, previous: pl.DataFrame | None = None, month: int = MONTH) -> pl.DataFrame:
    states = LENDER_STATES.empty() if previous is None else previous
    return sale.rate_lenders(frame, states, month, BOOK).records["lender_states"]


def decided(state: str, month: int, lender: int = 1000) -> pl.DataFrame:
    """A decision about a lender at the start of a month."""
    row = dict.fromkeys(LENDER_STATES.schema, 0) | {
        "decided_date": first_day(month), "effective_date": first_day(month), "lender_id": lender, "month": month,
        "state": state, "previous": "approved", "decided_by": "people", "measure": "", "reason": "a test",
    }  # fmt: skip
    return LENDER_STATES.conform(pl.DataFrame([row], schema=LENDER_STATES.schema))


def test_a_bad_lender_is_suspended_and_a_big_one_with_the_same_count_is_not() -> None:
    frame = watch((1000, 100, 8, {}), (1001, 1_000, 8, {}), (1002, 5_000, 50, {}))
    outcome = sale.rate_lenders(frame, LENDER_STATES.empty(), MONTH, BOOK)
    row = outcome.records["lender_states"].row(0, named=True)
    assert outcome.records["lender_states"].height == 1
    assert (row["lender_id"], row["state"], row["defaults"], row["loans"]) == (1000, "suspended", 8, 100)
    # Others: 58 of 6,000, and the prior of 100 loans at (58 + 1) / (6,000 + 2).
    peer = Fraction(58 + 100 * Fraction(59, 6002), 6_100)
    ways = sum(math.comb(100, j) * math.comb(6_000, 66 - j) for j in range(8, 67))
    assert row["p_value_e9"] == round(Fraction(ways, math.comb(6_100, 66)) * 10**9)
    assert row["expected_defaults_e6"] == round(100 * peer * 10**6)
    assert row["ratio_e4"] == round(8 / (100 * peer) * 10**4)
    event = outcome.events[0]
    assert (event.kind, event.body["lender_id"]) == ("LenderStateChanged", 1000)
    assert "8 of 100 loans" in event.body["reason"]


def test_four_defaults_are_never_enough() -> None:
    assert not rate(watch((1000, 4, 4, {}), (1001, 100_000, 10, {}))).height
    assert rate(watch((1000, 5, 5, {}), (1001, 100_000, 10, {}))).height


def test_the_ratio_decides_how_far_and_chance_whether() -> None:
    """At 1% of peers: 180% of a large lender is watched, 220% suspends; 220% of a small one may be luck."""
    peers = (1001, 100_000, 1_000, {})
    assert rate(watch((1000, 10_000, 180, {}), peers))["state"].to_list() == ["watch"]
    assert rate(watch((1000, 10_000, 220, {}), peers))["state"].to_list() == ["suspended"]
    assert not rate(watch((1000, 10_000, 140, {}), peers)).height  # sure to be worse, but not by so much
    assert not rate(watch((1000, 300, 7, {}), peers)).height


def test_early_payment_defaults_bring_the_overlay() -> None:
    """60 days late by the fourth instalment counts, by the fifth it doesn't; 90 days by the 25th is no default."""
    peers = (1001, 50_000, 200, {"depth": 2, "at": 3})
    assert rate(watch((1000, 200, 9, {"depth": 2, "at": 4}), peers))["state"].to_list() == ["overlay"]
    assert not rate(watch((1000, 200, 9, {"depth": 2, "at": 5}), peers)).height
    old = {"age": 24, "at": 24}
    assert rate(watch((1000, 200, 20, old), (1001, 5_000, 20, old))).height
    assert not rate(watch((1000, 200, 20, old | {"age": 25}), (1001, 5_000, 20, old))).height


def test_a_lender_of_risky_loans_is_compared_with_like_loans() -> None:
    risky = {"kind": "fha", "score_mid": 610, "ltv_e4": 9_800}
    peers = [(1001, 2_000, 200, risky), (1001, 20_000, 100, {})]
    assert not rate(watch((1000, 100, 12, risky), *peers)).height
    assert rate(watch((1000, 100, 12, {}), *peers))["lender_id"].to_list() == [1000]


def test_young_loans_are_compared_with_young_loans() -> None:
    peers = [(1001, 2_000, 10, {"age": 5, "at": 4}), (1001, 2_000, 200, {"age": 20})]
    assert not rate(watch((1000, 100, 10, {"age": 20}), *peers)).height
    assert rate(watch((1000, 100, 10, {"age": 5, "at": 4}), *peers)).height


def test_a_large_lender_beside_few_peers_is_not_condemned_by_their_luck() -> None:
    """Two hundred loans of others without a default prove nothing about fifty thousand with 0.4%."""
    assert not rate(watch((1000, 50_000, 200, {}), (1001, 200, 0, {}))).height


def test_a_lender_alone_has_no_peers_and_is_not_judged() -> None:
    assert not rate(watch((1000, 100, 90, {}))).height


def test_suspended_it_is_terminated_after_half_a_year_and_only_then() -> None:
    frame = watch((1000, 100, 12, {}), (1001, 5_000, 50, {}))
    first = rate(frame)
    assert first["state"].to_list() == ["suspended"]
    assert not rate(frame, first, MONTH + 5).height
    later = rate(frame, first, MONTH + 6)
    assert later.select("state", "previous").rows() == [("terminated", "suspended")]
    assert not rate(frame, pl.concat([first, later]), MONTH + 20).height


def test_watched_for_three_months_it_comes_under_overlay() -> None:
    frame = watch((1000, 10_000, 180, {}), (1001, 100_000, 1_000, {}))
    first = rate(frame)
    assert not rate(frame, first, MONTH + 2).height
    assert rate(frame, first, MONTH + 3)["state"].to_list() == ["overlay"]


def test_a_reinstated_lender_starts_with_a_clean_sheet() -> None:
    peers = (1001, 5_000, 50, {})
    back = decided("reinstated", MONTH - 5)
    assert not rate(watch((1000, 100, 12, {"sold_month": MONTH - 6}), peers), back).height
    again = rate(watch((1000, 100, 12, {"sold_month": MONTH - 5}), peers), back)
    assert again.select("state", "previous").rows() == [("suspended", "reinstated")]


def test_people_decide_what_the_table_allows_and_nothing_else() -> None:
    lender = {"party_id": 1000, "name": "First Bank"}

    def decide(state: str, states: pl.DataFrame, month: int = MONTH, outstanding: int = 0) -> Outcome:
        return sale.decide(lender, state, "reviewed", states, outstanding, first_day(month), month, BOOK)

    none = LENDER_STATES.empty()
    row = decide("suspended", none).records["lender_states"].row(0, named=True)
    assert (row["state"], row["previous"], row["decided_by"]) == ("suspended", "approved", "people")
    assert row["effective_date"] == first_day(MONTH)
    with pytest.raises(Refused, match="is approved; from there"):
        decide("reinstated", none)
    with pytest.raises(Refused, match="no state"):
        decide("buying", none)
    with pytest.raises(Refused, match="reason"):
        sale.decide(lender, "watch", " ", none, 0, first_day(MONTH), MONTH, BOOK)
    ended = decided("terminated", MONTH - 5)
    with pytest.raises(Refused, match="after 6"):
        decide("reinstated", ended)
    with pytest.raises(Refused, match="2 repurchase demands"):
        decide("reinstated", ended, MONTH + 1, 2)
    assert decide("reinstated", ended, MONTH + 1).answer["state"] == "reinstated"
    with pytest.raises(Refused, match="one decision a day"):
        decide("watch", decided("reinstated", MONTH))


def test_the_overlay_keeps_out_what_it_says() -> None:
    loans = pl.DataFrame({
        "loan_id": [1, 2, 3, 4, 5], "seller_id": [7, 7, 7, 7, 8], "score_mid": [700, 699, 750, None, 600],
        "ltv_e4": [8_000, 8_000, 8_001, 7_000, 9_900],
    }, schema_overrides={"seller_id": pl.Int32})  # fmt: skip
    assert sale.outside_overlay(loans, [7], date(2010, 6, 1), BOOK).to_list() == [2, 3, 4]


def test_windows_count_only_loans_that_old() -> None:
    frame = watch((1000, 10, 2, {"age": 7, "at": 6}), (1000, 5, 5, {"age": 5, "at": 3}), (1001, 100, 0, {"age": 30}))
    table = sale.windows(frame, MONTH, BOOK).filter(pl.col("lender_id") == 1000)
    assert table.select("within", "missed", "loans", "bad").rows() == [(6, d, 10, 2) for d in (1, 2, 3)]


def test_unknown_scores_and_values_are_a_band_of_their_own() -> None:
    blank = {"score_mid": None, "ltv_e4": None}
    assert not rate(watch((1000, 100, 10, blank), (1001, 1_000, 100, blank), (1001, 9_000, 9, {}))).height


def test_the_order_of_rows_decides_nothing() -> None:
    frame = watch(
        (1000, 100, 8, {}), (1000, 50, 3, {"kind": "fha"}), (1001, 5_000, 50, {}), (1001, 50, 1, {"kind": "fha"})
    )
    assert rate(frame).equals(rate(frame.sample(fraction=1.0, shuffle=True, seed=3)))
