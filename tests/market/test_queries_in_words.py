"""What people read of a real book's queries: complete, in words, within a hundred columns."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest

from poolhouse.cli import shell
from poolhouse.dates import month_name
from poolhouse.market.market import Market
from poolhouse.money import dollars

WIDTH = 100
Said = Callable[..., str]


@pytest.fixture
def said(queried: Market, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Said:
    """The lines that a command line on the book prints."""
    monkeypatch.setattr("poolhouse.cli.face.PLAIN_WIDTH", WIDTH)

    def run(*arguments: str) -> str:
        assert shell.run([*arguments, "--book", str(queried.place)]) == 0
        out = capsys.readouterr().out
        assert max(len(line.rstrip()) for line in out.splitlines()) <= WIDTH
        assert "{" not in out and "_cents" not in out and "None" not in out
        return out

    return run


def test_a_loan_reads_as_its_file(queried: Market, said: Said) -> None:
    pooled = queried.book.segment("pool_loans").sort("loan_id")["loan_id"][0]
    life = queried.loan(f"#{pooled}")
    out = said("loan", life["loan"])
    for text in (
        life["status"], dollars(life["terms"]["note_amount_cents"]), life["closing"]["lender"], "Eligibility", "Sale",
        life["pool"]["pool_number"], life["security"]["cusip"], "Notices to the borrower", "Month by month",
        life["months"][-1]["month"], dollars(life["months"][-1]["closing_actual_cents"]),
    ):  # fmt: skip
        assert text in out, text


def test_a_trace_reads_as_a_settlement(queried: Market, said: Said) -> None:
    """An advance, repaid: who paid whom, beside the borrower's payment."""
    rows = queried.book.segment("loan_months").filter(
        (pl.col("advanced_cents") > 0) & (pl.col("recovered_cents") > 0) & (pl.col("payee_pool_id") > 0)
    ).sort("month", "loan_id")  # fmt: skip
    row = rows.row(0, named=True)
    number = queried.book.segment("loans").filter(pl.col("loan_id") == row["loan_id"])["loan_number"][0]
    out = said("trace", "--loan", number, "--month", month_name(row["month"]))
    for text in (f"Where {dollars(row['paid_cents'])} went", "advance repaid", "Other money", "the servicer's advance"):
        assert text in out, text
    assert "miss the payment" not in out


def test_a_holders_statement_and_the_lenders_table(queried: Market, said: Said) -> None:
    plan = queried.lookthrough("401(k)")
    loan = queried.book.segment("pool_loans").sort("loan_id")["loan_id"][0]
    out = said("lookthrough", "--holder", "401(k)", "--loan", f"#{loan}")
    for text in (dollars(plan["balance_cents"]), "Through Bond mutual fund", "Does it own loan"):
        assert text in out, text
    answer = queried.lenders()
    out = said("lenders")
    for text in (str(answer["watched"]), answer["lenders"][0]["lender"][:12], "Why loans were not bought"):
        assert text in out, text
