"""The one-loan book's ledger, worked by hand: who posts what on which day, from closing to the fifth payment.

Independent on purpose: it takes the months of `one_loan.py` and imports nothing of the package. Each line
below is one party's entry in plain words. Run it to rewrite `one_loan_ledger.csv` and `one_loan_ledger.md`:

    python tests/golden/one_loan_ledger.py

Given, not worked out here: the prices of sale and placement (a price sheet and an auction), the day of the
sale's settlement, and the lender's line (98% at 4%, actual/360), all of them assumptions of the rulebook.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).parent


def _months() -> ModuleType:
    if "one_loan" not in sys.modules:
        spec = importlib.util.spec_from_file_location("one_loan", HERE / "one_loan.py")
        assert spec is not None and spec.loader is not None
        sys.modules["one_loan"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["one_loan"])
    return sys.modules["one_loan"]


one_loan = _months()
half_up = one_loan.half_up

NOTE = one_loan.NOTE_AMOUNT
HOME = 31_250_000
POINTS, COSTS = 250_000, 400_000
CLOSED = date(2009, 1, 14)

SOLD = date(2009, 2, 19)
SALE_PRICE = Fraction("105.565") / 100
LINE = NOTE * 98 // 100
LINE_RATE = Fraction(4, 100)
SERVICING_RIGHT = half_up(NOTE * Fraction(25, 10_000) * 4)  # four times the yearly fee of 25 bp

POOLED = date(2009, 2, 20)  # the business day after the last loan came in
PLACED = date(2009, 2, 25)  # two business days before the month's last, the record date
PLACEMENT_PRICE = Fraction(110, 100)

# Month -> received, fee draft (the 7th or before), draft (the 18th or before), holders (the 25th or after), last day.
DATES = {
    3: (date(2009, 3, 10), date(2009, 3, 6), date(2009, 3, 18), date(2009, 3, 25), date(2009, 3, 31)),
    4: (date(2009, 4, 10), date(2009, 4, 7), date(2009, 4, 17), date(2009, 4, 27), date(2009, 4, 30)),
    5: (date(2009, 5, 10), date(2009, 5, 7), date(2009, 5, 18), date(2009, 5, 26), date(2009, 5, 31)),
    6: (date(2009, 6, 10), date(2009, 6, 5), date(2009, 6, 18), date(2009, 6, 25), date(2009, 6, 30)),
    7: (date(2009, 7, 10), date(2009, 7, 7), date(2009, 7, 17), date(2009, 7, 27), date(2009, 7, 31)),
}
"""7 March, 18 April, 7 June and 18 July 2009 are Saturdays or Sundays; so are 25 April and 25 July; 25 May is
Memorial Day."""

LENDER, BUYER, HOLDER = "originator:first-bank", "fnma", "investor:bank"

Line = tuple[str, date, str, str, int]
"""Event, value date, party, account, cents: debits positive, credits negative."""


def entry(event: str, day: date, party: str, **accounts: int) -> Iterator[Line]:
    """One party's entry; it sums to zero. Accounts without an amount are left out."""
    assert sum(accounts.values()) == 0, (event, party, accounts)
    for account, cents in accounts.items():
        if cents:
            yield event, day, party, account, cents


def closing() -> Iterator[Line]:
    """14 January: the home is bought with the loan and what the borrower brings."""
    event = ("LoansClosed", CLOSED)
    odd_days = half_up(NOTE * one_loan.NOTE_RATE * 18 / 365)  # 14 to 31 January
    brought = HOME - NOTE + POINTS + COSTS + odd_days
    yield from entry(
        *event, "borrowers", home=HOME, closing_expense=POINTS + COSTS, interest_expense=odd_days,
        mortgage_payable=-NOTE, capital=-brought,
    )  # fmt: skip
    yield from entry(*event, "borrowers_income", capital=brought, cash=-brought)
    yield from entry(*event, "property_sellers", cash=HOME, home=-HOME)
    yield from entry(*event, "closing_payees", cash=COSTS, capital=-COSTS)
    yield from entry(*event, "warehouse", line_loans=LINE, cash=-LINE)
    yield from entry(
        *event, LENDER, loans_held=NOTE, line_payable=-LINE, points_income=-POINTS, interest_income=-odd_days,
        cash=LINE - NOTE + POINTS + odd_days, servicing_memo=NOTE, servicing_memo_contra=-NOTE,
    )  # fmt: skip


