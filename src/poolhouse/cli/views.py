"""How the answers of queries and steps look as text. Each view takes the answer's dictionary."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rich.console import Group, RenderableType

from poolhouse.cli import market_view
from poolhouse.cli.grids import anything, figures, heading, plain, section, table
from poolhouse.web import words

_LIFE = (
    ("terms", "Terms at closing"),
    ("closing", "Closing"),
    ("eligibility", "Eligibility by program"),
    ("owners", "Owners"),
    ("pool", "Pool"),
    ("security", "Security"),
    ("servicers", "Servicers"),
    ("notices", "Notices to the borrower"),
    ("months", "Month by month"),
)
"""A loan's life in the order it happened."""


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


def loan(answer: dict[str, Any]) -> RenderableType:
    """A loan's whole life."""
    parts: list[RenderableType] = [plain(_loan_title(answer), "bold")]
    known = [key for key, _ in _LIFE]
    rest = {k: v for k, v in answer.items() if k not in known}
    if rest:
        parts.append(anything(rest))
    for key, title in _LIFE:
        if answer.get(key):
            parts += (
                section(title, answer[key])
                if isinstance(answer[key], dict | list)
                else [
                    heading(title),
                    figures([(words.shown(key, answer[key]), "", "")]),
                ]
            )
    return Group(*parts)


def _loan_title(answer: dict[str, Any]) -> str:
    terms = answer.get("terms", {})
    name = terms.get("loan_number") or terms.get("loan_id") or answer.get("loan") or ""
    return f"Loan {name}".strip()


def trace(answer: dict[str, Any]) -> RenderableType:
    """Each cent of a month's payment, by who got it; the shares sum to the payment."""
    split = answer["split"]
    rows = [(s["party"], s.get("role", ""), s.get("account", ""), words.money(s["cents"])) for s in split]
    total = sum(s["cents"] for s in split)
    rows.append(("Together", "", "", words.money(total)))
    title = f"Where {words.money(answer['paid_cents'])} went"
    note = (
        ""
        if total == answer["paid_cents"]
        else f"the shares miss the payment by {words.money(answer['paid_cents'] - total)}"
    )
    return Group(
        plain(title, "bold").append_text(plain(f"   {note}", "bold red")),
        table(("Who", "As", "Account", "Amount"), rows, right=(3,)),
        anything(answer, skip=("split", "paid_cents")),
    )


def lookthrough(answer: dict[str, Any]) -> RenderableType:
    """From a holder to the loans behind its securities."""
    return Group(plain(f"What {answer.get('holder', 'the holder')} owns", "bold"), anything(answer, skip=("holder",)))


def lenders(answer: dict[str, Any]) -> RenderableType:
    """Lenders and their records."""
    return Group(plain("Lenders", "bold"), anything(answer))


QUERIES: dict[str, Callable[[dict[str, Any]], RenderableType]] = {
    "verify": verify,
    "loan": loan,
    "trace": trace,
    "lookthrough": lookthrough,
    "lenders": lenders,
}
"""The view of each query, by the command's name."""
