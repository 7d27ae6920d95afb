"""The one-loan book, worked by hand with fractions: the table that the servicing month is tested against.

Independent on purpose: it imports nothing of the package, uses no floats and no tables, and follows
one loan in plain steps. Run it to rewrite `one_loan.csv` and `one_loan.md`:

    python tests/golden/one_loan.py

The loan: $250,000 at 6.5% for 360 months, closed 14 January 2009, sold and pooled in February at
$250,000 (issue date 1 February), coupon (pass-through rate) 6.0%, guaranty fee 25 bp; what is left of
the note's interest is the servicer's. First instalment and first distribution: March 2009.
Source of the loan and of case b's amounts: Fannie Mae Servicing Guide, scheduled/scheduled example.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

NOTE_AMOUNT = 25_000_000  # cents
NOTE_RATE = Fraction(65, 1000)
PASS_THROUGH_RATE = Fraction(60, 1000)
GUARANTY_RATE = Fraction(25, 10_000)
TERM = 360
MONTHS = (3, 4, 5, 6, 7)  # of 2009
STOP_ADVANCE_MONTHS = 4  # the servicer advances four missed instalments, then the guarantor pays

COLUMNS = (
    "case", "month", "opening_scheduled", "scheduled_interest", "scheduled_principal", "unscheduled_principal",
    "investor_interest", "guaranty_fee", "servicing_fee", "due_to_trust", "paid", "advanced", "recovered",
    "guarantor_advanced", "guaranty_relief", "shortfall", "servicer_kept", "closing_actual", "closing_scheduled",
    "pending_unscheduled", "pending_interest", "factor_e8", "holder_principal", "holder_interest",
)  # fmt: skip


def half_up(x: Fraction) -> int:
    """Nearest integer, halves up. All amounts here are positive."""
    return int((x + Fraction(1, 2)) // 1)


def month_interest(balance: int, rate: Fraction) -> int:
    """One month of twelve."""
    return half_up(balance * rate / 12)


def level_payment() -> int:
    """The instalment, from the annuity formula in exact fractions."""
    growth = (1 + NOTE_RATE / 12) ** TERM
    return half_up(NOTE_AMOUNT * NOTE_RATE / 12 * growth / (growth - 1))


PAYMENT = level_payment()


@dataclass(frozen=True)
class Plan:
    """What the borrower does in one month. Money arrives on `day`, before the draft of the 18th."""

    instalments: int = 1
    curtailment: int = 0
    payoff: bool = False
    day: int = 10


CASES: dict[str, tuple[str, dict[int, Plan]]] = {
    "a": ("pays on time", {}),
    "b": ("pays nothing", {m: Plan(instalments=0) for m in MONTHS}),
    "c": ("pays the loan off on 10 May", {5: Plan(payoff=True)}),
    "d": ("pays $5,000 more on 10 April", {4: Plan(curtailment=500_000)}),
    "e": ("misses April, pays two in May", {4: Plan(instalments=0), 5: Plan(instalments=2)}),
}


@dataclass
class Loan:
    """The loan at the end of a month."""

    actual: int = NOTE_AMOUNT
    scheduled: int = NOTE_AMOUNT  # T
    pending: int = 0  # U
    pending_interest: int = 0
    advances: int = 0
    last_paid: int = 2  # month of the last instalment paid
    factor_e8: int = 10**8


def owed_on(balance: int) -> int:
    """What investor and guarantor are owed for a month on a balance."""
    return month_interest(balance, PASS_THROUGH_RATE) + month_interest(balance, GUARANTY_RATE)


def distribute(loan: Loan, row: dict[str, int]) -> int:
    """Fix what the distribution owes, before any payment of the month. Returns the balance S it is due on."""
    trust, own = loan.scheduled, loan.scheduled - loan.pending
    row["opening_scheduled"] = trust
    row["scheduled_interest"] = month_interest(trust, NOTE_RATE)
    row["investor_interest"] = month_interest(trust, PASS_THROUGH_RATE)
    row["guaranty_fee"] = month_interest(trust, GUARANTY_RATE)
    row["servicing_fee"] = row["scheduled_interest"] - row["investor_interest"] - row["guaranty_fee"]
    row["scheduled_principal"] = PAYMENT - month_interest(own, NOTE_RATE) if own else 0
    row["unscheduled_principal"] = loan.pending
    row["due_to_trust"] = row["investor_interest"] + row["scheduled_principal"] + loan.pending
    # Principal that came early brought no interest, or a payoff's per diem only: the holder still gets
    # the whole month, and the servicer makes up the difference.
    gap = owed_on(trust) - owed_on(own) - loan.pending_interest
    row["shortfall"], row["servicer_kept"] = max(gap, 0), max(-gap, 0)
    loan.scheduled = own - row["scheduled_principal"]
    loan.pending = loan.pending_interest = 0
    return own


def pay_instalments(loan: Loan, row: dict[str, int], month: int, count: int) -> None:
    """Oldest first. The month's own instalment goes to the draft; a late one repays the advance for it."""
    for _ in range(count):
        interest, owed = month_interest(loan.actual, NOTE_RATE), owed_on(loan.actual)
        principal = PAYMENT - interest
        loan.last_paid += 1
        loan.actual -= principal
        row["paid"] += PAYMENT
        row["servicer_kept"] += interest - owed
        if loan.last_paid < month:
            repaid = min(principal + owed, loan.advances)
            loan.advances -= repaid
            row["recovered"] += repaid


