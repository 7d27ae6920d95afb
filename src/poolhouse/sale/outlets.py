"""What each outlet would pay for each loan, and which one pays best.

An offer is a loan at a program whose standards it meets (eligible, or eligible under named
assumptions; undetermined never). Its worth to the lender is the proceeds plus the value of the
servicing right kept. Ties go by the lender's approvals, then by hash.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from poolhouse import chance
from poolhouse.dates import first_day
from poolhouse.money import PRICE_PAR_E6, RATE_ONE, at_price, half_up_div
from poolhouse.rules import Rulebook, system_parties
from poolhouse.sale.execution import with_coupons, with_term_bucket
from poolhouse.tables.codes import ASSUMED, BOOK_PROGRAMS, FHLMC, FNMA, GNMA, PRIVATE

NOT_APPROVED, NO_COUPON, NO_PRICE, SALEABLE = range(4)
"""How far an offer gets: the stage of an offer, lowest first."""

_GINNIE_ISSUERS = ("issuer:ginnie-a", "issuer:ginnie-b")
_TENTHS = 10


def offers(
    loans: pl.DataFrame,
    checks: pl.DataFrame,
    lenders: pl.DataFrame,
    prices: pl.DataFrame,
    month: int,
    rulebook: Rulebook,
) -> pl.DataFrame:
    """One row per loan, program it qualifies for and permitted coupon (the highest first), sorted: buyer, price, worth,
    stage. A program that permits none has one row without a coupon.

    Columns: loan_id, program, seller_id, buyer_id, self_issued, released, approved, stage, coupon and
    fee rates, price_e6, proceeds_cents, right_cents (value of the servicing right), worth_cents,
    method, draw_key, scheduled_upb_cents.
    """
    as_of = first_day(month)
    fields = ["loan_id", "seller_id", "draw_key", "note_rate_e7", "term_months", "scheduled_upb_cents"]
    frame = (
        checks.filter(pl.col("answer") <= ASSUMED)
        .select("loan_id", "program")
        .join(loans.select(fields), on="loan_id")
        .join(_lender_outlets(lenders), on="seller_id", how="left")
        .sort("loan_id", "program")
    )
    frame = _coupons(with_term_bucket(_with_buyers(frame), as_of, rulebook), as_of, rulebook)
    sheet = prices.filter(pl.col("month") == month).select("program", "term_bucket", "coupon_rate_e7", "price_e6")
    frame = frame.join(sheet, on=["program", "term_bucket", "coupon_rate_e7"], how="left", maintain_order="left")
    stage = (
        pl.when(~pl.col("approved"))
        .then(NOT_APPROVED)
        .when(pl.col("coupon_rate_e7").is_null())
        .then(NO_COUPON)
        .when(pl.col("price_e6").is_null())
        .then(NO_PRICE)
        .otherwise(SALEABLE)
    )
    frame = frame.with_columns(stage.cast(pl.Int8).alias("stage"))
    return with_worth(_with_package(frame, month, rulebook), month, rulebook)


def _coupons(frame: pl.DataFrame, as_of: date, rulebook: Rulebook) -> pl.DataFrame:
    """Each row once for its highest coupon, and again for those below that are permitted too."""
    most = int(rulebook.get("sale.coupons", as_of))
    highest = with_coupons(frame, as_of, rulebook)
    lower = [with_coupons(frame, as_of, rulebook, below).drop_nulls("coupon_rate_e7") for below in range(1, most)]
    coupons = pl.concat([highest, *lower]).with_row_index("first")
    order = ["loan_id", "program", "first"]
    return coupons.sort(order).with_columns((pl.col("first") < frame.height).alias("highest")).drop("first")


def _lender_outlets(lenders: pl.DataFrame) -> pl.DataFrame:
    """A lender's approvals, and the Ginnie issuer it sells to when it is none itself."""
    issuers = [system_parties()[code]["party_id"] for code in _GINNIE_ISSUERS]
    pick = chance.below(chance.draws(0, chance.text_keys(lenders["code"]), 0, "sells to issuer"), len(issuers))
    return lenders.select(
        pl.col("party_id").cast(pl.Int32).alias("seller_id"),
        *("fnma", "fhlmc", "gnma", "private"),
        pl.Series("issuer_id", np.array(issuers, dtype=np.int32)[pick]),
    )


def buyers(lenders: pl.DataFrame) -> pl.DataFrame:
    """seller_id, program, buyer_id, approved and self_issued of each lender and program.

    lenders: party_id i32, code str, and the approvals fnma, fhlmc, gnma, private.
    """
    programs = pl.DataFrame({"program": range(1, len(BOOK_PROGRAMS))}, schema={"program": pl.Int8})
    frame = _with_buyers(_lender_outlets(lenders).join(programs, how="cross"))
    return frame.select("seller_id", "program", "buyer_id", "approved", "self_issued").sort("seller_id", "program")


