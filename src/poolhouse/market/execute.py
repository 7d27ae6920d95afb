"""execute: the best use of a whole tape under pools' rules and a desk's agreements, outside any book."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from poolhouse import loans
from poolhouse.findings import Refused
from poolhouse.loans.closing import as_loans
from poolhouse.market.price import average, ground, heading, named, prices_of, refuse_form, unpriced, write
from poolhouse.market.standards import chosen, text_of
from poolhouse.market.worth import shadow_prices
from poolhouse.money import dollars
from poolhouse.rules import Rulebook
from poolhouse.sale import pricing
from poolhouse.sale.choice import Choice, Rules, choose, rules_of, with_rule
from poolhouse.sale.pricing.waterfall import thirty_seconds
from poolhouse.sale.terms import Terms, read_terms
from poolhouse.standards import evaluate
from poolhouse.tables.codes import PROGRAMS

Answer = dict[str, Any]
_BP = 10_000
DEFAULT_SECONDS = 60.0
DEFAULT_GAP = 1e-5


def execute_tape(
    tape: str | Path, mapping: str | Path | None = None, *, as_of: str | date | None = None,
    edition: str | None = None, sheet: str | Path | None = None, commitments: str | Path | None = None,
    what_if: Sequence[str] = (), explain: Sequence[str] = (), out: str | Path | None = None,
    seconds: float = DEFAULT_SECONDS, gap: float = DEFAULT_GAP,
) -> Answer:  # fmt: skip
    """Chooses for every loan of a tape program, execution, coupon and servicing, so that all proceeds are the highest.

    `commitments`: a desk's terms (docs/execution.md). `what_if`: key=value, of the rules or the sheet. `explain`: loan
    numbers to tell about. `out`: a row for each loan, as .csv, .parquet or .json. `seconds`: of the search at most;
    `gap`: share of the bound that ends it.

    Keys: tape, as_of, edition, sheet, what_if, settlement_date, commitments, loans, rejected, proceeds, bound,
    greedy_proceeds (dollars; with _cents exact; greedy null where it found nothing), gap, gain_over_greedy, best_alone,
    executions, pools, pools_used, promised, shadow_prices, explained, unsold, unpriced, limits, notes, assumptions,
    seconds, out. Refused where the limits can't hold together, or no loan has an offer.
    """
    began = time.perf_counter()
    refuse_form(out)
    asked = _asked(tape, mapping, as_of, edition, sheet, commitments, what_if)
    prepared = time.perf_counter()
    choice = choose(
        asked.loans, asked.offered, asked.rules, asked.terms, asked.as_of, asked.rulebook,
        clock=time.monotonic, seconds=seconds, gap=gap,
    )  # fmt: skip
    solved = time.perf_counter()
    answer = {
        "tape": str(tape), **heading(asked.as_of, asked.rulebook, asked.prices, what_if),
        "commitments": None if commitments is None else str(commitments),
        "loans": asked.loans.height, "rejected": asked.rejected,
        **_totals(choice), "executions": _executions(choice.chosen), "pools": _pools(choice.pools),
        "pools_used": choice.pools.filter(pl.col("execution") == "swap").height,
        "promised": choice.promised, "shadow_prices": shadow_prices(choice.solution.shadow),
        "explained": [_explained(choice, asked.loans, number) for number in explain],
        "unsold": choice.unsold.len(), "unpriced": asked.unpriced, "limits": _limits(asked.rules, asked.terms),
        **ground(asked.as_of, asked.rulebook, asked.prices),
    }  # fmt: skip
    if out is not None:
        write(_lines(choice, asked.loans), Path(out))
        answer["out"] = str(out)
    spent = {"prepare": prepared - began, "solve": solved - prepared, "all": time.perf_counter() - began}
    return answer | {"seconds": {name: round(value, 3) for name, value in spent.items()}}


@dataclass(frozen=True)
class _Asked:
    """All that the choice is made from."""

    loans: pl.DataFrame
    offered: pl.DataFrame
    rules: Rules
    terms: Terms
    as_of: date
    rulebook: Rulebook
    prices: pricing.Sheet
    rejected: int
    unpriced: list[Answer]


def _asked(
    tape: str | Path, mapping: str | Path | None, as_of: str | date | None, edition: str | None,
    sheet: str | Path | None, commitments: str | Path | None, what_if: Sequence[str],
) -> _Asked:  # fmt: skip
    standards = chosen((), (), edition)
    read = loans.read_tape(tape, text_of(mapping, "mapping") if mapping is not None else None)
    asked = as_loans(read.tape)
    of_rules = [change for change in what_if if with_rule(_NO_RULES, change) is not None]
    of_sheet = [change for change in what_if if change not in of_rules]
    day, prices = prices_of(as_of, sheet, of_sheet, standards.rulebook, asked)
    rules = rules_of(day, standards.rulebook)
    for change in of_rules:
        rules = with_rule(rules, change) or rules
    variance = standards.rulebook.get("pooling.tba_variance_e6", day)
    terms = Terms()
    if commitments is not None:
        terms = read_terms(text_of(commitments, "commitments"), Path(commitments).name, variance)
    checks = evaluate(asked, day, standards.rulebook, standards.programs)
    offered = pricing.offers(asked, checks, prices, day, standards.rulebook, hold=rules.hold)
    return _Asked(
        asked, offered, rules, terms, day, standards.rulebook, prices, read.rows - asked.height,
        unpriced(asked, checks, offered, prices, standards.rulebook),
    )  # fmt: skip


_NO_RULES = Rules({}, {}, 0, 0)


def _totals(choice: Choice) -> Answer:
    """Proceeds, what no plan exceeds, and what loan by loan would bring."""
    greedy = choice.greedy_cents
    gain = None
    if greedy is not None:
        gain = {"cents": choice.proceeds_cents - greedy, "bp": (choice.proceeds_cents - greedy) / greedy * _BP}
    cents = {
        "proceeds": choice.proceeds_cents, "bound": choice.bound_cents, "greedy_proceeds": greedy,
        "best_alone": choice.solution.best_cents,
    }  # fmt: skip
    exact = {f"{name}_cents": value for name, value in cents.items()}
    balance = int(choice.chosen["balance_cents"].sum())
    return {
        **{name: None if value is None else value / 100 for name, value in cents.items()}, **exact,
        "gap": choice.gap, "gain_over_greedy": gain, "balance_cents": balance,
        **average({"balance_cents": balance, "proceeds_cents": choice.proceeds_cents}),
    }  # fmt: skip


def _executions(lines: pl.DataFrame) -> list[Answer]:
    sums = lines.group_by("program", "execution", "servicing").agg(
        pl.len().alias("loans"), pl.col("balance_cents").sum(), pl.col("proceeds_cents").sum(),
        (pl.col("best_cents") - pl.col("proceeds_cents")).sum().alias("given_up_cents"),
    )  # fmt: skip
    rows = sums.sort("program", "execution", "servicing").to_dicts()
    return [{**row, "program": PROGRAMS[row["program"]], **average(row)} for row in rows]


def _pools(pools: pl.DataFrame) -> list[Answer]:
    rows = pools.sort("proceeds_cents", "pool", descending=[True, False]).to_dicts()
    return [{**row, "program": PROGRAMS[row["program"]], **average(row)} for row in rows]


def _explained(choice: Choice, asked: pl.DataFrame, number: str) -> Answer:
    """Why a loan goes where it goes. Refused for a number that isn't on the tape."""
    row = asked.filter(pl.col("loan_number") == number)
    if row.is_empty():
        raise Refused(f"loan {number!r} is not on the tape: give its loan number as it stands there")
    found = choice.chosen.filter(pl.col("loan_id") == row["loan_id"][0])
    if found.is_empty():
        return {"loan_number": number, "pool": None, "words": f"loan {number}: no outlet takes it"}
    line = found.to_dicts()[0]
    given_up = line["best_cents"] - line["proceeds_cents"]
    text = f"loan {number}: {line['pool']} at {thirty_seconds(line['all_in_e6'])}, {dollars(line['proceeds_cents'])}"
    if given_up:
        text += f", {dollars(given_up)} less than its best offer alone, which the pools' rules or others' claims close"
    if line["second"] is not None:
        text += f"; next {line['second']}, {dollars(line['behind_cents'])} behind"
    return {
        "loan_number": number, **{name: line[name] for name in _TOLD}, "program": PROGRAMS[line["program"]],
        "given_up_cents": given_up, "words": text,
    }  # fmt: skip


