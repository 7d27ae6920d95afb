"""Takes the README's picture: `python docs/picture.py BOOK` draws the book's report page into docs/report.png.

Needs the `dev` extra and Chromium; the picture is of the page's top, as a reader sees it first.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

import poolhouse
from poolhouse import web

WIDTH, HEIGHT = 1280, 1190


def main(book: str) -> None:
    """Draws the report of `book`."""
    market = poolhouse.open(book)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page_file = Path(folder) / "report.html"
        page_file.write_text(web.render(market.report(), market.report_series()), encoding="utf-8")
        program = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(page_file.as_uri())
        page.wait_for_selector("html[data-drawn]")
        page.screenshot(path=Path(__file__).parent / "report.png")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
