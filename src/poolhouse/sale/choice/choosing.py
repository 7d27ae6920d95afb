"""The best use of a whole tape: the problem put together, solved, and told loan by loan and pool by pool."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from poolhouse.execution.problem import Limit, Problem
from poolhouse.execution.solve import Solution, solve
from poolhouse.findings import Refused
from poolhouse.money import PRICE_PAR_E6
from poolhouse.rules import Rulebook
from poolhouse.sale.choice.allocation import Piece, good, lots
from poolhouse.sale.choice.limits import Rules, limits_of
from poolhouse.sale.choice.pools import NONSTANDARD, POOL_KEY, facts, named, options
from poolhouse.sale.choice.promised import Stack, promises, stacks
from poolhouse.sale.terms import Terms
from poolhouse.tables.codes import NO_PROGRAM, PROGRAMS

Row = dict[str, Any]


@dataclass(frozen=True)
class Choice:
    """What is done with each loan.

    chosen: a row for each loan, its OFFERS columns and POOL_KEY, `pool` (name), `best_cents` (its best offer alone),
    `second` (name of the pool it would go to next) and `behind_cents` (what that costs, pools' rules counted in; null:
    nothing else). pools: name, POOL_KEY, loans, balance, proceeds, `min_cents`. promised: a row for each commitment.
    unsold: loan_id that no outlet takes, or that no pool has room for where none is held. `proceeds_cents`,
    `bound_cents` and `greedy_cents` hold the commitments' lines.
    """

    chosen: pl.DataFrame
    pools: pl.DataFrame
    promised: list[Row]
    unsold: pl.Series
    solution: Solution
    proceeds_cents: int
    bound_cents: int
    greedy_cents: int | None

    @property
    def gap(self) -> float:
        """(bound - proceeds) / bound."""
        return (self.bound_cents - self.proceeds_cents) / self.bound_cents if self.bound_cents else 0.0


def choose(
    loans: pl.DataFrame, offered: pl.DataFrame, rules: Rules, terms: Terms, as_of: date, rulebook: Rulebook, *,
    clock: Callable[[], float], seconds: float = 60.0, gap: float = 1e-5,
) -> Choice:  # fmt: skip
    """The loans' best use together, in about so many seconds or as soon as it is within `gap` of the bound.

    loans: LOANS columns sorted by loan_id. offered: OFFERS rows. `clock`: seconds that only go up; it stops the search
    and changes nothing else. Refused where the limits can't hold together, naming those in the way.
    """
    prepared = prepare(loans, offered, rules, terms, as_of, rulebook)
    solution = solve(prepared.problem, clock=clock, seconds=seconds, gap=gap)
    per_million = rulebook.get("pooling.tba_pools_per_million", as_of)

    def most_pools(coupon_rate_e7: int) -> int:
        return int(per_million["below" if coupon_rate_e7 < per_million["coupon_rate_e7"] else "from"])

    return _told(prepared, solution, rules, most_pools)


@dataclass(frozen=True)
class Prepared:
    """A tape's problem, and the tables that give its answer back its names."""

    problem: Problem
    options: pl.DataFrame
    pools: pl.DataFrame
    stacks: list[Stack]
    unsold: pl.Series


