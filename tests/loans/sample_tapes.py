"""Small tapes for the tests of this folder."""

from __future__ import annotations

from pathlib import Path

CANONICAL = {
    "loan_number": "A1",
    "originator_id": "L1",
    "kind": "conventional",
    "note_amount_cents": "25000000",
    "note_rate_e7": "650000",
    "term_months": "360",
    "note_date": "2009-02-10",
}

AMA = {
    "LoanNumber": "1", "AcquDate": "2009", "MortDate": "2009", "FHFBID": "8109", "Seller": "UNION SAVINGS BANK",
    "SellSt": "OH", "SellType": "1", "FedGuar": "0", "Amount": "156200", "UPB": "156200", "Rate": "0.0463",
    "Term": "360", "AmorTerm": "360", "Product": "1", "Purpose": "2", "Occup": "1", "NumUnits": "1", "LTV": "0.7",
    "Back": "0.31", "Income": "39312", "PMI": "0", "First": "2", "NumBor": "1", "PropType": "PT01", "Coop": "2",
    "LienStatus": "1", "HOEPA": "2", "FIPSStateCode": "39", "FIPSCountyCode": "37",
    "Borrower Credit Score": "5", "Co Borrower Credit Score": "9",
}  # fmt: skip


def csv_of(rows: list[dict[str, str]]) -> str:
    """CSV text; the first row's keys are the header, missing cells stay empty."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    return "\n".join([",".join(names), *(",".join(row.get(n, "") for n in names) for row in rows)]) + "\n"


def write(folder: Path, text: str | bytes, name: str = "tape.csv") -> Path:
    """The text as a file."""
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path
