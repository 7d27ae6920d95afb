"""execute on the command line: every loan to the offer that brings most together, for a tape or for anyone's prices."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from poolhouse.cli.options import AsJson, Edition, Mapping, face_of, input_file

Offers = Annotated[Path | None, input_file("Offers: loan, pool, servicer, price (per 100) or value.", "--offers")]
Pools = Annotated[Path | None, input_file("Pools and their attributes.", "--pools")]
Limits = Annotated[Path | None, input_file("TOML file of the limits.", "--limits")]
Loans = Annotated[Path | None, input_file("Loans: balance, attributes; unless the offers have them.", "--loans")]
Tape = Annotated[
    Path | None, typer.Argument(metavar="[TAPE]", help="Choose for this tape.", exists=True, dir_okay=False)
]
AsOf = Annotated[str | None, typer.Option("--as-of", metavar="DATE", help="A tape's day of sale, YYYY-MM-DD.")]
PriceSheet = Annotated[Path | None, input_file("TOML price sheet; else the model's.", "--sheet")]
Terms = Annotated[Path | None, input_file("TOML file of what the desk has agreed to.", "--commitments")]
WhatIf = Annotated[
    list[str] | None,
    typer.Option("--what-if", metavar="KEY=VALUE", help="Change a rule or the sheet: hold=no, gfee=46; repeatable."),
]
Explain = Annotated[
    list[str] | None, typer.Option("--explain", metavar="NUMBER", help="Why this loan goes there; repeatable.")
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out", metavar="FILE", dir_okay=False, help="What each loan takes: .csv or .parquet; a tape's also .json."
    ),
]
Rejects = Annotated[
    Path | None, typer.Option("--rejects", metavar="FILE", dir_okay=False, help="Lines that can't be used.")
]
Seconds = Annotated[float, typer.Option("--seconds", metavar="S", min=1, max=86_400, help="Time for all of it.")]


def execute(
    tape: Tape = None, offers: Offers = None, pools: Pools = None, limits: Limits = None, loans: Loans = None,
    as_of: AsOf = None, commitments: Terms = None, sheet: PriceSheet = None, what_if: WhatIf = None,
    explain: Explain = None, out: Out = None, rejects: Rejects = None, seconds: Seconds = 60.0,
    mapping: Mapping = None, edition: Edition = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Best execution: all loans at once, under all limits.

    TAPE chooses program, execution, coupon and servicing for each of its loans. With --offers, --pools and --limits it
    takes the prices of anyone's pricing engine (docs/execution.md).
    """
    files = {"--offers": offers, "--pools": pools, "--limits": limits, "--loans": loans, "--rejects": rejects}
    ours = {
        "--as-of": as_of, "--commitments": commitments, "--sheet": sheet, "--what-if": what_if, "--explain": explain,
        "--mapping": mapping, "--edition": edition,
    }  # fmt: skip
    _refuse_mixes(tape, files, ours)
    with face_of(as_json) as face:
        if tape is not None:
            from poolhouse.market import execute as of_tape

            answer = of_tape.execute_tape(
                str(tape), mapping, as_of=as_of, edition=edition, sheet=sheet, commitments=commitments,
                what_if=what_if or (), explain=explain or (), out=out, seconds=seconds,
            )  # fmt: skip
            face.show("execute", answer, "")
            return
        from poolhouse.market import execute_offers as market

        answer = market.execute_offers(
            str(offers), str(pools), str(limits), loans, out=out, rejects=rejects, seconds=seconds
        )
        face.show("execute --offers", answer, "")


def _refuse_mixes(tape: Path | None, files: dict[str, Path | None], ours: dict[str, Any]) -> None:
    """Options that don't go together."""
    given = [name for name, value in files.items() if value is not None]
    if tape is not None:
        if given:
            raise typer.BadParameter(f"{', '.join(given)} don't go with TAPE: give one or the others")
        return
    missing = [name for name in ("--offers", "--pools", "--limits") if files[name] is None]
    if len(missing) == 3:
        raise typer.BadParameter("give TAPE, or --offers, --pools and --limits")
    if missing:
        raise typer.BadParameter(f"give {', '.join(missing)} too: offers, pools and limits go together")
    foreign = [name for name, value in ours.items() if value]
    if foreign:
        raise typer.BadParameter(f"{', '.join(foreign)} go with TAPE only")


def register(app: typer.Typer) -> None:
    """Adds `execute`."""
    app.command()(execute)
