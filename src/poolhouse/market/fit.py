"""fit prepayment: the parameters of the prepayment model under which a book's own history is likeliest.

A loan-month counts when its borrower started it owing money and current; it is an event when the loan was paid off in
it. Loan-months alike in all the model looks at are one cell. The fit is made on a part and tried on the rest, then
made again on all. Delinquent borrowers are left to the default model.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from poolhouse import chance
from poolhouse.dates import month_name
from poolhouse.findings import Refused
from poolhouse.market.desk import Desk
from poolhouse.rules import mortgage_rate
from poolhouse.rules.mortgage_rate import mortgage_rate_e7
from poolhouse.tables.codes import ACTIVE, PAID_OFF
from poolhouse.valuation import likelihood, speeds
from poolhouse.valuation.likelihood import Estimate, Parameter
from poolhouse.valuation.prepayment import PrepaymentModel, prepayment_model
from poolhouse.valuation.wrong import Floats

Answer = dict[str, Any]
SPLITS = ("time", "loans")
LAGS = (0, 1, 2, 3)
"""Months before that borrowers may look at: the likeliest is taken."""
LEAST_EVENTS = 50
"""Prepayments below which nothing is estimated: twelve parameters need more."""
_EVENTS_A_PARAMETER = 10
_E7_PER_PERCENT = 100_000
_WIDTH = 0.25
"""Percentage points of a class of incentive in the S-curve."""
_FREE = {
    "turnover": (0.01, 90.0, True, 0.7), "turnover_ramp": (1.0, 120.0, True, 0.7),
    "seasonality": (-5.0, 5.0, False, 1.0), "refinance": (0.05, 95.0, True, 0.7), "midpoint": (-2.0, 4.0, False, 0.5),
    "slope": (0.02, 3.0, True, 0.7), "refinance_ramp": (1.0, 120.0, True, 0.7), "size": (-3.0, 3.0, False, 0.5),
    "lock_in": (-5.0, 1.0, False, 0.25), "burnout": (-5.0, 20.0, False, 1.0), "credit": (-5.0, 5.0, False, 1.0),
    "equity": (-5.0, 5.0, False, 1.0),
}  # fmt: skip
"""What is estimated: its bounds, whether it works as its logarithm, and the standard error (of the logarithm) from
which the data are held to say nothing of it."""
MEANINGS = {
    "turnover": "turnover, % a year", "turnover_ramp": "months to season", "seasonality": "strength of the seasons",
    "refinance": "refinancing at most, % a year", "midpoint": "incentive for half of it, %",
    "slope": "scale of the curve, %", "refinance_ramp": "months to season", "size": "power of the balance",
    "lock_in": "turnover lost far below the market",
    "burnout": "per percent-year passed up", "credit": "per 100 points of score", "equity": "per 10% of loan to value",
}  # fmt: skip


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


def fit_prepayment(desk: Desk, *, split: str = "time", holdout: float = 0.25) -> Answer:
    """The prepayment model of a book's own history.

    split: what the fit is tried on, the last months ("time") or loans drawn by their numbers ("loans"); holdout: which
    share of months or loans. Keys: loans, loan_months, prepayments, months, left_out, lag_months, split, holdout,
    parameters (a row each: name, meaning, estimate, standard_error, low, high, assumed, held), curtailment, buyout
    (percent a year with standard errors), log_likelihood, explained (share of the deviance), out_of_sample, by_month,
    by_incentive, notes, and model: what `valuation.prepayment_model(**model)` takes. Refused: too little history.
    """
    if split not in SPLITS or not 0 < holdout < 1:
        raise Refused(f"fit: split {split!r} and holdout {holdout:g}: say time or loans, and a share between 0 and 1")
    months = desk.book.months("loan_months")
    if len(months) < 3:
        raise Refused(f"fit: {len(months)} closed months; at least 3 are needed: run close-month, or a longer book")
    start = prepayment_model()
    cells, left_out, extra = _history(desk, months, start, split, holdout)
    fitted = cells.part(cells.tried == 0)
    _refuse_few(fitted, cells)
    tried_model, tried, lag = _best_lag(fitted, start)
    model, found = _fit(cells, tried_model)
    answer: Answer = {
        "loans": left_out.pop("loans"), "loan_months": int(cells.count.sum()), "prepayments": int(cells.events.sum()),
        "months": [month_name(months[0]), month_name(months[-1])], "left_out": left_out, "split": split,
        "holdout": holdout, "lag_months": lag, "parameters": _parameters(found, start),
        **extra, "log_likelihood": found.log_likelihood, "explained": _explained(cells, found),
        "out_of_sample": _tried(cells, tried_model, tried),
        "by_month": _by(cells, tried_model, "month", tried=None if split == "time" else 1),
        "by_incentive": [row for part in (0, 1) for row in _by(cells, tried_model, "incentive", tried=part)],
    }  # fmt: skip
    changed = {
        name: extra[name]["estimate"] for name in ("curtailment", "buyout") if extra[name]["estimate"] is not None
    }
    whole = asdict(replace(model, **changed))
    answer["model"] = {name: list(v) if isinstance(v, tuple) else v for name, v in whole.items()}
    answer["s_curve"] = _curve(model)
    return answer | {"notes": _notes(cells, found)}


# the history


def _history(
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
    """Curtailments of the balance and buyouts of the pooled loans, percent a year; errors of a ratio and of a share."""
    sums = extra.sum().row(0, named=True)
    ratio = sums["paid"] / sums["owed"] if sums["owed"] else None
    found: Answer = {
        "curtailment": dict.fromkeys(("estimate", "standard_error")),
        "buyout": dict.fromkeys(("estimate", "standard_error")),
    }
    if ratio is not None:
        spread = sums["paid2"] - 2 * ratio * sums["both"] + ratio**2 * sums["owed2"]
        found["curtailment"] = _cpr_of(ratio, max(spread, 0.0) ** 0.5 / sums["owed"])
    if sums["pooled"]:
        share = sums["bought"] / sums["pooled"]
        found["buyout"] = _cpr_of(share, (share * (1 - share) / sums["pooled"]) ** 0.5)
    return found


def _cpr_of(share: float, error: float) -> Answer:
    return {
        "estimate": float(speeds.smm_to_cpr(100 * share)),
        "standard_error": 100 * 12 * (1 - share) ** 11 * error,
    }


# the cells


def _cells(rows: pl.DataFrame) -> Cells:
    return Cells(**{name: rows[name].cast(pl.Float64).to_numpy() for name in Cells.__dataclass_fields__})


def _refuse_few(fitted: Cells, cells: Cells) -> None:
    seen, later = int(fitted.events.sum()), int((cells.events * cells.tried).sum())
    if seen < LEAST_EVENTS:
        raise Refused(
            f"fit: {seen} prepayments in {int(fitted.count.sum()):,} loan-months to fit; at least {LEAST_EVENTS} are "
            "needed: a larger book, more months, or a smaller --holdout"
        )
    if not (cells.count * cells.tried).sum() or not later:
        raise Refused("fit: nobody prepaid in the part to try the fit on: choose another --holdout or --split")


@dataclass(frozen=True)
class _Driver:
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


def _driver(cells: Cells, model: PrepaymentModel) -> _Driver:
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
    return _Driver(
        cells.wac - lagged[at], before[kind.reshape(-1), at] / 12, np.maximum(month - first, 0), month % 12 + 1, facts
    )


# the fit


def _fit(cells: Cells, start: PrepaymentModel) -> tuple[PrepaymentModel, Estimate]:
    of = _driver(cells, start)
    names = list(_FREE)
    parameters = [
        Parameter(name, float(np.clip(getattr(start, name), low, high)), low, high, positive, widest)
        for name, (low, high, positive, widest) in _FREE.items()
    ]

    def at(values: Floats) -> PrepaymentModel:
        changed: dict[str, Any] = dict(zip(names, map(float, values), strict=True))
        return replace(start, **changed)

    def slopes(values: Floats) -> Floats:
        by_name = at(values).slopes(*of.all)
        return np.array([by_name[name] for name in names])

    found = likelihood.maximise(lambda v: at(v).voluntary(*of.all), slopes, cells.count, cells.events, parameters)
    return at(np.array([found.values[name] for name in names])), found


def _best_lag(cells: Cells, start: PrepaymentModel) -> tuple[PrepaymentModel, Estimate, int]:
    """The fit for each lag, each from the one before; the likeliest."""
    best: tuple[PrepaymentModel, Estimate, int] | None = None
    for lag in LAGS:
        weights = tuple(float(back == lag) for back in range(lag + 1))
        model, found = _fit(cells, replace(best[0] if best else start, lag=weights))
        if best is None or found.log_likelihood > best[1].log_likelihood:
            best = model, found, lag
    assert best is not None
    return best


# what came out


def _parameters(found: Estimate, assumed: PrepaymentModel) -> list[Answer]:
    return [
        {
            "name": name, "meaning": MEANINGS[name], "estimate": found.values[name],
            "standard_error": found.standard_errors[name], "low": (found.intervals[name] or (None, None))[0],
            "high": (found.intervals[name] or (None, None))[1], "assumed": getattr(assumed, name),
            "held": found.held.get(name, ""),
        }
        for name in _FREE
    ]  # fmt: skip


def _explained(cells: Cells, found: Estimate) -> float:
    """Share of the log-likelihood of one chance for all that the model makes up: McFadden's."""
    mean = cells.events.sum() / cells.count.sum()
    flat = float((cells.events * np.log(mean) + (cells.count - cells.events) * np.log1p(-mean)).sum())
    return 1 - found.log_likelihood / flat


