"""The report as a page: one self-contained HTML file, nothing loaded from outside."""

from __future__ import annotations

from typing import Any


def render(report: dict[str, Any], series: dict[str, Any]) -> str:
    """The page of a report and its series over the months, as one string of HTML.

    `report` and `series` are the answers of the market's `report()` and `report_series()`; what is
    missing in them is left out of the page. Every text in them is escaped.
    """
    from poolhouse.web.page import render as draw  # Jinja loads only when a page is asked for

    return draw(report, series)
