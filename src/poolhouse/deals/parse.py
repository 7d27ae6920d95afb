"""A deal's TOML file as a `Deal`: its tables in order, then the checks that need all of it."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from poolhouse.deals import checks
from poolhouse.deals.classes import Class, Coupon, Fixed, Floater, Inverse, NetWac
from poolhouse.deals.collateral import Pools
from poolhouse.deals.credit_rules import StepDown
from poolhouse.deals.deal import Deal, Step, Underlying
from poolhouse.deals.reading import Table
from poolhouse.deals.vocabulary import RULES, rule_of
from poolhouse.findings import Refused
from poolhouse.money import RATE_ONE, dollars, largest_remainder
from poolhouse.valuation import terms

Read = Callable[[str], str]
"""The text of another deal's file, by the name the file gives it."""
DEEPEST = 8
_CANT_MOVE = "classes of another deal, and notes on a reference pool, can't be moved to another pool"
_MOST_CLASSES = 200


def _alone(name: str) -> str:
    raise Refused(f"collateral is a class of {name!r}: give how to read other deals")


def parse(text: str, name: str, *, read: Read = _alone, above: tuple[str, ...] = (), onto: Pools | None = None) -> Deal:
    """The deal in a TOML text. `name`: the file's, for messages and against cycles; `read`: gets the files of deals
    whose classes are collateral; `onto`: other pools instead of the file's, to which the classes are scaled (whole
    dollars, by largest remainder); a file whose classes are shares then needs no collateral of its own. Refused: what
    can't be meant, with its place."""
    try:
        values = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise Refused(f"{name} is no TOML: {error}") from None
    except (RecursionError, ValueError) as error:  # nested too deep; an integer of thousands of digits
        raise Refused(f"{name} is no TOML of a deal: {error}") from None
    top = Table(values, name)
    head = top.table("deal")
    found: dict[str, Any] = {
        "name": head.text("name"), "source": head.text("source", ""), "losses": head.names("losses", ()),
        "fee_e7": head.percent("fee", 0, most=100), "call_e7": head.percent("call", 0, most=100),
        "reserve": head.cents("reserve", 0), "index_e7": head.percents("index", 0),
    }  # fmt: skip
    delay = head.whole("delay_days", 0, most=120)
    head.done()
    whole = None
    if onto is not None and top.has("collateral") and top.table("collateral").has("deal"):
        top.refuse(_CANT_MOVE)  # before the other deal is asked for
    if onto is None or top.has("collateral"):
        found["collateral"], found["reference"] = _collateral(top.table("collateral"), name, read, above)
    else:
        found["collateral"], found["reference"] = onto, False
    if onto is not None:
        whole = _moved(top, found, onto)
    collateral = found["collateral"]
    found["closing"] = collateral.cents if isinstance(collateral, Pools) else _size(collateral)
    listed = top.tables("class", "class")
    if len(listed) > _MOST_CLASSES:
        top.refuse(f"{len(listed)} classes are more than {_MOST_CLASSES}")
    classes = _sized(listed, [_class(table, delay) for table in listed], found["closing"], whole)
    found["classes"] = checks.by_name(classes, listed)
    found["step_down"] = _step_down(top.table("step_down")) if top.has("step_down") else None
    steps = top.tables("pay", "step")
    top.take("step_down", None)
    top.done()
    bare = Deal(steps=(), **found)
    checks.before_steps(bare, name)
    read_steps: list[Step] = []
    for table in steps:
        read_steps.append(_step(table, bare, read_steps))
        if onto is not None and read_steps[-1].name == "scheduled":
            table.refuse("its balances are of the file's own collateral and can't be moved to another pool")
    deal = Deal(steps=tuple(read_steps), **found)
    checks.whole(deal, name)
    return deal


def _collateral(table: Table, name: str, read: Read, above: tuple[str, ...]) -> tuple[Pools | Underlying, bool]:
    if table.has("deal"):
        return _underlying(table, name, read, above), False
    cents = table.amounts("balance")
    columns: dict[str, Any] = {"balance": tuple(part / 100 for part in cents)}
    columns |= {key: table.numbers(key) for key in ("wac", "coupon", "wam")}
    columns["age"] = table.numbers("age") if table.has("age") else None
    lengths = {len(column) for column in columns.values() if column is not None}
    if len(lengths) > 1:
        table.refuse("balance, wac, coupon, wam and age must be of one length: an entry for each pool")
    try:
        terms.pools(*columns.values())
    except Refused as error:
        table.refuse(str(error))
    whole = {key: None if columns[key] is None else tuple(int(month) for month in columns[key]) for key in columns}
    pools = Pools(
        cents, columns["wac"], columns["coupon"], whole["wam"] or (), whole["age"],
        table.yes("guaranteed"), table.whole("payoff_days_lost", 0, most=30),
        table.percent("compensating", 0, most=100),
    )  # fmt: skip
    reference = table.yes("reference")
    table.done()
    if not pools.cents:
        table.refuse("balance must be above 0")
    if reference and (pools.guaranteed or pools.payoff_days_lost):
        table.refuse("a reference pool pays nothing itself: neither guaranteed nor payoff_days_lost go with it")
    return pools, reference


def _underlying(table: Table, name: str, read: Read, above: tuple[str, ...]) -> Underlying:
    file, of = table.text("deal"), table.text("class")
    table.done()
    chain = (*above, name)
    if file in chain:
        table.refuse(f"deal {file!r} is its own collateral: {' -> '.join((*chain, file))}")
    if len(chain) > DEEPEST:
        table.refuse(f"{len(chain)} deals within each other are too many")
    deal = parse(read(file), file, read=read, above=chain)
    c = deal.classes.get(of)
    if c is None:
        table.refuse(f"{file} has no class {of!r}: {', '.join(deal.classes)}")
    if c.accrues_until or not c.balance:
        table.refuse(f"class {of!r} of {file} can't be collateral: it has no balance, or adds interest to it")
    return Underlying(deal, of)


