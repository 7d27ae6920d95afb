"""value --prepayment and --defaults: a pool's loans projected one by one by the models of borrowers.

What is told of the world is simple: a mortgage rate and an unemployment rate that stay as they are, house prices that
do not move, unless the user gives them by month.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from poolhouse import rules, valuation
from poolhouse.dates import month_name
from poolhouse.findings import Refused
from poolhouse.market import value_facts
from poolhouse.market.standards import text_of
from poolhouse.rules import Rulebook, mortgage_rate_e7
from poolhouse.rules import mortgage_rate as survey
from poolhouse.rules import unemployment as jobs
from poolhouse.valuation import DefaultModel, PrepaymentModel, default_model, prepayment_model, schedule, totals
from poolhouse.valuation.wrong import Floats, numbers

Answer = dict[str, Any]
Given = str | Path | Mapping[str, Any] | None
ByMonth = float | list[float] | None
USUAL = "model"
"""Names the documented parameters."""
PREPAY, DEFAULT = ("psa", "cpr", "smm"), ("cdr", "sda")
_E7_PER_PERCENT, _E3_PER_PERCENT = 100_000, 10
_LEAST_RATE = 0.5
"""Percent: a mortgage rate below it was written as a fraction."""
_CELLS = 131_072
"""Loan-months worked on at a time."""


@dataclass(frozen=True)
class Asked:
    """Models and what they look at, as the user gives them.

    prepayment, defaults: "model", a TOML file with a table [prepayment] or [defaults], the JSON answer of
    `fit prepayment`, or parameters by name. mortgage_rate, unemployment: percent; house_prices: against today's, which
    is 1; each a number or one a month, the last going on. guaranteed: holders are paid what defaulted loans don't pay.
    """

    prepayment: Given = None
    defaults: Given = None
    mortgage_rate: ByMonth = None
    house_prices: ByMonth = None
    unemployment: ByMonth = None
    guaranteed: bool = False


@dataclass(frozen=True)
class Behaviour:
    """How borrowers prepay and default in one projection; built by `behaviour`.

    speeds: those given as numbers; first: month index of the first month projected, None without a date; told: what
    the models were given, for the answer.
    """

    speeds: Answer
    severity: float | list[float]
    lag: int
    advance: bool
    guaranteed: bool = False
    prepayment: PrepaymentModel | None = None
    defaults: DefaultModel | None = None
    first: int | None = None
    rate: Floats = field(default_factory=lambda: np.zeros(1))
    history: Floats | None = None
    house_prices: ByMonth = None
    unemployment: ByMonth = None
    book: Rulebook = field(default_factory=rules.load)
    told: Answer = field(default_factory=dict)

    @property
    def modelled(self) -> bool:
        return self.prepayment is not None or self.defaults is not None

    @property
    def month0(self) -> int:
        """Calendar month of the first month projected; January without a date."""
        return 1 if self.first is None else self.first % 12 + 1

    @property
    def said(self) -> Answer:
        """`speeds` of an answer."""
        names = {name: self.told[name] for name in ("prepayment", "defaults") if name in self.told}
        severity = {} if self.defaults is not None else {"severity": self.severity}
        return self.speeds | names | severity | {"lag": self.lag, "advance": self.advance}


def behaviour(
    asked: Asked, speeds: Answer, severity: float | list[float] | None, lag: int, advance: bool, *,
    first: int | None = None, guaranteed: bool = False, market: Any = None, book: Rulebook | None = None,
) -> Behaviour:  # fmt: skip
    """Checked, with the models read. guaranteed: the pool is, whatever the user says; its holders get defaulted loans'
    balances as principal, so nothing is lost and all is advanced. market: `value_oas.Market` where rates are given:
    "model" is then its model, and its mortgage rate today's. Refused: what contradicts itself, and a model of
    prepayment with no mortgage rate."""
    _refuse_contradictions(asked, speeds, severity, advance, market)
    paid = guaranteed or asked.guaranteed
    plain = Behaviour(speeds, 0.0 if severity is None or paid else severity, lag, advance or paid, paid)
    defaults = _model("defaults", asked.defaults, default_model)
    prepayment = _model("prepayment", asked.prepayment, prepayment_model)
    if prepayment is None and defaults is None:
        return plain
    if prepayment is not None and market is not None and asked.prepayment == USUAL:
        prepayment = market.borrowers
    if prepayment is not None:
        prepayment = without_buyouts(prepayment, speeds, defaults)
    rate = _mortgage_rate(asked, first, market) if prepayment is not None else None
    unemployment = _unemployment(asked, first) if defaults is not None else None
    told: Answer = {"as_of": None if first is None else month_name(first)}
    if prepayment is not None:
        told |= {"prepayment": _label(asked.prepayment), "mortgage_rate": rate}
    if defaults is not None:
        told |= {"defaults": _label(asked.defaults), "unemployment": unemployment}
        told["house_prices"] = 1.0 if asked.house_prices is None else asked.house_prices
    told["stands_in"] = _world_stands_in(asked, first, market, prepayment, defaults)
    return replace(
        plain, prepayment=prepayment, defaults=defaults, first=first, house_prices=asked.house_prices, told=told,
        book=book or rules.load(),
        rate=np.zeros(1) if rate is None else np.atleast_1d(np.asarray(rate, dtype=np.float64)),
        history=_history(first) if prepayment is not None else None, unemployment=unemployment,
    )  # fmt: skip


def without_buyouts(model: PrepaymentModel, speeds: Answer, defaults: DefaultModel | None) -> PrepaymentModel:
    """Where defaults are projected by themselves, the model's buyouts of loans in arrears would count them twice."""
    own = defaults is not None or any(name in speeds for name in DEFAULT)
    return replace(model, buyout=0.0) if own else model


