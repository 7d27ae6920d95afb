"""Checks the hand-worked table against the published example, its own conservation and its written files."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
_spec = importlib.util.spec_from_file_location("one_loan", HERE / "one_loan.py")
assert _spec is not None and _spec.loader is not None
one_loan = importlib.util.module_from_spec(_spec)
sys.modules["one_loan"] = one_loan
_spec.loader.exec_module(one_loan)


def column(case: str, name: str) -> list[int]:
    return [row[name] for row in one_loan.follow(case)]


def test_nothing_collected_matches_the_servicing_guide_example() -> None:
    """Fannie Mae Servicing Guide, scheduled/scheduled: $250,000, 6.5%, pass-through 6.0%, instalment 1,580.17."""
    assert one_loan.PAYMENT == 158_017
    assert column("b", "due_to_trust") == [147_600, 147_610, 147_619, 147_629, 147_638]
    assert column("b", "investor_interest")[:4] == [125_000, 124_887, 124_773, 124_659]
    assert column("b", "scheduled_principal")[:4] == [22_600, 22_723, 22_846, 22_970]
    assert column("b", "guaranty_fee")[:4] == [5_208, 5_204, 5_199, 5_194]
    trust_money = [a - f for a, f in zip(column("b", "advanced"), column("b", "guaranty_fee"), strict=True)][:4]
    assert sum(trust_money) == 590_458
    assert column("b", "advanced")[4] == 0
    assert column("b", "guarantor_advanced") == [0, 0, 0, 0, 147_638]
    assert column("b", "guaranty_relief") == [0, 0, 0, 0, 5_189]


def test_the_loan_after_four_instalments_matches_the_liquidation_example() -> None:
    """The Guide's third-party sale example starts from a balance of 249,088.61, and 1,245.44 of interest."""
    assert column("a", "closing_actual")[3] == 24_908_861
    assert column("a", "investor_interest")[4] == 124_544


def test_payoff_on_the_tenth() -> None:
    """Checked by hand: 249,546.77 + 1,351.71 + 249,546.77 x 6.5% x 9/365 = 399.96."""
    may, june = one_loan.follow("c")[2:]
    assert may["paid"] == 24_954_677 + 135_171 + 39_996
    assert (may["pending_unscheduled"], may["pending_interest"]) == (24_931_831, 39_996)
    assert june["shortfall"] == 124_659 + 5_194 - 39_996
    assert (june["holder_principal"], june["holder_interest"], june["factor_e8"]) == (24_931_831, 124_659, 0)


def test_curtailment_pays_a_full_month_of_interest_to_the_holder() -> None:
    may = one_loan.follow("d")[2]
    assert may["unscheduled_principal"] == 500_000
    assert may["holder_interest"] == column("a", "holder_interest")[2]
    assert may["shortfall"] == 2_604  # 5,000 at 6.25% for a month


@pytest.mark.parametrize("case", list(one_loan.CASES))
def test_every_cent_that_comes_in_goes_out(case: str) -> None:
    """Sources of all months = uses + what is still held at the end."""
    rows = one_loan.follow(case)
    total = {name: sum(row[name] for row in rows) for name in one_loan.COLUMNS[2:]}
    sources = total["paid"] + total["advanced"] + total["guarantor_advanced"] + total["shortfall"]
    fee_paid = total["guaranty_fee"] - total["guaranty_relief"]
    uses = total["due_to_trust"] + fee_paid + total["servicer_kept"] + total["recovered"]
    held = rows[-1]["pending_unscheduled"] + rows[-1]["pending_interest"]
    assert sources == uses + held


@pytest.mark.parametrize("case", list(one_loan.CASES))
def test_holders_get_what_the_trust_gets(case: str) -> None:
    for row in one_loan.follow(case):
        assert row["holder_principal"] + row["holder_interest"] == row["due_to_trust"]
        assert row["scheduled_interest"] == row["investor_interest"] + row["guaranty_fee"] + row["servicing_fee"]


@pytest.mark.parametrize("case", list(one_loan.CASES))
def test_scheduled_is_actual_less_principal_advanced_plus_principal_prepaid(case: str) -> None:
    advanced = 0
    for row in one_loan.follow(case):
        if row["advanced"] or row["guarantor_advanced"]:
            advanced += row["scheduled_principal"]
        elif case == "e" and row["recovered"]:
            advanced = 0
        assert row["closing_scheduled"] == row["closing_actual"] - advanced + row["pending_unscheduled"]


def test_the_written_tables_are_the_scripts_own() -> None:
    assert (HERE / "one_loan.csv").read_text(encoding="utf-8") == one_loan.as_csv()
    assert (HERE / "one_loan.md").read_text(encoding="utf-8") == one_loan.as_markdown()
