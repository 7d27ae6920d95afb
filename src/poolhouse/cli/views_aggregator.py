"""How the aggregator's answers look: lenders and their records, one lender's scorecard, people's decisions."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from poolhouse.cli.grids import MOST_ROWS, anything, facts, figures, heading, indented, plain, table
from poolhouse.web import words

Row = dict[str, Any]

LONGEST_NAME = 20
_MOST_RATIO_E4 = 99_900
"""A ratio above this says no more than that it is large: the peers' expectation is next to nothing."""
_STYLES = {"watch": "yellow", "overlay": "yellow", "suspended": "bold red", "terminated": "bold red"}
_SPARE = ("Kind", "Demanded", "Program", "Expires", "Settled", "Reason")
"""Columns of a register that a narrow screen goes without, the first of them first."""
_DAYS = {1: "30 days", 2: "60 days", 3: "90 days"}


def lenders(answer: Row) -> RenderableType:
    """Lenders and their records: those with most serious defaults first."""
    every = answer.get("lenders") or []
    head = [
        ("Watched", words.count(answer.get("watched")), "lenders whose loans the aggregators bought"),
        ("No longer bought from", words.count(answer.get("stopped")), "suspended or terminated"),
        ("Sales refused for that", words.count(answer.get("sales_refused")), ""),
        ("Repurchase demands not paid", words.count(answer.get("repurchases_outstanding", 0)), ""),
    ]
    shown = [
        (
            _short(r.get("lender", "")), _state(r), words.count(r.get("loans")), e4(r.get("share_sold_e4"), 0),
            words.number(r.get("days_to_sale_median"), 0),
            words.count(r.get("early_defaults")), words.count(r.get("serious_defaults")),
            e6(r.get("expected_defaults_e6")), _ratio(r.get("compare_ratio_e4")), chance(r.get("p_value_e9")),
            words.count(r.get("repurchases_outstanding")),
        )
        for r in every[:MOST_ROWS]
    ]  # fmt: skip
    names = [
        "Lender",
        "State",
        "Loans",
        "Sold",
        "Days",
        "Early",
        "Serious",
        "Peers",
        "Ratio",
        "Chance",
        "Open",
    ]
    more = f"the first {MOST_ROWS} of {len(every):,}; --json gives all, with reasons" if len(every) > MOST_ROWS else ""
    parts: list[RenderableType] = [plain("Lenders", "bold"), figures(head), heading("By serious defaults", more)]
    if not answer.get("repurchases_outstanding"):
        names.pop()
    parts.append(table(names, [row[: len(names)] for row in shown], right=range(2, len(names)), spare=(4, 3, 5, 7)))
    legend = (
        "Days: median from note to sale. Early: 60 days late in the first payments. "
        "Serious: ever 90 days late or lost. Peers: as many as like loans of other lenders would give in two years; "
        "Ratio: this lender's over theirs, where it is worse; Chance: of so many or more by luck. Open: repurchase "
        "demands not paid. One lender in full: --lender NAME."
    )
    parts.append(indented(plain(legend, "dim")))
    return Group(*parts, *_changed(every), *_refused(every))


