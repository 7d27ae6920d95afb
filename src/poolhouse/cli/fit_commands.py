"""fit on the command line: a model's parameters from a book's own history."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from poolhouse.cli.options import AsJson, BookDir, face_of, market_of

Split = Annotated[
    str, typer.Option("--split", metavar="NAME", help="Tried on the last months (time), or on some loans (loans).")
]
Holdout = Annotated[float, typer.Option("--holdout", metavar="SHARE", help="Of the months or loans.")]
Plot = Annotated[Path | None, typer.Option("--plot", metavar="FILE", dir_okay=False, help="Figures: .html or .png.")]


def prepayment(
    book: BookDir, split: Split = "time", holdout: Holdout = 0.25, plot: Plot = None, as_json: AsJson = False
) -> None:
    """How a book's borrowers prepay.

    Estimates with standard errors, and a test on months or loans that the fit has not seen.
    """
    if plot is not None and plot.suffix.lower() not in (".html", ".png"):
        raise typer.BadParameter(f"--plot {plot}: end the name with .html or .png")
    with face_of(as_json) as face:
        answer = market_of(book).fit_prepayment(split=split, holdout=holdout)
        if plot is not None:
            _plot(answer, plot)
            answer = {**answer, "plot": str(plot)}
        face.show("fit prepayment", answer, book)


def _plot(answer: dict[str, Any], path: Path) -> None:
    from poolhouse.web import fit_page

    if path.suffix.lower() == ".html":
        path.write_text(fit_page.render(answer), encoding="utf-8")
    else:
        from poolhouse.cli.picture import screenshot

        screenshot(fit_page.render(answer), path, height=fit_page.height(answer))


def register(app: typer.Typer) -> None:
    """Adds `fit prepayment`."""
    group = typer.Typer(name="fit", no_args_is_help=True, help="A model's parameters from a book's own history.")
    group.command("prepayment")(prepayment)
    group.callback()(_models)
    app.add_typer(group)


def _models() -> None:
    """A model's parameters from a book's own history."""
