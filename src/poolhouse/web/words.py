"""The words and figures of the report, said once for the terminal and the page.

Labels a mortgage banker reads, and how a number looks by its unit. Standard library only, so that
`--help` stays light.
"""

from __future__ import annotations

from typing import Any

CASH_IN: tuple[tuple[str, str], ...] = (
    ("borrowers_paid_cents", "Borrowers paid (instalments, curtailments, payoffs, sales of homes)"),
    ("advanced_cents", "Servicers advanced for borrowers who were late"),
    ("claims_cents", "Insurers paid (MI, FHA, VA, USDA)"),
    ("buyouts_cents", "Paid in to buy bad loans out of pools"),
    ("guarantors_paid_cents", "Guarantors paid"),
)
"""Where the money of the month came from: key of `cash` and its label."""

CASH_OUT: tuple[tuple[str, str], ...] = (
    ("investors_received_cents", "Investors in securities received"),
    ("portfolio_owners_received_cents", "Owners of unpooled loans received"),
    ("servicers_kept_cents", "Servicers kept (fee and excess, less interest made up)"),
    ("guarantors_received_cents", "Guarantors received (fees and repaid advances)"),
    ("advances_recovered_cents", "Advances repaid to servicers"),
    ("custodial_change_cents", "More held in custodial accounts at the end"),
)
"""Where it went."""

DELINQUENCY: tuple[tuple[str, str], ...] = (
    ("current", "Current"),
    ("days_30", "30 to 59 days late"),
    ("days_60", "60 to 89 days late"),
    ("days_90_plus", "90 days late or more"),
    ("foreclosure", "In foreclosure"),
)
"""Buckets on the last day of the month, as the MBA counts them."""

PARTIES = {
    "fnma": "Fannie Mae",
    "fhlmc": "Freddie Mac",
    "gnma": "Ginnie Mae",
    "private": "Private conduit",
    "": "Lenders' portfolios",
}
"""Program codes as people say them."""

_WORDS = {
    "id": "ID", "cents": "", "e7": "", "e8": "", "e6": "", "e4": "", "mi": "MI", "dti": "DTI", "ltv": "LTV",
    "wac": "WAC", "wam": "WAM", "wala": "WALA", "cusip": "CUSIP", "cpr": "CPR", "fha": "FHA", "va": "VA",
    "usda": "USDA", "upb": "UPB", "fips": "FIPS", "pct": "%",
}  # fmt: skip
_SCALES = {"_e7": 5, "_e4": 2}  # digits of a percent


def label(key: str) -> str:
    """A key as a heading: 'servicing_fee_cents' -> 'Servicing fee', 'wac' -> 'WAC'."""
    words = [_WORDS.get(word, word) for word in key.split("_")]
    text = " ".join(word for word in words if word)
    return text[:1].upper() + text[1:]


def money(cents: int | None) -> str:
    """Cents for people, to the cent: -5 -> '-$0.05'."""
    if cents is None:
        return ""
    return f"{'-' if cents < 0 else ''}${abs(cents) // 100:,}.{abs(cents) % 100:02d}"


def short_money(cents: int | None) -> str:
    """Cents for headlines: $8.31 billion, $512 million, $99,500."""
    if cents is None:
        return ""
    size, sign = abs(cents) / 100, "-" if cents < 0 else ""
    for unit, name in ((1e9, "billion"), (1e6, "million")):
        if size >= unit:
            return f"{sign}${size / unit:,.3g} {name}" if size < 1e3 * unit else f"{sign}${size / unit:,.0f} {name}"
    return f"{sign}${size:,.0f}"


def count(number: Any) -> str:
    """A count with thousands: 50502 -> '50,502'."""
    return f"{number:,}" if isinstance(number, int) and not isinstance(number, bool) else str(number or 0)


def percent(share: Any, digits: int = 1) -> str:
    """A share of one as a percentage: 0.953 -> '95.3%'."""
    return "" if share is None else f"{100 * share:.{digits}f}%"


def rate(value: Any, digits: int = 3) -> str:
    """A rate already in percent: 5.125 -> '5.125%'."""
    return "" if value is None else f"{value:.{digits}f}%"


def number(value: Any, digits: int = 1) -> str:
    """A plain number, thousands marked; nothing for None."""
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.{digits}f}"


def price(price_e6: int | None) -> str:
    """A price per 100, to three decimals; a dash for none."""
    return "-" if price_e6 is None else f"{price_e6 / 10**6:,.3f}"


def shown(key: str, value: Any) -> str:
    """Any value by the unit its key ends with: cents as dollars, e7 and e4 as percent, flags as yes or no."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(shown(key, v) for v in value)
    if isinstance(value, dict):
        return ", ".join(f"{label(k)}: {shown(k, v)}" for k, v in value.items())
    if isinstance(value, int | float):
        return _shown_number(key, value)
    return str(value)


def _shown_number(key: str, value: int | float) -> str:
    if key.endswith("_cents") and isinstance(value, int):
        return money(value)
    for ending, digits in _SCALES.items():
        if key.endswith(ending):
            return f"{value * 100 / 10 ** int(ending[2:]):.{digits - 2 if digits > 2 else digits}f}%"
    if key.endswith("_e8"):
        return f"{value / 10**8:.8f}"
    if key.endswith("_e6"):
        return f"{value / 10**6:.6g}"
    if key.endswith(("_id", "seq", "year", "row", "draw_key", "version")) or key in ("id", "loan", "score"):
        return str(value)
    return number(value, 2)


def spelled(value: Any) -> str:
    """A rule's value for reading: [{'program': 'fnma', 'value': 3}] -> 'program fnma: 3'."""
    if isinstance(value, dict) and "value" in value:
        dims = ", ".join(f"{k} {v}" for k, v in value.items() if k not in ("value", "from", "source", "confidence"))
        return f"{dims}: {value['value']}" if dims else str(value["value"])
    if isinstance(value, list | tuple):
        return "; ".join(spelled(v) for v in value)
    return str(value)


def cash_sides(cash: dict[str, int]) -> dict[str, Any]:
    """The cash reconciliation as two columns: rows (label, cents) in and out, totals, difference."""
    came = [(text, cash.get(key, 0)) for key, text in CASH_IN]
    went = [(text, cash.get(key, 0)) for key, text in CASH_OUT]
    total_in, total_out = sum(c for _, c in came), sum(c for _, c in went)
    return {
        "came": came,
        "went": went,
        "total_in": total_in,
        "total_out": total_out,
        "difference": cash.get("difference_cents", total_in - total_out),
    }


def coupons(program: dict[str, Any]) -> str:
    """A program's coupons: '4.5% to 5.5%', one figure when they are the same, as given otherwise."""
    if program.get("coupons"):
        return shown("coupons", program["coupons"])
    low, high = program.get("coupon_min"), program.get("coupon_max")
    if low is None or high is None:
        return ""
    return f"{low:g}%" if low == high else f"{low:g}% to {high:g}%"


def speed(value: float | list[float]) -> str:
    """A speed, or its first months: '150', '100, 120, 150 ...'."""
    if not isinstance(value, list):
        return f"{value:g}"
    return ", ".join(f"{each:g}" for each in value[:3]) + (" ..." if len(value) > 3 else "")