def prepare(
    loans: pl.DataFrame, offered: pl.DataFrame, rules: Rules, terms: Terms, as_of: date, rulebook: Rulebook
) -> Prepared:
    """Options, pools and limits of a tape."""
    about = facts(loans, as_of, rulebook)
    allowed = [NO_PROGRAM, *(PROGRAMS.index(p) for p in terms.approvals)]
    offered = offered.filter(pl.col("program").is_in(allowed) & ((pl.col("execution") != "hold") | rules.hold))
    found = options(offered.filter(pl.col("balance_cents") > 0), about, as_of, rulebook).with_row_index("row")
    if not found.height:
        raise Refused("no loan has an offer that is open to it: see `poolhouse check` and `poolhouse price` for why")
    pools = named(found.select(POOL_KEY).unique().sort(POOL_KEY)).with_row_index("number")
    found = found.join(
        pools.select(*POOL_KEY, "number"), on=POOL_KEY, how="left", nulls_equal=True, maintain_order="left"
    )
    days = (pl.col("settlement_date") - pl.lit(as_of)).dt.total_days()
    found = found.with_columns(days.alias("days"))
    stacked = stacks(promises(terms.commitments, found))
    found = _with_stacks(found, stacked)
    ids = found["loan_id"].unique().sort()
    unsold = loans["loan_id"].filter(~loans["loan_id"].is_in(ids.implode()))
    lines = about.filter(pl.col("loan_id").is_in(ids.implode()))
    soft: list[Limit] = [limit for n, stack in enumerate(stacked) for limit in stack.limits("commitment", n)]
    problem = _problem(lines, found, pools, ids, [*limits_of(lines, found, rules, terms), *soft], rules.hold)
    return Prepared(problem, found, pools, stacked, unsold)


def _problem(
    lines: pl.DataFrame, found: pl.DataFrame, pools: pl.DataFrame, ids: pl.Series, limits: list[Limit], hold: bool
) -> Problem:
    """Where holding is no outlet, a loan may stay unsold and brings nothing: no plan leaves one that it can place."""
    balances = found.unique("loan_id", keep="first", maintain_order=True).select("loan_id", "balance_cents")
    loans = lines.join(balances, on="loan_id", how="left", maintain_order="left")
    offers = found.select(
        pl.Series("loan", ids.search_sorted(found["loan_id"]).cast(pl.Int64)),
        pl.col("number").cast(pl.Int64).alias("pool"),
        pl.col("proceeds_cents").alias("value_cents"),
        *("program", "execution", "series", "story", "days", "commitment"),
    )
    asked = ["balance_cents", "state", "score", "ltv_e4", "high", *NONSTANDARD, "nonstandard"]
    return Problem(loans.select(asked), offers, pools.select("pool"), tuple(limits), "all" if hold else "any")


def _with_stacks(found: pl.DataFrame, stacked: list[Stack]) -> pl.DataFrame:
    """Plus `commitment`: the stack that an option could fill, else null."""
    column = np.full(found.height, -1, dtype=np.int32)
    for number, stack in enumerate(stacked):
        column[stack.promises[0].group.to_numpy()] = number
    return found.with_columns(pl.Series("commitment", column).replace(-1, None))


def _told(prepared: Prepared, solution: Solution, rules: Rules, most_pools: Callable[[int], int]) -> Choice:
    taken = prepared.options[solution.assignment[solution.assignment >= 0]].join(
        prepared.pools.select("number", "pool"), on="number", how="left", maintain_order="left"
    )
    best = prepared.options.group_by("loan_id", maintain_order=True).agg(best_cents=pl.col("proceeds_cents").max())
    chosen = taken.join(best, on="loan_id", how="left", maintain_order="left")
    chosen = chosen.join(_seconds(prepared, solution), on="loan_id", how="left", maintain_order="left")
    constant = sum(p.constant_cents for stack in prepared.stacks for p in stack.promises)
    greedy = solution.greedy_cents
    return Choice(
        chosen=chosen,
        pools=_pools(prepared, chosen, rules),
        promised=_promised(prepared.stacks, chosen, most_pools),
        unsold=pl.concat([prepared.unsold, _left(prepared, solution)]).sort(),
        solution=solution,
        proceeds_cents=solution.proceeds_cents + constant,
        bound_cents=solution.bound_cents + constant,
        greedy_cents=None if greedy is None else greedy + constant,
    )


def _left(prepared: Prepared, solution: Solution) -> pl.Series:
    """Loans that stay although they have offers."""
    return prepared.options["loan_id"].unique().sort().filter(pl.Series(solution.assignment < 0))


