"""Problems small enough to try every assignment, and the plain arithmetic that tries them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl

from poolhouse.execution.problem import Average, Comparability, Limit, Problem, Share, Total

DOLLAR = 100


def problem(seed: int, loans: int, pools: int, limits: tuple[Limit, ...] = (), **more: Any) -> Problem:
    """Loans of 100 to 900 thousand dollars, each with an offer from most pools, prices close together."""
    rng = np.random.default_rng(seed)
    balance = rng.integers(100, 900, loans) * 1_000 * DOLLAR
    frame = pl.DataFrame(
        {
            "loan": [f"L{i}" for i in range(loans)],
            "balance_cents": balance,
            "score": rng.integers(620, 820, loans),
            "dti": (rng.integers(2000, 5000, loans) / 100).round(2),
            "state": rng.choice(["CA", "TX", "NY"], loans),
            "high_balance": np.where(balance > 600_000 * DOLLAR, "Y", "N"),
        }
    )
    places = pl.DataFrame(
        {
            "pool": [f"P{j}" for j in range(pools)],
            "agency": [("Fannie Mae", "Freddie Mac")[j % 2] for j in range(pools)],
            "pool_type": [("Single-Issuer", "Multi-Issuer")[j // 2 % 2] for j in range(pools)],
        }
    )
    pairs = [(i, j) for i in range(loans) for j in range(pools) if j == i % pools or rng.random() < 0.8]
    price = rng.normal(102, 0.3, len(pairs))
    offers = pl.DataFrame(
        {
            "loan": [i for i, _ in pairs],
            "pool": [j for _, j in pairs],
            "servicer": rng.choice(["kept", "released"], len(pairs)),
            "value_cents": [round(float(balance[i]) * p / 100) for (i, _), p in zip(pairs, price, strict=True)],
        },
        schema_overrides={"value_cents": pl.Int64},
    )
    return Problem(frame, offers, places, limits, **more)


def every_assignment(given: Problem) -> Iterator[tuple[int, ...]]:
    """Rows of offers, one for each loan."""
    rows: list[list[int]] = [[] for _ in range(given.loans.height)]
    for k, loan in enumerate(given.offers["loan"].to_list()):
        rows[loan].append(k)
    if given.assign == "any":
        rows = [[*r, -1] for r in rows]
    return itertools.product(*rows)


def best(given: Problem) -> int | None:
    """Highest proceeds of all assignments that keep the limits, in cents; None where none does."""
    found = [value(given, a) for a in every_assignment(given) if keeps(given, a)]
    return max(found) if found else None


def _rows(given: Problem, chosen: tuple[int, ...]) -> list[dict[str, Any]]:
    offers, loans, pools = (f.rows(named=True) for f in (given.offers, given.loans, given.pools))
    return [
        {**pools[offers[k]["pool"]], **loans[offers[k]["loan"]], "servicer": offers[k]["servicer"]}
        for k in chosen
        if k >= 0
    ]


def _meets(row: dict[str, Any], where: Any) -> bool:
    return all(row[k] == v for k, v in where.items())


def _groups(rows: list[dict[str, Any]], limit: Any) -> list[list[dict[str, Any]]]:
    rows = [r for r in rows if _meets(r, limit.where)]
    if limit.per is None:
        return [rows]
    return [[r for r in rows if r[limit.per] == key] for key in sorted({r[limit.per] for r in rows})]


def _weight(row: dict[str, Any], by: str) -> int:
    return int(row["balance_cents"]) if by == "balance" else 1


def _mean(rows: list[dict[str, Any]], by: str, of: Any) -> Fraction | None:
    whole = sum(_weight(r, by) for r in rows)
    return sum((_weight(r, by) * Fraction(str(of(r))) for r in rows), Fraction(0)) / whole if whole else None


def keeps(given: Problem, chosen: tuple[int, ...]) -> bool:
    """Whether the assignment keeps every hard limit, by fractions."""
    rows = _rows(given, chosen)
    return all(_kept(rows, limit) for limit in given.limits)


def _kept(rows: list[dict[str, Any]], limit: Limit) -> bool:
    if isinstance(limit, Comparability):
        sides = [[r for r in rows if _meets(r, w)] for w in (limit.a, limit.b)]
        classes: list[Any] = [lambda r: r[limit.average]] if limit.average else []
        if limit.each:
            classes = [lambda r, v=v: int(r[limit.each] == v) for v in {r[limit.each] for r in rows}]
        for of in classes:
            a, b = (_mean(side, limit.by, of) for side in sides)
            if a is not None and b is not None and abs(a - b) > Fraction(str(limit.within)):
                return False
        return True
    for group in _groups(rows, limit):
        if isinstance(limit, Total):
            found: Any = sum(_weight(r, limit.measure) for r in group)
            low = None if limit.short_cost is not None else limit.min
            low = limit.min_if_used if limit.min_if_used is not None and group else low
        else:
            of = (lambda r: r[limit.of]) if isinstance(limit, Average) else (lambda r: int(_meets(r, limit.of)))
            found, low = _mean(group, limit.by, of), limit.min
        if found is None:
            continue
        if low is not None and found < Fraction(str(low)):
            return False
        if limit.max is not None and found > Fraction(str(limit.max)):
            return False
    return True


def value(given: Problem, chosen: tuple[int, ...]) -> int:
    """Proceeds in cents, less what missed commitments cost."""
    values = given.offers["value_cents"].to_list()
    total = sum(values[k] for k in chosen if k >= 0)
    rows = _rows(given, chosen)
    for limit in given.limits:
        if isinstance(limit, Total) and limit.short_cost is not None and limit.min is not None:
            for group in _groups(rows, limit):
                short = Fraction(str(limit.min)) - sum(_weight(r, limit.measure) for r in group)
                if short > 0:
                    cost = short * Fraction(str(limit.short_cost))
                    total -= -(-cost.numerator // cost.denominator)
    return total


__all__ = ["DOLLAR", "Share", "best", "every_assignment", "keeps", "problem", "value"]
