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

from poolhouse.dates import first_day
from poolhouse.promises.evidence import Evidence
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
    face, left_out = pl.col("face_cents"), pl.col("truncation_cents")
    whole = (face % 100 == 0) & (face + left_out == pl.col("scheduled_cents")) & left_out.is_between(0, 99)
    tally.expect(
        facts,
        whole & (pl.col("scheduled_cents") == pl.col("put_in")) & (pl.col("loans") == pl.col("counted")),
        evidence.say(
            "{pool_id:pool} at issue: expected the whole dollars of {put_in:cents} from {counted} loans, found a "
            "face of "
            "{face_cents:cents} and {truncation_cents:cents} left out, of {scheduled_cents:cents} from {loans} loans"
        ),
    )
    return tally


class Factored:
    """Factors and rounding accounts carried from month to month; months are given in order."""

    def __init__(self, evidence: Evidence) -> None:
        self.tally = Tally()
        self._evidence = evidence
        self._factor: dict[int, int] = defaultdict(lambda: ONE_E8)
        self._rounding: dict[int, int] = defaultdict(int)
        self._holders: dict[int, int] = defaultdict(int)
        self._loans: dict[int, int] = defaultdict(int)

    def month(self, month: int, sums: Sums) -> None:
        """Facts per pool issued before the month, and per factor published."""
        book = self._evidence.book
        loans = {r["pool_id"]: r for r in _pool_rows(sums.pools)}
        published = {r["pool_id"]: r for r in _pool_rows(book.segment("pool_factors", month))}
        received = _by_pool(book.segment("pool_months", month), "pool_id", pl.col("received_cents"))
        holders = self._evidence.by_pool(book.segment("holder_months", month))
        paid = _by_pool(holders, "pool_id", pl.col("principal_cents") + pl.col("interest_cents"))
        counted = _by_pool(holders, "pool_id", pl.lit(1, pl.Int64))
        for pool in _pool_rows(self._evidence.pools.filter(pl.col("issue_date") < first_day(month))):
            key = pool["pool_id"]
            mine = loans.get(key, {"balance_cents": 0, "loans": 0, "loans_before": 0})
            self._rounding[key] += received.get(key, 0) - paid.get(key, 0)
            self._holders[key] += counted.get(key, 0)
            self._loans[key] += mine["loans_before"]
            self._pool(month, pool, mine, published.pop(key, None))
        for key in published:
            self._fact(False, "expected no factor yet, found one", month, key)

    def _fact(self, ok: bool, text: str, month: int, pool_id: int, **values: int | None) -> None:
        say = self._evidence.say("{m:month}, {pool_id:pool}: " + text, m=month, pool_id=pool_id, **values)
        self.tally.fact(ok, say)

    def _pool(self, month: int, pool: dict[str, Any], loans: dict[str, int], row: dict[str, Any] | None) -> None:
        key = pool["pool_id"]
        if row is None:
            self._fact(False, "expected a factor, found none", month, key)
            return
        balance, prior, kept = loans["balance_cents"], self._factor[key], self._rounding[key]
        factor = factor_of(balance, pool["truncation_cents"], pool["face_cents"])
        most = bound(pool["face_cents"], pool["truncation_cents"], self._holders[key], self._loans[key])
        self._factor[key] = factor
        for found, wanted, what in (
            (row["closing_scheduled_cents"], balance, "expected {wanted:cents} by its loans, found {found:cents}"),
            (row["loans"], loans["loans"], "expected {wanted} loans with a balance, found {found}"),
            (row["factor_e8"], factor, "factor, expected {wanted:factor}, found {found:factor}"),
            (row["prior_factor_e8"], prior, "the factor before, expected {wanted:factor}, found {found:factor}"),
            (
                row["rounding_balance_cents"], kept,
                "rounding account, expected {wanted:cents}, received less paid since issue, found {found:cents}",
            ),
        ):  # fmt: skip
            self._fact(found == wanted, what, month, key, found=found, wanted=wanted)
        text = "rounding account, expected within {most:cents} of zero, found {kept:cents}"
        self._fact(abs(kept) <= most, text, month, key, most=floor(most), kept=kept)


def _pool_rows(pools: pl.DataFrame) -> list[dict[str, Any]]:
    """A row per pool: few."""
    return list(pools.iter_rows(named=True))


def _by_pool(frame: pl.DataFrame, key: str, value: pl.Expr) -> dict[int, int]:
    sums = frame.group_by(key).agg(value.sum().alias("sum")).sort(key)
    return dict(zip(sums[key].to_list(), sums["sum"].to_list(), strict=True))
