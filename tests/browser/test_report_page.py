"""The report page in Chromium: everything draws, nothing complains, nothing is fetched, and it fits a telephone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

import sample_report
from poolhouse import web

pytestmark = pytest.mark.browser

FIGURES = ("flows", "balances", "factors", "delinquency", "speeds")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def report_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(web.render(sample_report.report(), sample_report.series()), encoding="utf-8")
    return path


def _opened(browser: Browser, path: Path, width: int) -> tuple[Page, list[str]]:
    """The page once every figure is drawn, and all that was said or asked for meanwhile."""
    page = browser.new_page(viewport={"width": width, "height": 900})
    trouble: list[str] = []
    page.on("console", lambda message: trouble.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: trouble.append(f"error: {error}"))
    page.on("request", lambda request: trouble.append(request.url) if request.url != path.as_uri() else None)
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-drawn]", timeout=60_000)
    return page, trouble


@pytest.mark.parametrize("width", [1280, 400])
def test_the_page_draws_all_figures_and_asks_for_nothing(browser: Browser, report_page: Path, width: int) -> None:
    page, trouble = _opened(browser, report_page, width)
    assert trouble == []
    for name in FIGURES:
        place = page.locator(f"#figure-{name}")
        box: Any = place.locator(".main-svg").first.bounding_box()
        assert box["width"] > 250 and box["height"] > 200, name
        shapes = "path.sankey-link" if name == "flows" else ".scatterlayer .trace"
        assert place.locator(shapes).count() >= 4, name
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


def test_a_link_in_the_sankey_is_as_wide_as_its_dollars(browser: Browser, report_page: Path) -> None:
    page, _ = _opened(browser, report_page, 1280)
    labels = page.locator("#figure-flows .node-label").all_text_contents()
    assert [text for text in labels if "payoffs" in text] == ["Borrowers: payoffs and curtailments$1.31 billion"]
    page.close()


def test_the_numbers_open_by_keyboard(browser: Browser, report_page: Path) -> None:
    page, _ = _opened(browser, report_page, 1280)
    page.locator("summary", has_text="The numbers").focus()
    page.keyboard.press("Enter")
    assert page.locator("td", has_text="$481,203,345.12").is_visible()
    page.close()
