"""The commands: each opens the book, calls the market's method of the same name and shows the answer.

No market rule lives here, and nothing heavy is imported at the top: `--help` reads only this file.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from poolhouse.cli import (
    aggregator_commands,
    convert_commands,
    execute_commands,
    fit_commands,
    price_commands,
    standards_commands,
    structure_commands,
    value_commands,
)
from poolhouse.cli.options import (
    AsJson,
    BookDir,
    Edition,
    LoanId,
    Mapping,
    Months,
    Payments,
    PoolDeal,
    Seed,
    Start,
    Tape,
    face_of,
    given,
    input_file,
    market_of,
    month_option,
)
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


@app.callback(invoke_without_command=True)
def _top(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        import poolhouse

        typer.echo(f"poolhouse {poolhouse.__version__}")
        raise typer.Exit


@app.command()
def demo(book: BookDir = "demo-book", months: Months = 24, as_json: AsJson = False) -> None:
    """The whole market on the shipped tape of 50,502 real loans."""
    with face_of(as_json) as face:
        face.report(market_of(book, create=True).demo(months=months, progress=face.progress), book)


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
    with face_of(as_json) as face:
        market = market_of(book, create=True, seed=seed, start=start)
        options = given({"seed": seed, "start": start, "mapping": mapping, "payments": payments})
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
    with face_of(as_json) as face:
        market = market_of(book, create=True, seed=seed, start=start, edition=edition)
        face.step("close", market.close(tape, mapping=mapping), book)


standards_commands.register(app)


@app.command()
def sell(book: BookDir, as_json: AsJson = False) -> None:
    """Step 3: eligible loans to the best-paying outlet."""
    with face_of(as_json) as face:
        face.step("sell", market_of(book).sell(), book)


@app.command()
def pool(book: BookDir, deal: PoolDeal = None, as_json: AsJson = False) -> None:
    """Step 4: similar loans become pools.

    Guaranteed ones are issued whole, private ones in the classes of a deal: the assumed one, or that of --deal.
    """
    with face_of(as_json) as face:
        face.step("pool", market_of(book).pool(deal), book)


@app.command()
def issue(book: BookDir, as_json: AsJson = False) -> None:
    """Step 5: pools become securities, placed with investors."""
    with face_of(as_json) as face:
        face.step("issue", market_of(book).issue(), book)


@app.command()
def trade(
    book: BookDir,
    tickets: Annotated[Path, input_file("CSV of trade tickets.", "--tickets")],
    as_json: AsJson = False,
) -> None:
    """Investors' trades through the dealer, from a file."""
    with face_of(as_json) as face:
        face.step("trade", market_of(book).trade(tickets), book)


@app.command()
def transfer(
    book: BookDir,
    loans: Annotated[Path, input_file("CSV with a column `loan`.", "--loans")],
    to: Annotated[str, typer.Option("--to", metavar="SERVICER", help="The new servicer.")],
    effective: Annotated[
        datetime, typer.Option("--effective", formats=["%Y-%m-%d"], metavar="DATE", help="YYYY-MM-DD.")
    ],
    as_json: AsJson = False,
) -> None:
    """Servicing of some loans goes to another servicer."""
    with face_of(as_json) as face:
        face.step("transfer", market_of(book).transfer(loans, to, effective.date()), book)


@app.command()
def notify(book: BookDir, as_json: AsJson = False) -> None:
    """Step 6: borrowers are told of new owners and servicers."""
    with face_of(as_json) as face:
        face.step("notify", market_of(book).notify(), book)


@app.command("close-month")
def close_month(book: BookDir, payments: Payments = None, as_json: AsJson = False) -> None:
    """Step 7: a month of payments, remittances and factors."""
    with face_of(as_json) as face:
        face.step("close-month", market_of(book).close_month(payments=payments), book)


@app.command()
def verify(book: BookDir, as_json: AsJson = False) -> None:
    """Checks every promise; exit code 1 if one fails."""
    with face_of(as_json) as face:
        answer = market_of(book).verify(progress=face.progress)
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
    with face_of(as_json) as face:
        market = market_of(book)
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
    with face_of(as_json) as face:
        face.show("loan", market_of(book).loan(loan_id), book)


@app.command()
def trace(
    book: BookDir,
    loan_id: Annotated[str, typer.Option("--loan", metavar="ID", help="The loan.")],
    month: Annotated[str, typer.Option("--month", metavar="YYYY-MM", callback=month_option, help="The month.")],
    as_json: AsJson = False,
) -> None:
    """Where each cent of a month's payment went."""
    with face_of(as_json) as face:
        face.show("trace", market_of(book).trace(loan_id, month), book)


@app.command()
def lookthrough(
    book: BookDir,
    holder: Annotated[str, typer.Option("--holder", metavar="NAME", help="The investor, or part of its name.")],
    loan_id: Annotated[str | None, typer.Option("--loan", metavar="ID", help="Also: does it own this loan?")] = None,
    as_json: AsJson = False,
) -> None:
    """From an investor down to the loans behind its securities."""
    with face_of(as_json) as face:
        face.show("lookthrough", market_of(book).lookthrough(holder, **given({"loan": loan_id})), book)


aggregator_commands.register(app)
convert_commands.register(app)
price_commands.register(app)
execute_commands.register(app)
value_commands.register(app)
structure_commands.register(app)
fit_commands.register(app)