def _tried(cells: Cells, model: PrepaymentModel, found: Estimate) -> Answer:
    """Actual against predicted where the fit has not looked.

    standard_error of the difference: of chance alone in the count, and of the parameters through the prediction.
    """
    unseen = cells.part(cells.tried == 1)
    of = _driver(unseen, model)
    p = model.voluntary(*of.all)
    predicted, actual = float(unseen.count @ p), float(unseen.events.sum())
    chance_part = float(unseen.count @ (p * (1 - p)))
    by_name = model.slopes(*of.all)
    scales = [getattr(model, name) if _FREE[name][2] else 1.0 for name in found.free]  # covariance is of logarithms
    slopes = np.array([unseen.count @ by_name[name] * scale for name, scale in zip(found.free, scales, strict=True)])
    parameter_part = float(slopes @ found.covariance @ slopes) if found.free else 0.0
    error = (chance_part + parameter_part) ** 0.5
    return {
        "loan_months": int(unseen.count.sum()), "actual": int(actual), "predicted": predicted,
        "actual_over_predicted": actual / predicted if predicted else None, "standard_error": error,
        "deviations": (actual - predicted) / error if error else None,
    }  # fmt: skip


def _by(cells: Cells, model: PrepaymentModel, what: str, tried: int | None) -> list[Answer]:
    """Actual and predicted prepayments by month or by class of incentive, as CPR too."""
    some = cells if tried is None else cells.part(cells.tried == tried)
    if not len(some.count):
        return []
    of = _driver(some, model)
    group = some.month if what == "month" else np.floor(of.incentive / _WIDTH + 1e-9) * _WIDTH + _WIDTH / 2
    kinds, place = np.unique(group, return_inverse=True)
    chances = model.voluntary(*of.all)
    sums = [np.bincount(place, of_cell) for of_cell in (some.count, some.events, some.count * chances)]
    noise = np.sqrt(np.bincount(place, some.count * chances * (1 - chances))) / sums[0]
    seen = np.bincount(place, some.tried * some.count) > 0
    smm = [sums[1] / sums[0], sums[2] / sums[0]]
    columns = {
        what: [month_name(int(kind)) for kind in kinds] if what == "month" else kinds.tolist(),
        "loan_months": sums[0].astype(int).tolist(), "actual": sums[1].astype(int).tolist(),
        "predicted": sums[2].tolist(), "actual_cpr": _cprs(smm[0]), "predicted_cpr": _cprs(smm[1]),
        "low_cpr": _cprs(np.clip(smm[1] - 2 * noise, 0, 1)), "high_cpr": _cprs(np.clip(smm[1] + 2 * noise, 0, 1)),
        "tried": seen.tolist(),
    }  # fmt: skip
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _cprs(smm: Floats) -> list[float]:
    return [float(one) for one in speeds.smm_to_cpr(100 * smm)]


