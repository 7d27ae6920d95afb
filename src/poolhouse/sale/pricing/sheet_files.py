"""A user's price sheet from its TOML text, and single changes to a sheet (`--what-if key=value`).

What the sheet has takes the place of the model's, table by table and section by section (docs/pricing.md).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from poolhouse.findings import Refused
from poolhouse.rules import Rulebook
from poolhouse.sale.pricing.settings import KEEP, SETTINGS, check_shapes, number, scaled
from poolhouse.sale.pricing.sheets import (
    CONDUITS,
    ENTERPRISES,
    RATIOS,
    SWAPPED,
    Payup,
    Sheet,
    model_sheet,
    pool_bucket,
    settlement,
)
from poolhouse.sale.terms import price_of
from poolhouse.tables.codes import PROGRAMS

_TABLES = ("tba", "cash", "conduit", "payup", "ratio")
_ALIASES = {
    "gfee": ("guaranty_fee.fnma", "guaranty_fee.fhlmc"),
    "buy_up": ("multiples.buy_up",),
    "buy_down": ("multiples.buy_down",),
    "excess": ("multiples.excess",),
    "line_rate": ("carry.line_rate",),
    "msr": tuple(f"servicing.kept.{k}" for k in ("conventional", "fha", "va", "usda")),
    "srp": tuple(f"servicing.released.{k}" for k in ("conventional", "fha", "va", "usda")),
}
"""Short names of a what-if."""
_PRICE_KEY = re.compile(
    r"(?P<table>tba|cash|conduit)(\.(?P<program>[a-z]+))?(\.(?P<years>\d+)y)?\.(?P<rate>\d+(\.\d+)?)"
)
_RATE = {"tba": "coupon_rate_e7", "cash": "coupon_rate_e7", "conduit": "note_rate_e7"}


def sheet_day(text: str, name: str) -> date | None:
    """The day that a sheet says it is of, None where it doesn't."""
    day = _parsed(text, name).get("date")
    if day is not None and type(day) is not date:
        raise Refused(f"{name}: date {day!r} is no date: write date = 2026-11-23, without quotes")
    return day


def read_sheet(text: str, name: str, as_of: date, rulebook: Rulebook) -> Sheet:
    """The sheet of a TOML text for a day, what it leaves out from the model. `name` is the file's, for messages.
    Refused with the key and what to write."""
    raw = _parsed(text, name)
    day = sheet_day(text, name)
    if day is not None and day != as_of:
        raise Refused(f"{name}: the sheet is of {day}, not of {as_of}: give --as-of {day}, or another sheet")
    sheet = model_sheet(as_of, rulebook)
    parts: dict[str, Any] = {}
    if "tba" in raw:
        parts["tba"] = _prices(name, raw, "tba", SWAPPED, rulebook, as_of)
    if "cash" in raw:
        parts["cash"] = _prices(name, raw, "cash", ENTERPRISES, rulebook, as_of)
    if "conduit" in raw:
        parts["conduit"] = _prices(name, raw, "conduit", CONDUITS, rulebook, as_of)
    if "payup" in raw:
        parts["payups"] = tuple(_payup(name, each, i, rulebook, as_of) for i, each in _rows(name, raw, "payup"))
    if "ratio" in raw:
        parts["ratios"] = _ratios(name, raw)
    values, given = _settings(name, raw, sheet.values)
    given |= {table for table in _TABLES if table in raw}
    check_shapes(name, values)
    title = raw.get("name", name)
    return replace(sheet, name=str(title), values=values, given=frozenset(given), **parts)


def with_changes(sheet: Sheet, changes: Sequence[str]) -> Sheet:
    """The sheet with some key=value changed: a setting (multiples.buy_up=4.2), a short name (gfee=46, buy_up, buy_down,
    excess, msr, srp, line_rate), or a price (tba.6.0=101.5, tba.gnma.30y.6.0=101-16, cash.., conduit..). The last of
    the same key counts; what they must be together is checked when all are made."""
    for change in changes:
        sheet = _changed(sheet, change)
    if changes:
        where = f"--what-if {', '.join(changes)}"
        check_shapes(where, sheet.values)
        if (sheet.ratios["buy_down"] < sheet.ratios["buy_up"]).any():
            raise Refused(f"{where}: a ratio of the sheet would have its buy_down below its buy_up")
    return sheet


