"""A deal as a page: what its classes got so far, balance, principal and losses to come, yields by speed; one file."""

from __future__ import annotations

from itertools import cycle
from typing import Any

from markupsafe import escape

from poolhouse.web import words
from poolhouse.web.figures import PALETTE, QUIET, safe
from poolhouse.web.value_page import asked, even, figure, page_of

Row = dict[str, Any]
Figure = dict[str, Any]
_HEAD, _PLACE, _ROW = 190, 430, 36
_COLOURS = (*PALETTE, "#7fb0e6", "#f0a060", "#6fc4a5", "#b89ad1", "#c9b067", "#a0a9b5")
"""Of classes: a deal has more of them than a report has programs."""
_TITLES = {
    "balance_so_far": "Balance by class so far, dollars", "loss_so_far": "Principal lost so far, dollars a month",
    "balance": "Balance by class, dollars", "principal": "Principal by class, dollars a month",
    "loss": "Principal lost by class, dollars a month", "lives": "Average life by speed, years",
    "yields": "Yield by speed at the price of each class, percent",
    "paths": "What classes are worth on each path of rates, at their spread, per 100",
    "path_lives": "Average life over the paths of rates, years: mean, and the middle 90%",
}  # fmt: skip
_KEYS = {"balance": "ending_balance_cents", "principal": "principal_cents", "loss": "loss_cents"}
_SPIKE = 2
"""A month of this many times the principal of any other would flatten all the rest: it is cut off, and said."""


def render(answer: Row) -> str:
    """The page of an answer of `market.structure` with its months."""
    name = str(escape(answer["deal"]))
    first = _so_far(answer["pool"], answer["so_far"]) if "so_far" in answer else ""
    first += _classes(answer["classes"], "To come" if first else "Classes")
    return page_of(f"{name}: classes", name, asked(answer["speeds"]), _TITLES, figures(answer), first=first)


def height(answer: Row) -> int:
    """Pixels that hold the whole page on a wide screen."""
    tables = [rows for rows in (answer.get("so_far"), answer["classes"]) if rows]
    table = sum(_ROW * (len(rows) + 6) for rows in tables)
    return _HEAD + table + _PLACE * len(figures(answer))


def figures(answer: Row) -> dict[str, Figure]:
    """Plotly's figures by the id of their place; only those that there are numbers for."""
    colours = {c["class"]: colour for c, colour in zip(answer["classes"], cycle(_COLOURS), strict=False)}
    drawn = {}
    for place in ("balance", "loss") if "history" in answer else ():
        if data := _stacks(answer["history"], _KEYS[place], colours):
            drawn[f"{place}_so_far"] = figure(data, "Month")
    under = f"Month after {answer['pool']['as_of']}" if "so_far" in answer else "Month"
    for place, key in _KEYS.items():
        if data := _stacks(answer["months"], key, colours):
            drawn[place] = figure(data, under)
    if "principal" in drawn:
        _cut(drawn["principal"], answer["called"])
    speeds = answer["by_speed"]  # none where a model says who prepays
    for place, key in (("lives", "wal"), ("yields", "bond_equivalent_yield")) if speeds else ():
        if data := _by_speed(speeds, key, colours):
            drawn[place] = even(figure(data, next(iter(speeds[0])).upper(), from_zero=key == "wal"))
            drawn[place]["layout"]["showlegend"] = True  # a lone class has its name too
    return drawn | (_of_paths(answer["oas"], colours) if "oas" in answer else {})


def _of_paths(found: Row, colours: dict[str, str]) -> dict[str, Figure]:
    """What each path's payments are worth, and how far average lives go: a box a class."""
    drawn = {}
    valued = [row for row in found["classes"] if row["by_path"]]
    if valued:
        boxes = [
            {"type": "box", "name": safe(row["class"]), "y": row["by_path"], "boxpoints": False, "showlegend": False,
             "marker": {"color": colours[row["class"]]}}
            for row in valued
        ]  # fmt: skip
        drawn["paths"] = figure(boxes, "Class", from_zero=False)
    lived = [row for row in found["classes"] if row["wal"] is not None]
    if lived:
        bars = {
            "type": "scatter", "mode": "markers", "showlegend": False, "x": [safe(row["class"]) for row in lived],
            "y": [row["wal"] for row in lived], "marker": {"size": 9, "color": PALETTE[0]},
            "error_y": {"type": "data", "symmetric": False, "array": [row["wal_95"] - row["wal"] for row in lived],
                        "arrayminus": [row["wal"] - row["wal_5"] for row in lived]},
        }  # fmt: skip
        drawn["path_lives"] = figure([bars], "Class")
    return drawn


def _stacks(rows: list[Row], key: str, colours: dict[str, str]) -> list[Row]:
    """One area for each class that pays or loses principal; none where all are zero."""
    sized = {row["class"] for row in rows if row["principal_cents"] or row["loss_cents"]}
    data = [_stacked(rows, name, key, colour) for name, colour in colours.items() if name in sized]
    return data if any(any(trace["y"]) for trace in data) else []


