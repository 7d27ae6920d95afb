"""execute --offers: the best assignment for prices of anyone's pricing engine, under anyone's limits.

Reads the files (`offer_files`, `limit_files`), asks the optimiser (`execution`), and tells what it chose, what that
brings, how far it can be from the best there is, and what each limit costs.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from poolhouse.execution.check import check, total
from poolhouse.execution.groups import Ints, Offers
from poolhouse.execution.problem import Problem, Total, exact
from poolhouse.execution.solve import Solution, solve
from poolhouse.findings import Refused
from poolhouse.market.files import whole_file
from poolhouse.market.limit_files import LimitFile, fitted, read_limits
from poolhouse.market.limits_told import limits_told
from poolhouse.market.offer_columns import as_ints, price_text
from poolhouse.market.offer_files import Desk, read_desk
from poolhouse.market.standards import text_of
from poolhouse.money import dollars, half_up_div

FORMATS = (".csv", ".parquet")
_CENTS = 100
_PER_100 = 100
_E6 = 1_000_000
_BP = 10_000
_LEAST_SECONDS = 1.0
_FEW_VALUES = 12
_NAMED = 5
_GROUPED = ("agency", "servicer", "pool_type", "balance_type")
Row = dict[str, Any]


def execute_offers(
    offers: str | Path, pools: str | Path, limits: str | Path, loans: str | Path | None = None, *,
    out: str | Path | None = None, rejects: str | Path | None = None, seconds: float = 60.0,
) -> Row:  # fmt: skip
    """Chooses one offer for each loan, so that all proceeds together are the highest that the limits allow.

    Files: docs/execution.md. `out`: the assignment, a row for each loan, .csv or .parquet; `rejects`: all lines that
    can't be used, likewise; `seconds`: time for all of it, reading included.

    Keys: proceeds, bound, greedy_proceeds (dollars), each also as ..._cents; gap ((bound - proceeds) / bound),
    gain_over_greedy, loans, pools_used, seconds, seconds_by_step; offers, pools, unassigned; chosen (by column: a
    table of groups), used (a row for each pool), limits (`limits_told`), worth (in words, the largest first), notes,
    rejected, unoffered, out, rejects. Refused where a file or the limits can't be used, or can't be kept together.
    """
    began = time.monotonic()
    _refuse_places(out, rejects, [p for p in (offers, pools, limits, loans) if p is not None])
    file = read_limits(text_of(limits, "limits"), Path(limits).name)
    desk = read_desk(offers, pools, loans, file.numbers, may_stay=file.assign == "any")
    problem, notes = problem_of(desk, file)
    _refuse_beyond_reach(problem, file.name)
    read = time.monotonic()
    solution = solve(problem, clock=time.monotonic, seconds=max(seconds - (read - began), _LEAST_SECONDS))
    broken = check(problem, solution.assignment)
    if broken:
        raise RuntimeError(f"an assignment that breaks a limit: {broken[0]}")
    solved = time.monotonic()
    rows = assignment_of(desk, problem, solution)
    answer = {
        **_totals(solution, problem), **_told(rows, problem, solution),
        "notes": [*_notes(desk, solution, may_stay=file.assign == "any"), *notes], "unoffered": desk.unoffered,
        "rejected": desk.rejected.rows(named=True),
    }  # fmt: skip
    for place, frame, key in ((out, rows, "out"), (rejects, desk.rejected, "rejects")):
        if place is not None:
            whole_file(Path(place), _written(frame, Path(place)))
            answer[key] = str(place)
    told = time.monotonic()
    steps = {"read": read - began, "solve": solved - read, "tell": told - solved}
    return answer | {
        "seconds": round(told - began, 3), "seconds_by_step": {name: round(s, 3) for name, s in steps.items()},
    }  # fmt: skip


def _refuse_places(out: str | Path | None, rejects: str | Path | None, given: list[str | Path]) -> None:
    """Before the work: a place that can't be written, or is one of the files read."""
    places = [Path(p) for p in (out, rejects) if p is not None]
    for place in places:
        if place.suffix.lower() not in FORMATS:
            raise Refused(f"{place}: written are {' and '.join(FORMATS)}: name the file so")
        if place.is_dir():
            raise Refused(f"{place} is a folder: name a file")
        if not place.parent.is_dir():
            raise Refused(f"{place}: there is no folder {place.parent}")
        if any(place.exists() and Path(p).exists() and place.samefile(p) for p in given):
            raise Refused(f"{place} is one of the files that are read: write to another")
    if len(places) > 1 and places[0].absolute() == places[1].absolute():
        raise Refused(f"{places[0]}: assignment and rejects need a file each")


