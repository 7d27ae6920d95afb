"""Every letter says everything the law asks for, and no letter is made where there is none."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from poolhouse import notices
from poolhouse.rules.rulebook import load

LOAN = {"loan_number": "2009-0001", "note_date": date(2009, 1, 14), "note_amount_cents": 25_000_000}
PARTIES = {1000: {"name": "First Bank of Anytown"}, 70: {"name": "Northern Servicing"}}
NOTICE: dict[str, Any] = {
    "loan_id": 0, "kind": "ownership", "from_id": 1000, "to_id": 70, "transfer_date": date(2010, 10, 1),
    "due_date": date(2010, 10, 31), "sent_date": date(2010, 10, 10), "exemption": "",
}  # fmt: skip

SAYS = {
    "loan": ["number 2009-0001", "January 14, 2009", "$250,000.00"],
    "new_owner_contact": ["Northern Servicing", "70 Market Street", "1-800-555-0170"],
    "transfer_date": ["On October 1, 2010 ownership passed"],
    "agent_contact": ["rescind the loan", "questions about your payments", "call 1-800-555-0170"],
    "recording": ["has not been recorded in the public records"],
    "partial_payment_policy": ["hold a payment that is less", "separate account", "the next owner", "different policy"],
    "effective_date": ["It takes effect on October 1, 2010"],
    "new_servicer_contact": ["Northern Servicing", "70 Market Street", "Toll-free 1-800-555-0170"],
    "old_servicer_contact": ["First Bank of Anytown", "1000 Market Street", "Toll-free 1-800-555-0100"],
    "payment_dates": ["until September 30, 2010", "accepts payments from October 1, 2010"],
    "optional_insurance": ["life, disability or other optional insurance", "To keep the coverage"],
    "terms_unchanged": ["changes no term or condition of your loan, except those that concern its servicing"],
}
"""Words that show each required content of `rules/data/notices.toml`."""


@pytest.mark.parametrize(
    ("kind", "contents", "sender"),
    [
        ("ownership", "ownership_contents", "Northern Servicing"),
        ("servicing_goodbye", "servicing_contents", "First Bank of Anytown"),
        ("servicing_hello", "servicing_contents", "Northern Servicing"),
    ],
)
def test_letters_say_all_that_is_required(kind: str, contents: str, sender: str) -> None:
    text = notices.letter(NOTICE | {"kind": kind}, LOAN, PARTIES)
    required = load().get(f"notices.{contents}", date(2026, 11, 1))
    missing = [(name, words) for name in required for words in SAYS[name] if words not in " ".join(text.split())]
    assert not missing
    assert text.startswith(sender)
    assert "October 10, 2010" in text
    assert "{" not in text


def test_sixty_days_of_protection_are_those_of_the_guides_example() -> None:
    """Effective 1 October: until 29 November."""
    text = notices.letter(NOTICE | {"kind": "servicing_hello"}, LOAN, PARTIES)
    assert "For 60 days from the effective date, until November 29, 2010" in text


def test_servicing_that_moves_within_a_month_takes_effect_with_the_next_payment() -> None:
    text = notices.letter(NOTICE | {"kind": "servicing_goodbye", "transfer_date": date(2010, 9, 7)}, LOAN, PARTIES)
    assert "It takes effect on October 1, 2010" in text


def test_no_letter_without_a_notice() -> None:
    with pytest.raises(ValueError, match="exempt \\(no_change_of_title\\)"):
        notices.letter(NOTICE | {"exemption": "no_change_of_title", "sent_date": None}, LOAN, PARTIES)
    with pytest.raises(ValueError, match="due by 2010-10-31"):
        notices.letter(NOTICE | {"sent_date": None}, LOAN, PARTIES)
