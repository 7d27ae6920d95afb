"""2, Conserved, of commitments: what was delivered fits the sales, and what was missing is what was paid for.

Amounts come from the sales, the sheet and the ledger's lines; what must equal them stands in the register of
commitments and in the deliveries.
"""

from __future__ import annotations

import polars as pl

from poolhouse.dates import last_day
from poolhouse.promises.evidence import Evidence
from poolhouse.promises.tally import Tally, beside

_PAR_E6, _MILLION = 10**8, 10**6
_TERMS = (
    "lender_id", "buyer_id", "program", "kind", "term_bucket", "coupon_rate_e7", "amount_cents", "tolerance_e6",
    "price_e6", "pair_off_e6", "committed_date", "expires",
)  # fmt: skip


def committed(evidence: Evidence) -> Tally:
    """Facts per commitment (ended once, when due, at its cost), per delivery and per party's cash of a day."""
    tally = Tally()
    register = evidence.book.records("commitments").drop("event_seq")
    deliveries = evidence.book.segment("deliveries")
    opened = register.filter(pl.col("state") == "open")
    ended = register.filter(pl.col("state") != "open")
    _made(tally, register, evidence)
    _delivered(tally, deliveries, opened, evidence)
    _filled(tally, deliveries, opened, ended, evidence)
    if ended.height:
        _costed(tally, ended, evidence)
    _banked(tally, ended, evidence)
    return tally


def _made(tally: Tally, register: pl.DataFrame, evidence: Evidence) -> None:
    """Made once, on terms that stay, and ended in the month in which it expires."""
    counts = register.group_by("commitment_id").agg(
        made=(pl.col("state") == "open").sum(), rows=pl.len(), terms=pl.struct(_TERMS).n_unique(),
        expires=pl.col("expires").first(), last=pl.col("month").max(),
    ).sort("commitment_id")  # fmt: skip
    closed = last_day(max(evidence.closed)) if evidence.closed else None
    due = pl.lit(False) if closed is None else pl.col("expires") <= closed
    month = pl.col("expires").dt.year() * 12 + pl.col("expires").dt.month() - 1
    ended = (pl.col("rows") == 2) & (pl.col("last") == month)
    tally.expect(
        counts,
        (pl.col("made") == 1) & (pl.col("terms") == 1) & pl.when(due).then(ended).otherwise(pl.col("rows") == 1),
        evidence.say("commitment {commitment_id}, expires {expires}: expected made once and ended then, found {rows}"),
    )


def _delivered(tally: Tally, deliveries: pl.DataFrame, opened: pl.DataFrame, evidence: Evidence) -> None:
    """Each delivery is a sale by the lender to the buyer, at the coupon, within the commitment's days."""
    sales = evidence.book.scan("sales").filter(pl.col("loan_id").is_in(deliveries["loan_id"].implode())).select(
        "loan_id", "seller_id", "buyer_id", "settlement_date", "proceeds_cents", sold_cents="scheduled_upb_cents",
        coupon="coupon_rate_e7", outlet="program", price="price_e6",
    ).collect()  # fmt: skip
    facts = deliveries.join(sales, on="loan_id", how="left").join(
        opened.select("commitment_id", *_TERMS), on="commitment_id", how="left", suffix="_promised"
    )
    pairs = (
        ("seller_id", "lender_id"), ("buyer_id", "buyer_id_promised"), ("outlet", "program"),
        ("coupon", "coupon_rate_e7"), ("sold_cents", "scheduled_upb_cents"), ("committed_price_e6", "price_e6"),
    )  # fmt: skip
    same = pl.all_horizontal(*(pl.col(a) == pl.col(b) for a, b in pairs))
    same &= pl.col("settlement_date").is_between(pl.col("committed_date"), pl.col("expires"))
    paid = (2 * pl.col("sold_cents") * pl.col("price") + _PAR_E6) // (2 * _PAR_E6)
    tally.expect(
        facts.sort("loan_id"),
        same & (pl.col("proceeds_cents") == paid),
        evidence.say(
            "{loan_id:loan}, delivered into {commitment_id}: expected its sale on the commitment's terms, found "
            "{sold_cents:cents} sold for {proceeds_cents:cents} on {settlement_date}"
        ),
    )


