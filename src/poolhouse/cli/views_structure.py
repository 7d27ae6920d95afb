"""How a deal looks: its classes, who loses what, average lives and yields across speeds."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType

from poolhouse.cli.grids import MOST_ROWS, heading, plain, table
from poolhouse.cli.views_structure_oas import oas
from poolhouse.cli.views_value import asked_for, models
from poolhouse.web import words

Row = dict[str, Any]
_CENTS = 100


def structure(answer: Row) -> RenderableType:
    """One deal at one speed."""
    speeds, pool = answer["speeds"], answer["collateral"]
    said = asked_for(speeds)
    life = "" if pool["wal"] is None else f", average life {pool['wal']:.2f} years"
    parts: list[RenderableType] = [
        plain(answer["deal"], "bold"),
        plain(f"{said}; collateral ${_dollars(pool['balance_cents'])}{life}, {pool['last_month']} months", "dim"),
        _classes(answer["classes"]),
    ]
    if "borrowers" in answer:
        parts += models(answer["borrowers"])
    if "so_far" in answer:
        parts[1:1] = _so_far(answer["pool"], answer["so_far"])
    if not any("price" in row for row in answer["classes"]):
        parts.append(plain("\n  Yields and durations: give a price of a class, such as --price A=101-16.", "dim"))
    if answer["called"]:
        parts.append(plain(f"\n  The clean-up call ends the deal in month {answer['called']}."))
    if pool["loss_cents"] or any(row["loss_cents"] for row in answer["classes"]):
        parts += _losses(answer)
    if len(answer["by_speed"]) > 1:
        parts += _by_speed(answer["by_speed"])
    if "oas" in answer:
        parts += oas(answer["oas"])
    if "months" in answer:
        parts += _months(answer["months"])
    if "plot" in answer:
        parts.append(plain(f"\n  Figures: {answer['plot']}"))
    return Group(*parts)


def _so_far(pool: Row, rows: list[Row]) -> list[RenderableType]:
    columns = ("original", "interest", "principal", "loss", "balance")
    named = any("cusip" in row for row in rows)
    cells = [
        [row["class"], *([row.get("cusip", "")] if named else []), *(words.money(row[f"{c}_cents"]) for c in columns)]
        for row in rows
    ]
    heads = ["Class", *(["CUSIP"] if named else []), "Original", "Interest paid", "Principal paid", "Lost", "Balance"]
    of = ", ".join(part for part in (f"pool {pool['pool_number']}", pool["cusip"]) if part)
    return [
        heading("So far", f"{of}, as the book stands on {pool['as_of']}"),
        table(heads, cells, right=range(2 if named else 1, len(heads))),
        heading("To come", "sizes are balances of today"),
    ]


def _classes(rows: list[Row]) -> RenderableType:
    priced = any("price" in row for row in rows)
    heads = ["Class", "Size", "Rate", "WAL", "First", "Last", "Interest", "Principal"]
    heads += ["Price", "Yield", "Duration"] if priced else []
    cells = [
        [row["class"], _dollars(row["size_cents"]), _rate(row), _number(row["wal"], 2),
         _number(row["first_month"], 0), _number(row["last_month"], 0), _dollars(row["interest_cents"]),
         _dollars(row["principal_cents"])]
        + ([_number(row.get("price"), 4), _number(row.get("bond_equivalent_yield"), 3),
            _number(row.get("modified_duration"), 2)] if priced else [])
        for row in rows
    ]  # fmt: skip
    spare = [heads.index(name) for name in ("Principal", "Interest", "Duration", "Rate") if name in heads]
    return table(heads, cells, right=range(1, len(heads)), spare=spare)


def _losses(answer: Row) -> list[RenderableType]:
    rows = [row for row in answer["classes"] if row["loss_cents"] or row["unpaid_interest_cents"] >= _CENTS]
    cells = [
        [row["class"], _dollars(row["size_cents"]), _dollars(row["loss_cents"]),
         f"{100 * row['loss_cents'] / row['size_cents']:.2f}%" if row["size_cents"] else "",
         _dollars(row["unpaid_interest_cents"])]
        for row in rows
    ]  # fmt: skip
    lost = answer["collateral"]["loss_cents"]
    borne = sum(row["loss_cents"] for row in rows)
    note = f"the collateral loses ${_dollars(lost)}"
    if borne < lost:
        note += f"; ${_dollars(lost - borne)} is made good by excess interest, collateral in excess or the reserve"
    shown: list[RenderableType] = [heading("Who loses what", note)]
    if cells:
        shown.append(
            table(["Class", "Size", "Principal lost", "Of its size", "Interest unpaid"], cells, right=range(1, 5))
        )
    return shown


def _by_speed(rows: list[Row]) -> list[RenderableType]:
    speed = next(iter(rows[0]))
    names = [c["class"] for c in rows[0]["classes"]]
    shown: list[RenderableType] = []
    wanted = (("wal", "Average life by speed", 2), ("bond_equivalent_yield", "Yield by speed, at the price", 3),
              ("loss_cents", "Principal lost by speed, dollars", None))  # fmt: skip
    for key, title, places in wanted:
        kept = [i for i, _ in enumerate(names) if any(row["classes"][i].get(key) for row in rows)]
        if not kept:
            continue
        cells = [
            [f"{row[speed]:g}"]
            + [_dollars(c[key]) if places is None else _number(c.get(key), places) for c in
               (row["classes"][i] for i in kept)]
            for row in rows
        ]  # fmt: skip
        heads = [speed.upper(), *(names[i] for i in kept)]
        last_first = range(len(heads) - 1, 1, -1)
        shown += [heading(title), table(heads, cells, right=range(len(heads)), spare=last_first)]
    return shown


def _months(rows: list[Row]) -> list[RenderableType]:
    keys = ("month", "class", "balance_cents", "interest_cents", "principal_cents", "loss_cents")
    cells = [
        [row[key] if key in ("month", "class") else f"{row[key] / _CENTS:,.2f}" for key in keys]
        for row in rows[:MOST_ROWS]
    ]
    note = f"the first {MOST_ROWS} rows of {len(rows):,}: --json has all" if len(rows) > MOST_ROWS else ""
    heads = ["Month", "Class", "Balance", "Interest", "Principal", "Lost"]
    return [heading("Months, dollars", note), table(heads, cells, right=(0, 2, 3, 4, 5), spare=(5, 3))]


def _rate(row: Row) -> str:
    """A class with a size and no rate of its own has the collateral's."""
    return "net WAC" if row["rate"] is None and row["size_cents"] else _number(row["rate"], 3)


def _dollars(cents: int) -> str:
    return f"{cents / _CENTS:,.0f}"


def _number(found: float | None, places: int) -> str:
    return "" if found is None else f"{found:.{places}f}"
