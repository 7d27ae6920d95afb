"""Finding what a query asks for: a loan by its number, parties and pools by their numbers or names."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cached_property
from typing import Any

import polars as pl

from poolhouse.findings import Refused
from poolhouse.market.desk import Desk
from poolhouse.tables.codes import PROGRAMS

_NEAREST = 5
Row = dict[str, Any]


def find_loan(desk: Desk, asked: str) -> Row:
    """The LOANS row of a loan: its number on the tape, or `#` and its id in the book. Refused with the nearest."""
    text = str(asked).strip()
    loans = desk.book.scan("loans")
    by_id = text.startswith("#")
    if by_id and not text[1:].isdecimal():
        raise Refused(f"loan {text!r}: after # comes the loan's id in the book, such as '#123'")
    wanted = pl.col("loan_id") == int(text[1:]) if by_id else pl.col("loan_number") == text
    found = loans.filter(wanted).head(1).collect()
    if not found.height:
        raise Refused(_unknown(desk, text, by_id))
    return found.row(0, named=True)


def _unknown(desk: Desk, text: str, by_id: bool) -> str:
    if by_id:
        loans = int(desk.book.scan("loans").select(pl.len()).collect().item())
        return (
            f"loan {text}: the book's loans have the ids #0 to #{loans - 1}"
            if loans
            else "loan: the book has no loans yet"
        )
    rejected = desk.book.scan("rejects").filter(pl.col("loan_number") == text).head(1).collect()
    if rejected.height:
        reject = rejected.row(0, named=True)
        why = f"{reject['field']} {reject['value']!r}: {reject['reason']}"
        return f"loan {text}: the tape's row {reject['row']} was rejected; {why}"
    waiting = desk.book.scan("tape").filter(pl.col("loan_number") == text).select("note_date").head(1).collect()
    if waiting.height:
        return (
            f"loan {text}: on the tape, and closes with its note on {waiting.item()}; the book stands at {desk.today}"
        )
    numbers = desk.book.scan("loans").select("loan_number").collect()["loan_number"].to_list()
    near = _nearest(text, numbers)
    also = f"; nearest: {', '.join(near)}" if near else ""
    return f"loan {text!r} is not in the book: use the tape's loan number, or '#' and the loan's id{also}"


def _nearest(text: str, numbers: list[str]) -> list[str]:
    """Known numbers closest to one that is not known: in value when all are figures, else in spelling."""
    if text.isdecimal():
        figures = sorted((abs(int(n) - int(text)), n) for n in numbers if n.isdecimal())
        if figures:
            return [n for _, n in figures[:_NEAREST]]
    return get_close_matches(text, numbers, n=_NEAREST, cutoff=0.5)


class Names:
    """Parties and pools of a book by number, as queries show them."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    @cached_property
    def parties(self) -> dict[int, Row]:
        """party_id -> party_id, code, name, role, type, state."""
        parties = self._desk.parties().drop("event_seq")
        return {p["party_id"]: p for p in parties.iter_rows(named=True)}

    @cached_property
    def pools(self) -> dict[int, Row]:
        """pool_id -> POOLS columns, issue_month, the security's cusip ('' for a pool issued in classes) and how many
        classes it has."""
        named = pl.col("class_name") != ""
        securities = self._desk.book.records("securities").group_by("pool_id").agg(
            pl.when(named).then(pl.lit("")).otherwise("cusip").first().alias("cusip"), pl.col("issue_month").first(),
            named.sum().alias("classes"),
        )  # fmt: skip
        pools = self._desk.book.records("pools").drop("event_seq").join(securities, on="pool_id", how="left")
        return {p["pool_id"]: p for p in pools.iter_rows(named=True)}

    def party(self, party_id: int) -> Row:
        """name and code of a party; a number the book doesn't know says so."""
        known = self.parties.get(party_id)
        return {"name": known["name"], "code": known["code"]} if known else {"name": f"party {party_id}", "code": ""}

    def pool(self, pool_id: int) -> Row:
        """name and code of a pool's trust, with pool_number, cusip ('' for one in classes) and classes."""
        known = self.pools[pool_id]
        return {
            "name": f"{self.program(known['program'])} pool {known['pool_number']}", "code": "trusts",
            "pool_number": known["pool_number"], "cusip": known["cusip"] or "",
            "classes": known["classes"] or 0,
        }  # fmt: skip

    def program(self, code: int) -> str:
        """A program's aggregator: 'Fannie Mae'; the conduit for private pools."""
        by_code = {p["code"]: p["name"] for p in self.parties.values()}
        word = PROGRAMS[code]
        return str(by_code.get({"private": "conduit"}.get(word, word), word))


def position_columns(names: Names, party_id: int) -> Row:
    """A holder as queries show it."""
    party = names.party(party_id)
    return {"holder": party["name"], "code": party["code"]}
