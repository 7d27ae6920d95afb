"""Standards as text: how a tape did, the rules in force as a table, what changed between two days."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType

from poolhouse.cli.grids import facts, figures, heading, indented, plain, table
from poolhouse.web import words

Row = dict[str, Any]

OUTCOMES = {
    "fails": ("Why loans are not eligible", "loans that fail the rule"),
    "undetermined": ("What could not be judged", "loans that lack what the rule needs"),
    "assumed": ("What was assumed", "loans that rest on it"),
}
MOST_UNKNOWN = 12


def check(answer: Row) -> RenderableType:
    """Program by answer, then the most frequent reasons of each kind."""
    head = f"{words.count(answer['loans'])} loans, delivered {answer['as_of']}"
    spoilt = f", {words.count(answer['rejected'])} rows of the tape can't be used" if answer["rejected"] else ""
    names = list(next(iter(answer["programs"].values())))
    rows = [[program, *(words.count(n) for n in found.values())] for program, found in answer["programs"].items()]
    rows.append([plain("Best answer", "bold"), *(words.count(answer["best"][name]) for name in names)])
    parts: list[RenderableType] = [
        plain(head + spoilt, "bold"),
        _terms(answer),
        table(["Program", *(name.capitalize() for name in names)], rows, right=range(1, len(names) + 1)),
    ]
    for outcome, (title, note) in OUTCOMES.items():
        found = [r for r in answer["reasons"] if r["outcome"] == outcome]
        if found:
            shown = [(r["program"], r["rule"], words.count(r["loans"]), r["meaning"]) for r in found]
            parts += [heading(title, note), table(("Program", "Rule", "Loans", "About"), shown, right=(2,))]
    known = (_unknown(answer["unknown_versions"]), _filled(answer["filled"]), _rejects(answer), _written(answer))
    return Group(*parts, *(part for found in known for part in found))


def _terms(answer: Row) -> RenderableType:
    """Edition, overrides and overlays: every answer says them."""
    overrides = [f"{o['name']} = {o['value']} until {o['until']}: {o['why']}" for o in answer["overrides"]]
    return facts(
        [
            ("Edition", answer["edition"]),
            ("Overrides", "; ".join(overrides) or "none"),
            ("Overlays", ", ".join(answer["overlays"]) or "none"),
        ]
    )


def _unknown(rows: list[Row]) -> list[RenderableType]:
    if not rows:
        return []
    shown = [
        (r["program"], r["rule"], words.count(r["loans"]), f"nearest is from {r['nearest']}")
        for r in sorted(rows, key=lambda r: -r["loans"])[:MOST_UNKNOWN]
    ]
    note = "loans dated before a rule's first known version, judged by the nearest"
    more = [indented(plain(f"... and {len(rows) - MOST_UNKNOWN} more: --json gives all", "dim"))]
    found = [heading("No version known", note), table(("Program", "Rule", "Loans", ""), shown, right=(2,))]
    return found + (more if len(rows) > MOST_UNKNOWN else [])


def _filled(rows: list[Row]) -> list[RenderableType]:
    """What the reader filled in: the answers rest on it."""
    shown = [(r["field"], words.count(r["loans"]), r["message"].rsplit(":", 1)[0]) for r in rows]
    found = [heading("What the reader filled in"), table(("Field", "Loans", ""), shown, right=(1,))]
    return found if shown else []


def _rejects(answer: Row) -> list[RenderableType]:
    rows = [(str(r["row"]), r["field"], r["value"], r["reason"]) for r in answer["rejects"]]
    return (
        [heading("Rows that can't be used"), table(("Row", "Field", "Value", "Why"), rows, right=(0,))] if rows else []
    )


def _written(answer: Row) -> list[RenderableType]:
    took = answer["seconds"]
    rate = answer["evaluations"] / took["judge"] / 1e6 if took["judge"] else 0.0
    said = [
        ("Rules judged", words.count(answer["evaluations"]), f"in {took['judge']:.2f} s, {rate:.1f} million a second")
    ]
    for kind, paid in answer["premiums"].items():
        upfront, year = words.money(paid["upfront_cents"]), words.money(paid["first_year_cents"])
        note = f"upfront, and {year} in the first year: {words.count(paid['loans'])} loans"
        said.append((f"Guarantee of {kind.upper()} costs", upfront, note))
    if "out" in answer:
        said.append(("Findings", words.count(answer["findings"]), f"in {answer['out']}"))
    return [heading("Done", f"{took['all']:.2f} s in all"), figures(said)]


def standards(answer: Row) -> RenderableType:
    """A table for each program: rule, for what, limit, since when, who says so."""
    parts: list[RenderableType] = [plain(f"Rules in force on {answer['as_of']}", "bold"), _terms(answer)]
    heads = ("Rule", "For", "Limit", "Source")
    for program in answer["programs"]:
        parts += [heading(program["title"], f"{program['name']}: {', '.join(program['kinds'])} loans"),
                  table(heads, _rows(program["rules"]))]  # fmt: skip
    if answer["fees"]:
        parts += [heading("Fees of the government programs"), table(heads, _rows(answer["fees"]))]
    return Group(*parts)


def _rows(rules: list[Row]) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for rule in rules:
        said = f"{rule['bit']} {rule['rule']}" if "bit" in rule else rule["rule"]
        meaning = f"{rule['meaning']} (only {rule['when']})" if rule.get("when") else rule["meaning"]
        source = ""
        for place, line in enumerate(rule["limits"]):
            cited = line["note"] + "; " if line["note"] else ""
            since = f"from {line['from']}, " if line["from"] else ""
            cited += f"{line['source']} ({since}{line['confidence']})"
            rows.append(
                (
                    said if place == 0 else "",
                    line["for"] or meaning,
                    line["value"],
                    "" if cited == source else cited,
                )
            )
            source = cited
    return rows


def diff(answer: Row) -> RenderableType:
    """A line for each value that differs."""
    rows = [
        (c["rule"], c["for"], c["before"] or "unknown", c["after"] or "unknown",
         f"{c['source']} (from {c['from']}, {c['confidence']})")
        for c in answer["changes"]
    ]  # fmt: skip
    title = plain(f"Rules on {answer['before']} and on {answer['after']}", "bold")
    note = plain(f"edition {answer['edition']}: {len(rows)} values differ", "dim")
    body = table(("Rule", "For", str(answer["before"]), str(answer["after"]), "Source"), rows)
    return Group(title, indented(note), *([body] if rows else []))