def _filled(
    tally: Tally, deliveries: pl.DataFrame, opened: pl.DataFrame, ended: pl.DataFrame, evidence: Evidence
) -> None:
    """No commitment takes more than its amount and tolerance, and its end tells what was delivered."""
    sums = deliveries.group_by("commitment_id").agg(given=pl.col("scheduled_upb_cents").sum(), count=pl.len())
    most = pl.col("amount_cents") + pl.col("amount_cents") * pl.col("tolerance_e6") // _MILLION
    tally.expect(
        opened.join(sums, on="commitment_id", how="left").with_columns(pl.col("given").fill_null(0), most=most),
        pl.col("given") <= pl.col("most"),
        evidence.say("commitment {commitment_id}: expected at most {most:cents}, found {given:cents} delivered"),
    )
    tally.expect(
        ended.join(sums, on="commitment_id", how="left").with_columns(pl.col("given", "count").fill_null(0)),
        (pl.col("given") == pl.col("delivered_cents")) & (pl.col("count") == pl.col("loans")),
        evidence.say(
            "commitment {commitment_id}, ended: expected {given:cents} by its loans, found {delivered_cents:cents}"
        ),
    )


def _costed(tally: Tally, ended: pl.DataFrame, evidence: Evidence) -> None:
    """What is missing beyond the tolerance, at the fee and what the sheet's price is above the promised one."""
    sheet = evidence.book.records("prices").select(
        "month", "program", "term_bucket", "coupon_rate_e7", market="price_e6"
    )
    facts = ended.join(sheet, on=["month", "program", "term_bucket", "coupon_rate_e7"], how="left")
    least = pl.col("amount_cents") - pl.col("amount_cents") * pl.col("tolerance_e6") // _MILLION
    facts = facts.with_columns(missing=(least - pl.col("delivered_cents")).clip(0)).sort("commitment_id")
    tally.expect(
        facts,
        (pl.col("short_cents") == pl.col("missing")) & pl.col("market_price_e6").eq_missing(pl.col("market")),
        evidence.say("commitment {commitment_id}: expected {missing:cents} missing, found {short_cents:cents}"),
    )
    above = (pl.col("market") - pl.col("price_e6")).clip(0).fill_null(0)
    rates = facts.select(
        pl.when(pl.col("kind") == "mandatory").then(pl.col("pair_off_e6") + above).otherwise(0)
    ).to_series()
    wanted = [(2 * m * r + _PAR_E6) // (2 * _PAR_E6) for m, r in zip(facts["missing"], rates, strict=True)]
    tally.expect(
        facts.with_columns(pl.Series("wanted", wanted, dtype=pl.Int64)),
        pl.col("cost_cents") == pl.col("wanted"),
        evidence.say("commitment {commitment_id}: expected a cost of {wanted:cents}, found {cost_cents:cents}"),
    )


def _banked(tally: Tally, ended: pl.DataFrame, evidence: Evidence) -> None:
    """Each party's cash of a day's pair-offs is the sum of the commitments behind it."""
    sides = [
        ended.filter(pl.col("cost_cents") > 0)
        .select(party_id=party, value_date="settled_date", wanted=sign * pl.col("cost_cents"))
        for party, sign in (("lender_id", -1), ("buyer_id", 1))
    ]  # fmt: skip
    keys = ["party_id", "value_date"]
    wanted = pl.concat(sides).group_by(keys).agg(pl.col("wanted").sum())
    events = evidence.kinds.filter(pl.col("kind") == "PairedOff")["event_seq"]
    lines = evidence.lines.filter(pl.col("event_seq").is_in(events.implode()) & (pl.col("account") == "cash"))
    tally.expect(
        beside(wanted, lines.group_by(keys).agg(posted=pl.col("cents").sum()), keys),
        pl.col("wanted") == pl.col("posted"),
        evidence.say(
            "pair-offs, {party_id:party}, {value_date}: expected {wanted:cents} by the commitments, found "
            "{posted:cents} in the ledger"
        ),
    )
