"""fit on the command line: a model's parameters from a book's own history."""

from __future__ import annotations

from typing import Annotated

import typer

from poolhouse.cli.options import AsJson, BookDir, Plot, face_of, market_of

Split = Annotated[
    str, typer.Option("--split", metavar="NAME", help="Tried on the last months (time), or on some loans (loans).")
]
Holdout = Annotated[float, typer.Option("--holdout", metavar="SHARE", help="Of the months or loans.")]


def prepayment(
    book: BookDir, split: Split = "time", holdout: Holdout = 0.25, plot: Plot = None, as_json: AsJson = False
) -> None:
    """How a book's borrowers prepay.

    Estimates with standard errors, and a test on months or loans that the fit has not seen.
    """
    with face_of(as_json) as face:
        answer = market_of(book).fit_prepayment(split=split, holdout=holdout)
        if plot is not None:
            from poolhouse.cli import picture
            from poolhouse.web import fit_page

            picture.write(fit_page, answer, plot)
            answer = {**answer, "plot": str(plot)}
        face.show("fit prepayment", answer, book)


def register(app: typer.Typer) -> None:
    """Adds `fit prepayment`."""
    group = typer.Typer(name="fit", no_args_is_help=True, help="A model's parameters from a book's own history.")
    group.command("prepayment")(prepayment)
    group.callback()(_models)
    app.add_typer(group)


def _models() -> None:
    """A model's parameters from a book's own history."""
