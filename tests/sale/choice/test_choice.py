"""Whole choices: by hand, by trying every assignment, and under each of a desk's agreements."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl
import pytest

from poolhouse.findings import Refused
from poolhouse.sale.choice import rules_of, with_rule
from poolhouse.tables.codes import FHLMC, FNMA, GNMA, NO_PROGRAM, PRIVATE
from sale.choice.choice_kit import BOOK, DAY, RULES, best_by_trying, cash, chosen, loans, offers, places


def held(loan_id: int, all_in_e6: int, **row: Any) -> dict[str, Any]:
    own = {"execution": "hold", "program": NO_PROGRAM, "coupon_rate_e7": None, "settlement_date": DAY}
    return {"loan_id": loan_id, "all_in_e6": all_in_e6} | own | row


def test_a_pool_that_does_not_fill_is_given_up_for_cash() -> None:
    about = loans({}, {}, {})
    three = [{"loan_id": i} for i in range(3)] + [cash(i, 100_900_000) for i in range(3)]
    choice = chosen(about, offers(*three))
    # Three times $300,000 don't make the million that Fannie Mae's smallest pool needs.
    assert set(places(choice).values()) == {"fnma cash 30y 6.625"}
    assert choice.proceeds_cents == choice.bound_cents == 3 * 302_700_00
    assert choice.solution.best_cents == 3 * 303_000_00


def test_a_loan_moves_to_fill_a_pool_where_that_pays_for_all() -> None:
    about = loans({}, {}, {}, {})
    rows = [{"loan_id": i} for i in range(4)] + [cash(i, 100_900_000) for i in range(3)] + [cash(3, 101_100_000)]
    choice = chosen(about, offers(*rows))
    # The fourth loan gives up $300 so that the others don't lose $900.
    assert set(places(choice).values()) == {"fnma 30y 6.0"}
    assert choice.proceeds_cents == 4 * 303_000_00
    given_up = choice.chosen.filter(pl.col("loan_id") == 3).select(pl.col("best_cents") - pl.col("proceeds_cents"))
    assert given_up.item() == 300_00


def test_high_balance_loans_above_a_tenth_go_to_their_own_pool_or_elsewhere() -> None:
    high = {"note_amount_cents": 900_000_00}
    about = loans(*[{} for _ in range(20)], high, high)
    rows: list[dict[str, Any]] = [{"loan_id": i} for i in range(20)]
    for i in (20, 21):
        rows += [{"loan_id": i, "balance_cents": 600_000_00}, cash(i, 100_800_000, balance_cents=600_000_00)]
    choice = chosen(about, offers(*rows))
    spots = places(choice)
    # One of them is 600,000 of 6,600,000, under 10%; both would be 16.7%. A pool of their own needs a million.
    assert sorted(spots[i] for i in (20, 21)) == ["fnma 30y 6.0", "fnma cash 30y 6.625"]
    wide = with_rule(RULES, "high_balance_share=20")
    assert wide is not None
    assert {places(chosen(about, offers(*rows), limits=wide))[i] for i in (20, 21)} == {"fnma 30y 6.0"}


def test_a_pool_of_high_balance_loans_pays_less_than_the_usual_contract() -> None:
    about = loans({"note_amount_cents": 900_000_00}, {"note_amount_cents": 900_000_00})
    choice = chosen(about, offers(*({"loan_id": i, "balance_cents": 900_000_00} for i in (0, 1))))
    assert set(places(choice).values()) == {"fnma 30y 6.0 high-balance"}
    assert choice.chosen["payup_e6"].to_list() == [-500_000] * 2
    assert choice.chosen["all_in_e6"].to_list() == [100_500_000] * 2
    assert choice.proceeds_cents == 2 * 904_500_00


def test_small_loans_paid_up_for_are_pooled_apart_or_without_the_payup() -> None:
    about = loans(*[{} for _ in range(8)])
    small = [
        {"loan_id": i, "balance_cents": 100_000_00, "all_in_e6": 101_750_000, "payup_e6": 750_000} for i in range(4)
    ]
    rows = small + [{"loan_id": i} for i in range(4, 8)]
    assert set(places(chosen(about, offers(*rows))).values()) == {"fnma 30y 6.0"}
    eased = with_rule(RULES, "pool_minimum=400,000")
    assert eased is not None
    spots = places(chosen(about, offers(*rows), limits=eased))
    assert {spots[i] for i in range(4)} == {"fnma 30y 6.0 specified +0.75"}


def test_one_note_rate_makes_a_ginnie_one_pool() -> None:
    about = loans(
        *[{"note_rate_e7": 650_000, "kind": "fha"} for _ in range(4)], {"kind": "fha", "note_rate_e7": 662_500}
    )
    choice = chosen(about, offers(*({"loan_id": i, "program": GNMA} for i in range(5))), limits=easy(400_000_00))
    spots = places(choice)
    assert {spots[i] for i in range(4)} == {"gnma I 30y 6.0"}
    assert choice.unsold.is_empty()
    assert spots[4] == "gnma II 30y 6.0"


def easy(least_cents: int) -> Any:
    """Ginnie II takes any pool, Ginnie I and the enterprises ask for so much."""
    least = dict.fromkeys(RULES.min_pool_cents, least_cents) | {(GNMA, "ginnie2"): 0}
    return replace(RULES, min_pool_cents=least)


def test_loans_too_old_for_a_pool_are_not_swapped() -> None:
    about = loans({"first_due_date": date(2025, 10, 1)}, {"first_due_date": date(2025, 11, 1)})
    rows = [{"loan_id": i, "balance_cents": 1_000_000_00} for i in (0, 1)]
    choice = chosen(about, offers(*rows, cash(0, 100_000_000)), limits=easy(0))
    assert places(choice) == {0: "fnma cash 30y 6.625", 1: "fnma 30y 6.0"}


def test_non_standard_loans_are_a_tenth_of_a_pool_each_kind_and_fifteen_hundredths_together() -> None:
    odd = [{"property_type": "coop"}, {"relocation": True}, {"buydown": True}]
    about = loans(*[{} for _ in range(10)], *odd, {"property_type": "coop"})
    rows: list[dict[str, Any]] = [{"loan_id": i} for i in range(10)]
    rows += [{"loan_id": i, "balance_cents": 250_000_00} for i in range(10, 14)]
    rows += [cash(i, 100_000_000 + i, balance_cents=250_000_00) for i in range(10, 14)]
    spots = places(chosen(about, offers(*rows)))
    inside = [i for i in range(10, 14) if spots[i] == "fnma 30y 6.0"]
    # 250,000 of 3,250,000 is 7.7%, two of a kind are 14.3%; two kinds of 3,500,000 are 14.3%, three 20%.
    assert len(inside) == 2
    assert inside != [10, 13]


@pytest.mark.parametrize("seed", range(40))
def test_no_assignment_brings_more(seed: int) -> None:
    draw = random.Random(seed)
    count = draw.randint(3, 6)
    about = loans(*({"note_amount_cents": draw.choice([200_000_00, 900_000_00])} for _ in range(count)))
    rows: list[dict[str, Any]] = []
    for i in range(count):
        balance = draw.randint(80_000_00, 700_000_00)
        price = draw.randint(99_000_000, 102_000_000)
        payup = draw.choice([0, 0, 250_000])
        for program in (FNMA, FHLMC):
            rows.append({"loan_id": i, "program": program, "balance_cents": balance, "payup_e6": payup,
                             "all_in_e6": price + draw.randint(-200_000, 200_000)})  # fmt: skip
        rows.append(cash(i, price - draw.randint(-50_000, 400_000), balance_cents=balance))
        rows.append(held(i, price - draw.randint(0, 900_000), balance_cents=balance))
    limits = replace(
        RULES,
        min_pool_cents=dict.fromkeys(RULES.min_pool_cents, draw.choice([0, 500_000_00, 1_000_000_00])),
        high_max_e4=dict.fromkeys(RULES.high_max_e4, draw.choice([1_000, 4_000, 10_000])),
    )
    terms = draw.choice(["", "[caps]\nfnma = 700000", "[desk]\nhold_limit = 400000", "[caps]\nfhlmc = 0"])
    most = best_by_trying(about, offers(*rows), terms, limits)
    assert most is not None
    choice = chosen(about, offers(*rows), terms, limits)
    assert choice.proceeds_cents == most == choice.bound_cents
    assert choice.greedy_cents is None or choice.greedy_cents <= most


def test_caps_and_the_hold_limit_move_the_loans_that_lose_least() -> None:
    about = loans({}, {}, {})
    rows = [{"loan_id": i, "balance_cents": 1_000_000_00, "all_in_e6": 101_000_000} for i in range(3)]
    rows += [held(i, 100_000_000 + i * 100_000, balance_cents=1_000_000_00) for i in range(3)]
    assert places(chosen(about, offers(*rows), "[caps]\nfnma = 2_000_000")) == {
        0: "fnma 30y 6.0", 1: "fnma 30y 6.0", 2: "held",
    }  # fmt: skip
    with pytest.raises(Refused, match=r"cap of fnma|held in portfolio"):
        chosen(about, offers(*rows), "[desk]\nhold_limit = 500_000\n[caps]\nfnma = 2_000_000")


def test_approvals_close_what_a_lender_may_not_sell_to() -> None:
    about = loans({})
    one = {"loan_id": 0, "balance_cents": 2_000_000_00}
    rows = [one, one | {"program": FHLMC, "all_in_e6": 99_000_000}]
    assert places(chosen(about, offers(*rows), '[desk]\napprovals = ["fhlmc"]')) == {0: "fhlmc 30y 6.0"}
    with pytest.raises(Refused, match="no loan has an offer"):
        chosen(about, offers(*rows), '[desk]\napprovals = ["gnma"]')


def test_a_full_line_makes_loans_sell_sooner() -> None:
    about = loans({}, {})
    rows = [{"loan_id": i, "balance_cents": 1_000_000_00, "all_in_e6": 101_000_000} for i in range(2)]
    rows += [cash(i, 100_500_000 + i, balance_cents=1_000_000_00) for i in range(2)]
    choice = chosen(about, offers(*rows), "[desk]\nline_limit = 1_000_000")
    # Cash pays after 7 days, swaps after 21: only a million may wait that long.
    assert sorted(places(choice).values()) == ["fnma 30y 6.0", "fnma cash 30y 6.625"]
    assert choice.chosen.filter(pl.col("execution") == "cash")["loan_id"].to_list() == [1]


def test_a_conduit_s_block_keeps_its_mix() -> None:
    facts = [{"score_mid": s, "ltv_e4": 8_000, "state": state} for s, state in
             ((780, "CA"), (700, "CA"), (760, "TX"), (690, "NY"))]  # fmt: skip
    about = loans(*facts)
    conduit = {"program": PRIVATE, "execution": "conduit", "coupon_rate_e7": None, "servicing": "released",
               "balance_cents": 1_000_000_00}  # fmt: skip
    rows = [conduit | {"loan_id": i, "all_in_e6": 102_000_000} for i in range(4)]
    rows += [held(i, 101_000_000 - i, balance_cents=1_000_000_00) for i in range(4)]
    free = places(chosen(about, offers(*rows)))
    assert set(free.values()) == {"private conduit 30y"}
    text = '[[conduit]]\nid = "B"\nmin_average_score = 745\nmax_state_share = {CA = 50}'
    spots = places(chosen(about, offers(*rows), text))
    inside = [i for i in range(4) if spots[i] != "held"]
    # 780, 700 and 760 average 746.7, but two of three are in California; 780 and 760 keep both limits.
    assert inside == [0, 2]


def test_the_second_best_and_what_it_would_cost() -> None:
    about = loans({})
    rows = [{"loan_id": 0, "balance_cents": 2_000_000_00}, cash(0, 100_900_000, balance_cents=2_000_000_00),
            held(0, 99_000_000, balance_cents=2_000_000_00)]  # fmt: skip
    row = chosen(about, offers(*rows)).chosen.row(0, named=True)
    assert (row["pool"], row["second"], row["behind_cents"]) == ("fnma 30y 6.0", "fnma cash 30y 6.625", 2_000_00)


@pytest.mark.parametrize(
    ("change", "says"),
    [("hold=maybe", "yes or no"), ("high_balance_share=101", "percent"), ("pool_minimum=-1", "dollars"),
     ("nonstandard_share=x", "percent")],
)  # fmt: skip
def test_changes_that_make_no_sense_are_refused(change: str, says: str) -> None:
    with pytest.raises(Refused, match=says):
        with_rule(RULES, change)


def test_rules_of_a_day_are_the_rulebook_s() -> None:
    rules = rules_of(DAY, BOOK)
    assert rules.min_pool_cents == {
        (FNMA, "umbs"): 1_000_000_00, (FHLMC, "umbs"): 1_000_000_00, (GNMA, "ginnie2"): 1_000_000_00,
        (GNMA, "ginnie1"): 1_000_000_00,
    }  # fmt: skip
    assert rules.high_max_e4 == {FNMA: 1_000, FHLMC: 1_000, GNMA: 1_000}
    assert (rules.nonstandard_max_e4, rules.nonstandard_all_max_e4) == (1_000, 1_500)
    assert with_rule(rules, "gfee=48") is None
