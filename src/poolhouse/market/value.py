"""value: what a pool given by numbers will pay, its price or yield, average life and durations."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from poolhouse import valuation
from poolhouse.dates import month_of
from poolhouse.findings import Refused
from poolhouse.market import value_facts
from poolhouse.market.value_borrowers import Asked, behaviour, cashflows, told
from poolhouse.market.value_oas import DEFAULT_PATHS, read_market, with_oas
from poolhouse.money import from_ticks
from poolhouse.sale.pricing.waterfall import thirty_seconds
from poolhouse.valuation import Flows, schedule, terms, wrong

Answer = dict[str, Any]
SPEEDS = ("psa", "cpr", "smm", "cdr", "sda")
_PREPAY = SPEEDS[:3]
MEASURES = (
    "bond_equivalent_yield",
    "mortgage_yield",
    "price",
    "wal",
    "macaulay_duration",
    "modified_duration",
    "convexity",
)
_E6 = 1_000_000
_LEAST = 0.01
"""Dollars of a pool that can have a price."""
_FRACTIONS = {"wac": 0.5, "coupon": 0.125}
"""Percent a year, below which a pool's rate is taken for a fraction; a strip may pay as little as a quarter."""
_PARTS_OF_32NDS = re.compile(r"\d+-(\d+\+|\d{3})", re.ASCII)
_OTHER_SPEEDS = {"psa": (0, 50, 75, 100, 125, 150, 200, 300, 400), "cpr": (0, 2, 4, 6, 8, 10, 15, 20, 30),
                 "smm": (0, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5)}  # fmt: skip
"""Beside the one asked for, in the table across speeds."""


def value_pool(
    balance: float, wac: float, coupon: float, wam: int, *, age: int | None = None,
    speeds: Mapping[str, float | list[float]] | None = None, severity: float | list[float] | None = None, lag: int = 12,
    advance: bool = True, price: str | float | None = None, bond_equivalent_yield: float | None = None,
    mortgage_yield: float | None = None, program: str | None = None, delay_days: float | None = None,
    settle: str | date | float | None = None, rows: bool = False, rates: str | Path | None = None,
    paths: int = DEFAULT_PATHS, **borrowers: Any,
) -> Answer:  # fmt: skip
    """A pool given by numbers: dollars, percent, months.

    speeds: one of psa, cpr, smm and one of cdr, sda, in percent, a list by month; none is 0. price: clean per 100, also
    in 32nds as 101-16+ or 101-165; or a yield, bond-equivalent or monthly; or neither: only what needs none.
    borrowers: models instead of speeds, as of `value_borrowers.Asked`; of the loans nothing else is known, so the
    models' usual ones stand in.
    delay_days: actual delay of payments; left out the program's (umbs, ginnie1 ...), without one 0. settle: a date, of
    which the day in the month counts, or 30/360 days from the 1st; left out the 1st.

    Keys: pool, speeds, delay_days, settle_days, `MEASURES` (None where they need a price), price_32nds, accrued (per
    100), settlement_value (dollars), first_month, last_month, totals, by_speed, and with `rows` cashflows, a dictionary
    a month; with models borrowers (`value_borrowers.told`), by_speed being empty; with `rates`, a file of a desk's
    curve and vols, oas (`value_oas.with_oas`, on so many `paths`). Refused: what can't be meant, see
    `valuation.cashflows`, and a WAC or coupon that looks like a fraction.
    """
    _refuse_fractions(wac=wac, coupon=coupon)
    pool = terms.pools(wrong.numbers("balance", balance, _LEAST), wac, coupon, wam, age)
    given = {
        "balance": float(balance),
        "wac": float(wac),
        "coupon": float(coupon),
        "wam": int(wam),
        "age": int(pool.age[0]),
    }
    market = None if rates is None else read_market(rates)
    of = behaviour(Asked(**borrowers), speeds_of(speeds), severity, lag, advance, first=dated(settle), market=market)
    loans = value_facts.unknown(pl.DataFrame({name: [value] for name, value in given.items()}))
    frame = cashflows(loans, of)
    delay, days = delay_of(program, delay_days), settle_days_of(settle)
    flows = valuation.flows_of(frame, coupon, delay_days=delay, settle_days=days)
    answer = {
        "pool": given | ({"guaranteed": True} if of.guaranteed else {}), "speeds": of.said,
        **measures(flows, frame, price, bond_equivalent_yield, mortgage_yield), "delay_days": delay,
        "settle_days": days, "by_speed": [],
    }  # fmt: skip
    if of.modelled:
        answer["borrowers"] = told(loans, of)
    else:
        common = {"severity": of.severity, "lag": lag, "advance": of.advance, "delay_days": delay, "settle_days": days}
        answer["by_speed"] = _by_speed((balance, wac, coupon, wam, age), of.speeds, common, answer)
    answer |= {"cashflows": frame.head(answer["last_month"]).rows(named=True)} if rows else {}
    return answer if market is None else with_oas(answer, loans, market, of, month0=month0_of(settle), paths=paths)


def dated(settle: str | date | float | None) -> int | None:
    """Month index of a settlement's date; None where it has none."""
    try:
        return month_of(date.fromisoformat(str(settle)))
    except ValueError:
        return None


def month0_of(settle: str | date | float | None) -> int:
    """Calendar month of the first payments: the settlement's; January where it has no date."""
    month = dated(settle)
    return 1 if month is None else month % 12 + 1


