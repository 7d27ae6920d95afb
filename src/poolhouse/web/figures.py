"""The page's figures as plain JSON that Plotly draws: traces and layouts, no Plotly import.

Input: the market's `report_series()`. Amounts come in cents and are drawn in dollars.
"""

from __future__ import annotations

from statistics import median
from typing import Any

from poolhouse.web import words

Figure = dict[str, Any]

INK, QUIET, GRID = "#1d2733", "#5b6775", "#e4e1d9"
PALETTE = ("#1f5fa8", "#c2540a", "#1b7f5c", "#7a4b9e", "#8a6d1d", "#5b6775")
"""Colours of programs: told apart by colour-blind readers too, and at least 4.5:1 on the page's ground."""

LATE = (("days_30", "#f0c27b"), ("days_60", "#de8f3f"), ("days_90_plus", "#b8501f"), ("foreclosure", "#6d1f14"))
"""Buckets from late to worse, from light to dark."""

SOURCE, BETWEEN, SINK = "#1f5fa8", "#5b6775", "#1b7f5c"
FONT = "Inter, system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif"
MOST_FACTORS = 240
"""Pools drawn as lines of their own; with more, every n-th by name."""


def figures(series: dict[str, Any]) -> dict[str, Figure]:
    """All figures that the series has data for, by the id of their place in the page."""
    drawn = {
        "flows": flows(series.get("flows", [])),
        "balances": balances(series.get("months", []), series.get("balance_cents", {})),
        "factors": factors(series.get("factors", [])),
        "delinquency": delinquency(series.get("months", []), series.get("delinquency", {})),
        "speeds": speeds(series.get("months", []), series.get("speeds", {}), series.get("mortgage_rate", [])),
    }
    return {name: figure for name, figure in drawn.items() if figure["data"]}


def flows(rows: list[dict[str, Any]]) -> Figure:
    """Dollars from borrowers to everyone paid, as a Sankey; rows of {from, to, cents}."""
    rows = [row for row in rows if row["cents"] > 0]
    names = list(dict.fromkeys([row["from"] for row in rows] + [row["to"] for row in rows]))
    place = {name: i for i, name in enumerate(names)}
    into = {name: sum(r["cents"] for r in rows if r["to"] == name) for name in names}
    out = {name: sum(r["cents"] for r in rows if r["from"] == name) for name in names}
    colours = [SOURCE if not into[n] else SINK if not out[n] else BETWEEN for n in names]
    trace = {
        "type": "sankey",
        "arrangement": "snap",
        "valueformat": "$,.0f",
        "node": {
            "label": [f"{safe(name)}<br>{words.short_money(max(into[name], out[name]))}" for name in names],
            "color": colours,
            "pad": 34,
            "thickness": 14,
            "line": {"width": 0},
            "hovertemplate": "%{label}<extra></extra>",
        },
        "link": {
            "source": [place[r["from"]] for r in rows],
            "target": [place[r["to"]] for r in rows],
            "value": [r["cents"] / 100 for r in rows],
            "color": [_tint(colours[place[r["from"]]], colours[place[r["to"]]]) for r in rows],
            "hovertemplate": "%{source.label} to<br>%{target.label}<br>%{value}<extra></extra>",
        },
    }
    layout = _layout(height=max(440, 40 * len(names)))
    return {"data": [trace] if rows else [], "layout": layout | {"margin": {"l": 4, "r": 4, "t": 12, "b": 12}}}


def balances(months: list[str], by_program: dict[str, list[int]]) -> Figure:
    """Balances by program, one upon the other, in billions or millions of dollars."""
    top = max((sum(column) for column in zip(*by_program.values(), strict=True)), default=0)
    unit, suffix = (1e11, " bn") if top >= 1e11 else (1e8, " m") if top >= 1e8 else (1e2, "")
    data = [
        {
            "type": "scatter", "mode": "lines", "stackgroup": "all", "name": safe(name), "x": months,
            "y": [round(c / unit, 6) for c in cents], "line": {"width": 0.5, "color": colour}, "fillcolor": colour,
            "hovertemplate": f"$%{{y:,.3f}}{suffix}",
        }
        for (name, cents), colour in zip(by_program.items(), _colours(len(by_program)), strict=True)
    ]  # fmt: skip
    axis = {"tickprefix": "$", "ticksuffix": suffix, "tickformat": ",", "nticks": 6}
    return {"data": data, "layout": _layout(yaxis=axis | _axis())}


