"""Building blocks of the views: headings, figures beside words, tables. All text is literal.

Users' names may hold brackets, and Rich reads those as markup: everything goes through `Text`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from poolhouse.web import words

MOST_ROWS = 40
"""Rows a list shows; the rest is counted and stands in `--json`."""


def plain(value: object, style: str = "") -> Text:
    """Literal text, without control characters that could drive a terminal."""
    text = str(value)
    return Text("".join(c if c.isprintable() or c == "\n" else "?" for c in text), style=style)


def indented(body: RenderableType) -> RenderableType:
    """Two columns in, and no wider than it must be."""
    return Padding(body, (0, 0, 0, 2), expand=False)


def heading(text: str, note: str = "") -> Text:
    """A section's heading, with a remark in a quieter tone."""
    line = Text("\n").append_text(plain(text, "bold"))
    return line.append_text(plain(f"   {note}", "dim")) if note else line


def figures(rows: Iterable[tuple[str, str, str]], totals: Sequence[str] = ()) -> RenderableType:
    """Lines of (words, figure, remark), figures right-aligned in one column; `totals` name the bold lines."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column()
    grid.add_column(justify="right", no_wrap=True)
    grid.add_column(style="dim", overflow="fold")
    for text, figure, note in rows:
        weight = "bold" if text in totals else ""
        grid.add_row(plain(text, weight), plain(figure, weight), plain(note, "dim"))
    return indented(grid)


def facts(pairs: Iterable[tuple[str, str]]) -> RenderableType:
    """Lines of (words, value): long values wrap in their own column."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in pairs:
        grid.add_row(plain(name, "dim"), plain(value))
    return indented(grid)


def table(
    headings: Sequence[str], rows: Iterable[Sequence[object]], right: Iterable[int] = (), spare: Sequence[int] = ()
) -> RenderableType:
    """A table; `right` are the positions of columns of figures, `spare` those that a narrow screen goes without, the
    first of them first."""
    return indented(_Fitting(headings, [list(row) for row in rows], set(right), spare))


class _Fitting:
    """A table with as many of its columns as fit without breaking a word or a figure."""

    def __init__(
        self, headings: Sequence[str], rows: list[list[object]], right: set[int], spare: Sequence[int]
    ) -> None:
        self._headings, self._rows, self._right, self._spare = headings, rows, right, spare

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement.get(console, options, self._fitted(console, options))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self._fitted(console, options)

    def _fitted(self, console: Console, options: ConsoleOptions) -> RenderableType:
        for count in range(len(self._spare)):
            grid, uncut = (self._grid(self._spare[:count], uncut) for uncut in (False, True))
            if Measurement.get(console, options.update(width=10_000), uncut).minimum <= options.max_width:
                break
        else:
            count = len(self._spare)
            grid = self._grid(self._spare)
        if not count:
            return grid
        names = ", ".join(self._headings[i] for i in sorted(self._spare[:count]))
        return Group(grid, plain(f"No room here for: {names}. --json has them.", "dim"))

    def _grid(self, without: Sequence[int], uncut: bool = False) -> Table:
        """uncut: with room for all of a figure and its heading, whose least width Rich takes to be one word."""
        grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim")
        kept = [i for i in range(len(self._headings)) if i not in without]
        for i in kept:
            is_figure = i in self._right  # words wrap; a figure cut in two can't be read, one cut off must show it
            whole = max(len(str(row[i])) for row in (self._headings, *self._rows)) if uncut and is_figure else None
            grid.add_column(
                plain(self._headings[i]), justify="right" if is_figure else "left",
                overflow="ellipsis" if is_figure else "fold", no_wrap=is_figure,
                min_width=whole,
            )  # fmt: skip
        for row in self._rows:
            cells = [row[i] for i in kept]
            grid.add_row(*(cell if isinstance(cell, Text) else plain(cell) for cell in cells))
        return grid


def records(rows: Sequence[dict[str, Any]], most: int = MOST_ROWS) -> RenderableType:
    """A list of like dictionaries as a table: columns by key, figures by their unit."""
    if not rows:
        return indented(plain("none", "dim"))
    keys = list(dict.fromkeys(key for row in rows for key in row))
    keys = [k for k in keys if any(row.get(k) not in (None, "", [], {}) for row in rows)]
    right = [i for i, k in enumerate(keys) if all(_is_figure(row.get(k)) for row in rows)]
    shown = [[words.shown(k, row.get(k)) for k in keys] for row in rows[:most]]
    parts: list[RenderableType] = [table([words.label(k) for k in keys], shown, right)]
    if len(rows) > most:
        parts.append(indented(plain(f"... and {len(rows) - most:,} more: --json gives all", "dim")))
    return Group(*parts)


def anything(answer: dict[str, Any], skip: Iterable[str] = ()) -> RenderableType:
    """Any answer: its single values first, then each list or dictionary under its heading."""
    left = {key: value for key, value in answer.items() if key not in set(skip)}
    single = {k: v for k, v in left.items() if not _is_nested(v)}
    parts: list[RenderableType] = [facts((words.label(k), words.shown(k, v)) for k, v in single.items())]
    for key, value in left.items():
        if key not in single:
            parts += section(words.label(key), value)
    return Group(*parts)


def section(title: str, value: Any) -> list[RenderableType]:
    """A heading and what stands under it: a table for a list, lines for a dictionary."""
    if isinstance(value, dict):
        body = anything(value)
    elif value and isinstance(value[0], dict):
        body = records(value)
    else:
        body = figures((words.shown("", line), "", "") for line in value)
    return [heading(title), body]


def _is_nested(value: Any) -> bool:
    return bool(value) and (isinstance(value, dict) or (isinstance(value, list) and isinstance(value[0], dict)))


def _is_figure(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))
