"""The note: tapes read into canonical loans, loans as they close, and their exact amortisation."""

from __future__ import annotations

from poolhouse.loans.amortisation import balances_after, schedule
from poolhouse.loans.closing import as_loans, at_closing
from poolhouse.loans.tape import TapeRead, demo_tape, read_tape

__all__ = ["TapeRead", "as_loans", "at_closing", "balances_after", "demo_tape", "read_tape", "schedule"]
