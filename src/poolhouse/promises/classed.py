"""4, Factored, of pools issued as deals: what the loans brought is what the classes got, and who lost bore it in order.

From the registers alone, by what must hold of any deal: no rule of a deal's own is run here. The loans' side comes from
the remittances, the classes' from their months, the order of losses from the securities' record and the deal's text.
"""

from __future__ import annotations

import tomllib

import polars as pl

from poolhouse.promises.evidence import Evidence
from poolhouse.promises.tally import Tally, beside

ONE_E8 = 10**8
NET_WAC = "net_wac"

_BROUGHT = (
    "opening_scheduled_cents", "investor_interest_cents", "scheduled_principal_cents", "unscheduled_principal_cents",
    "loss_cents", "closing_scheduled_cents",
)  # fmt: skip


def classed(evidence: Evidence) -> Tally:
    """Facts per deal at issue, per deal and month, and per class and month."""
    tally = Tally()
    _issued(evidence, tally)
    dates, classes = evidence.book.segment("deal_months"), _classes(evidence)
    _every_month(evidence, dates, classes, tally)
    _brought(evidence, dates, tally)
    _classes_alone(evidence, classes.join(dates, on=["month", "pool_id"], suffix="_of_pool"), tally)
    _in_order(evidence, classes, tally)
    _together(evidence, dates, classes, tally)
    _by_terms(evidence, tally)
    return tally


def _issued(evidence: Evidence, tally: Tally) -> None:
    """Securities of every pool sum to its face; those of a pool with a deal are classes, and no other's are."""
    deals = evidence.book.records("deals").select("pool_id", deal=pl.lit(True))
    by_pool = evidence.securities.group_by("pool_id").agg(
        size=pl.col("original_face_cents").sum(), classes=(pl.col("class_name") != "").sum(), securities=pl.len()
    )
    facts = evidence.pools.select("pool_id", "face_cents", "guarantee").join(by_pool, on="pool_id", how="left")
    facts = facts.join(deals, on="pool_id", how="left").with_columns(pl.col("deal").fill_null(False))
    tally.expect(
        facts.sort("pool_id"),
        (pl.col("size") == pl.col("face_cents"))
        & (pl.col("deal") == (pl.col("guarantee") == "none"))
        & (pl.col("classes") == pl.when("deal").then("securities").otherwise(0)),
        evidence.say(
            "{pool_id:pool} at issue: expected securities of {face_cents:cents}, classes when nobody guarantees it, "
            "found {size:cents} in {securities}, of which classes {classes}"
        ),
    )


def _by_terms(evidence: Evidence, tally: Tally) -> None:
    """A deal's classes, and the order in which they bear losses, are those of its text."""
    ranks: dict[int, dict[str, int]] = {}
    for pool, name, rank in evidence.securities.select("pool_id", "class_name", "loss_rank").iter_rows():
        ranks.setdefault(pool, {})[name] = rank
    for pool, terms in evidence.book.records("deals").sort("pool_id").select("pool_id", "terms").iter_rows():
        wanted, found = _order(terms), ranks.get(pool, {})
        text = (
            "deal of {pool:pool}: expected classes that bear losses in the order {wanted} by its terms, found {found}"
        )
        tally.fact(wanted == found, evidence.say(text, pool=pool, wanted=wanted, found=found))


def _order(terms: str) -> dict[str, int]:
    """Rank by class, 0 bears losses last; empty when the text can't be read."""
    try:
        losses = tomllib.loads(terms)["deal"]["losses"]
        groups = [group if isinstance(group, list) else [group] for group in reversed(losses)]
    except (ValueError, KeyError, TypeError):
        return {}
    return {name: rank for rank, group in enumerate(groups) for name in group}


