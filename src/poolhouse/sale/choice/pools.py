"""Which pool each offer would go into. A swap's loan has several: the usual TBA pool, a pool of small loans that is
paid up for, a pool of high-balance loans, a Ginnie I pool of its one note rate. Everything else is no pool.

Servicing kept or released changes no pool: of the two the one that pays more stays.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import polars as pl

from poolhouse.dates import first_day, month_of
from poolhouse.money import at_price
from poolhouse.rules import Rulebook
from poolhouse.sale.pricing.llpa import general_limit
from poolhouse.tables.codes import FHLMC, FNMA, GNMA, PROGRAMS

UMBS, GINNIE_1, GINNIE_2 = "umbs", "ginnie1", "ginnie2"
TBA, SPECIFIED, HIGH = "tba", "specified", "high-balance"
NONSTANDARD = ("coop", "relocation", "buydown")
"""What Selling Guide C3-4-02 calls nonstandard: each a column of yes and no of the loans."""
SERIES = {FNMA: UMBS, FHLMC: UMBS, GNMA: GINNIE_2}
POOL_KEY = ["program", "execution", "series", "pool_term", "coupon_rate_e7", "story", "payup_e6"]
"""What loans of a pool have in common; `payup_e6` tells specified pools apart, elsewhere it is one number."""

_YEAR = 12


def facts(loans: pl.DataFrame, as_of: date, rulebook: Rulebook) -> pl.DataFrame:
    """loan_id and what pools ask of a loan. Not known counts as no: only what a tape says is nonstandard."""
    high = pl.Series("high", loans["note_amount_cents"].to_numpy() > general_limit(loans, as_of, rulebook))
    return loans.select(
        "loan_id", "note_rate_e7", "term_months", "first_due_date", "state", "ltv_e4", high,
        pl.col("score_mid").alias("score"),
        (pl.col("property_type") == "coop").alias("coop"),
        pl.col("relocation").fill_null(False),
        pl.col("buydown").fill_null(False),
    ).with_columns(nonstandard=pl.any_horizontal(NONSTANDARD))  # fmt: skip


def options(offered: pl.DataFrame, about: pl.DataFrame, as_of: date, rulebook: Rulebook) -> pl.DataFrame:
    """OFFERS rows once for each pool that they may go to, plus POOL_KEY; sorted by loan_id, best first.

    about: `facts`. Left out: swaps of loans too old for a pool of the program. `proceeds_cents` follows the pool.
    """
    swap = pl.col("execution") == "swap"
    others = offered.filter(~swap).with_columns(
        pl.lit("").alias("series"), pl.lit("").alias("story"), pl.col("term_bucket").alias("pool_term")
    )
    loans = about.select("loan_id", "note_rate_e7", "term_months", "first_due_date", "high")
    swaps = _young(offered.filter(swap).join(loans, on="loan_id", how="left"), as_of, rulebook)
    swaps = _with_term(swaps, as_of, rulebook)
    spreads = rulebook.get("pricing.pool_spreads", as_of)
    variants = pl.concat([others.select(_columns(others)), *_variants(swaps, spreads, as_of, rulebook)])
    price = pl.sum_horizontal("all_in_e6", "change_e6")
    priced = variants.with_columns(price.alias("all_in_e6")).drop("change_e6")
    priced = priced.with_columns(
        pl.Series("proceeds_cents", at_price(priced["balance_cents"].to_numpy(), priced["all_in_e6"].to_numpy()))
    )
    best = priced.sort(["loan_id", *POOL_KEY, "proceeds_cents", "servicing"], descending=[False] * 8 + [True, False])
    best = best.unique(["loan_id", *POOL_KEY], keep="first", maintain_order=True)
    order = ["proceeds_cents", "program", "execution", "coupon_rate_e7", "series", "story"]
    return best.sort(["loan_id", *order], descending=[False, True, *[False] * 5])


def _columns(frame: pl.DataFrame) -> list[pl.Expr]:
    """The frame's columns in one order for every variant, `change_e6` against the offer's price last."""
    names = ["note_rate_e7", "term_months", "first_due_date", "high", "change_e6"]
    change = pl.col("change_e6") if "change_e6" in frame.columns else pl.lit(0, pl.Int64).alias("change_e6")
    kept = [c for c in frame.columns if c not in names]
    return [*(pl.col(c) for c in sorted(kept)), change]


def _variants(swaps: pl.DataFrame, spreads: dict[str, int], as_of: date, rulebook: Rulebook) -> list[pl.DataFrame]:
    series = pl.col("program").replace_strict(SERIES, return_dtype=pl.String).alias("series")
    usual = swaps.with_columns(
        series,
        pl.lit(TBA).alias("story"),
        (-pl.col("payup_e6")).alias("change_e6"),
        pl.lit(0, pl.Int64).alias("payup_e6"),
    )
    special = swaps.filter(pl.col("payup_e6") > 0).with_columns(
        series, pl.lit(SPECIFIED).alias("story"), pl.lit(0, pl.Int64).alias("change_e6")
    )
    spread = int(spreads["high_balance"])
    high = usual.filter("high").with_columns(
        pl.lit(HIGH).alias("story"),
        (pl.col("change_e6") + spread).alias("change_e6"),
        pl.lit(spread, pl.Int64).alias("payup_e6"),
    )
    between, more = rulebook.get("pooling.ginnie1_spread_e7", as_of), int(spreads["ginnie1"])
    exact = (pl.col("note_rate_e7") - pl.col("coupon_rate_e7") == between) & (pl.col("excess_rate_e7") == 0)
    first = usual.filter((pl.col("program") == GNMA) & exact & ~pl.col("high")).with_columns(
        pl.lit(GINNIE_1).alias("series"),
        (pl.col("change_e6") + more).alias("change_e6"),
        pl.lit(more, pl.Int64).alias("payup_e6"),
    )
    return [frame.select(_columns(frame)) for frame in (usual, special, high, first)]


def _young(swaps: pl.DataFrame, as_of: date, rulebook: Rulebook) -> pl.DataFrame:
    """Loans whose first instalment isn't too long before the issue date."""
    parts = []
    for program in SERIES:
        age = rulebook.get("pooling.max_first_payment_age_months", as_of, program=PROGRAMS[program])
        oldest = first_day(month_of(as_of) - age)
        parts.append(swaps.filter((pl.col("program") == program) & (pl.col("first_due_date") >= oldest)))
    return pl.concat(parts)