def _changed(sheet: Sheet, change: str) -> Sheet:
    key, equals, value = (part.strip() for part in change.partition("="))
    if not equals or not value:
        raise Refused(f"--what-if {change}: write key=value, such as gfee=46 or tba.6.0=101.5")
    price = _PRICE_KEY.fullmatch(key)
    if price:
        return _repriced(sheet, change, price, value)
    values = {section: dict(settings) for section, settings in sheet.values.items()}
    for full in _ALIASES.get(key, (key,)):
        section, _, name = full.rpartition(".")
        setting = SETTINGS.get(section, {}).get(name)
        if setting is None or setting.shape != "one":
            known = [f"{s}.{n}" for s, names in SETTINGS.items() for n, x in names.items() if x.shape == "one"]
            raise Refused(
                f"--what-if {key} is unknown: use {', '.join(_ALIASES)}, a price such as tba.6.0, or one of "
                f"{', '.join(known)}"
            )
        values[section][name] = scaled(f"--what-if {key}", value, setting)
    changed = set(_ALIASES.get(key, (key,)))
    # a sheet's own ratios follow: else the change would not reach the coupons that have one
    new = [name for name in ("buy_up", "buy_down") if f"multiples.{name}" in changed]
    ratios = sheet.ratios.with_columns(pl.lit(values["multiples"][name], pl.Int64).alias(name) for name in new)
    return replace(sheet, values=values, given=sheet.given | changed, ratios=ratios)


def _repriced(sheet: Sheet, change: str, key: re.Match[str], value: str) -> Sheet:
    """The sheet with a price changed wherever it lists that rate; 30-year prices unless a term is named."""
    table = key["table"]
    where = f"--what-if {change}"
    rate = _rate(where, key["rate"], "a rate in percent")
    frame: pl.DataFrame = getattr(sheet, table)
    program = key["program"]
    if program is not None and program not in PROGRAMS[1:]:
        raise Refused(f"{where}: program {program!r} is unknown: use {', '.join(PROGRAMS[1:])}")
    programs = (
        [PROGRAMS.index(program)] if program else list(ENTERPRISES) if table == "tba" else list(SWAPPED + CONDUITS)
    )
    here = (
        (pl.col(_RATE[table]) == rate)
        & (pl.col("term_bucket") == int(key["years"] or 30) * 12)
        & pl.col("program").is_in(programs)
    )
    if frame.filter(here).is_empty():
        raise Refused(f"{where}: the sheet has no such price: it can change one that is listed, not add one")
    price = _price(where, value)
    changed = frame.with_columns(pl.when(here).then(pl.lit(price, pl.Int64)).otherwise("price_e6").alias("price_e6"))
    given = sheet.given | {key.string}
    tables: dict[str, Any] = {table: changed}
    return replace(sheet, given=given, **tables)


def _parsed(text: str, name: str) -> dict[str, Any]:
    try:
        raw = tomllib.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise Refused(f"{name}: not TOML: {error}") from error
    tops = {"name", "date", *_TABLES, *(section.split(".")[0] for section in SETTINGS)}
    _known(name, raw, tops)
    return raw


