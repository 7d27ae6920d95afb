"""value --rates: a pool's option-adjusted spread on a desk's own curve and vols, under the model of borrowers."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from poolhouse import valuation
from poolhouse.findings import Refused
from poolhouse.market.standards import text_of
from poolhouse.market.value_borrowers import Behaviour
from poolhouse.market.value_groups import Grouped, defaulting, grouped, prepaying
from poolhouse.valuation import rates
from poolhouse.valuation.prepayment import PrepaymentModel, prepayment_model
from poolhouse.valuation.wrong import WrongInput, numbers

Answer = dict[str, Any]
DEFAULT_PATHS = 1024
_KEYS = {"years", "par", "per_year", "mortgage_rate", "factors", "vol", "seed", "prepayment"}
_LEAST_PAR = 0.2
"""Percent: a curve that is nowhere as high was written in fractions."""
_LEAST_RATE = 0.5
"""Percent: a mortgage rate below it was written as a fraction."""
_SPAN, _STEP = 4.0, 0.1
MEASURES = (
    "oas_bp", "standard_error_bp", "z_spread_bp", "option_cost_bp", "effective_duration", "effective_convexity",
    "spread_duration", "mortgage_spread_duration", "prepayment_duration", "volatility_duration",
    "key_rate_durations",
)  # fmt: skip


@dataclass(frozen=True)
class Market:
    """What a rates file says: the curve, the model fitted to its vols, today's mortgage rate, how borrowers answer."""

    curve: rates.Curve
    model: rates.Gaussian
    coupon: rates.CurrentCoupon
    mortgage_rate: float
    borrowers: PrepaymentModel
    worst_fit_bp: float
    seed: int
    changed: bool  # the file has parameters of its own for the borrowers


def read_market(path: str | Path) -> Market:
    """The market of a TOML file (docs/rates_and_oas.md). Refused with the key and what to write."""
    name = Path(path).name
    try:
        raw = tomllib.loads(text_of(path, "rates"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise Refused(f"{name}: not TOML: {error}") from error
    unknown = sorted(set(raw) - _KEYS)
    if unknown:
        raise Refused(f"{name}: {', '.join(unknown)} is unknown: use {', '.join(sorted(_KEYS))}")
    missing = [key for key in ("years", "par", "mortgage_rate", "vol") if key not in raw]
    if missing:
        raise Refused(f"{name}: {', '.join(missing)} is missing: see docs/rates_and_oas.md")
    try:
        return _market(raw)
    except WrongInput as error:
        raise Refused(f"{name}: {error}") from error
    except (TypeError, KeyError, AttributeError) as error:
        how = "write [[vol]] with expiry, tenor and bp, and lists of numbers in years and par"
        raise Refused(f"{name}: {error}: {how}") from error


def _market(raw: Mapping[str, Any]) -> Market:
    seed = raw.get("seed", 1)
    if type(seed) is not int or seed < 0:
        raise WrongInput(f"seed {seed!r} must be a whole number from 0 up")
    changes = raw.get("prepayment", {})
    if not isinstance(changes, Mapping):
        raise WrongInput(f"prepayment {changes!r} must be a table: [prepayment], and under it turnover = 7")
    curve = rates.from_par(raw["years"], raw["par"], per_year=raw.get("per_year", 2))
    vols = {
        theirs: numbers(theirs, [line[ours] for line in raw["vol"]])
        for ours, theirs in (("expiry", "expiry_years"), ("tenor", "tenor_years"), ("bp", "volatility_bp"))
    }
    fitted = rates.calibrate(curve, vols, factors=raw.get("factors", 2))
    mortgage = float(numbers("mortgage_rate", raw["mortgage_rate"], 0, 100))
    if 0 < mortgage < _LEAST_RATE:
        raise WrongInput(f"mortgage_rate {mortgage:g} is meant in percent: write 5.09 for 5.09%")
    highest = float(np.abs(numbers("par", raw["par"])).max(initial=0))
    if 0 < highest < _LEAST_PAR:
        raise WrongInput(f"par is meant in percent, and its highest is {highest:g}: write 3.85 for 3.85%")
    worst = float(fitted.table["difference_bp"].abs().to_numpy().max())
    return Market(
        curve, fitted.model, rates.current_coupon(curve, mortgage), mortgage,
        prepayment_model(**changes), worst, seed, bool(changes),
    )  # fmt: skip


def with_oas(
    answer: Answer, loans: pl.DataFrame, market: Market, of: Behaviour, *, month0: int = 1, paths: int = DEFAULT_PATHS
) -> Answer:
    """The answer of a valuation plus `oas`: `MEASURES`, paths, groups, mortgage_rate, worst_fit_bp (of the vols),
    by_path (settled value per 100), s_curve (incentive, cpr), and where holders bear losses, credit_cost_bp: how much
    higher the OAS would be if nothing were lost. loans: balance, wac, coupon, wam, age, and facts; see `value_groups`.
    month0: calendar month of the first payments, without models. Refused without a price.
    """
    if answer["price"] is None:
        raise Refused("an option-adjusted spread needs a price: give --price or a yield")
    month0 = of.month0 if of.modelled else month0
    found = grouped(loans)
    models = prepaying(found, of, market.borrowers)
    try:
        walked = rates.rate_paths(
            market.curve, market.model, market.coupon, count=paths, settle_days=answer["settle_days"], seed=market.seed,
            months=int(found.groups["wam"].to_numpy().max()),
        )  # fmt: skip
        credit = defaulting(found, of)
        security = _security(found, answer, month0, **credit)
        spread = valuation.oas(security, answer["price"], walked, models)
        told = {name: getattr(spread, name) for name in MEASURES}
        if credit and not of.guaranteed:
            whole = _security(found, answer, month0, **(credit | {"severity": 0.0, "advance": True}))
            without = valuation.oas(whole, answer["price"], walked, models, risk=False)
            told["credit_cost_bp"] = without.oas_bp - spread.oas_bp
    except WrongInput as error:
        raise Refused(str(error)) from error
    told |= {
        "paths": paths, "groups": found.groups.height, "mortgage_rate": market.mortgage_rate,
        "worst_fit_bp": market.worst_fit_bp, "by_path": np.asarray(spread.by_path).tolist(),
        "s_curve": s_curve(of.prepayment or market.borrowers, market.mortgage_rate, answer["pool"]["age"], month0),
    }  # fmt: skip
    return answer | {"oas": told}


def _security(found: Grouped, answer: Answer, month0: int, **credit: Any) -> valuation.Security:
    columns = [found.groups[name].to_numpy() for name in ("balance", "wac", "coupon", "wam")]
    age = found.groups["age"].to_numpy()
    return valuation.security(*columns, age=age, month0=month0, delay_days=answer["delay_days"], **credit)


def s_curve(borrowers: PrepaymentModel, mortgage_rate: float, age: int, month0: int) -> Answer:
    """Speed by incentive of loans of this age where rates stay: incentive (points) and cpr (percent)."""
    incentive = np.arange(-_SPAN, _SPAN + _STEP / 2, _STEP)
    incentive = incentive[mortgage_rate + incentive > 0]
    still = np.full((len(incentive), 1), mortgage_rate)
    smm = borrowers.smm(still, mortgage_rate + incentive, np.full(len(incentive), max(age, 1)), month0)[:, 0]
    return {"incentive": incentive.round(6).tolist(), "cpr": (100 * (1 - (1 - smm) ** 12)).tolist()}