def _with_buyers(frame: pl.DataFrame) -> pl.DataFrame:
    """Who buys under each program. A Ginnie issuer keeps its loans and issues itself."""
    purchasers = {FNMA: "fnma", FHLMC: "fhlmc", PRIVATE: "conduit"}
    ids = {program: system_parties()[code]["party_id"] for program, code in purchasers.items()}
    program = pl.col("program")
    own = (program == GNMA) & pl.col("gnma")
    buyer = (
        pl.when(own)
        .then("seller_id")
        .when(program == GNMA)
        .then("issuer_id")
        .otherwise(program.replace_strict(ids, default=None, return_dtype=pl.Int32))
    )
    approved = (
        pl.when(program == FNMA)
        .then("fnma")
        .when(program == FHLMC)
        .then("fhlmc")
        .when(program == PRIVATE)
        .then("private")
        .otherwise(True)  # an approved issuer does without a buyer, any lender may sell to one
    )
    return frame.with_columns(
        buyer.cast(pl.Int32).alias("buyer_id"),
        approved.alias("approved"),
        own.alias("self_issued"),
        ((program == GNMA) & ~pl.col("gnma")).alias("released"),
    ).drop("fnma", "fhlmc", "gnma", "private", "issuer_id")


def _with_package(frame: pl.DataFrame, month: int, rulebook: Rulebook) -> pl.DataFrame:
    """Method: a package when the lender has enough loans this month that the program would price."""
    bulk = rulebook.get("sale.bulk", first_day(month))
    offered = (pl.col("price_e6").is_not_null() & pl.col("highest")).sum().over("seller_id", "program")
    package = (offered >= bulk["loans"]) & ~pl.col("self_issued")
    return frame.with_columns(
        pl.when(package).then(pl.lit("bulk")).otherwise(pl.lit("flow")).alias("method"),
        pl.when(package).then(pl.col("price_e6") - bulk["concession_e6"]).otherwise("price_e6").alias("price_e6"),
    ).drop("highest")


def with_worth(frame: pl.DataFrame, month: int, rulebook: Rulebook) -> pl.DataFrame:
    """A base price with buy-up and released servicing, proceeds, servicing right, and their sum to the lender.

    A rate in e7 times a multiple in tenths is a price in e6: 1 bp is 1_000, three times 1 bp of fee
    is 0.03 of price, 30_000.
    """
    multiples = rulebook.get("sale.multiples", first_day(month))
    released = pl.when("released").then(pl.col("servicing_fee_rate_e7").cast(pl.Int64)).otherwise(0)
    buy_up = pl.col("buy_up_rate_e7").cast(pl.Int64)
    frame = frame.with_columns(pl.col("price_e6") + buy_up * multiples["buy_up"] + released * multiples["released"])
    upb = frame["scheduled_upb_cents"].to_numpy()
    fee = frame["servicing_fee_rate_e7"].cast(pl.Int64).fill_null(0).to_numpy()
    frame = frame.with_columns(
        pl.Series("proceeds_cents", at_price(upb, frame["price_e6"].fill_null(PRICE_PAR_E6).to_numpy())),
        pl.Series("right_cents", half_up_div(upb * (fee * multiples["servicing_right"]), RATE_ONE * _TENTHS)),
    )
    kept = pl.when("released").then(0).otherwise("right_cents")
    return frame.with_columns((pl.col("proceeds_cents") + kept).alias("worth_cents"))


def best(offered: pl.DataFrame, month: int) -> pl.DataFrame:
    """The best saleable offer of each loan, sorted by loan_id, with `tie` ('' | approvals | hash).

    approvals: another program would have paid the same, but the lender isn't approved by it.
    """
    frame = offered.filter(pl.col("coupon_rate_e7").is_not_null() & pl.col("price_e6").is_not_null())
    frame = frame.with_columns(_lot(frame, month), (pl.col("stage") == SALEABLE).alias("open"))
    top = pl.col("worth_cents").filter("open").max().over("loan_id")
    frame = frame.filter(pl.col("worth_cents") == top)
    equals = pl.col("program").filter("open").n_unique().over("loan_id")
    closed = (~pl.col("open")).sum().over("loan_id")
    tie = (
        pl.when(equals > 1)
        .then(pl.lit("hash"))
        .when(closed > 0)
        .then(pl.lit("approvals"))
        .otherwise(pl.lit(""))
        .alias("tie")
    )
    order = ["loan_id", "lot", "program", "coupon_rate_e7"]
    chosen = frame.with_columns(tie).filter("open").sort(order, descending=[False, False, False, True])
    return chosen.unique("loan_id", keep="first", maintain_order=True).drop("lot", "open")


def _lot(frame: pl.DataFrame, month: int) -> pl.Series:
    """A draw per loan and program: the lowest wins a tie."""
    keys, program = frame["draw_key"].to_numpy(), frame["program"].to_numpy()
    lot = np.zeros(frame.height, dtype=np.uint64)
    for code, name in enumerate(BOOK_PROGRAMS[1:], start=1):
        here = program == code
        lot[here] = chance.draws(0, keys[here], month, f"outlet {name}")
    return pl.Series("lot", lot)
