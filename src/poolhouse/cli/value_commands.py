"""value on the command line: a pool given by numbers, or a security of a book."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from poolhouse.cli.options import AsJson, Mapping, Plot, face_of, input_file, market_of
from poolhouse.cli.quantities import days, dollars, percent, whole_months

_READERS: dict[str, Callable[[str], float]] = {
    "DOLLARS": dollars, "PERCENT": percent, "MONTHS": whole_months, "DAYS": days,
}  # fmt: skip


def _option(name: str, metavar: str, text: str, panel: str, parser: Any = None) -> Any:
    return typer.Option(f"--{name}", metavar=metavar, help=text, rich_help_panel=panel, parser=parser)


def _number(name: str, unit: str, text: str, panel: str) -> Any:
    return _option(name, unit, text, panel, _READERS[unit])


_POOL, _SPEED, _MODEL, _PRICE = "The pool", "Speeds, percent", "Models of borrowers", "Price and dates"
Number = float | None
Text = str | None
Balance = Annotated[Number, _number("balance", "DOLLARS", "Balance today: 400e6, 400mm, $400,000,000.", _POOL)]
Wac = Annotated[Number, _number("wac", "PERCENT", "Gross coupon.", _POOL)]
Coupon = Annotated[Number, _number("coupon", "PERCENT", "Pass-through rate.", _POOL)]
Wam = Annotated[int | None, _number("wam", "MONTHS", "Months remaining.", _POOL)]
Age = Annotated[int | None, _number("age", "MONTHS", "Loan age; else that of a 15- or 30-year pool.", _POOL)]
Book = Annotated[Text, _option("book", "DIR", "With --security: a security of this book.", _POOL)]
Security = Annotated[Text, _option("security", "CUSIP", "Its CUSIP or pool number.", _POOL)]
Strip = Annotated[Number, _number("strip", "PERCENT", "With TAPE: servicing and guaranty off each note rate.", _POOL)]
Tape = Annotated[
    Path | None, typer.Argument(metavar="[TAPE]", help="A tape's loans as one new pool.", exists=True, dir_okay=False)
]
Psa = Annotated[Text, _option("psa", "SPEED", "100, or by month 100,120,150: the last goes on.", _SPEED)]
Cpr = Annotated[Text, _option("cpr", "SPEED", "Or prepayment a year.", _SPEED)]
Smm = Annotated[Text, _option("smm", "SPEED", "Or prepayment a month.", _SPEED)]
Cdr = Annotated[Text, _option("cdr", "SPEED", "Default a year.", _SPEED)]
Sda = Annotated[Text, _option("sda", "SPEED", "Or as the standard default assumption.", _SPEED)]
Severity = Annotated[Text, _option("severity", "PERCENT", "Loss of what defaults, one or by month.", _SPEED)]
Lag = Annotated[int, _number("lag", "MONTHS", "From default to liquidation.", _SPEED)]
NoAdvance = Annotated[bool, typer.Option("--no-advance", help="Defaulted loans pay nothing.", rich_help_panel=_SPEED)]
Guaranteed = Annotated[
    bool, typer.Option("--guaranteed", help="Defaults are paid as principal, nothing is lost.", rich_help_panel=_SPEED)
]
Prepayment = Annotated[Text, _option("prepayment", "MODEL", "model, or a file of its parameters.", _MODEL)]
Defaults = Annotated[Text, _option("defaults", "MODEL", "With severity: model, or a file.", _MODEL)]
MortgageRate = Annotated[Text, _option("mortgage-rate", "PERCENT", "One or by month; else today's stays.", _MODEL)]
HousePrices = Annotated[Text, _option("house-prices", "LEVEL", "1 is today's: 0.98,0.96; else they stay.", _MODEL)]
Unemployment = Annotated[Text, _option("unemployment", "PERCENT", "One or by month; else today's stays.", _MODEL)]
Price = Annotated[Text, _option("price", "PRICE", "Clean price per 100: 101.5, 101-16, 101-16+ or 101-165.", _PRICE)]
Yield = Annotated[Number, _number("yield", "PERCENT", "Or the bond-equivalent yield.", _PRICE)]
Monthly = Annotated[Number, _number("mortgage-yield", "PERCENT", "Or the monthly yield.", _PRICE)]
Program = Annotated[Text, _option("program", "NAME", "Its delay: umbs, ginnie1, ginnie2.", _PRICE)]
Delay = Annotated[Number, _number("delay-days", "DAYS", "Actual delay of payments; else 0.", _PRICE)]
Settle = Annotated[Text, _option("settle", "DATE", "Settlement, or days from the 1st; else the 1st.", _PRICE)]
Rates = Annotated[Path | None, input_file("TOML file of the curve and vols: the option-adjusted spread.", "--rates")]
Paths = Annotated[int, typer.Option("--paths", metavar="N", min=16, max=100_000, help="With --rates: paths.")]
_BY_MONTH = ("mortgage_rate", "house_prices", "unemployment")
Rows = Annotated[bool, typer.Option("--rows", help="Every month.")]


def value(
    context: typer.Context, tape: Tape = None, balance: Balance = None, wac: Wac = None, coupon: Coupon = None,
    wam: Wam = None, age: Age = None, book: Book = None, security: Security = None, strip: Strip = None,
    mapping: Mapping = None, psa: Psa = None, cpr: Cpr = None, smm: Smm = None,
    cdr: Cdr = None, sda: Sda = None, severity: Severity = None, lag: Lag = 12, no_advance: NoAdvance = False,
    guaranteed: Guaranteed = False, prepayment: Prepayment = None, defaults: Defaults = None,
    mortgage_rate: MortgageRate = None, house_prices: HousePrices = None, unemployment: Unemployment = None,
    price: Price = None, yield_: Yield = None, mortgage_yield: Monthly = None, program: Program = None,
    delay_days: Delay = None, settle: Settle = None, rates: Rates = None, paths: Paths = 1024, rows: Rows = False,
    plot: Plot = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Cash flows, price, yield and durations of a pool.

    --balance --wac --coupon --wam describe it, --book DIR --security CUSIP names one, TAPE --strip makes one. Speeds
    are given, or a model's from each loan. With --rates also the option-adjusted spread and how the price moves with
    rates, spreads and speeds.
    """
    given = context.params
    described = [given[name] for name in ("balance", "wac", "coupon", "wam")]
    _refuse_mixes(described, given)
    options: dict[str, Any] = {
        "speeds": {name: numbers(f"--{name}", given[name]) for name in ("psa", "cpr", "smm", "cdr", "sda")},
        "severity": numbers("--severity", severity), "lag": lag, "advance": not no_advance, "price": price,
        "guaranteed": guaranteed, "prepayment": prepayment, "defaults": defaults,
        **{name: numbers(f"--{name.replace('_', '-')}", given[name]) for name in _BY_MONTH},
        "bond_equivalent_yield": yield_, "mortgage_yield": mortgage_yield, "program": program,
        "delay_days": delay_days, "settle": settle, "rows": rows or plot is not None, "rates": rates, "paths": paths,
    }  # fmt: skip
    with face_of(as_json) as face:
        if tape is not None and strip is not None:
            from poolhouse.market import value_loans

            answer = value_loans.value_tape(tape, mapping, strip=strip, **options)
        elif book is not None:
            answer = market_of(book).value(str(security), **options)
        else:
            from poolhouse.market import value as valuing

            answer = valuing.value_pool(*described, age=age, **options)
        if plot is not None:
            from poolhouse.cli import picture
            from poolhouse.web import value_page

            picture.write(value_page, answer, plot)
            answer["plot"] = str(plot)
            if not rows:
                del answer["cashflows"]
        face.show("value", answer, "")