def pay_off(loan: Loan, row: dict[str, int], month: int, day: int) -> None:
    """Balance, a month's interest for each unpaid instalment, and per diem from the 1st to the day before."""
    arrears = (month - loan.last_paid) * month_interest(loan.actual, NOTE_RATE)
    per_diem = half_up(loan.actual * NOTE_RATE * (day - 1) / 365)
    row["paid"] += loan.actual + arrears + per_diem
    row["servicer_kept"] += arrears - owed_on(loan.actual)
    loan.pending, loan.pending_interest = loan.scheduled, per_diem
    loan.actual, loan.last_paid = 0, month


def draft(loan: Loan, row: dict[str, int], month: int, own: int) -> None:
    """On the 18th: what is missing of the instalment due on the 1st is advanced."""
    if own == 0 or loan.last_paid >= month:
        return
    principal_and_interest = row["scheduled_principal"] + month_interest(own, PASS_THROUGH_RATE)
    if month - loan.last_paid > STOP_ADVANCE_MONTHS:
        row["guarantor_advanced"] = principal_and_interest
        row["guaranty_relief"] = month_interest(own, GUARANTY_RATE)  # its own fee waits
    else:
        row["advanced"] = principal_and_interest + month_interest(own, GUARANTY_RATE)
        loan.advances += row["advanced"]


def holders(loan: Loan, row: dict[str, int]) -> None:
    """One holder of the whole $250,000, paid by the published factor."""
    before, loan.factor_e8 = loan.factor_e8, half_up(Fraction(loan.scheduled * 10**8, NOTE_AMOUNT))
    row["factor_e8"] = loan.factor_e8
    row["holder_principal"] = half_up(Fraction(NOTE_AMOUNT * (before - loan.factor_e8), 10**8))
    row["holder_interest"] = half_up(Fraction(NOTE_AMOUNT * before, 10**8) * PASS_THROUGH_RATE / 12)


def follow(case: str) -> list[dict[str, int]]:
    """The months of one case, until the loan has left the pool."""
    loan, rows = Loan(), []
    for month in MONTHS:
        if loan.scheduled == 0:
            break
        row = dict.fromkeys(COLUMNS[2:], 0)
        plan = CASES[case][1].get(month, Plan())
        own = distribute(loan, row)
        if plan.payoff:
            pay_off(loan, row, month, plan.day)
        elif loan.actual:
            pay_instalments(loan, row, month, plan.instalments)
            loan.actual -= plan.curtailment
            loan.pending += plan.curtailment
            row["paid"] += plan.curtailment
        draft(loan, row, month, own)
        holders(loan, row)
        row["closing_actual"], row["closing_scheduled"] = loan.actual, loan.scheduled
        row["pending_unscheduled"], row["pending_interest"] = loan.pending, loan.pending_interest
        rows.append({"month": month, **row})
    return rows


def as_csv() -> str:
    """All cases, amounts in cents."""
    lines = [",".join(c if c in ("case", "month", "factor_e8") else f"{c}_cents" for c in COLUMNS)]
    for case in CASES:
        for row in follow(case):
            lines.append(",".join([case, f"2009-{row['month']:02d}", *(str(row[c]) for c in COLUMNS[2:])]))
    return "\n".join(lines) + "\n"


def shown(column: str, value: int) -> str:
    """An amount in dollars, the factor with its eight decimals, the month by name."""
    if column == "month":
        return f"2009-{value:02d}"
    if column == "factor_e8":
        return f"{value // 10**8}.{value % 10**8:08d}"
    return f"{value // 100:,}.{value % 100:02d}"


INTRODUCTION = """# One loan, five months

$250,000 at 6.5% for 360 months, instalment {payment}. Closed 14 January 2009, sold and pooled in February,
first instalment and first distribution in March. Pass-through rate 6.0%, guaranty fee 25 bp.
Written by `one_loan.py`; don't edit. Amounts in dollars.

* opening and closing scheduled: the trust's balance T. Principal received ahead of schedule is still in it
  until the next distribution, which pays a whole month of interest on it.
* scheduled interest = investor interest + guaranty fee + servicing fee, each month, on the opening scheduled balance.
* due to trust: investor interest + scheduled principal + unscheduled principal.
* advanced: the servicer's own money for an instalment not paid by the 18th, guaranty fee included. After
  {stop} missed instalments it stops: the guarantor pays investor interest and principal, and its own
  fee waits (guaranty relief).
* shortfall: the servicer's own money for interest on principal that left early.
* servicer kept: the fee, in the month in which the borrower's money brings it.
"""


def as_markdown() -> str:
    """The same for readers: one table a case, months across."""
    parts = [INTRODUCTION.format(payment=shown("paid", PAYMENT), stop=STOP_ADVANCE_MONTHS)]
    for case, (title, _) in CASES.items():
        rows = follow(case)
        parts.append(f"\n## Case {case}: {title}\n")
        parts.append("| | " + " | ".join(shown("month", r["month"]) for r in rows) + " |")
        parts.append("|---|" + "---:|" * len(rows))
        for column in COLUMNS[2:]:
            name = "factor" if column == "factor_e8" else column.replace("_", " ")
            parts.append(f"| {name} | " + " | ".join(shown(column, r[column]) for r in rows) + " |")
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    here = Path(__file__).parent
    (here / "one_loan.csv").write_text(as_csv(), encoding="utf-8")
    (here / "one_loan.md").write_text(as_markdown(), encoding="utf-8")
    print(as_markdown())
