"""Commitments and trades as the optimiser sees them: what they add for loans delivered, what missing ones cost.

A commitment of A at a price that lies d above the sheet's pays d on what is delivered, up to A. That is d x A for
certain, less d on what is missing: a constant and a soft minimum. Where d is below nought the missing part costs -d
too (the buyer is paid what the market moved), so delivering and pairing off differ by the fee alone. A trade may be
over or short by its variance: the seller fills it to the end that pays.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import polars as pl

from poolhouse.execution.problem import Limit, Total
from poolhouse.findings import Refused
from poolhouse.money import PRICE_PAR_E6, half_up_div
from poolhouse.sale.choice.pools import GINNIE_2, TBA, UMBS
from poolhouse.sale.terms import Commitment
from poolhouse.tables.codes import GNMA, PROGRAMS

_E6 = 1_000_000
_YEAR = 12
_DEFAULT_TERM = 360


@dataclass(frozen=True)
class Promise:
    """A commitment with its loans' options (`group`: rows of the options), and its price against the sheet's.

    `least_cents`: below it the pair-off is due. `aim_cents`: delivered up to it at the committed price.
    """

    terms: Commitment
    group: pl.Series
    sheet_e6: int | None
    over_e6: int
    least_cents: int
    aim_cents: int

    @property
    def constant_cents(self) -> int:
        """The committed price against the sheet's on the whole amount aimed at."""
        return int(half_up_div(self.aim_cents * self.over_e6, PRICE_PAR_E6))


def promises(commitments: tuple[Commitment, ...], options: pl.DataFrame) -> list[Promise]:
    """One for each commitment. options: with a row number `row`. Refused where two could be filled with the same loans
    and aren't for the same ones exactly, or where its programs pay differently on the sheet."""
    found = [_promise(each, options) for each in commitments]
    for i, one in enumerate(found):
        for other in found[:i]:
            shared = one.group.is_in(other.group.implode())
            if shared.any() and not (shared.all() and len(one.group) == len(other.group)):
                raise Refused(
                    f"{other.terms.name} and {one.terms.name} could be filled with some of the same loans: give "
                    "both the same programs, coupon and term, or ones that don't overlap"
                )
    return found


def _promise(commitment: Commitment, options: pl.DataFrame) -> Promise:
    programs = [PROGRAMS.index(p) for p in commitment.programs]
    here = pl.col("program").is_in(programs) & (pl.col("execution") == commitment.execution)
    if commitment.execution == "swap":
        here &= (pl.col("story") == TBA) & pl.col("series").is_in([GINNIE_2 if GNMA in programs else UMBS, UMBS])
        here &= pl.col("pool_term") == (commitment.term_bucket or _DEFAULT_TERM)
    elif commitment.term_bucket is not None:
        here &= pl.col("pool_term") == commitment.term_bucket
    if commitment.coupon_rate_e7 is not None:
        here &= pl.col("coupon_rate_e7") == commitment.coupon_rate_e7
    group = options.filter(here)
    sheet, over = None, 0
    if commitment.price_e6 is not None:
        sheet = _sheet_price(commitment, group)
        over = commitment.price_e6 - sheet if sheet is not None else 0
    amount, variance = commitment.amount_cents, commitment.variance_e6
    least = -(-amount * (_E6 - variance) // _E6)
    most = amount * (_E6 + variance) // _E6
    return Promise(commitment, group["row"], sheet, over, least, most if over > 0 else least)


def _sheet_price(commitment: Commitment, group: pl.DataFrame) -> int | None:
    """Today's base price of what the commitment takes; None where the tape has nothing for it."""
    prices = group["base_e6"].unique().sort().to_list()
    if len(prices) > 1:
        several = "its programs pay differently on this sheet" if commitment.coupon_rate_e7 else "it names no coupon"
        raise Refused(
            f"{commitment.name}: a price is compared with one price of the sheet, and {several}: name one program, "
            "coupon and term"
        )
    return int(prices[0]) if prices else None


@dataclass(frozen=True)
class Segment:
    """A part of a promise and what each missing 100 of it costs."""

    promise: Promise
    cents: int
    cost_e6: int


@dataclass(frozen=True)
class Stack:
    """Promises that take the same loans. What is delivered fills the segments that cost most first."""

    promises: tuple[Promise, ...]

    @property
    def segments(self) -> list[Segment]:
        """Dearest first: below its least amount a promise misses its price and the pair-off, above it the price."""
        parts = []
        for promise in self.promises:
            over = max(promise.over_e6, 0)
            parts.append(Segment(promise, promise.least_cents, over + promise.terms.short_e6))
            parts.append(Segment(promise, promise.aim_cents - promise.least_cents, over))
        return sorted(parts, key=lambda part: -part.cost_e6)

    def filled(self, cents: int) -> list[int]:
        """What each promise gets of so much delivered."""
        got = dict.fromkeys((p.terms.name for p in self.promises), 0)
        for part in self.segments:
            taken = min(cents, part.cents)
            got[part.promise.terms.name] += taken
            cents -= taken
        return [got[p.terms.name] for p in self.promises]

    def limits(self, column: str, number: int) -> list[Limit]:
        """Soft minimums at the segments' ends. `column` holds `number` on the stack's options. Below an end each
        missing 100 costs what its segment costs more than the next one."""
        limits: list[Limit] = []
        parts, end = self.segments, 0
        for part, then in zip(parts, [*(after.cost_e6 for after in parts[1:]), 0], strict=True):
            end += part.cents
            if part.cost_e6 > then:
                cost = Fraction(part.cost_e6 - then, PRICE_PAR_E6)
                name = f"{part.promise.terms.name}: amount"
                limits.append(Total(name=name, where={column: number}, min=end, short_cost=cost))
        return limits


def stacks(found: list[Promise]) -> list[Stack]:
    """Commitments that take the same loans, together, in the order of the file."""
    together: dict[tuple[int, ...], list[Promise]] = {}
    for promise in found:
        rows = promise.group
        key = (len(rows), int(rows[0]), int(rows[-1])) if len(rows) else (0, id(promise))
        together.setdefault(key, []).append(promise)
    return [Stack(tuple(stack)) for stack in together.values()]
