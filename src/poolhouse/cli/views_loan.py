"""A loan's whole life as text, in the order it happened: note, standards, sale, pool, notices, months."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding

from poolhouse.cli.grids import MOST_ROWS, facts, figures, heading, indented, plain, table
from poolhouse.web import words

Row = dict[str, Any]

_PURPOSES = {
    "purchase": "purchase",
    "limited_cash_out": "refinance, limited cash-out",
    "cash_out": "refinance, cash-out",
}
_OCCUPANCY = {"principal": "principal residence", "second_home": "second home", "investment": "investment property"}


def loan(answer: Row) -> RenderableType:
    """A loan's whole life. Sections of what has not happened are left out."""
    terms = answer.get("terms") or {}
    title = plain(f"Loan {terms.get('loan_number') or answer.get('loan') or ''}".strip(), "bold")
    return Group(
        title.append_text(plain(f"   {answer['status']}", "")) if answer.get("status") else title,
        *_terms(terms),
        *_closing(answer.get("closing") or {}),
        *_eligibility(answer.get("eligibility") or []),
        *_sale(answer.get("sale") or {}, answer.get("refusals") or []),
        *_holders("Owners", "owner", answer.get("owners") or []),
        *_pool(answer.get("pool") or {}, answer.get("security") or {}),
        *_holders("Servicers", "servicer", answer.get("servicers") or []),
        *_notices(answer.get("notices") or []),
        *_payments(answer.get("payments") or []),
        *_months(answer.get("months") or []),
    )


def _rate(value: int | None) -> str:
    return words.shown("rate_e7", value)


def _joined(*parts: str | None) -> str:
    return ", ".join(part for part in parts if part)


def _terms(t: Row) -> list[RenderableType]:
    if not t:
        return []
    months, payment = t.get("term_months"), t.get("payment_cents")
    note = _joined(
        f"{words.money(t.get('note_amount_cents'))} at {_rate(t.get('note_rate_e7'))} {t.get('rate_type', '')}".strip(),
        f"{months} months" if months else None,
        f"{words.money(payment)} a month" if payment else None,
    )
    rows = [("Note", note)]
    if t.get("note_date"):
        due = f"first due {t.get('first_due_date')}, last {t.get('maturity_date')}"
        rows.append(("Dates", f"closed {t['note_date']}, {due}"))
    if t.get("purpose"):
        streamline = "streamline" if t.get("streamline") else None
        rows.append(("Loan", _joined(str(t.get("kind")), _PURPOSES.get(t["purpose"], t["purpose"]), streamline)))
        rows.append(("Property", _property(t)))
        rows.append(("Borrower", _borrower(t)))
    return [heading("The note"), facts(rows)]


def _property(t: Row) -> str:
    units = t.get("units") or 1
    return _joined(
        _OCCUPANCY.get(t["occupancy"], t["occupancy"]),
        str(t["property_type"]).replace("_", " "),
        "1 unit" if units == 1 else f"{units} units",
        t.get("state"),
        f"county {t['county_fips']}" if t.get("county_fips") else None,
        f"value {words.money(t['value_cents'])}" if t.get("value_cents") else "value unknown",
    )


def _borrower(t: Row) -> str:
    def known(name: str, key: str) -> str:
        return f"{name} {words.shown(key, t[key]) if t.get(key) is not None else 'unknown'}"

    return _joined(
        known("loan to value", "ltv_e4"),
        known("score", "score"),
        known("debt ratio", "dti_e4"),
        f"insured {t['mi_pct']}%" if t.get("mi_pct") else "no MI",
        f"income {words.money(t['income_cents'])} a year" if t.get("income_cents") else None,
        "first-time buyer" if t.get("first_time_buyer") else None,
    )


