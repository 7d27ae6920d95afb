"""A book whose lender promised to deliver: what tests of commitments and of the promises build once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import kit_market as kit

LOANS = 30
ABOVE, BELOW, EFFORTS, FEE, LATER = "above the sheet", "below the sheet", "efforts", "fee saved", "later"
PROMISED: list[dict[str, Any]] = [
    {"id": ABOVE, "program": "fnma", "kind": "mandatory", "coupon": "6", "amount_cents": 100_000_000,
     "price": "105.80", "expires": "2009-03-31", "tolerance_pct": "2.5", "pair_off": "0.5"},
    {"id": BELOW, "program": "fhlmc", "kind": "mandatory", "coupon": "6.0", "amount_cents": 50_000_000,
     "price": "105", "expires": "2009-02-28", "tolerance_pct": "1", "pair_off": "0.125"},
    {"id": EFFORTS, "program": "fhlmc", "kind": "best_efforts", "coupon": "6", "amount_cents": 60_000_000,
     "price": "105-20+", "expires": "2009-03-15", "tolerance_pct": "", "pair_off": ""},
    {"id": FEE, "program": "fnma", "kind": "mandatory", "coupon": "6", "amount_cents": 25_000_000,
     "price": "105.5", "expires": "2009-02-28", "tolerance_pct": "", "pair_off": "0.25"},
    {"id": LATER, "program": "fnma", "kind": "mandatory", "coupon": "5.5", "amount_cents": 90_000_000,
     "price": "104", "expires": "2010-12-31", "tolerance_pct": "", "pair_off": "0.25"},
]  # fmt: skip
"""The sheet of February 2009 pays 105.565 for a coupon of 6% at both enterprises; each loan is $250,000."""


def promises(folder: Path, rows: list[dict[str, Any]]) -> Path:
    return kit.write_rows(folder / "commitments.csv", [{"lender": "First Bank", **row} for row in rows])


def build(folder: Path) -> Path:
    """January 2009, promises in February, and the months to May. Gives the book's folder."""
    market = kit.build(folder / "book", kit.write_rows(folder / "tape.csv", kit.alike(LOANS)), 1)
    answer = market.commit(promises(folder, PROMISED))
    assert (answer["commitments"], answer["rejected"]) == (5, 0), answer["rejects"]
    assert market.commit(folder / "commitments.csv")["commitments"] == 5  # the same file, the same answer
    assert market.commit()["open"] == 5
    for _ in range(4):
        kit.month_by_steps(market)
    market.close_book()
    return folder / "book"
