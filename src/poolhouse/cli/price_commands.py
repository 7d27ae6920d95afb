"""price on the command line: a tape, one of its loans, a loan of a book, or a loan described by options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from poolhouse.cli.options import AsJson, Edition, Mapping, face_of, input_file, market_of

_E7_PER_PERCENT, _E4_PER_PERCENT, _CENTS = 5, 2, 2
_DESCRIBED = {
    "kind": ("kind", 0), "amount": ("note_amount_cents", _CENTS), "rate": ("note_rate_e7", _E7_PER_PERCENT),
    "term": ("term_months", 0), "ltv": ("ltv_e4", _E4_PER_PERCENT), "cltv": ("cltv_e4", _E4_PER_PERCENT),
    "score": ("score", 0), "dti": ("dti_e4", _E4_PER_PERCENT), "purpose": ("purpose", 0), "occupancy": ("occupancy", 0),
    "property": ("property_type", 0), "units": ("units", 0), "state": ("state", 0), "county": ("county_fips", 0),
    "mi": ("mi_pct", 0), "note-date": ("note_date", 0),
}  # fmt: skip
"""Option -> column of a tape, and how many places its unit shifts."""


def _option(name: str, metavar: str, text: str) -> Any:
    return typer.Option(f"--{name}", metavar=metavar, help=text, rich_help_panel="A loan described by options")


Text = str | None
Amount = Annotated[Text, _option("amount", "DOLLARS", "Note amount.")]
Rate = Annotated[Text, _option("rate", "PERCENT", "Note rate.")]
Term = Annotated[Text, _option("term", "MONTHS", "Term; 360 unless given.")]
Ltv = Annotated[Text, _option("ltv", "PERCENT", "Loan to value.")]
Cltv = Annotated[Text, _option("cltv", "PERCENT", "All liens to value.")]
Score = Annotated[Text, _option("score", "SCORE", "Credit score.")]
Dti = Annotated[Text, _option("dti", "PERCENT", "Debts to income.")]
Purpose = Annotated[Text, _option("purpose", "WORD", "purchase, limited_cash_out, cash_out.")]
Occupancy = Annotated[Text, _option("occupancy", "WORD", "principal, second_home, investment.")]
PropertyType = Annotated[Text, _option("property", "WORD", "detached, condo, manufactured ...")]
Units = Annotated[Text, _option("units", "N", "1 to 4.")]
State = Annotated[Text, _option("state", "XX", "State.")]
County = Annotated[Text, _option("county", "FIPS", "County, five digits.")]
Coverage = Annotated[Text, _option("mi", "PERCENT", "Mortgage insurance coverage.")]
Kind = Annotated[Text, _option("kind", "WORD", "conventional, fha, va, usda.")]
NoteDate = Annotated[Text, _option("note-date", "DATE", "Day of the note; else that of pricing.")]
Facts = Annotated[
    list[str] | None, _option("fact", "COLUMN=VALUE", "Any other column of a tape, in its unit; repeatable.")
]
Tape = Annotated[Path | None, typer.Argument(metavar="[TAPE]", help="Price this tape.", exists=True, dir_okay=False)]
Loan = Annotated[Text, typer.Option("--loan", metavar="NUMBER", help="One loan, line by line.")]
Book = Annotated[Text, typer.Option("--book", metavar="DIR", help="With --loan: a loan of this book.")]
PriceSheet = Annotated[Path | None, input_file("TOML price sheet; else the model's.", "--sheet")]
AsOf = Annotated[Text, typer.Option("--as-of", metavar="DATE", help="Day of pricing, YYYY-MM-DD.")]
WhatIf = Annotated[
    list[str] | None,
    typer.Option("--what-if", metavar="KEY=VALUE", help="Change the sheet: gfee=46, tba.6.0=101.5; repeatable."),
]
AnyOutlet = Annotated[bool, typer.Option("--any-outlet", help="One loan: choose among outlets that refuse it too.")]
NoHold = Annotated[bool, typer.Option("--no-hold", help="Holding in portfolio is no outlet.")]
Out = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", dir_okay=False, help="All offers: .csv, .parquet, .json.")
]


def price(
    context: typer.Context, tape: Tape = None, loan: Loan = None, book: Book = None, sheet: PriceSheet = None,
    as_of: AsOf = None, what_if: WhatIf = None, any_outlet: AnyOutlet = False, no_hold: NoHold = False,
    out: Out = None, mapping: Mapping = None, edition: Edition = None, amount: Amount = None, rate: Rate = None,
    term: Term = None, ltv: Ltv = None, cltv: Cltv = None, score: Score = None, dti: Dti = None,
    purpose: Purpose = None, occupancy: Occupancy = None, property_type: PropertyType = None, units: Units = None,
    state: State = None, county: County = None, mi: Coverage = None, kind: Kind = None, note_date: NoteDate = None,
    fact: Facts = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """What every outlet pays, for a tape or line by line.

    TAPE prices all its loans; TAPE --loan or --book DIR --loan one of them; --amount and --rate with what else is
    known, a loan that is on no tape.
    """
    given = context.params
    described = {n: given["property_type" if n == "property" else n.replace("-", "_")] for n in _DESCRIBED}
    by_facts = any(value is not None for value in described.values()) or bool(fact)
    _refuse_mixes(given, by_facts)
    common: dict[str, Any] = {"as_of": as_of, "sheet": sheet, "what_if": what_if or (), "hold": not no_hold}
    with face_of(as_json) as face:
        from poolhouse.market import price as pricing

        if book is not None:
            answer = market_of(book).price(str(loan), any_outlet=any_outlet, **common)
        elif loan is not None or by_facts:
            facts = _facts(described, fact or [], as_of, sheet) if by_facts else None
            answer = pricing.price_loan(
                tape, mapping, loan=loan, facts=facts, any_outlet=any_outlet, edition=edition, **common
            )
        else:
            face.show("price", pricing.price_tape(str(tape), mapping, out=out, edition=edition, **common), "")
            return
        face.show("price --loan", answer, "")


def _refuse_mixes(given: dict[str, Any], by_facts: bool) -> None:
    """Options that don't go together."""
    tape, book, loan = given["tape"], given["book"], given["loan"]
    ways = (tape is not None) + (book is not None) + by_facts
    if ways != 1 or (book is not None and loan is None) or (by_facts and loan is not None):
        raise typer.BadParameter("give TAPE, or TAPE --loan, or --book DIR --loan, or a loan by --amount, --rate ...")
    if (loan is not None or by_facts) and given["out"] is not None:
        raise typer.BadParameter("--out goes with a whole tape")
    if loan is None and not by_facts and given["any_outlet"]:
        raise typer.BadParameter("--any-outlet goes with one loan")
    if book is not None and given["edition"] is not None:
        raise typer.BadParameter("a book keeps its own edition")


