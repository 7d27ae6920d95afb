"""What a command shows: progress on stderr while it works, then its answer on stdout.

In JSON mode progress is silent and the answer is one object. Rich loads here, not in `--help`.
"""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn

from poolhouse.cli.shell import dumps

PLAIN_WIDTH = 120
"""Columns when stdout is a file or a pipe: nothing is wrapped that a reader could grep."""

NEXT = {
    "close": "check",
    "check": "sell",
    "sell": "pool",
    "pool": "issue",
    "issue": "notify",
    "trade": "notify",
    "transfer": "notify",
    "notify": "close-month",
    "close-month": "report",
}
"""After a step, the command that comes next in the month's order."""


class Face:
    """One command's output; a context manager, so that the progress bar always goes away."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self.out = Console(highlight=False, width=None if sys.stdout.isatty() else PLAIN_WIDTH)
        self._err = Console(stderr=True, highlight=False)
        self._bar: Progress | None = None
        self._task = TaskID(0)
        self._part = ""

    def __enter__(self) -> Face:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def progress(self, stage: str, done: int, total: int) -> None:
        """What the market calls as it works: the stage it is at, `done` of `total` of the whole."""
        if self.as_json:
            return
        if not self._err.is_terminal:  # a log wants a line per month, not a bar
            part = stage.split(" ")[0]
            if part != self._part:
                self._err.print(f"{part} ({done:,} of {total:,})", markup=False)
            self._part = part
            return
        if self._bar is None:
            columns = TextColumn("{task.description:<20}", markup=False), BarColumn(), TaskProgressColumn()
            self._bar = Progress(*columns, TimeElapsedColumn(), console=self._err, transient=True)
            self._task = self._bar.add_task(stage, total=total)
            self._bar.start()
        self._bar.update(self._task, description=stage, completed=done, total=total)

    def report(self, answer: dict[str, Any], book: str) -> None:
        """The market as a table."""
        self.show("report", answer, book)

    def step(self, name: str, answer: dict[str, Any], book: str) -> None:
        """What one step did, and the step after it."""
        from poolhouse.cli import views

        if not self._said_as_json(answer):
            self.out.print(views.step(name, answer))
            self.out.print(f"Next: poolhouse {NEXT[name]} --book {book}", style="dim", markup=False, soft_wrap=True)

    def show(self, name: str, answer: dict[str, Any], book: str) -> None:
        """The answer of a query in its own view."""
        from poolhouse.cli import market_view, views

        if self._said_as_json(answer):
            return
        self.out.print(market_view.report(answer, book) if name == "report" else views.QUERIES[name](answer))

    def _said_as_json(self, answer: dict[str, Any]) -> bool:
        self._stop()
        if self.as_json:
            print(dumps(answer), flush=True)
        return self.as_json

    def _stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
