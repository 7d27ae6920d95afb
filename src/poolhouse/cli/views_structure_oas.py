"""How a deal's classes look on paths of rates: spreads at their prices, durations, how far lives spread."""

from __future__ import annotations

from typing import Any

from rich.console import RenderableType

from poolhouse.cli.grids import heading, plain, table
from poolhouse.web import words

Row = dict[str, Any]
_RISK = (
    ("price", "Price", 4), ("oas_bp", "OAS, bp", 1), ("standard_error_bp", "+-", 1), ("z_spread_bp", "Z-spread", 1),
    ("option_cost_bp", "Option cost", 1), ("effective_duration", "Duration", 2), ("duration_standard_error", "+-", 2),
    ("effective_convexity", "Convexity", 0), ("convexity_standard_error", "+-", 0),
)  # fmt: skip
_LIFE = (("wal", "WAL", 2), ("wal_standard_error", "+-", 3), ("wal_deviation", "Deviation", 2),
         ("wal_5", "5% below", 2), ("wal_95", "5% above", 2))  # fmt: skip


def oas(found: Row) -> list[RenderableType]:
    """The section of `structure --rates`."""
    rows = [*found["classes"], *([found["collateral"]] if found["collateral"] else [])]
    fitted = f"mortgage rate {found['mortgage_rate']:g}%, vols fitted to {found['worst_fit_bp']:.1f} bp"
    note = f"{words.count(found['paths'])} paths, {fitted}, index {found['index']:.3f}% today"
    shown: list[RenderableType] = [heading("On paths of rates", note), _table(rows, _RISK, spare=(9, 8, 5, 4))]
    if not all(row["priced"] for row in found["classes"]):
        shown.append(
            plain("  Without a price of its own a class is priced at an OAS of 0; +- is one standard error.", "dim")
        )
    lives = [row for row in rows if row["wal"] is not None]
    shown += [heading("Average lives over the paths", "years"), _table(lives, _LIFE, spare=(3, 2))]
    losing = [row for row in rows if row["loss_share"] > 0]
    if losing:
        cells = [[row["class"], words.percent(row["loss_share"]), _number(row["loss_percent"], 2)] for row in losing]
        shown += [
            heading("Principal lost on paths", "defaults as asked, alike on all"),
            table(["Class", "Of the paths", "Mean, percent of its size"], cells, right=(1, 2)),
        ]
    if found["called_share"]:
        shown.append(
            plain(f"\n  The clean-up call ends the deal on {words.percent(found['called_share'])} of the paths.")
        )
    shown.append(
        plain("  Borrowers answer by assumed parameters (rules/assumptions/valuation.toml), or the file's.", "dim")
    )
    return shown


def _table(rows: list[Row], columns: tuple[tuple[str, str, int], ...], *, spare: tuple[int, ...]) -> RenderableType:
    cells = [[row["class"], *(_number(row[key], places) for key, _, places in columns)] for row in rows]
    heads = ["Class", *(head for _, head, _ in columns)]
    return table(heads, cells, right=range(1, len(heads)), spare=spare)


def _number(found: float | None, places: int) -> str:
    return "" if found is None else f"{found:.{places}f}"
