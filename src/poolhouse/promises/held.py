"""5, Held: who holds a security is what its trades say, and holders are paid what their face gives.

Positions from the record of trades; each payment by the holder formula in whole numbers of any size.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any

import polars as pl

from poolhouse.dates import first_day, last_day, month_of, on_or_after, on_or_before
from poolhouse.money import dollars
from poolhouse.promises.evidence import Evidence, trusts
from poolhouse.promises.tally import Tally

ONE_E8 = 10**8
_PAR_E6 = 10**8


def half_up(top: int, bottom: int) -> int:
    """top / bottom to the nearest whole, a half goes up; top >= 0."""
    whole, rest = divmod(top, bottom)
    return whole + (2 * rest >= bottom)


def held(evidence: Evidence) -> Tally:
    """Facts per settlement date and security, per trade, and per holder and month."""
    register = _Register(evidence)
    for month in evidence.closed:
        record = on_or_before(last_day(month - 1))
        register.settle(record)
        register.pay(month, record)
    register.settle(date.max)
    register.price()
    return register.tally


Payment = tuple[int, int, int, date]
"""Face, principal, interest, pay date."""


class _Register:
    """Positions as trades settle one after the other."""

    def __init__(self, evidence: Evidence) -> None:
        self.tally = Tally()
        self._evidence = evidence
        self._pools = {p["pool_id"]: p for p in evidence.pools.iter_rows(named=True)}
        self._trades = list(evidence.trades.iter_rows(named=True))
        self._factors = evidence.book.segment("pool_factors")
        self._faces: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
        self._settled = 0

    def _fact(self, ok: bool, text: str, **values: Any) -> None:
        self.tally.fact(ok, self._evidence.say(text, **values))

    def settle(self, until: date) -> None:
        """Deliver the trades up to a day, and prove each security delivered on each day."""
        trades = self._trades
        while self._settled < len(trades) and trades[self._settled]["settlement_date"] <= until:
            day, touched = trades[self._settled]["settlement_date"], set()
            while self._settled < len(trades) and trades[self._settled]["settlement_date"] == day:
                trade = trades[self._settled]
                mine = self._faces[trade["security_id"]]
                for party, sign in ((trade["buyer_id"], 1), (trade["seller_id"], -1)):
                    if party != trusts():
                        mine[party] += sign * trade["face_cents"]
                touched.add(trade["security_id"])
                self._settled += 1
            for security in sorted(touched):
                self._whole(day, security)

    def _whole(self, day: date, security: int) -> None:
        """Positions sum to the original face, and nobody has delivered what he didn't hold."""
        mine, pool = self._faces[security], self._pools.get(security)
        face, total, least = pool["face_cents"] if pool else None, sum(mine.values()), min(mine, key=lambda h: mine[h])
        text = "{day}, security of {pool:pool}: "
        self._fact(
            total == face, text + "positions, expected {face:cents}, found {total:cents}",
            day=day, pool=security, face=face, total=total,
        )  # fmt: skip
        self._fact(
            mine[least] >= 0, text + "{holder:party} holds, expected at least $0.00, found {found:cents}",
            day=day, pool=security, holder=least, found=mine[least],
        )  # fmt: skip

    def pay(self, month: int, record: date) -> None:
        """Facts per security with a factor and per holder: who is paid, how much, when."""
        book = self._evidence.book
        published = {f["pool_id"]: f for f in self._factors.filter(pl.col("month") == month).iter_rows(named=True)}
        losses = book.segment("pool_months", month).group_by("pool_id").agg(pl.col("loss_cents").sum()).sort("pool_id")
        lost = dict(zip(losses["pool_id"].to_list(), losses["loss_cents"].to_list(), strict=True))
        found: dict[int, dict[int, Payment]] = defaultdict(dict)
        columns = ("security_id", "holder_id", "face_cents", "principal_cents", "interest_cents", "pay_date")
        by_security = book.segment("holder_months", month).select(columns)
        for security, holder, *paid in by_security.iter_rows():
            found[security][holder] = (paid[0], paid[1], paid[2], paid[3])
        for security in sorted(published.keys() | found.keys()):
            factor, pool = published.get(security), self._pools.get(security)
            if factor is None or pool is None:
                self._fact(
                    False, "{m:month}, {pool:pool}: expected no payment without a factor", m=month, pool=security
                )
                continue
            days = (record, on_or_after(_day(month, pool["pay_day"])))
            self._fact(
                (factor["record_date"], factor["pay_date"]) == days,
                "{m:month}, {pool:pool}: record and pay date, expected {days[0]} and {days[1]}, found "
                "{record_date} and {pay_date}",
                m=month, pool=security, days=days, record_date=factor["record_date"], pay_date=factor["pay_date"],
            )  # fmt: skip
            wanted = _payments(factor, pool, self._faces[security], lost.get(security, 0), days[1])
            self._holders(month, security, found[security], wanted)

    def _holders(self, month: int, security: int, found: dict[int, Payment], wanted: dict[int, Payment]) -> None:
        for holder in sorted(wanted.keys() | found.keys()):
            right, paid = wanted.get(holder), found.get(holder)
            self._fact(
                paid == right, "{m:month}, {pool:pool}, {holder:party}: expected {right}, found {paid}",
                m=month, pool=security, holder=holder, right=_Paid(right), paid=_Paid(paid),
            )  # fmt: skip

    def price(self) -> None:
        """A fact per trade: price x factor x face, and 30/360 interest from the 1st, at the factor of its month."""
        published = zip(*(self._factors[c].to_list() for c in ("pool_id", "month", "factor_e8")), strict=True)
        factors = {(pool, month): factor for pool, month, factor in published}
        for trade in self._trades:
            pool, day = self._pools.get(trade["security_id"]), trade["settlement_date"]
            if pool is None or trade["kind"] == "issue":
                continue
            fresh = month_of(pool["issue_date"]) == month_of(day)
            # In the open month the factor isn't published yet: the trade's own is taken.
            factor = ONE_E8 if fresh else factors.get((trade["security_id"], month_of(day)), trade["factor_e8"])
            current = half_up(trade["face_cents"] * factor, ONE_E8)
            cost = half_up(trade["face_cents"] * factor * trade["price_e6"], ONE_E8 * _PAR_E6)
            accrued = half_up(current * pool["coupon_rate_e7"] * (day.day - 1), 3_600_000_000)
            self._fact(
                (trade["factor_e8"], trade["principal_cents"], trade["accrued_cents"]) == (factor, cost, accrued),
                "trade {trade[trade_id]}: expected {cost:cents} + {accrued:cents} accrued at the factor "
                "{factor:factor}, found "
                "{trade[principal_cents]:cents} + {trade[accrued_cents]:cents} at {trade[factor_e8]:factor}",
                trade=trade, cost=cost, accrued=accrued, factor=factor,
            )  # fmt: skip


