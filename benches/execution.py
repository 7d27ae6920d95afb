"""Best execution measured: time, proven gap and gain, beside loan-by-loan greedy and the plain MILP in the same time.

`python -m benches.execution [tape|desk] [--seconds 60] [--sizes 1000,5000,50502] [--seeds 1,2,3] [--no-plain]`: a line
of JSON for each instance. `tape`: loans of the shipped tape under pools' rules; `desk`: a pricing engine's export of
3,500 loans, 448 pools and 46,000 offers under eighteen limits (`execution_instances`).
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from datetime import date
from typing import Any

import highspy
import numpy as np

from benches.execution_instances import Desk, desk
from poolhouse import loans, rules, standards
from poolhouse.execution.compile import compiled
from poolhouse.execution.linear import fixed_lines, highs, lines, load, tangents, target_lines
from poolhouse.execution.problem import Problem
from poolhouse.execution.solve import solve
from poolhouse.sale import pricing
from poolhouse.sale.choice import rules_of
from poolhouse.sale.choice.choosing import prepare
from poolhouse.sale.terms import Terms
from poolhouse.tables.codes import PROGRAMS

DAY = date(2010, 1, 1)
_SHARES = np.linspace(0.1, 0.9, 9)


def tape(size: int) -> tuple[Problem, float]:
    """Loans from all over the shipped tape as a problem, and the seconds from loans to problem."""
    book = rules.load()
    asked = loans.as_loans(loans.read_tape(loans.demo_tape()).tape)
    asked = asked.gather_every(max(asked.height // size, 1)).head(size)
    began = time.perf_counter()
    checks = standards.evaluate(asked, DAY, book, tuple(range(1, len(PROGRAMS))))
    offered = pricing.offers(asked, checks, pricing.model_sheet(DAY, book), DAY, book)
    problem = prepare(asked, offered, rules_of(DAY, book), Terms(), DAY, book).problem
    return problem, time.perf_counter() - began


def measured(problem: Problem, seconds: float, *, plain: bool) -> dict[str, Any]:
    """Ours: sizes, seconds, proceeds, gap, gain over greedy (dollars, bp), peak memory; and the plain model's gap in
    as many seconds."""
    found = solve(problem, clock=time.monotonic, seconds=seconds)
    greedy = found.greedy_cents
    line = {
        "loans": problem.loans.height, "offers": problem.offers.height, "pools": problem.pools.height,
        "pools_used": found.pools_used, "seconds": round(found.seconds, 1), "proceeds": found.proceeds_cents / 100,
        "gap_pct": round(100 * found.gap, 6),
        "gain_over_greedy": None if greedy is None else (found.proceeds_cents - greedy) / 100,
        "gain_bp": None if greedy is None else round((found.proceeds_cents - greedy) / greedy * 1e4, 4),
        "peak_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2),
    }  # fmt: skip
    return line | (plain_model(problem, max(found.seconds, 1.0), found.bound_cents) if plain else {})


def plain_model(problem: Problem, seconds: float, best_bound_cents: int) -> dict[str, Any]:
    """The whole model with whole loans, handed to HiGHS as it is (a comparability's hill by nine tangents): its own
    gap, and its answer's against our bound. None: no answer in the time."""
    model = compiled(problem)
    body = fixed_lines(model).plus(target_lines(model, {}))
    bent = [row for c in model.compares if c.total for share in _SHARES for row in tangents(c, float(share))]
    solver = highs(time_limit=seconds, mip_rel_gap=0.0)
    load(solver, model, body.plus(lines(bent)) if bent else body, None, "all")
    began = time.perf_counter()
    solver.run()
    spent, info, best = time.perf_counter() - began, solver.getInfo(), float(model.best.sum()) / 100
    line: dict[str, Any] = {
        "plain_seconds": round(spent, 1),
        "plain_gap_pct": None,
        "plain_against_our_bound_pct": None,
    }
    if info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible:
        answer, bound = best - float(info.objective_function_value), best - float(info.mip_dual_bound)
        line["plain_gap_pct"] = round(100 * (bound - answer) / bound, 6)
        line["plain_against_our_bound_pct"] = round(
            100 * (best_bound_cents / 100 - answer) / (best_bound_cents / 100), 6
        )
    return line


def main() -> None:
    """Prints a line for each instance."""
    parser = argparse.ArgumentParser(prog="python -m benches.execution", description=__doc__)
    parser.add_argument("what", nargs="?", choices=["tape", "desk"], help="both unless given")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--sizes", default="1000,5000,10000,25000,50502")
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--no-plain", action="store_true", help="leave the plain model out")
    given = parser.parse_args()
    if given.what != "desk":
        for size in map(int, given.sizes.split(",")):
            problem, prepared = tape(size)
            line = measured(problem, given.seconds, plain=not given.no_plain)
            print(json.dumps({"tape": size, "prepared_seconds": round(prepared, 2), **line}), flush=True)
    if given.what != "tape":
        for seed in map(int, given.seeds.split(",")):
            line = measured(desk(Desk(seed=seed)), given.seconds, plain=not given.no_plain)
            print(json.dumps({"desk": seed, **line}), flush=True)


if __name__ == "__main__":
    main()