def _closing(c: Row) -> list[RenderableType]:
    if not c:
        return []
    rows = [
        (name, words.money(c[key]), note)
        for name, key, note in (
            ("Note amount", "note_amount_cents", ""),
            ("Financed fee within it", "financed_fee_cents", "FHA, VA or USDA"),
            ("Odd-days interest", "odd_days_interest_cents", "from the note date to the end of its month"),
            ("Points and origination", "points_cents", ""),
            ("Other closing costs", "closing_costs_cents", ""),
            ("Paid down before sale", "curtailment_cents", ""),
        )
        if c.get(key)
    ]
    parts: list[RenderableType] = [
        heading("Closing", f"{c.get('lender', '')} ({c.get('lender_type', '')})"),
        figures(rows),
    ]
    if c.get("imputed"):
        parts.append(indented(plain(f"Filled in by the tape's reader: {'; '.join(c['imputed'])}", "dim")))
    return parts


_STYLES = {"eligible": "green", "eligible under assumptions": "green", "not eligible": "red", "undetermined": "yellow"}


def _eligibility(programs: list[Row]) -> list[RenderableType]:
    """Each program's answer, and under it what decided: only failures for a loan that fails."""
    parts: list[RenderableType] = []
    for p in programs:
        name = plain(f"  {words.PARTIES.get(p['program'], p['program'])}: ")
        parts.append(name.append_text(plain(p["answer"], _STYLES.get(p["answer"], ""))))
        decisive = {"not eligible": "fails", "undetermined": "undetermined"}.get(p["answer"])
        told = [r for r in p["reasons"] if decisive in (None, r["outcome"])]
        parts += [
            Padding(plain(r["message"]).append_text(plain(f"  {r['source']}", "dim")), (0, 0, 0, 6)) for r in told
        ]
    return [heading("Eligibility", f"as delivered {programs[0]['as_of']}"), *parts] if parts else []


def _sale(s: Row, refusals: list[Row]) -> list[RenderableType]:
    parts: list[RenderableType] = []
    if refusals:
        parts += [heading("Offered and not bought")]
        parts += [
            facts((r["month"], f"{words.PARTIES.get(r['program'], r['program'])}: {r['reason']}") for r in refusals)
        ]
    if not s:
        return parts
    price = f"{words.shown('price_e6', s['price_e6'])} per 100 of {words.money(s['scheduled_upb_cents'])}"
    rates = (
        ("coupon", "coupon_rate_e7"),
        ("guaranty fee", "guaranty_fee_rate_e7"),
        ("servicing", "servicing_fee_rate_e7"),
    )
    fees = _joined(*(f"{name} {_rate(s[key])}" for name, key in rates))
    line_note = f"and {words.money(s['line_interest_cents'])} interest"
    right = "released to the buyer" if s["servicing_released"] else "kept by the seller"
    rows = [
        ("Price paid", words.money(s["proceeds_cents"]), price),
        ("Accrued interest", words.money(s["accrued_cents"]), f"from the 1st to {s['settlement_date']}"),
        ("Funding line repaid", words.money(s["line_principal_cents"]), line_note),
        ("Servicing right", words.money(s["servicing_right_cents"]), right),
        ("Gain on sale" if s["gain_cents"] >= 0 else "Loss on sale", words.money(s["gain_cents"]), fees),
    ]  # fmt: skip
    note = f"{s['seller']} to {s['buyer']}, {s['method']}, {s['settlement_date']}; chosen by {s['chosen_by']}"
    return [*parts, heading("Sale", note), figures(rows, ("Gain on sale", "Loss on sale"))]


def _holders(title: str, role: str, rows: list[Row]) -> list[RenderableType]:
    if not rows:
        return []
    priced = any(r.get("price_cents") for r in rows)
    shown = [
        (
            r.get("from") or r.get("effective_date") or "",
            r.get("until") or "",
            r[role],
            r.get("reason", ""),
            *((words.money(r["price_cents"]) if r.get("price_cents") else "",) if priced else ()),
        )
        for r in rows
    ]
    names = ("From", "Until", title[:-1], "By", *(("For",) if priced else ()))
    return [heading(title), table(names, shown, right=(4,))]


