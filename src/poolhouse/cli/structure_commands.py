"""structure on the command line: a deal's file, a speed, and prices of its classes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from poolhouse.cli.options import AsJson, Plot, face_of, market_of
from poolhouse.cli.value_commands import (
    Cdr,
    Cpr,
    Defaults,
    HousePrices,
    Lag,
    MortgageRate,
    NoAdvance,
    Paths,
    Prepayment,
    Psa,
    Rates,
    Rows,
    Sda,
    Settle,
    Severity,
    Smm,
    Unemployment,
    numbers,
)

DealFile = Annotated[
    Path | None,
    typer.Argument(
        metavar="[DEAL.toml]", help="The deal's file; without one, the deal a pool was issued as.", exists=True,
        dir_okay=False, show_default=False,
    ),
]  # fmt: skip
Prices = Annotated[
    list[str] | None,
    typer.Option("--price", metavar="CLASS=PRICE", help="Clean price of a class: A=101-16. More than once."),
]
Index = Annotated[str | None, typer.Option("--index", metavar="PERCENT", help="Of floaters: one, or by month.")]
NoCall = Annotated[bool, typer.Option("--no-call", help="The clean-up call is not exercised.")]


Book = Annotated[str | None, typer.Option("--book", metavar="DIR", help="With --pool: a pool of this book.")]
Pool = Annotated[
    str | None,
    typer.Option("--pool", metavar="CUSIP|NUMBER", help="A pool of the book instead of the file's collateral."),
]


def structure(
    deal: DealFile = None, pool: Pool = None, book: Book = None, psa: Psa = None, cpr: Cpr = None, smm: Smm = None,
    cdr: Cdr = None, sda: Sda = None, severity: Severity = None, lag: Lag = 12, no_advance: NoAdvance = False,
    prepayment: Prepayment = None, defaults: Defaults = None, mortgage_rate: MortgageRate = None,
    house_prices: HousePrices = None, unemployment: Unemployment = None, price: Prices = None, index: Index = None,
    settle: Settle = None, no_call: NoCall = False, rates: Rates = None, paths: Paths = 128, rows: Rows = False,
    plot: Plot = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """The classes of a deal at a speed and across speeds.

    Size, average life, window, yield at a price; with --cdr and --severity who loses what. With --pool the deal is laid
    over a pool of the book, or without a file it is the one that a private pool was issued as: what its classes got and
    lost so far, and what is to come, at speeds or by models of borrowers loan by loan. With --rates also each class's
    option-adjusted spread at its price (without one its price at 0), durations, and how far its average life goes.
    """
    given = {"psa": psa, "cpr": cpr, "smm": smm, "cdr": cdr, "sda": sda}
    if (book is None) != (pool is None):
        raise typer.BadParameter("--book and --pool go together")
    if deal is None and pool is None:
        raise typer.BadParameter("give a DEAL.toml, or --book and --pool: the deal a pool was issued as")
    options: dict[str, Any] = {
        "speeds": {name: numbers(f"--{name}", text) for name, text in given.items()},
        "severity": numbers("--severity", severity or ("0" if pool is None else None)), "lag": lag,
        "advance": not no_advance, "prices": _prices(price), "index": numbers("--index", index),
        "settle": settle, "call": not no_call, "rows": rows or plot is not None, "rates": rates,
        "paths": paths, "processes": _processes(paths if rates else 0),
    }  # fmt: skip
    models: dict[str, Any] = {
        "prepayment": prepayment, "defaults": defaults, "mortgage_rate": numbers("--mortgage-rate", mortgage_rate),
        "house_prices": numbers("--house-prices", house_prices),
        "unemployment": numbers("--unemployment", unemployment),
    }  # fmt: skip
    if pool is None and any(given is not None for given in models.values()):
        raise typer.BadParameter("models look at loans, and a deal's file has none: give --book and --pool too")
    with face_of(as_json) as face:
        from poolhouse.market import structure as structuring

        if book is not None and pool is not None:
            answer = market_of(book).structure(deal, pool, **models, **options)
        elif deal is not None:
            answer = structuring.structure(deal, **options)
        if plot is not None:
            from poolhouse.cli import picture
            from poolhouse.web import structure_page

            picture.write(structure_page, answer, plot)
            answer["plot"] = str(plot)
            if not rows:
                del answer["months"]
        face.show("structure", answer, "")


_PATHS_A_PROCESS = 64
"""Fewer are run sooner than a process starts."""


def _processes(paths: int) -> int:
    if paths < 2 * _PATHS_A_PROCESS:
        return 1
    from poolhouse.valuation.totals import cores

    return min(cores(), paths // _PATHS_A_PROCESS)


def _prices(given: list[str] | None) -> dict[str, str]:
    prices: dict[str, str] = {}
    for text in given or []:
        name, equals, price = text.rpartition("=")
        if not equals or not name or name in prices:
            raise typer.BadParameter(f"--price {text!r}: write CLASS=PRICE once for a class, such as A=101-16")
        prices[name] = price
    return prices


def register(app: typer.Typer) -> None:
    """Adds `structure`."""
    app.command()(structure)
