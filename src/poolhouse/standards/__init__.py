"""The aggregators' standards over columns of loans: who takes which loan, and why not.

`evaluate` answers for each loan and program; `explain` puts the answers into words with limit, value
and source; `summary` counts them. Numbers live in `rules/`; `RULES` lists the rules by their stored bit.
"""

from __future__ import annotations

from poolhouse.standards.catalogue import CODES, RULES, Program, program, rules_of
from poolhouse.standards.evaluation import evaluate
from poolhouse.standards.explanation import explain
from poolhouse.standards.summary import summary
from poolhouse.standards.verdict import Rule, Verdict

__all__ = [
    "CODES", "RULES", "Program", "Rule", "Verdict", "evaluate", "explain", "program", "rules_of", "summary",
]  # fmt: skip
