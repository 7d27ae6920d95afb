"""Contracts of the subledgers: loan months, pool months, the months of deals and their classes, holder months.

A loan_months row of month M holds the state at the END of M. The distribution of M (interest of
M-1, principal due on 1 M, unscheduled principal of M-1) is owed to the owner at the end of M-1:
`payee_id` and `payee_pool_id`. Rates in force for the NEXT distribution stand in the row.
"""

from __future__ import annotations

from poolhouse.tables.contract import Table, columns

LOAN_MONTHS = Table(
    "loan_months",
    1,
    columns(
        """
month i32 month - distribution month
loan_id i32 - the loan
program i8 - codes.PROGRAMS, the program it is owned under at month's end
owner_id i32 - owner at month's end (the trusts' party for a pooled loan)
servicer_id i32 - servicer during the month
pool_id i32 - pool at month's end, 0 none
payee_id i32 - who this month's distribution is owed to: the owner at the end of the month before
payee_pool_id i32 - the pool it is owed to, 0 none
remittance i8 - codes.REMITTANCES in force for the next distribution
note_rate_e7 i32 e7 - note rate
pass_through_rate_e7 i32 e7 - owner's rate from the next distribution on
guaranty_fee_rate_e7 i32 e7 - guaranty fee from the next distribution on
payment_cents i64 cents - billed instalment
first_due_date date - first instalment
maturity_date date - last instalment
opening_actual_cents i64 cents - what the borrower owed at the end of the month before
opening_scheduled_cents i64 cents - trust balance then: scheduled, before the unscheduled principal pending
paid_cents i64 cents - money accepted from the borrower or the property's sale
refunded_cents i64 cents - of it, or of what was held, given back: more than the loan needed
interest_applied_cents i64 cents - of it and of what was held: to interest
principal_applied_cents i64 cents - to principal of instalments and payoffs
curtailment_cents i64 cents - to principal ahead of schedule
suspense_cents i64 cents - held, less than an instalment
prepaid_cents i64 cents - held: whole instalments not yet due
last_paid_due_date date - due date of the last instalment paid; delinquency derives from it
scheduled_interest_cents i64 cents - note interest of M-1 on the trust balance
scheduled_principal_cents i64 cents - principal of the instalment due on 1 M
unscheduled_principal_cents i64 cents - unscheduled principal of M-1, distributed now
investor_interest_cents i64 cents - half-up(trust balance x pass-through rate / 12)
guaranty_fee_cents i64 cents - half-up(trust balance x guaranty fee rate / 12)
servicing_fee_cents i64 cents - what is left of scheduled interest: fee and excess
advanced_cents i64 cents - servicer's own money put in at the draft date
recovered_cents i64 cents - earlier servicer advances repaid
advance_balance_cents i64 cents - servicer's advances outstanding
guarantor_advanced_cents i64 cents - guarantor's money after the stop-advance month
guaranty_relief_cents i64 cents - guaranty fee not paid because the guarantor carries the loan; owed with its advances
guarantor_recovered_cents i64 cents - repaid to the guarantor
guarantor_advance_balance_cents i64 cents - outstanding
shortfall_cents i64 cents - interest the servicer makes up: payoff and curtailment months
servicer_kept_cents i64 cents - servicing fee and excess actually collected
owner_principal_cents i64 cents - principal remitted to a payee outside pools
owner_interest_cents i64 cents - interest remitted to a payee outside pools
claim_cents i64 cents - paid by MI, FHA, VA or USDA
buyout_cents i64 cents - paid in by the buyer: balance, interest, advances reimbursed
buyout_principal_cents i64 cents - principal the buyer gets for it: actual balance (less what it owned before)
loss_cents i64 cents - borne by the owner (the trust only when private)
workout i8 - codes.WORKOUTS
end_code i8 - codes.END_CODES
closing_actual_cents i64 cents - what the borrower owes now
closing_scheduled_cents i64 cents - trust balance: scheduled after the instalment due on 1 M
pending_unscheduled_cents i64 cents - unscheduled principal of M, for the next distribution
pending_interest_cents i64 cents - payoff or buyout interest of M, for the next distribution
"""
    ),
    key=("month", "loan_id"),
    sort=("loan_id",),
)

