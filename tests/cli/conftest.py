"""A market that remembers what it was asked and answers as told, in place of the real one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import poolhouse
import sample_fit
import sample_report
from poolhouse.cli import shell
from poolhouse.market import check_tape, convert, execute, execute_offers, price, structure, value, value_loans

PRICED = {"loans": 2, "balance_cents": 100_000_00, "proceeds_cents": 102_617_50, "all_in_e6": 102_617_500,
          "all_in_32nds": "102-19.76"}  # fmt: skip

LAID_OVER = structure.structure(
    Path(__file__).parents[2] / "examples" / "deals" / "shifting.toml", speeds={"cpr": 15}
) | {
    "pool": {"pool_number": "P000057", "cusip": "990000572", "as_of": "2011-01-01"}, "history": [],
    "so_far": [
        {"class": "A", "original_cents": 100_000_000, "principal_cents": 9_000_000, "interest_cents": 400_000,
         "loss_cents": 0, "balance_cents": 91_000_000},
        {"class": "B6", "original_cents": 500_000, "principal_cents": 3_000, "interest_cents": 2_000,
         "loss_cents": 497_000, "balance_cents": 0},
    ],
}  # fmt: skip

ANSWERS: dict[str, Any] = {
    "structure": LAID_OVER,
    "report": sample_report.report(),
    "report_series": sample_report.series(),
    "verify": {
        "ok": True,
        "head": "ab" * 32,
        "promises": sample_report.report()["promises"],
    },
    "trace": {
        "paid_cents": 158_017,
        "split": [
            {"party": "Public pension (assumed)", "role": "investor", "account": "cash", "cents": 150_000},
            {"party": "First [bold]Bank[/bold]", "role": "servicer", "account": "cash", "cents": 8_017},
        ],
        "month": "2009-03",
    },
    "loan": {
        "loan": 1,
        "terms": {"loan_number": "X-1", "note_amount_cents": 25_000_000, "note_rate_e7": 687_500},
        "owners": [{"owner": "Fannie Mae", "effective_date": "2009-02-01"}],
        "notices": [],
        "pool": None,
        "security": {"cusip": "31400ABC1"},
        "servicers": [{"servicer": "First Bank", "effective_date": "2009-01-14"}],
        "months": [{"month": "2009-03", "paid_cents": 164_232, "last_paid_due_date": "2009-03-01"}] * 60,
    },
    "lookthrough": {"holder": "Public pension", "face_cents": 5, "securities": [{"name": "MA1", "face_cents": 5}]},
    "lenders": {"lenders": [{"lender": "First Bank", "loans": 12, "serious_defaults": 0, "state": "approved"}]},
    "repurchase": {"demands": 2, "rejected": 0},
    "commit": {"commitments": 1, "rejected": 0},
    "advice": {
        "months": ["2009-02"],
        "advices": [],
        "loans": 0,
        **dict.fromkeys(
            (
                "principal_cents",
                "premium_cents",
                "discount_cents",
                "purchase_interest_cents",
                "gross_cents",
                "line_payoff_cents",
                "net_wire_cents",
            ),
            0,
        ),
        "wires": [],
    },
    "rate_lender": {"lender": "First Bank", "state": "watch"},
    "convert": {
        "tape": "loans.csv",
        "layout": "freddie",
        "to": "uldd",
        "out": "loans.xml",
        "rows": 3,
        "loans": 2,
        "rejected": 1,
        "findings": [
            {
                "rule": "loans.note_day",
                "field": "note_date",
                "count": 2,
                "severity": "info",
                "message": "note day drawn: the tape has the month only: 2 loans",
            }
        ],
        "rejects": [
            {
                "row": 3,
                "loan_number": "F3",
                "field": "score",
                "source_field": "Credit Score",
                "value": "[9]",
                "reason": "is outside 300 to 850",
                "file": "tape",
            }
        ],
    },
    "check_tape": {
        "tape": "loans.csv",
        "as_of": "2026-12-01",
        "edition": "2026-11",
        "overrides": [],
        "overlays": ["[b]ours[/b]"],
        "loans": 3,
        "rejected": 1,
        "programs": {"fnma": {"eligible": 2, "not eligible": 1}},
        "best": {"eligible": 2, "not eligible": 1},
        "reasons": [{"program": "fnma", "rule": "max_dti", "outcome": "fails", "loans": 1, "meaning": "debt ratio"}],
        "unknown_versions": [{"program": "fnma", "rule": "max_dti", "loans": 1, "nearest": "2017-07-29"}],
        "filled": [{"field": "mi_pct", "loans": 1, "message": "mi_pct is empty, 0 assumed: 1 loan"}],
        "rejects": [{"row": 4, "field": "score", "value": "x", "reason": "no number"}],
        "evaluations": 75,
        "premiums": {"fha": {"loans": 1, "upfront_cents": 437_500, "first_year_cents": 137_500}},
        "seconds": {"read": 0.1, "judge": 0.1, "all": 0.2},
    },
    "execute_tape": {
        "tape": "loans.csv",
        "as_of": "2026-12-01",
        "edition": "2026-11",
        "overrides": [{"name": "pooling.min_pool_cents"}],
        "sheet": "model",
        "what_if": ["hold=no"],
        "commitments": "[b]desk[/b].toml",
        "loans": 3,
        "rejected": 1,
        "proceeds_cents": 101_000_00,
        "bound_cents": 101_000_10,
        "greedy_proceeds_cents": 100_900_00,
        "best_alone_cents": 101_500_00,
        "gap": 1e-6,
        "gain_over_greedy": {"cents": 100_00, "bp": 9.91},
        "all_in_32nds": "101-00.00",
        "unsold": 1,
        "executions": [
            {
                "program": "fnma",
                "execution": "swap",
                "servicing": "kept",
                "loans": 2,
                "balance_cents": 100_000_00,
                "proceeds_cents": 101_000_00,
                "given_up_cents": 500_00,
                "all_in_32nds": "101-00.00",
            },
        ],
        "pools": [
            {
                "pool": "fnma 30y 6.0",
                "execution": "swap",
                "loans": 2,
                "balance_cents": 100_000_00,
                "min_cents": 100_000_000,
                "all_in_32nds": "101-00.00",
            },
        ],
        "promised": [
            {
                "id": "[b]T1[/b]",
                "kind": "trade",
                "amount_cents": 1_000_000_00,
                "delivered_cents": 999_950_00,
                "gain_cents": 1,
                "short_cents": 0,
                "pair_off_cents": 0,
                "good_millions": 1,
                "pieces": [{"pool": "fnma 30y 6.0", "face_cents": 999_950_00}],
            },
        ],
        "shadow_prices": [{"words": "one more $250,000 in fnma 30y 6.0 is worth $68.25"}],
        "explained": [{"words": "loan [b]7[/b]: fnma 30y 6.0"}],
        "unpriced": [{"reason": "no program's standards are met", "loans": 1}],
        "notes": [],
        "from_model": {"tables": [], "sections": []},
        "assumptions": [],
        "out": "chosen.csv",
        "seconds": {"prepare": 0.1, "solve": 0.2, "all": 0.3},
    },
    "execute_offers": {
        "proceeds_cents": 101_000_00,
        "bound_cents": 101_000_10,
        "gap": 1e-6,
        "greedy_proceeds_cents": 100_900_00,
        "gain_over_greedy": {"dollars": 100.0, "cents": 100_00, "bp": 9.91},
        "loans": 2,
        "pools_used": 1,
        "unassigned": 1,
        "offers": 3,
        "pools": 2,
        "balance_cents": 100_000_00,
        "best_without_limits_cents": 101_500_00,
        "chosen": {
            "agency": [
                {
                    "group": "[b]Fannie[/b]",
                    "loans": 1,
                    "balance_cents": 1,
                    "share": 1.0,
                    "proceeds_cents": 1,
                    "price_e6": 1,
                }
            ]
        },
        "used": [],
        "limits": [],
        "worth": ["one more $250,000 in [b]c3[/b] is worth $68.25"],
        "notes": ["limits.toml: c3: no offer has servicer = [b]X[/b]"],
        "rejected": [],
        "seconds": 1.0,
        "seconds_by_step": {"read": 0.1, "solve": 0.8, "tell": 0.1},
        "out": "assignment.csv",
    },
    "price_tape": {
        "tape": "loans.csv",
        "as_of": "2026-12-01",
        "edition": "2026-11",
        "overrides": [{"name": "pooling.min_pool_cents"}],
        "sheet": "[b]Monday[/b]",
        "what_if": ["gfee=46"],
        "loans": 3,
        "rejected": 1,
        "offers": 24,
        "priced": 2,
        "unpriced": [{"reason": "no program's standards are met", "loans": 1}],
        "best": [{"program": "fnma", "execution": "swap", "servicing": "kept", **PRICED}],
        "totals": PRICED,
        "notes": ["adjustments: a matrix"],
        "from_model": {"tables": ["cash"], "sections": ["hold"]},
        "assumptions": [],
        "out": "offers.csv",
        "seconds": {"read": 0.1, "check": 0.1, "price": 0.1, "all": 0.3},
    },
}
ANSWERS["price_loan"] = {
    **{
        name: ANSWERS["price_tape"][name]
        for name in ("as_of", "edition", "overrides", "sheet", "what_if", "notes", "from_model")
    },
    "loan": {"note_amount_cents": 40_000_000, "note_rate_e7": 687_500},
    "offers": [],
    "refused": [],
    "unpriced": ["no loan to value"],
    "closed": [{"program": "gnma", "open": False, "answer": "not eligible", "why": ["kind of loan"]}],
    "best": None,
    "second": None,
    "ahead_e6": None,
}
ANSWERS["value"] = value.value_pool(1e6, 6, 5.5, 2, speeds={"psa": 100}, price=101, rows=True)
ANSWERS["fit_prepayment"] = sample_fit.answer()
STEPS = ("close", "check", "sell", "pool", "issue", "trade", "transfer", "notify", "close_month")


class FakeMarket:
    """Answers every method of the market; `calls` keeps (name, positional, named)."""

    def __init__(self, calls: list[Any], replies: dict[str, Any]) -> None:
        self._calls, self._replies = calls, replies

    def __getattr__(self, name: str) -> Callable[..., dict[str, Any]]:
        def method(*positional: Any, progress: Any = None, **named: Any) -> dict[str, Any]:
            self._calls.append((name, positional, named))
            if progress is not None:
                for done in range(3):
                    progress(f"2009-0{done + 1} close-month", done, 2)
            reply = self._replies[name]
            if isinstance(reply, BaseException):
                raise reply
            return reply

        return method


class Terminal:
    """Runs command lines against the fake market and keeps what it was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.calls: list[Any] = []
        self.replies: dict[str, Any] = ANSWERS | {name: {"loans": 3} for name in STEPS}
        self.replies |= {"run": ANSWERS["report"], "demo": ANSWERS["report"]}
        self._capsys = capsys

        def fake_open(book: str, **options: Any) -> FakeMarket:
            self.calls.append(("open", (book,), options))
            return FakeMarket(self.calls, self.replies)

        monkeypatch.setattr(poolhouse, "open", fake_open)
        monkeypatch.setattr(convert, "convert", FakeMarket(self.calls, self.replies).convert)
        monkeypatch.setattr(execute, "execute_tape", FakeMarket(self.calls, self.replies).execute_tape)
        monkeypatch.setattr(execute_offers, "execute_offers", FakeMarket(self.calls, self.replies).execute_offers)
        monkeypatch.setattr(check_tape, "check_tape", FakeMarket(self.calls, self.replies).check_tape)
        self.replies["value_tape"] = ANSWERS["value"]
        monkeypatch.setattr(value_loans, "value_tape", FakeMarket(self.calls, self.replies).value_tape)
        for name in ("price_tape", "price_loan"):
            monkeypatch.setattr(price, name, getattr(FakeMarket(self.calls, self.replies), name))

    def __call__(self, *arguments: object) -> tuple[int, str, str]:
        """Exit code, stdout and stderr of one command line."""
        code = shell.run([str(a) for a in arguments])
        captured = self._capsys.readouterr()
        return code, captured.out, captured.err

    def json(self, *arguments: object) -> tuple[int, dict[str, Any]]:
        """Exit code and the one object on stdout; stderr must be silent."""
        code, out, err = self(*arguments, "--json")
        assert err == ""
        assert out.count("\n") == 1
        return code, json.loads(out)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(monkeypatch, capsys)
