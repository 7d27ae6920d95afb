"""Options that several commands share, and how a command reaches the market and its output."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer


def month_option(text: str | None) -> str | None:
    if text is not None and not re.fullmatch(r"[12]\d{3}-(0[1-9]|1[0-2])", text.strip()):
        raise typer.BadParameter(f"{text!r} is no month: write YYYY-MM, such as 2009-01")
    return text.strip() if text else None


def input_file(help_text: str, *names: str, metavar: str = "FILE") -> Any:
    return typer.Option(*names, help=help_text, metavar=metavar, exists=True, dir_okay=False, readable=True)


def _picture_name(plot: Path | None) -> Path | None:
    if plot is not None and plot.suffix.lower() not in (".html", ".png"):
        raise typer.BadParameter(f"{plot}: end the name with .html or .png")
    return plot


BookDir = Annotated[str, typer.Option("--book", metavar="DIR", help="The book: a folder, or a postgresql:// address.")]
Plot = Annotated[
    Path | None,
    typer.Option("--plot", metavar="FILE", dir_okay=False, help="Figures: .html or .png.", callback=_picture_name),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Tape = Annotated[
    Path,
    typer.Argument(metavar="TAPE", help="The loan tape: CSV (also .gz), Parquet or ULDD.", exists=True, dir_okay=False),
]
Months = Annotated[int, typer.Option("--months", metavar="N", min=1, max=480, help="How many months of servicing.")]
Seed = Annotated[int | None, typer.Option("--seed", metavar="S", min=0, help="Seed of all chance; 1 unless given.")]
Start = Annotated[
    str | None,
    typer.Option("--start", metavar="YYYY-MM", callback=month_option, help="First month; else the tape's own."),
]
Mapping = Annotated[Path | None, input_file("TOML file from your columns to ours.", "--mapping")]
PoolDeal = Annotated[
    Path | None, input_file("A deal's TOML that private pools are issued as, instead of the assumed one.", "--deal")
]
Payments = Annotated[
    Path | None,
    input_file("CSV of payments (loan, received_date, amount_cents, kind, reference); else a model.", "--payments"),
]
Edition = Annotated[str | None, typer.Option("--edition", metavar="NAME", help="Edition of the rulebook.")]
LoanId = Annotated[str, typer.Argument(metavar="ID", help="The loan's number on the tape, or '#' and its id.")]


def face_of(as_json: bool) -> Any:
    from poolhouse.cli.face import Face

    return Face(as_json)


def market_of(book: str, create: bool = False, **options: Any) -> Any:
    """The market over the book; options not given are left to the book."""
    import poolhouse

    return poolhouse.open(book, create=create, **given(options))


def given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}
