"""A book's history as the fit of prepayment takes it: loan-months at risk in cells, and what moves their chance.

A loan-month counts when its borrower started it owing money and current; it is an event when the loan was paid off in
it. Loan-months alike in all the model looks at are one cell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from poolhouse import chance
from poolhouse.market.desk import Desk
from poolhouse.rules import mortgage_rate
from poolhouse.rules.mortgage_rate import mortgage_rate_e7
from poolhouse.tables.codes import ACTIVE, PAID_OFF
from poolhouse.valuation import speeds
from poolhouse.valuation.clusters import clustered_covariance
from poolhouse.valuation.prepayment import PrepaymentModel
from poolhouse.valuation.wrong import Floats

Answer = dict[str, Any]
_E7_PER_PERCENT = 100_000


@dataclass(frozen=True)
class Cells:
    """Loan-months alike in all that the model looks at, as columns of equal length."""

    month: Floats
    wac: Floats
    note_month: Floats
    score: Floats
    ltv: Floats
    balance: Floats
    tried: Floats  # 1 in the part that the fit does not see
    count: Floats
    events: Floats

    def part(self, kept: Any) -> Cells:
        return Cells(**{name: column[kept] for name, column in vars(self).items()})


def history(
    desk: Desk, months: list[int], model: PrepaymentModel, split: str, holdout: float
) -> tuple[Cells, dict[str, int], Answer]:
    """Loan-months at risk counted by what the model looks at; what is left out; extra principal and buyouts."""
    facts = (
        desk.book.scan("loans").select(
            "loan_id", "draw_key", "note_rate_e7", "note_amount_cents", "score_mid", "ltv_e4",
            note_month=_index("note_date"), first_due=_index("first_due_date"), last_due=_index("maturity_date"),
        ).collect()
    )  # fmt: skip
    drawn = chance.draws(desk.seed, facts["draw_key"].to_numpy(), 0, "holdout") < chance.threshold(holdout)
    facts = facts.with_columns(drawn=pl.Series(drawn)).drop("draw_key")
    first_tried = months[-max(round(len(months) * holdout), 1)]
    kept, late, extra, before = [], 0, [], None
    for month in months:
        now = (
            desk.book.scan("loan_months", [month]).select(
                "loan_id", "end_code", "opening_actual_cents", "curtailment_cents", "buyout_principal_cents",
                "payee_pool_id", closing="closing_actual_cents", paid=_index("last_paid_due_date"),
            ).collect()
        )  # fmt: skip
        alive = _alive(now, before, facts, month)
        current = alive.filter(pl.col("behind") <= 0)
        late += alive.height - current.height
        extra.append(_extra(alive))
        tried = pl.lit(month >= first_tried) if split == "time" else pl.col("drawn")
        kept.append(_counted(current, month, model, tried))
        before = now.filter(pl.col("end_code") == ACTIVE).select("loan_id", was="paid", active=pl.lit(True))
    return _cells(pl.concat(kept)), {"loans": facts.height, "delinquent_loan_months": late}, _yearly(pl.concat(extra))


def _index(column: str) -> pl.Expr:
    return pl.col(column).dt.year().cast(pl.Int32) * 12 + pl.col(column).dt.month().cast(pl.Int32) - 1


def _alive(now: pl.DataFrame, before: pl.DataFrame | None, facts: pl.DataFrame, month: int) -> pl.DataFrame:
    """Loans that owed money at the month's beginning, with `behind`: instalments unpaid then."""
    rows = now.filter(pl.col("opening_actual_cents") > 0).join(facts, on="loan_id", how="left", maintain_order="left")
    if before is None:
        return rows.with_columns(behind=pl.lit(0))
    due = pl.min_horizontal(pl.lit(month - 1), "last_due") - pl.col("was")
    behind = pl.when((pl.col("first_due") > month - 1) | pl.col("was").is_null()).then(0).otherwise(due)
    return rows.join(before, on="loan_id", how="left", maintain_order="left").with_columns(behind=behind)


def _counted(current: pl.DataFrame, month: int, model: PrepaymentModel, tried: pl.Expr) -> pl.DataFrame:
    """Cells of a month: loans, prepayments, means of what differs within a cell.

    All scores and loans to value that the model takes alike are one class; the others are classes 20 points and 5%
    wide, sizes e^(1/2) wide, each with its own mean: what is lost is of second order.
    """
    score = pl.when(pl.col("score_mid").is_not_null()).then(pl.min_horizontal("score_mid", pl.lit(model.credit_from)))
    ratio = pl.col("ltv_e4") / 100
    ltv = pl.when(ratio.is_not_null()).then(pl.max_horizontal(ratio, pl.lit(model.equity_from)))
    size = (pl.col("note_amount_cents") / 100).log()
    key = [
        kind.round().alias(name)
        for name, kind in (("of_score", score / 20), ("of_ltv", ltv / 5), ("of_size", size * 2))
    ]
    return (
        current.group_by("note_rate_e7", "note_month", tried.alias("tried"), *key)
        .agg(
            count=pl.len(), events=(pl.col("end_code") == PAID_OFF).sum(), score=score.mean(), ltv=ltv.mean(),
            balance=size.mean().exp(),
        )
        .sort("note_rate_e7", "note_month", "of_score", "of_ltv", "of_size", "tried")
        .with_columns(month=pl.lit(month), wac=pl.col("note_rate_e7") / _E7_PER_PERCENT)
    )  # fmt: skip


