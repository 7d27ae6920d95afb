"""Renders a notice as the letter that the borrower gets: plain text, made on demand from row and template.

Names of the parties are the book's; addresses and telephone numbers are fictional (assumptions).
The contents each letter must have are listed in `rules/data/notices.toml` with their paragraphs.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from poolhouse.dates import first_day, month_of
from poolhouse.money import dollars
from poolhouse.rules.rulebook import load

if TYPE_CHECKING:
    from jinja2 import Environment

SENDERS = {"ownership": "to_id", "servicing_goodbye": "from_id", "servicing_hello": "to_id"}
"""Who signs each kind of notice: a column of the notice row."""


def letter(notice: Mapping[str, Any], loan: Mapping[str, Any], parties: Mapping[int, Mapping[str, Any]]) -> str:
    """The letter of one notice that was sent.

    notice: a NOTICES row; loan: loan_number, note_date, note_amount_cents of its loan; parties: rows
    of the parties table by party_id, at least both of the notice's (name). ValueError where there is
    no letter: the transfer is exempt, or the notice has not been sent.
    """
    if notice["exemption"]:
        raise ValueError(f"there is no letter: the transfer is exempt ({notice['exemption']})")
    if notice["sent_date"] is None:
        raise ValueError(f"there is no letter yet: it is due by {notice['due_date']}")
    kind = str(notice["kind"])
    template = "ownership.txt" if kind == "ownership" else "servicing.txt"
    old, new = (_contact(int(notice[side]), parties, notice["sent_date"]) for side in ("from_id", "to_id"))
    effective = first_payment_date(notice["transfer_date"])
    days = load().get("notices.late_protection_days", effective)
    return _templates().get_template(template).render(
        kind=kind,
        sender=new if SENDERS[kind] == "to_id" else old,
        old=old,
        new=new,
        sent=_day(notice["sent_date"]),
        transferred=_day(notice["transfer_date"]),
        effective=_day(effective),
        last_old_day=_day(effective - timedelta(days=1)),
        protection_days=days,
        protected_until=_day(effective + timedelta(days=days - 1)),
        loan_number=loan["loan_number"],
        note_date=_day(loan["note_date"]),
        note_amount=dollars(int(loan["note_amount_cents"])),
    )  # fmt: skip


def first_payment_date(moved: date) -> date:
    """The first due date, the 1st of a month, on or after the day servicing moves: the legal effective date."""
    return moved if moved.day == 1 else first_day(month_of(moved) + 1)


def _contact(party_id: int, parties: Mapping[int, Mapping[str, Any]], as_of: date) -> dict[str, str]:
    street, phone = (load().get(f"notices.contact_{x}", as_of) for x in ("street", "phone"))
    return {
        "name": str(parties[party_id]["name"]),
        "address": street.format(party_id=party_id),
        "phone": phone.format(line=party_id % 100),
    }


def _day(day: date) -> str:
    return f"{day:%B} {day.day}, {day.year}"


@lru_cache(maxsize=1)
def _templates() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # most commands render no letter

    return Environment(
        loader=PackageLoader("poolhouse.notices"),
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
