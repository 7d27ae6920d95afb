"""convert on the command line: a tape of one layout written in another."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from poolhouse.cli.options import AsJson, Mapping, Tape, face_of


class Layout(StrEnum):
    """What a tape can be written as."""

    canonical = "canonical"
    uldd = "uldd"


def convert(
    tape: Tape,
    to: Annotated[Layout, typer.Option("--to", help="canonical: our own columns; uldd: XML as lenders deliver.")],
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", dir_okay=False, help=".csv or .parquet; .xml for uldd.")
    ],
    mapping: Mapping = None,
    as_json: AsJson = False,
) -> None:
    """A tape written in our own columns or as ULDD XML."""
    with face_of(as_json) as face:
        from poolhouse.market import convert as market

        face.show("convert", market.convert(tape, mapping, to=to.value, out=out), "")


def register(app: typer.Typer) -> None:
    """Add this file's command to the command line."""
    app.command("convert")(convert)
