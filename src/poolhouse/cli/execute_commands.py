"""execute on the command line: every loan to the offer that brings most together, for a tape or for anyone's prices."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from poolhouse.cli.options import AsJson, face_of, input_file

Offers = Annotated[Path | None, input_file("Offers: loan, pool, servicer, price (per 100) or value.", "--offers")]
Pools = Annotated[Path | None, input_file("Pools and their attributes.", "--pools")]
Limits = Annotated[Path | None, input_file("TOML file of the limits.", "--limits")]
Loans = Annotated[Path | None, input_file("Loans: balance, attributes; unless the offers have them.", "--loans")]
Tape = Annotated[
    Path | None, typer.Argument(metavar="[TAPE]", help="A tape: not yet possible.", exists=True, dir_okay=False)
]
Out = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", dir_okay=False, help="The assignment: .csv or .parquet.")
]
Rejects = Annotated[
    Path | None, typer.Option("--rejects", metavar="FILE", dir_okay=False, help="Lines that can't be used.")
]
Seconds = Annotated[float, typer.Option("--seconds", metavar="S", min=1, max=86_400, help="Time for all of it.")]


def execute(
    tape: Tape = None, offers: Offers = None, pools: Pools = None, limits: Limits = None, loans: Loans = None,
    out: Out = None, rejects: Rejects = None, seconds: Seconds = 60.0, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Best execution: all loans at once, under all limits.

    With --offers, --pools and --limits it takes the prices of anyone's pricing engine (docs/execution.md).
    """
    files = {"--offers": offers, "--pools": pools, "--limits": limits}
    if tape is not None:
        if any(files.values()) or loans is not None:
            raise typer.BadParameter("give either TAPE or --offers, --pools and --limits")
        raise typer.BadParameter("a tape can't be executed yet: give --offers, --pools and --limits")
    missing = [name for name, path in files.items() if path is None]
    if missing:
        raise typer.BadParameter(f"give {', '.join(missing)} too: offers, pools and limits go together")
    with face_of(as_json) as face:
        from poolhouse.market import execute_offers as market

        answer = market.execute_offers(
            str(offers), str(pools), str(limits), loans, out=out, rejects=rejects, seconds=seconds
        )
        face.show("execute --offers", answer, "")


def register(app: typer.Typer) -> None:
    """Adds `execute`."""
    app.command()(execute)
