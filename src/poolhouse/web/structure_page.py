"""A deal as a page: balance, principal and losses by class; one file, nothing loaded."""

from __future__ import annotations

from typing import Any

from markupsafe import escape

from poolhouse.web import words
from poolhouse.web.figures import PALETTE, safe
from poolhouse.web.value_page import figure, page_of

Row = dict[str, Any]
Figure = dict[str, Any]
_HEAD, _PLACE = 190, 430
_COLOURS = (*PALETTE, "#7fb0e6", "#f0a060", "#6fc4a5", "#b89ad1", "#c9b067", "#a0a9b5")
"""Of classes: a deal has more of them than a report has programs."""
_TITLES = {
    "balance": "Balance by class, dollars", "principal": "Principal by class, dollars a month",
    "loss": "Principal lost by class, dollars a month", "lives": "Average life by speed, years",
}  # fmt: skip


def render(answer: Row) -> str:
    """The page of an answer of `market.structure` with its months."""
    speeds = answer["speeds"]
    asked = [
        f"{name.upper()} {words.speed(speeds[name])}" for name in ("psa", "cpr", "smm", "cdr", "sda") if name in speeds
    ]
    name = str(escape(answer["deal"]))
    return page_of(f"{name}: classes", name, ", ".join(asked) or "no prepayment, no default", _TITLES, figures(answer))


def height(answer: Row) -> int:
    """Pixels that hold the whole page on a wide screen."""
    return _HEAD + _PLACE * len(figures(answer))


def figures(answer: Row) -> dict[str, Figure]:
    """Plotly's figures by the id of their place; only those that there are numbers for."""
    sized = [c["class"] for c in answer["classes"] if c["principal_cents"] or c["loss_cents"]]
    drawn = {}
    for place, key in (("balance", "ending_balance_cents"), ("principal", "principal_cents"), ("loss", "loss_cents")):
        data = [_stacked(answer["months"], name, key, _COLOURS[i % len(_COLOURS)]) for i, name in enumerate(sized)]
        if any(any(trace["y"]) for trace in data):
            drawn[place] = figure(data, "Month")
    by_speed = answer["by_speed"]
    speed = next(iter(by_speed[0]))
    lives = [
        {"type": "scatter", "mode": "lines+markers", "name": safe(c["class"]), "x": [row[speed] for row in by_speed],
         "y": [row["classes"][i]["wal"] for row in by_speed], "line": {"color": _COLOURS[i % len(_COLOURS)]}}
        for i, c in enumerate(by_speed[0]["classes"]) if c["wal"] is not None
    ]  # fmt: skip
    return drawn | ({"lives": figure(lives, speed.upper())} if lives else {})


def _stacked(rows: list[Row], name: str, key: str, colour: str) -> Row:
    mine = [row for row in rows if row["class"] == name]
    return {
        "type": "scatter", "mode": "lines", "stackgroup": "all", "name": safe(name),
        "x": [row["month"] for row in mine], "y": [row[key] / 100 for row in mine],
        "line": {"width": 0.5, "color": colour}, "fillcolor": colour,
    }  # fmt: skip
