"""The rules that pools and a desk's own agreements set, as limits of the optimiser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import polars as pl

from poolhouse.execution.problem import Average, Limit, Share, Total
from poolhouse.findings import Refused
from poolhouse.money import PRICE_PAR_E6
from poolhouse.rules import Rulebook
from poolhouse.sale.choice.pools import GINNIE_1, NONSTANDARD, SERIES, SPECIFIED, TBA
from poolhouse.sale.terms import Forward, Terms
from poolhouse.tables.codes import GNMA, PROGRAMS

_E4 = 10_000
_POOLS_UNDER_LIMITS = [TBA, SPECIFIED]


@dataclass(frozen=True)
class Rules:
    """Pools' rules of a day: smallest pool in cents by (program, series), largest shares in e4 of a TBA pool."""

    min_pool_cents: dict[tuple[int, str], int]
    high_max_e4: dict[int, int]
    nonstandard_max_e4: int
    nonstandard_all_max_e4: int
    hold: bool = True


def rules_of(as_of: date, rulebook: Rulebook) -> Rules:
    """What the rulebook says for pools issued on `as_of`."""
    least = {}
    for program, series in SERIES.items():
        name = PROGRAMS[program]
        for each in (series, GINNIE_1) if program == GNMA else (series,):
            least[program, each] = int(rulebook.get("pooling.min_pool_cents", as_of, program=name, series=each))
    high = {p: int(rulebook.get("pooling.high_balance_max_e4", as_of, program=PROGRAMS[p])) for p in SERIES}
    shares = rulebook.get("pooling.nonstandard_max_e4", as_of)
    return Rules(least, high, int(shares["each"]), int(shares["combined"]))


CHANGES = ("pool_minimum", "high_balance_share", "nonstandard_share", "hold")


def with_rule(rules: Rules, change: str) -> Rules | None:
    """The rules with one key=value changed: pool_minimum (dollars), high_balance_share and nonstandard_share (percent
    of a pool), hold (yes or no). None where the key is another's."""
    key, _, value = (part.strip() for part in change.partition("="))
    if key not in CHANGES:
        return None
    if key == "hold":
        if value not in ("yes", "no"):
            raise Refused(f"--what-if {change}: hold is yes or no")
        return replace(rules, hold=value == "yes")
    try:
        number = Decimal(value.replace(",", ""))
    except ArithmeticError:
        number = Decimal("NaN")
    if not number.is_finite() or not 0 <= number <= (10**12 if key == "pool_minimum" else 100):
        raise Refused(f"--what-if {change}: {'dollars' if key == 'pool_minimum' else 'percent, 0 to 100'}")
    whole = int(number * 100)
    if key == "pool_minimum":
        return replace(rules, min_pool_cents=dict.fromkeys(rules.min_pool_cents, whole))
    if key == "high_balance_share":
        return replace(rules, high_max_e4=dict.fromkeys(rules.high_max_e4, whole))
    return replace(rules, nonstandard_max_e4=whole, nonstandard_all_max_e4=max(whole, rules.nonstandard_all_max_e4))


def limits_of(about: pl.DataFrame, options: pl.DataFrame, rules: Rules, terms: Terms) -> list[Limit]:
    """Every limit that some option could break. options: with `pool` numbers, `days` to the money and `commitment`."""
    return [
        *_pools(rules), *_mixes(about, options, rules), *_desk(options, terms),
        *(limit for forward in terms.forwards for limit in _forward(forward)),
    ]  # fmt: skip


def _pools(rules: Rules) -> Iterator[Limit]:
    for (program, series), least in rules.min_pool_cents.items():
        if least:
            where = {"program": program, "execution": "swap", "series": series}
            yield Total(name="smallest pool", where=where, per="pool", min_if_used=least)


def _mixes(about: pl.DataFrame, options: pl.DataFrame, rules: Rules) -> Iterator[Limit]:
    """Shares within each TBA-eligible pool. A class that no loan is of limits nothing."""
    present = {name: bool(about[name].any()) for name in ("high", *NONSTANDARD)}
    for program, most in rules.high_max_e4.items():
        here = {"program": program, "execution": "swap", "story": _POOLS_UNDER_LIMITS}
        if not options.filter((pl.col("program") == program) & (pl.col("execution") == "swap")).height:
            continue
        if present["high"]:
            yield Share(name="high-balance share", of={"high": True}, where=here, per="pool", max=Fraction(most, _E4))
        if program == GNMA:
            continue
        kinds = [name for name in NONSTANDARD if present[name]]
        for name in kinds:
            share = Fraction(rules.nonstandard_max_e4, _E4)
            yield Share(name=f"{name} share", of={name: True}, where=here, per="pool", max=share)
        if len(kinds) > 1:
            share = Fraction(rules.nonstandard_all_max_e4, _E4)
            yield Share(name="nonstandard share", of={"nonstandard": True}, where=here, per="pool", max=share)


def _desk(options: pl.DataFrame, terms: Terms) -> Iterator[Limit]:
    for name, most in terms.caps_cents.items():
        yield Total(name=f"cap of {name}", where={"program": PROGRAMS.index(name)}, max=most)
    if terms.hold_limit_cents is not None:
        yield Total(name="held in portfolio", where={"execution": "hold"}, max=terms.hold_limit_cents)
    if terms.line_limit_cents is not None:
        for days in options["days"].unique().sort().to_list()[:-1]:
            later = {"days": {"min": days + 1}}
            yield Total(name=f"on the funding line after {days} days", where=later, max=terms.line_limit_cents)


def _forward(forward: Forward) -> Iterator[Limit]:
    """A conduit's block: its size, and the mix it accepts."""
    here = {"program": PROGRAMS.index(forward.program), "execution": "conduit"}
    if forward.amount_cents:
        cost = Fraction(forward.short_e6, PRICE_PAR_E6)
        yield Total(name=f"{forward.name}: amount", where=here, min=forward.amount_cents, short_cost=cost)
    if forward.most_cents is not None:
        yield Total(name=f"{forward.name}: most", where=here, max=forward.most_cents)
    if forward.min_average_score is not None:
        yield Average(name=f"{forward.name}: average score", of="score", where=here, min=forward.min_average_score)
    if forward.max_average_ltv_e4 is not None:
        yield Average(name=f"{forward.name}: average LTV", of="ltv_e4", where=here, max=forward.max_average_ltv_e4)
    for state, share in forward.max_state_share.items():
        yield Share(name=f"{forward.name}: {state} share", of={"state": state}, where=here, max=share)