POOL_MONTHS = Table(
    "pool_months",
    1,
    columns(
        """
month i32 month - distribution month
pool_id i32 - the pool
servicer_id i32 - who remits
opening_scheduled_cents i64 cents - trust balance before
scheduled_principal_cents i64 cents - due on 1 M
unscheduled_principal_cents i64 cents - of M-1
investor_interest_cents i64 cents - at the pass-through rates
guaranty_fee_cents i64 cents - drafted on the 7th
loss_cents i64 cents - private trusts only
received_cents i64 cents - principal and interest drafted from servicer and guarantor
closing_scheduled_cents i64 cents - trust balance after
loans i32 - with a balance left
"""
    ),
    key=("month", "pool_id", "servicer_id"),
    sort=("pool_id", "servicer_id"),
)

POOL_FACTORS = Table(
    "pool_factors",
    1,
    columns(
        """
month i32 month - distribution month
pool_id i32 - the pool
closing_scheduled_cents i64 cents - trust balance after the distribution
prior_factor_e8 i64 e8 - the factor before
factor_e8 i64 e8 - published factor
received_cents i64 cents - into the trust this month
paid_cents i64 cents - to holders this month
rounding_balance_cents i64 cents - received - paid since issue, less the balance's own rounding
publish_date date - factor published
record_date date - holders of this day are paid
pay_date date - cash reaches holders
loans i32 - with a balance left
"""
    ),
    key=("month", "pool_id"),
    sort=("pool_id",),
)

DEAL_MONTHS = Table(
    "deal_months",
    1,
    columns(
        """
month i32 month - distribution month
pool_id i32 - the pool
payment i16 - payment dates so far, this one included
opening_scheduled_cents i64 cents - trust balance before
investor_interest_cents i64 cents - what the loans brought
scheduled_principal_cents i64 cents - due on 1 M
unscheduled_principal_cents i64 cents - of M-1
loss_cents i64 cents - balance that no cash came for
late_cents i64 cents - trust balance of loans 60 days late or worse at the end of M-1
lost_cents i64 cents - losses so far
held_share_e7 i32? e7 - share of the subordinate percentage that seniors took at the last step down; null: none yet
rest_cents i64 cents - brought and due to no class: it stays in the trust
closing_scheduled_cents i64 cents - trust balance after
"""
    ),
    key=("month", "pool_id"),
    sort=("pool_id",),
)

CLASS_MONTHS = Table(
    "class_months",
    1,
    columns(
        """
month i32 month - distribution month
security_id i32 - the class
pool_id i32 - its pool
opening_cents i64 cents - balance before
interest_cents i64 cents - paid
principal_cents i64 cents - paid
loss_cents i64 cents - written off
unpaid_cents i64 cents - interest owed and not paid, this month's and earlier
closing_cents i64 cents - balance after
prior_factor_e8 i64 e8 - the factor before
factor_e8 i64 e8 - half-up(closing balance / original face)
"""
    ),
    key=("month", "security_id"),
    sort=("pool_id", "security_id"),
)

HOLDER_MONTHS = Table(
    "holder_months",
    1,
    columns(
        """
month i32 month - distribution month
security_id i32 - the security
holder_id i32 - party holding at the record date
face_cents i64 cents - original face held
principal_cents i64 cents - half-up(face x (prior factor - factor)); of a class: its share of the class's cents
interest_cents i64 cents - half-up(face x prior factor x coupon / 12); of a class: its share of the class's cents
pay_date date - cash reaches the holder
"""
    ),
    key=("month", "security_id", "holder_id"),
    sort=("security_id", "holder_id"),
)
