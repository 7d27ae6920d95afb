"""CUSIPs: the check digit everyone computes, and numbers of our own that can't be mistaken for real ones.

The issuer range that starts with 99 is left to users and never assigned, so a book's securities
pass every checksum and still name nothing outside the book.
"""

from __future__ import annotations

import re

_BODY = re.compile(r"[0-9A-Z*@#]{8}")
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_VALUES = {c: i for i, c in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ*@#")}


def check_digit(body: str) -> str:
    """The ninth character of a CUSIP from its first eight. ValueError when they are no CUSIP body.

    Letters count 10 to 35; every second value is doubled; the decimal digits are summed.
    Source: CUSIP modulus 10 double-add-double, as in ANSI X9.6.
    """
    if not _BODY.fullmatch(body):
        raise ValueError(f"{body!r} is not the first eight characters of a CUSIP: digits and capital letters")
    total = 0
    for position, character in enumerate(body):
        value = _VALUES[character] * (1 + position % 2)
        total += value // 10 + value % 10
    return str(-total % 10)


def is_valid(cusip: str) -> bool:
    """Nine characters whose last is the check digit of the others."""
    return len(cusip) == 9 and bool(_BODY.fullmatch(cusip[:8])) and check_digit(cusip[:8]) == cusip[8]


def of_class(number: int, issuer: str) -> str:
    """The CUSIP of a deal's class: as `fictional`, with a letter after the issuer's characters for each block of
    numbers, so that no pool has the same."""
    block, rest = divmod(number, 10 ** (7 - len(issuer)))
    if not 0 <= block < len(_LETTERS):
        raise ValueError(f"class {number} has no place after {issuer} and a letter")
    return fictional(rest, issuer + _LETTERS[block])


def fictional(number: int, issuer: str) -> str:
    """The CUSIP of a book's security: issuer characters, the number in the places left, the check digit."""
    places = 8 - len(issuer)
    if not 0 <= number < 10**places:
        raise ValueError(f"security {number} has no place in {places} digits after {issuer}")
    body = f"{issuer}{number:0{places}d}"
    return body + check_digit(body)
