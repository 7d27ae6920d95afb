"""`execute TAPE` on loans of the real tape: the answer's own file is held against every rule, worked out again."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from poolhouse import loans, rules
from poolhouse.findings import Refused
from poolhouse.loans import demo_tape
from poolhouse.loans.closing import as_loans
from poolhouse.market.execute import execute_tape
from poolhouse.market.price import price_tape
from poolhouse.market.standards import chosen
from poolhouse.standards import evaluate
from poolhouse.tables.codes import ASSUMED, PROGRAMS

LOANS = 1_500
DAY = date(2010, 1, 1)


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Loans from all over the real tape."""
    path = tmp_path_factory.mktemp("execute") / "tape.csv"
    whole = loans.read_tape(demo_tape()).tape
    whole.gather_every(whole.height // LOANS).head(LOANS).drop("tape_row", "imputed_flags").write_csv(path)
    return path


@pytest.fixture(scope="module")
def answered(tape: Path) -> tuple[dict[str, object], pl.DataFrame]:
    out = tape.parent / "chosen.parquet"
    return execute_tape(tape, as_of=DAY, out=out), pl.read_parquet(out)


def test_the_bound_is_proven_and_greedy_beaten(answered: tuple[dict[str, object], pl.DataFrame]) -> None:
    answer, lines = answered
    assert answer["loans"] == lines.height == LOANS
    assert lines["proceeds_cents"].sum() == answer["proceeds_cents"]
    assert answer["greedy_proceeds_cents"] <= answer["proceeds_cents"] <= answer["bound_cents"]  # type: ignore[operator]
    assert answer["bound_cents"] <= answer["best_alone_cents"]  # type: ignore[operator]
    assert 0 <= answer["gap"] <= 1e-4  # type: ignore[operator]
    json.dumps(answer, default=str)


def test_every_pool_is_good(answered: tuple[dict[str, object], pl.DataFrame], tape: Path) -> None:
    _, lines = answered
    swaps = lines.filter(pl.col("execution") == "swap")
    assert swaps["pool"].n_unique() > 10
    sizes = swaps.group_by("pool").agg(pl.col("balance_cents").sum())
    assert sizes["balance_cents"].min() >= 1_000_000_00  # type: ignore[operator]
    facts = as_loans(loans.read_tape(tape).tape).select(
        "loan_number", "note_rate_e7", "note_amount_cents", "units", "term_months"
    )
    known = swaps.join(facts, on="loan_number")
    baseline = rules.load().get("standards.conforming_limit_cents", DAY)
    high = pl.col("note_amount_cents") > pl.col("units").cast(pl.Int64).replace_strict([1, 2, 3, 4], baseline)
    usual = known.filter(pl.col("story") != "high-balance").group_by("pool").agg(
        high=pl.col("balance_cents").filter(high).sum(), whole=pl.col("balance_cents").sum()
    )  # fmt: skip
    assert (usual["high"] * 10 <= usual["whole"]).all()
    spread = known["note_rate_e7"] - known["coupon_rate_e7"]
    given = known["servicing_fee_rate_e7"] + known["guaranty_fee_rate_e7"] + known["excess_rate_e7"]
    assert (spread == given).all()
    assert known["servicing_fee_rate_e7"].is_between(19_000, 69_000).all()
    enterprise = known.filter(pl.col("program") != "gnma")
    assert enterprise["servicing_fee_rate_e7"].is_between(25_000, 50_000).all()
    assert (enterprise["buy_up_rate_e7"] <= 25_000).all()
    first = known.filter(pl.col("series") == "ginnie1")
    assert (first["note_rate_e7"] - first["coupon_rate_e7"] == 50_000).all()
    assert (known["term_months"] <= known["pool_term"]).all()


def test_nobody_buys_what_its_standards_refuse(answered: tuple[dict[str, object], pl.DataFrame], tape: Path) -> None:
    _, lines = answered
    standards = chosen((), (), None)
    asked = as_loans(loans.read_tape(tape).tape)
    checks = evaluate(asked, DAY, standards.rulebook, standards.programs).filter(pl.col("answer") <= ASSUMED)
    open_to = checks.select(
        "loan_id", pl.col("program").replace_strict(dict(enumerate(PROGRAMS)), return_dtype=pl.String)
    )
    sold = lines.filter(pl.col("program") != "").join(asked.select("loan_number", "loan_id"), on="loan_number")
    assert sold.height > LOANS // 2
    assert sold.join(open_to, on=["loan_id", "program"], how="anti").is_empty()


def test_a_price_is_the_one_that_price_gives(answered: tuple[dict[str, object], pl.DataFrame], tape: Path) -> None:
    _, lines = answered
    out = tape.parent / "offers.parquet"
    price_tape(tape, as_of=DAY, out=out)
    keys = ["loan_number", "program", "execution", "servicing", "coupon_rate_e7"]
    both = lines.join(pl.read_parquet(out), on=keys, nulls_equal=True, suffix="_offer")
    assert both.height == lines.height
    plain = both.filter(~pl.col("story").is_in(["high-balance"]) & (pl.col("series") != "ginnie1"))
    without = plain["all_in_e6"] - plain["payup_e6"]
    assert (without == plain["all_in_e6_offer"] - plain["payup_e6_offer"]).all()


def test_agreements_are_kept_and_told(tape: Path, tmp_path: Path) -> None:
    terms = tmp_path / "desk.toml"
    terms.write_text(
        '[desk]\napprovals = ["fnma", "gnma"]\n[caps]\nfnma = 150_000_000\n'
        '[[trade]]\nid = "T1"\nprogram = "fnma"\ncoupon = 4.5\namount = 3_000_000\nprice = 104\npair_off = 0.5\n'
    )
    first = loans.read_tape(tape).tape["loan_number"][0]
    answer = execute_tape(tape, as_of=DAY, commitments=terms, explain=[first])
    sold = {row["program"]: row["balance_cents"] for row in answer["executions"] if row["execution"] == "swap"}
    assert set(sold) <= {"fnma", "gnma"}
    assert sum(r["balance_cents"] for r in answer["executions"] if r["program"] == "fnma") <= 150_000_000_00
    (trade,) = answer["promised"]
    assert trade["delivered_cents"] == 3_000_300_00
    assert trade["good_millions"] == 3 and trade["short_cents"] == 0
    over = (104_000_000 - trade["sheet_price_e6"]) * 3_000_300_00
    assert trade["gain_cents"] == (over + 50_000_000) // 100_000_000
    offers = sum(row["proceeds_cents"] for row in answer["executions"])
    assert answer["proceeds_cents"] == offers + trade["gain_cents"]
    (told,) = answer["explained"]
    assert told["words"].startswith(f"loan {first}: {told['pool']} at ")


def test_what_if_changes_rules_and_sheet(tape: Path) -> None:
    usual = execute_tape(tape, as_of=DAY)
    eased = execute_tape(tape, as_of=DAY, what_if=["pool_minimum=0", "high_balance_share=100"])
    dearer = execute_tape(tape, as_of=DAY, what_if=["gfee=60"])
    assert eased["proceeds_cents"] >= usual["proceeds_cents"] > dearer["proceeds_cents"]
    assert eased["proceeds_cents"] == eased["best_alone_cents"]
    held_none = execute_tape(tape, as_of=DAY, what_if=["hold=no"])
    assert "" not in [row["program"] for row in held_none["executions"]]
    assert held_none["unsold"] > 0


def test_two_runs_choose_the_same(tape: Path, tmp_path: Path) -> None:
    answers = []
    for name in ("a.csv", "b.csv"):
        execute_tape(tape, as_of=DAY, out=tmp_path / name)
        answers.append((tmp_path / name).read_bytes())
    assert answers[0] == answers[1]


def test_what_cannot_be_done_is_said(tape: Path, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="not on the tape"):
        execute_tape(tape, as_of=DAY, explain=["nobody"])
    with pytest.raises(Refused, match="written as"):
        execute_tape(tape, as_of=DAY, out=tmp_path / "x.xlsx")
    with pytest.raises(Refused, match="is unknown"):
        execute_tape(tape, as_of=DAY, what_if=["pool_maximum=3"])
    terms = tmp_path / "desk.toml"
    terms.write_text("[desk]\nhold_limit = 1")
    with pytest.raises(Refused, match=r"held in portfolio, by \$"):
        execute_tape(tape, as_of=DAY, commitments=terms)
