"""The market as a table: what `demo`, `run` and `report` print.

What the figures rest on comes first (overrides, assumptions, findings), for it is long; then the way of a
loan: loans, programs, cash, delinquency, lenders, promises; and what to try next.
"""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType

from poolhouse.cli.grids import facts, figures, heading, indented, plain, table
from poolhouse.web import words

LONGEST_VALUE = 64
MOST_FINDINGS = 12


def report(answer: dict[str, Any], book: str) -> RenderableType:
    """The whole report of a book."""
    return Group(
        *_ground(answer),
        *_findings(answer.get("findings", [])),
        _title(answer),
        *_loans(answer),
        *_programs(answer),
        *_classes(answer.get("classes", [])),
        *_cash(answer.get("cash", {})),
        *_delinquency(answer.get("delinquency", {})),
        *_lenders(answer.get("lenders", {})),
        *promises(answer.get("promises"), answer.get("head")),
        *_next(answer, book),
    )


def _title(answer: dict[str, Any]) -> RenderableType:
    seconds = answer.get("seconds")
    parts = [f"edition {answer.get('edition', '?')}", f"{words.count(answer.get('months'))} months"]
    parts += [f"{seconds:.1f} seconds"] if seconds else []
    return plain("The secondary mortgage market", "bold").append_text(plain("   " + ", ".join(parts), "dim"))


def _loans(answer: dict[str, Any]) -> list[RenderableType]:
    loans = answer["loans"]
    sold_note = f"{words.count(loans.get('retained'))} stayed with their lenders"
    rows = [
        (
            "Offered",
            words.count(loans["offered"]),
            f"{words.count(loans.get('rejected'))} more rows rejected as unusable",
        ),
        ("Eligible", words.count(loans.get("eligible")), f"{words.count(loans.get('undetermined'))} undetermined"),
        ("Sold", words.count(loans.get("sold")), sold_note),
        ("Share sold, by count", words.percent(answer.get("share_sold")), ""),
        ("Median days from closing to sale", words.number(answer.get("days_to_sale_median"), 0), ""),
        ("Turns of lenders' capital in a year", words.number(answer.get("turns_per_year")), ""),
        ("Pools", words.count(answer.get("pools")), f"{words.count(answer.get('securities'))} securities"),
        ("Original face of securities", words.money(answer.get("original_face_cents")), ""),
    ]
    caveats = [indented(plain(f"Note: {text}", "italic")) for text in answer.get("caveats", [])]
    return [heading("Loans"), figures(rows), *caveats]


def _programs(answer: dict[str, Any]) -> list[RenderableType]:
    programs = answer.get("programs", [])
    if not programs:
        return []
    rows = [
        (
            p.get("name") or words.PARTIES.get(p.get("program", ""), p.get("program", "")),
            p.get("guarantee", ""),
            words.count(p.get("pools")),
            words.count(p.get("loans")),
            words.count(p.get("whole_loans", 0)),
            words.money(p.get("face_cents")),
            words.coupons(p),
            words.rate(p.get("wac")),
            words.number(p.get("wam_months"), 0),
        )
        for p in programs
    ]
    names = ("Program", "Guarantee", "Pools", "Loans", "Unpooled", "Original face", "Coupons", "WAC", "WAM")
    return [heading("By program"), table(names, rows, right=(2, 3, 4, 5, 7, 8))]


def _classes(rows: list[dict[str, Any]]) -> list[RenderableType]:
    """The classes of the private pools' deals, those of one name together."""
    if not rows:
        return []
    cells = [
        (
            row["class_name"], words.money(row["face_cents"]), words.price(row["price_e6"]),
            words.money(row["interest_cents"]), words.money(row["principal_cents"]), words.money(row["loss_cents"]),
            words.money(row["balance_cents"]),
        )
        for row in rows
    ]  # fmt: skip
    names = ("Class", "Original face", "Placed at", "Interest paid", "Principal paid", "Lost", "Left")
    note = "of private pools, those of one name together; losses from the bottom up"
    return [heading("Classes", note), table(names, cells, right=range(1, 7))]


