"""A valuation as a page: principal by source, balance, and price and yield by speed; one file, nothing loaded."""

from __future__ import annotations

import math
from typing import Any

from markupsafe import escape

from poolhouse.web import page, words
from poolhouse.web.figures import FONT, GRID, INK, PALETTE, QUIET

Row = dict[str, Any]
Figure = dict[str, Any]
_HEAD, _PLACE = 190, 430
_SOURCES = (
    ("scheduled_principal", "Scheduled"),
    ("prepayment", "Prepaid"),
    ("recovery", "Recovered"),
    ("loss", "Lost"),
)


def render(answer: Row) -> str:
    """The page of an answer of `market.value` with its rows."""
    drawn = figures(answer)
    pool = answer["pool"]
    named = "A pool"
    if "cusip" in pool:
        named = f"Security {escape(pool['cusip'])}" if pool["cusip"] else f"Pool {escape(pool['pool_number'])}"
    if "class_name" in pool:
        named = f"Class {escape(pool['class_name'])}, {escape(pool['cusip'])},"
    return page_of(f"{named}: value", f"{named} of ${pool['balance']:,.0f}", _terms(answer), titles(answer), drawn)


def page_of(
    title: str, head: str, under: str, titles: dict[str, str], drawn: dict[str, Figure], *, first: str = ""
) -> str:
    """A page of figures under their titles; `title`, `head` and `first`, what stands before them, must be safe HTML."""
    library, drawing = page.script(page.plotly()), page.script(page.asset("draw.js"))
    places = "".join(
        f"<section><h2>{title}</h2>"
        f'<div class="figure" data-figure="{name}" role="img" aria-label="{title}"></div></section>'
        for name, title in titles.items()
        if name in drawn
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{page.policy(library, drawing)}">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>'
        f'<link rel="icon" href="data:,"><style>{page.asset("report.css")}</style></head><body>'
        f"<header><h1>{head}</h1>"
        f'<p class="eyebrow">{escape(under)}</p></header><main>{first}{places}</main>'
        f'<script type="application/json" id="figures">{page.as_json(drawn)}</script>'
        f"<script>{library}</script><script>{drawing}</script></body></html>"
    )


_TITLES = {
    "principal": "Principal by source, dollars a month", "balance": "Balance, dollars",
    "yields": "Yield by speed, percent", "prices": "Price by speed, per 100", "lives": "Average life by speed, years",
    "paths": "Paths by what the pool is worth on them, at the OAS",
    "s_curve": "Prepayment by incentive, percent a year, where rates stay",
}  # fmt: skip


def height(answer: Row) -> int:
    """Pixels that hold the whole page on a wide screen."""
    return _HEAD + _PLACE * len(figures(answer))


def titles(answer: Row) -> dict[str, str]:
    """Titles by the id of a figure's place; those by speed say at which price or yield."""
    named = _TITLES | ({"principal": "Principal, dollars a month"} if "class_name" in answer["pool"] else {})
    if answer["price"] is None:
        return named
    at = f"at a price of {answer['price']:.6g}", f"at a yield of {answer['bond_equivalent_yield']:.4f}%"
    return named | {"yields": f"Yield by speed {at[0]}, percent", "prices": f"Price by speed {at[1]}, per 100"}


def asked(speeds: Row) -> str:
    """Speeds as asked for: 'CPR 15, CDR 2, severity 40%, 12 months to liquidation, advanced'."""
    said = [
        f"{name.upper()} {words.speed(speeds[name])}" for name in ("psa", "cpr", "smm", "cdr", "sda") if name in speeds
    ]
    said += [f"{name} by {speeds[name]}" for name in ("prepayment", "defaults") if name in speeds]
    if any(name in speeds for name in ("cdr", "sda", "defaults")):
        paid = "advanced" if speeds["advance"] else "not advanced"
        said += [f"severity {words.speed(speeds['severity'])}%"] if "severity" in speeds else []
        said.append(f"{speeds['lag']} months to liquidation, {paid}")
    return ", ".join(said) or "no prepayment, no default"


