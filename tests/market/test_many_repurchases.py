"""Every loan of a real sample is demanded back: all programs, late, paid ahead, paid off, and no promise breaks."""

from __future__ import annotations

from pathlib import Path

import polars as pl

import kit_market as kit
import money_checks


def test_a_whole_sample_goes_back(tmp_path: Path) -> None:
    market = kit.build(tmp_path / "book", kit.sample(70), 8, seed=5)
    loans = market.book.segment("loans").join(market.book.segment("sales").select("loan_id", "program"), on="loan_id")
    assert set(loans["program"]) == {1, 2, 3, 4}
    third = loans.filter(pl.col("loan_id") % 3 == 0)["loan_number"].to_list()
    remedies = ("repurchase", "repurchase", "indemnify")
    rows = [{"loan": n, "reason": "misstatement", "remedy": remedies[i % 3]} for i, n in enumerate(third)]
    first = market.repurchase(kit.write_rows(tmp_path / "first.csv", rows))
    assert first["demands"] > 100 and first["demands"] + first["rejected"] == len(rows)
    kit.month_by_steps(market)
    rest = [{"loan": n, "reason": "clear_title", "remedy": "repurchase"} for n in loans["loan_number"]]
    market.repurchase(kit.write_rows(tmp_path / "second.csv", rest))
    for _ in range(4):
        kit.month_by_steps(market)
    register = market.repurchase()
    assert register["paid"] > 300 and register["open"] < 30
    money_checks.check_all(market)
    money_checks.check_promises(market)
    back = market.book.segment("assignments").filter(pl.col("reason") == "repurchase")
    programs = back.join(loans, on="loan_id").group_by("program").len().sort("program")
    assert programs["program"].to_list() == [1, 2, 3]  # the conduit's few loans wait for their pool


def test_loans_of_a_private_trust_go_back_through_the_conduit(tmp_path: Path) -> None:
    """Bought out by the conduit in June, the lender's at the end of July; one is lost right after its buyout."""
    rows = kit.alike(20, note_amount_cents=90_000_000, value_cents=120_000_000, ltv_e4=7_500, income_cents=40_000_000)
    payment = 568_861
    sent = [
        (f"L-{i:04d}", f"2009-{m:02d}-05", payment, "instalment", f"{i}/{m}")
        for i in range(20) for m in range(3, 11) if i != 1 or m < 4
    ]  # fmt: skip
    sent.append(("L-0001", "2009-07-20", 1, "liquidation", "lost"))
    payments = [dict(zip(kit.PAYMENT_COLUMNS, one, strict=True)) for one in sent]
    file = kit.write_rows(tmp_path / "payments.csv", payments)
    market = kit.build(tmp_path / "book", kit.write_rows(tmp_path / "tape.csv", rows), 5, file)
    assert set(market.book.records("pools")["program"]) == {4}
    asked = [{"loan": f"L-{i:04d}", "reason": "income", "remedy": "repurchase"} for i in range(3)]
    assert market.repurchase(kit.write_rows(tmp_path / "demands.csv", asked))["demands"] == 3
    for _ in range(5):
        kit.month_by_steps(market, file)
    money_checks.check_all(market)
    money_checks.check_promises(market)
    found = {d["loan_number"]: d for d in market.repurchase()["demands"]}
    assert [found[f"L-{i:04d}"]["state"] for i in range(3)] == ["paid", "paid", "paid"]
    assert found["L-0001"]["principal_cents"] == 0 and found["L-0001"]["loss_cents"] > 80_000_000
