"""5, Held: who holds a security is what its trades say, and holders are paid what their face gives.

Positions from the record of trades; each payment by the holder formula in whole numbers of any size. A deal's class
shares out what it got and what it lost by face, to the cent, and the ledger has both with the same holders.
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
        self._securities = {s["security_id"]: s for s in evidence.securities.iter_rows(named=True)}
        self._factors = evidence.book.segment("pool_factors")
        self._classes = evidence.book.segment("class_months")
        self._faces: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
        self._lost: dict[int, int] = defaultdict(int)
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
        mine, known = self._faces[security], self._securities.get(security)
        face, total = known["original_face_cents"] if known else None, sum(mine.values())
        least = min(mine, key=lambda h: mine[h])
        text = "{day}, {s:security}: "
        self._fact(
            total == face, text + "positions, expected {face:cents}, found {total:cents}",
            day=day, s=security, face=face, total=total,
        )  # fmt: skip
        self._fact(
            mine[least] >= 0, text + "{holder:party} holds, expected at least $0.00, found {found:cents}",
            day=day, s=security, holder=least, found=mine[least],
        )  # fmt: skip

    def pay(self, month: int, record: date) -> None:
        """Facts per pool with a factor, and per security and holder: who is paid, how much, when."""
        published = {f["pool_id"]: f for f in self._factors.filter(pl.col("month") == month).iter_rows(named=True)}
        classes = {c["security_id"]: c for c in self._classes.filter(pl.col("month") == month).iter_rows(named=True)}
        found: dict[int, dict[int, Payment]] = defaultdict(dict)
        columns = ("security_id", "holder_id", "face_cents", "principal_cents", "interest_cents", "pay_date")
        by_security = self._evidence.book.segment("holder_months", month).select(columns)
        for security, holder, *paid in by_security.iter_rows():
            found[security][holder] = (paid[0], paid[1], paid[2], paid[3])
        days = {number: self._days(month, record, factor) for number, factor in published.items()}
        wanted = {s for s, known in self._securities.items() if known["pool_id"] in published}
        for security in sorted(wanted | found.keys()):
            known = self._securities.get(security)
            day = days.get(known["pool_id"]) if known is not None else None
            if known is None or day is None:
                text = "{m:month}, {s:security}: expected no payment without a factor"
                self._fact(False, text, m=month, s=security)
            elif known["class_name"]:
                self._class(month, security, classes.get(security), found[security], day)
            else:
                factor, pool = published[known["pool_id"]], self._pools[known["pool_id"]]
                self._holders(month, security, found[security], _payments(factor, pool, self._faces[security], day))
        self._posted(month, found)

    def _days(self, month: int, record: date, factor: dict[str, Any]) -> date | None:
        """The pay date that the pool's terms give; None for a pool that the book doesn't have."""
        pool = self._pools.get(factor["pool_id"])
        if pool is None:
            return None
        days = (record, on_or_after(_day(month, pool["pay_day"])))
        self._fact(
            (factor["record_date"], factor["pay_date"]) == days,
            "{m:month}, {pool:pool}: record and pay date, expected {days[0]} and {days[1]}, found "
            "{record_date} and {pay_date}",
            m=month, pool=factor["pool_id"], days=days, record_date=factor["record_date"], pay_date=factor["pay_date"],
        )  # fmt: skip
        return days[1]

    def _class(
        self, month: int, security: int, row: dict[str, Any] | None, found: dict[int, Payment], day: date
    ) -> None:
        """Each holder of a class gets its share to the cent, and all of them what the class got."""
        if row is None:
            self._fact(False, "{m:month}, {s:security}: expected its month, found none", m=month, s=security)
            return
        whole = (row["principal_cents"], row["interest_cents"])
        got = (sum(paid[1] for paid in found.values()), sum(paid[2] for paid in found.values()))
        self._fact(
            got == whole,
            "{m:month}, {s:security}: holders, expected {whole[0]:cents} + {whole[1]:cents}, found {got[0]:cents} + "
            "{got[1]:cents}",
            m=month, s=security, whole=whole, got=got,
        )  # fmt: skip
        dead = not row["opening_cents"] and not any(whole)
        faces = {} if dead else {holder: face for holder, face in self._faces[security].items() if face > 0}
        principal, interest, loss = (_shared(cents, faces) for cents in (*whole, row["loss_cents"]))
        for holder, cents in loss.items():
            self._lost[holder] += cents
        wanted = {holder: (face, principal[holder], interest[holder], day) for holder, face in faces.items()}
        self._holders(month, security, found, wanted)

    def _posted(self, month: int, found: dict[int, dict[int, Payment]]) -> None:
        """Two facts per holder: its losses of the month, and what its securities fell by, in its own books."""
        fell = dict(self._lost)
        for paid in found.values():
            for holder, payment in paid.items():
                fell[holder] = fell.get(holder, 0) + payment[1]
        lines = self._evidence.lines_of(month).filter(pl.col("kind") == "HoldersPaid")
        for account, sign, wanted in (("credit_loss", 1, self._lost), ("securities_held", -1, fell)):
            sums = lines.filter(pl.col("account") == account).group_by("party_id").agg(pl.col("cents").sum())
            booked_by = zip(sums["party_id"].to_list(), sums["cents"].to_list(), strict=True)
            posted = {holder: sign * cents for holder, cents in booked_by}
            for holder in sorted(wanted.keys() | posted.keys()):
                right, booked = wanted.get(holder, 0), posted.get(holder, 0)
                self._fact(
                    right == booked,
                    "{m:month}, HoldersPaid, {account} of {holder:party}: expected {right:cents}, found {booked:cents} "
                    "in the ledger",
                    m=month, account=account, holder=holder, right=right, booked=booked,
                )  # fmt: skip
        self._lost.clear()

    def _holders(self, month: int, security: int, found: dict[int, Payment], wanted: dict[int, Payment]) -> None:
        for holder in sorted(wanted.keys() | found.keys()):
            right, paid = wanted.get(holder), found.get(holder)
            self._fact(
                paid == right, "{m:month}, {s:security}, {holder:party}: expected {right}, found {paid}",
                m=month, s=security, holder=holder, right=_Paid(right), paid=_Paid(paid),
            )  # fmt: skip

    def price(self) -> None:
        """A fact per trade: price x factor x face, and 30/360 interest from the 1st, at the factor of its month."""
        columns = ("month", "factor_e8")
        factors = {
            (pool, month): factor for pool, month, factor in self._factors.select("pool_id", *columns).iter_rows()
        }
        factors |= {
            (s, month): factor for s, month, factor in self._classes.select("security_id", *columns).iter_rows()
        }
        for trade in self._trades:
            security, day = self._securities.get(trade["security_id"]), trade["settlement_date"]
            if security is None or trade["kind"] == "issue":
                continue
            fresh = security["issue_month"] == month_of(day)
            # In the open month the factor isn't published yet: the trade's own is taken.
            factor = ONE_E8 if fresh else factors.get((trade["security_id"], month_of(day)), trade["factor_e8"])
            current = half_up(trade["face_cents"] * factor, ONE_E8)
            cost = half_up(trade["face_cents"] * factor * trade["price_e6"], ONE_E8 * _PAR_E6)
            accrued = half_up(current * security["class_rate_e7"] * (day.day - 1), 3_600_000_000)
            self._fact(
                (trade["factor_e8"], trade["principal_cents"], trade["accrued_cents"]) == (factor, cost, accrued),
                "trade {trade[trade_id]}: expected {cost:cents} + {accrued:cents} accrued at the factor "
                "{factor:factor}, found "
                "{trade[principal_cents]:cents} + {trade[accrued_cents]:cents} at {trade[factor_e8]:factor}",
                trade=trade, cost=cost, accrued=accrued, factor=factor,
            )  # fmt: skip


def _shared(cents: int, faces: dict[int, int]) -> dict[int, int]:
    """A sum by face: each its whole cents, and what is over a cent each to the largest parts of a cent, the lower
    number first."""
    whole = sum(faces.values())
    if not whole:
        return dict.fromkeys(faces, 0)
    parts = {holder: divmod(cents * face, whole) for holder, face in faces.items()}
    over = cents - sum(part for part, _ in parts.values())
    favoured = sorted(parts, key=lambda holder: (-parts[holder][1], holder))[:over]
    return {holder: part + (holder in favoured) for holder, (part, _) in parts.items()}


class _Paid:
    """A payment in words, put together only when somebody reads it."""

    def __init__(self, paid: Payment | None) -> None:
        self._paid = paid

    def __format__(self, _spec: str) -> str:
        if self._paid is None:
            return "no payment"
        face, principal, interest, day = self._paid
        return f"{dollars(principal)} + {dollars(interest)} on {day} for a face of {dollars(face)}"


def _payments(factor: dict[str, Any], pool: dict[str, Any], mine: dict[int, int], pays: date) -> dict[int, Payment]:
    """The holder formula on the positions of the record date.

    Principal: half-up(face x fall of the factor); interest: half-up(face x factor before x coupon / 12).
    """
    before = factor["prior_factor_e8"]
    if before == 0:
        return {}
    fall = max(before - factor["factor_e8"], 0)
    rate = before * pool["coupon_rate_e7"]
    return {
        holder: (face, half_up(face * fall, ONE_E8), half_up(face * rate, ONE_E8 * 120_000_000), pays)
        for holder, face in mine.items()
        if face
    }


def _day(month: int, day: int) -> date:
    return first_day(month).replace(day=min(day, last_day(month).day))
