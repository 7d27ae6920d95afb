"""The question put to the optimiser: loans, their offers, the pools they may go to, and the limits to keep.

Everything is data. A limit stands over a group of offers, selected by conditions on any column of the offers, pools or
loans (`where`), once or once for each value of a column (`per`). Amounts are cents, attributes are numbers of up to six
decimals, limits exact decimals: `check` tests them with integers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Literal

import polars as pl

from poolhouse.findings import Refused

Number = int | float | str | Decimal | Fraction
Where = Mapping[str, object]
"""Column -> value, list of values, or a table of `min`, `max` (both inclusive), `not` (value or list)."""
Measure = Literal["balance", "count"]
POOL = "pool"


def exact(value: Number) -> Fraction:
    """The number as written: a float counts as its shortest decimal, never as its binary neighbour."""
    return Fraction(repr(value)) if isinstance(value, float) else Fraction(value)


@dataclass(frozen=True, kw_only=True)
class Total:
    """The group's balance (cents) or count of loans: at least, at most, or at least if any loan is there at all.

    With `short_cost` or `over_cost` (cents per cent of balance, or per loan) `min` or `max` may be missed at that cost:
    a mandatory commitment and its pair-off.
    """

    name: str
    where: Where = field(default_factory=dict)
    per: str | None = None
    measure: Measure = "balance"
    min: Number | None = None
    max: Number | None = None
    min_if_used: Number | None = None
    short_cost: Number | None = None
    over_cost: Number | None = None


@dataclass(frozen=True, kw_only=True)
class Average:
    """The group's average of a column, weighted by balance (or by count). Loans without a value are left out."""

    name: str
    of: str
    where: Where = field(default_factory=dict)
    per: str | None = None
    by: Measure = "balance"
    min: Number | None = None
    max: Number | None = None


@dataclass(frozen=True, kw_only=True)
class Share:
    """How much of the group is of a class (`of`), by balance or by count, 0 to 1."""

    name: str
    of: Where
    where: Where = field(default_factory=dict)
    per: str | None = None
    by: Measure = "balance"
    min: Number | None = None
    max: Number | None = None


@dataclass(frozen=True, kw_only=True)
class Comparability:
    """An average, or a share, differs between groups `a` and `b` by `within` at most.

    One of `average` (a column), `share` (a class) and `each` (a column: the share of each of its values) is given.
    An empty group compares with everything.
    """

    name: str
    a: Where
    b: Where
    within: Number
    average: str | None = None
    share: Where | None = None
    each: str | None = None
    by: Measure = "balance"


Limit = Total | Average | Share | Comparability


@dataclass(frozen=True)
class Problem:
    """Each loan takes exactly one of its offers; all values together are to be as high as the limits allow.

    loans: `balance_cents` (i64 > 0), `loan` (its key, optional) and attributes. offers: `loan` and `pool` (row numbers
    of the other two tables), `value_cents` (i64), `servicer` or any other attribute. pools: `pool` (key, optional) and
    attributes. With `assign` = "any" a loan may also stay where it is, worth `unassigned_cents` (of loans, else 0).
    """

    loans: pl.DataFrame
    offers: pl.DataFrame
    pools: pl.DataFrame
    limits: tuple[Limit, ...] = ()
    assign: Literal["all", "any"] = "all"

    def __post_init__(self) -> None:
        object.__setattr__(self, "limits", tuple(self.limits))
        for frame, columns in ((self.loans, ("balance_cents",)), (self.offers, ("loan", "pool", "value_cents"))):
            for column in columns:
                if column not in frame.columns or not frame[column].dtype.is_integer() or frame[column].null_count():
                    raise Refused(f"{column!r} must be a column of whole numbers without gaps")
        if self.offers.height == 0:
            return
        for column, frame in (("loan", self.loans), ("pool", self.pools)):
            rows = self.offers[column].to_numpy()
            if rows.min() < 0 or rows.max() >= frame.height:
                raise Refused(f"offers name a {column} that is not in the table of {column}s")
