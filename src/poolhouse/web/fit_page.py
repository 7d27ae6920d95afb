"""A fitted prepayment model as a page: its estimates, S-curve, and actual against model by month; one file."""

from __future__ import annotations

from typing import Any

from markupsafe import escape

from poolhouse.web.figures import GRID, PALETTE
from poolhouse.web.value_page import figure, page_of

Row = dict[str, Any]
Figure = dict[str, Any]
_HEAD, _PLACE, _ROW = 190, 430, 36
_TITLES = {
    "curve": "Prepayment by incentive, % CPR", "unseen": "The same where the fit has not looked, % CPR",
    "months": "Prepayment by month, % CPR", "shape": "The model's S-curve: a seasoned usual loan, % CPR",
}  # fmt: skip
_LEAST_LOANS = 30
"""Loan-months of a class that is drawn: a CPR of fewer is noise."""


def render(answer: Row) -> str:
    """The page of an answer of `market.fit_prepayment`."""
    first, last = answer["months"]
    tried = answer["out_of_sample"]
    said = f"{answer['prepayments']:,} of {answer['loan_months']:,} loan-months prepaid; " + (
        f"out of sample {tried['actual']:,} against {tried['predicted']:,.0f} predicted"
    )
    head = f"Prepayment, {escape(first)} to {escape(last)}"
    return page_of("Prepayment, fitted", head, said, _TITLES, figures(answer), first=_estimates(answer))


def height(answer: Row) -> int:
    """Pixels that hold the whole page on a wide screen."""
    return _HEAD + _PLACE * len(figures(answer)) + _ROW * (len(answer["parameters"]) + 4)


def _estimates(answer: Row) -> str:
    """The parameters with both errors."""
    heads = ("Parameter", "", "Estimate", "Error, independent", "Error, by month", "95%, by month")
    lines = "".join(f"<tr>{_cells(row)}</tr>" for row in answer["parameters"])
    return (
        "<section><h2>Estimates</h2>"
        "<p>Errors twice: as if all loan-months were independent, and where those of a calendar month share a shock. "
        f"The months' totals scatter by {100 * answer['month_shock']:.1f}% beyond chance.</p>"
        f"<table><thead><tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr></thead>"
        f"<tbody>{lines}</tbody></table></section>"
    )


def _cells(row: Row) -> str:
    def error(name: str) -> str:
        return "" if row[name] is None else f"{row[name]:.2g}"

    ends = "" if row["clustered_low"] is None else f"{row['clustered_low']:.3g} to {row['clustered_high']:.3g}"
    alone = f"held: {escape(row['held'])}" if row["held"] else error("standard_error")
    cells = (escape(row["meaning"]), f"{row['estimate']:.4g}", alone, error("clustered_error"), ends)
    return f"<th>{escape(row['name'])}</th>" + "".join(f"<td>{cell}</td>" for cell in cells)


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
    drawn["shape"] = figure([line], "Incentive: note rate less mortgage rate, %", suffix="%")
    return drawn


def _against(rows: list[Row], key: str, under: str) -> Figure:
    """Actual as dots, the model as a line in the band that chance alone leaves (two standard errors)."""
    x = [row[key] for row in rows]
    band = {"type": "scatter", "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False, "x": x}
    return figure(
        [
            band | {"y": [row["low_cpr"] for row in rows]},
            band | {"y": [row["high_cpr"] for row in rows], "fill": "tonexty", "fillcolor": "rgba(31,95,168,0.15)"},
            _trace(x, [row["predicted_cpr"] for row in rows], "Model", PALETTE[0], "lines"),
            _trace(x, [row["actual_cpr"] for row in rows], "Actual", PALETTE[1], "markers"),
        ],
        under,
        suffix="%",
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
