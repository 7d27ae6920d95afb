"""What hypothesis may think of: tapes with any legal terms and some illegal ones, and what their borrowers send."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

from poolhouse.money import level_payment

OPENS = date(2009, 1, 1)
LENDERS = ("first", "second", "third")
KINDS = ("conventional", "conventional", "fha", "va", "usda")
AMOUNTS = st.one_of(
    st.integers(100_000_00, 417_000_00), st.integers(10_000_00, 2_000_000_00), st.integers(1, 10_000_000_000)
)
RATES = st.one_of(
    st.integers(36, 64).map(lambda eighths: eighths * 12_500),
    st.integers(50_000, 1_200_000),
    st.sampled_from([0, 50_000]),
)
TERMS = st.one_of(st.sampled_from([360, 360, 180, 240, 120]), st.integers(1, 480))


def _missing(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A field that a lender may have left empty."""
    return st.one_of(values, values, values, st.just(""))


@st.composite
def _loan(draw: st.DrawFn) -> dict[str, Any]:
    note_date = OPENS + timedelta(
        days=draw(st.one_of(st.integers(-95, 130), st.integers(-95, 130), st.integers(-9_000, 400)))
    )
    amount = draw(AMOUNTS)
    row = {
        "loan_number": draw(st.integers(1, 60).map(lambda n: f"N{n}")),
        "originator_id": draw(st.sampled_from(LENDERS)),
        "originator_type": draw(_missing(st.sampled_from(["depository", "nonbank", "insurer", "unknown"]))),
        "kind": draw(st.sampled_from(KINDS)),
        "note_amount_cents": amount,
        "note_rate_e7": draw(RATES),
        "term_months": draw(TERMS),
        "note_date": note_date.isoformat(),
        "first_due_date": draw(st.sampled_from(["", "", _due(note_date, 1), _due(note_date, 2)])),
        "purpose": draw(_missing(st.sampled_from(["purchase", "limited_cash_out", "cash_out"]))),
        "occupancy": draw(_missing(st.sampled_from(["principal", "second_home", "investment"]))),
        "units": draw(_missing(st.integers(1, 4))),
        "property_type": draw(_missing(st.sampled_from(["detached", "condo", "manufactured", "two_to_four"]))),
        "state": draw(_missing(st.sampled_from(["OH", "CA", "HI"]))),
        "county_fips": draw(_missing(st.sampled_from(["39049", "06037", "15003"]))),
        "value_cents": draw(_missing(st.integers(max(1, amount // 2), 2 * amount))),
        "ltv_e4": draw(_missing(st.integers(1_000, 10_500))),
        "score": draw(_missing(st.integers(500, 850))),
        "dti_e4": draw(_missing(st.integers(0, 7_000))),
        "mi_pct": draw(_missing(st.integers(0, 40))),
        "curtailment_cents": draw(st.sampled_from(["", "", 0, amount // 10])),
        "points_cents": draw(_missing(st.integers(0, max(0, amount // 20)))),
    }
    return row


def _due(note_date: date, months: int) -> str:
    month = note_date.year * 12 + note_date.month - 1 + months
    return date(month // 12, month % 12 + 1, 1).isoformat()


TAPES = st.lists(_loan(), min_size=1, max_size=25)


def _sizes(row: dict[str, Any]) -> list[int]:
    """Amounts that mean something for a loan, and some that don't."""
    amount, rate = row["note_amount_cents"], row["note_rate_e7"]
    payment = level_payment(amount, rate, row["term_months"])
    return [
        payment, payment, payment, payment, 2 * payment, 3 * payment + 1, payment // 2, payment - 1, payment + 7, 1,
        amount, amount + amount // 9, amount // 3, 12 * payment, 10**12, 0, -payment,
    ]  # fmt: skip


@st.composite
def sent(draw: st.DrawFn, tape: list[dict[str, Any]], months: int) -> list[dict[str, Any]]:
    """A payments file: some loans pay on time, and anything else arrives on any day."""
    rows: list[dict[str, Any]] = []
    for i, loan in enumerate(tape):
        if draw(st.booleans()):
            payment = max(1, _sizes(loan)[0])
            rows += [_row(loan, f"u{i}-{m}", m, 1 + (i + m) % 28, payment, "instalment") for m in range(months)]
    kinds = st.sampled_from(["instalment"] * 4 + ["curtailment", "payoff", "payoff", "liquidation", "gift"])
    for n in range(draw(st.integers(0, 2 * len(tape)))):
        loan = draw(st.sampled_from(tape))
        month, day = draw(st.integers(0, months)), draw(st.integers(1, 28))
        rows.append(_row(loan, f"x{n}", month, day, draw(st.sampled_from(_sizes(loan))), draw(kinds)))
    return rows


def _row(loan: dict[str, Any], reference: str, month: int, day: int, cents: int, kind: str) -> dict[str, Any]:
    received = date(2009 + month // 12, month % 12 + 1, day)
    return {
        "loan": loan["loan_number"], "received_date": received.isoformat(), "amount_cents": cents, "kind": kind,
        "reference": reference,
    }  # fmt: skip
