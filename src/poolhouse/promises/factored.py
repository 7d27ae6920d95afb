"""4, Factored: a trust owns what its loans owe, and its factor says so.

The balance comes from the loan rows, the factor is a fraction worked out anew, the rounding account
is added up from what the registers received and paid, and stays within its bound.
"""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from math import floor
from typing import Any

import polars as pl

from poolhouse.dates import first_day, month_name
from poolhouse.promises.evidence import Evidence, amount
from poolhouse.promises.sums import Sums
from poolhouse.promises.tally import Tally

ONE_E8 = 10**8


def factor_of(balance_cents: int, truncation_cents: int, face_cents: int) -> int:
    """Balance less the issue's truncation over face, to eight decimals, a half goes up; never below zero."""
    left = Fraction(max(balance_cents - truncation_cents, 0), face_cents)
    return floor(left * ONE_E8 + Fraction(1, 2))


def bound(face_cents: int, truncation_cents: int, holder_months: int, loan_months: int) -> Fraction:
    """How far the rounding account may be from zero: 0.5e-8 of face, the truncation, a cent per holder and
    half a cent per loan for each month since issue."""
    return Fraction(face_cents, 2 * ONE_E8) + truncation_cents + holder_months + Fraction(loan_months, 2)


def issued(evidence: Evidence) -> Tally:
    """Facts per pool at issue: face is whole dollars of the balances its loans were put in at."""
    tally = Tally()
    loans = evidence.book.segment("pool_loans").group_by("pool_id").agg(
        put_in=pl.col("scheduled_cents").sum(), counted=pl.len().cast(pl.Int64)
    )  # fmt: skip
    facts = evidence.pools.join(loans, on="pool_id", how="full", coalesce=True).sort("pool_id")
    whole = (pl.col("face_cents") % 100 == 0) & (
        pl.col("face_cents") + pl.col("truncation_cents") == pl.col("scheduled_cents")
    )
    fits = (pl.col("scheduled_cents") == pl.col("put_in")) & (pl.col("loans") == pl.col("counted"))
    tally.expect(
        facts, whole & fits & pl.col("truncation_cents").is_between(0, 99),
        lambda r: f"{evidence.pool(r['pool_id'])} at issue: face {amount(r['face_cents'])}, truncation {amount(r['truncation_cents'])}, "
        f"{r['loans']} loans; expected whole dollars of {amount(r['put_in'])} that its {r['counted']} loans put in",
    )  # fmt: skip
    return tally


class Factored:
    """Factors and rounding accounts carried from month to month; months are given in order."""

    def __init__(self) -> None:
        self.tally = Tally()
        self._factor: dict[int, int] = defaultdict(lambda: ONE_E8)
        self._rounding: dict[int, int] = defaultdict(int)
        self._holders: dict[int, int] = defaultdict(int)
        self._loans: dict[int, int] = defaultdict(int)

    def month(self, month: int, sums: Sums, evidence: Evidence) -> None:
        """Facts per pool issued before the month."""
        book = evidence.book
        loans = {r["pool_id"]: r for r in _pool_rows(sums.pools)}
        published = {r["pool_id"]: r for r in _pool_rows(book.segment("pool_factors", month))}
        received = _by_pool(book.segment("pool_months", month), "pool_id", pl.col("received_cents"))
        holders = book.segment("holder_months", month)
        paid = _by_pool(holders, "security_id", pl.col("principal_cents") + pl.col("interest_cents"))
        counted = _by_pool(holders, "security_id", pl.lit(1, pl.Int64))
        for pool in _pool_rows(evidence.pools.filter(pl.col("issue_date") < first_day(month))):
            key = pool["pool_id"]
            mine = loans.get(key, {"balance_cents": 0, "loans": 0, "loans_before": 0})
            self._rounding[key] += received.get(key, 0) - paid.get(key, 0)
            self._holders[key] += counted.get(key, 0)
            self._loans[key] += mine["loans_before"]
            where = f"{month_name(month)}, pool {pool['pool_number']}"
            self._pool(where, pool, mine, published.pop(key, None))
        for key in published:
            self.tally.fact(
                False, lambda key=key: f"{month_name(month)}: a factor of {evidence.pool(key)}, which isn't paid yet"
            )  # type: ignore[misc]

    def _pool(self, where: str, pool: dict[str, Any], loans: dict[str, int], row: dict[str, Any] | None) -> None:
        key, fact = pool["pool_id"], self.tally.fact
        fact(row is not None, lambda: f"{where}: expected a factor, found none")
        if row is None:
            return
        balance, factor = (
            loans["balance_cents"],
            factor_of(loans["balance_cents"], pool["truncation_cents"], pool["face_cents"]),
        )
        fact(
            (row["closing_scheduled_cents"], row["loans"]) == (balance, loans["loans"]),
            lambda: (
                f"{where}: balance {amount(row['closing_scheduled_cents'])} of {row['loans']} loans; expected {amount(balance)} "
                f"of {loans['loans']} by its loans"
            ),
        )
        fact(
            row["factor_e8"] == factor,
            lambda: f"{where}: factor, expected {_words(factor)}, found {_words(row['factor_e8'])}",
        )
        prior = self._factor[key]
        fact(
            row["prior_factor_e8"] == prior,
            lambda: f"{where}: the factor before, expected {_words(prior)}, found {_words(row['prior_factor_e8'])}",
        )
        kept = self._rounding[key]
        fact(
            row["rounding_balance_cents"] == kept,
            lambda: (
                f"{where}: rounding account, expected {amount(kept)} received less paid since issue, found "
                f"{amount(row['rounding_balance_cents'])}"
            ),
        )
        most = bound(pool["face_cents"], pool["truncation_cents"], self._holders[key], self._loans[key])
        fact(
            abs(kept) <= most,
            lambda: f"{where}: rounding account {amount(kept)}; expected within {amount(floor(most))} of zero",
        )
        self._factor[key] = factor


def _pool_rows(pools: pl.DataFrame) -> list[dict[str, Any]]:
    """A row per pool: few."""
    return list(pools.iter_rows(named=True))


def _by_pool(frame: pl.DataFrame, key: str, value: pl.Expr) -> dict[int, int]:
    sums = frame.group_by(key).agg(value.sum().alias("sum")).sort(key)
    return dict(zip(sums[key].to_list(), sums["sum"].to_list(), strict=True))


def _words(factor_e8: int) -> str:
    return f"{factor_e8 // ONE_E8}.{factor_e8 % ONE_E8:08d}"
