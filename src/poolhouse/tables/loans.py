"""Contracts of the tape as read and of the loans as closed."""

from __future__ import annotations

from poolhouse.tables.contract import Table, columns

_NOTE = """
loan_number str - the tape's own number, unique in the book (MISMO LoanIdentifier)
originator_id str - the lender's key on the tape (AMA: the FHFBID)
originator_name str - the lender's name
originator_type str - depository | nonbank | insurer | housing_associate | unknown
originator_state str - two-letter postal code, '' unknown
kind str - conventional | fha | va | usda (MISMO MortgageType)
note_amount_cents i64 cents - original principal of the note, financed fees included (MISMO NoteAmount)
note_rate_e7 i32 e7 - note rate a year (MISMO NoteRatePercent)
term_months i16 months - original term (MISMO LoanMaturityPeriodCount)
note_date date - the day of closing (MISMO NoteDate)
first_due_date date - first instalment's due date, the 1st of a month
rate_type str - fixed (arm is refused for now) (MISMO AmortizationType)
purpose str - purchase | limited_cash_out | cash_out
occupancy str - principal | second_home | investment (MISMO PropertyUsageType)
units i8 - 1 to 4
property_type str - detached | pud | condo | coop | manufactured | two_to_four | unknown
state str - property state, two-letter postal code, '' unknown
county_fips str? - five digits, null unknown
value_cents i64? cents - property value (lesser of price and appraisal), null unknown
ltv_e4 i32? e4 - loan to value (0.8 = 8_000), null unknown
score i16? - lowest representative score or floor of its band, null unknown
score_mid i16? - score to price with: the score itself or its band's midpoint
dti_e4 i32? e4 - total debt over income (0.45 = 4_500), null unknown
income_cents i64? cents - borrowers' income a year, null unknown
mi_pct i16 percent - mortgage insurance coverage in whole percent, 0 none
first_time_buyer bool? - null unknown
borrowers i8 - number of borrowers
curtailment_cents i64 cents - principal paid down after closing and before sale, 0 none
financed_fee_cents i64 cents - FHA/VA/USDA fee financed within the note amount
points_cents i64 cents - discount points and origination fee the borrower pays in cash
closing_costs_cents i64 cents - other costs the borrower pays in cash to third parties
streamline bool - streamline refinance: income and ratio tests waived
lien_position i8? - 1 first lien; null not stated (read as first)
cltv_e4 i32? e4 - all liens over value (MISMO CombinedLTVRatioPercent), null unknown
application_date date? - of the borrower's application; null: the note date stands for it
underwriting str - du | lpa | manual | total | gus | va_aus, '' unknown: the system that approved it
amortization str - full | interest_only | balloon | negative, '' not stated (read as full)
documentation str - full | bank_statement | dscr, '' unknown
affordable str - homeready | home_possible | hfa | none, '' unknown
escrowed bool? - taxes and insurance are escrowed, null unknown
mi_payer str - borrower | lender, '' unknown: who pays the mortgage insurance
relocation bool? - relocation loan, null unknown
buydown bool? - significant temporary interest-rate buydown, null unknown
community_second bool? - the second lien is an eligible Community Second, null unknown
contributions_e4 i32? e4 - interested parties' contributions over value, null unknown
reserves_months i16? - instalments the borrower holds in reserve, null unknown
late_30_12m i8? - times 30 days late in the last 12 months, null unknown
late_60_24m i8? - times 60 days late in the last 24 months, null unknown
title_months i16? - months the borrower has held title (refinances), null unknown
apr_e7 i32? e7 - annual percentage rate, null unknown
apor_e7 i32? e7 - average prime offer rate when the rate was set, null unknown
points_and_fees_cents i64? cents - points and fees as 12 CFR 1026.32(b)(1) counts them, null unknown
ami_ratio_e4 i32? e4 - household income over the area's median, null unknown
residual_income_cents i64? cents - a month, as VA counts it, null unknown
household_size i8? - persons, null unknown
va_use str - first | later | exempt, '' unknown: which funding fee applies
va_entitlement_cents i64? cents - VA entitlement left when it is partial; null: full
rural bool? - the property lies in an area eligible for USDA, null unknown
paid_to_date date? - due date of the last instalment paid when the tape was cut, null: none past due
dscr_e4 i32? e4 - rent over instalment (investment loans judged by it), null unknown
tape_row i64 - data row in the user's file, 1 = first
imputed_flags i32 - bits of codes.IMPUTED: what the reader filled in
"""

TAPE = Table("tape", 1, columns(_NOTE), key=("loan_number",), sort=("loan_number",))
"""A tape as read: clean rows in canonical columns, before any of them closes in a book."""

LOANS = Table(
    "loans",
    1,
    columns(
        """
loan_id i32 - dense number given at closing; part = loan_id // 262_144
originator_party_id i32 - the lender as a party of the book
draw_key u64 - chance.text_key(loan_number): what random draws hang on
payment_cents i64 cents - level instalment
maturity_date date - due date of the last instalment
odd_days_interest_cents i64 cents - interest from the note date to the end of its month (negative: a credit)
closed_month i32 month - month index in which the book closed it
"""
        + _NOTE
    ),
    key=("loan_id",),
    sort=("loan_id",),
)
"""One note at closing."""

REJECTS = Table(
    "rejects",
    1,
    columns(
        """
row i64 - data row in the user's file, 1 = first
loan_number str - as far as it can be read
field str - canonical column
source_field str - the column's name in the user's file
value str - what stood there
reason str - the rule it breaks and what to do
file str - what it came from: tape, tickets, or a small file's kind and the hash of what it held
"""
    ),
    key=("row", "field"),
    sort=("row", "field"),
)
