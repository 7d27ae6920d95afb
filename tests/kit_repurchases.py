"""A book in which loans go back to their lender: what tests of repurchases and of the promises build once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import kit_market as kit
from poolhouse.dates import parse_month

LOANS, JULY = 30, parse_month("2009-07")
CURRENT, LATE, BOUGHT_OUT, LOST, INDEMNIFIED, PAID_OFF, REPRICED, AHEAD = (f"L-{i:04d}" for i in range(8))
ASKED: dict[str, tuple[str, str, str]] = {
    CURRENT: ("occupancy", "repurchase", ""),
    LATE: ("early_default", "repurchase", ""),
    BOUGHT_OUT: ("early_default", "repurchase", ""),
    LOST: ("misstatement", "make_whole", ""),
    INDEMNIFIED: ("appraisal", "indemnify", ""),
    PAID_OFF: ("income", "repurchase", ""),
    REPRICED: ("unpaid_fee", "reprice", "123456"),
    AHEAD: ("clear_title", "repurchase", ""),
}
OPEN = "L-0008"
"""Demanded in January 2010, the open month of the book."""
STOPS = {LATE: JULY - 2, BOUGHT_OUT: JULY - 4, LOST: JULY - 4, INDEMNIFIED: JULY + 1, PAID_OFF: JULY + 1}
"""The first instalment that is not paid."""


def payments() -> list[dict[str, Any]]:
    rows: list[tuple[str, int, int, int, str]] = []
    for i in range(LOANS):
        loan = f"L-{i:04d}"
        rows += [(loan, m, 5, 158_017, "instalment") for m in range(kit.JANUARY + 2, STOPS.get(loan, JULY + 6))]
    rows += [(LOST, JULY - 1, 20, 20_000_000, "liquidation"), (INDEMNIFIED, JULY + 3, 20, 21_000_000, "liquidation")]
    rows += [(PAID_OFF, JULY + 1, 20, 26_000_000, "payoff"), (AHEAD, JULY, 6, 2 * 158_017, "instalment")]
    sent = [
        (loan, f"{m // 12}-{m % 12 + 1:02d}-{day:02d}", cents, kind, f"{loan}/{m}/{day}")
        for loan, m, day, cents, kind in rows
    ]
    return [dict(zip(kit.PAYMENT_COLUMNS, one, strict=True)) for one in sent]


def demands(folder: Path, rows: list[dict[str, str]], name: str = "demands.csv") -> Path:
    return kit.write_rows(folder / name, rows)


def asked(loan: str) -> dict[str, str]:
    return {"loan": loan, **dict(zip(("reason", "remedy", "amount_cents"), ASKED[loan], strict=True))}


def build(folder: Path) -> Path:
    """A book of 2009, in its folder: demands in July on eight of thirty loans, and one more at the end."""
    file = kit.write_rows(folder / "payments.csv", payments())
    market = kit.build(folder / "book", kit.write_rows(folder / "tape.csv", kit.alike(LOANS)), 6, file)
    answer = market.repurchase(demands(folder, [asked(loan) for loan in ASKED]))
    assert (answer["demands"], answer["rejected"]) == (8, 0), answer["rejects"]
    assert market.repurchase(folder / "demands.csv")["demands"] == 8  # the same file, the same answer
    assert market.repurchase()["open"] == 7 and market.lenders()["repurchases_outstanding"] == 7
    for _ in range(6):
        kit.month_by_steps(market, file)
    market.repurchase(demands(folder, [{"loan": OPEN, "reason": "income", "remedy": "repurchase"}], "last.csv"))
    market.close_book()
    return folder / "book"
