"""The files of a pricing engine: loans, pools and offers, read into the optimiser's tables.

Bad lines are rejected one by one with what to do; the rest goes on. Amounts are dollars in the files, cents after.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from poolhouse.findings import Refused
from poolhouse.market.offer_columns import (
    Rejected,
    Sheet,
    as_ints,
    at_price,
    bound,
    cents,
    first_of,
    price_parts,
    read_sheet,
    typed,
)

_CENTS = 100
_E6 = 1_000_000
_LOAN, _POOL = "loan.", "pool."
_TABLE_KEYS = {"row", "loan", "pool", "balance_cents", "value_cents", "price_high", "price_low"}


@dataclass(frozen=True)
class Desk:
    """What the files hold. loans: loan, balance_cents, attributes, in file order; pools: pool, attributes; offers:
    loan, pool (row numbers of the other two), value_cents, price_high and price_low (null where dollars were given),
    servicer and other attributes. `unoffered`: keys of loans without an offer, which are in `loans` no more unless
    they may stay."""

    loans: pl.DataFrame
    pools: pl.DataFrame
    offers: pl.DataFrame
    unoffered: list[str]
    notes: list[str]
    rejected: pl.DataFrame


def read_desk(
    offers: Path | str, pools: Path | str, loans: Path | str | None, numbers: Collection[str], *, may_stay: bool
) -> Desk:
    """Reads the three files. `numbers`: columns that limits count with, also as loan.NAME or pool.NAME.

    Refused where a file is no table, a needed column is missing or nothing usable is left.
    """
    rejected, notes = Rejected(), list[str]()
    offer_sheet, pool_sheet = read_sheet(offers, rejected), read_sheet(pools, rejected)
    loan_sheet = read_sheet(loans, rejected) if loans is not None else None
    for column, what in (("loan", "the loan"), ("pool", "the pool")):
        offer_sheet.needs(column, what)
    if not {"price", "value"} & set(offer_sheet.frame.columns):
        offer_sheet.needs("price", "the price per 100, or value in dollars,")
    places = _pools(pool_sheet, numbers, rejected, notes)
    if loan_sheet is None and "balance" not in offer_sheet.frame.columns:
        raise Refused(
            f"{offer_sheet.name} has no balance (or amount): add the column, or give the loans' file with --loans"
        )
    source = loan_sheet if loan_sheet is not None else offer_sheet
    people = _loans(source, numbers, rejected, own=loan_sheet is not None)
    rows = _offers(offer_sheet, source, pool_sheet, people, places, numbers, rejected, notes)
    used = rows["loan"].unique()
    without = people.filter(~pl.int_range(pl.len()).is_in(used.implode()))["loan"].to_list()
    if without and not may_stay:
        kept = people.with_row_index("at").filter(pl.col("at").is_in(used.implode())).with_row_index("to")
        rows = rows.with_columns(pl.col("loan").replace_strict(kept["at"], kept["to"], return_dtype=pl.Int64))
        people = kept.drop("at", "to")
    if not people.height or not rows.height:
        raise Refused(_nothing_left(offer_sheet.name, rejected.frame()))
    return Desk(people.drop("row"), places.drop("row"), rows.drop("row"), without, notes, rejected.frame())


def _nothing_left(name: str, rejects: pl.DataFrame) -> str:
    if not rejects.height:
        return f"{name} holds no offers: it needs rows below its header"
    first = rejects.filter(pl.col("file") == name).head(1) if name in rejects["file"] else rejects.head(1)
    at = first.rows(named=True)[0]
    return (
        f"no usable offer is left: {rejects.height:,} lines or values are rejected, the first is {at['file']} row "
        f"{at['row']}, {at['field']} {at['value']!r}: {at['rule']}; {at['to_do']}"
    )


def _wants(table: str, numbers: Collection[str]) -> set[str]:
    """Columns of numbers of one table."""
    return {n.removeprefix(table) for n in numbers if "." not in n or n.startswith(table)}


def _pools(sheet: Sheet, numbers: Collection[str], rejected: Rejected, notes: list[str]) -> pl.DataFrame:
    sheet.needs("pool", "the pool")
    rows = rejected.sift(sheet.frame, pl.col("pool").is_null(), file=sheet.name, field="pool", rule="names no pool",
                         to_do="give each pool a name of its own")  # fmt: skip
    rows = first_of(rows, ["pool"])
    others = [c for c in rows.columns if c not in ("row", "pool", "first", "servicer")]
    twice = rows.filter(pl.col("row") != pl.col("first"))
    if twice.height and "servicer" in rows.columns:
        same = [pl.col(c).fill_null("") == pl.col(c).fill_null("").first().over("pool") for c in others]
        alike = rows.with_columns(alike=pl.all_horizontal(*same, pl.lit(True)))
        if alike["alike"].all() and alike.select("pool", pl.col("servicer").fill_null("")).is_unique().all():
            notes.append(f"{sheet.name} lists each pool once for each servicer: the offers' servicer counts")
            kept = rows.filter(pl.col("row") == pl.col("first")).drop("first", "servicer")
            return typed(sheet, kept, {"row", "pool"}, _wants(_POOL, numbers).__contains__, rejected)
    rows = rejected.sift(rows, pl.col("row") != pl.col("first"), file=sheet.name, field="pool",
                         rule=pl.format("stands in row {} already", "first"),
                         to_do="keep one line for each pool")  # fmt: skip
    return typed(sheet, rows.drop("first"), {"row", "pool"}, _wants(_POOL, numbers).__contains__, rejected)


def _loans(sheet: Sheet, numbers: Collection[str], rejected: Rejected, *, own: bool) -> pl.DataFrame:
    """Key, balance and attributes. From the offers (`own` false): key and balance of each loan's first line."""
    sheet.needs("loan", "the loan")
    sheet.needs("balance", "the balance in dollars")
    frame = sheet.frame if own else sheet.frame.select("row", "loan", "balance")
    rows = frame if not own else rejected.sift(
        frame, pl.col("loan").is_null(), file=sheet.name, field="loan", rule="names no loan",
        to_do="give each loan its number")  # fmt: skip
    rows = rows.with_columns(cents(pl.col("balance")).alias("balance_cents"))
    largest = bound("largest_balance")
    bad = pl.col("balance_cents").is_null() | (pl.col("balance_cents") <= 0)
    bad |= pl.col("balance_cents") > largest * _CENTS
    if not own:
        rows = rows.filter(~bad.fill_null(True) & pl.col("loan").is_not_null())
        return rows.unique("loan", keep="first", maintain_order=True).drop("balance")
    rows = rejected.sift(rows, bad, file=sheet.name, field="balance",
                         rule=f"is no balance above zero, at most ${largest:,}",
                         to_do="write dollars such as 250,000.00")  # fmt: skip
    rows = rejected.sift(first_of(rows, ["loan"]), pl.col("row") != pl.col("first"), file=sheet.name, field="loan",
                         rule=pl.format("stands in row {} already", "first"),
                         to_do="keep one line for each loan")  # fmt: skip
    _no_reserved(sheet, rows, ("value_cents", "unassigned_cents"))
    rows = rows.drop("first", "balance")
    return typed(sheet, rows, {"row", "loan", "balance_cents"}, _wants(_LOAN, numbers).__contains__, rejected)


