"""How a converted tape looks: what was written, what was filled in or left behind, what can't be used."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType

from poolhouse.cli.grids import heading, plain, table
from poolhouse.web import words

Row = dict[str, Any]


def convert(answer: Row) -> RenderableType:
    """The count of loans, then the findings, then the first rejects."""
    spoilt = f"; rows that can't be used: {words.count(answer['rejected'])}" if answer["rejected"] else ""
    head = f"Loans of {answer['tape']} ({answer['layout']}) written to {answer['out']}: {words.count(answer['loans'])}"
    parts: list[RenderableType] = [plain(head + spoilt, "bold")]
    if answer["findings"]:
        shown = [(f["field"], words.count(f["count"]), f["message"].rsplit(":", 1)[0]) for f in answer["findings"]]
        parts += [heading("Filled in, changed or left out"), table(("Field", "Loans", "What"), shown, right=(1,))]
    if answer["rejects"]:
        rows = [(r["row"], r["loan_number"], r["source_field"], r["value"], r["reason"]) for r in answer["rejects"]]
        parts += [heading("Rows that can't be used"), table(("Row", "Loan", "Column", "Value", "Why"), rows)]
    return Group(*parts)