def price_of(text: str | float) -> float:
    """A price per 100: 101.5, or in 32nds 101-16, 101-16+ (a half), 101-165 (5 eighths), 101-16.25. Else Refused."""
    ticks = from_ticks(str(text).strip())
    if ticks is not None:
        return float(ticks)
    try:
        return float(text)
    except ValueError:
        raise Refused(
            f"price {text!r} is none: write 101.5 or, in 32nds, 101-16, 101-16+ or 101-165, whose last digit, 0 to 7, "
            "counts eighths of a 32nd"
        ) from None


def _refuse_fractions(**rates: float) -> None:
    """No borrower pays under half a percent; 0.08125 is 8.125% as a fraction. A coupon of 0 is principal only."""
    for name, rate in rates.items():
        found = wrong.numbers(name, rate)
        if found.size == 1 and 0 < found.item() < _FRACTIONS[name]:
            raise Refused(f"{name} {found.item():g} looks like a fraction: write percent: {100 * found.item():g}")


def in_32nds(price: float, quoted: str | float | None = None) -> str:
    """101.5 is 101-16, 101.5078125 is 101-16.25; to the hundredth of a 32nd. 101-16+ and 101-165 stay as quoted."""
    text = str(quoted).strip()
    if _PARTS_OF_32NDS.fullmatch(text) and from_ticks(text) is not None:
        return text
    return thirty_seconds(round(price * _E6)).removesuffix(".00")


def speeds_of(given: Mapping[str, Any] | None) -> dict[str, Any]:
    found = {name: value for name, value in (given or {}).items() if value is not None}
    unknown = [name for name in found if name not in SPEEDS]
    if unknown:
        raise Refused(f"speed {unknown[0]!r} is unknown: one of {', '.join(SPEEDS)}")
    return found


def delay_of(program: str | None, days: float | None) -> float:
    if program is not None and days is not None:
        raise Refused("a program has its own delay: give --program or --delay-days, not both")
    if days is not None:
        return float(wrong.numbers("delay_days", days, 0))
    return float(valuation.actual_delay_days(program)) if program else 0.0


def settle_days_of(settle: str | date | float | None) -> int:
    """30/360 days from the 1st of the month."""
    if settle is None:
        return 0
    text = settle.isoformat() if isinstance(settle, date) else str(settle).strip()
    try:
        return int(text) if text.isdecimal() else min(date.fromisoformat(text).day, 30) - 1
    except ValueError:
        raise Refused(f"settlement {text!r} is neither a date YYYY-MM-DD nor days from the 1st") from None


def measures(
    of: Flows, frame: pl.DataFrame, price: str | float | None, bey: float | None, monthly: float | None
) -> Answer:
    """MEASURES and what goes with them."""
    if sum(given is not None for given in (price, bey, monthly)) > 1:
        raise Refused("give a price or one yield, not both")
    found: Answer = dict.fromkeys(MEASURES)
    if of.principal.sum() > 0:
        found["wal"] = float(valuation.wal(of))
    if monthly is not None:
        bey = float(valuation.from_mortgage_yield(monthly))
    if price is not None:
        found["price"] = price_of(price)
        bey = float(valuation.bond_equivalent_yield(of, found["price"]))
    elif bey is not None:
        found["price"] = float(valuation.price(of, bey))
    if bey is not None:
        found |= {"bond_equivalent_yield": float(bey), "mortgage_yield": float(valuation.mortgage_yield(bey))}
        for name in ("macaulay_duration", "modified_duration", "convexity"):
            found[name] = float(getattr(valuation, name)(of, bey))
        found["price_32nds"] = in_32nds(found["price"], price)
        found["settlement_value"] = float(of.settled(found["price"]))
    paying = np.nonzero(frame["principal"].to_numpy() > 0)[0]
    found |= {
        "accrued": float(of.accrued), "first_month": int(paying[0]) + 1 if len(paying) else None,
        "last_month": int(np.nonzero(frame["balance"].to_numpy() > 0)[0].max(initial=0)) + 1,
        "totals": {name: float(frame[name].sum()) for name in _TOTALLED if name in frame.columns},
    }  # fmt: skip
    return found


_TOTALLED = tuple(name for name in schedule.COLUMNS if not name.endswith("balance"))


def _by_speed(pool: tuple[Any, ...], speed: dict[str, Any], common: dict[str, Any], answer: Answer) -> list[Answer]:
    """The same pool at other speeds: at the same price its yield, at the same yield its price."""
    name = next((name for name in _PREPAY if name in speed), "psa")
    asked = speed.get(name)
    own = [float(asked)] if isinstance(asked, int | float) else []
    several = sorted({*map(float, _OTHER_SPEEDS[name]), *own})
    others = {key: value for key, value in speed.items() if key != name}
    balance, wac, coupon, wam, age = pool
    same = np.full(len(several), float(balance))
    each: dict[str, Any] = {name: np.array(several)[:, None], **others, **common}
    of = valuation.pool_flows(same, wac, coupon, wam, age=age, **each)
    rows: list[Answer] = [{name: one} for one in several]
    columns = {"wal": valuation.wal(of)} if (of.principal.sum(axis=-1) > 0).all() else {}
    if answer["price"] is not None:
        rates = valuation.bond_equivalent_yield(of, answer["price"])
        columns |= {
            "bond_equivalent_yield": rates, "modified_duration": valuation.modified_duration(of, rates),
            "price_at_yield": valuation.price(of, answer["bond_equivalent_yield"]),
        }  # fmt: skip
    for key, column in columns.items():
        for row, cell in zip(rows, column.tolist(), strict=True):
            row[key] = cell
    return rows
