"""A report and its series such as a market of 24 months gives, for the faces' tests: made by formulas, no market."""

from __future__ import annotations

import copy
from typing import Any

MONTHS = [f"{2009 + i // 12}-{i % 12 + 1:02d}" for i in range(24)]

_NAMES = {"fnma": "Fannie Mae", "fhlmc": "Freddie Mac", "gnma": "Ginnie Mae", "private": "Private conduit"}
_SIZES = {"fnma": 412_345_678_900, "fhlmc": 251_200_045_500, "gnma": 96_310_877_100, "private": 18_450_210_000}
_GUARANTEES = {"fnma": "implied", "fhlmc": "implied", "gnma": "explicit", "private": "none"}

_PROMISES = (
    "Balanced", "Conserved", "Tied", "Factored", "Held", "One owner", "Terms unchanged", "Eligible", "Told", "Split",
    "Immutable", "Repeatable",
)  # fmt: skip


def report() -> dict[str, Any]:
    """A fresh copy each time: a test may spoil it."""
    return copy.deepcopy(_REPORT)


def series() -> dict[str, Any]:
    """The series of the same market."""
    return {
        "months": MONTHS,
        "balance_cents": {
            name: [int(_SIZES[code] * (0.1 + min(i, 11) / 12.3) * 0.987**i) for i in range(24)]
            for code, name in _NAMES.items()
        },
        "delinquency": {
            "current": [round(99.5 - 0.15 * i, 3) for i in range(24)],
            "days_30": [round(0.3 + 0.055 * i, 3) for i in range(24)],
            "days_60": [round(0.1 + 0.03 * i, 3) for i in range(24)],
            "days_90_plus": [round(0.05 + 0.04 * i, 3) for i in range(24)],
            "foreclosure": [round(0.05 + 0.025 * i, 3) for i in range(24)],
        },
        "speeds": {
            name: [round(4 + 3 * k + (i * (7 + k)) % 11 * 0.9 + i * 0.4, 2) for i in range(24)]
            for k, name in enumerate(_NAMES.values())
        },
        "factors": [_factor(n) for n in range(60)],
        "flows": _FLOWS,
        "mortgage_rate": [round(5.05 + ((i * 5) % 7 - 3) * 0.07 - i * 0.03, 2) for i in range(24)],
    }


def _factor(n: int) -> dict[str, Any]:
    months = MONTHS[n % 12 :]
    values = [round((0.996 - 0.0002 * n) ** i, 8) for i in range(len(months))]
    return {"name": f"{('MA', 'CL', 'G2', 'PX')[n % 4]}{1000 + n} 4.5", "months": months, "factor": values}


_FLOWS = [
    {"from": "Borrowers: interest", "to": "Servicers", "cents": 48_120_334_512},
    {"from": "Borrowers: scheduled principal", "to": "Servicers", "cents": 21_899_120_040},
    {"from": "Borrowers: payoffs and curtailments", "to": "Servicers", "cents": 131_450_200_900},
    {"from": "Insurers' claims", "to": "Servicers", "cents": 1_650_000_000},
    {"from": "Servicers' advances", "to": "Servicers", "cents": 2_900_112_000},
    {"from": "Buyouts of bad loans", "to": "Servicers", "cents": 4_200_777_000},
    {"from": "Servicers", "to": "Trusts", "cents": 195_000_120_300},
    {"from": "Servicers", "to": "Portfolio owners", "cents": 6_110_400_000},
    {"from": "Servicers", "to": "Servicing fees", "cents": 4_300_215_100},
    {"from": "Servicers", "to": "Guarantors", "cents": 2_909_809_052},
    {"from": "Servicers", "to": "Advances repaid", "cents": 1_900_000_000},
    {"from": "Trusts", "to": "Public pension", "cents": 58_500_036_090},
    {"from": "Trusts", "to": "Bond mutual fund", "cents": 44_850_027_669},
    {"from": "Trusts", "to": "401(k) plan", "cents": 9_750_006_015},
    {"from": "Trusts", "to": "Commercial bank", "cents": 42_900_026_466},
    {"from": "Trusts", "to": "Foreign central bank", "cents": 39_000_024_060},
]

