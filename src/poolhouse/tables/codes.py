"""Small integers that stand for words in wide tables. Stored files hold them: never renumber."""

from __future__ import annotations

from typing import Final

PROGRAMS: Final = ("", "fnma", "fhlmc", "gnma", "private", "nonqm")
"""Program code = position. 0: no program (a whole loan in somebody's portfolio)."""
NO_PROGRAM, FNMA, FHLMC, GNMA, PRIVATE, NONQM = range(6)
MARKET_PROGRAMS: Final = (FNMA, FHLMC, GNMA, PRIVATE)
"""Programs that a book's own market sells to and pools; a tape is checked and priced for all."""
BOOK_PROGRAMS: Final = PROGRAMS[: len(MARKET_PROGRAMS) + 1]
"""Names by code of what a book's rows can hold, 0 included."""

ELIGIBLE, ASSUMED, UNDETERMINED, INELIGIBLE = range(4)
ANSWERS: Final = ("eligible", "eligible under assumptions", "undetermined", "not eligible")

ACTUAL_ACTUAL, SCHEDULED_SCHEDULED = range(2)
REMITTANCES: Final = ("actual/actual", "scheduled/scheduled")

ACTIVE, PAID_OFF, MATURED, LIQUIDATED = range(4)
END_CODES: Final = ("", "paid off", "matured", "liquidated")

NO_WORKOUT, FORECLOSURE = range(2)
WORKOUTS: Final = ("", "foreclosure")

ROLES: Final = ("owner", "servicer", "subservicer", "pool", "pledge")
PAYMENT_KINDS: Final = ("instalment", "curtailment", "payoff", "liquidation")
DISPOSITIONS: Final = ("applied", "suspense", "exception")

IMPUTED: Final = {
    "note_rate_snapped": 1 << 0,
    "note_month": 1 << 1,
    "ltv_scaled": 1 << 2,
    "streamline_inferred": 1 << 3,
    "limited_cash_out_assumed": 1 << 4,
    "lien_assumed_first": 1 << 5,
    "score_band": 1 << 6,
    "curtailed_before_sale": 1 << 7,
    "first_due_date": 1 << 8,
    "value_from_ltv": 1 << 9,
    "closing_costs_assumed": 1 << 10,
    "lender_type_assumed": 1 << 11,
    "income_null": 1 << 12,
    "note_amount_from_upb": 1 << 13,
    "note_day": 1 << 14,
    "other": 1 << 15,
    "purpose_assumed": 1 << 16,
    "occupancy_assumed": 1 << 17,
    "units_assumed": 1 << 18,
    "mi_assumed": 1 << 19,
}
"""Bits of `imputed_flags`: what the reader filled in or changed."""


def imputed_names(flags: int) -> list[str]:
    """The names of the bits set in `imputed_flags`."""
    return [name for name, bit in IMPUTED.items() if flags & bit]
