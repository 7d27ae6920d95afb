"""What a desk has agreed to before it chooses: approvals, caps, commitments, trades sold forward, conduits' terms.

Read from a TOML text (docs/execution.md). Amounts are dollars there and cents here; prices are per 100.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from poolhouse.findings import Refused
from poolhouse.money import from_ticks, half_up_div
from poolhouse.tables.codes import PROGRAMS

_DOLLAR = 100
_E6 = 1_000_000
_PERCENT_E4 = 100
_PERCENT_E7 = 100_000


@dataclass(frozen=True)
class Commitment:
    """An amount promised at a price: mandatory deliveries to a program's cash window or pools, or a TBA trade.

    `short_e6`: what a missing amount costs, per 100 (pair-off). `variance_e6`: share of the amount, in millionths,
    that may be missing or over without cost. `price_e6`: None takes today's sheet.
    """

    name: str
    kind: str  # mandatory | trade
    programs: tuple[str, ...]
    execution: str  # cash | swap
    coupon_rate_e7: int | None
    term_bucket: int | None
    amount_cents: int
    short_e6: int
    variance_e6: int
    price_e6: int | None
    settlement_date: date | None


@dataclass(frozen=True)
class Forward:
    """Loans sold forward to a conduit, with the mix it accepts; limits that are not given don't bind."""

    name: str
    program: str
    amount_cents: int
    short_e6: int
    most_cents: int | None
    min_average_score: int | None
    max_average_ltv_e4: int | None
    max_state_share: Mapping[str, Decimal]


@dataclass(frozen=True)
class Terms:
    """All of it. Empty: approved everywhere, nothing promised."""

    approvals: tuple[str, ...] = PROGRAMS[1:]
    caps_cents: Mapping[str, int] = field(default_factory=dict)
    hold_limit_cents: int | None = None
    line_limit_cents: int | None = None
    commitments: tuple[Commitment, ...] = ()
    forwards: tuple[Forward, ...] = ()


def read_terms(text: str, name: str, trade_variance_e6: int = 0) -> Terms:
    """The terms of a TOML text; `name` is the file's, for messages; `trade_variance_e6` holds for trades that say
    nothing else. Refused with the key and what to write."""
    try:
        raw = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # TOML errors, numbers too long to be read, lists without end
        raise Refused(f"{name}: not TOML: {error}") from error
    _known(name, raw, {"desk", "caps", "mandatory", "trade", "conduit"})
    desk = _table(name, raw, "desk")
    _known(f"{name}: desk", desk, {"approvals", "hold_limit", "line_limit"})
    approvals = desk.get("approvals", list(PROGRAMS[1:]))
    if not isinstance(approvals, list):
        raise Refused(f"{name}: desk: approvals is a list of programs: {', '.join(PROGRAMS[1:])}")
    entries = [(kind, each) for kind in ("mandatory", "trade") for each in _rows(name, raw, kind)]
    caps = _table(name, raw, "caps")
    caps = {_program(f"{name}: caps", p): _cents(f"{name}: caps: {p}", v) for p, v in caps.items()}
    terms = Terms(
        approvals=tuple(_program(f"{name}: desk", p) for p in approvals),
        caps_cents=caps,
        hold_limit_cents=_optional_cents(f"{name}: desk", desk, "hold_limit"),
        line_limit_cents=_optional_cents(f"{name}: desk", desk, "line_limit"),
        commitments=tuple(
            _commitment(name, kind, each, i, trade_variance_e6) for i, (kind, each) in enumerate(entries, start=1)
        ),
        forwards=tuple(_forward(name, each, i) for i, each in enumerate(_rows(name, raw, "conduit"), start=1)),
    )
    names = [c.name for c in terms.commitments] + [f.name for f in terms.forwards]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise Refused(f"{name}: id {', '.join(twice)} stands twice: give each commitment its own")
    return terms


_COMMITMENT_KEYS = {
    "id", "program", "execution", "coupon", "term", "amount", "pair_off", "tolerance_pct", "price", "settle",
}  # fmt: skip


