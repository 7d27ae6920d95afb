"""Puts the page together: the template, the figures' JSON, Plotly's script from its installed package.

The page allows itself only its own two scripts (by their hashes) and no request at all.
"""

from __future__ import annotations

import base64
import hashlib
import json
from importlib.metadata import distribution
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from poolhouse.web import words
from poolhouse.web.figures import figures

_PLOTLY = "plotly/package_data/plotly.min.js"


def render(report: dict[str, Any], series: dict[str, Any]) -> str:
    """See `poolhouse.web.render`."""
    drawn = figures(series)
    library, drawing = script(plotly()), script(asset("draw.js"))
    return _environment().get_template("report.html").render(
        r=report,
        months=series.get("months", []),
        flows=[row for row in series.get("flows", []) if row["cents"] > 0],
        drawn=drawn,
        data=Markup(as_json(drawn)),
        style=Markup(asset("report.css")),
        library=Markup(library),
        drawing=Markup(drawing),
        policy=policy(library, drawing),
        sides=words.cash_sides(report.get("cash", {})),
        buckets=_buckets(report.get("delinquency", {})),
    )  # fmt: skip


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("poolhouse.web"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "money": words.money,
        "short": words.short_money,
        "count": words.count,
        "price": words.price,
        "percent": words.percent,
        "rate": words.rate,
        "number": words.number,
        "spelled": words.spelled,
        "coupons": words.coupons,
        "month": _month_in_words,
    }
    return environment


def _buckets(delinquency: dict[str, int]) -> list[dict[str, Any]]:
    active = delinquency.get("loans_active", 0)
    if not active:
        return []
    return [
        {"name": text, "loans": delinquency.get(key, 0), "share": delinquency.get(key, 0) / active}
        for key, text in words.DELINQUENCY
    ]


def _month_in_words(month: str) -> str:
    """'2009-01' -> 'January 2009'; other text stays as it is."""
    names = (
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
        "November", "December",
    )  # fmt: skip
    year, _, number = month.partition("-")
    return f"{names[int(number) - 1]} {year}" if number.isdigit() and 1 <= int(number) <= len(names) else month


def plotly() -> str:
    """Plotly's browser script out of its Python package, which is never imported (it is slow to)."""
    return Path(str(distribution("plotly").locate_file(_PLOTLY))).read_text(encoding="utf-8")


def asset(name: str) -> str:
    return (files("poolhouse.web") / "templates" / name).read_text(encoding="utf-8")


def script(text: str) -> str:
    """A script that can stand inside the page: nothing in it ends the element, line ends as browsers see them."""
    return text.replace("\r\n", "\n").replace("</script", "<\\/script").replace("<!--", "<\\!--")


def as_json(value: Any) -> str:
    """JSON that can stand inside a script element: no character that HTML reads."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def policy(*scripts: str) -> str:
    hashes = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in scripts)
    return f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:; base-uri 'none'"