def _cash(cash: dict[str, int]) -> list[RenderableType]:
    if not cash:
        return []
    sides = words.cash_sides(cash)
    rows = [(text, words.money(cents), "") for text, cents in sides["came"]]
    rows.append(("Came in", words.money(sides["total_in"]), ""))
    rows.append(("", "", ""))
    rows += [(text, words.money(cents), "") for text, cents in sides["went"]]
    rows.append(("Went out or is held", words.money(sides["total_out"]), ""))
    note = "every cent accounted for" if sides["difference"] == 0 else "THE CASH DOES NOT RECONCILE"
    rows.append(("Difference", words.money(sides["difference"]), note))
    totals = ("Came in", "Went out or is held", "Difference")
    return [heading("Cash", "from borrowers to everyone who was paid"), figures(rows, totals)]


def _delinquency(buckets: dict[str, Any]) -> list[RenderableType]:
    active = buckets.get("loans_active", 0)
    if not active:
        return []
    rows = [
        (text, words.count(buckets.get(key, 0)), words.percent(buckets.get(key, 0) / active, 2))
        for key, text in words.DELINQUENCY
    ]
    return [heading("Delinquency", f"of {active:,} loans at the end of the last month"), figures(rows)]


def _lenders(lenders: dict[str, Any]) -> list[RenderableType]:
    if not lenders:
        return []
    rows = [
        ("Watched", words.count(lenders.get("watched")), "serious defaults against the rate of peers with a like mix"),
        ("No longer bought from", words.count(lenders.get("stopped")), ""),
        ("Sales refused for that", words.count(lenders.get("sales_refused")), ""),
    ]
    return [heading("Lenders"), figures(rows)]


def promises(rows: list[dict[str, Any]] | None, head: str | None) -> list[RenderableType]:
    """The promises with their number of facts, and the first fact that breaks one."""
    if not rows:
        return []
    kept = sum(1 for row in rows if row["ok"])
    shown = [
        (
            row["id"],
            row["name"],
            plain("holds", "green") if row["ok"] else plain("FAILS", "bold red"),
            words.count(row["checked"]),
            "" if row["ok"] else words.shown("", row.get("first_failure")),
        )
        for row in rows
    ]
    broken = kept < len(rows)
    names = ("", "Promise", "", "Facts checked", "First failure" if broken else "")
    parts: list[RenderableType] = [heading("Promises", f"{kept} of {len(rows)} hold"), table(names, shown, (0, 3))]
    if head:
        parts.append(plain(f"  Event head, to be kept elsewhere; it proves this book unchanged:\n  {head}", "dim"))
    return parts


def _findings(findings: list[dict[str, Any]]) -> list[RenderableType]:
    rank = {"error": 0, "warning": 1, "info": 2}
    ordered = sorted(findings, key=lambda f: (rank.get(f.get("severity", ""), 3), -f.get("count", 1)))
    rows = [
        (f.get("severity", ""), f.get("step", ""), words.count(f.get("count", 1)), f.get("message", ""))
        for f in ordered[:MOST_FINDINGS]
    ]
    if not rows:
        return []
    left = len(findings) - len(rows)
    note = f"{left} more with --json" if left > 0 else ""
    return [heading("Findings in the data", note), table(("", "Step", "Times", "What"), rows, right=(2,))]


def _ground(answer: dict[str, Any]) -> list[RenderableType]:
    """What the figures rest on."""
    overrides = [(o["name"], f"{o['value']} until {o['until']}: {o['why']}") for o in answer.get("overrides", [])]
    assumed = [assumption(a) for a in answer.get("assumptions", [])]
    parts: list[RenderableType] = []
    if overrides:
        parts += [heading("Overridden in this edition"), facts(overrides)]
    if assumed:
        parts += [heading("Assumed, not found in any source", "--json says what each means"), facts(assumed)]
    return parts


def assumption(item: Any) -> tuple[str, str]:
    """An assumption as (name, values and unit), on one line."""
    if not isinstance(item, dict):
        return "", str(item)
    text = " ".join(f"{words.spelled(item.get('value', item.get('values', '')))} {item.get('unit', '')}".split())
    return item.get("name", ""), text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"


def _next(answer: dict[str, Any], book: str) -> list[RenderableType]:
    tries = [
        (f"poolhouse report --book {book} --html report.html", "the same as a page with pictures"),
        (f"poolhouse lenders --book {book}", "who made the loans, and how they do"),
        (f"poolhouse loan {answer.get('example_loan', 'NUMBER')} --book {book}", "one loan's whole life"),
        (f"poolhouse verify --book {book}", "check every promise again"),
    ]
    if "html" in answer:
        tries[0] = (answer["html"], "the page: open it in a browser")
    return [heading("Next"), facts(tries)]