def _with_term(swaps: pl.DataFrame, as_of: date, rulebook: Rulebook) -> pl.DataFrame:
    """Plus pool_term i16: the program's shortest pool that holds the loan's term; longer loans are left out."""
    parts = []
    for program in SERIES:
        term = pl.lit(None, pl.Int16)
        for months in sorted(rulebook.get("pooling.term_buckets", as_of, program=PROGRAMS[program]), reverse=True):
            term = pl.when(pl.col("term_months") <= months).then(pl.lit(months, pl.Int16)).otherwise(term)
        here = swaps.filter(pl.col("program") == program).with_columns(term.alias("pool_term"))
        parts.append(here.drop_nulls("pool_term"))
    return pl.concat(parts)


def named(pools: pl.DataFrame) -> pl.DataFrame:
    """Plus `pool`, as a desk calls it: fnma 30y 4.0 specified +0.75, gnma I 30y 4.5, fnma cash 30y 4.375."""
    program = pl.col("program").replace_strict(dict(enumerate(PROGRAMS)), return_dtype=pl.String)
    execution = pl.col("execution").replace_strict(
        {"swap": "", "cash": " cash", "conduit": " conduit", "hold": "held"}, return_dtype=pl.String
    )
    series = pl.col("series").replace_strict({GINNIE_1: " I", GINNIE_2: " II"}, default="", return_dtype=pl.String)
    held = pl.col("execution") == "hold"
    term = pl.when(held).then(pl.lit("")).otherwise(pl.format(" {}y", pl.col("pool_term") // _YEAR))
    rate = (
        pl.when(pl.col("coupon_rate_e7").is_null()).then(pl.lit("")).otherwise(_words("coupon_rate_e7", pools, 5, " "))
    )
    story = (
        pl.when(pl.col("story") == SPECIFIED).then(pl.lit(" specified") + _words("payup_e6", pools, 6, " +"))
        .when(pl.col("story") == HIGH).then(pl.lit(f" {HIGH}")).otherwise(pl.lit(""))
    )  # fmt: skip
    return pools.with_columns(pl.concat_str(program, series, execution, term, rate, story).alias("pool"))


def _words(column: str, pools: pl.DataFrame, digits: int, before: str) -> pl.Expr:
    """A scaled integer as a decimal number with one digit behind the point at least."""
    values = pools[column].drop_nulls().unique().to_list()
    words = {v: f"{before}{_decimal(Decimal(v).scaleb(-digits))}" for v in values}
    return pl.col(column).replace_strict(words, default="", return_dtype=pl.String)


def _decimal(number: Decimal) -> str:
    whole, _, rest = f"{number:f}".partition(".")
    return f"{whole}.{rest.rstrip('0') or '0'}"
