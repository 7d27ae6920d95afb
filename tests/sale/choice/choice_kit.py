"""Offers written by hand, and a whole choice tested by trying everything."""

from __future__ import annotations

import itertools
import time
from datetime import date
from typing import Any

import polars as pl

from poolhouse import rules
from poolhouse.sale.choice import Choice, Rules, choose, rules_of
from poolhouse.sale.choice.choosing import Prepared, prepare
from poolhouse.sale.terms import Terms, read_terms
from poolhouse.tables import OFFERS
from poolhouse.tables.codes import FNMA, GNMA
from poolhouse.tables.offers import PARTS
from sale.market_frames import loans as made

BOOK = rules.load()
DAY = date(2026, 11, 23)
RULES = rules_of(DAY, BOOK)
COUPON = 600_000


def loans(*changes: dict[str, Any]) -> pl.DataFrame:
    """Young 30-year loans at 6.875%, each row with some other facts."""
    young = {"note_rate_e7": 687_500, "note_date": date(2026, 10, 14), "first_due_date": date(2026, 12, 1)}
    return made(*(young | change for change in changes))


def offers(*rows: dict[str, Any]) -> pl.DataFrame:
    """OFFERS rows: loan_id, balance and all-in price are given, the rest as a Fannie Mae swap into 6.0 unless said."""
    full = []
    for row in rows:
        one = dict.fromkeys(OFFERS.schema, 0) | {
            "program": FNMA, "execution": "swap", "servicing": "kept", "coupon_rate_e7": COUPON, "term_bucket": 360,
            "balance_cents": 300_000_00, "settlement_date": date(2026, 12, 14), "all_in_e6": 101_000_000,
        } | row  # fmt: skip
        one["base_e6"] = one["all_in_e6"] - sum(one[part] for part in PARTS if part != "base_e6")
        one["proceeds_cents"] = (one["balance_cents"] * one["all_in_e6"] + 50_000_000) // 100_000_000
        full.append(one)
    return pl.DataFrame(full, schema=OFFERS.schema).sort(OFFERS.sort, nulls_last=False)


def cash(loan_id: int, all_in_e6: int, **row: Any) -> dict[str, Any]:
    """A cash-window offer."""
    paid = {"execution": "cash", "coupon_rate_e7": 662_500, "settlement_date": date(2026, 11, 30)}
    return {"loan_id": loan_id, "all_in_e6": all_in_e6} | paid | row


def chosen(
    about: pl.DataFrame, offered: pl.DataFrame, terms: Terms | str = "", limits: Rules = RULES, **options: Any
) -> Choice:
    """`choose` on the day of the tests. terms: as TOML text."""
    read = read_terms(terms, "terms.toml", 100) if isinstance(terms, str) else terms
    return choose(about, offered, limits, read, DAY, BOOK, clock=time.monotonic, **({"gap": 0.0} | options))


def places(choice: Choice) -> dict[int, str]:
    """The pool of each loan."""
    return dict(choice.chosen.select("loan_id", "pool").rows())


def best_by_trying(about: pl.DataFrame, offered: pl.DataFrame, terms: str, limits: Rules) -> int | None:
    """The most that any assignment brings that keeps pools' minimums, high-balance shares, caps and the hold limit:
    every one is tried, with rules written down again here. None where no assignment keeps them."""
    read = read_terms(terms, "terms.toml", 100)
    prepared = prepare(about, offered, limits, read, DAY, BOOK)
    rows = _rows(prepared)
    best = None
    for picks in itertools.product(*rows.values()):
        if _allowed(picks, read, limits):
            total = sum(p["proceeds_cents"] for p in picks)
            best = total if best is None or total > best else best
    return best


def _rows(prepared: Prepared) -> dict[int, list[dict[str, Any]]]:
    high = prepared.problem.loans["high"]
    found: dict[int, list[dict[str, Any]]] = {}
    for position, row in zip(prepared.problem.offers["loan"].to_list(), prepared.options.to_dicts(), strict=True):
        found.setdefault(row["loan_id"], []).append(row | {"is_high": bool(high[position])})
    return found


def _allowed(picks: tuple[dict[str, Any], ...], terms: Terms, limits: Rules) -> bool:
    pools: dict[int, list[dict[str, Any]]] = {}
    for pick in picks:
        if pick["execution"] == "swap":
            pools.setdefault(pick["number"], []).append(pick)
    for inside in pools.values():
        total = sum(p["balance_cents"] for p in inside)
        program, series, story = (inside[0][name] for name in ("program", "series", "story"))
        if total < limits.min_pool_cents[program, series]:
            return False
        high = sum(p["balance_cents"] for p in inside if p["is_high"])
        if story != "high-balance" and high * 10_000 > total * limits.high_max_e4[program]:
            return False
    names = {FNMA: "fnma", 2: "fhlmc", GNMA: "gnma"}
    for program, most in terms.caps_cents.items():
        if sum(p["balance_cents"] for p in picks if names.get(p["program"]) == program) > most:
            return False
    held = sum(p["balance_cents"] for p in picks if p["execution"] == "hold")
    return terms.hold_limit_cents is None or held <= terms.hold_limit_cents
