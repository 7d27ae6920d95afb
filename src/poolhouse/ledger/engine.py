"""Turns postings into ledger lines. Templates are data; this is the only code that posts.

A template row names one party, a debit and a credit account and a column >= 0: balanced by
construction. `party` is a column of the frame (party ids) or a system party's code.
Lines come aggregated per (party, account, value_date): debits positive, credits negative.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import polars as pl

from poolhouse.rules import system_parties
from poolhouse.tables.outcome import Event, Posting

LINES_SCHEMA: dict[str, pl.DataType] = {
    "party_id": pl.Int32(),
    "account": pl.String(),
    "value_date": pl.Date(),
    "cents": pl.Int64(),
}


@dataclass(frozen=True)
class Leg:
    """One party's entry: debit and credit of the same amount."""

    party: str
    debit: str
    credit: str
    amount: str


@dataclass(frozen=True)
class Template:
    """All legs of one kind of posting, and the identities each input row must satisfy."""

    name: str
    why: str
    legs: tuple[Leg, ...]
    identity: tuple[str, ...]


@lru_cache(maxsize=1)
def chart() -> dict[str, dict[str, Any]]:
    """The chart of accounts: code -> class, meaning, cash."""
    text = (files("poolhouse.ledger") / "chart.toml").read_text(encoding="utf-8")
    accounts: dict[str, dict[str, Any]] = tomllib.loads(text)["accounts"]
    return accounts


def cash_accounts() -> list[str]:
    """Accounts that hold money: they sum to zero over all parties and the boundary."""
    return [code for code, account in chart().items() if account.get("cash")]


@lru_cache(maxsize=1)
def templates() -> dict[str, Template]:
    """Every posting template, by name, checked against the chart when read."""
    found: dict[str, Template] = {}
    for entry in sorted((files("poolhouse.ledger") / "templates").iterdir(), key=lambda e: e.name):
        if not entry.name.endswith(".toml"):
            continue
        for name, raw in tomllib.loads(entry.read_text(encoding="utf-8")).items():
            if name in found:
                raise ValueError(f"{entry.name}: template {name} is defined twice")
            found[name] = _template(name, raw)
    return found


def _template(name: str, raw: dict[str, Any]) -> Template:
    legs = tuple(Leg(p["party"], p["debit"], p["credit"], p["amount"]) for p in raw["post"])
    unknown = {a for leg in legs for a in (leg.debit, leg.credit)} - chart().keys()
    if unknown:
        raise ValueError(f"template {name}: no such account {sorted(unknown)}")
    return Template(name, raw["why"], legs, tuple(raw.get("identity", ())))


def lines(event: Event) -> pl.DataFrame:
    """The ledger lines of one event, aggregated and in a fixed order; zero lines left out."""
    parts = [part for posting in event.postings for part in _posting_lines(posting)]
    if not parts:
        return pl.DataFrame(schema=LINES_SCHEMA)
    keys = ["party_id", "account", "value_date"]
    total = pl.concat(parts).group_by(keys).agg(pl.col("cents").sum()).filter(pl.col("cents") != 0)
    return total.sort(keys).select(list(LINES_SCHEMA)).collect()


def _posting_lines(posting: Posting) -> list[pl.LazyFrame]:
    """Both sides of every leg, a line per row yet; they run together when the event's lines are added up."""
    template = templates()[posting.template]
    frame = posting.frame
    if not frame.height:
        return []
    if posting.value_date is not None:
        frame = frame.with_columns(pl.lit(posting.value_date, pl.Date).alias("value_date"))
    _refuse_bad_rows(template, frame)
    parts = []
    for leg in template.legs:
        for account, sign in ((leg.debit, 1), (leg.credit, -1)):
            parts.append(
                frame.lazy().select(
                    _party(leg.party, frame).cast(pl.Int32).alias("party_id"),
                    pl.lit(account).alias("account"),
                    "value_date",
                    (pl.col(leg.amount) * sign).cast(pl.Int64).alias("cents"),
                )
            )
    return parts


def _party(name: str, frame: pl.DataFrame) -> pl.Expr:
    if name in frame.columns:
        return pl.col(name)
    return pl.lit(system_parties()[name]["party_id"], pl.Int32)


def _refuse_bad_rows(template: Template, frame: pl.DataFrame) -> None:
    for amount in {leg.amount for leg in template.legs}:
        if frame[amount].null_count() or (frame[amount].min() or 0) < 0:  # type: ignore[operator]  # integers
            raise ValueError(f"template {template.name}: {amount} has a null or negative amount")
    for identity in template.identity:
        left, right = identity.split("=")
        if not frame.select((_sum(left) == _sum(right)).all()).item():
            broken = frame.filter(_sum(left) != _sum(right)).head(1).to_dicts()
            raise ValueError(f"template {template.name}: {identity} does not hold on {broken}")


def _sum(text: str) -> pl.Expr:
    total = pl.lit(0, pl.Int64)
    for sign, name in re.findall(r"([+-]?)\s*([a-z_0-9]+)", text):
        total = total - pl.col(name) if sign == "-" else total + pl.col(name)
    return total
