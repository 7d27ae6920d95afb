"""A book's month: all lenders' loans chosen together, so that pools fill and no loan waits that needn't.

Loan by loan the best outlet is known (`outlets.best`). Where the loans so chosen leave a pool short of its smallest
size, every loan that could go there is chosen again, all at once: a loan that waits for its pool costs
`sale.waiting_cost_e6`. Among equals the loan-by-loan choice stays.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from poolhouse.dates import first_day
from poolhouse.execution.problem import Problem, Total
from poolhouse.execution.solve import solve
from poolhouse.money import PRICE_PAR_E6, half_up_div
from poolhouse.rules import Rulebook
from poolhouse.sale.outlets import SALEABLE, best
from poolhouse.tables.codes import BOOK_PROGRAMS, GNMA, PRIVATE

POOL = ["program", "pool_term", "coupon_rate_e7"]
NONE_WAITING = pl.DataFrame(
    schema={
        "program": pl.Int8(), "term_months": pl.Int16(), "coupon_rate_e7": pl.Int32(), "scheduled_upb_cents": pl.Int64()
    }
)  # fmt: skip
"""Loans bought in earlier months whose pools weren't full: what `together` wants of them."""
_SCALE = 4
"""Worth is counted in quarters of a cent: one of them decides between equals."""
_SECONDS = 600.0


def together(
    offered: pl.DataFrame, waiting: pl.DataFrame, terms: pl.DataFrame, month: int, rulebook: Rulebook
) -> pl.DataFrame:
    """`best` of the month, with other offers taken where that fills pools. Rows and columns as `best` has them.

    offered: `outlets.offers`. waiting: NONE_WAITING's columns. terms: loan_id, term_months.
    """
    alone = best(offered, month)
    as_of = first_day(month)
    options = _with_pools(offered.filter(pl.col("stage") == SALEABLE).join(terms, on="loan_id"), as_of, rulebook)
    mine = _with_pools(alone.join(terms, on="loan_id"), as_of, rulebook)
    held = pl.concat([_with_pools(waiting, as_of, rulebook), mine.select(*waiting.columns, "pool_term")])
    short = _short(held, options, as_of, rulebook)
    free = options.join(short, on=POOL, how="semi")["loan_id"].unique().sort()
    if not len(free):
        return alone
    options = options.filter(pl.col("loan_id").is_in(free.implode()))
    fixed = pl.concat(
        [
            _with_pools(waiting, as_of, rulebook),
            mine.filter(~pl.col("loan_id").is_in(free.implode())).select(*waiting.columns, "pool_term"),
        ]
    )
    return _chosen(alone, options, free, fixed, as_of, rulebook)


def _with_pools(frame: pl.DataFrame, as_of: date, rulebook: Rulebook) -> pl.DataFrame:
    """Plus pool_term: the program's shortest pool that holds the term."""
    term = pl.lit(None, pl.Int16)
    for program in range(1, len(BOOK_PROGRAMS)):
        buckets = rulebook.get(f"pooling.term_buckets{_suffix(program)}", as_of, program=BOOK_PROGRAMS[program])
        for months in sorted(buckets, reverse=True):
            fits = (pl.col("program") == program) & (pl.col("term_months") <= months)
            term = pl.when(fits).then(pl.lit(months, pl.Int16)).otherwise(term)
    return frame.with_columns(term.alias("pool_term"))


def _suffix(program: int) -> str:
    """Private pools' numbers stand among the assumptions."""
    return ".private" if program == PRIVATE else ""


def _smallest(as_of: date, rulebook: Rulebook) -> pl.DataFrame:
    rows = []
    for program in range(1, len(BOOK_PROGRAMS)):
        asked = {"program": BOOK_PROGRAMS[program], **({"series": "ginnie2"} if program == GNMA else {})}
        rows.append((program, int(rulebook.get(f"pooling.min_pool_cents{_suffix(program)}", as_of, **asked))))
    return pl.DataFrame(rows, schema={"program": pl.Int8(), "least_cents": pl.Int64()}, orient="row")


