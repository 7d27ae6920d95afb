"""commit: lenders promise to deliver; a month's sale fills the promises, its end pairs off what is missing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from poolhouse import sale
from poolhouse.dates import last_day, month_name
from poolhouse.findings import Refused
from poolhouse.market.desk import Desk
from poolhouse.market.files import TextTable, read_table
from poolhouse.market.rejects import keep_file
from poolhouse.tables import COMMITMENTS, Outcome
from poolhouse.tables.codes import BOOK_PROGRAMS

COLUMNS = ["id", "lender", "program", "kind", "coupon", "amount_cents", "price", "expires"]
OPTIONAL = ("term", "tolerance_pct", "pair_off")

_MOST_CENTS = 10**12
"""Ten billion dollars: above it an amount is a mistaken unit, and products would not fit 64 bits."""
_NUMBER = re.compile(r"\d{1,15}(\.\d{1,9})?")

Row = dict[str, Any]


class _WrongError(Exception):
    """A field of a row that can't stand, and why."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(why)
        self.field, self.why = field, why


def commit_to_deliver(desk: Desk, file: Path | str) -> Row:
    """Take the commitments of a file: event Committed, record commitments. Rows that can't stand are rejects.

    Refused when none can. They hold from today, the 1st of the open month, and the next sale fills them.
    """
    read = read_table(file, COLUMNS, "commit", OPTIONAL)
    replayed = desk.book.answer(read.name)
    if replayed is not None:
        return replayed
    rows, rejects = _judged(desk, read)
    if not rows:
        why = "; ".join(f"row {r['row']}: {r['reason']}" for r in rejects[:5]) or "the file has no rows"
        raise Refused(f"commit: no commitment stands: {why}")
    frame = COMMITMENTS.conform(pl.DataFrame(rows, schema=COMMITMENTS.schema))
    answer = {
        "month": month_name(desk.month), "commitments": frame.height, "amount_cents": int(frame["amount_cents"].sum()),
        "kinds": dict(frame.group_by("kind").len().sort("kind").rows()), "rejected": len(rejects), "rejects": rejects,
    }  # fmt: skip
    return keep_file(desk, "commit", read.name, "Committed", "commitments", frame, answer)


def commitments(desk: Desk, lender_id: int | None = None) -> Row:
    """Every commitment as it stands: delivered so far while open, what it came to after. Amounts in cents."""
    records = desk.book.records("commitments").drop("event_seq")
    if lender_id is not None:
        records = records.filter(pl.col("lender_id") == lender_id)
    still = sale.delivered(sale.standing(records), desk.book.segment("deliveries"))
    ended = records.filter(pl.col("state") != "open")
    rows = pl.concat([still.select(ended.columns), ended]).sort("committed_date", "commitment_id")
    names = desk.parties().select("party_id", "name")
    told = (
        rows.join(names.rename({"party_id": "lender_id", "name": "lender"}), on="lender_id", how="left")
        .join(names.rename({"party_id": "buyer_id", "name": "buyer"}), on="buyer_id", how="left")
        .sort("committed_date", "commitment_id")
        .select(
            "commitment_id", "lender", "buyer", "kind", "state",
            pl.col("program").replace_strict(dict(enumerate(BOOK_PROGRAMS)), return_dtype=pl.String),
            pl.col("committed_date", "expires", "settled_date").cast(pl.String), "term_bucket", "coupon_rate_e7",
            "price_e6", "amount_cents", "delivered_cents", "loans", "short_cents", "market_price_e6", "cost_cents",
            "note",
        )
    )  # fmt: skip
    by_state = dict(rows.group_by("state").len().sort("state").rows())
    return {
        "open": int(by_state.get("open", 0)), "states": by_state, "paired_off_cents": int(rows["cost_cents"].sum()),
        "commitments": [dict(zip(told.columns, r, strict=True)) for r in told.head(told.height).rows()],
    }  # fmt: skip


def open_commitments(desk: Desk) -> pl.DataFrame:
    """What a sale may fill: `sale.fillable`."""
    rows = sale.standing(desk.book.records("commitments").drop("event_seq"))
    return sale.fillable(rows, desk.book.segment("deliveries"))


def end_commitments(desk: Desk, month: int) -> Outcome:
    """What a month's end makes of the commitments that expire in it."""
    rows = sale.standing(desk.book.records("commitments").drop("event_seq"))
    rows = rows.filter(pl.col("expires") <= last_day(month))
    if not rows.height:
        return Outcome()
    return sale.end(rows, desk.book.segment("deliveries"), desk.book.records("prices").drop("event_seq"), month)


def _judged(desk: Desk, read: TextTable) -> tuple[list[Row], list[Row]]:
    """COMMITMENTS rows of the lines that stand, and rejects (row, field, value, reason) of the others."""
    broken = read.broken.select("row", "field", "value", "reason")
    rejects: list[Row] = [dict(zip(broken.columns, r, strict=True)) for r in broken.head(broken.height).rows()]
    known = set(desk.book.records("commitments")["commitment_id"].to_list())
    trading, stopped = _trading(desk), _stopped(desk)
    good: list[Row] = []
    lines = read.frame.sort("row")
    for values in lines.head(lines.height).rows():
        line = dict(zip(lines.columns, values, strict=True))
        try:
            row = _row(desk, line, trading)
            if row["lender_id"] in stopped:
                raise _WrongError("lender", "the aggregators buy nothing new from it: suspended or terminated")
            if row["commitment_id"] in known:
                raise _WrongError("id", "names a commitment that is there already")
        except _WrongError as wrong:
            value = line[wrong.field]
            rejects.append({"row": int(line["row"]), "field": wrong.field, "value": value, "reason": wrong.why})
        else:
            known.add(row["commitment_id"])
            good.append(row)
    return good, rejects


