"""One loan's prices line by line, as a desk checks them: what each part is, the bp and the multiple behind it,
points, dollars, and who says so; and what is refused, with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import polars as pl

from poolhouse.dates import days_30_360
from poolhouse.money import accrued_30_360, at_price
from poolhouse.rules import Rulebook
from poolhouse.sale.execution import with_term_bucket
from poolhouse.sale.pricing import llpa, strips
from poolhouse.sale.pricing.menu import Refusal, limits_of, ratios, refusals
from poolhouse.sale.pricing.offering import instalments, offers
from poolhouse.sale.pricing.servicing_value import multiples_e3
from poolhouse.sale.pricing.sheets import ENTERPRISES, STRIPS, SWAPPED, Sheet
from poolhouse.tables.codes import PROGRAMS

Row = dict[str, Any]

_PER_POINT = 1_000_000
_TICK_E6 = 31_250
_REASONS = {
    strips.SPREAD_LOW: "note rate less coupon is {spread} bp, below the least of {spread_min} bp",
    strips.SPREAD_HIGH: "note rate less coupon is {spread} bp, above the most of {spread_max} bp",
    strips.LEAST_SERVICING: "note rate less coupon is {spread} bp: not enough for {servicing_min} bp of servicing",
    strips.NO_PLACE: (
        "note rate less coupon is {spread} bp: more than {servicing_max} bp of servicing, the guaranty fee, "
        "{buy_up_max} bp of buy-up and {excess_max} bp of excess hold"
    ),
}


def waterfall(loan: pl.DataFrame, sheet: Sheet, rulebook: Rulebook, *, hold: bool = True) -> dict[str, Any]:
    """All offers for one loan (a LOANS row), whatever the standards say, best first, each with its lines; and the
    coupons that the strips refuse. Keys: offers, refused, unpriced (why the enterprises have no price, if so).

    A line: label, rate_e7 and times_e3 (None where they don't apply), points_e6, cents, source. Cents are rounded
    so that the lines sum to the proceeds.
    """
    priced_offers = offers(loan, None, sheet, sheet.as_of, rulebook, hold=hold, threads=1)
    priced_offers = priced_offers.sort("all_in_e6", descending=True, maintain_order=True)
    found = [_offer(row, loan, sheet, rulebook) for row in priced_offers.to_dicts()]
    bucket = int(with_term_bucket(loan, sheet.as_of, rulebook)["term_bucket"][0])
    kept_out = refusals(int(loan["note_rate_e7"][0]), bucket, sheet, rulebook)
    government = loan["kind"][0] != "conventional"
    refused = [
        {"program": PROGRAMS[r.program], "coupon_rate_e7": r.coupon_rate_e7, "reason": _reason(r, sheet, rulebook)}
        for r in kept_out
        if (STRIPS[r.program] != "umbs") == government
    ]
    return {"offers": found, "refused": refused, "unpriced": _unpriced(loan, sheet, rulebook)}


def thirty_seconds(price_e6: int) -> str:
    """A price in 32nds: 102.6175 is 102-19.76."""
    sign, size = ("-" if price_e6 < 0 else ""), abs(price_e6)
    whole, rest = divmod(size, _PER_POINT)
    hundredths = (2 * rest * 100 + _TICK_E6) // (2 * _TICK_E6)
    if hundredths == 32 * 100:
        whole, hundredths = whole + 1, 0
    return f"{sign}{whole}-{hundredths // 100:02d}.{hundredths % 100:02d}"


def interest_due(balance_cents: int, rate_e7: int, start: date, paid: date) -> int:
    """30/360 interest in cents from `start` to `paid` (not included); negative when the loan is paid ahead of it."""
    if paid < start:
        return -accrued_30_360(balance_cents, rate_e7, days_30_360(paid, start))
    return accrued_30_360(balance_cents, rate_e7, days_30_360(start, paid))


def _offer(row: Row, loan: pl.DataFrame, sheet: Sheet, rulebook: Rulebook) -> Row:
    """An offer of OFFERS for people and JSON."""
    lines = list(_lines(row, loan, sheet, rulebook))
    if sum(line["points_e6"] for line in lines) != row["all_in_e6"]:
        raise RuntimeError(f"lines of {row['execution']} don't sum to the price")
    so_far = told = 0
    for line in lines:
        so_far += line["points_e6"]
        line["cents"] = at_price(row["balance_cents"], so_far) - told
        told += line["cents"]
    shown = {
        name: row[name]
        for name in (
            "execution", "servicing", "coupon_rate_e7", "guaranty_fee_rate_e7", "servicing_fee_rate_e7",
            "buy_up_rate_e7", "excess_rate_e7", "all_in_e6", "balance_cents", "proceeds_cents", "settlement_date",
        )
    }  # fmt: skip
    return {
        "program": PROGRAMS[row["program"]],
        **shown,
        "all_in_32nds": thirty_seconds(row["all_in_e6"]),
        **_interest(row, loan),
        "lines": lines,
    }


def _interest(row: Row, loan: pl.DataFrame) -> dict[str, int]:
    """Interest that comes with the price and is no part of it. Scheduled/scheduled and swaps: from the 1st of the
    month; actual/actual: from the day to which the borrower has paid."""
    rate, balance, paid = row["coupon_rate_e7"], row["balance_cents"], row["settlement_date"]
    if row["execution"] == "swap":
        return {"interest_scheduled_cents": interest_due(balance, rate, paid.replace(day=1), paid)}
    if row["execution"] != "cash":
        return {}
    due = loan["first_due_date"][0]
    months = due.year * 12 + due.month - 2 + int(instalments(loan, paid)[0])
    last: date = loan["paid_to_date"][0] or date(months // 12, months % 12 + 1, 1)
    return {
        "interest_scheduled_cents": interest_due(balance, rate, paid.replace(day=1), paid),
        "interest_actual_cents": interest_due(balance, rate, last, paid),
    }


def _lines(row: Row, loan: pl.DataFrame, sheet: Sheet, rulebook: Rulebook) -> Iterator[Row]:
    """Lines whose points sum to the price."""
    execution, days = row["execution"], (row["settlement_date"] - sheet.as_of).days
    yield _base(row, loan, sheet)
    if row["payup_e6"]:
        yield _line("payup for the loan's size or place", row["payup_e6"], _said(sheet, "payup"))
    yield from _bought(row, sheet)
    yield from _adjusted(row, loan, sheet, rulebook)
    if execution == "hold":
        yield _line("cost of servicing", row["servicing_e6"], _said(sheet, "hold.servicing_cost"))
        yield _line("charge for capital", row["carry_e6"], _said(sheet, "hold.capital"))
        yield _line("expected credit loss", row["credit_e6"], _said(sheet, "hold.loss.grid"))
        return
    yield from _serviced(row, loan, sheet, rulebook)
    if row["mi_e6"]:
        yield _line("lender-paid mortgage insurance", row["mi_e6"], _said(sheet, "mi.lender_paid"))
    for name, label in (("hedge", "hedge"), ("delivery", "delivery")):
        if row[f"{name}_e6"]:
            yield _line(label, row[f"{name}_e6"], _said(sheet, f"costs.{execution}.{name}"))
    if row["carry_e6"]:
        gap = int(loan["note_rate_e7"][0]) - sheet.values["carry"]["line_rate"]
        yield _line(f"carry of {days} days: note rate less line", row["carry_e6"], _said(sheet, "carry.line_rate"), gap)


def _base(row: Row, loan: pl.DataFrame, sheet: Sheet) -> Row:
    rate, execution = row["coupon_rate_e7"], row["execution"]
    if execution == "swap":
        label = f"TBA {_percent(rate)}, settles {row['settlement_date']}"
        return _line(label, row["base_e6"], _said(sheet, "tba"))
    if execution == "cash":
        label = f"cash window, pass-through {_percent(rate)}, paid {row['settlement_date']}"
        return _line(label, row["base_e6"], _said(sheet, "cash"))
    if execution == "conduit":
        return _line(f"bid for {_percent(loan['note_rate_e7'][0])}", row["base_e6"], _said(sheet, "conduit"))
    wanted = sheet.values["hold"]["yield"]
    return _line(f"present value of the note at {_percent(wanted)}", row["base_e6"], _said(sheet, "hold.yield"))


def _bought(row: Row, sheet: Sheet) -> Iterator[Row]:
    """Buy-up or buy-down, with its multiple."""
    rate = row["buy_up_rate_e7"]
    if not rate:
        return
    coupons = pl.Series([row["coupon_rate_e7"]], dtype=pl.Int64).to_numpy()
    up, down = (int(x[0]) for x in ratios(sheet, row["program"], coupons))
    own = not sheet.ratios.filter(pl.col("program") == row["program"]).is_empty()
    if rate > 0:
        said = _said(sheet, "ratio" if own else "multiples.buy_up")
        yield _line("guaranty fee bought up", row["buy_up_e6"], said, rate, up)
    else:
        said = _said(sheet, "ratio" if own else "multiples.buy_down")
        yield _line("guaranty fee bought down", row["buy_down_e6"], said, rate, down)


def _adjusted(row: Row, loan: pl.DataFrame, sheet: Sheet, rulebook: Rulebook) -> Iterator[Row]:
    """Loan-level adjustments, each on its line."""
    if row["execution"] == "conduit" and row["llpa_e6"]:
        key = f"conduit_adjustments.{PROGRAMS[row['program']]}.grid"
        yield _line("conduit's adjustments", row["llpa_e6"], _said(sheet, key))
    if row["program"] not in ENTERPRISES:
        return
    freddie = PROGRAMS[row["program"]] == "fhlmc"
    charged = llpa.charges(loan, sheet.as_of, rulebook, sheet.values["llpa"], freddie=freddie)
    source = llpa.citation(sheet.as_of, rulebook)
    for name, part in charged.parts.items():
        if part[0]:
            yield _line(f"adjustment: {llpa.LABELS[name]}", -int(part[0]), source)


def _serviced(row: Row, loan: pl.DataFrame, sheet: Sheet, rulebook: Rulebook) -> Iterator[Row]:
    """Servicing kept or sold: the base fee at the loan's multiple, what lies above it, and excess."""
    if row["program"] not in SWAPPED:
        return
    kept = row["servicing"]
    terms = sheet.values[f"servicing.{kept}"]
    least = limits_of(row["program"], sheet, rulebook).servicing_min
    above = row["servicing_fee_rate_e7"] - least
    above_e6 = (2 * above * terms["above"] + 100) // 200
    times = int(multiples_e3(loan, terms, sheet.values["carry"]["market_rate"])[0])
    said = _said(sheet, f"servicing.{kept}.{loan['kind'][0]}")
    label = "servicing kept" if kept == "kept" else "servicing sold"
    yield _line(label, row["servicing_e6"] - above_e6, said, least, times)
    if above:
        yield _line(
            f"{label}, above the least", above_e6, _said(sheet, f"servicing.{kept}.above"), above, terms["above"]
        )
    if row["excess_rate_e7"]:
        excess = sheet.values["multiples"]["excess"]
        yield _line("excess", row["excess_e6"], _said(sheet, "multiples.excess"), row["excess_rate_e7"], excess)


def _unpriced(loan: pl.DataFrame, sheet: Sheet, rulebook: Rulebook) -> list[str]:
    """Why the enterprises have no price for the loan, if so."""
    if loan["kind"][0] != "conventional":
        return []
    charged = llpa.charges(loan, sheet.as_of, rulebook, sheet.values["llpa"])
    if charged.priced[0]:
        return []
    if charged.minimum_mi[0]:
        return [
            "the adjustment for the minimum mortgage insurance option is not known: insure the standard coverage, or "
            "give llpa.minimum_mi in the sheet"
        ]
    if loan["ltv_e4"][0] is None:
        return ["no loan to value: the adjustment grid can't be read; give the base loan amount and the value"]
    return ["the adjustment grid ends below this loan to value, all liens counted"]


def _reason(refusal: Refusal, sheet: Sheet, rulebook: Rulebook) -> str:
    limits = limits_of(refusal.program, sheet, rulebook)
    names = ("servicing_min", "servicing_max", "buy_up_max", "spread_min", "spread_max", "excess_max")
    return _REASONS[refusal.reason].format(
        spread=f"{refusal.spread_e7 / 1_000:g}", **{n: f"{getattr(limits, n) / 1_000:g}" for n in names}
    )


def _said(sheet: Sheet, key: str) -> str:
    """Who says a number: the user's sheet, or the model."""
    if key in sheet.given or any(g.startswith(f"{key}.") for g in sheet.given):
        return f"sheet {sheet.name}" if sheet.name != "model" else "what-if"
    return "assumed"


def _line(label: str, points_e6: int, source: str, rate_e7: int | None = None, times_e3: int | None = None) -> Row:
    return {"label": label, "rate_e7": rate_e7, "times_e3": times_e3, "points_e6": points_e6, "source": source}


def _percent(rate_e7: int) -> str:
    return f"{rate_e7 / 100_000:g}%"
