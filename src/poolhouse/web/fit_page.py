"""A fitted prepayment model as a page: S-curve, actual against model by month, and what is left; one file."""

from __future__ import annotations

from typing import Any

from markupsafe import escape

from poolhouse.web import page
from poolhouse.web.figures import FONT, GRID, INK, PALETTE, QUIET

Row = dict[str, Any]
Figure = dict[str, Any]
_HEAD, _PLACE = 190, 430
_TITLES = {
    "curve": "Prepayment by incentive, % CPR", "unseen": "The same where the fit has not looked, % CPR",
    "months": "Prepayment by month, % CPR", "shape": "The model's S-curve: a seasoned usual loan, % CPR",
}  # fmt: skip
_LEAST_LOANS = 30
"""Loan-months of a class that is drawn: a CPR of fewer is noise."""


def render(answer: Row) -> str:
    """The page of an answer of `market.fit_prepayment`."""
    drawn = figures(answer)
    library, drawing = page.script(page.plotly()), page.script(page.asset("draw.js"))
    places = "".join(
        f"<section><h2>{title}</h2>"
        f'<div class="figure" data-figure="{name}" role="img" aria-label="{title}"></div></section>'
        for name, title in _TITLES.items()
        if name in drawn
    )
    first, last = answer["months"]
    tried = answer["out_of_sample"]
    said = f"{answer['prepayments']:,} of {answer['loan_months']:,} loan-months prepaid; " + (
        f"out of sample {tried['actual']:,} against {tried['predicted']:,.0f} predicted"
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{page.policy(library, drawing)}">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>Prepayment, fitted</title>'
        f'<link rel="icon" href="data:,"><style>{page.asset("report.css")}</style></head><body>'
        f"<header><h1>Prepayment, {escape(first)} to {escape(last)}</h1>"
        f'<p class="eyebrow">{escape(said)}</p></header><main>{places}</main>'
        f'<script type="application/json" id="figures">{page.as_json(drawn)}</script>'
        f"<script>{library}</script><script>{drawing}</script></body></html>"
    )


def height(answer: Row) -> int:
    """Pixels that hold the whole page on a wide screen."""
    return _HEAD + _PLACE * len(figures(answer))


def figures(answer: Row) -> dict[str, Figure]:
    """Plotly's figures by the id of their place; only those that there are numbers for."""
    curve = [row for row in answer["by_incentive"] if row["loan_months"] >= _LEAST_LOANS]
    drawn = {}
    for name, tried in (("curve", False), ("unseen", True)):
        rows = [row for row in curve if row["tried"] is tried]
        if rows:
            drawn[name] = _against(rows, "incentive", "Incentive: note rate less mortgage rate, %")
    if answer["by_month"]:
        drawn["months"] = _against(answer["by_month"], "month", "Month")
        unseen = [row["month"] for row in answer["by_month"] if row["tried"]]
        if answer["split"] == "time" and unseen:
            drawn["months"]["layout"]["shapes"] = [_shade(unseen[0], unseen[-1])]
    shape = answer["s_curve"]
    line = _trace([row["incentive"] for row in shape], [row["cpr"] for row in shape], "Model", PALETTE[0], "lines")
    drawn["shape"] = _figure([line], "Incentive: note rate less mortgage rate, %")
    return drawn


def _against(rows: list[Row], key: str, under: str) -> Figure:
    """Actual as dots, the model as a line in the band that chance alone leaves (two standard errors)."""
    x = [row[key] for row in rows]
    band = {"type": "scatter", "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False, "x": x}
    return _figure(
        [
            band | {"y": [row["low_cpr"] for row in rows]},
            band | {"y": [row["high_cpr"] for row in rows], "fill": "tonexty", "fillcolor": "rgba(31,95,168,0.15)"},
            _trace(x, [row["predicted_cpr"] for row in rows], "Model", PALETTE[0], "lines"),
            _trace(x, [row["actual_cpr"] for row in rows], "Actual", PALETTE[1], "markers"),
        ],
        under,
    )


def _trace(x: list[Any], y: list[float], name: str, colour: str, mode: str) -> Row:
    return {
        "type": "scatter", "mode": mode, "name": name, "x": x, "y": y, "line": {"color": colour},
        "marker": {"color": colour, "size": 8}, "hovertemplate": "%{y:.2f}%",
    }  # fmt: skip


def _shade(first: str, last: str) -> Row:
    """The months that the fit has not seen."""
    return {
        "type": "rect", "xref": "x", "yref": "paper", "x0": first, "x1": last, "y0": 0, "y1": 1, "line": {"width": 0},
        "fillcolor": GRID, "opacity": 0.5, "layer": "below",
    }  # fmt: skip


def _figure(data: list[Row], under: str) -> Figure:
    axis = {"gridcolor": GRID, "zeroline": False, "automargin": True, "fixedrange": True, "tickfont": {"color": QUIET}}
    return {
        "data": data,
        "layout": {
            "height": 300, "font": {"family": FONT, "size": 13, "color": INK}, "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)", "margin": {"l": 64, "r": 12, "t": 34, "b": 44}, "hovermode": "x unified",
            "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
            "xaxis": axis | {"showgrid": False, "title": {"text": under, "font": {"size": 12, "color": QUIET}}},
            "yaxis": axis | {"ticksuffix": "%", "rangemode": "tozero"},
        },
    }  # fmt: skip
