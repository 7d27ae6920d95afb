"""A desk's price sheet of a day: prices by rate, ratios, multiples and costs. Without a user's, the model's.

The model's sheet follows the market's mortgage rate of the month (`sale/price_sheet.py`); its numbers are invented,
stand in rules/assumptions, and are printed with every price.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl

from poolhouse.dates import business_day, month_of
from poolhouse.rules import Rulebook, mortgage_rate_e7
from poolhouse.sale.price_sheet import opening_sheet
from poolhouse.sale.pricing.curves import curves
from poolhouse.tables.codes import FHLMC, FNMA, GNMA, NONQM, PRIVATE, PROGRAMS

ENTERPRISES = (FNMA, FHLMC)
SWAPPED = (FNMA, FHLMC, GNMA)
CONDUITS = (PRIVATE, NONQM)
STRIPS = {FNMA: "umbs", FHLMC: "umbs", GNMA: "ginnie2"}
"""Program -> name of its limits between note rate and coupon."""
EIGHTH_E7 = 12_500
"""Cash-window and conduit sheets step by eighths of a percent."""


@dataclass(frozen=True)
class Payup:
    """What is paid above the TBA price for loans of at most `most_cents`, in `states` (empty: any), in pools of
    `program`, `term_bucket` and `coupon_rate_e7` (None: any). A loan gets the best that fits."""

    most_cents: int | None
    e6: int
    program: int | None = None
    term_bucket: int | None = None
    coupon_rate_e7: int | None = None
    states: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sheet:
    """Prices of a day.

    tba: program i8, term_bucket i16, settlement_date, coupon_rate_e7 i32, price_e6 i64. cash: the same with days i32
    (of delivery) for settlement_date and coupon_rate_e7 the pass-through rate. conduit: program, term_bucket,
    note_rate_e7, price_e6 (servicing released and included). ratios: program, coupon_rate_e7, buy_up, buy_down (e3)
    that differ from `values`. values: settings by section, in e3, e4, e6, e7 or cents (`sheet_files.SETTINGS`).
    `given`: sections and tables that a user gave; the others are the model's.
    """

    name: str
    as_of: date
    tba: pl.DataFrame
    cash: pl.DataFrame
    conduit: pl.DataFrame
    ratios: pl.DataFrame
    payups: tuple[Payup, ...]
    values: dict[str, dict[str, Any]]
    given: frozenset[str] = frozenset()


RATIOS = {"program": pl.Int8(), "coupon_rate_e7": pl.Int32(), "buy_up": pl.Int64(), "buy_down": pl.Int64()}


def model_sheet(as_of: date, rulebook: Rulebook) -> Sheet:
    """The sheet that the market's mortgage rate and the assumptions give for a day. Refused for a day before the
    history of rates."""
    opening = opening_sheet(month_of(as_of), rulebook).select("program", "term_bucket", "coupon_rate_e7", "price_e6")
    tba = opening.filter(pl.col("program").is_in(SWAPPED))
    kinds = tba.select("program", "term_bucket").unique().sort("program", "term_bucket")
    pooled = [pool_bucket(p, b, as_of, rulebook) for p, b in zip(kinds["program"], kinds["term_bucket"], strict=True)]
    kinds = kinds.filter(kinds["term_bucket"] == pl.Series(pooled))
    settles = [settlement(as_of, p, b, rulebook) for p, b in zip(kinds["program"], kinds["term_bucket"], strict=True)]
    tba = tba.join(
        kinds.with_columns(settlement_date=pl.Series(settles)), on=kinds.columns, how="inner", maintain_order="left"
    )
    values = _values(as_of, rulebook)
    tops = rulebook.get("pricing.payups", as_of)
    return Sheet(
        name="model",
        as_of=as_of,
        tba=tba.select("program", "term_bucket", "settlement_date", "coupon_rate_e7", "price_e6"),
        cash=_cash(opening, values, as_of, rulebook),
        conduit=_conduit(opening, as_of, rulebook),
        ratios=pl.DataFrame(schema=RATIOS),
        payups=tuple(Payup(c, e) for c, e in zip(tops["tops_cents"], tops["e6"], strict=True)),
        values=values,
    )  # fmt: skip


def pool_bucket(program: int, term_bucket: int, as_of: date, rulebook: Rulebook) -> int:
    """The term of a program's pools that take loans of a bucket: Ginnie Mae has 15- and 30-year pools only."""
    buckets = sorted(rulebook.get("pooling.term_buckets", as_of, program=PROGRAMS[program]))
    return int(next((b for b in buckets if b >= term_bucket), buckets[-1]))


