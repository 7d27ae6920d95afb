"""The aggregator's commands: scorecards, what people decide about a lender, loans that go back, commitments."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from poolhouse.cli.options import AsJson, BookDir, face_of, given, input_file, market_of, month_option

LenderOption = Annotated[
    str | None, typer.Option("--lender", metavar="NAME", help="One lender in full, by code or name.")
]


def register(app: typer.Typer) -> None:
    """Add this file's commands to the command line."""
    app.command("lenders")(lenders)
    app.command("rate-lender")(rate_lender)
    app.command("repurchase")(repurchase)
    app.command("advice")(advice)
    app.command("commit")(commit)


def lenders(book: BookDir, lender: LenderOption = None, as_json: AsJson = False) -> None:
    """Lenders, and how their loans do against their peers'."""
    with face_of(as_json) as face:
        answer = market_of(book).lenders(**given({"lender": lender}))
        face.show("lenders" if lender is None else "lender", answer, book)


def rate_lender(
    book: BookDir,
    lender: Annotated[str, typer.Option("--lender", metavar="NAME", help="The lender, by code or name.")],
    state: Annotated[
        str,
        typer.Option("--state", metavar="STATE", help="approved, watch, overlay, suspended, terminated, reinstated."),
    ],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; kept with the decision.")],
    as_json: AsJson = False,
) -> None:
    """People decide about a lender: what it may sell from today."""
    with face_of(as_json) as face:
        face.show("rate-lender", market_of(book).rate_lender(lender, state, reason), book)


def repurchase(
    book: BookDir,
    demands: Annotated[
        Path | None, input_file("CSV of demands (loan, reason, remedy); without it: all demands.", "--demands")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Loans go back to their lenders, or are made whole."""
    with face_of(as_json) as face:
        face.show("repurchase", market_of(book).repurchase(**given({"demands": demands})), book)


def advice(
    book: BookDir,
    lender: LenderOption = None,
    month: Annotated[
        str | None, typer.Option("--month", metavar="YYYY-MM", callback=month_option, help="Month of the sale.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Purchase advices: price, interest, line payoff, net wire."""
    with face_of(as_json) as face:
        face.show("advice", market_of(book).advice(**given({"lender": lender, "month": month})), book)


def commit(
    book: BookDir,
    file: Annotated[
        Path | None,
        input_file("CSV of commitments (id, lender, program, kind ...); without it: all commitments.", "--file"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Lenders' promises to deliver loans at a price."""
    with face_of(as_json) as face:
        face.show("commit", market_of(book).commit(**given({"file": file})), book)
