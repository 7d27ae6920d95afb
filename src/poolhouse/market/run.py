"""run: the steps of each month in order, on any tape. `demo` is this on the shipped tape."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from poolhouse import loans
from poolhouse.dates import month_name
from poolhouse.findings import Refused
from poolhouse.market.check import check
from poolhouse.market.close import close_read
from poolhouse.market.close_month import close_month
from poolhouse.market.desk import Desk
from poolhouse.market.pool import issue, pool
from poolhouse.market.sell import sell
from poolhouse.market.transfer import notify

Progress = Callable[[str, int, int], None]


def run(desk: Desk, read: loans.TapeRead, months: int, payments: Path | str | None, progress: Progress) -> None:
    """Close the tape and run `months` months from the market's start. Months already closed are passed over.

    Killed anywhere and run again, it goes on where the book stands and ends with the same head.
    """
    if months < 1:
        raise Refused(f"run: --months {months} must be at least 1")
    steps = list(_steps(desk, payments))
    total = months * len(steps) + 1
    progress("close", 0, total)
    if desk.month < desk.start + months:
        close_read(desk, read)
    elif desk.book.answer(f"tape:{read.content_hash}") is None:
        raise Refused(
            f"run: the book stands at {month_name(desk.month)}, {months} months are over, and it never had this tape; "
            "give another --book"
        )
    done = 1 + max(0, desk.month - desk.start) * len(steps)
    while desk.month < desk.start + months:
        for name, step in steps:
            progress(f"{month_name(desk.month)} {name}", done, total)
            step()
            done += 1
    progress("done", total, total)


def _steps(desk: Desk, payments: Path | str | None) -> Iterator[tuple[str, Callable[[], Any]]]:
    yield "check", lambda: check(desk)
    yield "sell", lambda: sell(desk)
    yield "pool", lambda: pool(desk)
    yield "issue", lambda: issue(desk)
    yield "notify", lambda: notify(desk)
    yield "close-month", lambda: close_month(desk, payments)
