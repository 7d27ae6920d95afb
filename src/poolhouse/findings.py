"""Findings: what is wrong or noteworthy in users' data, as rows and never as exceptions.

`Refused` is the one exception meant for a user: a whole command that can't be done. Its text is
what the command line prints, so it says what is wrong and what to do.
"""

from __future__ import annotations

from dataclasses import dataclass


class Refused(Exception):
    """A command that can't be done. `str(error)` is the message for the user."""


@dataclass(frozen=True)
class Finding:
    """One remark about one value: where it stands, which rule it meets or breaks, what to do."""

    step: str
    rule: str
    message: str
    severity: str = "warning"  # info | warning | error
    row: int = 0  # data row in the user's file, 1 = first; 0 = not from a file
    loan_number: str = ""
    field: str = ""
    value: str = ""
    count: int = 1  # how many loans or rows the remark stands for
