"""A page as a PNG, taken by the Chromium or Chrome that is installed: no Python package for pictures is needed."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

from poolhouse.findings import Refused

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
WIDTH = 1000
_SECONDS = 60


def write(page: ModuleType, answer: dict[str, Any], to: Path) -> None:
    """An answer as its page draws it (`render`, `height`): HTML, or by its name a PNG."""
    if to.suffix.lower() == ".html":
        to.write_text(page.render(answer), encoding="utf-8")
    else:
        screenshot(page.render(answer), to, height=page.height(answer))


def screenshot(page: str, to: Path, *, height: int) -> None:
    """Draws the upper part of a page of HTML into a PNG. Refused where there is no browser, or it fails."""
    program = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if program is None:
        raise Refused(f"{to}: a PNG is taken by Chromium or Chrome, and none is installed; write an .html instead")
    with tempfile.TemporaryDirectory(prefix="poolhouse-") as folder:
        source, picture = Path(folder) / "page.html", Path(folder) / "page.png"
        source.write_text(page, encoding="utf-8")
        command = [
            program, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
            f"--user-data-dir={folder}", f"--window-size={WIDTH},{height}", "--virtual-time-budget=10000",
            f"--screenshot={picture}", source.as_uri(),
        ]  # fmt: skip
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            raise Refused(f"{to}: {program} took longer than {_SECONDS} s; write an .html instead") from None
        if not picture.is_file():
            last = done.stderr.strip().splitlines()[-1:] or ["no message"]
            raise Refused(f"{to}: {program} drew nothing ({last[0]}); write an .html instead")
        shutil.copyfile(picture, to)