def _settings(
    name: str, raw: dict[str, Any], model: dict[str, dict[str, Any]]
) -> tuple[dict[str, dict[str, Any]], set[str]]:
    """The values with the sheet's sections in them, and which names the sheet decided."""
    values = {section: dict(settings) for section, settings in model.items()}
    given: set[str] = set()
    for section, settings in SETTINGS.items():
        top, _, rest = section.partition(".")
        table = raw.get(top)
        if table is not None and rest:
            table = _table(f"{name}: {top}", table).get(rest)
        if table is None:
            continue
        where = f"{name}: {section}"
        inner = {s.split(".")[1] for s in SETTINGS if s.startswith(section + ".")}
        _known(where, _table(where, table), {*settings, *inner})
        for key, setting in settings.items():
            if key in table:
                values[section][key] = scaled(f"{where}.{key}", table[key], setting)
            elif setting.absent is not KEEP:
                values[section][key] = setting.absent
            else:
                continue
            given.add(f"{section}.{key}")
    for top in {section.split(".")[0] for section in SETTINGS if "." in section}:
        subs = {section.split(".")[1] for section in SETTINGS if section.startswith(top + ".")}
        own = set(SETTINGS.get(top, {}))
        _known(f"{name}: {top}", _table(f"{name}: {top}", raw.get(top, {})), subs | own)
    return values, given


_KEYS = {
    "tba": {"program", "term", "settle", "prices"},
    "cash": {"program", "term", "days", "prices"},
    "conduit": {"program", "term", "prices"},
}
_LONGEST_COMMITMENT_DAYS = 9_999
_HIGHEST_PRICE_E6 = 1_000 * 10**6


def _prices(
    name: str, raw: dict[str, Any], table: str, allowed: tuple[int, ...], rulebook: Rulebook, as_of: date
) -> pl.DataFrame:
    """A table of prices: a row for each listed program, term and rate."""
    columns: dict[str, list[Any]] = {"program": [], "term_bucket": [], "extra": [], "rate": [], "price_e6": []}
    for i, each in _rows(name, raw, table):
        where = f"{name}: {table} {i}"
        _known(where, each, _KEYS[table])
        programs = each.get("program", [PROGRAMS[p] for p in allowed]) or [""]
        bucket = _bucket(where, each.get("term", 30), rulebook, as_of)
        extra = each.get("settle") if table == "tba" else each.get("days", _LONGEST_COMMITMENT_DAYS)
        if table == "tba" and extra is not None and type(extra) is not date:
            raise Refused(f"{where}: settle {extra!r} is no date: write settle = 2026-12-14, without quotes")
        if table != "tba":
            extra = number(f"{where}: days", extra, 1, "a whole number of days", most=_LONGEST_COMMITMENT_DAYS)
        prices = each.get("prices")
        if not isinstance(prices, dict) or not prices:
            raise Refused(f'{where}: prices is a table of rate and price: write prices = {{"6.0" = 101.5}}')
        for program in programs if isinstance(programs, list) else [programs]:
            code = _program(where, program, allowed)
            if table == "tba" and pool_bucket(code, bucket, as_of, rulebook) != bucket:
                if "program" in each:
                    raise Refused(f"{where}: {program} has no pools of {bucket // 12} years: leave it out")
                continue
            told = settlement(as_of, code, bucket, rulebook) if extra is None else extra
            for rate, price in prices.items():
                columns["program"].append(code)
                columns["term_bucket"].append(bucket)
                columns["extra"].append(told)
                columns["rate"].append(_rate(f"{where}: prices", rate, 'a rate in percent, in quotes: "6.0"'))
                columns["price_e6"].append(_price(f"{where}: prices {rate}", price))
    extra_name, extra_type = {"tba": ("settlement_date", pl.Date()), "cash": ("days", pl.Int32())}.get(
        table, ("days", pl.Int32())
    )
    rate_name = _RATE[table]
    frame = pl.DataFrame(
        columns,
        schema={"program": pl.Int8(), "term_bucket": pl.Int16(), "extra": extra_type, "rate": pl.Int32(),
                "price_e6": pl.Int64()},
    ).rename({"extra": extra_name, "rate": rate_name})  # fmt: skip
    key = ["program", "term_bucket", extra_name, rate_name]
    twice = frame.filter(frame.select(key).is_duplicated())
    if twice.height:
        row = twice.row(0, named=True)
        raise Refused(
            f"{name}: {table}: {PROGRAMS[row['program']]} {row['term_bucket'] // 12} years at "
            f"{row[rate_name] / 100_000:g}% has two prices: keep one"
        )
    return frame.drop("days") if table == "conduit" else frame


