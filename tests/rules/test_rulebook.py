"""The rulebook: dated lookup, nearest version, change dates, overrides, county limits, speed of loading."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import polars as pl
import pytest

from poolhouse.rules import county_limits, load
from poolhouse.rules.counties import known_years
from poolhouse.standards.facts import BASES

BOOK = load()
STANDARDS = [p for name, p in BOOK.parameters.items() if name.startswith("standards.")]


def test_the_version_in_force_changes_on_its_day() -> None:
    eve, day = date(2025, 12, 31), date(2026, 1, 1)
    assert BOOK.get("standards.conforming_limit_cents", eve)[0] == 80_650_000
    assert BOOK.get("standards.conforming_limit_cents", day)[0] == 83_275_000


def test_before_the_first_version_the_nearest_answers_and_says_so() -> None:
    early = BOOK.lookup("standards.max_dti_e4", date(2009, 1, 1), program="fnma")
    late = BOOK.lookup("standards.max_dti_e4", date(2020, 1, 1), program="fnma")
    assert (early.nearest, late.nearest) == (True, False)
    assert early.value == late.value == 5_000


def test_unknown_names_and_dimensions_are_refused() -> None:
    with pytest.raises(KeyError):
        BOOK.lookup("standards.no_such_rule", date(2026, 1, 1))
    with pytest.raises(KeyError, match="no value for"):
        BOOK.lookup("standards.max_dti_e4", date(2026, 1, 1), program="nobody")


def test_nothing_changes_between_change_dates() -> None:
    """On the eve of a change every lookup equals the one of the change before."""
    days = BOOK.change_dates("standards.")
    assert list(days) == sorted(set(days))
    for start, end in pairwise(days):
        for parameter in STANDARDS:
            for value in parameter.values:
                dims = dict(value.dims)
                eve = end - timedelta(days=1)
                assert BOOK.lookup(parameter.name, start, **dims) == BOOK.lookup(parameter.name, eve, **dims)


def test_overrides_are_change_dates_too() -> None:
    row = {
        "name": "standards.min_score",
        "value": 1,
        "from": date(2015, 2, 3),
        "until": date(2016, 4, 5),
        "why": "test",
    }
    changed = replace(BOOK, override_rows=(row,))
    assert {row["from"], row["until"]} <= set(changed.change_dates("standards."))
    assert not {row["from"], row["until"]} & set(changed.change_dates("loans."))


def test_every_standard_is_cited() -> None:
    for parameter in STANDARDS:
        assert parameter.basis in BASES, parameter.name
        for value in parameter.values:
            assert value.source and value.confidence in {"found", "memory", "assumed"}, parameter.name
            assert (value.confidence == "assumed") == parameter.assumed, parameter.name
            assert value.effective > date.min, parameter.name


def test_county_limits_agree_with_the_dated_ones() -> None:
    """The lowest county limit of a year is the baseline; no year's table reaches outside 2018-2025."""
    assert known_years() == tuple(range(2018, 2026))
    for year in known_years():
        baseline = BOOK.get("standards.conforming_limit_cents", date(year, 6, 1))
        lowest = county_limits(year).group_by("units").agg(pl.col("county_limit_cents").min()).sort("units")
        assert lowest["county_limit_cents"].to_list() == baseline
    assert county_limits(2009).is_empty()
    assert county_limits(2009).schema == county_limits(2020).schema


def test_high_cost_counties() -> None:
    """San Francisco and Autauga, Alabama, as published for 2025 and 2018."""
    limits = {(row[0], row[1]): row[2] for row in county_limits(2025).rows()}
    assert limits["06075", 1] == 120_975_000 and limits["06075", 4] == 232_687_500
    assert limits["01001", 1] == 80_650_000
    assert county_limits(2018).filter(pl.col("county_fips") == "01001")["county_limit_cents"][0] == 45_310_000


def test_published_relations_between_limits() -> None:
    """Ceiling = 150% of the baseline since 2019 (to the $25 that tables are cut to); FHA floor = 65% of it."""
    for year in range(2019, 2027):
        day = date(year, 6, 1)
        base, top, floor = (
            BOOK.get(f"standards.{name}", day)
            for name in ("conforming_limit_cents", "high_cost_ceiling_cents", "fha_floor_cents")
        )
        for units in range(4):
            assert 0 <= base[units] * 3 // 2 - top[units] < 2_500
            assert -100 <= base[units] * 65 // 100 - floor[units] < 2_500
