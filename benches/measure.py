"""One measurement in a process of its own, so that its peak memory is its own: `python -m benches.measure WHAT ...`.

Prints one JSON object. `build TAPE BOOK`: a book whose second month is ready to close, each command
timed. `month BOOK`: that close-month, with its breakdown. `demo BOOK`: the shipped tape's 24 months.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benches.stopwatch import WAIT, Stopwatch
from poolhouse import loans, rules, servicing
from poolhouse.book import Book
from poolhouse.dates import month_of
from poolhouse.market import market as market_module
from poolhouse.market import open_market

START = "2010-01"
"""After the tape's last note, so that all loans close, are sold and pooled in the first month."""


def peak_bytes() -> int:
    """This process's largest resident memory so far. Linux's own count starts anew with the program; the other holds
    what the process that started it had."""
    status = Path("/proc/self/status")
    if status.is_file():
        peak = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM"))
        return int(peak.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


class Timed:
    """Seconds per named step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def __call__(self, name: str, work: Callable[[], Any]) -> Any:
        began = time.perf_counter()
        answer = work()
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began
        return answer


def build(tape: str, book: str) -> dict[str, Any]:
    """Read the tape, then the first month whole and the second up to its close."""
    timed, again = Timed(), Timed()
    read = timed("read", lambda: loans.read_tape(tape))
    market = open_market(book, create=True, start=START)
    closed = timed("close", lambda: market_module.close_read(market._desk_for(read), read))
    checked = timed("check", market.check)
    sold = timed("sell", market.sell)
    pooled = timed("pool", market.pool)
    for name in ("issue", "notify", "close_month"):
        timed(name, getattr(market, name))
    for name in ("check", "sell", "pool", "issue", "notify"):
        again(name, getattr(market, name))
    return {
        "rows": read.rows, "loans": closed["closed_now"], "checked": checked["loans"], "sold": sold["sold"],
        "pools": pooled["pools"], "seconds": timed.seconds, "second_month": again.seconds, "peak_bytes": peak_bytes(),
    }  # fmt: skip


def month(book: str) -> dict[str, Any]:
    """The second close-month: seconds on the wall and the processor, peak memory, where the time goes."""
    watch = Stopwatch().watch()
    market = open_market(book)
    _warm(market.book)
    before = _bytes_in(Path(book))
    open_peak, began, used = peak_bytes(), time.perf_counter(), time.process_time()
    watch.reset()
    answer = market.close_month()
    seconds, processor = time.perf_counter() - began, time.process_time() - used
    rows = {
        table: sum(r.rows for r in market.book.segment_rows(table, [_closed(answer)]))
        for table in ("loan_months", "payments")
    }
    return {
        "seconds": seconds, "processor_seconds": processor, "peak_bytes": peak_bytes(), "start_bytes": open_peak,
        "bytes_written": _bytes_in(Path(book)) - before, "rows": rows,
        "kinds": {kind: s for kind, s in watch.seconds.items() if kind != WAIT},
    }  # fmt: skip


def _warm(book: Book) -> None:
    """Read the rules and the calendars, as any process does once: half a second that is not the month's."""
    rulebook = rules.load(str(book.meta["edition"]))
    servicing.month_rules(rulebook, month_of(book.market_date))


def _closed(answer: dict[str, Any]) -> int:
    year, number = answer["month"].split("-")
    return int(year) * 12 + int(number) - 1


def _bytes_in(folder: Path) -> int:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())


def demo(book: str, months: str = "24") -> dict[str, Any]:
    """The demo: seconds per command over all months, then the report and `verify`."""
    stages: Counter[str] = Counter()
    now = ["read", time.perf_counter()]

    def progress(stage: str, _done: int, _total: int) -> None:
        """`read`, the commands of each month, `report` after the last of them, then the stages of `verify`."""
        at = time.perf_counter()
        stages[str(now[0])] += at - float(now[1])
        over = now[0] in ("report", "verify")
        now[:] = ["verify" if over else "report" if stage == "done" else stage.rpartition(" ")[2], at]

    began = time.perf_counter()
    market = open_market(book, create=True)
    answer = market.run(loans.demo_tape(), months=int(months), progress=progress)
    progress("end", 0, 0)
    return {
        "seconds": time.perf_counter() - began, "stages": dict(stages), "peak_bytes": peak_bytes(),
        "bytes_written": _bytes_in(Path(book)), "loans": answer["loans"]["offered"], "head": market.book.head,
        "promises": sum(p["ok"] for p in answer["promises"]),
    }  # fmt: skip


def main() -> None:
    """Run the measurement that the arguments name."""
    what, *arguments = sys.argv[1:]
    found = {"build": build, "month": month, "demo": demo}[what](*arguments)
    sys.stdout.write(json.dumps({**found, "pid": os.getpid()}) + "\n")


if __name__ == "__main__":
    main()