def factors(rows: list[dict[str, Any]]) -> Figure:
    """What is left of each pool: a thin line a pool, the median of each month in bold."""
    step = -(-len(rows) // MOST_FACTORS) or 1
    data = [
        {
            "type": "scatter", "mode": "lines", "name": safe(row["name"]), "x": row["months"], "y": row["factor"],
            "line": {"width": 1, "color": "rgba(31,95,168,0.22)"}, "showlegend": False,
            "hovertemplate": "%{x|%b %Y}: %{y:.8f}",
        }
        for row in rows[::step]
    ]  # fmt: skip
    by_month: dict[str, list[float]] = {}
    for row in rows:
        for month, factor in zip(row["months"], row["factor"], strict=True):
            by_month.setdefault(month, []).append(factor)
    if by_month:
        middle = sorted((month, median(values)) for month, values in by_month.items())
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": "Median of all pools",
                "x": [m for m, _ in middle],
                "y": [v for _, v in middle],
                "line": {"width": 3, "color": PALETTE[1]},
                "showlegend": True,
                "hovertemplate": "%{y:.4f}",
            }
        )
    return {"data": data, "layout": _layout(yaxis={"tickformat": ".2f"} | _axis(), hovermode="closest")}


def delinquency(months: list[str], buckets: dict[str, list[float]]) -> Figure:
    """Loans late at each month's end, in percent of active loans; those that pay are left out."""
    labels = dict(words.DELINQUENCY)
    data = [
        {
            "type": "scatter", "mode": "lines", "stackgroup": "late", "name": labels[key], "x": months,
            "y": buckets[key], "line": {"width": 0.5, "color": colour}, "fillcolor": colour,
            "hovertemplate": "%{y:.2f}%",
        }
        for key, colour in LATE
        if key in buckets
    ]  # fmt: skip
    return {"data": data, "layout": _layout(yaxis={"ticksuffix": "%"} | _axis())}


def speeds(months: list[str], by_program: dict[str, list[float]], mortgage_rate: list[float]) -> Figure:
    """Prepayment speed by program above, the mortgage rate that drives it below: two panels, one time."""
    data = [
        {
            "type": "scatter", "mode": "lines", "name": safe(name), "x": months, "y": cpr,
            "line": {"width": 2, "color": colour}, "hovertemplate": "%{y:.1f}% CPR",
        }
        for (name, cpr), colour in zip(by_program.items(), _colours(len(by_program)), strict=True)
    ]  # fmt: skip
    layout = _layout(yaxis={"ticksuffix": "%", "title": _title("CPR")} | _axis())
    if mortgage_rate and data:
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": "Mortgage rate",
                "x": months,
                "y": mortgage_rate,
                "yaxis": "y2",
                "line": {"width": 2, "color": INK, "dash": "dot"},
                "hovertemplate": "%{y:.2f}%",
            }
        )
        layout["yaxis"] |= {"domain": [0.38, 1]}
        layout["yaxis2"] = _axis() | {
            "domain": [0, 0.26],
            "ticksuffix": "%",
            "title": _title("Rate"),
            "nticks": 4,
            "rangemode": "normal",
        }
        layout["xaxis"] |= {"anchor": "y2"}
    return {"data": data, "layout": layout}


def safe(text: object) -> str:
    """Plotly reads a few tags in labels: none may come from a user's text."""
    return str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _layout(**more: Any) -> dict[str, Any]:
    layout = {
        "font": {"family": FONT, "size": 13, "color": INK},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 64, "r": 12, "t": 44, "b": 36},
        "height": 340,
        "hovermode": "x unified",
        "hoverlabel": {"bgcolor": "#fff", "bordercolor": GRID, "font": {"family": FONT, "size": 12, "color": INK}},
        "legend": {
            "orientation": "h",
            "x": 0,
            "y": 1.02,
            "yanchor": "bottom",
            "traceorder": "normal",
            "font": {"size": 12},
        },
        "xaxis": {
            "type": "date",
            "tickformat": "%b<br>%Y",
            "nticks": 7,
            "showgrid": False,
            "linecolor": GRID,
            "fixedrange": True,
        },
        "yaxis": _axis(),
    }
    return layout | more


def _axis() -> dict[str, Any]:
    return {
        "gridcolor": GRID, "zeroline": False, "rangemode": "tozero", "automargin": True, "fixedrange": True,
        "tickfont": {"color": QUIET},
    }  # fmt: skip


def _title(text: str) -> dict[str, Any]:
    return {"text": text, "font": {"size": 12, "color": QUIET}}


def _colours(count: int) -> list[str]:
    return [PALETTE[i % len(PALETTE)] for i in range(count)]


def _tint(source: str, target: str) -> str:
    """A link takes the colour of its outer end, thinned."""
    colour = source if target == BETWEEN else target
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.26)"
