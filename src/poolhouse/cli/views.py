"""How the answers of queries and steps look as text. Each view takes the answer's dictionary."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rich.console import Group, RenderableType

from poolhouse.cli import (
    market_view,
    views_aggregator,
    views_convert,
    views_execute,
    views_execute_tape,
    views_fit,
    views_loan,
    views_price,
    views_queries,
    views_standards,
    views_structure,
    views_value,
)
from poolhouse.cli.grids import anything, plain
from poolhouse.web import words


def step(name: str, answer: dict[str, Any]) -> RenderableType:
    """What a step did: its counts and amounts, then its findings."""
    return Group(plain(f"{words.label(name.replace('-', '_'))}: done", "bold"), anything(answer))


def verify(answer: dict[str, Any]) -> RenderableType:
    """Every promise with the number of facts behind it."""
    verdict = "All promises hold" if answer["ok"] else "A promise does not hold"
    return Group(
        plain(verdict, "bold green" if answer["ok"] else "bold red"),
        *market_view.promises(answer["promises"], answer.get("head")),
    )


QUERIES: dict[str, Callable[[dict[str, Any]], RenderableType]] = {
    "verify": verify,
    "loan": views_loan.loan,
    "trace": views_queries.trace,
    "lookthrough": views_queries.lookthrough,
    "lenders": views_aggregator.lenders,
    "lender": views_aggregator.lender,
    "rate-lender": views_aggregator.told,
    "repurchase": views_aggregator.repurchase,
    "advice": views_aggregator.advice,
    "commit": views_aggregator.commit,
    "check": views_standards.check,
    "price": views_price.tape,
    "price --loan": views_price.loan,
    "standards": views_standards.standards,
    "standards diff": views_standards.diff,
    "convert": views_convert.convert,
    "execute": views_execute_tape.execute,
    "execute --offers": views_execute.offers,
    "value": views_value.value,
    "structure": views_structure.structure,
    "fit prepayment": views_fit.prepayment,
}
"""The view of each query, by the command's name."""