def sale() -> Iterator[Line]:
    """19 February: sold at the price sheet's price with 18 days of interest at the coupon; the line is paid off."""
    event = ("LoansSold", SOLD)
    premium = half_up(NOTE * SALE_PRICE) - NOTE
    accrued = half_up(NOTE * one_loan.PASS_THROUGH_RATE * 18 / 360)
    line_interest = half_up(LINE * LINE_RATE * 36 / 360)  # 14 January to 19 February
    yield from entry(
        *event, LENDER, cash=NOTE + premium + accrued - LINE - line_interest, loans_held=-NOTE, line_payable=LINE,
        interest_expense=line_interest, interest_income=-accrued, servicing_rights=SERVICING_RIGHT,
        gain_on_sale=-premium - SERVICING_RIGHT,
    )  # fmt: skip
    yield from entry(
        *event, BUYER, loans_held=NOTE, trading_income=premium, interest_income=accrued, cash=-NOTE - premium - accrued
    )
    yield from entry(
        *event, "warehouse", cash=LINE + line_interest, line_loans=-LINE, interest_income=-line_interest
    )  # fmt: skip


def issue() -> Iterator[Line]:
    """20 February: loan against certificates. 25 February: the whole security goes to one holder."""
    yield from entry("PoolsFormed", POOLED, BUYER, securities_held=NOTE, loans_held=-NOTE)
    yield from entry("PoolsFormed", POOLED, "trusts", loans_held=NOTE, certificates=-NOTE)
    premium = half_up(NOTE * PLACEMENT_PRICE) - NOTE
    accrued = half_up(NOTE * one_loan.PASS_THROUGH_RATE * 24 / 360)
    money = NOTE + premium + accrued
    event = ("Placed", PLACED)
    yield from entry(*event, HOLDER, securities_held=NOTE, trading_income=premium, interest_income=accrued, cash=-money)
    yield from entry(
        *event, BUYER, cash=money, securities_held=-NOTE, trading_income=-premium, interest_income=-accrued
    )


def received(row: dict[str, int], day: date) -> Iterator[Line]:
    """The borrower's money comes from its income and lies at the servicer for others."""
    event, paid = ("PaymentsReceived", day), row["paid"]
    yield from entry(*event, "borrowers_income", capital=paid, cash=-paid)
    yield from entry(*event, "borrowers", deposits_with_servicers=paid, capital=-paid)
    yield from entry(*event, LENDER, custodial_cash=paid, custodial_payable=-paid)


def applied(row: dict[str, int], opening: int, day: date) -> Iterator[Line]:
    """What was paid: principal and interest of the borrower; the fee in it is the servicer's."""
    event, principal = ("PaymentsApplied", day), opening - row["closing_actual"]
    kept = row["servicer_kept"]
    yield from entry(
        *event, "borrowers", mortgage_payable=principal, interest_expense=row["paid"] - principal,
        deposits_with_servicers=-row["paid"],
    )  # fmt: skip
    yield from entry(
        *event, LENDER, servicing_memo=-principal, servicing_memo_contra=principal, custodial_payable=kept,
        custodial_cash=-kept, cash=kept, servicing_income=-kept,
    )  # fmt: skip


def fee(row: dict[str, int], day: date) -> Iterator[Line]:
    """The guaranty fee is drafted; while the guarantor carries the loan it is owed instead."""
    event, relief = ("FeesDrafted", day), row["guaranty_relief"]
    paid = row["guaranty_fee"] - relief
    yield from entry(*event, LENDER, custodial_payable=paid, custodial_cash=-paid)
    yield from entry(*event, BUYER, cash=paid, guarantor_advances=relief, guaranty_income=-paid - relief)