def _terms(answer: Row) -> str:
    pool = answer["pool"]
    said = [
        f"WAC {pool['wac']:.6g}%, coupon {pool['coupon']:.6g}%, {pool['wam']} months, age {pool['age']}",
        asked(answer["speeds"]),
        f"{answer['delay_days']:g} days of delay, settled {answer['settle_days']} days after the 1st",
    ]
    if answer["price"] is not None:
        said.append(f"price {answer['price']:.6g}, yield {answer['bond_equivalent_yield']:.4f}%")
    return "; ".join(said)


def figures(answer: Row) -> dict[str, Figure]:
    """Plotly's figures by the id of their place; only those that there are numbers for."""
    rows = answer["cashflows"]
    months = [row["month"] for row in rows]
    drawn = {
        "principal": figure([
            {"type": "scatter", "mode": "lines", "stackgroup": "all", "name": name, "x": months,
             "y": [row[key] for row in rows], "line": {"width": 0.5, "color": colour}, "fillcolor": colour}
            for (key, name), colour in zip(_sources(rows), PALETTE, strict=False) if any(row[key] for row in rows)
        ], "Month"),
        "balance": figure([line(months, [row["ending_balance"] for row in rows], PALETTE[0])], "Month"),
    }  # fmt: skip
    by_speed = answer["by_speed"]
    if by_speed:
        name = next(iter(by_speed[0]))
        for place, key in (("yields", "bond_equivalent_yield"), ("prices", "price_at_yield"), ("lives", "wal")):
            if key in by_speed[0]:
                drawn_line = line(
                    [row[name] for row in by_speed], [row[key] for row in by_speed], PALETTE[2], "lines+markers"
                )
                drawn[place] = even(figure([drawn_line], name.upper(), from_zero=key == "wal"))
    return drawn | (_of_paths(answer["oas"]) if "oas" in answer else {})


def _sources(rows: list[Row]) -> tuple[tuple[str, str], ...]:
    """What principal comes from; a class's is of no source."""
    return _SOURCES if "scheduled_principal" in rows[0] else (("principal", "Principal"), ("loss", "Lost"))


def _of_paths(found: Row) -> dict[str, Figure]:
    """What each path's payments are worth at the OAS, and the speeds that made them."""
    curve = found["s_curve"]
    worth = {
        "type": "histogram",
        "x": found["by_path"],
        "nbinsx": 40,
        "marker": {"color": PALETTE[0]},
        "showlegend": False,
    }
    return {
        "paths": figure([worth], "Settled value per 100 of balance"),
        "s_curve": figure([line(curve["incentive"], curve["cpr"], PALETTE[2])], "WAC less the mortgage rate, points"),
    }


def line(x: list[float], y: list[float], colour: str, mode: str = "lines") -> Row:
    return {"type": "scatter", "mode": mode, "x": x, "y": y, "line": {"color": colour}, "showlegend": False}


def figure(data: list[Row], under: str, *, from_zero: bool = True, suffix: str = "") -> Figure:
    """Traces on the page's axes; `under` names the lower one, `suffix` follows the numbers of the other."""
    axis = {"gridcolor": GRID, "zeroline": False, "automargin": True, "fixedrange": True, "tickfont": {"color": QUIET}}
    return {
        "data": data,
        "layout": {
            "height": 300, "font": {"family": FONT, "size": 13, "color": INK}, "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)", "margin": {"l": 64, "r": 12, "t": 34, "b": 44}, "hovermode": "x unified",
            "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
            "xaxis": axis | {"showgrid": False, "title": {"text": under, "font": {"size": 12, "color": QUIET}}},
            "yaxis": axis | {"ticksuffix": suffix} | ({"rangemode": "tozero"} if from_zero else {}),
        },
    }  # fmt: skip


def even(drawn: Figure, most: int = 6) -> Figure:
    """The same figure with steps of 1, 2 or 5 on its upright axis, and all its labels with as many decimals."""
    axis = drawn["layout"]["yaxis"]
    heights = [y for trace in drawn["data"] for y in trace["y"] if y is not None]
    heights += [0.0] if "rangemode" in axis else []
    span = max(heights) - min(heights) or abs(heights[0]) or 1.0
    power = math.floor(math.log10(span / most))
    step = next(size for size in (1, 2, 5, 10) if size * 10.0**power * most >= span)
    decimals = max(0, -power - (step == 10))
    axis |= {"dtick": step * 10.0**power, "tickformat": f",.{decimals}f"}
    return drawn