def problem_of(desk: Desk, file: LimitFile) -> tuple[Problem, list[str]]:
    """The optimiser's question, and notes on conditions that nothing meets."""
    people = desk.loans
    if file.assign == "any":
        stay = [_half_up(Fraction(b) * file.unassigned_price / _PER_100) for b in people["balance_cents"].to_list()]
        people = people.with_columns(unassigned_cents=pl.Series(stay, dtype=pl.Int64))
    offers = desk.offers.drop([c for c in ("price_high", "price_low") if c in desk.offers.columns])
    problem = Problem(people, offers, desk.pools, (), file.assign)
    limits, notes = fitted(file, problem)
    return Problem(people, offers, desk.pools, limits, file.assign), notes


def _half_up(value: Fraction) -> int:
    return int(half_up_div(value.numerator, value.denominator))


def _refuse_beyond_reach(problem: Problem, name: str) -> None:
    """A minimum that all loans with an offer in the group can't fill: told with both figures."""
    offers = Offers(problem)
    for limit in problem.limits:
        if not isinstance(limit, Total) or limit.min is None or limit.short_cost is not None:
            continue
        weight = offers.weight(limit.measure)
        for group in offers.groups(limit.where, limit.per):
            first = np.unique(offers.loan[group.offers], return_index=True)[1]
            most, asked = total(weight[group.offers[first]]), exact(limit.min)
            if most < asked:
                said = (f"{most:,} loans, {float(asked):,.0f}" if limit.measure == "count"
                        else f"{dollars(most)}, {dollars(int(asked))}")  # fmt: skip
                at = f" ({group.label})" if group.label else ""
                raise Refused(f"{name}: {limit.name}{at} can't be kept: all that has an offer there comes to {said} "
                              "is the minimum")  # fmt: skip


def _notes(desk: Desk, solution: Solution, *, may_stay: bool) -> list[str]:
    notes, without = list(desk.notes), desk.unoffered
    if without:
        few = ", ".join(without[:_NAMED]) + (" ..." if len(without) > _NAMED else "")
        notes.append(f"{len(without):,} loans have no usable offer and {'stay' if may_stay else 'are left out'}: {few}")
    if solution.greedy_cents is None:
        notes.append("choosing loan by loan and mending found nothing that keeps the limits: there is no gain to tell")
    return notes


# The assignment


def assignment_of(desk: Desk, problem: Problem, solution: Solution) -> pl.DataFrame:
    """A row for each loan in file order: loan, pool, servicer, price, balance, proceeds (dollars as text), then
    best_pool, best_price, given_up (its best offer whatever the limits), next_pool, next_servicer, next_costs (the
    other offer that costs least at what all limits are worth; below 0 where only whole loans keep it out)."""
    values, owner = as_ints(problem.offers["value_cents"]), as_ints(problem.offers["loan"])
    taken = solution.assignment
    best = _first_by(owner, -values, problem.loans.height)
    reduced = solution.reduced.to_numpy().astype(np.float64)
    own = np.zeros(problem.loans.height)
    own[taken >= 0] = reduced[taken[taken >= 0]]
    others = np.where(np.isfinite(reduced), reduced - own[owner], np.inf)
    others[taken[taken >= 0]] = np.inf
    following = _first_by(owner, others, problem.loans.height)
    following = np.where((following >= 0) & np.isfinite(others[following]), following, -1)
    balance = as_ints(problem.loans["balance_cents"])
    got = np.where(taken >= 0, values[taken], _staying(problem))
    up = np.where(best >= 0, np.maximum(values[best] - got, 0), 0)
    names = _names(problem)
    table = {
        "loan": problem.loans["loan"], "pool": _at(names["pool"], taken), "servicer": _at(names["servicer"], taken),
        "price": _at(_prices(desk, balance), taken), "balance": _dollars(balance), "proceeds": _dollars(got),
        "best_pool": _at(names["pool"], best), "best_price": _at(_prices(desk, balance), best),
        "given_up": _dollars(up), "next_pool": _at(names["pool"], following),
        "next_servicer": _at(names["servicer"], following),
        "next_costs": [f"{others[k]:.2f}" if k >= 0 else None for k in following.tolist()],
    }  # fmt: skip
    return pl.DataFrame(table, schema_overrides=dict.fromkeys(table, pl.String))


def _staying(problem: Problem) -> Ints:
    if "unassigned_cents" in problem.loans.columns:
        return as_ints(problem.loans["unassigned_cents"])
    return np.zeros(problem.loans.height, dtype=np.int64)


def _first_by(owner: Ints, cost: Any, loans: int) -> Ints:
    """Of each loan the offer of least cost, the first among equals; -1 without any."""
    order = np.lexsort((np.arange(len(owner)), cost, owner))
    at = np.searchsorted(owner[order], np.arange(loans))
    found = np.full(loans, -1, dtype=np.int64)
    has = np.bincount(owner, minlength=loans) > 0
    found[has] = order[at[has]]
    return found


