"""The habits of the house, kept by a test: sizes, words, what may not be called, where numbers live."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from importlinter.application.use_cases import SUCCESS, lint_imports
from importlinter.configuration import configure

from poolhouse.tables import RECORDS, SEGMENTS

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "src" / "poolhouse").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
FACES_AND_SHELL = ("cli", "web", "market", "book", "promises")
LONGEST_FUNCTION, LONGEST_FILE = 70, 800

NEVER = {"map_elements", "map_rows", "rows_by_key"}
BY_ROW = {"iter_rows", "to_dicts", "rows"}
FEW_ROWS = {"cli", "web", "market", "book", "pooling", "investing", "rules"}
"""Layers whose own tables are small (records, pools, securities, holders): there rows may become dictionaries."""
LOAN_TABLE = re.compile(r"loan|tape|payment|check|assign|notice|sale")
CUT_SHORT = re.compile(
    r"\.(head|limit|group_by|filter)\(|part(y|ies)|pool|securit|trade|price|investor|lender|event|state|\bself\b"
)
"""What makes few rows of a large table, or says that the table is small."""
CLOCKS = {
    ("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"), ("time", "time"),
    ("time", "monotonic"), ("time", "perf_counter"), ("time", "time_ns"), ("os", "environ"), ("os", "getenv"),
}  # fmt: skip
CHANCE = {"random", "secrets", "uuid"}

RULED = re.compile(r"(^|_)(ltv|cltv|score|dti|mi_pct|limit|coverage|months_late|fee_rate|advance_rate|haircut)(_|$)")
"""Names of what a guide or a law puts a number on: never compared with a number in code."""
UNRULED_NUMBERS = {-1, 0, 1, 10_000}
"""Sign, emptiness, and one whole in the unit e4."""
STEPS_AND_RULES = (
    "primary", "sale", "pooling", "investing", "servicing", "models", "standards", "notices", "loans", "market",
)  # fmt: skip
LIMITS = {417_000, 729_750, 625_500, 484_350, 510_400, 548_250, 647_200, 726_200, 766_550, 806_500, 832_750}
"""Loan limits and ceilings of past years, in dollars: the numbers most likely to slip into code."""


def _layer(path: Path) -> str:
    parts = path.relative_to(ROOT / "src" / "poolhouse").parts
    return parts[0] if len(parts) > 1 else path.stem


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def _where(path: Path, node: ast.AST | int) -> str:
    line = node if isinstance(node, int) else getattr(node, "lineno", 0)
    return f"{path.relative_to(ROOT)}:{line}"


def _calls(path: Path) -> Iterator[tuple[ast.Call, str, str]]:
    """Every call of an attribute as (node, what it is called on, attribute)."""
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node, ast.unparse(node.func.value), node.func.attr


def test_every_module_says_what_it_is_for() -> None:
    silent = [_where(path, 1) for path in SOURCES + TESTS if not ast.get_docstring(_tree(path))]
    assert not silent, "\n".join(silent)


def test_functions_and_files_can_be_held_in_the_head() -> None:
    long = [
        f"{_where(path, node)} {node.name}: {(node.end_lineno or 0) - node.lineno + 1} lines"
        for path in SOURCES
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION
    ]
    long += [
        f"{_where(path, 1)}: {lines} lines"
        for path in SOURCES + TESTS
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST_FILE
    ]
    assert not long, "\n".join(long)


def test_tables_are_never_walked_row_by_row() -> None:
    """Loan tables have a million rows: columns only. A few rows for a message or a face may become dictionaries."""
    walked = [
        f"{_where(path, node)} {owner}.{attribute}"
        for path in SOURCES
        for node, owner, attribute in _calls(path)
        if attribute in NEVER or (attribute in BY_ROW and _is_large(_layer(path), owner))
    ]
    assert not walked, "\n".join(walked)


def _is_large(layer: str, owner: str) -> bool:
    if layer in FEW_ROWS:
        return bool(LOAN_TABLE.search(owner)) and not CUT_SHORT.search(owner)
    return not CUT_SHORT.search(owner)


def test_nothing_below_the_book_reads_a_clock_the_environment_or_chance() -> None:
    read = [
        f"{_where(path, node)} {node.value.id}.{node.attr}"
        for path in SOURCES
        if _layer(path) not in FACES_AND_SHELL
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and (node.value.id, node.attr) in CLOCKS
    ]
    read += [
        f"{_where(path, node)} imports {name}"
        for path in SOURCES
        if _layer(path) not in FACES_AND_SHELL
        for node in ast.walk(_tree(path))
        for name in _imported(node)
        if name.split(".")[0] in CHANCE or name == "numpy.random"
    ]
    read += [
        f"{_where(path, node)} hash()"
        for path in SOURCES
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "hash"
    ]
    assert not read, "\n".join(read)


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []


@pytest.mark.parametrize("table", list({t.name: t for t in (*SEGMENTS.values(), *RECORDS.values())}.values()), ids=str)
def test_amounts_are_integers_in_every_contract(table: object) -> None:
    assert [c.name for c in table.columns if c.dtype.is_float() or isinstance(c.dtype, pl.Categorical)] == []


def test_no_number_of_a_guide_or_law_in_code() -> None:
    """They live in rules/ with a date and a source. Compared names tell what a guide rules on."""
    ruled = [
        f"{_where(path, node)} {ast.unparse(node)}"
        for path in SOURCES
        if _layer(path) in STEPS_AND_RULES
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Compare) and _names_ruled(node) and _numbers(node) - UNRULED_NUMBERS
    ]
    ruled += [
        f"{_where(path, node)} {node.value}"
        for path in SOURCES
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Constant) and type(node.value) in (int, float)
        if node.value in LIMITS or (node.value % 100 == 0 and node.value / 100 in LIMITS)
    ]
    assert not ruled, "\n".join(ruled)


def _names_ruled(node: ast.AST) -> bool:
    """A name, attribute or column that a guide rules on stands in the expression."""
    texts = [
        n.id if isinstance(n, ast.Name) else n.attr if isinstance(n, ast.Attribute) else n.value
        for n in ast.walk(node)
        if isinstance(n, ast.Name | ast.Attribute) or (isinstance(n, ast.Constant) and isinstance(n.value, str))
    ]
    return any(RULED.search(text) for text in texts)


def _numbers(node: ast.Compare) -> set[float]:
    return {
        side.value
        for side in (node.left, *node.comparators)
        if isinstance(side, ast.Constant) and type(side.value) in (int, float)
    }


def test_nothing_is_left_for_later_or_silenced() -> None:
    """Words that promise work, tests that don't run, warnings switched off."""
    words = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "no" + "qa")) + r")\b")
    skips = re.compile(r"pytest\.(skip|xfail)|mark\.(skip|skipif|xfail)\b")
    found = [
        f"{_where(path, number)} {line.strip()}"
        for path in SOURCES + TESTS
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if words.search(line) or (skips.search(line) and path != Path(__file__))
    ]
    assert not found, "\n".join(found)


def test_no_page_keeps_the_marks_of_a_merge() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "benches").rglob("*.md")]
    marks = re.compile(r"^(<{7} |={7}$|>{7} )", re.MULTILINE)
    assert len(pages) > 10 and not [page.name for page in pages if marks.search(page.read_text(encoding="utf-8"))]


def test_imports_go_down_only() -> None:
    """The contract of pyproject.toml; `make check` runs it too, with its explanation."""
    configure()
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), cache_dir=None) is SUCCESS