def _refuse_contradictions(asked: Asked, speeds: Answer, severity: Any, advance: bool, market: Any) -> None:
    for given, model, names in (
        (asked.prepayment, "prepayment", PREPAY), (asked.defaults, "defaults", DEFAULT),
    ):  # fmt: skip
        both = [name for name in names if name in speeds]
        if given is not None and both:
            raise Refused(f"--{both[0]} and --{model} say the same thing twice: give one")
    if asked.defaults is not None and severity is not None:
        raise Refused("--severity and --defaults contradict each other: the model has a severity of its own")
    if asked.guaranteed and severity is not None and np.any(np.asarray(severity, dtype=float) > 0):
        raise Refused("--severity and --guaranteed contradict each other: a guarantor pays what is lost")
    if asked.guaranteed and not advance:
        raise Refused("--no-advance and --guaranteed contradict each other: a guarantor pays what is late")
    needs = (("mortgage_rate", "prepayment"), ("house_prices", "defaults"), ("unemployment", "defaults"))
    for name, model in needs:
        if getattr(asked, name) is not None and getattr(asked, model) is None:
            raise Refused(f"--{name.replace('_', '-')} is what --{model} looks at: give both or neither")
    if market is not None and market.changed and asked.prepayment not in (None, USUAL):
        raise Refused(
            "--prepayment and [prepayment] of --rates say the same thing twice: give one, or --prepayment model"
        )


def _model(name: str, given: Given, build: Callable[..., Any]) -> Any:
    if given is None:
        return None
    if isinstance(given, Mapping):
        return build(**given)
    return build() if given == USUAL else build(**_parameters(name, Path(given)))


def _parameters(name: str, path: Path) -> Mapping[str, Any]:
    """Of a TOML file the table of this name; of a JSON file what `fit` calls `model`. Refused with what to write."""
    text = text_of(path, name)
    try:
        raw = json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise Refused(f"{path.name}: neither TOML nor JSON: {error}") from error
    found = raw.get("model" if path.suffix.lower() == ".json" else name) if isinstance(raw, dict) else None
    if not isinstance(found, dict):
        raise Refused(
            f"{path.name} has no parameters: write a table [{name}] in a TOML file, or save in a .json what "
            "`fit prepayment --json` prints"
        )
    return found


def _label(given: Given) -> str:
    return "given" if isinstance(given, Mapping) else Path(str(given)).name


def _mortgage_rate(asked: Asked, first: int | None, market: Any) -> float | list[float]:
    given = asked.mortgage_rate
    if given is not None:
        found = np.atleast_1d(numbers("mortgage_rate", given, 0, 100))
        if found.ndim > 1 or not found.size:
            raise Refused("mortgage_rate must be one number or one a month")
        if 0 < found.min() < _LEAST_RATE:
            raise Refused(f"mortgage_rate {given} is meant in percent: write 5.09 for 5.09%")
        return given
    if market is not None:
        return float(market.mortgage_rate)
    if first is not None and first < survey.known_months()[0]:
        start = month_name(survey.known_months()[0])
        raise Refused(f"no mortgage rate is known for {month_name(first)}, before {start}: give --mortgage-rate")
    if first is None:
        raise Refused(
            "the prepayment model needs a mortgage rate: give --mortgage-rate, --rates, or a date in --settle"
        )
    return mortgage_rate_e7(first) / _E7_PER_PERCENT


def _unemployment(asked: Asked, first: int | None) -> ByMonth:
    """Today's national rate, percent, where none is given; None: not known, so the model's usual one."""
    if asked.unemployment is not None or first is None or first < jobs.known_months()[0]:
        return asked.unemployment
    return jobs.unemployment_e3(first) / _E3_PER_PERCENT


