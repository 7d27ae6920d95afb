"""5, Held: who holds a security is what its trades say, and holders are paid what their face gives.

Positions from the record of trades; each payment by the holder formula in whole numbers of any size.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any

import polars as pl

from poolhouse.dates import first_day, last_day, month_name, month_of, on_or_after, on_or_before
from poolhouse.promises.evidence import Evidence, amount, trusts
from poolhouse.promises.tally import Tally

ONE_E8 = 10**8
_PRICE_OF_PAR = 10**8

Faces = dict[int, dict[int, int]]
"""Face by security and holder."""


def half_up(top: int, bottom: int) -> int:
    """top / bottom to the nearest whole, a half goes up; top >= 0."""
    whole, rest = divmod(top, bottom)
    return whole + (2 * rest >= bottom)


def held(evidence: Evidence) -> Tally:
    """Facts per settlement date and security, per trade, and per holder and month."""
    tally = Tally()
    pools = {p["pool_id"]: p for p in evidence.pools.iter_rows(named=True)}
    trades = list(evidence.trades.iter_rows(named=True))
    factors = _factors(evidence)
    faces: Faces = defaultdict(lambda: defaultdict(int))
    months, done = list(evidence.closed), 0
    for month in months:
        record = on_or_before(last_day(month - 1))
        done = _settle(tally, faces, trades, done, record, pools, evidence)
        _month(tally, month, record, faces, pools, evidence)
    _settle(tally, faces, trades, done, date.max, pools, evidence)
    for trade in trades:
        _priced(tally, trade, pools, factors, evidence)
    return tally


def _settle(
    tally: Tally,
    faces: Faces,
    trades: list[dict[str, Any]],
    done: int,
    until: date,
    pools: dict[int, Any],
    evidence: Evidence,
) -> int:
    """Deliver the trades up to a day, and prove each security delivered on each day."""
    while done < len(trades) and trades[done]["settlement_date"] <= until:
        day, touched = trades[done]["settlement_date"], set()
        while done < len(trades) and trades[done]["settlement_date"] == day:
            trade = trades[done]
            for party, sign in ((trade["buyer_id"], 1), (trade["seller_id"], -1)):
                if party != trusts():
                    faces[trade["security_id"]][party] += sign * trade["face_cents"]
            touched.add(trade["security_id"])
            done += 1
        for security in sorted(touched):
            _whole(tally, day, security, faces[security], pools.get(security), evidence)
    return done


def _whole(
    tally: Tally, day: date, security: int, mine: dict[int, int], pool: dict[str, Any] | None, evidence: Evidence
) -> None:
    total, face = sum(mine.values()), pool["face_cents"] if pool else None
    tally.fact(
        total == face,
        lambda: (
            f"{day}, security of {evidence.pool(security)}: positions sum to {amount(total)}; expected its face {amount(face)}"
        ),
    )
    short = [h for h, f in mine.items() if f < 0]
    tally.fact(
        not short,
        lambda: (
            f"{day}, security of {evidence.pool(security)}: {evidence.party(short[0])} holds {amount(mine[short[0]])}; expected "
            "nothing below zero: nobody delivers what he doesn't hold"
        ),
    )


def _month(tally: Tally, month: int, record: date, faces: Faces, pools: dict[int, Any], evidence: Evidence) -> None:
    """A fact per holder to be paid: who, how much, when."""
    published = {r["pool_id"]: r for r in evidence.book.segment("pool_factors", month).iter_rows(named=True)}
    rows = evidence.book.segment("holder_months", month).partition_by("security_id", as_dict=True)
    losses = (
        evidence.book.segment("pool_months", month).group_by("pool_id").agg(pl.col("loss_cents").sum()).sort("pool_id")
    )
    lost = dict(zip(losses["pool_id"].to_list(), losses["loss_cents"].to_list(), strict=True))
    for security in sorted(published.keys() | {int(key) for (key,) in rows}):
        found = {r["holder_id"]: r for r in rows[(security,)].iter_rows(named=True)} if (security,) in rows else {}
        row, pool = published.get(security), pools.get(security)
        where = f"{month_name(month)}, {evidence.pool(security)}"
        if row is None or pool is None:
            tally.fact(False, lambda: f"{where}: holders were paid; expected none without a factor")
            continue
        pays = on_or_after(_day(month, pool["pay_day"]))
        tally.fact(
            (row["record_date"], row["pay_date"]) == (record, pays),
            lambda: (
                f"{where}: record date {row['record_date']}, paid {row['pay_date']}; expected {record} and {pays} by the calendar"
            ),
        )
        wanted = _wanted(row, pool, faces[security], lost.get(security, 0), pays)
        for holder in sorted(wanted.keys() | found.keys()):
            paid = _paid(found.get(holder))
            tally.fact(
                paid == wanted.get(holder),
                lambda: f"{where}: {evidence.party(holder)} got {_words(paid)}; expected {_words(wanted.get(holder))}",
            )


Payment = tuple[int, int, int, date]
"""Face, principal, interest, pay date."""


def _paid(row: dict[str, Any] | None) -> Payment | None:
    return (row["face_cents"], row["principal_cents"], row["interest_cents"], row["pay_date"]) if row else None


def _wanted(
    row: dict[str, Any], pool: dict[str, Any], mine: dict[int, int], loss: int, pays: date
) -> dict[int, Payment]:
    """The holder formula on the positions of the record date.

    Principal: half-up(face x fall of the factor), but for the part of the fall that was lost and brings
    no cash; interest: half-up(face x factor before x coupon / 12).
    """
    before = row["prior_factor_e8"]
    if before == 0:
        return {}
    fall = before - row["factor_e8"]
    fall -= min(half_up(ONE_E8 * loss, pool["face_cents"]), fall)
    return {
        holder: (
            face,
            half_up(face * max(fall, 0), ONE_E8),
            half_up(face * before * pool["coupon_rate_e7"], ONE_E8 * 120_000_000),
            pays,
        )
        for holder, face in mine.items()
        if face
    }


def _priced(
    tally: Tally, trade: dict[str, Any], pools: dict[int, Any], factors: dict[tuple[int, int], int], evidence: Evidence
) -> None:
    """A fact per trade: price x factor x face, and 30/360 interest from the 1st, at the factor of its month."""
    pool, day = pools.get(trade["security_id"]), trade["settlement_date"]
    if pool is None or trade["kind"] == "issue":
        return
    factor = (
        ONE_E8 if month_of(pool["issue_date"]) == month_of(day) else factors.get((trade["security_id"], month_of(day)))
    )
    current = half_up(trade["face_cents"] * trade["factor_e8"], ONE_E8)
    cost = half_up(trade["face_cents"] * trade["factor_e8"] * trade["price_e6"], ONE_E8 * _PRICE_OF_PAR)
    accrued = half_up(current * pool["coupon_rate_e7"] * min(day.day - 1, 29), 3_600_000_000)
    tally.fact(
        (factor is None or trade["factor_e8"] == factor)
        and (trade["principal_cents"], trade["accrued_cents"]) == (cost, accrued),
        lambda: (
            f"trade {trade['trade_id']}: {amount(trade['principal_cents'])} + {amount(trade['accrued_cents'])} at factor "
            f"{trade['factor_e8']} e8; expected {amount(cost)} + {amount(accrued)} at {factor} e8"
        ),
    )


def _factors(evidence: Evidence) -> dict[tuple[int, int], int]:
    rows = evidence.book.segment("pool_factors")
    keys = zip(rows["pool_id"].to_list(), rows["month"].to_list(), strict=True)
    return dict(zip(keys, rows["factor_e8"].to_list(), strict=True))


def _day(month: int, day: int) -> date:
    return first_day(month).replace(day=min(day, last_day(month).day))


def _words(paid: Payment | None) -> str:
    if paid is None:
        return "nothing"
    face, principal, interest, day = paid
    return f"{amount(principal)} + {amount(interest)} on {day} for a face of {amount(face)}"
