"""Every computed cure, applied: the loan no longer fails the rule, and with a dollar, a point or a basis point less of
it, it still does. Over the real tape's loans, their facts drawn anew around the limits."""

from __future__ import annotations

import re
from datetime import date
from fractions import Fraction
from math import ceil
from typing import Any

import numpy as np
import polars as pl
import pytest

from poolhouse.loans import demo_tape, read_tape
from poolhouse.loans.closing import as_loans
from poolhouse.rules import load
from poolhouse.standards import CODES, evaluate, explain, rules_of
from poolhouse.tables import LOANS

DAY = date(2026, 12, 1)
SEEDS = (1, 2, 3)
PROGRAMS = tuple(CODES.values())
SPREAD: dict[str, list[Any]] = {
    "kind": ["conventional", "conventional", "fha", "va", "usda"],
    "purpose": ["purchase", "limited_cash_out", "cash_out"],
    "occupancy": ["principal", "principal", "second_home", "investment"],
    "units": [1, 1, 2, 3, 4],
    "property_type": ["detached", "manufactured", "condo"],
    "term_months": [180, 240, 360, 361, 480],
    "score": [499, 560, 619, 640, 655, 700, 760],
    "dti_e4": [None, 3_000, 3_601, 4_317, 4_501, 5_001, 5_212, 5_691],
    "income_cents": [None, 4_812_345, 10_000_000, 12_345_600],
    "mi_pct": [0, 5, 6, 12, 16, 25],
    "cltv_e4": [None, 8_003, 9_512, 9_708, 10_511],
    "community_second": [None, False, True],
    "underwriting": ["du", "lpa", "manual", ""],
    "affordable": ["", "homeready", "hfa"],
    "documentation": ["", "full", "bank_statement", "dscr"],
    "first_time_buyer": [None, False, True],
    "contributions_e4": [None, 0, 250, 317, 950],
    "reserves_months": [None, 0, 5, 6, 12],
    "title_months": [None, 3, 6],
    "apr_e7": [None, 700_000, 899_999, 1_123_456],
    "apor_e7": [600_000],
    "points_and_fees_cents": [None, 100_000, 765_432, 2_000_001],
    "ami_ratio_e4": [None, 7_950, 8_001, 11_512],
    "residual_income_cents": [None, 38_211, 90_000, 150_000],
    "household_size": [None, 1, 4, 8],
    "va_use": ["", "first", "later", "exempt"],
    "va_entitlement_cents": [None, None, 3_612_345, 9_000_001],
    "late_30_12m": [None, 0, 1, 3],
    "dscr_e4": [None, 9_117, 10_000],
    "state": ["OH", "CA", "NY", "AK", "TX"],
    "county_fips": [None, "39037", "06037"],
}
"""What each fact is drawn from: around limits, odd on purpose."""
FEES = [0, 0, 175, 230, 331, 360]
"""Financed fee over base loan, e4."""


@pytest.fixture(scope="module")
def tape() -> pl.DataFrame:
    """Real loans, a thousand of them, with notes of 2026."""
    rows = as_loans(read_tape(demo_tape()).tape)
    return rows.gather_every(rows.height // 1_000).with_columns(
        note_date=pl.lit(date(2026, 10, 14)),
        first_due_date=pl.lit(date(2026, 12, 1)),
        imputed_flags=pl.lit(0, pl.Int64),
    )