def _every_month(evidence: Evidence, dates: pl.DataFrame, classes: pl.DataFrame, tally: Tally) -> None:
    """A deal has a payment date, and each of its classes a row, in every month closed since its issue."""
    issues = evidence.securities.filter(pl.col("class_name") != "").select("pool_id", "security_id", "issue_month")
    months = pl.DataFrame({"month": list(evidence.closed)}, schema={"month": pl.Int32})
    wanted = issues.join(months, how="cross").filter(pl.col("month") > pl.col("issue_month"))
    found = wanted.join(dates.select("month", "pool_id", date=pl.lit(True)), on=["month", "pool_id"], how="left").join(
        classes.select("month", "security_id", row=pl.lit(True)), on=["month", "security_id"], how="left"
    )
    tally.expect(
        found.sort("month", "security_id"),
        pl.col("date") & pl.col("row"),
        evidence.say("{month:month}, {security_id:security}: expected its month and its deal's, found none"),
    )


def _classes(evidence: Evidence) -> pl.DataFrame:
    """CLASS_MONTHS with the security's terms, and what stood after the month before (or at the issue) as was_..."""
    terms = evidence.securities.select(
        "security_id", "loss_rank", "original_face_cents", "class_rate_e7", "rate_type", "issue_month"
    )
    rows = evidence.book.segment("class_months").join(terms, on="security_id", how="left")
    before = rows.select(
        pl.col("month") + 1, "security_id", was_closing="closing_cents", was_unpaid="unpaid_cents",
        was_factor="factor_e8",
    )  # fmt: skip
    first = pl.col("month") == pl.col("issue_month") + 1
    return rows.join(before, on=["month", "security_id"], how="left").with_columns(
        pl.when(first).then("original_face_cents").otherwise("was_closing").alias("was_closing"),
        pl.when(first).then(0).otherwise("was_unpaid").alias("was_unpaid"),
        pl.when(first).then(ONE_E8).otherwise("was_factor").alias("was_factor"),
    ).sort("month", "security_id")  # fmt: skip


def _brought(evidence: Evidence, dates: pl.DataFrame, tally: Tally) -> None:
    """Each deal's month rests on what the servicers remitted for its pool."""
    register = evidence.book.segment("pool_months").group_by("month", "pool_id").agg(pl.col(*_BROUGHT).sum())
    pools = dates.select("month", "pool_id").join(register, on=["month", "pool_id"], how="left")
    both = dates.join(pools.with_columns(pl.col(*_BROUGHT).fill_null(0)), on=["month", "pool_id"], suffix="_remitted")
    tally.expect(
        both.sort("month", "pool_id"),
        pl.all_horizontal(pl.col(name) == pl.col(f"{name}_remitted") for name in _BROUGHT),
        evidence.say(
            "{month:month}, deal of {pool_id:pool}: expected {investor_interest_cents_remitted:cents} interest, "
            "{scheduled_principal_cents_remitted:cents} + {unscheduled_principal_cents_remitted:cents} principal and "
            "{loss_cents_remitted:cents} lost by the remittances, found {investor_interest_cents:cents}, "
            "{scheduled_principal_cents:cents} + {unscheduled_principal_cents:cents} and {loss_cents:cents}"
        ),
    )


def _classes_alone(evidence: Evidence, rows: pl.DataFrame, tally: Tally) -> None:
    """Balances follow from one another, the factor from the balance, interest from the balance before."""
    opening, after = pl.col("opening_cents"), pl.col("closing_cents")
    share = _half_up(opening, pl.col("investor_interest_cents"), pl.col("opening_scheduled_cents"))
    fixed = _half_up(opening, pl.col("class_rate_e7"), pl.lit(120_000_000))
    due = pl.when(pl.col("rate_type") == NET_WAC).then(share).otherwise(fixed)
    found = rows.with_columns(
        due=due.cast(pl.Int64),
        wanted_factor=_half_up(after, pl.lit(ONE_E8), pl.col("original_face_cents")).cast(pl.Int64),
        wanted_closing=opening - pl.col("principal_cents") - pl.col("loss_cents"),
    )
    say = evidence.say
    for holds, text in (
        (opening == pl.col("was_closing"), "expected to open with {was_closing:cents}, found {opening_cents:cents}"),
        (
            (after == pl.col("wanted_closing")) & (after >= 0)
            & (pl.min_horizontal("principal_cents", "loss_cents", "interest_cents", "unpaid_cents") >= 0),
            "expected to close with {wanted_closing:cents} and nothing negative, found {closing_cents:cents}",
        ),
        (
            pl.col("interest_cents") + pl.col("unpaid_cents") == pl.col("due") + pl.col("was_unpaid"),
            "interest, expected {due:cents} + {was_unpaid:cents} from before, found {interest_cents:cents} paid and "
            "{unpaid_cents:cents} owed",
        ),
        (
            (pl.col("factor_e8") == pl.col("wanted_factor")) & (pl.col("prior_factor_e8") == pl.col("was_factor")),
            "factors, expected {was_factor:factor} and {wanted_factor:factor}, found {prior_factor_e8:factor} and "
            "{factor_e8:factor}",
        ),
    ):  # fmt: skip
        tally.expect(found, holds, say("{month:month}, {security_id:security}: " + text))


