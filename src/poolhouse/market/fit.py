"""fit prepayment: the parameters of the prepayment model under which a book's own history is likeliest.

The fit is made on a part and tried on the rest, then made again on all. Delinquent borrowers are left to the default
model.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import numpy as np

from poolhouse.dates import month_name
from poolhouse.findings import Refused
from poolhouse.market import fit_told as told
from poolhouse.market.desk import Desk
from poolhouse.market.fit_history import Cells, driver, history
from poolhouse.valuation import likelihood
from poolhouse.valuation.likelihood import Estimate, Parameter
from poolhouse.valuation.prepayment import PrepaymentModel, prepayment_model
from poolhouse.valuation.wrong import Floats

Answer = dict[str, Any]
SPLITS = ("time", "loans")
LAGS = (0, 1, 2, 3)
"""Months before that borrowers may look at: the likeliest is taken."""
LEAST_EVENTS = 50
"""Prepayments below which nothing is estimated: twelve parameters need more."""
_FREE = {
    "turnover": (0.01, 90.0, True, 0.7), "turnover_ramp": (1.0, 120.0, True, 0.7),
    "seasonality": (-5.0, 5.0, False, 1.0), "refinance": (0.05, 95.0, True, 0.7), "midpoint": (-2.0, 4.0, False, 0.5),
    "slope": (0.02, 3.0, True, 0.7), "refinance_ramp": (1.0, 120.0, True, 0.7), "size": (-3.0, 3.0, False, 0.5),
    "lock_in": (-5.0, 1.0, False, 0.25), "burnout": (-5.0, 20.0, False, 1.0), "credit": (-5.0, 5.0, False, 1.0),
    "equity": (-5.0, 5.0, False, 1.0),
}  # fmt: skip
"""What is estimated: its bounds, whether it works as its logarithm, and the standard error (of the logarithm) from
which the data are held to say nothing of it."""


def fit_prepayment(desk: Desk, *, split: str = "time", holdout: float = 0.25) -> Answer:
    """The prepayment model of a book's own history.

    split: what the fit is tried on, the last months ("time") or loans drawn by their numbers ("loans"); holdout: which
    share of months or loans. Keys: loans, loan_months, prepayments, months, left_out, lag_months, split, holdout,
    parameters (a row each: name, meaning, estimate, standard_error, low, high, clustered_error, clustered_low,
    clustered_high, assumed, held), curtailment, buyout (percent a year with both errors), log_likelihood, explained
    (share of the deviance), month_shock (share), out_of_sample, by_month, by_incentive, notes, and model: what
    `valuation.prepayment_model(**model)` takes. Refused: too little history.

    standard_error, low, high take loan-months as independent; the clustered ones let those of a calendar month share a
    shock, and are None where a month alone tells a parameter.
    """
    if split not in SPLITS or not 0 < holdout < 1:
        raise Refused(f"fit: split {split!r} and holdout {holdout:g}: say time or loans, and a share between 0 and 1")
    months = desk.book.months("loan_months")
    if len(months) < 3:
        raise Refused(f"fit: {len(months)} closed months; at least 3 are needed: run close-month, or a longer book")
    start = prepayment_model()
    cells, left_out, extra = history(desk, months, start, split, holdout)
    fitted = cells.part(cells.tried == 0)
    _refuse_few(fitted, cells)
    tried_model, tried, lag = _best_lag(fitted, start)
    model, found = _fit(cells, tried_model)
    logs = frozenset(name for name, (_, _, positive, _) in _FREE.items() if positive)
    answer: Answer = {
        "loans": left_out.pop("loans"), "loan_months": int(cells.count.sum()), "prepayments": int(cells.events.sum()),
        "months": [month_name(months[0]), month_name(months[-1])], "left_out": left_out, "split": split,
        "holdout": holdout, "lag_months": lag, "parameters": told.parameters(found, start, list(_FREE)),
        **extra, "log_likelihood": found.log_likelihood, "explained": told.explained(cells, found),
        "month_shock": told.month_shock(cells, model), "out_of_sample": told.tried(cells, tried_model, tried, logs),
        "by_month": told.by(cells, tried_model, "month", tried=None if split == "time" else 1),
        "by_incentive": [row for part in (0, 1) for row in told.by(cells, tried_model, "incentive", tried=part)],
    }  # fmt: skip
    changed = {
        name: extra[name]["estimate"] for name in ("curtailment", "buyout") if extra[name]["estimate"] is not None
    }
    whole = asdict(replace(model, **changed))
    answer["model"] = {name: list(v) if isinstance(v, tuple) else v for name, v in whole.items()}
    answer["s_curve"] = told.curve(model)
    return answer | {"notes": told.notes(cells, found, len(_FREE))}


def _refuse_few(fitted: Cells, cells: Cells) -> None:
    seen, later = int(fitted.events.sum()), int((cells.events * cells.tried).sum())
    if seen < LEAST_EVENTS:
        raise Refused(
            f"fit: {seen} prepayments in {int(fitted.count.sum()):,} loan-months to fit; at least {LEAST_EVENTS} are "
            "needed: a larger book, more months, or a smaller --holdout"
        )
    if not (cells.count * cells.tried).sum() or not later:
        raise Refused("fit: nobody prepaid in the part to try the fit on: choose another --holdout or --split")


def _fit(cells: Cells, start: PrepaymentModel) -> tuple[PrepaymentModel, Estimate]:
    of = driver(cells, start)
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

    found = likelihood.maximise(
        lambda v: at(v).voluntary(*of.all), slopes, cells.count, cells.events, parameters, clusters=cells.month
    )
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