def _facts(described: dict[str, str | None], more: list[str], as_of: str | None, sheet: Path | None) -> dict[str, str]:
    """Canonical columns of a tape from the options."""
    from poolhouse.market.price import sheet_day_of

    if described["amount"] is None or described["rate"] is None:
        raise typer.BadParameter("a loan by options needs --amount and --rate")
    day = described["note-date"] or as_of or sheet_day_of(sheet)
    if day is None:
        raise typer.BadParameter("a loan by options needs --as-of or --note-date, unless the sheet has a date")
    facts = {"loan_number": "1", "originator_id": "1", "kind": "conventional", "term_months": "360"}
    for name, (column, places) in _DESCRIBED.items():
        value = described[name]
        if value is not None:
            facts[column] = _shifted(f"--{name}", value, places) if places else value
    facts["note_date"] = day
    for pair in more:
        column, equals, value = pair.partition("=")
        if not equals:
            raise typer.BadParameter(f"--fact {pair}: write COLUMN=VALUE, such as escrowed=false")
        facts[column.strip()] = value.strip()
    return facts


def _shifted(option: str, value: str, places: int) -> str:
    """A decimal number times ten to the places, as a whole number."""
    from decimal import Decimal, InvalidOperation

    try:
        exact = Decimal(value.replace(",", "").removeprefix("$").removesuffix("%")).scaleb(places)
    except InvalidOperation as error:
        raise typer.BadParameter(f"{option} {value!r} is no number") from error
    if not exact.is_finite() or exact != exact.to_integral_value():
        raise typer.BadParameter(f"{option} {value!r} has more decimals than can be meant")
    return str(int(exact))


def register(app: typer.Typer) -> None:
    """Adds `price`."""
    app.command()(price)