def _world_stands_in(
    asked: Asked, first: int | None, market: Any, prepayment: PrepaymentModel | None, defaults: DefaultModel | None
) -> list[Answer]:
    """Rates of today that nobody knows, and what is taken instead: for months after the last known its own."""
    rows = []
    if prepayment is not None and asked.mortgage_rate is None and market is None:
        rows += _late("mortgage_rate", "prepayment", first, survey.known_months()[1])
    if defaults is not None and asked.unemployment is None:
        if first is None or first < jobs.known_months()[0]:
            usual = defaults.usual_unemployment
            rows.append({"field": "unemployment", "model": "defaults", "loans": None, "stands_in": usual})
        rows += _late("unemployment", "defaults", first, jobs.known_months()[1])
    return rows


def _late(name: str, model: str, first: int | None, last: int) -> list[Answer]:
    if first is None or first <= last:
        return []
    return [{"field": name, "model": model, "loans": None, "stands_in": f"that of {month_name(last)}"}]


def _history(first: int | None) -> Floats | None:
    """The survey's mortgage rates before a month, percent: what borrowers have seen."""
    start = survey.known_months()[0]
    if first is None or first <= start:
        return None
    return np.array([mortgage_rate_e7(month) / _E7_PER_PERCENT for month in range(start, first)])


def cashflows(loans: pl.DataFrame, of: Behaviour) -> pl.DataFrame:
    """`valuation.cashflows` of loans with balance, wac, coupon, wam, age, and for models the facts of `value_facts`.

    Loans are projected one by one, some at a time, so memory does not grow with them; the answer depends on no thread.
    """
    given = {"severity": of.severity, "lag": of.lag, "advance": of.advance, **of.speeds}
    if not of.modelled:
        return valuation.cashflows(**_columns(loans), **given)
    months = int(loans["wam"].to_numpy().max())
    total = np.zeros((months, len(schedule.COLUMNS)))

    def one(part: pl.DataFrame) -> Floats:
        frame = valuation.cashflows(**_columns(part), **(given | modelled(part, of)), threads=1)
        return frame.select(schedule.COLUMNS).to_numpy()

    with ThreadPoolExecutor(totals.cores()) as pool:
        for found in pool.map(one, parts(loans)):
            total[: len(found)] += found
    return pl.DataFrame(
        {"month": np.arange(1, months + 1, dtype=np.int32), **dict(zip(schedule.COLUMNS, total.T, strict=True))}
    )


def parts(loans: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Loans alike in term and in how many months are known, so many at a time as stay in the cache."""
    for _, alike in loans.group_by("known", pl.col("wam") // 12, maintain_order=True):
        some = max(_CELLS // int(alike["wam"].to_numpy().max()), 1)
        yield from alike.iter_slices(some)


def modelled(part: pl.DataFrame, of: Behaviour) -> Answer:
    """Speeds and severities that the models give these loans, loans x months, as `cashflows` takes them."""
    months, found = int(part["wam"].to_numpy().max()), {}
    if of.prepayment is not None:
        rates = of.rate[np.minimum(np.arange(months), len(of.rate) - 1)]
        smm = of.prepayment.smm(
            rates, part["wac"].to_numpy(), part["age"].to_numpy(), of.month0, history=of.history,
            **value_facts.prepayment_facts(part),
        )  # fmt: skip
        smm[:, : int(part["known"][0])] = 0.0
        found["smm"] = 100 * smm
    if of.defaults is not None:
        found |= defaulted(part, of, of.defaults)
    return found


def defaulted(part: pl.DataFrame, of: Behaviour, model: DefaultModel) -> Answer:
    """cdr and severity of these loans, percent, loans x months; a guarantor leaves nothing to lose."""
    columns = [part[name].to_numpy() for name in ("balance", "wac", "wam", "age")]
    vectors = model.vectors(
        *columns, **value_facts.default_facts(part, model, of.book), lag=of.lag,
        house_prices=1.0 if of.house_prices is None else of.house_prices, unemployment=of.unemployment,
    )  # fmt: skip
    return {"cdr": vectors["cdr"], "severity": 0.0 if of.guaranteed else vectors["severity"]}


def told(loans: pl.DataFrame, of: Behaviour) -> Answer:
    """`borrowers` of an answer: what the models were given, and `stands_in`, a row for each fact of loans (as of
    `value_facts.stand_ins`) or of the world (loans None) that is unknown."""
    return of.told | {"stands_in": value_facts.stand_ins(loans, of.prepayment, of.defaults) + of.told["stands_in"]}


def _columns(loans: pl.DataFrame) -> Answer:
    return {name: loans[name].to_numpy() for name in ("balance", "wac", "coupon", "wam", "age")}