def _half_up(a: pl.Expr, b: pl.Expr, bottom: pl.Expr) -> pl.Expr:
    """a x b / bottom in 128 bits, a half goes up; 0 where the bottom is."""
    wide = a.cast(pl.Int128) * b.cast(pl.Int128)
    under = bottom.cast(pl.Int128)
    safe = pl.when(under > 0).then(under).otherwise(1)
    return pl.when(under > 0).then((2 * wide + safe) // (2 * safe)).otherwise(0)


def _in_order(evidence: Evidence, classes: pl.DataFrame, tally: Tally) -> None:
    """A class bears a loss only when those that bear losses before it have nothing left."""
    below = classes.select("month", "pool_id", rank_below="loss_rank", left_below="closing_cents")
    pairs = classes.filter(pl.col("loss_cents") > 0).join(below, on=["month", "pool_id"])
    pairs = pairs.filter(pl.col("rank_below") > pl.col("loss_rank"))
    facts = classes.join(
        pairs.group_by("month", "security_id").agg(pl.col("left_below").sum()), on=["month", "security_id"], how="left"
    ).with_columns(pl.col("left_below").fill_null(0))
    tally.expect(
        facts,
        pl.col("left_below") == 0,
        evidence.say(
            "{month:month}, {security_id:security} lost {loss_cents:cents}: expected nothing left of the classes below "
            "it, found {left_below:cents}"
        ),
    )


def _together(evidence: Evidence, dates: pl.DataFrame, classes: pl.DataFrame, tally: Tally) -> None:
    """What a pool brought is what its classes got and what stays in the trust; they lose what the trust no longer
    covers, and no more."""
    names = ("opening_cents", "interest_cents", "principal_cents", "loss_cents", "closing_cents")
    sums = classes.group_by("month", "pool_id").agg(*[pl.col(name).sum().alias(f"all_{name}") for name in names])
    facts = beside(dates, sums, ["month", "pool_id"])
    brought = pl.sum_horizontal(
        "investor_interest_cents", "scheduled_principal_cents", "unscheduled_principal_cents"
    ) - pl.col("rest_cents")  # fmt: skip
    uncovered = pl.col("all_opening_cents") - pl.col("all_principal_cents") - pl.col("closing_scheduled_cents")
    facts = facts.with_columns(
        brought=brought, got=pl.col("all_interest_cents") + pl.col("all_principal_cents"),
        lost=pl.max_horizontal(uncovered, pl.lit(0, pl.Int64)),
    ).sort("month", "pool_id")  # fmt: skip
    say = evidence.say
    for holds, text in (
        (
            (pl.col("got") == pl.col("brought")) & (pl.col("rest_cents") >= 0),
            "expected {brought:cents} for its classes, brought less what stays, found {got:cents}",
        ),
        (
            (pl.col("all_loss_cents") == pl.col("lost"))
            & (pl.col("all_closing_cents") <= pl.col("closing_scheduled_cents")),
            "expected the classes to lose {lost:cents}, what the trust's {closing_scheduled_cents:cents} don't cover, "
            "found {all_loss_cents:cents} and {all_closing_cents:cents} left",
        ),
    ):  # fmt: skip
        tally.expect(facts, holds, say("{month:month}, deal of {pool_id:pool}: " + text))
