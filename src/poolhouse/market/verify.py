"""verify: the twelve promises over the book, with this market's own month for the one that repeats it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from poolhouse import promises
from poolhouse.book import canonical_hash
from poolhouse.market.classes import payment_date
from poolhouse.market.close_month import MonthInputs, month_inputs, part_month
from poolhouse.market.desk import Desk
from poolhouse.market.receive import servicer_moves
from poolhouse.tables import LOAN_MONTHS


def verify(desk: Desk, progress: promises.Progress | None = None) -> dict[str, Any]:
    """{ok, head, promises: [{id, name, ok, checked, first_failure}]}: see `promises.verify`."""

    @lru_cache(maxsize=2)
    def inputs(month: int) -> MonthInputs:
        return month_inputs(desk, month, servicer_moves(desk, month))

    @lru_cache(maxsize=2)
    def deals(month: int) -> dict[str, str]:
        tables = zip(("deal_months", "class_months"), payment_date(desk, month)[:2], strict=True)
        return {table: canonical_hash(rows) for table, rows in tables}

    def replay(table: str, month: int, part: int) -> str:
        """The content hash of a part's month, recomputed from the month before and what was recorded since."""
        if table != "loan_months":
            return deals(month)[table]
        opening = desk.opening(month, part)
        rows, _ = part_month(desk, inputs(month), part, opening, desk.book.segment("payments", month, part))
        return canonical_hash(LOAN_MONTHS.conform(rows))

    return promises.verify(desk.book, desk.rulebook, replay, progress=progress)