def _extra(alive: pl.DataFrame) -> pl.DataFrame:
    """Of a month: balances and extra principal, their squares and product; loans in pools and buyouts."""
    paid, owed = pl.col("curtailment_cents") / 100, pl.col("opening_actual_cents") / 100
    staying = pl.col("end_code") == ACTIVE
    return alive.select(
        loans=staying.sum(), paid=paid.filter(staying).sum(), owed=owed.filter(staying).sum(),
        paid2=(paid * paid).filter(staying).sum(), owed2=(owed * owed).filter(staying).sum(),
        both=(paid * owed).filter(staying).sum(), pooled=(pl.col("payee_pool_id") > 0).sum(),
        bought=((pl.col("payee_pool_id") > 0) & (pl.col("buyout_principal_cents") > 0)).sum(),
    )  # fmt: skip


def _yearly(extra: pl.DataFrame) -> Answer:
    """Curtailments of the balance and buyouts of the pooled loans, percent a year; errors of a ratio and of a share,
    and where a month's loans share a shock."""
    sums = extra.sum().row(0, named=True)
    ratio = sums["paid"] / sums["owed"] if sums["owed"] else None
    found: Answer = {
        name: dict.fromkeys(("estimate", "standard_error", "clustered_error")) for name in ("curtailment", "buyout")
    }
    if ratio is not None:
        spread = sums["paid2"] - 2 * ratio * sums["both"] + ratio**2 * sums["owed2"]
        found["curtailment"] = _cpr_of(
            ratio, max(spread, 0.0) ** 0.5 / sums["owed"], _by_months(extra["paid"], extra["owed"], ratio)
        )
    if sums["pooled"]:
        share = sums["bought"] / sums["pooled"]
        found["buyout"] = _cpr_of(
            share, (share * (1 - share) / sums["pooled"]) ** 0.5, _by_months(extra["bought"], extra["pooled"], share)
        )
    return found


def _by_months(part: pl.Series, whole: pl.Series, share: float) -> float | None:
    """Standard error of a share of sums over months, each month's loans one cluster."""
    seen = whole.to_numpy().astype(np.float64)
    kept = seen > 0
    left = (part.to_numpy() - share * seen)[kept]
    found = clustered_covariance(left[:, None], seen[kept][:, None, None])
    return None if found is None else float(found[0, 0] ** 0.5)


def _cpr_of(share: float, error: float, clustered: float | None) -> Answer:
    slope = 100 * 12 * (1 - share) ** 11
    return {
        "estimate": float(speeds.smm_to_cpr(100 * share)),
        "standard_error": slope * error,
        "clustered_error": None if clustered is None else slope * clustered,
    }


def _cells(rows: pl.DataFrame) -> Cells:
    return Cells(**{name: rows[name].cast(pl.Float64).to_numpy() for name in Cells.__dataclass_fields__})


@dataclass(frozen=True)
class Driver:
    """What the model takes, cell by cell, for one lag."""

    incentive: Floats
    exposure: Floats
    life: Floats
    calendar: Any
    facts: tuple[Floats, Floats, Floats]

    @property
    def all(self) -> tuple[Any, ...]:
        """In the model's order."""
        return self.incentive, self.exposure, self.life, self.calendar, *self.facts


def driver(cells: Cells, model: PrepaymentModel) -> Driver:
    lags = len(model.lag)
    first_known = mortgage_rate.known_months()[0] + lags - 1  # what older loans passed up before is not known
    start, end = max(int(cells.note_month.min()) + 1, first_known), int(cells.month.max())
    known = np.array([mortgage_rate_e7(month) / _E7_PER_PERCENT for month in range(start - lags + 1, end + 1)])
    lagged = np.convolve(known, model.lag, "valid")  # of the months start .. end
    month, first = cells.month.astype(np.int64), cells.note_month.astype(np.int64)
    kinds, kind = np.unique(np.stack([cells.wac, cells.note_month], axis=1), axis=0, return_inverse=True)
    passed = np.maximum(kinds[:, :1] - lagged - model.burnout_from, 0.0)
    passed *= np.arange(start, end + 1) > kinds[:, 1:]
    before = np.cumsum(passed, axis=1) - passed
    at = month - start
    facts = (
        model.known("balance", cells.balance), model.known("score", cells.score), model.known("ltv", cells.ltv),
    )  # fmt: skip
    return Driver(
        cells.wac - lagged[at], before[kind.reshape(-1), at] / 12, np.maximum(month - first, 0), month % 12 + 1, facts
    )
