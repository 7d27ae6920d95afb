"""How prices look: a tape's best outlets, one loan's waterfalls."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType

from poolhouse.cli.grids import facts, figures, heading, indented, plain, table
from poolhouse.web import words

Row = dict[str, Any]

_SHOWN = 5
"""Waterfalls in full; the others are one line each."""
_OUTLETS = {**words.PARTIES, "nonqm": "Non-QM conduit", "": "Held in portfolio"}


def tape(answer: Row) -> RenderableType:
    """A tape's prices: where each loan is worth most, and what can't be priced."""
    totals, seconds = answer["totals"], answer["seconds"]
    rows: list[tuple[Any, ...]] = [(*_names(row), *_sums(row)) for row in answer["best"]]
    rows.append((plain("All loans", "bold"), "", "", *_sums(totals)))
    head = [
        ("Loans", words.count(answer["loans"]), f"{words.count(answer['rejected'])} more rows rejected as unusable"),
        ("Offers", words.count(answer["offers"]), f"priced in {seconds['price']:.2f} s"),
        ("Loans with an outlet besides holding", words.count(answer["priced"]), ""),
    ]
    names = ("Outlet", "How", "Servicing", "Loans", "Balance", "Proceeds", "Price", "32nds")
    parts: list[RenderableType] = [
        *_title("Prices", answer),
        figures(head),
        heading("Best offer of each loan", "loan by loan, no pool's or commitment's limits"),
        table(names, rows, right=range(3, 8), spare=(7, 4, 2)),
    ]
    if answer["unpriced"]:
        lines = [(row["reason"], words.count(row["loans"])) for row in answer["unpriced"]]
        parts += [heading("Loans without an outlet besides holding"), table(("Why", "Loans"), lines, right=(1,))]
    if "out" in answer:
        parts.append(plain(f"\n  All offers: {answer['out']}"))
    return Group(*parts, *ground_of(answer))


def loan(answer: Row) -> RenderableType:
    """One loan: the best outlets' waterfalls, the others in a line, what is refused and why."""
    best, every = answer["best"], answer["offers"]
    order = [i for i, offer in enumerate(every) if offer["open"] or i == best]
    others = [i for i in range(len(every)) if i not in order]
    conduits = [i for i in others if every[i]["execution"] == "conduit"]
    full = _leaders(every, order + conduits, best)
    parts: list[RenderableType] = [*_title("Price", answer), _loan_facts(answer["loan"])]
    for i in full:
        parts += _waterfall(every[i], answer["loan"]["note_rate_e7"], chosen=i == best)
    rest = [i for i in order + others if i not in full]
    if rest:
        rows = [(*_names(every[i]), *_price(every[i]), "" if every[i]["open"] else "closed to it") for i in rest]
        names = ("Outlet", "How", "Servicing", "Rate", "Price", "32nds", "Proceeds", "")
        parts += [
            heading("Other offers", "--json has their lines"),
            table(names, rows, right=(3, 4, 5, 6), spare=(5, 6)),
        ]
    parts += _refused(answer)
    if best is not None:
        chosen = every[best]
        line = f"\nBest: {_told(chosen)} at {_points(chosen['all_in_e6'])} ({chosen['all_in_32nds']})"
        if answer["second"] is not None:
            second, ahead = every[answer["second"]], answer["ahead_e6"]
            line += f", {_points(ahead)} ahead of {_told(second)}"
        parts.append(plain(line, "bold"))
    return Group(*parts, *ground_of(answer))


def _leaders(every: list[Row], order: list[int], best: int | None) -> list[int]:
    """The best of each outlet and coupon that a desk compares, the chosen one first."""
    seen: set[tuple[Any, ...]] = set()
    found = [best] if best is not None else []
    seen |= {_kind(every[i]) for i in found}
    for i in order:
        if _kind(every[i]) not in seen:
            seen.add(_kind(every[i]))
            found.append(i)
    return found[:_SHOWN]


def _kind(offer: Row) -> tuple[Any, ...]:
    """One waterfall each: of programs and kinds of servicing the best."""
    return offer["execution"], offer["coupon_rate_e7"]


def _waterfall(offer: Row, note_rate_e7: int, *, chosen: bool) -> list[RenderableType]:
    rows = [
        (
            line["label"],
            "" if line["rate_e7"] is None else f"{line['rate_e7'] / 1_000:g} bp",
            "" if line["times_e3"] is None else f"x {line['times_e3'] / 1_000:g}",
            _points(line["points_e6"]),
            words.money(line["cents"]),
            line["source"],
        )
        for line in offer["lines"]
    ]
    total = ("all-in", "", offer["all_in_32nds"], _points(offer["all_in_e6"]), words.money(offer["proceeds_cents"]))
    rows_shown: list[tuple[Any, ...]] = [*rows, (*(plain(cell, "bold") for cell in total), "")]
    note = "the best" if chosen else "" if offer["open"] else "closed to this loan"
    parts: list[RenderableType] = [heading(_told(offer), note), *_divided(offer, note_rate_e7)]
    parts.append(table(("", "Fee", "Times", "Points", "Dollars", "Who says so"), rows_shown, right=(1, 2, 3, 4)))
    interest = offer.get("interest_scheduled_cents")
    if interest is not None:
        text = f"Beside the price, interest from the 1st to {offer['settlement_date']}: {words.money(interest)}"
        if "interest_actual_cents" in offer:
            text += f" (actual/actual, from the last instalment: {words.money(offer['interest_actual_cents'])})"
        parts.append(indented(plain(text, "dim")))
    return parts