def _curve(model: PrepaymentModel) -> list[Answer]:
    """The model's S-curve: a seasoned usual loan in a mean month, nothing burned out, as CPR by incentive."""
    incentives = np.arange(-12.0, 17.0) * _WIDTH
    seasoned = max(model.turnover_ramp, model.refinance_ramp, 1.0)
    level = replace(model, seasonality=0.0)
    facts = [np.asarray(getattr(model, f"usual_{name}")) for name in ("balance", "score", "ltv")]
    smm = level.voluntary(incentives, np.zeros(()), np.asarray(seasoned), np.asarray(1), *facts)
    return [{"incentive": x, "cpr": y} for x, y in zip(incentives.tolist(), _cprs(smm), strict=True)]


def _notes(cells: Cells, found: Estimate) -> list[str]:
    notes = [f"{name} stays at {found.values[name]:g}: {why}" for name, why in found.held.items()]
    if cells.events.sum() < _EVENTS_A_PARAMETER * len(_FREE):
        notes.append(
            f"{int(cells.events.sum())} prepayments for {len(_FREE)} parameters: read the standard errors first"
        )
    last, known = int(cells.month.max()), mortgage_rate.known_months()[1]
    if last > known:
        notes.append(f"the mortgage rate is known to {month_name(known)}; later months use that one")
    return notes
