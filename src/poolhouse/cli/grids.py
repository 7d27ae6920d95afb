"""Building blocks of the views: headings, figures beside words, tables. All text is literal.

Users' names may hold brackets, and Rich reads those as markup: everything goes through `Text`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich import box
from rich.console import Group, RenderableType
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


def table(headings: Sequence[str], rows: Iterable[Sequence[object]], right: Iterable[int] = ()) -> RenderableType:
    """A table; `right` are the positions of columns of figures."""
    figures_at = set(right)
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim")
    for i, text in enumerate(headings):
        is_figure = i in figures_at  # words wrap; a figure cut in two can't be read
        grid.add_column(plain(text), justify="right" if is_figure else "left", overflow="fold", no_wrap=is_figure)
    for row in rows:
        grid.add_row(*(cell if isinstance(cell, Text) else plain(cell) for cell in row))
    return indented(grid)


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
