"""structure: a deal of a TOML file, its classes at a speed and across speeds, and who loses what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from poolhouse import deals
from poolhouse.deals import measures
from poolhouse.deals.collateral import Pools, Received
from poolhouse.deals.deal import Deal, Run, State
from poolhouse.findings import Refused
from poolhouse.market import value
from poolhouse.market.structure_oas import DEFAULT_PATHS, with_oas
from poolhouse.valuation import wrong

Answer = dict[str, Any]
_OTHER_SPEEDS = {"psa": (50, 100, 165, 200, 300, 400, 500), "cpr": (2, 4, 6, 8, 10, 15, 20, 30),
                 "smm": (0.25, 0.5, 0.75, 1, 1.5, 2, 3)}  # fmt: skip
"""Beside the one asked for, in the table across speeds."""
MOST_BYTES = 1_000_000
_MOST_INDEX = 100


def structure(
    path: str | Path, *, speeds: Mapping[str, Any] | None = None, severity: float | list[float] = 0.0, lag: int = 12,
    advance: bool = True, prices: Mapping[str, str | float] | None = None, index: float | list[float] | None = None,
    settle: str | float | None = None, call: bool = True, rows: bool = False, rates: str | Path | None = None,
    paths: int = DEFAULT_PATHS, processes: int = 1,
) -> Answer:  # fmt: skip
    """A deal's classes at a speed. speeds, severity, lag, advance, settle as for `value`; prices: by class, per 100;
    index: percent, instead of the deal's own (a deal that is collateral keeps its own); call: the clean-up call is
    exercised as soon as it may be; rates: a file of a desk's curve and vols, for the classes' option-adjusted spreads
    on so many `paths`, which so many `processes` share.

    Keys: deal, source, collateral (balance, interest, principal, loss in cents, wal), speeds, index, classes (see
    `deals.measures`), fees, payoff shortfall, left over (cents no class was due), called (month), by_speed, and with
    `rows` months: a row per class and month in cents; with `rates` oas (`structure_oas.with_oas`).
    Refused: a deal or number that can't be meant, with its place.
    """
    deal = read(Path(path))
    return answered(
        deal, lambda at: deals.months_of(deal, at), speeds=speeds, severity=severity, lag=lag, advance=advance,
        prices=prices, index=index, settle=settle, call=call, rows=rows, rates=rates, paths=paths,
        processes=processes,
    )  # fmt: skip


def answered(
    deal: Deal, months_at: Callable[[Mapping[str, Any]], list[Received]], *, start: State | None = None,
    speeds: Mapping[str, Any] | None = None, severity: float | list[float] = 0.0, lag: int = 12, advance: bool = True,
    prices: Mapping[str, str | float] | None = None, index: float | list[float] | None = None,
    settle: str | float | None = None, call: bool = True, rows: bool = False, rates: str | Path | None = None,
    paths: int = DEFAULT_PATHS, processes: int = 1, pools: Pools | None = None, known: int = 0, by_speed: bool = True,
) -> Answer:  # fmt: skip
    """`structure` of a deal whose collateral pays what `months_at` says of speeds, from `start` on; pools: those, if
    not the deal's own, whose first `known` months are over; by_speed: at other speeds too."""
    asked = value.speeds_of(speeds)
    given = asked | {"severity": severity, "lag": lag, "advance": advance}
    quoted = {name: value.price_of(price) for name, price in (prices or {}).items()}
    unknown = next((name for name in quoted if name not in deal.classes or deal.classes[name].residual), None)
    if unknown is not None:
        raise Refused(f"price of {unknown!r}: no such class in {deal.name}: {', '.join(deal.classes)}")
    at_index = deal.index_e7 if index is None else _index(index)
    days = value.settle_days_of(settle)

    def ran_at(at: Mapping[str, Any]) -> Run:
        return deals.run(deal, months_at(at), index_e7=at_index, call=call, start=start)

    def measured(ran: Run) -> list[Answer]:
        return [
            measures.measures(ran, name, price=quoted.get(name), index_e7=at_index[0], settle_days=days)
            for name in deal.classes
        ]

    ran = ran_at(given)
    residual = any(c.residual for c in deal.classes.values())
    answer: Answer = {
        "deal": deal.name, "source": deal.source, "speeds": given, "index": [rate / 100_000 for rate in at_index],
        "collateral": _collateral(ran), "classes": measured(ran), "fees_cents": sum(ran.fees),
        "payoff_shortfall_cents": sum(ran.shortfall), "left_over_cents": 0 if residual else sum(ran.rest),
        "called": ran.called,
        "settle_days": days,
    }  # fmt: skip
    answer["by_speed"] = [
        {name: speed, "classes": measured(ran_at(_other(given, name) | {name: speed}))}
        for name, speeds_beside in [_beside(asked)] * by_speed
        for speed in speeds_beside
    ]
    answer |= {"months": _rows(ran)} if rows else {}
    if rates is None:
        return answer
    return with_oas(
        answer, deal, rates, prices=quoted, paths=paths, settle_days=days, month0=value.month0_of(settle), call=call,
        pools=pools, start=start, known=known, processes=processes,
    )  # fmt: skip


def read(path: Path, onto: Pools | None = None) -> Deal:
    """The deal of a file; deals that are its collateral lie beside it. onto: other pools instead of its own."""

    def text(name: str) -> str:
        return text_of_deal(path.parent / name)

    return deals.parse(text_of_deal(path), path.name, read=text, onto=onto)


def text_of_deal(path: Path) -> str:
    """A deal's file as text. Refused when it can't be read, or is larger than such a file can be."""
    try:
        if not path.is_file():  # a device or a pipe may never end
            raise Refused(f"{path} is no file")
        if path.stat().st_size > MOST_BYTES:
            raise Refused(f"{path} is larger than a deal's file can be ({MOST_BYTES:,} bytes)")
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:  # a path can't hold a zero byte, a text must be UTF-8
        raise Refused(f"{path} can't be read: {getattr(error, 'strerror', None) or error}") from None


def _index(index: float | list[float]) -> tuple[int, ...]:
    rates = wrong.numbers("index", index, -_MOST_INDEX, _MOST_INDEX).reshape(-1)
    return tuple(round(float(rate) * 100_000) for rate in rates)


def _beside(asked: Mapping[str, Any]) -> tuple[str, list[float]]:
    name = next((name for name in _OTHER_SPEEDS if name in asked), "psa")
    own = [float(asked[name])] if isinstance(asked.get(name), int | float) else []
    return name, sorted({*map(float, _OTHER_SPEEDS[name]), *own})


def _other(given: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: found for key, found in given.items() if key != name}


def _collateral(ran: Run) -> Answer:
    months = ran.received
    principal = sum(month.principal for month in months)
    years = sum(number * month.principal for number, month in enumerate(months, 1)) / 12
    return {
        "balance_cents": months[0].balance, "interest_cents": sum(month.interest for month in months),
        "principal_cents": principal, "loss_cents": sum(month.loss for month in months),
        "wal": years / principal if principal else None, "last_month": len(months),
    }  # fmt: skip


def _rows(ran: Run) -> list[Answer]:
    """A row per month and class, cents."""
    return [
        {
            "month": month + 1, "class": name, "balance_cents": life.balance[month],
            "interest_cents": life.interest[month], "principal_cents": life.principal[month],
            "accrued_cents": life.accrued[month], "loss_cents": life.loss[month],
            "unpaid_interest_cents": life.unpaid[month], "ending_balance_cents": life.ending[month],
        }
        for month in range(len(ran.received))
        for name, life in ran.classes.items()
    ]  # fmt: skip