def _names(problem: Problem) -> dict[str, pl.Series]:
    """Pool and servicer of each offer, by name."""
    offers = Offers(problem)
    known = {*problem.offers.columns, *problem.pools.columns}
    empty = pl.Series([None], dtype=pl.String).new_from_index(0, problem.offers.height)
    servicer = offers.column("servicer").cast(pl.String) if "servicer" in known else empty
    return {"pool": problem.pools["pool"].gather(problem.offers["pool"]), "servicer": servicer}


def _prices(desk: Desk, balance: Ints) -> Callable[[int], str]:
    """The price of an offer as the file has it; where it gives dollars, what they are per 100."""
    if "price_high" in desk.offers.columns:
        high, low = desk.offers["price_high"], desk.offers["price_low"]
        return lambda k: price_text(high[k], low[k])
    value, owner = desk.offers["value_cents"], desk.offers["loan"]
    return lambda k: f"{value[k] * _PER_100 / int(balance[owner[k]]):.6f}"


def _at(of: pl.Series | Callable[[int], str], rows: Ints) -> list[Any]:
    """Each row's value, None for -1."""
    if isinstance(of, pl.Series):
        return of.gather(pl.Series(rows).set(pl.Series(rows < 0), None)).to_list()
    return [of(k) if k >= 0 else None for k in rows.tolist()]


def _dollars(cents: Ints) -> list[str]:
    return [f"{'-' if c < 0 else ''}{abs(c) // _CENTS}.{abs(c) % _CENTS:02d}" for c in cents.tolist()]


def _written(frame: pl.DataFrame, place: Path) -> Callable[[Path], None]:
    return frame.write_parquet if place.suffix.lower() == ".parquet" else frame.write_csv


# What is told


def _totals(solution: Solution, problem: Problem) -> Row:
    greedy = solution.greedy_cents
    gain = None if greedy is None else solution.proceeds_cents - greedy
    return {
        "proceeds": solution.proceeds_cents / _CENTS, "bound": solution.bound_cents / _CENTS, "gap": solution.gap,
        "greedy_proceeds": None if greedy is None else greedy / _CENTS,
        "proceeds_cents": solution.proceeds_cents, "bound_cents": solution.bound_cents, "greedy_proceeds_cents": greedy,
        "gain_over_greedy": None if gain is None or greedy is None else {
            "dollars": gain / _CENTS, "cents": gain, "bp": gain / greedy * _BP if greedy else None},
        "loans": problem.loans.height, "pools_used": solution.pools_used,
        "unassigned": int((solution.assignment < 0).sum()), "offers": problem.offers.height,
        "pools": problem.pools.height, "balance_cents": total(as_ints(problem.loans["balance_cents"])),
        "best_without_limits_cents": solution.best_cents,
    }  # fmt: skip


def _told(rows: pl.DataFrame, problem: Problem, solution: Solution) -> Row:
    limits = limits_told(problem, solution.assignment, solution.shadow)
    worth = sorted((r for r in limits if r["worth"]), key=lambda r: -r["worth"])
    taken = solution.assignment[solution.assignment >= 0]
    at = pl.DataFrame(
        {
            "balance": as_ints(problem.loans["balance_cents"])[solution.assignment >= 0],
            "value": as_ints(problem.offers["value_cents"])[taken],
            "pool": rows["pool"].drop_nulls(),
        }
    )
    offers, whole = Offers(problem), total(as_ints(problem.loans["balance_cents"]))
    chosen = {}
    for name in _grouping(problem):
        of = offers.column(name).cast(pl.String).fill_null("").gather(taken)
        chosen[name] = _groups(at.with_columns(of.alias("group")), whole)
    used = _groups(at.with_columns(pl.col("pool").alias("group")), whole)
    return {"chosen": chosen, "used": used, "limits": limits, "worth": [r["words"] for r in worth]}


def _grouping(problem: Problem) -> list[str]:
    """The columns by which a desk sums up: the usual ones, or else words of the pools with few values."""
    there = {*problem.offers.columns, *problem.pools.columns}
    usual = [name for name in _GROUPED if name in there]
    if usual:
        return usual
    pools = problem.pools
    words = [c for c in pools.columns if c != "pool" and pools[c].dtype == pl.String]
    return [c for c in words if pools[c].n_unique() <= _FEW_VALUES]


def _groups(at: pl.DataFrame, whole: int) -> list[Row]:
    """Loans, balance, share of all balance, proceeds and average price of each group, the largest first."""
    parts = at.group_by("group").agg(
        pl.len().alias("loans"), pl.col("balance").sum().alias("balance_cents"),
        pl.col("value").sum().alias("proceeds_cents"),
    ).sort(["balance_cents", "group"], descending=[True, False])  # fmt: skip
    return [
        {**r, "share": r["balance_cents"] / whole, "price_e6": _price_e6(r["proceeds_cents"], r["balance_cents"])}
        for r in parts.rows(named=True)
    ]


def _price_e6(value: int, balance: int) -> int:
    return int(half_up_div(value * _PER_100 * _E6, balance))
