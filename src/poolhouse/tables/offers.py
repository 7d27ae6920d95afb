"""Contract of priced offers: what each outlet pays for each loan, part by part."""

from __future__ import annotations

from poolhouse.tables.contract import Table, columns

PARTS = (
    "base_e6", "payup_e6", "buy_up_e6", "buy_down_e6", "llpa_e6", "servicing_e6", "excess_e6", "mi_e6", "hedge_e6",
    "delivery_e6", "carry_e6", "credit_e6",
)  # fmt: skip
"""Columns of an offer whose exact sum is `all_in_e6`, in the order a desk reads them."""

OFFERS = Table(
    "offers",
    1,
    columns(
        """
loan_id i32 - the loan
program i8 - codes.PROGRAMS, 0: held in portfolio
execution str - swap | cash | conduit | hold
servicing str - kept | released
coupon_rate_e7 i32? e7 - swap: the pool's coupon; cash: the pass-through rate; else null
term_bucket i16 months - of the price
guaranty_fee_rate_e7 i32 e7 - ongoing guaranty fee after buy-up or buy-down; 0 where none is stripped
servicing_fee_rate_e7 i32 e7 - what the servicer keeps
buy_up_rate_e7 i32 e7 - part of the guaranty fee bought up (negative: bought down)
excess_rate_e7 i32 e7 - kept beyond the servicing fee
base_e6 i64 e6 - TBA, cash-window or conduit price; hold: present value before costs
payup_e6 i64 e6 - above the TBA price
buy_up_e6 i64 e6 - received for the fee bought up
buy_down_e6 i64 e6 - paid for the fee bought down (<= 0)
llpa_e6 i64 e6 - loan-level price adjustments (<= 0), or the conduit's own
servicing_e6 i64 e6 - value of the servicing kept, or paid for it released; hold: cost of servicing
excess_e6 i64 e6 - value of the excess
mi_e6 i64 e6 - lender-paid mortgage insurance (<= 0)
hedge_e6 i64 e6 - cost of the hedge (<= 0)
delivery_e6 i64 e6 - cost of delivery (<= 0)
carry_e6 i64 e6 - interest earned less the funding line's until the money comes; hold: charge for capital
credit_e6 i64 e6 - expected credit loss (hold)
all_in_e6 i64 e6 - sum of the parts, per 100 of balance
balance_cents i64 cents - scheduled balance sold
proceeds_cents i64 cents - half-up(balance x all_in / 100)
settlement_date date - the money comes; hold: the day of pricing
"""
    ),
    key=("loan_id", "program", "execution", "coupon_rate_e7", "servicing"),
    sort=("loan_id", "program", "execution", "coupon_rate_e7", "servicing"),
)
