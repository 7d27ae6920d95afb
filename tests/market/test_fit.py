"""The prepayment model fitted to a book: its counts against the tables, its estimates against those who made them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import kit_market as kit
from poolhouse.dates import parse_month
from poolhouse.findings import Refused
from poolhouse.market import fit
from poolhouse.market.fit_history import Cells, driver
from poolhouse.market.market import Market
from poolhouse.rules import mortgage_rate_e7
from poolhouse.valuation import prepayment_model


@pytest.fixture(scope="module")
def eager(tmp_path_factory: pytest.TempPathFactory) -> Market:
    """1,600 loans at rates from the market's to 2.5% above it, a year long: many refinance."""
    folder = tmp_path_factory.mktemp("eager")
    rows = [
        loan | {"note_rate_e7": 500_000 + 12_500 * (k % 20), "score": 640 + k % 5 * 40, "ltv_e4": 6_000 + k % 4 * 1_000,
                "value_cents": loan["note_amount_cents"] * 10_000 // (6_000 + k % 4 * 1_000)}
        for k, loan in enumerate(kit.alike(1600))
    ]  # fmt: skip
    return kit.build(folder / "book", kit.write_rows(folder / "loans.csv", rows), 14, seed=5)


@pytest.fixture(scope="module")
def fitted(eager: Market) -> dict[str, Any]:
    return eager.fit_prepayment()


def test_its_counts_are_the_tables(eager: Market, fitted: dict[str, Any]) -> None:
    """Payoffs of borrowers current at the month's beginning, by another way: the row before, loan by loan."""
    rows = (
        eager.book.segment("loan_months").sort("loan_id", "month")
        .with_columns(
            was=pl.col("end_code").shift(1).over("loan_id"), paid=pl.col("last_paid_due_date").shift(1).over("loan_id"),
            first=pl.col("month") == pl.col("month").min().over("loan_id"),
            start=pl.date(pl.col("month") // 12, pl.col("month") % 12 + 1, 1),
        )
    )  # fmt: skip
    alive = rows.filter(pl.col("first") | (pl.col("was") == 0)).filter(pl.col("opening_actual_cents") > 0)
    due = pl.col("start").dt.offset_by("-1mo")  # the instalment of the month before, if any was due
    current = alive.filter(pl.col("first") | (pl.col("first_due_date") > due) | (pl.col("paid") >= due))
    assert fitted["loan_months"] == current.height
    assert fitted["left_out"]["delinquent_loan_months"] == alive.height - current.height > 0
    assert fitted["prepayments"] == (current["end_code"] == 1).sum() > 100
    assert sum(row["loan_months"] for row in fitted["by_month"]) == current.height
    unseen = [row for row in fitted["by_month"] if row["tried"]]
    tried = fitted["out_of_sample"]
    assert [row["month"] for row in unseen] == ["2009-11", "2009-12", "2010-01", "2010-02"]
    assert (
        sum(row["actual"] for row in unseen)
        == tried["actual"]
        == sum(row["actual"] for row in fitted["by_incentive"] if row["tried"])
    )
    assert sum(row["predicted"] for row in unseen) == pytest.approx(tried["predicted"])
    stay = alive.filter(pl.col("end_code") == 0)
    share = stay["curtailment_cents"].sum() / stay["opening_actual_cents"].sum()
    assert fitted["curtailment"]["estimate"] == pytest.approx(100 * (1 - (1 - share) ** 12))


def test_what_comes_out_is_a_model(fitted: dict[str, Any]) -> None:
    json.dumps(fitted, allow_nan=False)
    model = prepayment_model(**fitted["model"])
    by_name = {row["name"]: row for row in fitted["parameters"]}
    assert all(getattr(model, name) == row["estimate"] for name, row in by_name.items())
    assert [name for name, row in by_name.items() if (row["standard_error"] is None) != bool(row["held"])] == []
    assert by_name["size"]["held"]  # all loans are of one size
    assert 0 < fitted["explained"] < 1 and abs(fitted["out_of_sample"]["deviations"]) < 4
    assert any("size stays" in note for note in fitted["notes"])
    seen = [row for row in fitted["by_month"] if not row["tried"]]  # where it was fitted, what was there comes out
    assert sum(row["predicted"] for row in seen) == pytest.approx(sum(row["actual"] for row in seen), rel=0.05)


def test_tried_on_loans(eager: Market, fitted: dict[str, Any]) -> None:
    """A fifth of the loans by their numbers: all months have some, and the whole fit is the same."""
    answer = eager.fit_prepayment(split="loans", holdout=0.2)
    assert answer["out_of_sample"]["loan_months"] == pytest.approx(0.2 * answer["loan_months"], rel=0.15)
    assert len({row["month"] for row in answer["by_month"]}) == 14
    assert answer["loan_months"] == fitted["loan_months"] and answer["prepayments"] == fitted["prepayments"]
    assert answer == eager.fit_prepayment(split="loans", holdout=0.2)


def _cells(count: int, seed: int) -> Cells:
    """Loans of 2001 to 2009 looked at in the months of 2009 to 2012, some of them older than a year of rates."""
    draw = np.random.default_rng(seed)
    month = draw.integers(parse_month("2009-06"), parse_month("2012-12"), count).astype(float)
    note = np.minimum(draw.integers(parse_month("2001-01"), parse_month("2012-01"), count), month - 1).astype(float)
    score = np.where(draw.random(count) < 0.1, np.nan, draw.uniform(600, 800, count))
    return Cells(
        month, draw.integers(28, 56, count) / 8, note, score, draw.uniform(60, 100, count),
        np.exp(draw.normal(12.4, 0.5, count)), np.zeros(count), np.full(count, 400.0), np.zeros(count),
    )  # fmt: skip


def test_a_cell_is_a_month_of_the_loans_own_path() -> None:
    """The chance of a cell is what the model projects for that loan in that month, from its first month on."""
    model = prepayment_model(curtailment=0, buyout=0)
    cells = _cells(60, 1)
    chances = model.voluntary(*driver(cells, model).all)
    for k in range(60):
        months = range(int(cells.note_month[k]) + 1, int(cells.month[k]) + 1)
        rates = [mortgage_rate_e7(month) / 100_000 for month in months]
        earlier = [mortgage_rate_e7(months[0] - back) / 100_000 for back in (2, 1)]
        path = model.smm(
            rates, cells.wac[k], 0, months[0] % 12 + 1, score=cells.score[k], ltv=cells.ltv[k],
            balance=cells.balance[k], history=earlier,
        )  # fmt: skip
        assert chances[k] == pytest.approx(path[0, -1], rel=1e-9)


def test_the_lag_is_found() -> None:
    """Borrowers who look at the rate of two months before are told from those who look at another month's."""
    cells, truth = _cells(20_000, 2), prepayment_model(lag=[0, 0, 1], lock_in=0.5)
    p = truth.voluntary(*driver(cells, truth).all)
    events = np.random.default_rng(9).binomial(400, p).astype(float)
    model, found, lag = fit._best_lag(replace(cells, events=events), prepayment_model())
    assert lag == 2 and model.lag == (0.0, 0.0, 1.0)
    for name in found.free:
        assert abs(found.values[name] - getattr(truth, name)) < 4 * found.standard_errors[name], name
    assert {"midpoint", "refinance", "turnover", "burnout", "credit", "equity", "size"} <= set(found.free)


def test_loans_older_than_the_rates() -> None:
    """A loan of 1975 has no rates of its first years: it is taken as one that began with them."""
    cells = replace(_cells(4, 3), note_month=np.full(4, float(parse_month("1975-01"))))
    of = driver(cells, prepayment_model())
    assert np.isfinite(of.exposure).all() and (of.life == cells.month - parse_month("1975-01")).all()


def test_too_little_is_refused(queried: Market, eager: Market, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="at least 50 are needed"):
        queried.fit_prepayment()
    short = kit.build(tmp_path / "book", kit.write_rows(tmp_path / "one.csv", kit.alike(3)), 2)
    with pytest.raises(Refused, match="2 closed months"):
        short.fit_prepayment()
    for options in ({"split": "halves"}, {"holdout": 0.0}, {"holdout": 1.5}):
        with pytest.raises(Refused, match="between 0 and 1"):
            eager.fit_prepayment(**options)


@pytest.mark.slow
def test_the_borrowers_of_the_shipped_tape(tmp_path: Path) -> None:
    """Two years of 50,502 loans. The book's borrowers: 4% turnover and 30% refinancing a year, half of it at 0.64 (of
    the month's share), no seasons, burnout or effect of size, no lag, seasoned in 15 months."""
    market = Market(tmp_path / "book", create=True)
    market.demo()
    answer = market.fit_prepayment()
    assert answer["lag_months"] == 0 and abs(answer["out_of_sample"]["deviations"]) < 3
    truth = {"turnover": 4.0, "refinance": 30.0, "midpoint": 0.64, "turnover_ramp": 15, "refinance_ramp": 15,
             "seasonality": 0, "burnout": 0, "size": 0}  # fmt: skip
    for row in answer["parameters"]:
        if row["name"] in truth:
            off = (row["estimate"] - truth[row["name"]]) / row["standard_error"]
            assert abs(off) < 3, (row["name"], off)
