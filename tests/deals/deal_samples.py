"""Deals for tests: the examples, small ones by hand, and months of collateral given as they are."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from poolhouse import deals
from poolhouse.deals.collateral import Received
from poolhouse.deals.deal import Deal, Run

EXAMPLES = Path(__file__).parents[2] / "examples" / "deals"
NAMES = sorted(path.name for path in EXAMPLES.glob("*.toml"))


def text_of(name: str) -> str:
    return (EXAMPLES / name).read_text(encoding="utf-8")


def example(name: str) -> Deal:
    return deals.parse(text_of(name), name, read=text_of)


def at(deal: Deal, call: bool = True, **speeds: object) -> Run:
    return deals.run(deal, deals.months_of(deal, speeds), call=call)


def small(
    classes: Iterable[tuple[str, int, str]], pay: str, *, head: str = "", pool: str = "", other: str = ""
) -> Deal:
    """A deal on a pool of the classes' size at 12%, so that a month's interest is 1% of it: (name, dollars, more)."""
    listed = list(classes)
    parts = [f'[deal]\nname = "small"\n{head}\n[collateral]\nwac = 12\ncoupon = 12\nwam = 120\n{pool}\n']
    if "balance" not in pool:
        parts[0] += f"balance = {sum(size for _, size, _ in listed)}\n"
    for name, size, more in listed:
        sized = f"balance = {size}\n" if size else ""
        parts.append(f'[[class]]\nname = "{name}"\n{sized}{more or "coupon = 12"}\n')
    return deals.parse("\n".join([*parts, other, pay]), "small.toml")


def months(start: int, *rows: tuple[int, int, int]) -> list[Received]:
    """Months of (scheduled, unscheduled, loss) in dollars from a balance in dollars, interest at 12%."""
    found, left = [], start * 100
    for scheduled, unscheduled, loss in rows:
        month = Received(left, left // 100, scheduled * 100, unscheduled * 100, unscheduled * 100, loss * 100)
        found.append(month)
        left = month.after
    return found


def dollars(cents: Iterable[int]) -> list[float]:
    return [part / 100 for part in cents]
