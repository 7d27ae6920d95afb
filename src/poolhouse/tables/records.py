"""Contracts of the SQL record's tables with few rows. `event_seq` is added by the book."""

from __future__ import annotations

from poolhouse.tables.contract import Table, columns

PARTIES = Table(
    "parties",
    1,
    columns(
        """
party_id i32 - number in the book
code str - stable key: 'fnma', 'originator:10240', 'investor:pension'
name str - for people
role str - what it does: originator, funding_line, enterprise, issuer, investor, boundary ... (parties.toml)
type str - depository | nonbank | ... or the investor's type
state str - two-letter, '' unknown
"""
    ),
    key=("party_id",),
    sort=("party_id",),
)

POOLS = Table(
    "pools",
    1,
    columns(
        """
pool_id i32 - number in the book
pool_number str - as disclosed
program i8 - codes.PROGRAMS
prefix str - pool prefix or pool type
issuer_id i32 - enterprise, Ginnie issuer (0: multi-issuer) or sponsor
guarantor_id i32 - party paying if servicers stop; 0 none
guarantee str - explicit | implied | none
term_bucket i16 months - 120, 180, 240, 360
coupon_rate_e7 i32 e7 - pass-through to holders
guaranty_fee_rate_e7 i32 e7 - weighted average ongoing fee
issue_date date - 1st of the issue month
first_payment_date date - first holders' payment
pay_day i8 - day of the month holders are paid
delay_days i16 days - stated delay
scheduled_cents i64 cents - exact balance at issue
truncation_cents i64 cents - what whole-dollar face leaves out
face_cents i64 cents - original face, whole dollars
loans i32 - at issue
wac_e7 i32 e7 - weighted average note rate
wam_months i16 months - weighted average remaining term
wala_months i16 months - weighted average loan age
"""
    ),
    key=("pool_id",),
    sort=("pool_id",),
)

SECURITIES = Table(
    "securities",
    1,
    columns(
        """
security_id i32 - equals pool_id for a whole pool; classes of deals are numbered from FIRST_CLASS_SECURITY
cusip str - nine characters, fictional issuer range, right check digit
pool_id i32 - its pool
issue_month i32 month - issue month
class_name str - of the pool's deal; '' the whole pool
loss_rank i16 - 0 bears losses last, the highest first; classes that share them have the same
original_face_cents i64 cents - whole dollars; all of a pool's sum to its face
class_rate_e7 i32 e7 - rate it pays: its own, or the pool's coupon
rate_type str - fixed: that rate whatever the loans bring | net_wac: its share of what they pay
"""
    ),
    key=("security_id",),
    sort=("security_id",),
)

FIRST_CLASS_SECURITY = 1_000_000
"""Security numbers from here on are classes of deals; pools are numbered below it."""

DEALS = Table(
    "deals",
    1,
    columns(
        """
pool_id i32 - the pool whose classes these are
name str - the deal's own name
terms str - the deal as TOML, with the classes as shares of the pool's face: docs/structures.md
"""
    ),
    key=("pool_id",),
    sort=("pool_id",),
)

TRADES = Table(
    "trades",
    1,
    columns(
        """
trade_id str - ticket reference, unique in the book
security_id i32 - what is sold
seller_id i32 - party
buyer_id i32 - party
face_cents i64 cents - original face
price_e6 i64 e6 - per 100 of current face
factor_e8 i64 e8 - settlement-month factor used
principal_cents i64 cents - price x factor x face
accrued_cents i64 cents - 30/360 interest from the 1st
trade_date date - agreed
settlement_date date - delivery versus payment
kind str - issue (from the trusts to who put loans in, at par) | placement | trade
"""
    ),
    key=("trade_id",),
    sort=("trade_id",),
)