def _pool(p: Row, s: Row) -> list[RenderableType]:
    if not p.get("pool_number") and not s:
        return [heading("Pool"), facts([("Not pooled", f"{p['reason']} ({p['waited_months']} months)")])] if p else []
    rows = []
    if p:
        issued = f"{words.count(p['loans'])} loans at its issue on {p['issue_date']}"
        averages = f"WAC {_rate(p['wac_e7'])}, WAM {p['wam_months']}, WALA {p['wala_months']}"
        rows = [
            ("Pool", f"{p['program']} {p['pool_number']}, {p['prefix']}, {issued}"),
            ("Coupon", f"{_rate(p['coupon_rate_e7'])}, {averages}"),
            ("This loan", f"{words.money(p['loan_scheduled_cents'])} of {words.money(p['scheduled_cents'])} at issue"),
            ("Paid", f"first {p['first_payment_date']}, then on the {p['pay_day']}th of each month"),
        ]  # fmt: skip
    if s:
        face = f", face {words.money(s['face_cents'])}" if s.get("face_cents") else ""
        kind = f", guarantee {p['guarantee']}" if p.get("guarantee") else ""
        by = f" by {s['guarantor']}" if s.get("guarantor") not in (None, "none") else ""
        named = f"CUSIP {s['cusip']}" if s.get("cusip") else f"{s.get('classes', 0)} classes"
        rows.append(("Security", f"{named}{face}{kind}{by}"))
    return [heading("Pool and security"), facts(rows)]


def _notices(rows: list[Row]) -> list[RenderableType]:
    if not rows:
        return []
    shown = [
        (
            n["kind"],
            n["transfer_date"],
            f"{n['from']} to {n['to']}",
            n["due_date"],
            n["sent_date"] or (f"none: {n['exemption']}" if n["exemption"] else "not yet"),
        )
        for n in rows
    ]
    return [heading("Notices to the borrower"), table(("Notice", "Of", "From and to", "Due by", "Sent"), shown)]


def _payments(rows: list[Row]) -> list[RenderableType]:
    """The unusual ones; the rest is counted, each stands in its month."""
    if not rows:
        return []
    odd = [r for r in rows if r["kind"] != "instalment" or r["disposition"] != "applied"]
    shown = [
        (r["received_date"], words.money(r["amount_cents"]), r["kind"], r["disposition"], r["reference"])
        for r in odd[:MOST_ROWS]
    ]
    note = f"{len(rows) - len(odd)} instalments applied; --json lists each"
    parts: list[RenderableType] = [heading("Payments received", note)]
    return [*parts, table(("Received", "Amount", "Kind", "", "Reference"), shown, right=(1,))] if shown else parts


def _months(rows: list[Row]) -> list[RenderableType]:
    if not rows:
        return []
    advanced = any(r.get("advance_balance_cents") or r.get("guarantor_advance_balance_cents") for r in rows)
    extra = any(r.get("curtailment_cents") for r in rows)

    def cells(r: Row) -> list[str]:
        known = [
            words.money(r.get(f"{k}_cents")) for k in ("payment_due", "paid", "interest_applied", "principal_applied")
        ]
        out = r.get("advance_balance_cents", 0) + r.get("guarantor_advance_balance_cents", 0)
        return [
            r["month"], *known,
            *([words.money(r.get("curtailment_cents") or None)] if extra else []),
            *([words.money(out or None)] if advanced else []),
            words.money(r.get("closing_actual_cents")), words.money(r.get("closing_scheduled_cents")),
            r.get("delinquency", ""),
        ]  # fmt: skip

    names = ["Month", "Due", "Paid", "Interest", "Principal", *(["Extra"] if extra else [])]
    names += [*(["Advances"] if advanced else []), "Owed", "Scheduled", "Standing"]
    parts: list[RenderableType] = [
        heading("Month by month", "interest and principal as applied; balances at the month's end"),
        table(names, [cells(r) for r in rows[:MOST_ROWS]], right=range(1, len(names) - 1)),
    ]
    if len(rows) > MOST_ROWS:
        parts.append(indented(plain(f"... and {len(rows) - MOST_ROWS:,} more: --json gives all", "dim")))
    return parts
