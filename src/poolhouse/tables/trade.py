"""Contracts of what happens to loans between closing and pool: checks, sales, ownership, notices."""

from __future__ import annotations

from poolhouse.tables.contract import Table, columns

CHECKS = Table(
    "checks",
    1,
    columns(
        """
loan_id i32 - the loan
program i8 - codes.PROGRAMS
answer i8 - codes.ANSWERS: eligible, under assumptions, undetermined, not
reasons i64 - bit i set: rule i of standards.RULES fails
assumptions i64 - bit i set: rule i passes only under its named assumption
undetermined i64 - bit i set: rule i can't be judged, its field is missing
as_of date - the delivery date the rules were picked for
"""
    ),
    key=("loan_id", "program"),
    sort=("loan_id", "program"),
)

SALES = Table(
    "sales",
    1,
    columns(
        """
loan_id i32 - the loan
seller_id i32 - party
buyer_id i32 - purchaser: enterprise, Ginnie issuer or private sponsor
program i8 - codes.PROGRAMS
method str - flow | bulk
coupon_rate_e7 i32 e7 - coupon of the pool it is bound for
pass_through_rate_e7 i32 e7 - what the owner gets: note - servicing - guaranty fee
guaranty_fee_rate_e7 i32 e7 - ongoing guaranty fee, buy-up included, 0 none
servicing_fee_rate_e7 i32 e7 - what the servicer keeps
servicing_released bool - servicing goes to the buyer
price_e6 i64 e6 - per 100 of scheduled balance
scheduled_upb_cents i64 cents - balance sold: scheduled after the instalment due on the 1st
proceeds_cents i64 cents - price x balance
accrued_cents i64 cents - 30/360 interest from the 1st to settlement at the pass-through rate
settlement_date date - cash moves, owner changes
line_principal_cents i64 cents - funding line paid off
line_interest_cents i64 cents - its interest from the note date to settlement
servicing_right_cents i64 cents - value of the servicing right kept, 0 when released
gain_cents i64 cents - proceeds - balance + servicing right (negative: loss)
tie str - '' | approvals | hash: how the outlet was chosen among equals
"""
    ),
    key=("loan_id",),
    sort=("loan_id",),
)

DELIVERIES = Table(
    "deliveries",
    1,
    columns(
        """
loan_id i32 - sold under a commitment
commitment_id str - the commitment
scheduled_upb_cents i64 cents - what it fills: the balance sold
committed_price_e6 i64 e6 - per 100, before buy-up and released servicing
"""
    ),
    key=("loan_id",),
    sort=("loan_id",),
)

REFUSALS = Table(
    "refusals",
    1,
    columns(
        """
loan_id i32 - the loan offered
lender_id i32 - party
program i8 - codes.PROGRAMS, 0: all
reason str - why nobody bought it: not eligible, undetermined, lender stopped, not current...
"""
    ),
    key=("loan_id", "program"),
    sort=("loan_id", "program"),
)

ASSIGNMENTS = Table(
    "assignments",
    1,
    columns(
        """
loan_id i32 - the loan
role str - owner | servicer | subservicer | pool | pledge
from_id i32 - party (or pool) before, 0 at closing
to_id i32 - party or pool_id; 0 ends a pledge or a pool membership
effective_date date - from this day on
consideration_cents i64 cents - price paid for it, 0 none
accrued_cents i64 cents - accrued interest paid with it
reason str - closing | sale | securitization | buyout | repurchase | servicing_sale | liquidation | payoff
"""
    ),
    key=("loan_id", "role", "effective_date"),
    sort=("loan_id", "role", "effective_date"),
)

PAYMENTS = Table(
    "payments",
    1,
    columns(
        """
loan_id i32 - the loan
received_date date - the day the money arrived
amount_cents i64 cents - > 0
kind str - instalment | curtailment | payoff | liquidation
reference str - the payer's or file's reference; servicer + reference is unique
servicer_id i32 - who received it
disposition str - applied | suspense | exception
"""
    ),
    key=("servicer_id", "reference"),
    sort=("loan_id", "received_date", "reference"),
)

NOTICES = Table(
    "notices",
    1,
    columns(
        """
loan_id i32 - the loan
kind str - ownership | servicing_goodbye | servicing_hello
from_id i32 - party before
to_id i32 - party after
transfer_date date - the day title or servicing moves
due_date date - last day to send it
sent_date date? - null: exempt, or not sent yet
exemption str - '' or the reason: sold_within_30_days | not_principal_dwelling | no_change_of_title
"""
    ),
    key=("loan_id", "kind", "transfer_date", "to_id"),
    sort=("loan_id", "kind", "transfer_date", "to_id"),
)