def settlement(as_of: date, program: int, term_bucket: int, rulebook: Rulebook) -> date:
    """The first TBA settlement date of the class of a program and term that can still be met."""
    kind = rulebook.get("pricing.tba_class", as_of, strip=STRIPS[program], term_bucket=term_bucket)
    which = rulebook.get("pricing.tba_settlement_day", as_of, **{"class": kind})
    day = business_day(month_of(as_of), which, "sifma")
    return day if day >= first_met(as_of, rulebook) else business_day(month_of(as_of) + 1, which, "sifma")


def first_met(as_of: date, rulebook: Rulebook) -> date:
    """The first day whose settlement can still be met."""
    days: int = rulebook.get("pricing.tba_notice_days", as_of)
    return as_of + timedelta(days=days)


def _values(as_of: date, rulebook: Rulebook) -> dict[str, dict[str, Any]]:
    """Settings by section, as the assumptions have them."""
    market = mortgage_rate_e7(month_of(as_of))
    hold = rulebook.get("pricing.hold", as_of)
    loss = rulebook.get("pricing.hold_loss", as_of)
    values: dict[str, dict[str, Any]] = {
        "multiples": dict(rulebook.get("pricing.multiples", as_of)),
        "guaranty_fee": {
            PROGRAMS[p]: rulebook.get("sale.guaranty_fee_rate_e7", as_of, strip=STRIPS[p]) for p in SWAPPED
        },
        "carry": {"line_rate": market + rulebook.get("pricing.line_rate_e7", as_of), "market_rate": market},
        "mi": {"lender_paid": rulebook.get("pricing.lender_paid_mi_e6", as_of)},
        "llpa": {"minimum_mi": None, "freddie_alternate": False},
        "hold": {
            "prepaid": hold["prepaid_e4"],
            "prepaid_per_point": hold["prepaid_per_point_e4"],
            "prepaid_most": hold["prepaid_most_e4"],
            "yield": market + hold["yield_e7"],
            "servicing_cost": hold["servicing_cost"],
            "capital": hold["capital"],
        },
        "hold.loss": dict(loss),
    }
    for kept in ("kept", "released"):
        values[f"servicing.{kept}"] = dict(rulebook.get("pricing.servicing", as_of, servicing=kept))
    for execution in ("swap", "cash", "conduit"):
        values[f"costs.{execution}"] = dict(rulebook.get("pricing.costs", as_of, execution=execution))
    for program in CONDUITS:
        name = PROGRAMS[program]
        values[f"conduit_adjustments.{name}"] = dict(rulebook.get("pricing.conduit_adjustments", as_of, program=name))
    return values


def _cash(opening: pl.DataFrame, values: dict[str, dict[str, Any]], as_of: date, rulebook: Rulebook) -> pl.DataFrame:
    """The enterprises' cash windows: the TBA price of the coupon left after the guaranty fee, less a margin."""
    rule = rulebook.get("pricing.cash_window", as_of)
    parts = [_shifted(opening, p, p, values["guaranty_fee"][PROGRAMS[p]], rule["margin_e6"]) for p in ENTERPRISES]
    frame = pl.concat(parts).rename({"rate_e7": "coupon_rate_e7"})
    return frame.select(
        "program", "term_bucket", pl.lit(rule["days"], pl.Int32).alias("days"), "coupon_rate_e7", "price_e6"
    )


def _conduit(opening: pl.DataFrame, as_of: date, rulebook: Rulebook) -> pl.DataFrame:
    rules = {p: rulebook.get("pricing.conduit", as_of, program=PROGRAMS[p]) for p in CONDUITS}
    parts = [_shifted(opening, PRIVATE, p, rule["spread_e7"], rule["margin_e6"]) for p, rule in rules.items()]
    return pl.concat(parts).rename({"rate_e7": "note_rate_e7"})


def _shifted(opening: pl.DataFrame, source: int, program: int, shift_e7: int, margin_e6: int) -> pl.DataFrame:
    """Prices by rate in eighths: those of `source`'s coupon `shift_e7` below, less a margin."""
    rows = []
    found = curves(opening.filter(pl.col("program") == source), "coupon_rate_e7")
    for (_, bucket), curve in found.items():
        first = -(-(int(curve.rates[0]) + shift_e7) // EIGHTH_E7) * EIGHTH_E7
        rates = np.arange(first, int(curve.rates[-1]) + shift_e7 + 1, EIGHTH_E7, dtype=np.int64)
        price, known = curve.at(rates - shift_e7)
        rows.append(
            pl.DataFrame({"rate_e7": rates[known], "price_e6": price[known] - margin_e6}).select(
                pl.lit(program, pl.Int8).alias("program"),
                pl.lit(bucket, pl.Int16).alias("term_bucket"),
                pl.col("rate_e7").cast(pl.Int32),
                "price_e6",
            )
        )
    return pl.concat(rows)