_TOLD = (
    "pool", "execution", "servicing", "coupon_rate_e7", "all_in_e6", "balance_cents", "proceeds_cents", "best_cents",
    "second", "behind_cents",
)  # fmt: skip


def _lines(choice: Choice, asked: pl.DataFrame) -> pl.DataFrame:
    """A row for each loan for a file."""
    given_up = (pl.col("best_cents") - pl.col("proceeds_cents")).alias("given_up_cents")
    frame = choice.chosen.drop("row", "number", "days", "commitment").with_columns(given_up)
    first = named(frame, asked)
    return first.select("loan_number", "pool", pl.exclude("loan_number", "pool"))


def _limits(rules: Rules, terms: Terms) -> Answer:
    """The rules that the choice keeps, as numbers."""
    return {
        "min_pool_cents": {
            f"{PROGRAMS[program]} {series}": least for (program, series), least in rules.min_pool_cents.items()
        },
        "high_balance_max_e4": {PROGRAMS[program]: most for program, most in rules.high_max_e4.items()},
        "nonstandard_max_e4": rules.nonstandard_max_e4,
        "nonstandard_all_max_e4": rules.nonstandard_all_max_e4,
        "approvals": list(terms.approvals),
        "caps_cents": dict(terms.caps_cents),
        "hold_limit_cents": terms.hold_limit_cents,
        "line_limit_cents": terms.line_limit_cents,
    }  # fmt: skip