def _refuse_mixes(numbers: list[Any], given: dict[str, Any]) -> None:
    described = [number is not None for number in numbers]
    book, tape = given["book"], given["tape"]
    if (book is None) != (given["security"] is None):
        raise typer.BadParameter("--book and --security go together")
    if (tape is None) != (given["strip"] is None) or (tape is None and given["mapping"] is not None):
        raise typer.BadParameter("TAPE and --strip go together: what servicing and guaranty take of each note rate")
    by_loans = (book is not None) + (tape is not None)
    if by_loans == 2 or (by_loans and (any(described) or given["age"] is not None)):
        raise typer.BadParameter("a book's security and a tape have their own balances, rates and terms: name one")
    if not by_loans and not all(described):
        raise typer.BadParameter("give --balance, --wac, --coupon and --wam, or --book and --security, or TAPE --strip")


def numbers(option: str, text: str | None) -> float | list[float] | None:
    """One number, or one a month."""
    if text is None:
        return None
    try:
        found = [percent(part) for part in text.split(",")]
    except typer.BadParameter:
        raise typer.BadParameter(f"{option} {text!r} is no number, nor numbers by month: 100 or 100,120,150") from None
    return found if len(found) > 1 else found[0]


def register(app: typer.Typer) -> None:
    """Adds `value`."""
    app.command()(value)
