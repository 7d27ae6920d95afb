"""Poolhouse: the US secondary mortgage market as one program.

`poolhouse.open("my-book")` opens a book and gives the market over it: the same commands and
queries as the command line, each returning a dictionary that `json.dumps` takes as it is.
`poolhouse.cashflows(...)` projects a pool's payments and needs no book.
Importing this package imports nothing else: the parts load when a book is opened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from poolhouse.market import Market

__version__ = "0.1.0"
__all__ = ["__version__", "cashflows", "open"]


def open(
    book: str | Path,
    *,
    create: bool = False,
    seed: int | None = None,
    start: str | None = None,
    edition: str | None = None,
) -> Market:
    """The market over a book: a folder, or a team's database by its `postgresql://` address.

    `create` lets `run`, `demo` and `close` make the book if there is none; `seed` (of all chance),
    `start` (the first month, 'YYYY-MM') and `edition` (of the rulebook) are fixed at that moment and
    kept in the book: left out, a new book takes 1, the tape's own start and the default edition.
    Raises `poolhouse.findings.Refused` when there is no book, or it was made with other terms.
    """
    from poolhouse.market import open_market

    return open_market(book, create=create, seed=seed, start=start, edition=edition)


def cashflows(
    balance: Any, wac: Any, coupon: Any, wam: Any, *, age: Any = None, psa: Any = None, cpr: Any = None,
    smm: Any = None, cdr: Any = None, sda: Any = None, severity: Any = 0.0, lag: int = 12, advance: bool = True,
    rows: bool = False, threads: int | None = None, device: str = "cpu",
) -> pl.DataFrame:  # fmt: skip
    """Projected cash flows of a pool or of arrays of them; see `poolhouse.valuation.cashflows` for what each means."""
    from poolhouse import valuation

    return valuation.cashflows(
        balance, wac, coupon, wam, age=age, psa=psa, cpr=cpr, smm=smm, cdr=cdr, sda=sda, severity=severity, lag=lag,
        advance=advance, rows=rows, threads=threads, device=device,
    )  # fmt: skip