def _divided(offer: Row, note_rate_e7: int) -> list[RenderableType]:
    """Where the rate between note and coupon goes: 87.5 bp = 25 servicing + 46 guaranty fee + 16.5 bought up."""
    if offer["coupon_rate_e7"] is None:
        return []
    bought, fee = offer["buy_up_rate_e7"], offer["guaranty_fee_rate_e7"]
    strips = (
        (offer["servicing_fee_rate_e7"], "servicing"), (fee - bought, "guaranty fee"),
        (bought, "bought up" if bought > 0 else "bought down"), (offer["excess_rate_e7"], "excess"),
    )  # fmt: skip
    shown = [f"{'-' if rate < 0 else '+'} {abs(rate) / 1_000:g} {word}" for rate, word in strips if rate]
    spread = (note_rate_e7 - offer["coupon_rate_e7"]) / 1_000
    return [indented(plain(f"Note rate less this rate: {spread:g} bp = {' '.join(shown).removeprefix('+ ')}"))]


def _refused(answer: Row) -> list[RenderableType]:
    """Coupons that the strips refuse, the closest ones; outlets closed to the loan; what has no price."""
    parts: list[RenderableType] = []
    gaps = sorted(
        answer["refused"], key=lambda r: (abs(answer["loan"]["note_rate_e7"] - r["coupon_rate_e7"]), r["program"])
    )
    if gaps:
        shown = [(_OUTLETS[r["program"]], f"{r['coupon_rate_e7'] / 100_000:g}%", r["reason"]) for r in gaps[:6]]
        more = f"the closest 6 of {len(gaps)}; --json has all" if len(gaps) > len(shown) else ""
        parts += [heading("Coupons refused", more), table(("Outlet", "Coupon", "Why"), shown, right=(1,))]
    lines = [(_OUTLETS[row["program"]], "; ".join(row["why"]) or row["answer"]) for row in answer["closed"]]
    lines += [("Enterprises", text) for text in answer["unpriced"]]
    if lines:
        parts += [heading("Outlets closed to this loan"), facts(lines)]
    return parts


def _title(text: str, answer: Row) -> list[RenderableType]:
    changes = f", changed: {', '.join(answer['what_if'])}" if answer["what_if"] else ""
    line = f"   {answer['as_of']}, edition {answer['edition']}{overridden(answer)}, sheet: {answer['sheet']}{changes}"
    return [plain(text, "bold").append_text(plain(line, "dim"))]


def overridden(answer: Row) -> str:
    """The rules that an override stands for."""
    names = [str(rule["name"]) for rule in answer["overrides"]]
    return f", overridden: {', '.join(names)}" if names else ""


def ground_of(answer: Row) -> list[RenderableType]:
    """What the prices rest on."""
    model = answer["from_model"]
    parts: list[RenderableType] = [heading("They rest on"), *(indented(plain(n, "dim")) for n in answer["notes"])]
    if model["tables"] or model["sections"]:
        named = ", ".join([*model["tables"], *model["sections"]])
        parts.append(indented(plain(f"Assumed, not on a sheet (--json has each number): {named}", "dim")))
    return parts


def _loan_facts(loan: Row) -> RenderableType:
    known = {k: v for k, v in loan.items() if v not in (None, "", 0) and k != "loan_number"}
    text = ", ".join(f"{words.label(k)} {words.shown(k, v)}" for k, v in known.items())
    return indented(plain(text))


def _names(row: Row) -> tuple[str, str, str]:
    return _OUTLETS[row["program"]], row["execution"], "" if row["execution"] == "hold" else row["servicing"]


def _sums(row: Row) -> tuple[str, ...]:
    return (
        words.count(row["loans"]), words.money(row["balance_cents"]), words.money(row["proceeds_cents"]),
        _points(row["all_in_e6"]), row["all_in_32nds"],
    )  # fmt: skip


def _price(offer: Row) -> tuple[str, ...]:
    rate = offer["coupon_rate_e7"]
    shown = "" if rate is None else f"{rate / 100_000:g}%"
    return shown, _points(offer["all_in_e6"]), offer["all_in_32nds"], words.money(offer["proceeds_cents"])


def _told(offer: Row) -> str:
    """An offer in words."""
    if offer["execution"] == "hold":
        return "held in portfolio"
    rate = offer["coupon_rate_e7"]
    coupon = "" if rate is None else f" {rate / 100_000:g}%"
    return f"{_OUTLETS[offer['program']]}, {offer['execution']}{coupon}, servicing {offer['servicing']}"


def _points(e6: int) -> str:
    """102617500 -> 102.6175: at least two decimals, no more than there are."""
    text = f"{e6 / 1_000_000:.6f}".rstrip("0")
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals.ljust(2, '0')}"
