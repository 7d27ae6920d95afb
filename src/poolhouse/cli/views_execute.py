"""How an execution looks: what was chosen, what it brings and how far that is from the best, what the limits cost."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType

from poolhouse.cli.grids import figures, heading, indented, plain, table
from poolhouse.web import words

Row = dict[str, Any]

_FIRST = 10
"""Pools, worths and rejected lines that are shown; --json has all."""
_SIDES = {"min": "at least", "max": "at most", "min_if_used": "if used at least", "within": "apart at most"}


def offers(answer: Row) -> RenderableType:
    """The assignment of anyone's offers, summed up."""
    parts: list[RenderableType] = [plain("Best execution", "bold"), figures(_head(answer))]
    for name, rows in answer["chosen"].items():
        parts += _groups(words.label(name), rows, len(rows))
    parts += _groups("Pool", answer["used"], _FIRST)
    parts += _limits(answer)
    if answer["worth"]:
        parts.append(heading("What limits cost", _more(answer["worth"], _FIRST)))
        parts += [indented(plain(line)) for line in answer["worth"][:_FIRST]]
    if answer["rejected"]:
        parts += _rejected(answer["rejected"])
    if answer["notes"]:
        parts += [heading("Notes"), *(indented(plain(note, "dim")) for note in answer["notes"])]
    for key, text in (("out", "The assignment"), ("rejects", "Rejected lines")):
        if key in answer:
            parts.append(plain(f"\n  {text}: {answer[key]}"))
    return Group(*parts)


def _head(answer: Row) -> list[tuple[str, str, str]]:
    gain, steps = answer["gain_over_greedy"], answer["seconds_by_step"]
    stays = f"{words.count(answer['unassigned'])} stay where they are" if answer["unassigned"] else ""
    given_up = answer["best_without_limits_cents"] - answer["proceeds_cents"]
    lines = [
        ("Loans", words.count(answer["loans"]), stays),
        ("Offers", words.count(answer["offers"]), f"to {words.count(answer['pools'])} pools"),
        ("Pools used", words.count(answer["pools_used"]), ""),
        ("Balance", words.money(answer["balance_cents"]), ""),
        ("Proceeds", words.money(answer["proceeds_cents"]), f"the limits cost {words.money(given_up)} at most"),
        ("No assignment brings more than", words.money(answer["bound_cents"]), f"a gap of {answer['gap']:.5%}"),
    ]
    if gain is not None:
        bp = "" if gain["bp"] is None else f"{gain['bp']:.2f} bp more"
        lines.append(("Loan by loan, then mended", words.money(answer["greedy_proceeds_cents"]), ""))
        lines.append(("Gain over that", words.money(gain["cents"]), bp))
    lines.append(("Seconds", f"{answer['seconds']:.1f}", f"{steps['read']:.1f} of them to read"))
    return lines


def _groups(name: str, rows: list[Row], most: int) -> list[RenderableType]:
    shown = [
        (
            row["group"] or "(none)",
            words.count(row["loans"]),
            words.money(row["balance_cents"]),
            f"{row['share']:.1%}",
            words.money(row["proceeds_cents"]),
            f"{row['price_e6'] / 1_000_000:.4f}",
        )
        for row in rows[:most]
    ]
    names = (name, "Loans", "Balance", "Share", "Proceeds", "Price")
    return [heading(f"By {name.lower()}", _more(rows, most)), table(names, shown, right=range(1, 6))]


def _limits(answer: Row) -> list[RenderableType]:
    """Each limit's tightest group; the others are counted."""
    first: dict[tuple[str, str], list[Row]] = {}
    for row in answer["limits"]:
        first.setdefault((row["limit"], row["side"]), []).append(row)
    if not first:
        return []
    shown = []
    for (name, side), rows in first.items():
        row, binding = rows[0], sum(r["binds"] for r in rows)
        groups = f"{row['group']}, of {len(rows)} groups" if len(rows) > 1 else row["group"]
        binds = ("yes" if len(rows) == 1 else f"{binding} of {len(rows)}") if binding else ""
        shown.append((name, groups, _figure(row, "value"), _SIDES[side], _figure(row, "allowed"), binds))
    names = ("Limit", "Tightest group", "Value", "", "Allowed", "Binds")
    return [heading("Limits"), table(names, shown, right=(2, 4))]


def _figure(row: Row, key: str) -> str:
    value = row[key]
    if row["unit"] == "dollars":
        return words.money(round(value * 100))
    return {"share": f"{value:.3%}", "loans": f"{value:,.0f}"}.get(row["unit"], f"{value:,.4g}")


def _rejected(rows: list[Row]) -> list[RenderableType]:
    shown = [
        (r["file"], words.count(r["row"]), r["field"], r["value"][:40], f"{r['rule']}: {r['to_do']}", r["left_out"])
        for r in rows[:_FIRST]
    ]
    names = ("File", "Row", "Field", "Value", "Why, and what to do", "Left out")
    return [heading("Rejected", _more(rows, _FIRST)), table(names, shown, right=(1,))]


def _more(rows: list[Any], most: int) -> str:
    return f"the first {most} of {len(rows):,}; --json has all" if len(rows) > most else ""
