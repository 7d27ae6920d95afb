"""Offers that no best answer takes, found before anything is solved: they weaken the relaxation and cost time.

Three grounds: a group can't reach its minimum at all; a loan of a limited class is too large for what its pool could
ever hold beside it; another offer of the same loan enters the same rows and pays more.
"""

from __future__ import annotations

import numpy as np

from poolhouse import chance
from poolhouse.execution.compile import Floats, Model
from poolhouse.execution.groups import Bools

_SLACK = 1e-9
_ROUNDS = 10


def usable(model: Model) -> Bools:
    """The assignment columns that may still be 1. Every optimum over all columns has an equal one over these."""
    open_ = np.ones(model.assignments, dtype=np.bool_)
    for _ in range(_ROUNDS):
        before = int(open_.sum())
        _unreachable(model, open_)
        _too_large(model, open_)
        if int(open_.sum()) == before:
            break
    open_ &= ~_dominated(model, open_)
    return open_


def _unreachable(model: Model, open_: Bools) -> None:
    """Groups whose open offers, a loan counted once, don't reach the minimum."""
    for link in model.links:
        live = open_[link.offers]
        most = np.zeros(model.loans)
        np.maximum.at(most, model.loan[link.offers[live]], link.weight[live])
        if most.sum() < link.need - _SLACK:
            open_[link.offers] = False


def _too_large(model: Model, open_: Bools) -> None:
    """In a row sum <= 0, an offer whose own share outweighs all that the others could bring."""
    for row in model.rows:
        if (row.lower, row.upper) not in ((-np.inf, 0.0), (0.0, np.inf)) or (row.cols >= model.assignments).any():
            continue
        coefs = row.coefs if row.upper == 0.0 else -row.coefs
        live, loan = open_[row.cols], model.loan[row.cols]
        relief = np.zeros(model.loans)
        np.minimum.at(relief, loan[live], coefs[live])
        beside = relief.sum() - relief[loan]
        open_[row.cols[live & (coefs + beside > _SLACK * len(row.cols))]] = False


def _dominated(model: Model, open_: Bools) -> Bools:
    """Columns beside which another column of the loan has the same entries everywhere and at least its value."""
    prints = [_fingerprint(model, which) for which in range(2)]
    columns = np.flatnonzero(open_)
    order = columns[
        np.lexsort((columns, -model.value[columns], prints[1][columns], prints[0][columns], model.loan[columns]))
    ]
    same = np.zeros(len(order), dtype=np.bool_)
    if len(order) > 1:
        a, b = order[1:], order[:-1]
        same[1:] = (model.loan[a] == model.loan[b]) & (prints[0][a] == prints[0][b]) & (prints[1][a] == prints[1][b])
    dominated = np.zeros(model.assignments, dtype=np.bool_)
    dominated[order[same]] = True
    return dominated


def _fingerprint(model: Model, which: int) -> Floats:
    """A number for each column that is the same where the column's entries in all rows are."""
    keys = np.arange(len(model.rows) + len(model.links), dtype=np.uint64)
    draws = chance.draws(which, keys, 0, "fingerprint of a column").astype(np.float64) / 2.0**64
    print_ = np.zeros(model.columns)
    for k, row in enumerate(model.rows):
        print_[row.cols] += row.coefs * draws[k]
    for k, link in enumerate(model.links, start=len(model.rows)):
        print_[link.offers] += draws[k]
    return print_[: model.assignments]