def _stopped(desk: Desk) -> set[int]:
    """Lenders from which nothing new is bought."""
    states = sale.current_states(desk.book.records("lender_states").drop("event_seq"))
    return set(states.filter(pl.col("state").is_in(list(sale.STOPPED)))["lender_id"])


def _trading(desk: Desk) -> dict[tuple[str, str], Row]:
    """What may be promised, by (lender's code or name in lower case, program): party, buyer, approval."""
    lenders = desk.lenders()
    approved = sale.approvals(lenders.select("party_id", "code", "type"), desk.rulebook)
    buyers = sale.buyers(lenders.select("party_id", "code").join(approved, on="party_id"))
    named = buyers.join(lenders.rename({"party_id": "seller_id"}), on="seller_id").sort("seller_id", "program")
    names = lenders["name"].str.to_lowercase().to_list()
    found: dict[tuple[str, str], Row] = {}
    for row in named.head(named.height).iter_rows(named=True):
        program, name = BOOK_PROGRAMS[row["program"]], row["name"].lower()
        words = [row["code"].lower(), row["code"].lower().removeprefix("originator:")]
        for word in [*words, *([name] if names.count(name) == 1 else [])]:
            found[word, program] = row
    return found


def _row(desk: Desk, line: Mapping[str, str], trading: dict[tuple[str, str], Row]) -> Row:
    """A line as a COMMITMENTS row. _WrongError names the field that can't stand."""
    program = line["program"].lower()
    if not line["id"]:
        raise _WrongError("id", "is empty: give each commitment a name")
    if program not in BOOK_PROGRAMS[1:]:
        raise _WrongError("program", f"must be one of {', '.join(BOOK_PROGRAMS[1:])}")
    parties = trading.get((line["lender"].lower(), program))
    if parties is None:
        raise _WrongError("lender", "no such lender, or several: use a code (`poolhouse lenders --json` lists all)")
    if not parties["approved"]:
        raise _WrongError("program", "the lender is not approved by it")
    if parties["self_issued"]:
        raise _WrongError("program", "the lender issues these pools itself: nobody buys the loans")
    if line["kind"] not in sale.KINDS:
        raise _WrongError("kind", f"must be one of {', '.join(sale.KINDS)}")
    buckets = sorted(int(b) for b in desk.rulebook.get("sale.term_buckets", desk.today))
    term = line["term"] or str(buckets[-1])
    if term not in map(str, buckets):
        raise _WrongError("term", f"must be one of {', '.join(map(str, buckets))} months")
    return {
        "commitment_id": line["id"], "state": "open", "month": desk.month, "lender_id": parties["seller_id"],
        "buyer_id": parties["buyer_id"], "program": BOOK_PROGRAMS.index(program), "kind": line["kind"],
        "term_bucket": int(term), "coupon_rate_e7": _coupon(desk, line),
        "amount_cents": _scaled(line, "amount_cents", 0, most=_MOST_CENTS),
        "tolerance_e6": _scaled(line, "tolerance_pct", 4, most=10**6, least=0),
        "price_e6": _price(line), "pair_off_e6": _scaled(line, "pair_off", 6, most=10**8, least=0),
        "committed_date": desk.today, "expires": _expiry(desk, line), "delivered_cents": 0, "loans": 0,
        "short_cents": 0, "market_price_e6": None, "cost_cents": 0, "settled_date": None, "note": "promised",
    }  # fmt: skip


def _scaled(line: Mapping[str, str], field: str, digits: int, most: int, least: int = 1) -> int:
    """A decimal number times ten to the digits, exactly; an empty field is 0 where 0 may stand."""
    text = line[field] or ("0" if least == 0 else "")
    if not _NUMBER.fullmatch(text):
        raise _WrongError(field, "is no number of 0 or more")
    number = Decimal(text).scaleb(digits)
    if number != number.to_integral_value():
        raise _WrongError(field, f"has more than {digits} decimals" if digits else "is no whole number of cents")
    if not least <= number <= most:
        raise _WrongError(
            field, f"must be {'above' if least else 'at least'} 0, at most {Decimal(most).scaleb(-digits):f}"
        )
    return int(number)


def _coupon(desk: Desk, line: Mapping[str, str]) -> int:
    rate, step = _scaled(line, "coupon", 5, most=25 * 10**5), int(desk.rulebook.get("sale.coupon_step_e7", desk.today))
    if rate % step:
        raise _WrongError("coupon", f"is no coupon of a pool: they go by {step / 10**5:g}%; nothing could fill it")
    return rate


def _price(line: Mapping[str, str]) -> int:
    try:
        price = sale.price_of("price", line["price"])
    except Refused as refused:
        raise _WrongError("price", "is no price: write 101.25 or, in 32nds, 101-08 or 101-08+") from refused
    if not 50 * 10**6 <= price <= 150 * 10**6:
        raise _WrongError("price", "must be between 50 and 150 per 100")
    return price


def _expiry(desk: Desk, line: Mapping[str, str]) -> date:
    try:
        day = date.fromisoformat(line["expires"])
    except ValueError as error:
        raise _WrongError("expires", "is no date: write YYYY-MM-DD") from error
    sold = f"sell:{month_name(desk.month)}" in desk.book.command_keys()
    if day < desk.today or (sold and day <= last_day(desk.month)):
        raise _WrongError("expires", "is before the next sale: nothing could be delivered")
    return day
