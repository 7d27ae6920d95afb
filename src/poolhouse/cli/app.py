"""The commands: each opens the book, calls the market's method of the same name and shows the answer.

No market rule lives here, and nothing heavy is imported at the top: `--help` reads only this file.
"""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from poolhouse.cli.shell import DONE, PROMISE_BROKEN

app = typer.Typer(
    name="poolhouse",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
    help="The US secondary mortgage market as one program, every cent accounted for.\n\n"
    "Start with `poolhouse demo`. Every command takes --book DIR and --json.",
    epilog="Exit codes: 0 done, 1 a promise fails, 2 refused with the reason, 3 a fault of Poolhouse.",
)


def _month(text: str | None) -> str | None:
    if text is not None and not re.fullmatch(r"[12]\d{3}-(0[1-9]|1[0-2])", text.strip()):
        raise typer.BadParameter(f"{text!r} is no month: write YYYY-MM, such as 2009-01")
    return text.strip() if text else None


def _input_file(help_text: str, *names: str, metavar: str = "FILE") -> Any:
    return typer.Option(*names, help=help_text, metavar=metavar, exists=True, dir_okay=False, readable=True)


BookDir = Annotated[str, typer.Option("--book", metavar="DIR", help="The book: a folder, or a postgresql:// address.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Tape = Annotated[
    Path,
    typer.Argument(metavar="TAPE", help="The loan tape: CSV (also .gz) or Parquet.", exists=True, dir_okay=False),
]
Months = Annotated[int, typer.Option("--months", metavar="N", min=1, max=480, help="How many months of servicing.")]
Seed = Annotated[int | None, typer.Option("--seed", metavar="S", min=0, help="Seed of all chance; 1 unless given.")]
Start = Annotated[
    str | None,
    typer.Option("--start", metavar="YYYY-MM", callback=_month, help="First month; else the tape's own."),
]
Mapping = Annotated[Path | None, _input_file("TOML file from your columns to ours.", "--mapping")]
Payments = Annotated[
    Path | None,
    _input_file("CSV of payments (loan, received_date, amount_cents, kind, reference); else a model.", "--payments"),
]
Edition = Annotated[str | None, typer.Option("--edition", metavar="NAME", help="Edition of the rulebook.")]
LoanId = Annotated[str, typer.Argument(metavar="ID", help="The loan's number on the tape, or '#' and its id.")]


def _face(as_json: bool) -> Any:
    from poolhouse.cli.face import Face

    return Face(as_json)


def _market(book: str, create: bool = False, **options: Any) -> Any:
    """The market over the book; options not given are left to the book."""
    import poolhouse

    return poolhouse.open(book, create=create, **_given(options))


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


@app.callback(invoke_without_command=True)
def _top(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        import poolhouse

        typer.echo(f"poolhouse {poolhouse.__version__}")
        raise typer.Exit


@app.command()
def demo(book: BookDir = "demo-book", months: Months = 24, as_json: AsJson = False) -> None:
    """The whole market on the shipped tape of 50,502 real loans."""
    with _face(as_json) as face:
        face.report(_market(book, create=True).demo(months=months, progress=face.progress), book)


@app.command()
def run(
    tape: Tape,
    book: BookDir,
    months: Months = 24,
    seed: Seed = None,
    start: Start = None,
    mapping: Mapping = None,
    payments: Payments = None,
    as_json: AsJson = False,
) -> None:
    """The whole market on any tape.

    Each month closes what is due, checks, sells, pools, issues, notifies and services. Run again
    after an interruption it goes on where the book stands.
    """
    with _face(as_json) as face:
        market = _market(book, create=True, seed=seed, start=start)
        options = _given({"seed": seed, "start": start, "mapping": mapping, "payments": payments})
        face.report(market.run(tape, months=months, progress=face.progress, **options), book)


@app.command()
def close(
    tape: Tape,
    book: BookDir,
    start: Start = None,
    seed: Seed = None,
    mapping: Mapping = None,
    edition: Edition = None,
    as_json: AsJson = False,
) -> None:
    """Step 1: the loans of a tape close with their lenders.

    Makes the book if there is none; seed, start and edition are fixed at that moment.
    """
    with _face(as_json) as face:
        market = _market(book, create=True, seed=seed, start=start, edition=edition)
        face.step("close", market.close(tape, mapping=mapping), book)


@app.command()
def check(book: BookDir, as_json: AsJson = False) -> None:
    """Step 2: each loan against each program's standards."""
    with _face(as_json) as face:
        face.step("check", _market(book).check(), book)


@app.command()
def sell(book: BookDir, as_json: AsJson = False) -> None:
    """Step 3: eligible loans to the best-paying outlet."""
    with _face(as_json) as face:
        face.step("sell", _market(book).sell(), book)


@app.command()
def pool(book: BookDir, as_json: AsJson = False) -> None:
    """Step 4: similar loans become pools."""
    with _face(as_json) as face:
        face.step("pool", _market(book).pool(), book)


@app.command()
def issue(book: BookDir, as_json: AsJson = False) -> None:
    """Step 5: pools become securities, placed with investors."""
    with _face(as_json) as face:
        face.step("issue", _market(book).issue(), book)


@app.command()
def trade(
    book: BookDir,
    tickets: Annotated[Path, _input_file("CSV of trade tickets.", "--tickets")],
    as_json: AsJson = False,
) -> None:
    """Investors' trades through the dealer, from a file."""
    with _face(as_json) as face:
        face.step("trade", _market(book).trade(tickets), book)


@app.command()
def transfer(
    book: BookDir,
    loans: Annotated[Path, _input_file("CSV with a column `loan`.", "--loans")],
    to: Annotated[str, typer.Option("--to", metavar="SERVICER", help="The new servicer.")],
    effective: Annotated[
        datetime, typer.Option("--effective", formats=["%Y-%m-%d"], metavar="DATE", help="YYYY-MM-DD.")
    ],
    as_json: AsJson = False,
) -> None:
    """Servicing of some loans goes to another servicer."""
    with _face(as_json) as face:
        face.step("transfer", _market(book).transfer(loans, to, effective.date()), book)


@app.command()
def notify(book: BookDir, as_json: AsJson = False) -> None:
    """Step 6: borrowers are told of new owners and servicers."""
    with _face(as_json) as face:
        face.step("notify", _market(book).notify(), book)


@app.command("close-month")
def close_month(book: BookDir, payments: Payments = None, as_json: AsJson = False) -> None:
    """Step 7: a month of payments, remittances and factors."""
    with _face(as_json) as face:
        face.step("close-month", _market(book).close_month(payments=payments), book)


@app.command()
def verify(book: BookDir, as_json: AsJson = False) -> None:
    """Checks every promise; exit code 1 if one fails."""
    with _face(as_json) as face:
        answer = _market(book).verify(progress=face.progress)
        face.show("verify", answer, book)
    raise typer.Exit(DONE if answer["ok"] else PROMISE_BROKEN)


@app.command()
def report(
    book: BookDir,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", dir_okay=False, help="Also write one HTML page.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """The market as a table, and as a page with --html."""
    with _face(as_json) as face:
        market = _market(book)
        answer = market.report()
        if html is not None:
            from poolhouse import web

            html.write_text(web.render(answer, market.report_series()), encoding="utf-8")
            answer = {**answer, "html": str(html)}
        face.report(answer, book)


@app.command()
def loan(loan_id: LoanId, book: BookDir, as_json: AsJson = False) -> None:
    """A loan's whole life.

    Terms, eligibility by program, owners, notices, pool, security, servicers and months.
    """
    with _face(as_json) as face:
        face.show("loan", _market(book).loan(loan_id), book)


@app.command()
def trace(
    book: BookDir,
    loan_id: Annotated[str, typer.Option("--loan", metavar="ID", help="The loan.")],
    month: Annotated[str, typer.Option("--month", metavar="YYYY-MM", callback=_month, help="The month.")],
    as_json: AsJson = False,
) -> None:
    """Where each cent of a month's payment went."""
    with _face(as_json) as face:
        face.show("trace", _market(book).trace(loan_id, month), book)


@app.command()
def lookthrough(
    book: BookDir,
    holder: Annotated[str, typer.Option("--holder", metavar="NAME", help="The investor, or part of its name.")],
    loan_id: Annotated[str | None, typer.Option("--loan", metavar="ID", help="Also: does it own this loan?")] = None,
    as_json: AsJson = False,
) -> None:
    """From an investor down to the loans behind its securities."""
    with _face(as_json) as face:
        face.show("lookthrough", _market(book).lookthrough(holder, **_given({"loan": loan_id})), book)


@app.command()
def lenders(book: BookDir, as_json: AsJson = False) -> None:
    """Lenders, and how their loans do against their peers'."""
    with _face(as_json) as face:
        face.show("lenders", _market(book).lenders(), book)