PRICES = Table(
    "prices",
    1,
    columns(
        """
month i32 month - sheet in force for sales of this month
program i8 - codes.PROGRAMS
term_bucket i16 months - 120, 180, 240, 360
coupon_rate_e7 i32 e7 - coupon
price_e6 i64 e6 - per 100
source str - assumed | auction
"""
    ),
    key=("month", "program", "term_bucket", "coupon_rate_e7"),
    sort=("month", "program", "term_bucket", "coupon_rate_e7"),
)

LENDER_STATES = Table(
    "lender_states",
    1,
    columns(
        """
decided_date date - a month's last day for a test, the day of the command for people
lender_id i32 - party
month i32 month - the open month when it was decided
state str - approved | watch | overlay | suspended | terminated | reinstated
previous str - the state before
effective_date date - from this day on
decided_by str - test | people
measure str - what was counted (scorecard.measures); '' for people
defaults i32 - loans that count
loans i32 - loans watched
expected_defaults_e6 i64 e6 - at the mix-adjusted peer rate
ratio_e4 i64 e4 - defaults over expected: the compare ratio, 100% is 10,000
p_value_e9 i64 e9 - exact one-sided probability of that many or more
reason str - in words
"""
    ),
    key=("decided_date", "lender_id"),
    sort=("decided_date", "lender_id"),
)

REPURCHASES = Table(
    "repurchases",
    1,
    columns(
        """
demand_id str - the file's hash and row: unique in the book
state str - open | promised (an indemnity) | paid | ended (nothing left to pay for); the last row of a demand holds
month i32 month - the open month when it came to that state
loan_id i32 - the loan
lender_id i32 - who sold it and must pay
claimant_id i32 - who is paid: the owner outside pools, or who sold the loan into its pool
reason str - what was wrong: a code of repurchase.reasons
remedy str - repurchase | indemnify | make_whole | reprice
demand_date date - the day of the demand
due_date date - the last day to pay
settled_date date? - cash moved; null while nothing did
principal_cents i64 cents - what the borrower owes: at the demand while open, at settlement when paid
interest_cents i64 cents - since the last instalment paid, at the owner's rate (negative: paid ahead)
premium_cents i64 cents - the sale's price above par on that principal (negative: below)
loss_cents i64 cents - the owner's loss, or the price adjustment, that the lender makes good
total_cents i64 cents - paid, or asked for while open
note str - in words
"""
    ),
    key=("demand_id", "state"),
    sort=("demand_id", "month", "state"),
)

COMMITMENTS = Table(
    "commitments",
    1,
    columns(
        """
commitment_id str - the desk's own name for it: unique in the book
state str - open | filled | expired (best efforts that fell short) | paired_off; the last row of a commitment holds
month i32 month - the open month when it came to that state
lender_id i32 - who promised to deliver
buyer_id i32 - who promised to buy
program i8 - codes.PROGRAMS
kind str - mandatory | best_efforts
term_bucket i16 months - 120, 180, 240, 360
coupon_rate_e7 i32 e7 - coupon of the pools that the loans are bound for
amount_cents i64 cents - scheduled balance promised
tolerance_e6 i64 e6 - share of the amount that may be missing or over
price_e6 i64 e6 - per 100, before buy-up and released servicing
pair_off_e6 i64 e6 - fee per 100 of what is missing
committed_date date - deliveries settle from this day
expires date - and until this one
delivered_cents i64 cents - scheduled balance of the loans delivered; 0 while open
loans i64 - delivered; 0 while open
short_cents i64 cents - missing beyond the tolerance at expiry
market_price_e6 i64? e6 - the sheet's price in the month of expiry; null while open, or when the sheet has none
cost_cents i64 cents - what the lender pays for it
settled_date date? - cash moved; null while nothing did
note str - in words
"""
    ),
    key=("commitment_id", "state"),
    sort=("commitment_id", "month", "state"),
)

RECORDS = {
    t.name: t for t in (PARTIES, POOLS, SECURITIES, DEALS, TRADES, PRICES, LENDER_STATES, REPURCHASES, COMMITMENTS)
}
