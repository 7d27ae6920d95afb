"""The page: it says the report's numbers, escapes what users wrote, and asks for nothing from outside."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from typing import Any

import pytest

import sample_report
from poolhouse import web
from poolhouse.web.figures import figures

HOSTILE = "</script><script>alert(1)</script><b>\"&'"


class Seen(HTMLParser):
    """Tags with their attributes, the text people read and the scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.text = ""
        self._inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts[-1] += data
        elif self._inside != "style":
            self.text += data


@pytest.fixture(scope="module")
def page() -> str:
    return web.render(sample_report.report(), sample_report.series())


@pytest.fixture(scope="module")
def seen(page: str) -> Seen:
    return Seen(page)


def test_the_numbers_of_the_report_stand_in_the_page(seen: Seen) -> None:
    text = " ".join(seen.text.split())
    for part in (
        "50,502 loans", "January 2009 to December 2010", "48,777", "96.6%", "$7.78 billion", "12 of 12",
        "$2,014,696,554.52", "Fannie Mae", "implied", "341", "4% to 5.5%", "servicing.buyout_months",
        "primary.warehouse_advance_rate", "not the market's", "96.59%", sample_report.report()["head"],
    ):  # fmt: skip
        assert part in text, part


def test_nothing_is_loaded_from_outside(seen: Seen) -> None:
    for tag, attributes in seen.tags:
        assert "src" not in attributes, tag
        assert attributes.get("href", "data:,") == "data:,", tag
        assert not [name for name in attributes if name.startswith("on")], tag
    assert "@import" not in web.render({**sample_report.report()}, {}).split("</style>")[0]


def test_the_page_allows_only_its_own_scripts(page: str, seen: Seen) -> None:
    policy = next(a["content"] for tag, a in seen.tags if tag == "meta" and "http-equiv" in a)
    assert policy is not None
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    programs = [s for s in seen.scripts if not s.startswith("{")]
    assert len(programs) == 2
    for script in programs:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert "\r" not in page  # a browser hashes what it reads, with its own line ends


def test_the_figures_are_the_series(seen: Seen) -> None:
    drawn = json.loads(next(s for s in seen.scripts if s.startswith("{")))
    assert list(drawn) == ["flows", "balances", "factors", "delinquency", "speeds"]
    places = [a["data-figure"] for _, a in seen.tags if "data-figure" in a]
    assert sorted(str(p) for p in places) == sorted(drawn)
    link = drawn["flows"]["data"][0]["link"]
    assert sum(link["value"]) * 100 == pytest.approx(sum(f["cents"] for f in sample_report.series()["flows"]))
    assert drawn["balances"]["data"][0]["name"] == "Fannie Mae"
    # the median of the first month: pools issued in it only, all at a factor of 1
    assert drawn["factors"]["data"][-1]["y"][0] == 1.0
    assert {trace["type"] for figure in drawn.values() for trace in figure["data"]} == {"sankey", "scatter"}


def test_balances_are_drawn_in_a_unit_people_read() -> None:
    for cents, suffix, drawn in ((250_000_000_000, " bn", 2.5), (2_500_000_000, " m", 25.0), (250_000, "", 2500.0)):
        figure = figures({"months": ["2009-01"], "balance_cents": {"Fannie Mae": [cents]}})["balances"]
        assert figure["layout"]["yaxis"]["ticksuffix"] == suffix
        assert figure["data"][0]["y"] == [drawn]


def _spoil(value: Any) -> Any:
    """The same structure with every text hostile, keys that users name included."""
    if isinstance(value, str):
        return HOSTILE
    if isinstance(value, list):
        return [_spoil(v) for v in value]
    if isinstance(value, dict):
        return {k: _spoil(v) for k, v in value.items()}
    return value


def test_every_text_is_escaped() -> None:
    series = sample_report.series()
    spoiled: dict[str, Any] = {
        "months": series["months"],
        "balance_cents": {HOSTILE: [1] * 24},
        "speeds": {HOSTILE: [1] * 24},
        "factors": [{"name": HOSTILE, "months": ["2009-01"], "factor": [1.0]}],
        "flows": [{"from": HOSTILE, "to": HOSTILE + "2", "cents": 5}],
    }
    seen = Seen(web.render(_spoil(sample_report.report()), spoiled))
    assert len(seen.scripts) == 3
    assert not [tag for tag, _ in seen.tags if tag == "b"]
    drawn = json.loads(next(s for s in seen.scripts if s.startswith("{")))
    names = [drawn["balances"]["data"][0]["name"], *drawn["flows"]["data"][0]["node"]["label"]]
    assert not [name for name in names if "<b>" in name or "<script" in name]


def test_classes_of_private_pools_have_their_price_and_their_losses() -> None:
    page = web.render(sample_report.report(), {})
    cells = [re.sub(r"<[^>]+>", " ", row).split() for row in re.findall(r"<tr>.*?</tr>", page)]
    assert ["A", "$170,000,000.00", "100.106"] in [row[:3] for row in cells]
    assert ["B1", "$14,502,100.00", "-"] in [row[:3] for row in cells] and "$123.45" in page


def test_a_young_book_has_a_page_too() -> None:
    page = web.render({"edition": "2009", "loans": {"offered": 3}, "months": 0}, {})
    assert re.search(r"<h1>3 loans", page)
    assert "data-figure=" not in page


def test_a_broken_promise_and_cash_that_differs_are_shown_as_bad() -> None:
    report = sample_report.report()
    report["promises"][2] |= {"ok": False, "first_failure": "loan 7 differs by 1 cent"}
    report["cash"] |= {"difference_cents": 1}
    page = web.render(report, {})
    assert "11 of 12" in page and "loan 7 differs by 1 cent" in page
    assert '<td class="n bad">$0.01</td>' in page


def test_plotly_is_read_and_never_imported() -> None:
    program = (
        "import sys, sample_report; from poolhouse import web; "
        "web.render(sample_report.report(), sample_report.series()); sys.exit('plotly' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], env={"PYTHONPATH": "tests:src"}, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