def _seconds(prepared: Prepared, solution: Solution) -> pl.DataFrame:
    """loan_id, second, behind_cents: the other pool that costs least, the worth of every binding rule counted in."""
    cost = prepared.options.select("row", "loan_id", "number").with_columns(reduced=solution.reduced)
    own = cost[solution.assignment[solution.assignment >= 0]].select(
        "loan_id", pl.col("reduced").alias("own"), pl.col("number").alias("mine")
    )
    others = cost.join(own, on="loan_id").filter(pl.col("number") != pl.col("mine"))
    first = others.sort("loan_id", "reduced", "row").unique("loan_id", keep="first", maintain_order=True)
    behind = ((pl.col("reduced") - pl.col("own")).clip(0) * 100).round().cast(pl.Int64)
    return first.join(prepared.pools.select("number", pl.col("pool").alias("second")), on="number").select(
        "loan_id", "second", behind.alias("behind_cents")
    )


def _pools(prepared: Prepared, chosen: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    sums = chosen.group_by("number").agg(
        pl.len().alias("loans"), pl.col("balance_cents").sum(), pl.col("proceeds_cents").sum()
    )
    least = pl.DataFrame(
        [(p, s, c) for (p, s), c in rules.min_pool_cents.items()],
        schema={"program": pl.Int8(), "series": pl.String(), "min_cents": pl.Int64()}, orient="row",
    )  # fmt: skip
    pools = prepared.pools.join(sums, on="number", how="inner", maintain_order="left")
    return pools.join(least, on=["program", "series"], how="left", maintain_order="left").drop("number")


def _promised(stacked: list[Stack], chosen: pl.DataFrame, most_pools: Callable[[int], int]) -> list[Row]:
    """Each commitment: what is delivered, what its price adds against the sheet, what is paid for what is missing, and
    a trade's pieces of pools."""
    lines = []
    for number, stack in enumerate(stacked):
        inside = chosen.filter(pl.col("commitment") == number)
        pools = inside.group_by("pool").agg(pl.col("balance_cents").sum()).sort("pool").rows()
        filled = stack.filled(sum(held for _, held in pools))
        for promise, delivered in zip(stack.promises, filled, strict=True):
            terms = promise.terms
            short, missing = max(promise.least_cents - delivered, 0), promise.aim_cents - delivered
            gain = promise.constant_cents - _ceil(missing * max(promise.over_e6, 0))
            line = {
                "id": terms.name, "kind": terms.kind, "amount_cents": terms.amount_cents,
                "price_e6": terms.price_e6, "sheet_price_e6": promise.sheet_e6, "delivered_cents": delivered,
                "gain_cents": gain, "short_cents": short, "pair_off_cents": _ceil(short * terms.short_e6),
            }  # fmt: skip
            if terms.kind == "trade":
                pieces = lots(pools, terms.amount_cents, promise.aim_cents)
                pools = _rest(pools, pieces)
                most = most_pools(terms.coupon_rate_e7 or 0)
                millions, pools_in_one = good(pieces, terms.amount_cents, terms.variance_e6, most)
                line |= {"pieces": _faces(pieces), "good_millions": millions, "most_pools_in_a_million": pools_in_one}
            lines.append(line)
    return lines


def _rest(pools: list[tuple[str, int]], pieces: list[Piece]) -> list[tuple[str, int]]:
    """What is left of the pools for the next trade."""
    taken = {row["pool"]: row["face_cents"] for row in _faces(pieces)}
    return [(name, held - taken.get(name, 0)) for name, held in pools]


def _faces(pieces: list[Piece]) -> list[Row]:
    """Face of each pool in a trade."""
    faces: dict[str, int] = {}
    for piece in pieces:
        faces[piece.pool] = faces.get(piece.pool, 0) + piece.face_cents
    return [{"pool": pool, "face_cents": face} for pool, face in faces.items()]


def _ceil(numerator: int) -> int:
    return -(-numerator // PRICE_PAR_E6)
