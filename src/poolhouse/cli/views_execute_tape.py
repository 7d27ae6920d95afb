"""How a tape's best execution looks: what is chosen, pools, commitments, what rules cost, loans asked about."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType

from poolhouse.cli.grids import figures, heading, plain, table
from poolhouse.cli.views_price import ground_of, overridden
from poolhouse.web import words

Row = dict[str, Any]

_POOLS = 24
_WORTH = 12
_OUTLETS = {**words.PARTIES, "nonqm": "Non-QM conduit", "": "Held in portfolio"}


def execute(answer: Row) -> RenderableType:
    """A tape's best use, the figures that prove it first."""
    parts: list[RenderableType] = [*_title(answer), figures(_figures(answer)), *_executions(answer), *_pools(answer)]
    parts += [*_promised(answer), *_worth(answer), *_explained(answer)]
    if answer["unpriced"]:
        lines = [(row["reason"], words.count(row["loans"])) for row in answer["unpriced"]]
        parts += [heading("Loans without an outlet besides holding"), table(("Why", "Loans"), lines, right=(1,))]
    if "out" in answer:
        parts.append(plain(f"\n  Each loan, its pool and its second best: {answer['out']}"))
    return Group(*parts, *ground_of(answer))


def _title(answer: Row) -> list[RenderableType]:
    changed = f", what if {', '.join(answer['what_if'])}" if answer["what_if"] else ""
    agreed = f", terms {answer['commitments']}" if answer["commitments"] else ""
    edition = f"as of {answer['as_of']}, edition {answer['edition']}{overridden(answer)}"
    line = f"{edition}, sheet {answer['sheet']}{agreed}{changed}"
    return [plain("Best execution", "bold"), plain(f"  {line}\n", "dim")]


def _figures(answer: Row) -> list[tuple[str, str, str]]:
    gain, seconds = answer["gain_over_greedy"], answer["seconds"]
    bound = f"no plan brings more than {words.money(answer['bound_cents'])}"
    rows = [
        ("Loans", words.count(answer["loans"]), f"{words.count(answer['rejected'])} more rows rejected as unusable"),
        ("Proceeds", words.money(answer["proceeds_cents"]), f"{answer['all_in_32nds']} for 100 of balance"),
        ("Gap", f"{answer['gap']:.6%}", f"{bound}; found in {seconds['solve']:.1f} s"),
    ]
    if gain is None:
        rows.append(("Loan by loan", "none", "no plan made loan by loan kept every rule in its share of the time"))
    else:
        said = f"{gain['bp']:.3f} bp more than {words.money(answer['greedy_proceeds_cents'])} loan by loan"
        rows.append(("Gain", words.money(gain["cents"]), said))
    given_up = answer["best_alone_cents"] - sum(row["proceeds_cents"] for row in answer["executions"])
    rows.append(("Given up", words.money(given_up), "against each loan's best offer, had no rule stood in the way"))
    if answer["unsold"]:
        rows.append(("Not placed", words.count(answer["unsold"]), "loans without any offer"))
    return rows


def _executions(answer: Row) -> list[RenderableType]:
    rows = [
        (
            _OUTLETS[row["program"]], row["execution"] if row["program"] else "", row["servicing"],
            words.count(row["loans"]), words.money(row["balance_cents"]), words.money(row["proceeds_cents"]),
            row["all_in_32nds"], words.money(row["given_up_cents"]),
        )
        for row in answer["executions"]
    ]  # fmt: skip
    names = ("Outlet", "How", "Servicing", "Loans", "Balance", "Proceeds", "32nds", "Given up")
    return [heading("Chosen", "given up: against each loan's own best offer"), table(names, rows, right=range(3, 8))]


def _pools(answer: Row) -> list[RenderableType]:
    swaps = [row for row in answer["pools"] if row["execution"] == "swap"]
    if not swaps:
        return []
    rows = [
        (
            row["pool"], words.count(row["loans"]), words.money(row["balance_cents"]),
            words.money(row["min_cents"]) if row["min_cents"] else "", row["all_in_32nds"],
        )
        for row in swaps[:_POOLS]
    ]  # fmt: skip
    note = "largest first" if len(swaps) <= _POOLS else f"the {_POOLS} largest; --json has all"
    names = ("Pool", "Loans", "Balance", "Smallest", "32nds")
    return [heading(f"{words.count(len(swaps))} pools", note), table(names, rows, right=range(1, 5))]


def _promised(answer: Row) -> list[RenderableType]:
    if not answer["promised"]:
        return []
    rows = [
        (
            row["id"], row["kind"], words.money(row["amount_cents"]), words.money(row["delivered_cents"]),
            words.money(row["gain_cents"]), words.money(row["short_cents"]), words.money(row["pair_off_cents"]),
            _pieces(row),
        )
        for row in answer["promised"]
    ]  # fmt: skip
    names = ("Id", "Kind", "Amount", "Delivered", "Against the sheet", "Short", "Pair-off", "From")
    return [heading("Commitments and trades"), table(names, rows, right=range(2, 7))]


def _pieces(row: Row) -> str:
    if "pieces" not in row:
        return ""
    pools = ", ".join(piece["pool"] for piece in row["pieces"])
    return f"{pools}; {words.count(row['good_millions'])} millions good delivery" if pools else ""


def _worth(answer: Row) -> list[RenderableType]:
    shown = answer["shadow_prices"]
    if not shown:
        return []
    rows = [(row["words"],) for row in shown[:_WORTH]]
    note = "dearest first" if len(shown) <= _WORTH else f"the {_WORTH} dearest of {words.count(len(shown))}"
    return [heading("What the rules that bind cost", note), table(("One step more",), rows)]


def _explained(answer: Row) -> list[RenderableType]:
    return [plain(f"\n  {row['words']}") for row in answer["explained"]]