def _commitment(name: str, kind: str, raw: dict[str, Any], number: int, trade_variance_e6: int) -> Commitment:
    where = f"{name}: {kind} {raw.get('id', number)}"
    _known(where, raw, _COMMITMENT_KEYS)
    programs = raw.get("program")
    listed = programs if isinstance(programs, list) else [programs]
    execution = raw.get("execution", "swap" if kind == "trade" else "cash")
    if execution not in ("cash", "swap"):
        raise Refused(f"{where}: execution {execution!r}: use cash or swap")
    variance = trade_variance_e6 if kind == "trade" else 0
    if "tolerance_pct" in raw:
        variance = _scaled(f"{where}: tolerance_pct", raw["tolerance_pct"], _E6 // 100)
    if kind == "trade" and raw.get("coupon") is None:
        raise Refused(f"{where}: a trade names its coupon, in percent")
    settle = raw.get("settle")
    if settle is not None and not isinstance(settle, date):
        raise Refused(f"{where}: settle {settle!r} is no date: write YYYY-MM-DD without quotes")
    return Commitment(
        name=str(raw.get("id", f"{kind}-{number}")),
        kind=kind,
        programs=tuple(_program(where, p) for p in listed),
        execution=execution,
        coupon_rate_e7=None if raw.get("coupon") is None else _scaled(f"{where}: coupon", raw["coupon"], _PERCENT_E7),
        term_bucket=None if raw.get("term") is None else _scaled(f"{where}: term", raw["term"], 12),
        amount_cents=_cents(f"{where}: amount", raw.get("amount")),
        short_e6=_scaled(f"{where}: pair_off", raw.get("pair_off", 0), _E6),
        variance_e6=variance,
        price_e6=None if raw.get("price") is None else price_of(f"{where}: price", raw["price"]),
        settlement_date=settle,
    )


_FORWARD_KEYS = {
    "id", "program", "amount", "pair_off", "most", "min_average_score", "max_average_ltv", "max_state_share",
}  # fmt: skip


def _forward(name: str, raw: dict[str, Any], number: int) -> Forward:
    where = f"{name}: conduit {raw.get('id', number)}"
    _known(where, raw, _FORWARD_KEYS)
    states = raw.get("max_state_share", {})
    if not isinstance(states, dict):
        raise Refused(f"{where}: max_state_share is a table such as {{CA = 40}}, in percent")
    score, ltv = raw.get("min_average_score"), raw.get("max_average_ltv")
    return Forward(
        name=str(raw.get("id", f"conduit-{number}")),
        program=_program(where, raw.get("program", "private")),
        amount_cents=_cents(f"{where}: amount", raw.get("amount", 0)),
        short_e6=_scaled(f"{where}: pair_off", raw.get("pair_off", 0), _E6),
        most_cents=_optional_cents(where, raw, "most"),
        min_average_score=None if score is None else _scaled(f"{where}: min_average_score", score, 1),
        max_average_ltv_e4=None if ltv is None else _scaled(f"{where}: max_average_ltv", ltv, _PERCENT_E4),
        max_state_share={s: _number(f"{where}: max_state_share {s}", v) / 100 for s, v in states.items()},
    )


def price_of(where: str, value: Any) -> int:
    """A price per 100 as e6: a number, or 32nds as quoted, '101-16', '101-16+' (a half more), '101-165' (5 eighths)."""
    text = str(value).strip()
    ticks = from_ticks(text)
    if ticks is not None:
        return half_up_div(ticks.numerator * _E6, ticks.denominator)
    if "-" in text[1:]:
        raise Refused(f"{where}: {text!r} is no price: write 101.5, '101-16', '101-16+' or '101-165'")
    return _scaled(where, value, _E6)


def _known(where: str, raw: Mapping[str, Any], keys: set[str]) -> None:
    unknown = sorted(set(raw) - keys)
    if unknown:
        raise Refused(f"{where}: {', '.join(unknown)} is unknown: use {', '.join(sorted(keys))}")


def _table(name: str, raw: dict[str, Any], key: str) -> dict[str, Any]:
    value = raw.get(key, {})
    if not isinstance(value, dict):
        raise Refused(f"{name}: {key} is a table: write [{key}]")
    return value


def _rows(name: str, raw: dict[str, Any], key: str) -> list[dict[str, Any]]:
    value = raw.get(key, [])
    if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
        raise Refused(f"{name}: write each {key} under a line [[{key}]]")
    return value


def _program(where: str, value: Any) -> str:
    if value not in PROGRAMS[1:]:
        raise Refused(f"{where}: program {value!r} is unknown: use {', '.join(PROGRAMS[1:])}")
    return str(value)


def _number(where: str, value: Any) -> Decimal:
    try:
        number = Decimal(str(value).replace(",", "")) if not isinstance(value, bool) else Decimal("NaN")
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or number < 0:
        raise Refused(f"{where}: {value!r} is no number of 0 or more")
    return number


def _scaled(where: str, value: Any, factor: int) -> int:
    number = _number(where, value) * factor
    if number != number.to_integral_value():
        raise Refused(f"{where}: {value!r} has more decimals than can be meant")
    return int(number)


def _cents(where: str, value: Any) -> int:
    return _scaled(where, value, _DOLLAR)


def _optional_cents(where: str, raw: Mapping[str, Any], key: str) -> int | None:
    return None if raw.get(key) is None else _cents(f"{where}: {key}", raw[key])