def lender(answer: Row) -> RenderableType:
    """One lender's scorecard: its row, each depth at each age against peers, and its history."""
    row = answer["lender"]
    shown_facts = {k: v for k, v in row.items() if k not in ("lender", "state", "refused", "p_value_e9")}
    if row.get("p_value_e9") is not None:
        shown_facts["chance_by_luck"] = chance(row["p_value_e9"])
    shown = [
        (
            f"within {w['within']} payments", _DAYS.get(w["missed"], words.count(w["missed"])), words.count(w["loans"]),
            words.count(w["bad"]), e6(w["expected_e6"]),
            e4(10_000 * 1_000_000 * w["bad"] // w["expected_e6"], 0) if w["expected_e6"] else "",
        )
        for w in answer["windows"]
    ]  # fmt: skip
    parts: list[RenderableType] = [
        plain(f"{row['lender']}: {row['state']}", _STYLES.get(row["state"], "bold")),
        anything(shown_facts),
        heading("Ever so late, loans that old", "beside what like loans of other lenders give"),
        table(("Ever", "Late", "Loans", "Bad", "Peers", "Ratio"), shown, right=range(2, 6)),
        *_history(answer["history"]),
    ]
    if answer.get("repurchases"):
        parts += _demands(answer["repurchases"], one_lender=True)
    if answer.get("commitments"):
        parts += _commitments(answer["commitments"], one_lender=True)
    return Group(*parts, *_refused([row]))


def _history(every: list[Row]) -> list[RenderableType]:
    """A lender's states, the oldest first, each with what decided it."""
    if not every:
        return [heading("History"), indented(plain("approved, and never decided about", "dim"))]
    rows = []
    for h in every:
        counted = bool(h["measure"])  # people need no count
        said = (
            words.count(h["defaults"]),
            e6(h["expected_defaults_e6"]),
            e4(h["ratio_e4"], 0),
            chance(h["p_value_e9"]),
        )
        rows.append((h["decided_date"], h["state"], h["decided_by"], *(said if counted else ("",) * 4), h["reason"]))
    names = ("Decided", "State", "By", "Defaults", "Peers", "Ratio", "Chance", "Why")
    return [heading("History"), table(names, rows, right=range(3, 7), spare=(6, 5, 4, 3, 2))]


def told(answer: Row) -> RenderableType:
    """What a decision or a file came to."""
    return anything(answer)


def repurchase(answer: Row) -> RenderableType:
    """The register of demands, the newest last; or what a file of demands came to."""
    if not isinstance(answer.get("demands"), list):
        return anything(answer)
    head = [
        (
            "Open",
            words.money(answer["open_cents"]),
            f"{words.count(answer['open'])} demands, at the balance of the day",
        ),
        ("Indemnities", "", f"{words.count(answer['promised'])} promised: paid when the loan is lost"),
        ("Paid", words.money(answer["paid_cents"]), f"{words.count(answer['paid'])} demands"),
    ]
    return Group(plain("Loans that go back", "bold"), figures(head), *_demands(answer["demands"]))


def commit(answer: Row) -> RenderableType:
    """The register of commitments; or what a file of them came to."""
    if not isinstance(answer.get("commitments"), list):
        return anything(answer)
    states = [(_spaced(state).capitalize(), words.count(n), "") for state, n in answer["states"].items()]
    head = [*states, ("Paid for what was missing", words.money(answer["paired_off_cents"]), "")]
    return Group(plain("Commitments", "bold"), figures(head), *_commitments(answer["commitments"]))


def _demands(every: list[Row], *, one_lender: bool = False) -> list[RenderableType]:
    names = ["Loan", "Lender", "Reason", "Remedy", "Demanded", "State", "Settled", "Price or loss"]
    rows = [
        [
            d["loan_number"], _short(d["lender"]), _spaced(d["reason"]), _spaced(d["remedy"]), d["demand_date"],
            d["state"], d["settled_date"] or "", words.money(d["total_cents"]),
        ]
        for d in every[-MOST_ROWS:]
    ]  # fmt: skip
    return _listed("Repurchase demands", names, rows, len(every), right=1, one_lender=one_lender)


def _commitments(every: list[Row], *, one_lender: bool = False) -> list[RenderableType]:
    names = ["Commitment", "Lender", "Program", "Kind", "Expires", "State", "Promised", "Delivered", "Cost"]
    rows = [
        [
            _short(c["commitment_id"]), _short(c["lender"]), words.PARTIES.get(c["program"], c["program"]),
            _spaced(c["kind"]), c["expires"], _spaced(c["state"]), words.money(c["amount_cents"]),
            words.money(c["delivered_cents"]), words.money(c["cost_cents"]),
        ]
        for c in every[-MOST_ROWS:]
    ]  # fmt: skip
    return _listed("Commitments", names, rows, len(every), right=3, one_lender=one_lender)


def _listed(
    title: str, names: list[str], rows: list[list[Any]], count: int, *, right: int, one_lender: bool
) -> list[RenderableType]:
    """A table of the last rows of a register, its last columns right; without the lender's name where all are one's."""
    if one_lender:
        at = names.index("Lender")
        names, rows = [n for n in names if n != "Lender"], [row[:at] + row[at + 1 :] for row in rows]
    more = f"the last {MOST_ROWS} of {count:,}; --json gives all" if count > MOST_ROWS else ""
    spare = [names.index(name) for name in _SPARE if name in names]
    return [heading(title, more), table(names, rows, right=range(len(names) - right, len(names)), spare=spare)]


def _spaced(code: str) -> str:
    return code.replace("_", " ")


_SUMS = ("Principal", "Premium", "Interest", "Line payoff", "Net wire")


def advice(answer: Row) -> RenderableType:
    """Purchase advices, largest first, and whether each day's wires are the ledger's; of a lender loan by loan too."""
    every = sorted(answer["advices"], key=lambda a: (-a["gross_cents"], a["lender"], a["settlement_date"]))
    rows = [
        (_short(a["lender"]), a["settlement_date"], _program(a), words.count(a["loans"]), *_sums(a))
        for a in every[:MOST_ROWS]
    ]
    rows.append(("Together", "", "", words.count(answer["loans"]), *_sums(answer)))
    off = [w for w in answer["wires"] if w["difference_cents"]]
    note = "every wire is the ledger's" if not off else f"{len(off)} wires differ from the ledger"
    more = f"; the largest {MOST_ROWS} of {len(every):,}, --json gives all" if len(every) > MOST_ROWS else ""
    names = ("Lender", "Settles", "Program", "Loans", *_SUMS)
    return Group(
        heading("Purchase advices", f"{', '.join(answer['months'])}; {note}{more}"),
        table(names, rows, right=range(3, 9), spare=(6, 5, 2, 1)),
        *_advised_loans(answer.get("lines") or []),
    )


def _advised_loans(every: list[Row]) -> list[RenderableType]:
    rows = [
        (line["loan_number"], line["settlement_date"], _program(line), f"{line['price_e6'] / 10**6:.6f}", *_sums(line))
        for line in every[:MOST_ROWS]
    ]
    more = f"the first {MOST_ROWS} of {len(every):,}; --json gives all" if len(every) > MOST_ROWS else ""
    names = ("Loan", "Settles", "Program", "Price", *_SUMS)
    found = table(names, rows, right=range(3, 9), spare=(6, 5, 2, 1))
    return [heading("Loan by loan", more), found] if rows else []


def _program(row: Row) -> str:
    return str(words.PARTIES.get(row["program"], row["program"]))


def _sums(row: Row) -> tuple[str, ...]:
    """Principal, premium less discount, interest, line payoff and net wire."""
    above = row["premium_cents"] - row["discount_cents"]
    return (
        words.money(row["principal_cents"]), words.money(above), words.money(row["purchase_interest_cents"]),
        words.money(row["line_payoff_cents"]), words.money(row["net_wire_cents"]),
    )  # fmt: skip


def _state(row: Row) -> Text:
    state = row.get("state", "")
    return plain(state, _STYLES.get(state, ""))


def _ratio(ratio_e4: int | None) -> str:
    return "> 999%" if ratio_e4 is not None and ratio_e4 > _MOST_RATIO_E4 else e4(ratio_e4, 0)


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 3].rstrip() + "..."


def _changed(every: list[Row]) -> list[RenderableType]:
    rows = [(f"{r['lender']}, {r['since']}", f"{r['state']}: {r['why']}") for r in every if r.get("since")]
    return [heading("States and why"), facts(rows)] if rows else []


def _refused(every: list[Row]) -> list[RenderableType]:
    """Why loans were turned down, over all lenders."""
    total: dict[str, int] = {}
    for lender_row in every:
        for reason, loans in (lender_row.get("refused") or {}).items():
            total[reason] = total.get(reason, 0) + loans
    rows = sorted(total.items(), key=lambda item: (-item[1], item[0]))
    return (
        [heading("Why loans were not bought"), figures((r, words.count(n), "loans") for r, n in rows)] if rows else []
    )


def e4(value: int | None, digits: int) -> str:
    """A share or ratio in percent."""
    return "" if value is None else f"{value / 100:.{digits}f}%"


def e6(value: int | None) -> str:
    """Millionths as a number of loans."""
    return "" if value is None else f"{value / 10**6:.1f}"


def chance(p_value_e9: int | None) -> str:
    """A probability in percent."""
    return "" if p_value_e9 is None else f"{p_value_e9 / 10**7:.2f}%"