def _payup(name: str, raw: dict[str, Any], place: int, rulebook: Rulebook, as_of: date) -> Payup:
    where = f"{name}: payup {place}"
    _known(where, raw, {"most", "points", "program", "term", "coupon", "states"})
    most, term, coupon, program = raw.get("most"), raw.get("term"), raw.get("coupon"), raw.get("program")
    states = raw.get("states", [])
    if not isinstance(states, list) or not all(isinstance(s, str) for s in states):
        raise Refused(f'{where}: states is a list of postal codes, such as ["NY"]')
    return Payup(
        most_cents=None if most is None else number(f"{where}: most", most, 100, "dollars"),
        e6=_price(f"{where}: points", raw.get("points")),
        program=None if program is None else _program(where, program, SWAPPED),
        term_bucket=None if term is None else _bucket(where, term, rulebook, as_of),
        coupon_rate_e7=None if coupon is None else _rate(f"{where}: coupon", coupon, "percent"),
        states=tuple(s.upper() for s in states),
    )


def _ratios(name: str, raw: dict[str, Any]) -> pl.DataFrame:
    """Buy-up and buy-down multiples of a program, for one coupon or all."""
    rows = []
    for i, each in _rows(name, raw, "ratio"):
        where = f"{name}: ratio {i}"
        _known(where, each, {"program", "coupon", "buy_up", "buy_down"})
        up, down = (
            number(f"{where}: {k}", each.get(k), 1_000, "years of fee", most=1_000) for k in ("buy_up", "buy_down")
        )
        if down < up:
            raise Refused(f"{where}: buy_down is below buy_up: fee could be bought up and down at a gain")
        coupon = each.get("coupon")
        rate = None if coupon is None else _rate(f"{where}: coupon", coupon, "percent")
        rows.append((_program(where, each.get("program"), ENTERPRISES), rate, up, down))
        if rows[-1][:2] in {row[:2] for row in rows[:-1]}:
            raise Refused(f"{where}: stands above already for the same program and coupon: keep one")
    return pl.DataFrame(rows, schema=RATIOS, orient="row").sort("coupon_rate_e7", nulls_last=False)


def _price(where: str, price: Any) -> int:
    """A price or points in e6, told in a message as its file has it."""
    e6 = price_of(where, str(price) if isinstance(price, Decimal) else price)
    if e6 > _HIGHEST_PRICE_E6:
        raise Refused(f"{where}: {price} is above {_HIGHEST_PRICE_E6 // 10**6}: write a price per 100")
    return e6


def _rate(where: str, value: Any, wanted: str) -> int:
    """A rate in e7."""
    return number(where, value, 100_000, wanted, most=100)


def _bucket(where: str, years: Any, rulebook: Rulebook, as_of: date) -> int:
    buckets = rulebook.get("sale.term_buckets", as_of)
    months = number(f"{where}: term", years, 12, "years")
    if months not in buckets:
        raise Refused(f"{where}: term {years} years is not priced: use {', '.join(str(b // 12) for b in buckets)}")
    return months


def _program(where: str, value: Any, allowed: tuple[int, ...]) -> int:
    names = [PROGRAMS[p] for p in allowed]
    if value not in names:
        raise Refused(f"{where}: program {value!r} is unknown here: use {', '.join(names)}")
    return PROGRAMS.index(value)


def _known(where: str, raw: dict[str, Any], keys: set[str]) -> None:
    unknown = sorted(set(raw) - keys)
    if unknown:
        raise Refused(f"{where}: {', '.join(unknown)} is unknown: use {', '.join(sorted(keys))}")


def _table(where: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Refused(f"{where} is a table: write it under a line [{where.rpartition(': ')[2]}]")
    return value


def _rows(name: str, raw: dict[str, Any], key: str) -> list[tuple[int, dict[str, Any]]]:
    value = raw.get(key, [])
    if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
        raise Refused(f"{name}: write each {key} under a line [[{key}]], or {key} = [] for none")
    return list(enumerate(value, start=1))
