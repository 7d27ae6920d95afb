"""The one-loan book: one lender, one loan, one pool, one holder, from January to July 2009.

A pool of one loan is below the programs' minimum and one investor takes at most its share of a security, so the
book runs under a rulebook with four numbers of its own; everything else is the edition's.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import kit_market as kit
from poolhouse import rules
from poolhouse.market.market import Market

GOLDEN = Path(__file__).parent / "golden"
LENDER = {"originator_type": "nonbank"}  # so that the loan is pledged to a warehouse bank until it is sold

OWN_NUMBERS: dict[str, Any] = {
    "pooling.min_pool_cents": 100_000_00,
    "sale.guaranty_fee_rate_e7": 25_000,  # the servicing guide's example
    "servicing.buyout_missed_instalments": 0,  # the example stays in its pool
    "investing.mandate": {
        "agency_only": False, "yield_margin_e7": 0, "speed_psa": 175, "risk_spread_e1": 5, "largest_share_e4": 10_000,
    },
}  # fmt: skip


@contextmanager
def own_numbers(numbers: dict[str, Any]) -> Iterator[None]:
    """Inside, commands run under the edition with these parameters overridden."""
    load = rules.load
    rows = tuple(
        {"name": name, "value": value, "until": date.max, "why": "a test's own"} for name, value in numbers.items()
    )

    def loaded(edition: str = rules.DEFAULT_EDITION) -> rules.Rulebook:
        book = load(edition)
        return replace(book, override_rows=(*rows, *book.override_rows))

    with mock.patch.object(rules, "load", loaded):
        yield


def script(name: str) -> ModuleType:
    """A script of tests/golden, imported."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, GOLDEN / f"{name}.py")
        assert spec is not None and spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


def payments(case: str, path: Path) -> Path:
    """What the borrower of a case sends, as a payments file: everything on the 10th."""
    one_loan = script("one_loan")
    sent = []
    for row in one_loan.follow(case):
        plan = one_loan.CASES[case][1].get(row["month"], one_loan.Plan())
        kinds = {"instalment": row["paid"] - plan.curtailment, "curtailment": plan.curtailment}
        if plan.payoff:
            kinds = {"payoff": row["paid"]}
        for kind, cents in kinds.items():
            if cents:
                day = f"2009-{row['month']:02d}-10"
                sent.append(("GUIDE-1", day, cents, kind, f"{case}-{row['month']}-{kind}"))
    empty = [dict.fromkeys(kit.PAYMENT_COLUMNS, "")] if not sent else []
    rows = [dict(zip(kit.PAYMENT_COLUMNS, s, strict=True)) for s in sent]
    return kit.write_rows(path, rows or empty)


def build(folder: Path, case: str) -> Market:
    """The book of one case, July closed."""
    tape = kit.write_rows(folder / "tape.csv", [{**kit.ONE_LOAN, **LENDER}])
    with own_numbers(OWN_NUMBERS):
        return kit.build(folder / "book", tape, 7, payments(case, folder / "payments.csv"))
