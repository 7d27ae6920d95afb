"""The other queries as text: a payment traced to the cent, what an investor owns, how lenders do."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType

from poolhouse.cli.grids import facts, figures, heading, indented, plain, table
from poolhouse.web import words

Row = dict[str, Any]

MOST_STATES = 8
MOST_SECURITIES = 20


def trace(answer: Row) -> RenderableType:
    """Each cent of a month's payment, by who got it; the shares sum to the payment."""
    split, paid = answer["split"], answer["paid_cents"]
    rows: list[tuple[object, ...]] = [
        (s["party"], s.get("role", ""), s.get("what") or s.get("account", ""), words.money(s["cents"])) for s in split
    ]
    total = sum(s["cents"] for s in split)
    rows.append(("Together", "", "", plain(words.money(total), "bold")))
    title = plain(f"Where {words.money(paid)} went", "bold")
    if answer.get("loan"):
        title.append_text(plain(f"   loan {answer['loan']}, {answer.get('month')}"))
    if total != paid:
        title.append_text(plain(f"   the shares miss the payment by {words.money(paid - total)}", "bold red"))
    parts: list[RenderableType] = [title, *_received(answer)]
    if split:
        parts += [heading("The payment"), table(("Who", "As", "For", "Amount"), rows, right=(3,))]
    else:
        parts.append(indented(plain("No money was accepted from the borrower this month.")))
    return Group(*parts, *_holders(answer), *_other_money(answer.get("other_money") or []))


def _received(answer: Row) -> list[RenderableType]:
    rows = [
        (r["received_date"], f"{words.money(r['amount_cents'])} {r['kind']}, {r['disposition']} ({r['reference']})")
        for r in answer.get("received") or []
    ]
    rows += [
        (r["received_date"], f"{words.money(r['amount_cents'])} {r['kind']}: not accepted, goes back to the payer")
        for r in answer.get("exceptions") or []
    ]
    return [facts(rows)] if rows else []


def _holders(answer: Row) -> list[RenderableType]:
    holders, pool = answer.get("holders") or [], answer.get("pool") or {}
    if not holders:
        return []
    rows: list[tuple[object, ...]] = []
    for h in holders:
        rows.append((h["holder"], _share(h["share_e8"]), words.money(h["cents"]), words.money(h["other_money_cents"])))
        rows += [
            (
                plain(f"  of it through the fund: {t['holder']}", "dim"),
                _share(t["share_e8"]),
                words.money(t["cents"]),
                "",
            )
            for t in h["through"]
        ]
    note = f"by share of {_pool_words(pool)}: an attribution"
    together = (
        "Together",
        "",
        words.money(pool.get("from_payment_cents")),
        words.money(pool.get("from_other_money_cents")),
    )
    rows.append(together)
    names = ("Holder", "Share", "Of this payment", "Of other money")
    return [heading("The pool's share goes on to", note), table(names, rows, right=(1, 2, 3))]


def _other_money(moves: list[Row]) -> list[RenderableType]:
    if not moves:
        return []
    rows = [(m["source"], m["to"], m["what"], words.money(m["cents"])) for m in moves]
    note = "what the month used beside the payment"
    return [heading("Other money", note), table(("From", "To", "For", "Amount"), rows, right=(3,))]


def _share(share_e8: int | None) -> str:
    return "" if share_e8 is None else f"{share_e8 / 10**6:.4f}%"


def lookthrough(answer: Row) -> RenderableType:
    """From a holder to the loans behind its securities."""
    title = plain(f"What {answer.get('holder', 'the holder')} owns", "bold")
    if answer.get("as_of"):
        title.append_text(plain(f"   {answer['as_of']}, balances of {answer.get('balances_of')}"))
    received = answer.get("received") or {}
    rows = [
        ("Balance", words.money(answer.get("balance_cents")), f"face {words.money(answer.get('face_cents'))}"),
        ("Loans behind it", words.count(answer.get("loans")), f"in {words.count(answer.get('pools'))} pools"),
    ]
    attributed = [f["received"] for f in answer.get("through_funds") or [] if f.get("received")]
    if attributed:
        sums = [words.money(sum(r[f"{kind}_cents"] for r in attributed)) for kind in ("principal", "interest")]
        rows.append(("Its share of principal", sums[0], "that the fund received: an attribution"))
        rows.append(("Its share of interest", sums[1], ""))
    if received.get("months"):
        months = f"{received['months']} months"
        rows.append(("Principal received", words.money(received["principal_cents"]), months))
        rows.append(("Interest received", words.money(received["interest_cents"]), ""))
    parts: list[RenderableType] = [title, figures(rows)]
    if answer.get("states"):
        parts.append(facts([("States", _states(answer["states"])), ("Delinquency", _late(answer["delinquency"]))]))
    parts += _own_loan(answer.get("own_loan"))
    parts += _securities("Securities held", answer.get("securities") or [])
    for fund in answer.get("through_funds") or []:
        share = f"{_share(fund['share_e8'])} of it: {words.money(fund['balance_cents'])}"
        parts += _securities(f"Through {fund['fund']}", fund["securities"], share)
    if answer.get("owned_by"):
        owners = [(o["holder"], _share(o["share_e8"])) for o in answer["owned_by"]]
        parts += [heading("Held by", "the rest by holders outside the book"), facts(owners)]
    return Group(*parts)


def _own_loan(own: Row | None) -> list[RenderableType]:
    if own is None:
        return []
    asked = f"Does it own loan {own['loan']}?"
    if not own["owned"]:
        return [heading(asked), facts([("No", own["why"])])]
    said = f"{words.money(own['cents'])} of the {words.money(own['balance_cents'])} owed, {_share(own['share_e8'])}"
    return [heading(asked), facts([("Yes", said), ("Through", _pool_words(own))])]


def _pool_words(pool: Row) -> str:
    """A pool and its CUSIP; one issued in classes has several."""
    return f"pool {pool['pool_number']}, " + (f"CUSIP {pool['cusip']}" if pool["cusip"] else "issued in classes")


def _states(states: dict[str, int]) -> str:
    every = list(states.items())
    shown = [f"{state} {count:,}" for state, count in every[:MOST_STATES]]
    rest = every[MOST_STATES:]
    return ", ".join(shown) + (f", {len(rest)} others {sum(c for _, c in rest):,}" if rest else "")


def _late(buckets: dict[str, int]) -> str:
    return ", ".join(f"{text.lower()} {buckets.get(key, 0):,}" for key, text in words.DELINQUENCY)


def _securities(title: str, rows: list[Row], note: str = "") -> list[RenderableType]:
    if not rows:
        return []
    ordered = sorted(rows, key=lambda s: s.get("balance_cents") or 0, reverse=True)
    shown = [
        (
            s.get("cusip", s.get("name", "")), f"{s.get('pool_number', '')} {s.get('class_name', '')}".strip(),
            words.shown("coupon_rate_e7", s.get("coupon_rate_e7")), words.money(s.get("balance_cents")),
            _share(s.get("share_e8")), words.count(s.get("loans")), words.count(_behind(s)),
        )
        for s in ordered[:MOST_SECURITIES]
    ]  # fmt: skip
    names = ("CUSIP", "Pool", "Coupon", "Balance", "Of it", "Loans", "Late")
    more = f"the {MOST_SECURITIES} largest of {len(rows)}; --json gives all" if len(rows) > MOST_SECURITIES else ""
    said = "; ".join(part for part in (note, more) if part)
    return [heading(title, said), table(names, shown, right=range(2, 7))]


def _behind(security: Row) -> int:
    return sum(security.get(key, 0) for key, _ in words.DELINQUENCY if key != "current")