def drawn(tape: pl.DataFrame, seed: int) -> pl.DataFrame:
    """The loans with facts drawn anew; amounts anywhere up to $1.7 million, ratios cut off as a tape's are."""
    draw = np.random.default_rng(seed)
    count = tape.height
    facts = {
        k: pl.Series(k, [v[i] for i in draw.integers(0, len(v), count)], LOANS.schema[k]) for k, v in SPREAD.items()
    }
    value = draw.integers(9_000_000, 170_000_000, count)
    ratio = draw.choice([5_000, 7_501, 8_000, 8_240, 9_137, 9_651, 9_701, 10_250], count) + draw.integers(0, 3, count)
    base = value * ratio // 10_000
    fee = base * draw.choice(FEES, count) // 10_000
    amount = base + fee
    return tape.with_columns(
        **facts,
        score_mid=facts["score"].alias("score_mid"),
        value_cents=pl.Series(value),
        note_amount_cents=pl.Series(amount),
        financed_fee_cents=pl.Series(fee),
        ltv_e4=pl.Series(amount * 10_000 // value, dtype=pl.Int32),
    )


def cents(text: str) -> int:
    return round(Fraction(text.replace("$", "").replace(",", "")) * 100)


def less_loan(row: dict[str, Any], by: int) -> dict[str, Any]:
    """The loan made smaller by `by` cents: fee in proportion, ratios as they then are, rounded up."""
    left = Fraction(row["note_amount_cents"] - by, row["note_amount_cents"])
    changed = {
        "note_amount_cents": row["note_amount_cents"] - by,
        "financed_fee_cents": int(row["financed_fee_cents"] * left),
        "ltv_e4": ceil(Fraction(row["note_amount_cents"] - by, row["value_cents"]) * 10_000),
    }
    if row["cltv_e4"] is not None:
        changed["cltv_e4"] = ceil(row["cltv_e4"] - Fraction(by * 10_000, row["value_cents"]))
    return changed


def ratio_of(row: dict[str, Any], income: int, payments: int) -> dict[str, Any]:
    """Income more a year, payments less a month, in cents."""
    debts = Fraction(row["dti_e4"] * row["income_cents"], 10_000) - 12 * payments
    return {"dti_e4": ceil(debts * 10_000 / (row["income_cents"] + income))}


Change = dict[str, Any]
DOLLAR = 100
WITHOUT_FEE = {"fha_ltv", "va_ltv", "usda_ltv"}
"""Judged by a ratio that is worked out from the stated one, and so cut off twice: a cure is exact to two e4 of it."""


def applied(row: dict[str, Any], rule: str, field: str, cure: str) -> list[tuple[Change, Change | None]]:
    """Each way out of a cure as changes of the loan, and the same with one unit less (None: not to be asked)."""
    if found := re.fullmatch(r"(\S+) less loan(?:, or MI of (\d+)%.*)?", cure):
        by = cents(found[1])
        short = by - (row["note_amount_cents"] // 5_000 if rule in WITHOUT_FEE else DOLLAR)
        ways: list[tuple[Change, Change | None]] = [(less_loan(row, by), less_loan(row, short))]
        return [*ways, ({"mi_pct": int(found[2])}, None)] if found[2] else ways
    if found := re.fullmatch(r"(\d+) points more", cure):
        up = row["score"] + int(found[1])
        return [({"score": up, "score_mid": up}, {"score": up - 1, "score_mid": up - 1})]
    if found := re.fullmatch(r"income of (\S+) more a year or payments of (\S+) less a month", cure):
        more, less = cents(found[1]), cents(found[2])
        return [
            (ratio_of(row, more, 0), ratio_of(row, more - DOLLAR, 0)),
            (ratio_of(row, 0, less), ratio_of(row, 0, less - DOLLAR)),
        ]
    if found := re.fullmatch(r"debt payments of ([\d.]+)% of income less", cure):
        down = row["dti_e4"] - int(Fraction(found[1]) * 100)
        return [({"dti_e4": down}, {"dti_e4": down + 1})]
    if found := re.fullmatch(r"(\S+) less of points and fees", cure):
        down = row["points_and_fees_cents"] - cents(found[1])
        return [({"points_and_fees_cents": down}, {"points_and_fees_cents": down + DOLLAR})]
    if found := re.fullmatch(r"an APR lower by (\d+) bp", cure):
        down = row["apr_e7"] - int(found[1]) * 1_000
        return [({"apr_e7": down}, {"apr_e7": down + 1_000})]
    if found := re.fullmatch(r"(\S+) more of down payment", cure):
        by = cents(found[1])
        return [({"note_amount_cents": row["note_amount_cents"] - by},
                 {"note_amount_cents": row["note_amount_cents"] - by + DOLLAR})]  # fmt: skip
    if found := re.fullmatch(r"(\S+) more of residual income a month", cure):
        up = row["residual_income_cents"] + cents(found[1])
        return [({"residual_income_cents": up}, {"residual_income_cents": up - DOLLAR})]
    if field == "financed_fee_rate_e7" and (found := re.fullmatch(r"(\d+) bp less", cure)):
        base = row["note_amount_cents"] - row["financed_fee_cents"]
        rate = Fraction(row["financed_fee_cents"], base) - Fraction(int(found[1]), 10_000)
        return [({"financed_fee_cents": int(base * rate), "note_amount_cents": base + int(base * rate)}, None)]
    if found := re.fullmatch(r"([\d.]+)(%| months|) (less|more)", cure):
        size = int(Fraction(found[1]) * (100 if found[2] == "%" else 1))
        up = row[field] + (size if found[3] == "more" else -size)
        return [({field: up}, {field: up - (1 if found[3] == "more" else -1)})]
    if found := re.fullmatch(r"(\S+) (less|more)", cure):
        up = row[field] + cents(found[1]) * (1 if found[2] == "more" else -1)
        return [({field: up}, {field: up - DOLLAR * (1 if found[2] == "more" else -1)})]
    return []


@pytest.mark.parametrize("seed", SEEDS)
def test_a_cured_loan_no_longer_fails_and_a_unit_less_is_no_cure(tape: pl.DataFrame, seed: int) -> None:
    asked, book = drawn(tape, seed), load()
    said = explain(evaluate(asked, DAY, book, PROGRAMS), asked, book, PROGRAMS).filter(pl.col("outcome") == "fails")
    rows = {row["loan_id"]: row for row in asked.rows(named=True)}
    cured, short, seen = [], [], set()
    for found in said.rows(named=True):
        for enough, less in applied(rows[found["loan_id"]], found["rule"], found["field"], found["cure"]):
            seen.add(found["rule"])
            about = (found["program"], found["rule"], found["loan_id"], found["cure"])
            cured.append((about, rows[found["loan_id"]] | enough))
            if less is not None:
                short.append((about, rows[found["loan_id"]] | less))
    assert len(seen) >= 24, seen
    assert not failing(cured), failing(cured)[:10]
    still = failing(short)
    assert len(still) == len(short), [about for about, _ in short if about not in still][:10]


def failing(changed: list[tuple[tuple[str, str, int, str], dict[str, Any]]]) -> list[tuple[str, str, int, str]]:
    """Of the changed loans those that still fail the rule they were changed for."""
    numbered = [row | {"loan_id": n} for n, (_, row) in enumerate(changed, start=1)]
    frame = LOANS.conform(pl.DataFrame(numbered, schema=LOANS.schema))
    checks = evaluate(frame, DAY, load(), PROGRAMS)
    masks = {(n, p): m for n, p, m in checks.select("loan_id", "program", "reasons").iter_rows()}
    bits = {(name, rule.name): 1 << rule.bit for name, code in CODES.items() for rule in rules_of(code)}
    return [
        about for n, (about, _) in enumerate(changed, start=1) if masks[n, CODES[about[0]]] & bits[about[0], about[1]]
    ]