def _no_reserved(sheet: Sheet, rows: pl.DataFrame, names: tuple[str, ...]) -> None:
    taken = [n for n in names if n in rows.columns]
    if taken:
        raise Refused(f"{sheet.name}: a column can't be called {', '.join(taken)}: amounts are in dollars, rename it")


def _offers(
    sheet: Sheet, source: Sheet, pool_sheet: Sheet, people: pl.DataFrame, places: pl.DataFrame,
    numbers: Collection[str], rejected: Rejected, notes: list[str],
) -> pl.DataFrame:  # fmt: skip
    _no_reserved(sheet, sheet.frame, ("value_cents", "balance_cents", "price_high", "price_low"))
    rows = _with_values(sheet, rejected, notes)
    rows = _known(sheet, source, rows, people, "loan", rejected)
    rows = _known(sheet, pool_sheet, rows, places, "pool", rejected)
    key = ["loan", "pool", *(["servicer"] if "servicer" in rows.columns else [])]
    rows = rejected.sift(first_of(rows, key), pl.col("row") != pl.col("first"), file=sheet.name,
                         field="pool", rule=pl.format("this loan has this offer in row {} already", "first"),
                         to_do="keep one offer for each loan, pool and servicer")  # fmt: skip
    rows = rows.drop("first")
    index = {"loan": people, "pool": places}
    for column, table in index.items():
        at = table.select(column, pl.int_range(pl.len(), dtype=pl.Int64).alias("at"))
        rows = rows.join(at, on=column, how="left", maintain_order="left").drop(column).rename({"at": column})
    if source is sheet:
        rows = _one_balance(sheet, rows, people, rejected)
    rows = rows.drop([c for c in ("balance",) if c in rows.columns])
    if "price_high" in rows.columns:
        balances = as_ints(people["balance_cents"])[as_ints(rows["loan"])]
        value = at_price(balances, as_ints(rows["price_high"]), as_ints(rows["price_low"]))
        rows = rows.with_columns(pl.Series("value_cents", value, pl.Int64))
    wanted = {n for n in numbers if "." not in n}
    return typed(sheet, rows, _TABLE_KEYS, wanted.__contains__, rejected).select(
        "row", "loan", "pool", pl.all().exclude("row", "loan", "pool")
    )


