"""Standards on the command line: a book's or a tape's loans judged, the rules in force, what changed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from poolhouse.cli.options import AsJson, Edition, Mapping, face_of, input_file, market_of

AsOf = Annotated[str | None, typer.Option("--as-of", metavar="DATE", help="YYYY-MM-DD: the day that picks the rules.")]
Programs = Annotated[
    list[str] | None,
    typer.Option("--program", metavar="NAME|FILE", help="A program, or the TOML file of your own; may be repeated."),
]
Overlays = Annotated[list[Path] | None, input_file("TOML file of a lender's overlays; may be repeated.", "--overlays")]
Book = Annotated[
    str | None, typer.Option("--book", metavar="DIR", help="The book: a folder, or a postgresql:// address.")
]


def check(
    tape: Annotated[
        Path | None,
        typer.Argument(metavar="[TAPE]", help="Judge this tape, outside any book.", exists=True, dir_okay=False),
    ] = None,
    book: Book = None,
    as_of: AsOf = None,
    edition: Edition = None,
    mapping: Mapping = None,
    program: Programs = None,
    overlays: Overlays = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", dir_okay=False, help="Findings as .csv, .parquet or .json."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Step 2: each loan against each program's standards.

    With --book DIR the book's own step; with TAPE its loans, for every program or those named, with each reason,
    what would cure it, and what is missing.
    """
    own = {"--as-of": as_of, "--edition": edition, "--mapping": mapping, "--program": program,
           "--overlays": overlays, "--out": out}  # fmt: skip
    if (tape is None) == (book is None):
        raise typer.BadParameter("give either TAPE or --book DIR")
    with face_of(as_json) as face:
        if tape is None:
            given = [name for name, value in own.items() if value]
            if given:
                raise typer.BadParameter(f"{', '.join(given)} goes with TAPE; a book keeps its own edition and terms")
            face.step("check", market_of(str(book)).check(), book)
            return
        from poolhouse.market.check_tape import check_tape

        answer = check_tape(tape, mapping, as_of=as_of, edition=edition, programs=program or (),
                            overlays=overlays or (), out=out)  # fmt: skip
        face.show("check", answer, "")


def standards(
    context: typer.Context,
    program: Programs = None,
    as_of: AsOf = None,
    edition: Edition = None,
    overlays: Overlays = None,
    as_json: AsJson = False,
) -> None:
    """The rules in force on a day, each with its source."""
    if context.invoked_subcommand is not None:
        return
    with face_of(as_json) as face:
        from poolhouse.market.standards import rules_in_force

        face.show("standards", rules_in_force(program or (), as_of, edition, overlays or ()), "")


def diff(
    before: Annotated[str, typer.Argument(metavar="DATE", help="YYYY-MM-DD, the earlier day.")],
    after: Annotated[str, typer.Argument(metavar="DATE", help="YYYY-MM-DD, the later day.")],
    edition: Edition = None,
    as_json: AsJson = False,
) -> None:
    """What changed from one day to another."""
    with face_of(as_json) as face:
        from poolhouse.market.standards import rules_changed

        face.show("standards diff", rules_changed(before, after, edition), "")


def register(app: typer.Typer) -> None:
    """Adds `check`, and `standards` with `standards diff`."""
    app.command()(check)
    group = typer.Typer(name="standards", invoke_without_command=True, callback=standards)
    group.command()(diff)
    app.add_typer(group)