_REPORT: dict[str, Any] = {
    "edition": "2009",
    "overrides": [
        {
            "name": "servicing.buyout_months",
            "value": 4,
            "until": "2010-12-31",
            "why": "the enterprises bought loans out after four missed payments at that time",
        }
    ],
    "assumptions": [
        {"name": "primary.warehouse_advance_rate", "meaning": "share of a note a warehouse bank lends", "unit": "share",
         "values": [0.98]},
        {"name": "primary.capital_to_assets", "meaning": "a lender's own capital", "unit": "share", "values": [0.08]},
        {"name": "sale.price_sheet", "meaning": "price of a par note above the coupon", "unit": "per 100",
         "values": [{"value": 101.25, "program": "fnma"}]},
        {"name": "investing.mandate", "meaning": "minimum yield", "unit": "percent", "values": [3.9, 4.1]},
    ],
    "caveats": [
        "The tape holds only loans that the Federal Home Loan Banks bought: the share sold is that of such loans, "
        "not the market's."
    ],
    "loans": {"offered": 50_502, "rejected": 3, "eligible": 49_120, "undetermined": 611, "sold": 48_777,
              "retained": 1_725},
    "share_sold": 0.9658429,
    "days_to_sale_median": 31,
    "turns_per_year": 9.4,
    "pools": 212,
    "securities": 212,
    "original_face_cents": 778_306_811_500,
    "months": 24,
    "seconds": 27.4,
    "cash": {
        "borrowers_paid_cents": 201_469_655_452,
        "advanced_cents": 2_900_112_000,
        "advances_recovered_cents": 1_900_000_000,
        "claims_cents": 1_650_000_000,
        "buyouts_cents": 4_200_777_000,
        "investors_received_cents": 195_000_120_300,
        "servicers_kept_cents": 4_300_215_100,
        "guarantors_received_cents": 2_909_809_052,
        "guarantors_paid_cents": 0,
        "portfolio_owners_received_cents": 5_110_400_000,
        "custodial_change_cents": 1_000_000_000,
        "difference_cents": 0,
    },
    "programs": [
        {"program": code, "name": name, "pools": 20 + 40 * (3 - i), "loans": _SIZES[code] // 16_800_000,
         "face_cents": _SIZES[code], "wac": 5.125 - i * 0.08, "wam_months": 341 + i, "coupon_min": 4.0,
         "coupon_max": 5.5, "guarantee": _GUARANTEES[code]}
        for i, (code, name) in enumerate(_NAMES.items())
    ],
    "classes": [
        {"class_name": name, "deals": 3, "face_cents": face, "price_e6": price, "interest_cents": face // 20,
         "principal_cents": face // 10, "loss_cents": lost, "balance_cents": face - face // 10 - lost}
        for name, face, price, lost in (("A", 17_000_000_000, 100_105_769, 0), ("B1", 1_450_210_000, None, 12_345))
    ],
    "delinquency": {"current": 36_010, "days_30": 640, "days_60": 210, "days_90_plus": 305, "foreclosure": 118,
                    "loans_active": 37_283},
    "lenders": {"watched": 559, "stopped": 2, "sales_refused": 41},
    "promises": [
        {"id": i + 1, "name": name, "ok": True, "checked": 1_000 * 7**(i % 5 + 1), "first_failure": None}
        for i, name in enumerate(_PROMISES)
    ],
    "head": "9f2c1e7ab0534dd1b7c35c1f0aa9a1d4c4a7b1f2e9d84b7a6c5f0e1d2c3b4a59",
    "findings": [
        {"step": "loans", "rule": "tape.score_band", "message": "Scores come as bands: the band's floor decides.",
         "count": 50_502, "severity": "info"},
        {"step": "primary", "rule": "primary.line_limit", "message": "A funding line's limit was breached.",
         "count": 37, "severity": "warning"},
    ],
}  # fmt: skip
