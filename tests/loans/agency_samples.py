"""Small hand-made files in the agencies' layouts: no row of a published file, only its shape."""

from __future__ import annotations

from poolhouse.loans.layouts import described

FREDDIE = {
    "Credit Score": "742", "First Payment Date": "202003", "First Time Homebuyer Flag": "N",
    "Maturity Date": "205002", "MSA or Metropolitan Division": "16980", "Mortgage Insurance Percentage (MI %)": "025",
    "Number of Units": "1", "Occupancy Status": "P", "Original Combined LTV (CLTV)": "90",
    "Original Debt-to-Income (DTI)": "36", "Original UPB": "251000", "Original LTV": "85",
    "Original Interest Rate": "3.875", "Channel": "R", "Prepayment Penalty Mortgage (PPM) Flag": "N",
    "Amortization Type": "FRM", "Property State": "IL", "Property Type": "SF", "Postal Code": "60600",
    "Loan Sequence Number": "F20Q10000001", "Loan Purpose": "P", "Original Loan Term": "360",
    "Number of Borrowers": "02", "Seller Name": "BANK OF EXAMPLE, N.A.", "Servicer Name": "Other servicers",
    "Special Eligibility Program": "9", "Property Valuation Method": "2", "Interest Only Indicator (I/O)": "N",
    "MI Cancellation Indicator": "N",
}  # fmt: skip

PERFORMANCE = {
    "Loan Sequence Number": "F20Q10000001", "Monthly Reporting Period": "202004", "Current Actual UPB": "250000.00",
    "Current Loan Delinquency Status": "0", "Loan Age": "1", "Remaining Months to Legal Maturity": "359",
    "Current Interest Rate": "3.875",
}  # fmt: skip

FANNIE = {
    "Loan Identifier": "100000000001", "Monthly Reporting Period": "012021", "Channel": "R",
    "Seller Name": "Example Mortgage, LLC", "Servicer Name": "Other", "Original Interest Rate": "3.125",
    "Current Interest Rate": "3.125", "Original UPB": "320000.00", "Current Actual UPB": "312000.51",
    "Original Loan Term": "360", "Origination Date": "112019", "First Payment Date": "012020", "Loan Age": "13",
    "Maturity Date": "122049", "Original Loan to Value Ratio (LTV)": "80",
    "Original Combined Loan to Value Ratio (CLTV)": "88", "Number of Borrowers": "2", "Debt-To-Income (DTI)": "41",
    "Borrower Credit Score at Origination": "755", "Co-Borrower Credit Score at Origination": "701",
    "First Time Home Buyer Indicator": "N", "Loan Purpose": "C", "Property Type": "PU", "Number of Units": "1",
    "Occupancy Status": "P", "Property State": "CA", "Amortization Type": "FRM", "Interest Only Loan Indicator": "N",
    "Current Loan Delinquency Status": "00", "Special Eligibility Program": "7",
    "Relocation Mortgage Indicator": "N",
}  # fmt: skip

HMDA = {
    "activity_year": "2022", "lei": "549300EXAMPLE0000001", "state_code": "OH", "county_code": "39049",
    "census_tract": "39049001100", "action_taken": "1", "purchaser_type": "1", "loan_type": "1", "loan_purpose": "1",
    "lien_status": "1", "reverse_mortgage": "2", "open_end_line_of_credit": "2", "loan_amount": "245000",
    "combined_loan_to_value_ratio": "95.0", "interest_rate": "5.125", "rate_spread": "-0.12", "hoepa_status": "2",
    "total_loan_costs": "5200.50", "total_points_and_fees": "NA", "origination_charges": "1500.25",
    "loan_term": "360", "intro_rate_period": "NA", "negative_amortization": "2", "interest_only_payment": "2",
    "balloon_payment": "2", "property_value": "265000", "construction_method": "1", "occupancy_type": "1",
    "total_units": "1", "income": "84", "debt_to_income_ratio": "30%-<36%", "aus_1": "1", "applicant_age": "35-44",
}  # fmt: skip


def bars(layout: str, *rows: dict[str, str], width: int | None = None, end: str = "\n") -> str:
    """Lines of a layout without a header."""
    columns = described(layout)["headerless"]["columns"][:width]
    unknown = {name for row in rows for name in row} - set(described(layout)["headerless"]["columns"])
    assert not unknown, unknown
    return "".join("|".join(row.get(c, "") for c in columns) + end for row in rows)
