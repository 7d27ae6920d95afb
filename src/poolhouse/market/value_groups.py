"""Loans on paths of rates: those of like rate, term and age are one group, with what the models make of it.

A group's borrowers are taken at their means, weighted by balance. Its defaults are those of its loans, one by one,
added up: exactly, but for what prepayment does to the mix.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl

from poolhouse import valuation
from poolhouse.market.value_borrowers import DEFAULT, Behaviour, defaulted, parts, without_buyouts
from poolhouse.valuation import DefaultModel, PrepaymentModel, speeds
from poolhouse.valuation.quick_prepayment import QuickModel
from poolhouse.valuation.quick_speeds import Quick
from poolhouse.valuation.wrong import Floats

Answer = dict[str, Any]
_EIGHTHS = 8
_FACTS = (("balance", "size"), ("score", "score"), ("ltv", "ltv"))
"""What the prepayment model takes, and its column."""


@dataclass(frozen=True)
class Grouped:
    """groups: a row each, of balance, means of rates and facts (null unknown), wam, age, known; loans: with `group`."""

    groups: pl.DataFrame
    loans: pl.DataFrame


def grouped(loans: pl.DataFrame) -> Grouped:
    """Loans of like rate (to an eighth), term and age together."""

    def mean(name: str) -> pl.Expr:
        weight = pl.col("balance").filter(pl.col(name).is_not_null())
        return (pl.col(name) * pl.col("balance")).sum() / weight.sum()

    key = ["near", "wam", "age", "known"]
    loans = loans.with_columns(near=(pl.col("wac") * _EIGHTHS).round())
    names = ("wac", "coupon", *(ours for _, ours in _FACTS))
    groups = loans.group_by(key).agg(pl.col("balance").sum(), *(mean(name).alias(name) for name in names)).sort(key)
    place = groups.select(*key, pl.int_range(pl.len()).alias("group"))
    return Grouped(groups, loans.join(place, on=key, how="left", maintain_order="left"))


@dataclass(frozen=True)
class Later:
    """A model of borrowers whose first months are over: nothing prepays in them. Its kernel's forms are kept: a group
    is asked for the same one for each move of the rates."""

    model: QuickModel
    known: int
    _forms: dict[tuple[float, int, int, int], Quick] = field(default_factory=dict, compare=False, repr=False)

    def smm(self, rates: Floats, wac: float, age: int, month0: int) -> Floats:
        """The model's from then on."""
        found = self.model.smm(rates, wac, age, month0)
        found[:, : self.known] = 0.0
        return found

    def quick(self, wac: float, age: int, month0: int, months: int) -> Quick:
        """The kernel's form of the same."""
        asked = wac, age, month0, months
        if asked not in self._forms:
            form, later = self.model.quick(*asked), np.arange(months) >= self.known
            self._forms[asked] = replace(
                form, turnover=form.turnover * later, refinance=form.refinance * later,
                kept=np.where(later, form.kept, 1.0),
            )  # fmt: skip
        return self._forms[asked]


def prepaying(found: Grouped, of: Behaviour, usual: PrepaymentModel) -> list[Later]:
    """A model for each group: the one asked for at the group's means, else the usual one of a usual loan."""
    groups = found.groups
    if of.prepayment is None:
        return [Later(valuation.quick_model(without_buyouts(usual, of.speeds, of.defaults)), 0)] * groups.height
    facts = {theirs: groups[ours].to_list() for theirs, ours in _FACTS}
    return [
        Later(
            valuation.quick_model(
                of.prepayment.at(history=of.history, **{n: values[k] for n, values in facts.items()})
            ),
            known,
        )
        for k, known in enumerate(groups["known"].to_list())
    ]


def defaulting(found: Grouped, of: Behaviour) -> Answer:
    """What `valuation.security` takes of defaults; nothing where none are asked for."""
    named = next((name for name in DEFAULT if name in of.speeds), None)
    common = {"lag": of.lag, "advance": of.advance}
    if named is not None:
        return {named: of.speeds[named], "severity": of.severity, **common}
    return {} if of.defaults is None else {**_together(found, of, of.defaults), **common}


def _together(found: Grouped, of: Behaviour, model: DefaultModel) -> Answer:
    """cdr and severity, percent, groups x months: of a group's loans together, weighted by what is left of them."""
    shape = (found.groups.height, int(found.groups["wam"].to_numpy().max()))
    opening, gone, lost = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for part in parts(found.loans):
        vectors = defaulted(part, of, model)
        mdr = speeds.cdr_to_mdr(vectors["cdr"]) / 100
        term, month = part["wam"].to_numpy()[:, None], np.arange(mdr.shape[1])
        left = speeds.amortised_balance(part["wac"].to_numpy()[:, None], term, np.maximum(term - month, 0))
        alive = np.cumprod(np.concatenate([np.ones((len(mdr), 1)), 1 - mdr[:, :-1]], axis=1), axis=1)
        begun = part["balance"].to_numpy()[:, None] * left * alive
        severity = np.broadcast_to(vectors["severity"], mdr.shape)
        at_default = severity[:, np.minimum(month + of.lag, mdr.shape[1] - 1)]
        of_group = np.ix_(part["group"].to_numpy(), np.arange(mdr.shape[1]))
        for total, row in ((opening, begun), (gone, begun * mdr), (lost, begun * mdr * at_default)):
            np.add.at(total, of_group, row)
    share = np.divide(gone, opening, out=np.zeros(shape), where=opening > 0)
    severity = np.divide(lost, gone, out=np.zeros(shape), where=gone > 0)
    later = np.maximum(np.arange(shape[1]) - of.lag, 0)  # by month of liquidation
    return {"cdr": speeds.mdr_to_cdr(100 * share), "severity": np.minimum(severity[:, later], 100.0)}