def _stacked(rows: list[Row], name: str, key: str, colour: str) -> Row:
    mine = [row for row in rows if row["class"] == name]
    return {
        "type": "scatter", "mode": "lines", "stackgroup": "all", "name": safe(name),
        "x": [row["month"] for row in mine], "y": [row[key] / 100 for row in mine],
        "line": {"width": 0.5, "color": colour}, "fillcolor": colour,
    }  # fmt: skip


def _cut(drawn: Figure, called: int | None) -> None:
    """Ends the axis above all months but the one that stands out, such as the clean-up call's, and says that one."""
    totals: dict[int, float] = {}
    for trace in drawn["data"]:
        for month, dollars in zip(trace["x"], trace["y"], strict=True):
            totals[month] = totals.get(month, 0.0) + dollars
    month = max(totals, key=totals.__getitem__)
    others = max((dollars for other, dollars in totals.items() if other != month), default=0.0)
    if not others or totals[month] < _SPIKE * others:
        return
    what = "the clean-up call in month" if month == called else "month"
    late = month > max(totals) / 2
    layout = drawn["layout"]
    layout["yaxis"] |= {"range": [0, 1.1 * others]}
    layout["annotations"] = [{
        "text": f"beyond the figure: {what} {month} pays ${totals[month]:,.0f}", "showarrow": False,
        "x": month, "xanchor": "right" if late else "left", "xshift": -8 if late else 8,
        "yref": "paper", "y": 1, "yanchor": "top", "font": {"size": 12, "color": QUIET},
    }]  # fmt: skip


def _by_speed(rows: list[Row], key: str, colours: dict[str, str]) -> list[Row]:
    """A line for each class that has the number at some speed."""
    speed = next(iter(rows[0]))
    data = []
    for i, name in enumerate(colours):
        at = [row["classes"][i] for row in rows]
        if any(c.get(key) is not None for c in at):
            price = f" at {at[0]['price']:.6g}" if key == "bond_equivalent_yield" else ""
            data.append({
                "type": "scatter", "mode": "lines+markers", "name": f"{safe(name)}{price}",
                "x": [row[speed] for row in rows], "y": [c.get(key) for c in at], "line": {"color": colours[name]},
            })  # fmt: skip
    return data


def _classes(rows: list[Row], title: str) -> str:
    """The table of the classes: size, rate, life, window, losses, and yields where priced."""
    priced = any(row.get("price") is not None for row in rows)
    heads = ["Size", "Rate", "Average life", "Principal, months", "Interest", "Principal", "Lost"]
    heads += ["Price", "Yield"] if priced else []
    cells = [
        [
            words.money(row["size_cents"]), _rate(row), "-" if row["wal"] is None else f"{row['wal']:.2f}",
            "-" if row["first_month"] is None else f"{row['first_month']} to {row['last_month']}",
            words.money(row["interest_cents"]), words.money(row["principal_cents"]), words.money(row["loss_cents"]),
        ] + ([_number(row.get("price")), _number(row.get("bond_equivalent_yield"))] if priced else [])
        for row in rows
    ]  # fmt: skip
    return _table(title, "", ["Class"], heads, [[row["class"]] for row in rows], cells)


def _rate(row: Row) -> str:
    """Percent; what has a size and no rate of its own pays the collateral's, the residual what is left."""
    if row["rate"] is None:
        return "net WAC" if row["size_cents"] else "-"
    return f"{row['rate']:.4g}%"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _so_far(pool: Row, rows: list[Row]) -> str:
    """The table of what classes got and lost up to the day the book stands on."""
    heads = ("Original", "Interest paid", "Principal paid", "Lost", "Balance")
    keys = ("original_cents", "interest_cents", "principal_cents", "loss_cents", "balance_cents")
    cusips = any("cusip" in row for row in rows)
    of = ", ".join(part for part in (f"Pool {pool['pool_number']}", pool["cusip"]) if part)
    names = [[row["class"], *([row.get("cusip", "")] if cusips else [])] for row in rows]
    cells = [[words.money(row[key]) for key in keys] for row in rows]
    under = f"{of}, as the book stands on {pool['as_of']}."
    return _table("So far", under, ["Class", "CUSIP"] if cusips else ["Class"], list(heads), names, cells)


def _table(
    title: str, under: str, named: list[str], heads: list[str], names: list[list[str]], cells: list[list[str]]
) -> str:
    """A section with a table: words at the left, numbers at the right."""
    head = "".join(f"<th>{name}</th>" for name in named) + "".join(f'<th class="n">{name}</th>' for name in heads)
    body = "".join(
        f"<tr><th>{escape(words_of[0])}</th>" + "".join(f"<td>{escape(word)}</td>" for word in words_of[1:])
        + "".join(f'<td class="n">{escape(cell)}</td>' for cell in row) + "</tr>"
        for words_of, row in zip(names, cells, strict=True)
    )  # fmt: skip
    quiet = f'<p class="quiet">{escape(under)}</p>' if under else ""
    return (
        f'<section><h2>{escape(title)}</h2>{quiet}<div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div></section>"
    )