def _short(held: pl.DataFrame, options: pl.DataFrame, as_of: date, rulebook: Rulebook) -> pl.DataFrame:
    """Pools that hold something, or could, and less than their smallest size: POOL and least_cents."""
    sums = held.group_by(POOL).agg(pl.col("scheduled_upb_cents").sum())
    every = pl.concat([held.select(POOL), options.select(POOL)]).unique().drop_nulls("pool_term")
    short = every.join(sums, on=POOL, how="left").join(_smallest(as_of, rulebook), on="program")
    short = short.filter(pl.col("scheduled_upb_cents").fill_null(0) < pl.col("least_cents"))
    return short.select(*POOL, "least_cents").sort(POOL)


def _chosen(
    alone: pl.DataFrame, options: pl.DataFrame, free: pl.Series, fixed: pl.DataFrame, as_of: date, rulebook: Rulebook
) -> pl.DataFrame:
    """The free loans chosen together, the others as they were."""
    keys = ["loan_id", "program", "coupon_rate_e7"]
    picked = alone.select(keys).with_columns(picked=pl.lit(1))
    options = options.join(picked, on=keys, how="left", maintain_order="left").with_row_index("row")
    pools = options.select(POOL).unique().sort(POOL).with_row_index("pool")
    options = options.join(pools, on=POOL, how="left", nulls_equal=True, maintain_order="left")
    cost = int(rulebook.get("sale.waiting_cost_e6", as_of))
    upb = options["scheduled_upb_cents"].to_numpy()
    worth = options["worth_cents"].to_numpy() * _SCALE + options["picked"].fill_null(0).to_numpy()
    waits = worth - half_up_div(upb * cost, PRICE_PAR_E6) * _SCALE
    loan = pl.Series(free.search_sorted(options["loan_id"])).cast(pl.Int64)
    base = pl.DataFrame({"loan": loan, "pool": options["pool"].cast(pl.Int64)})
    problem = Problem(
        loans=options.unique("loan_id", keep="first", maintain_order=True).select(
            balance_cents=pl.col("scheduled_upb_cents")
        ),
        offers=pl.concat([
            base.with_columns(pl.Series("value_cents", value), pl.lit(placed).alias("placed"))
            for value, placed in ((worth, True), (waits, False))
        ]),
        pools=pools.select("pool"),
        limits=_minimums(pools, fixed, as_of, rulebook),
    )  # fmt: skip
    found = solve(problem, clock=_no_clock, seconds=_SECONDS, prove=False).assignment % options.height
    taken = options[np.sort(found)].select(*keys)
    return _merged(alone, options, taken)


def _merged(alone: pl.DataFrame, options: pl.DataFrame, taken: pl.DataFrame) -> pl.DataFrame:
    """Loans that moved have their new offer's columns; a tie no longer decided them."""
    moved = taken.join(alone, on=taken.columns, how="anti")
    rows = options.join(moved, on=taken.columns, how="semi").with_columns(tie=pl.lit(""))
    kept = alone.join(moved, on="loan_id", how="anti")
    return pl.concat([kept, rows.select(alone.columns)]).sort("loan_id")


def _minimums(pools: pl.DataFrame, fixed: pl.DataFrame, as_of: date, rulebook: Rulebook) -> tuple[Total, ...]:
    """One for each pool that isn't full without the loans in question: what those must bring if any is placed there."""
    sums = fixed.group_by(POOL).agg(pl.col("scheduled_upb_cents").sum())
    rows = pools.join(sums, on=POOL, how="left", nulls_equal=True, maintain_order="left")
    rows = rows.join(_smallest(as_of, rulebook), on="program", how="left", maintain_order="left")
    need = pl.col("least_cents") - pl.col("scheduled_upb_cents").fill_null(0)
    lacking = rows.select("pool", need.alias("need")).filter(pl.col("need") > 0)
    return tuple(
        Total(name="smallest pool", where={"pool": pool, "placed": True}, min_if_used=least)
        for pool, least in zip(lacking["pool"].to_list(), lacking["need"].to_list(), strict=True)
    )


def _no_clock() -> float:
    """A month's choice must come out the same on any machine: it ends when it is done, not when time is up."""
    return 0.0