def draft(row: dict[str, int], day: date) -> Iterator[Line]:
    """What is missing is put in, by the servicer or the guarantor; then all goes to the trust."""
    event, due, own = ("Remitted", day), row["due_to_trust"], row["advanced"] + row["shortfall"]
    theirs, interest = row["guarantor_advanced"], row["investor_interest"]
    yield from entry(
        *event, LENDER, cash=-own, servicer_advances=row["advanced"], shortfall_expense=row["shortfall"],
        custodial_cash=own + theirs - due, custodial_payable=due - own - theirs,
    )  # fmt: skip
    yield from entry(*event, BUYER, guarantor_advances=theirs, cash=-theirs)
    yield from entry(*event, "trusts", cash=due, loans_held=interest - due, interest_income=-interest)


def holder(row: dict[str, int], day: date) -> Iterator[Line]:
    """The trust pays its holder by the factor."""
    event, principal, interest = ("HoldersPaid", day), row["holder_principal"], row["holder_interest"]
    cash = principal + interest
    yield from entry(*event, "trusts", certificates=principal, distributions=interest, cash=-cash)
    yield from entry(*event, HOLDER, cash=cash, securities_held=-principal, interest_income=-interest)


def recovered(row: dict[str, int], day: date) -> Iterator[Line]:
    """Late money repays what the servicer advanced."""
    cents = row["recovered"]
    yield from entry(
        "AdvancesRecovered", day, LENDER, cash=cents, servicer_advances=-cents, custodial_cash=-cents,
        custodial_payable=cents,
    )  # fmt: skip


def ledger(case: str) -> list[Line]:
    """All lines of one case, sorted."""
    lines = [*closing(), *sale(), *issue()]
    opening = NOTE
    for row in one_loan.follow(case):
        paid_on, fee_day, draft_day, pay_day, end = DATES[row["month"]]
        lines += received(row, paid_on)
        lines += applied(row, opening, end)
        lines += [*fee(row, fee_day), *draft(row, draft_day), *holder(row, pay_day), *recovered(row, end)]
        opening = row["closing_actual"]
    return sorted(lines, key=lambda line: (line[1], line[0], line[2], line[3]))


def as_csv() -> str:
    """The lines of every case, in cents."""
    rows = ["case,event,value_date,party,account,cents"]
    for case in one_loan.CASES:
        rows += [
            f"{case},{event},{day},{party},{account},{cents}" for event, day, party, account, cents in ledger(case)
        ]
    return "\n".join(rows) + "\n"


INTRODUCTION = """# One loan: the ledger

Every posting of the one-loan book, case by case: debits positive, credits negative, in dollars. Each party's lines of
an event sum to zero, and so does the cash of all parties on each day. Before the first line each party has its
opening endowment. Written by `one_loan_ledger.py`; don't edit.
"""


def as_markdown() -> str:
    """The same for readers: lines as they fall, and at the end of a case where every account stands."""
    parts = [INTRODUCTION]
    for case, (title, _) in one_loan.CASES.items():
        parts.append(f"\n## Case {case}: {title}\n")
        lines = ledger(case)
        if case != "a":
            parts.append("Until February the lines are those of case a.\n")
            shown = [line for line in lines if line[1] > PLACED]
        else:
            shown = lines
        parts += ["| day | event | party | account | amount |", "|---|---|---|---|---:|"]
        parts += [f"| {d} | {e} | {p} | {a} | {cents / 100:,.2f} |" for e, d, p, a, cents in shown]
        parts.append("\nBalances at the end:\n\n| party | account | balance |\n|---|---|---:|")
        totals: dict[tuple[str, str], int] = {}
        for _, _, party, account, cents in lines:
            totals[party, account] = totals.get((party, account), 0) + cents
        parts += [f"| {p} | {a} | {c / 100:,.2f} |" for (p, a), c in sorted(totals.items()) if c]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    (HERE / "one_loan_ledger.csv").write_text(as_csv(), encoding="utf-8")
    (HERE / "one_loan_ledger.md").write_text(as_markdown(), encoding="utf-8")
    print(as_markdown())
