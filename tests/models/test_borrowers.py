"""The borrower model against scalar recomputations, its own probabilities, and the speeds it was set to."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl
import pytest

from poolhouse import chance
from poolhouse.dates import first_day, last_day, parse_month
from poolhouse.models.behaviour import behaviour, smm
from poolhouse.models.borrowers import payments
from poolhouse.payoff import payoff_amounts
from poolhouse.rules.rulebook import Rulebook, load
from poolhouse.tables import PAYMENTS

MONTH = parse_month("2010-02")
RULES = load()
SCHEMA: dict[str, Any] = {
    "loan_id": pl.Int32, "draw_key": pl.UInt64, "payment_cents": pl.Int64, "actual_cents": pl.Int64,
    "note_rate_e7": pl.Int32, "first_due_date": pl.Date, "maturity_date": pl.Date, "last_paid_due_date": pl.Date,
    "note_date": pl.Date, "kind": pl.String, "score_mid": pl.Int16, "ltv_e4": pl.Int32, "occupancy": pl.String,
    "end_code": pl.Int8, "workout": pl.Int8, "servicer_id": pl.Int32, "suspense_cents": pl.Int64,
    "prepaid_cents": pl.Int64, "value_cents": pl.Int64,
}  # fmt: skip
USUAL: dict[str, Any] = {
    "payment_cents": 158_017, "actual_cents": 24_700_000, "note_rate_e7": 650_000, "first_due_date": date(2009, 3, 1),
    "maturity_date": date(2039, 2, 1), "last_paid_due_date": date(2010, 1, 1), "note_date": date(2009, 1, 14),
    "kind": "conventional", "score_mid": 750, "ltv_e4": 7500, "occupancy": "principal", "end_code": 0, "workout": 0,
    "servicer_id": 1000, "suspense_cents": 0, "prepaid_cents": 0, "value_cents": 33_000_000,
}  # fmt: skip


def loans(count: int, **changes: Any) -> pl.DataFrame:
    """Equal loans with their own numbers and draw keys."""
    values = USUAL | changes
    frame = pl.DataFrame(
        {
            "loan_id": np.arange(count, dtype=np.int32),
            "draw_key": chance.mix(np.arange(count, dtype=np.uint64)),
            **{name: [value] * count for name, value in values.items()},
        },
        schema=SCHEMA,
    )
    return frame


def run(frame: pl.DataFrame, month: int = MONTH, rate: int = 650_000, rulebook: Rulebook = RULES) -> pl.DataFrame:
    return payments(frame, month, rate, 7, rulebook)


def with_values(**values: Any) -> Rulebook:
    """The rulebook with assumptions replaced."""
    rows = [{"name": f"models.{k}", "value": v, "until": date(2999, 1, 1), "why": "test"} for k, v in values.items()]
    return Rulebook(RULES.edition, RULES.parameters, (*rows, *RULES.override_rows), RULES.tables)


def month_interest(balance: int, rate_e7: int) -> int:
    return int(Fraction(balance * rate_e7, 12 * 10**7) + Fraction(1, 2))


@pytest.mark.parametrize("unpaid", [0, 1, 4])
@pytest.mark.parametrize("days", [0, 9, 30])
def test_payoff_amount_against_fractions(unpaid: int, days: int) -> None:
    arrays = [np.array([x], dtype=np.int64) for x in (24_954_677, 650_000, unpaid, days, 1_000, 200)]
    per_diem = int(Fraction(24_954_677 * 650_000 * days, 365 * 10**7) + Fraction(1, 2))
    assert payoff_amounts(*arrays)[0] == 24_954_677 + unpaid * month_interest(24_954_677, 650_000) + per_diem - 1_200


def test_rows_keep_the_contract() -> None:
    paid = run(loans(20_000), rate=450_000)
    assert paid.equals(PAYMENTS.conform(paid))
    assert set(paid["kind"]) == {"instalment", "curtailment", "payoff"}
    assert paid["reference"].n_unique() == paid.height
    assert paid["amount_cents"].min() > 0  # type: ignore[operator]
    assert first_day(MONTH) <= paid["received_date"].min() <= paid["received_date"].max() <= last_day(MONTH)  # type: ignore[operator]
    assert paid.filter(pl.col("loan_id") == 5)["reference"][0].startswith("M201002-5-")


def test_no_order_and_no_part_changes_what_a_loan_does() -> None:
    frame = loans(5_000)
    whole = run(frame)
    shuffled = run(frame.sample(fraction=1.0, shuffle=True, seed=3))
    parts = pl.concat([run(frame[:1234]), run(frame[1234:])])
    assert whole.equals(shuffled)
    assert whole.equals(parts)
    assert not whole.equals(payments(frame, MONTH, 650_000, 8, RULES))


def test_every_payoff_is_the_exact_payoff_amount() -> None:
    frame = loans(20_000, last_paid_due_date=date(2009, 12, 1), suspense_cents=777)
    payoffs = run(frame, rate=300_000).filter(pl.col("kind") == "payoff")
    assert payoffs.height > 20
    for day, amount in payoffs.select(pl.col("received_date").dt.day(), "amount_cents").rows():
        per_diem = int(Fraction(24_700_000 * 650_000 * (day - 1), 365 * 10**7) + Fraction(1, 2))
        assert amount == 24_700_000 + 2 * month_interest(24_700_000, 650_000) + per_diem - 777


def test_payoff_before_the_first_instalment_owes_per_diem_only() -> None:
    frame = loans(
        50_000, first_due_date=date(2010, 3, 1), last_paid_due_date=date(2010, 2, 1), note_date=date(2010, 1, 9)
    )
    paid = run(frame, rate=250_000)
    assert set(paid["kind"]) == {"payoff"} | ({"curtailment"} & set(paid["kind"]))
    for day, amount in paid.select(pl.col("received_date").dt.day(), "amount_cents").rows():
        assert amount == 24_700_000 + int(Fraction(24_700_000 * 650_000 * (day - 1), 365 * 10**7) + Fraction(1, 2))


@pytest.mark.parametrize(
    ("rate", "age_date"), [(650_000, date(2008, 6, 1)), (500_000, date(2008, 6, 1)), (550_000, date(2009, 8, 1))]
)
def test_share_of_payoffs_is_the_smm_of_the_curve(rate: int, age_date: date) -> None:
    """CPR = turnover + refinancing x logistic, linear in age, recomputed without the threshold table."""
    count = 200_000
    share = run(loans(count, note_date=age_date), rate=rate).filter(pl.col("kind") == "payoff").height / count
    age = MONTH - (age_date.year * 12 + age_date.month - 1)
    incentive = (650_000 - rate) // 12_500 * 12_500 + 6_250
    cpr = 0.04 + 0.30 / (1 + 2.718281828459045 ** (-(incentive - 60_000) / 30_000))
    expected = (1 - (1 - cpr) ** (1 / 12)) * min(age / 15, 1)
    assert abs(share - expected) < 5 * (expected / count) ** 0.5


@pytest.mark.parametrize(
    ("score", "ltv", "chance_of_missing"),
    [(750, 7_500, 0.0035 * 0.85), (600, 9_500, 0.04 * 1.6), (None, None, 0.0065 * 0.85), (640, 8_500, 0.024 * 1.2)],
)
def test_share_of_current_borrowers_who_miss(score: int | None, ltv: int | None, chance_of_missing: float) -> None:
    count = 100_000
    calm = with_values(prepay_turnover_cpr=0.0, prepay_refinance_cpr=0.0)
    paid = run(loans(count, score_mid=score, ltv_e4=ltv), rulebook=calm)
    missed = 1 - paid.filter(pl.col("kind") == "instalment").height / count
    assert abs(missed - chance_of_missing) < 5 * (chance_of_missing / count) ** 0.5


def test_outcomes_two_months_behind() -> None:
    """None .44, one .17, two .12, all three .27 for a middling score."""
    count = 100_000
    calm = with_values(prepay_turnover_cpr=0.0, prepay_refinance_cpr=0.0, curtailment_chance=0.0)
    frame = loans(count, score_mid=710, last_paid_due_date=date(2009, 11, 1))
    amounts = run(frame, rulebook=calm)["amount_cents"]
    shares = [(amounts == k * 158_017).sum() / count for k in (1, 2, 3)]
    assert shares == pytest.approx([0.17, 0.12, 0.27], abs=0.008)
    assert len(amounts) / count == pytest.approx(0.56, abs=0.008)


def test_foreclosure_takes_all_or_nothing() -> None:
    calm = with_values(prepay_turnover_cpr=0.0, prepay_refinance_cpr=0.0, curtailment_chance=0.0)
    frame = loans(20_000, workout=1, last_paid_due_date=date(2009, 11, 1))
    assert set(run(frame, rulebook=calm)["amount_cents"]) == {3 * 158_017}


def test_instalments_of_the_last_months_clear_the_balance() -> None:
    """Three instalments behind at maturity: level, level, then whatever is left."""
    calm = with_values(prepay_turnover_cpr=0.0, prepay_refinance_cpr=0.0)
    frame = loans(
        5_000, actual_cents=470_000, last_paid_due_date=date(2009, 11, 1), maturity_date=date(2010, 2, 1)
    )  # fmt: skip
    balance, total = 470_000, 0
    for k in range(3):
        interest = month_interest(balance, 650_000)
        pays = balance + interest if k == 2 else 158_017
        total, balance = total + pays, balance + interest - pays
    amounts = set(run(frame, rulebook=calm)["amount_cents"])
    assert balance == 0
    assert amounts == {158_017, 2 * 158_017, total}


def test_a_small_balance_is_paid_without_overpaying() -> None:
    calm = with_values(prepay_turnover_cpr=0.0, prepay_refinance_cpr=0.0)
    assert set(run(loans(500, actual_cents=100_000), rulebook=calm)["amount_cents"]) == {100_000 + 542}


def test_money_held_counts() -> None:
    calm = with_values(prepay_turnover_cpr=0.0, prepay_refinance_cpr=0.0, curtailment_chance=0.0)
    assert set(run(loans(500, suspense_cents=17), rulebook=calm)["amount_cents"]) == {158_000}
    assert run(loans(500, suspense_cents=158_017), rulebook=calm).is_empty()


@pytest.mark.parametrize(
    "changes",
    [
        {"end_code": 1},
        {"actual_cents": 0},
        {"last_paid_due_date": date(2010, 2, 1)},
        {"last_paid_due_date": date(2010, 3, 1), "prepaid_cents": 158_017},
    ],
)
def test_who_pays_nothing(changes: dict[str, Any]) -> None:
    assert run(loans(5_000, **changes)).is_empty()
    assert run(loans(0)).is_empty()


def test_liquidation_brings_the_sale_and_never_more_than_is_owed() -> None:
    frame = loans(20_000, last_paid_due_date=date(2009, 1, 1), first_due_date=date(2008, 3, 1))
    sales = run(frame).filter(pl.col("kind") == "liquidation")
    assert abs(sales.height / 20_000 - 0.10) < 0.012
    # 33,000,000 x 0.92 x (0.58 ... 0.88) x 0.9
    assert sales["amount_cents"].min() == 33_000_000 * 92 * 58 * 9 // 100_000
    assert sales["amount_cents"].max() == 33_000_000 * 92 * 88 * 9 // 100_000
    rich = run(frame.with_columns(pl.lit(99_000_000).alias("value_cents"))).filter(pl.col("kind") == "liquidation")
    assert set(rich["amount_cents"]) == {24_700_000 + 13 * month_interest(24_700_000, 650_000)}


def test_no_sale_before_its_time_and_homes_of_unknown_value() -> None:
    early = loans(20_000, last_paid_due_date=date(2009, 5, 1))
    assert run(early).filter(pl.col("kind") == "liquidation").is_empty()
    unknown = loans(2_000, last_paid_due_date=date(2009, 3, 1), value_cents=None, ltv_e4=None)
    sales = run(unknown).filter(pl.col("kind") == "liquidation")
    value = 24_700_000 * 10_000 // 7_500
    assert sales["amount_cents"].min() == round(value * 0.92 * 0.58 * 0.9)


def test_curtailments_come_with_the_instalment_and_leave_a_balance() -> None:
    often = with_values(curtailment_chance=1.0, prepay_turnover_cpr=0.0, prepay_refinance_cpr=0.0)
    paid = run(loans(10_000), rulebook=often)
    both = paid.filter(pl.col("kind") == "instalment").join(
        paid.filter(pl.col("kind") == "curtailment"), on=["loan_id", "received_date"]
    )
    assert both.height == paid.height / 2
    assert set(both["amount_cents_right"]) == {15_802, 39_504, 79_009, 158_017, 790_085}
    small = run(loans(1_000, actual_cents=700_000), rulebook=often).filter(pl.col("kind") == "curtailment")
    assert set(small["amount_cents"]) == {15_802, 39_504}  # three instalments must be left


def test_payment_days_follow_their_chances() -> None:
    days = run(loans(100_000)).filter(pl.col("kind") == "instalment")["received_date"].dt.day()
    assert (days == 1).mean() == pytest.approx(0.25, abs=0.01)
    assert (days <= 15).mean() == pytest.approx(0.92, abs=0.01)
    assert days.max() == 28


def test_nulls_and_wrong_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="nulls in rate"):
        run(loans(3, note_rate_e7=None))
    with pytest.raises(ValueError, match=r"models\.miss_when_current: 2 values"):
        run(loans(3), rulebook=with_values(miss_when_current=[0.1, 0.2]))
    with pytest.raises(ValueError, match="not to 1"):
        run(loans(3), rulebook=with_values(payment_days=[[1, 5, 0.5]]))


def test_thresholds_hold_the_probabilities() -> None:
    rules = behaviour(RULES, date(2009, 6, 1))
    assert rules.able[rules.borrower_class(*(np.array([x]) for x in (0, 800, 7_000)))[0]] == chance.threshold(1.0)
    assert rules.able[rules.borrower_class(*(np.array([x]) for x in (2, 600, 9_500)))[0]] == chance.threshold(
        0.1 * 0.35 * 0.6
    )
    assert smm(0.06) == pytest.approx(0.005143, abs=5e-7)  # 6 CPR = .5143 SMM, SIFMA Standard Formulas


def test_two_years_look_like_prime_loans_of_the_time() -> None:
    """30 days behind about 1-3%, serious about 1% after two years, speeds of 8-30 CPR by incentive."""
    count, start = 30_000, parse_month("2009-03")
    scores = np.array([650, 690, 720, 720, 750, 760, 770, 785, 790, 800])[np.arange(count) % 10]
    frame = loans(count, note_rate_e7=525_000, last_paid_due_date=date(2009, 2, 1), value_cents=None).with_columns(
        pl.Series("score_mid", scores, dtype=pl.Int16)
    )
    last_paid = np.full(count, start - 1)
    gone = np.zeros(count, dtype=bool)
    for month in range(start, start + 24):
        frame = frame.with_columns(
            pl.Series("last_paid_due_date", [first_day(int(m)) for m in last_paid]),
            pl.Series("end_code", gone, dtype=pl.Int8),
        )
        paid = run(frame, month, 475_000)
        gone[paid.filter(pl.col("kind").is_in(["payoff", "liquidation"]))["loan_id"].to_numpy()] = True
        regular = paid.filter(pl.col("kind") == "instalment")
        last_paid[regular["loan_id"].to_numpy()] += regular["amount_cents"].to_numpy() // 158_017
    behind = (start + 23 - last_paid)[~gone]
    assert 0.01 < (behind >= 1).mean() < 0.04
    assert 0.003 < (behind >= 3).mean() < 0.02
    survival = 1 - gone.mean()
    assert 0.08 < 1 - survival**0.5 < 0.30