def _size(underlying: Underlying) -> int:
    return underlying.deal.classes[underlying.name].balance


def _moved(top: Table, found: dict[str, Any], onto: Pools) -> int:
    """Puts other pools in the place of the file's; returns the size of those, which the classes' balances refer to."""
    own = found["collateral"]
    if not isinstance(own, Pools) or found["reference"]:
        top.refuse(_CANT_MOVE)
    if found["reserve"]:
        top.refuse("a reserve in dollars can't be moved to another pool")
    found["collateral"] = replace(onto, payoff_days_lost=own.payoff_days_lost, compensating_e7=own.compensating_e7)
    return own.cents


def _sized(tables: list[Table], read: list[tuple[Class, int]], closing: int, moved: int | None) -> list[Class]:
    """Classes given as shares of the collateral get whole dollars by largest remainder; the cents that the collateral
    has over go to the first of them. moved: the size of the collateral that balances were given for, if another."""
    shares = [share for _, share in read]
    mixed = next((t for t, (c, share) in zip(tables, read, strict=True) if c.balance and not share), None)
    if any(shares) and mixed is not None:
        mixed.refuse("gives a balance and other classes a share: give all of them one or the other")
    if not any(shares) and moved is None:
        return [c for c, _ in read]
    whole = RATE_ONE if any(shares) else moved or 0
    parts = shares if any(shares) else [c.balance for c, _ in read]
    rest = whole - sum(parts)
    if rest < 0:
        over = f"{Decimal(-rest) / 100_000} percent" if any(shares) else dollars(-rest)
        tables[0].refuse(f"all classes together are more than the collateral, by {over}")
    sizes = [amount * 100 for amount in largest_remainder(closing // 100, [*parts, rest])[:-1]]
    if not rest:
        sizes[next(place for place, part in enumerate(parts) if part)] += closing % 100
    for table, size, part in zip(tables, sizes, parts, strict=True):
        if part and not size:
            table.refuse(f"its share of {dollars(closing)} is less than a dollar")
    return [replace(c, balance=size) for (c, _), size in zip(read, sizes, strict=True)]


def _class(table: Table, delay: int) -> tuple[Class, int]:
    """The class, and its share where the file gives one instead of a balance."""
    name = table.text("name")
    table.place += f" ({name})"
    notional = tuple(n for group in table.names("notional", ()) for n in group)
    residual = table.yes("residual")
    ways = [key for key in ("coupon", "floater", "inverse") if table.has(key)]
    if len(ways) + residual != 1:
        table.refuse("give one of coupon, floater, inverse or residual = true")
    if table.has("balance") + table.has("share") != (0 if notional or residual else 1):
        table.refuse("give a balance or a share; only a class of notional balance and the residual have none")
    share = table.percent("share", 0, most=100)
    read = Class(
        name, table.cents("balance", 0), _coupon(table), notional,
        table.percent("notional_percent", 100) if notional else RATE_ONE,
        tuple(n for group in table.names("accrual_until", ()) for n in group),
        table.yes("net_wac_cap"), residual, table.whole("delay_days", delay, most=120),
    )  # fmt: skip
    table.done()
    if not read.balance and not share and not notional and not residual:
        table.refuse(f"{'share' if table.has('share') else 'balance'} must be above 0")
    if notional and read.accrues_until:
        table.refuse("a class of notional balance can't accrue")
    if read.capped and (notional or isinstance(read.coupon, NetWac)):
        table.refuse("net_wac_cap is for a class with a balance and a rate of its own")
    return read, share


def _coupon(table: Table) -> Coupon:
    if table.has("floater"):
        rate = table.table("floater")
        found: Coupon = Floater(rate.percent("margin", 0, most=100, least=-100), *_bounds(rate))
        rate.done()
    elif table.has("inverse"):
        rate = table.table("inverse")
        found = Inverse(rate.percent("constant", most=MOST_CONSTANT), rate.fraction("multiple"), *_bounds(rate))
        rate.done()
    elif table.has("coupon"):
        given = table.take("coupon")
        found = NetWac() if given == "net_wac" else Fixed(table.percent("coupon", most=100))
    else:
        found = Fixed(0)
    for key in ("coupon", "floater", "inverse"):
        table.take(key, None)
    return found


MOST_CONSTANT = 1000


def _bounds(rate: Table) -> tuple[int | None, int]:
    cap = rate.percent("cap") if rate.has("cap") else None
    rate.take("cap", None)
    floor = rate.percent("floor", 0)
    if cap is not None and floor > cap:
        rate.refuse("the floor is above the cap")
    return cap, floor


def _step_down(table: Table) -> StepDown:
    read = StepDown(
        table.whole("month", least=1), table.names("senior"), table.percent("delinquency", 100, most=100),
        table.steps("losses", ()), table.yes("doubled"),
    )  # fmt: skip
    table.done()
    return read


def _step(table: Table, deal: Deal, earlier: list[Step]) -> Step:
    name = table.text("rule")
    if name not in RULES:
        table.refuse(f"rule {name!r} is unknown; these are: {', '.join(RULES)}")
    table.place += f" ({name})"
    when = table.choice("when", ("locked", "released"), "")
    if when and deal.step_down is None:
        table.refuse(f"when = {when!r} needs a [step_down]")
    rule = rule_of(name, table, deal, earlier)
    table.done()
    return Step(name, rule, when)