class _Paid:
    """A payment in words, put together only when somebody reads it."""

    def __init__(self, paid: Payment | None) -> None:
        self._paid = paid

    def __format__(self, _spec: str) -> str:
        if self._paid is None:
            return "no payment"
        face, principal, interest, day = self._paid
        return f"{dollars(principal)} + {dollars(interest)} on {day} for a face of {dollars(face)}"


def _payments(
    factor: dict[str, Any], pool: dict[str, Any], mine: dict[int, int], loss: int, pays: date
) -> dict[int, Payment]:
    """The holder formula on the positions of the record date.

    Principal: half-up(face x fall of the factor), but for the part of the fall that was lost and brings
    no cash; interest: half-up(face x factor before x coupon / 12).
    """
    before = factor["prior_factor_e8"]
    if before == 0:
        return {}
    fall = max(before - factor["factor_e8"], 0)
    fall -= min(half_up(ONE_E8 * loss, pool["face_cents"]), fall)
    rate = before * pool["coupon_rate_e7"]
    return {
        holder: (face, half_up(face * fall, ONE_E8), half_up(face * rate, ONE_E8 * 120_000_000), pays)
        for holder, face in mine.items()
        if face
    }


def _day(month: int, day: int) -> date:
    return first_day(month).replace(day=min(day, last_day(month).day))