def _with_values(sheet: Sheet, rejected: Rejected, notes: list[str]) -> pl.DataFrame:
    """The offers with a price in two parts, or with `value_cents` where the file gives dollars."""
    rows = sheet.frame
    if "value" in rows.columns:
        if "price" in rows.columns:
            notes.append(f"{sheet.name} has prices and values: the values in dollars count")
            rows = rows.drop("price")
        most = bound("largest_value")
        rows = rows.with_columns(cents(pl.col("value")).alias("value_cents"))
        rows = rejected.sift(rows, pl.col("value_cents").is_null() | (pl.col("value_cents").abs() > most * _CENTS),
                             file=sheet.name, field="value", rule=f"is no amount up to ${most:,}",
                             to_do="write dollars such as 254,312.50")  # fmt: skip
        return rows.drop("value")
    most = bound("largest_price")
    high, low = price_parts(pl.col("price"))
    rows = rows.with_columns(high.alias("price_high"), low.alias("price_low"))
    bad = pl.col("price_high").is_null() | (pl.col("price_high") > most * _E6)
    bad |= (pl.col("price_high") == 0) & (pl.col("price_low") == 0)
    rows = rejected.sift(rows, bad, file=sheet.name, field="price",
                         rule=f"is no price per 100 above zero, at most {most}",
                         to_do="write 101.25, or 32nds as 101-08 or 101-08+")  # fmt: skip
    return rows.drop("price")


def _known(
    sheet: Sheet, source: Sheet, rows: pl.DataFrame, table: pl.DataFrame, column: str, rejected: Rejected
) -> pl.DataFrame:
    """Rows whose loan or pool is in its table; the others are told apart: never listed, or listed and rejected."""
    unknown = ~pl.col(column).is_in(table[column].implode())
    if source is sheet:
        largest = bound("largest_balance")
        return rejected.sift(rows, unknown, file=sheet.name, field="balance", to_do="write dollars such as 250,000.00",
                             rule=f"is no balance above zero, at most ${largest:,}, and its loan has no other line"
                             )  # fmt: skip
    listed = pl.col(column).is_in(source.frame[column].drop_nulls().implode())
    rule = (
        pl.when(pl.col(column).is_null()).then(pl.lit(f"names no {column}"))
        .when(listed).then(pl.lit(f"its {column}'s own line in {source.name} is rejected"))
        .otherwise(pl.lit(f"no such {column} in {source.name}"))
    )  # fmt: skip
    return rejected.sift(rows, unknown, file=sheet.name, field=column, rule=rule,
                         to_do=f"write the {column} as it stands in {source.name}, or add it there")  # fmt: skip


def _one_balance(sheet: Sheet, rows: pl.DataFrame, people: pl.DataFrame, rejected: Rejected) -> pl.DataFrame:
    """Lines that give a loan another balance than its first good line are rejected."""
    first = people["balance_cents"].gather(rows["loan"])
    rows = rows.with_columns(first.alias("first"), cents(pl.col("balance")).alias("own"))
    rows = rejected.sift(rows, pl.col("own").is_null() | (pl.col("own") != pl.col("first")), file=sheet.name,
                         field="balance", rule="is another balance than on the loan's first line",
                         to_do="give the loan one balance")  # fmt: skip
    return rows.drop("first", "own")
