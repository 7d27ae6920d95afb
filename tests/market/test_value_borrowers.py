"""`value` by the models of borrowers: each loan by itself, what a guarantor pays, what stands in for the unknown."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import kit_market as kit
from poolhouse import loans as tapes
from poolhouse import valuation
from poolhouse.dates import parse_month
from poolhouse.findings import Refused
from poolhouse.market import value_borrowers, value_loans
from poolhouse.market.market import Market
from poolhouse.market.report import missed
from poolhouse.market.value import value_pool
from poolhouse.market.value_groups import grouped, prepaying
from poolhouse.market.value_oas import Market as Rates
from poolhouse.market.value_oas import with_oas
from poolhouse.rules import mortgage_rate_e7
from poolhouse.rules.house_prices import house_price_e4
from poolhouse.rules.unemployment import unemployment_e3
from poolhouse.valuation import rates as curves

RATES = Path(__file__).parents[2] / "examples" / "rates.toml"
BOTH = {"prepayment": "model", "defaults": "model"}
MIXED: list[dict[str, Any]] = [
    {"score": 640, "ltv_e4": 9_500, "mi_pct": 25, "state": "OH", "note_amount_cents": 11_875_000, "value_cents": None},
    {"score": 790, "ltv_e4": 6_000, "term_months": 180, "note_rate_e7": 487_500},
    {"kind": "fha", "score": 610, "ltv_e4": 9_650, "mi_pct": 0, "note_rate_e7": 625_000},
    {"kind": "va", "score": 700, "ltv_e4": 10_000, "note_rate_e7": 600_000},
    {"score": None, "ltv_e4": None, "value_cents": None, "mi_pct": None, "note_rate_e7": 675_000},
    {"score": 720, "ltv_e4": 8_000, "term_months": 360, "note_rate_e7": 712_500},
]


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six loans of all kinds; one with nothing known of its borrower."""
    rows = [{**kit.ONE_LOAN, "loan_number": f"M-{k}", **more} for k, more in enumerate(MIXED)]
    return kit.write_rows(tmp_path_factory.mktemp("mixed") / "tape.csv", rows)


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> Market:
    """Twenty jumbo loans of Nevada and Ohio in one private pool, half a year old; two borrowers stopped paying."""
    folder = tmp_path_factory.mktemp("private")
    rows = [
        {**row, "score": 700 + 5 * k, "state": "NV" if k % 2 else "OH", "ltv_e4": 6_000 + 100 * k, "value_cents": None}
        for k, row in enumerate(kit.alike(20, note_amount_cents=90_000_000, income_cents=40_000_000))
    ]
    sent = [
        (f"L-{i:04d}", f"2009-{m:02d}-05", 568_861, "instalment", f"{i}/{m}")
        for i in range(20) for m in range(3, 8) if i > 1 or m < 5
    ]  # fmt: skip
    paid = [dict(zip(kit.PAYMENT_COLUMNS, one, strict=True)) for one in sent]
    payments = kit.write_rows(folder / "payments.csv", paid)
    return kit.build(folder / "book", kit.write_rows(folder / "tape.csv", rows), 7, payments)


def number_of(market: Market) -> str:
    pools = market.book.records("pools")
    assert pools["guarantee"].to_list() == ["none"]
    return str(pools["pool_number"][0])


def summed(rows: list[pl.DataFrame], name: str, months: int) -> Any:
    return sum(np.pad(row[name].to_numpy(), (0, months - row.height)) for row in rows)


@pytest.mark.parametrize("guaranteed", [False, True])
def test_each_loan_of_a_tape_by_itself(tape: Path, guaranteed: bool) -> None:
    """Hazard, severity with its insurance and speed of each loan alone, from the models' own formulas."""
    world = {"mortgage_rate": [4.5, 5.0, 5.5], "house_prices": [1.0, 0.9], "unemployment": 9.0}
    answer = value_loans.value_tape(tape, strip=0.5, rows=True, lag=7, guaranteed=guaranteed, **BOTH, **world)
    prepays, fails = valuation.prepayment_model(buyout=0.0), valuation.default_model()
    first = parse_month("2009-02")
    past = [mortgage_rate_e7(month) / 1e5 for month in range(first - 24, first)]
    path = np.array([4.5, 5.0, *[5.5] * 358])
    cover = {"conventional": (None, 100), "fha": (100, 97), "va": (25, 100)}
    rows = []
    for more in MIXED:
        one = kit.ONE_LOAN | more
        kind = one["kind"]
        mi, claim = cover[kind] if kind != "conventional" else (one["mi_pct"] or 0, 100)
        wac, wam, score = one["note_rate_e7"] / 1e5, one["term_months"], one["score"]
        value = one["ltv_e4"] / 100 if one["ltv_e4"] else None
        balance = one["note_amount_cents"] / 100
        smm = prepays.smm(path[:wam], wac, 0, 2, balance=balance, score=score, ltv=value, history=past)[0]
        left = valuation.speeds.amortised_balance(wac, wam, wam - np.arange(wam))
        marked = (value or fails.usual_ltv) * left / np.where(np.arange(wam) < 1, 1.0, 0.9)
        mdr = fails.mdr(0, wam, ltv=marked[None, :], score=score, unemployment=9.0)[0]
        severity = fails.severity(marked, wac, 7, mi, claim)
        rows.append(
            valuation.cashflows(
                balance, wac, wac - 0.5, wam, age=0, smm=100 * smm, cdr=valuation.speeds.mdr_to_cdr(100 * mdr),
                severity=0.0 if guaranteed else 100 * severity[np.maximum(np.arange(wam) - 7, 0)], lag=7,
            )
        )  # fmt: skip
    got = pl.DataFrame(answer["cashflows"])
    for name in ("balance", "net_interest", "scheduled_principal", "prepayment", "default", "recovery", "loss"):
        assert got[name].to_numpy() == pytest.approx(summed(rows, name, 360), rel=1e-9, abs=1e-6), name
    total = answer["totals"]
    assert total["default"] > 0.03 * answer["pool"]["balance"]
    assert (total["loss"] == 0) is guaranteed
    assert total["principal"] + total["loss"] == pytest.approx(answer["pool"]["balance"], rel=1e-12)


def test_what_is_unknown_is_said_by_name(tape: Path) -> None:
    answer = value_loans.value_tape(tape, strip=0.5, **BOTH)
    found = answer["borrowers"]
    assert {(row["field"], row["model"]): (row["loans"], row["stands_in"]) for row in found["stands_in"]} == {
        ("score", "prepayment"): (1, 740), ("ltv", "prepayment"): (1, 75), ("score", "defaults"): (1, 740),
        ("ltv", "defaults"): (1, 75), ("mi_pct", "defaults"): (1, 0),
    }  # fmt: skip
    assert found["as_of"] == "2009-02" and found["mortgage_rate"] == mortgage_rate_e7(parse_month("2009-02")) / 1e5
    assert found["unemployment"] == unemployment_e3(parse_month("2009-02")) / 10 and found["house_prices"] == 1.0
    assert answer["speeds"] == {"prepayment": "model", "defaults": "model", "lag": 12, "advance": True}
    json.dumps(answer)
    later = value_loans.value_tape(tape, strip=0.5, settle="2012-06-01", **BOTH)["borrowers"]
    assert later["as_of"] == "2012-06" and later["mortgage_rate"] == mortgage_rate_e7(parse_month("2012-06")) / 1e5


def test_the_answer_depends_on_no_part(tape: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = value_loans.value_tape(tape, strip=0.5, rows=True, **BOTH)
    monkeypatch.setattr(value_borrowers, "_CELLS", 1)  # a loan at a time
    one = value_loans.value_tape(tape, strip=0.5, rows=True, **BOTH)
    for name in ("balance", "loss", "cash_flow"):
        a, b = ([row[name] for row in answer["cashflows"]] for answer in (whole, one))
        assert a == pytest.approx(b, rel=1e-12)


def test_one_model_beside_speeds(tape: Path) -> None:
    """Prepayment by PSA beside the default model, and the other way round; buyouts are left to the defaults.

    The severity is a hair below 40%: of the last months' defaults less is left to lose at liquidation."""
    psa = value_loans.value_tape(tape, strip=0.5, speeds={"psa": 150}, defaults="model")
    assert psa["totals"]["default"] > 0 and "mortgage_rate" not in psa["borrowers"]
    alone = value_loans.value_tape(tape, strip=0.5, prepayment={"buyout": 5.0})
    beside = value_loans.value_tape(tape, strip=0.5, prepayment={"buyout": 5.0}, speeds={"cdr": 0.0})
    never = value_loans.value_tape(tape, strip=0.5, prepayment={"buyout": 0.0})
    assert beside["totals"] == never["totals"] != alone["totals"]
    cdr = value_loans.value_tape(tape, strip=0.5, prepayment="model", speeds={"cdr": 2.0}, severity=40.0)
    assert cdr["totals"]["loss"] / cdr["totals"]["default"] == pytest.approx(0.4, abs=2e-4)


def test_a_private_pool_bears_what_its_loans_lose(private: Market) -> None:
    answer = private.value(number_of(private), rows=True, **BOTH)
    total, first = answer["totals"], answer["cashflows"][0]
    assert answer["pool"]["guaranteed"] is False and total["loss"] > 0
    assert total["principal"] + total["loss"] == pytest.approx(answer["pool"]["balance"], rel=1e-12)
    assert first["prepayment"] == first["default"] == 0  # that month is over: what was paid is received
    assert answer["cashflows"][1]["prepayment"] > 0 < answer["cashflows"][1]["default"]
    assert answer["borrowers"]["as_of"] == "2009-07"
    assert answer["borrowers"]["stands_in"] == []


def test_arrears_and_house_prices_of_a_books_loans(private: Market) -> None:
    """Facts of each loan from the subledger: months behind, and the loan to value marked by its state's index."""
    month = private.book.months("loan_months")[-1]
    rows = private.book.segment("loan_months", month).with_columns(behind=missed(month)).sort("loan_id")
    assert sorted(rows["behind"].to_list())[-3:] == [0, 3, 3]
    pool = value_loans.pool_of(private._desk(), number_of(private))
    found = value_loans.loans_of(private._desk(), pool)
    assert found["behind"].to_list() == rows["behind"].to_list()
    model = valuation.default_model()
    of = value_borrowers.behaviour(
        value_borrowers.Asked(defaults="model"), {}, None, 12, True, first=month
    )  # fmt: skip
    vectors = value_borrowers.defaulted(found, of, model)
    jobs = unemployment_e3(month) / 10
    for k in (0, 1, 7):
        state, note = ("NV", "OH")[k % 2 == 0], parse_month("2009-01")
        drift = int(house_price_e4(state, note)) / int(house_price_e4(state, month))
        wam, owed = int(found["wam"][k]), rows["closing_scheduled_cents"][k] / 90_000_000
        left = valuation.speeds.amortised_balance(6.5, wam, wam - np.arange(wam))
        ltv = (60 + k) * owed * drift * left
        late = int(rows["behind"][k])
        hazard = model.mdr(
            int(found["age"][k]) + 1, wam - 1, ltv=ltv[None, 1:], score=700 + 5 * k, unemployment=jobs, behind=late
        )
        assert vectors["cdr"][k, 0] == 0
        assert vectors["cdr"][k, 1:] == pytest.approx(valuation.speeds.mdr_to_cdr(100 * hazard[0]), rel=1e-9)
    assert vectors["cdr"][0, 1] > 20 * vectors["cdr"][5, 1]


def test_holders_of_a_guaranteed_pool_lose_nothing(queried: Market) -> None:
    """Defaults come as principal, whoever asks for them."""
    cusip = queried.book.records("securities")["cusip"][0]
    for asked in (BOTH, {"speeds": {"cdr": 3.0}, "severity": 40.0, "advance": False}):
        answer = queried.value(cusip, **asked)
        total = answer["totals"]
        assert answer["pool"]["guaranteed"] is True and total["default"] > 0 == total["loss"]
        assert total["principal"] == pytest.approx(answer["pool"]["balance"], rel=1e-12)
        assert answer["speeds"]["advance"] is True
    plain = queried.value(cusip, speeds={"cdr": 3.0}, lag=12)
    assert plain["totals"] == queried.value(cusip, speeds={"cdr": 3.0}, severity=40.0)["totals"]
    with pytest.raises(Refused, match="the book knows"):
        queried.value(cusip, guaranteed=True)


def test_a_pool_by_numbers_is_of_usual_loans() -> None:
    pool = {"balance": 1e6, "wac": 6.5, "coupon": 6.0, "wam": 348}
    answer = value_pool(**pool, mortgage_rate=5.0, rows=True, **BOTH)
    model = valuation.default_model()
    smm = valuation.prepayment_model(buyout=0.0).smm(np.full(348, 5.0), 6.5, 12, 1)[0]
    vectors = model.vectors(1e6, 6.5, 348, 12, ltv=model.usual_ltv)
    flows = valuation.cashflows(1e6, 6.5, 6.0, 348, age=12, smm=100 * smm, **vectors)
    for name in ("cash_flow", "loss"):
        assert [row[name] for row in answer["cashflows"]] == pytest.approx(flows[name].to_list(), rel=1e-12)
    assert answer["by_speed"] == [] and answer["borrowers"]["as_of"] is None
    stands_in = {row["field"]: row["stands_in"] for row in answer["borrowers"]["stands_in"]}
    assert stands_in == {"score": 740, "ltv": 75, "balance": 250_000, "mi_pct": 0, "unemployment": 5.5}
    later = value_pool(**pool, settle="2090-01-02", **BOTH)["borrowers"]
    assert [row["field"] for row in later["stands_in"] if row["loans"] is None] == ["mortgage_rate", "unemployment"]
    with pytest.raises(Refused, match="before 1980-01: give --mortgage-rate"):
        value_pool(**pool, settle="1979-12-02", **BOTH)
    early = value_pool(**pool, settle="1979-12-02", mortgage_rate=11.0, **BOTH)["borrowers"]
    assert early["unemployment"] is None and early["stands_in"][-1]["stands_in"] == 5.5
    paid = value_pool(**pool, speeds={"cdr": 3, "psa": 100}, guaranteed=True)
    assert paid["totals"] == value_pool(**pool, speeds={"cdr": 3, "psa": 100})["totals"]
    assert paid["pool"]["guaranteed"] is True and paid["by_speed"]


def test_a_fitted_model_comes_from_its_file(tape: Path, tmp_path: Path) -> None:
    """What `fit prepayment --json` prints, a table of a TOML file, and parameters by name are the same."""
    fitted = asdict(valuation.prepayment_model(turnover=20.0, lag=(1.0,)))
    by_name = value_loans.value_tape(tape, strip=0.5, prepayment=fitted)
    printed, written = tmp_path / "fit.json", tmp_path / "desk.toml"
    printed.write_text(json.dumps({"loans": 3, "model": fitted}), encoding="utf-8")
    written.write_text("[prepayment]\nturnover = 20\nlag = [1.0]\n[defaults]\npeak = 3\n", encoding="utf-8")
    for file in (printed, written):
        answer = value_loans.value_tape(tape, strip=0.5, prepayment=file)
        assert answer["totals"] == by_name["totals"] and answer["speeds"]["prepayment"] == file.name
    assert by_name["totals"] != value_loans.value_tape(tape, strip=0.5, prepayment="model")["totals"]
    worse = value_loans.value_tape(tape, strip=0.5, defaults=written)["totals"]
    assert worse["default"] > 3 * value_loans.value_tape(tape, strip=0.5, defaults="model")["totals"]["default"]


REFUSED: dict[str, dict[str, Any]] = {
    "--psa and --prepayment": {"speeds": {"psa": 100}, "prepayment": "model"},
    "--cdr and --defaults": {"speeds": {"cdr": 1}, "defaults": "model"},
    "--sda and --defaults": {"speeds": {"sda": 1}, "defaults": "model"},
    "--severity and --defaults": {"severity": 35.0, "defaults": "model"},
    "--severity and --guaranteed": {"speeds": {"cdr": 1}, "severity": 35.0, "guaranteed": True},
    "--no-advance and --guaranteed": {"speeds": {"cdr": 1}, "advance": False, "guaranteed": True},
    "--mortgage-rate is what --prepayment": {"mortgage_rate": 5.0, "speeds": {"psa": 100}},
    "--house-prices is what --defaults": {"house_prices": 0.9, "prepayment": "model"},
    "--unemployment is what --defaults": {"unemployment": 9.0},
    "write 5.09": {"prepayment": "model", "mortgage_rate": 0.0509},
    "mortgage_rate .* below 0": {"prepayment": "model", "mortgage_rate": -1},
    "mortgage_rate must be one number": {"prepayment": "model", "mortgage_rate": []},
    "house_prices .* above 0": {"defaults": "model", "house_prices": [1.0, 0.0]},
    "'speed' is no parameter": {"prepayment": {"speed": 9}},
    "'hazard' is no parameter": {"defaults": {"hazard": 9}},
    "no such defaults file": {"defaults": "nowhere.toml"},
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_contradicts_itself_is_refused(message: str, tape: Path) -> None:
    with pytest.raises(Refused, match=message):
        value_loans.value_tape(tape, strip=0.5, **REFUSED[message])


@pytest.mark.parametrize(("name", "text", "message"), [
    ("a.toml", "turnover = 5", r"write a table \[prepayment\]"), ("a.toml", "[", "neither TOML nor JSON"),
    ("a.json", "[1]", "no parameters"), ("a.json", '{"model": 5}', "no parameters"), ("a.json", "{", "neither"),
])  # fmt: skip
def test_files_that_hold_no_model(name: str, text: str, message: str, tape: Path, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(Refused, match=message):
        value_loans.value_tape(tape, strip=0.5, prepayment=tmp_path / name)


def test_a_model_of_prepayment_needs_a_rate() -> None:
    pool = {"balance": 1e6, "wac": 6.5, "coupon": 6.0, "wam": 348}
    with pytest.raises(Refused, match="needs a mortgage rate"):
        value_pool(**pool, prepayment="model")
    assert value_pool(**pool, prepayment="model", settle="2010-01-14")["borrowers"]["as_of"] == "2010-01"
    given = value_pool(**pool, prepayment="model", rates=RATES, price=101, paths=16)
    assert given["borrowers"]["mortgage_rate"] == 5.09  # today's, of the file


def test_model_is_the_desks_own_where_rates_are_given(tmp_path: Path) -> None:
    pool = {"balance": 1e6, "wac": 6.5, "coupon": 6.0, "wam": 348, "price": 101, "paths": 16}
    own = tmp_path / "rates.toml"
    own.write_text(RATES.read_text(encoding="utf-8") + "turnover = 20\n", encoding="utf-8")
    file = tmp_path / "fast.toml"
    file.write_text("[prepayment]\nturnover = 20\n", encoding="utf-8")
    desk, other = value_pool(**pool, prepayment="model", rates=own), value_pool(**pool, prepayment=file, rates=RATES)
    assert desk["totals"] == other["totals"] and desk["oas"] == other["oas"]
    with pytest.raises(Refused, match="say the same thing twice"):
        value_pool(**pool, prepayment=file, rates=own)


# --- on paths


def still(rate: float = 6.0) -> Rates:
    """A flat curve on which nothing moves, and mortgages at 6.5%."""
    curve = curves.flat(rate)
    coupon = curves.current_coupon(curve, 6.5)
    return Rates(curve, curves.hull_white(0.05, 0.0), coupon, 6.5, valuation.prepayment_model(), 0.0, 1, False)


def test_on_paths_that_stand_still_the_oas_is_the_spread_of_the_flows(tape: Path) -> None:
    """Groups of one loan: what the models make of it on paths is what they make of it in its cash flows."""
    loans = value_loans.loans_of_tape(tapes.read_tape(tape).tape, 0.5)
    assert loans.height == len(MIXED)
    for guaranteed in (False, True):
        answer = value_loans.value_tape(
            tape, strip=0.5, lag=7, bond_equivalent_yield=6.0, mortgage_rate=6.5, guaranteed=guaranteed, **BOTH
        )
        of = value_borrowers.behaviour(
            value_borrowers.Asked(**BOTH, mortgage_rate=6.5, guaranteed=guaranteed), {}, None, 7, True,
            first=parse_month("2009-02"),
        )  # fmt: skip
        found = with_oas(answer, loans, still(), of, paths=16)["oas"]
        assert found["groups"] == len(MIXED)
        assert found["oas_bp"] == pytest.approx(0, abs=2e-3)  # the model's tabled form is within 4e-7 of a speed
        assert found["option_cost_bp"] == pytest.approx(0, abs=1e-6)
        assert ("credit_cost_bp" in found) is not guaranteed
        assert guaranteed or found["credit_cost_bp"] > 1


@pytest.mark.parametrize(
    ("speeds", "close"),
    [
        ({"size": 0.0, "credit": 0.0, "equity": 0.0}, 0.2),
        ({"turnover": 0.0, "refinance": 0.0, "curtailment": 0.0}, 1e-6),
    ],
)
def test_a_group_defaults_as_its_loans_do(private: Market, speeds: dict[str, float], close: float) -> None:
    """Twenty loans of one rate, term and age, two of them late, against each by itself: the same where nobody prepays,
    and near where all prepay alike."""
    desk, number = private._desk(), number_of(private)
    loans = value_loans.loans_of(desk, value_loans.pool_of(desk, number)).with_columns(coupon=pl.lit(6.0))
    asked = value_borrowers.Asked(defaults="model", mortgage_rate=6.5, prepayment=speeds)
    of = value_borrowers.behaviour(asked, {}, None, 12, True, first=parse_month("2009-07"))
    answer = {"price": 98.0, "settle_days": 0, "delay_days": 24, "pool": {"age": 5}}
    market = still()
    together = with_oas(answer, loans, market, of, paths=16)["oas"]
    assert together["groups"] == 1 and loans.height == 20
    flows = valuation.flows_of(value_borrowers.cashflows(loans, of), 6.0, delay_days=24)
    exact = float(valuation.z_spread(flows, 98.0, market.curve))
    assert together["z_spread_bp"] == pytest.approx(exact, abs=close)


def test_the_month_that_is_over_has_no_prepayment_on_paths(private: Market) -> None:
    desk = private._desk()
    loans = value_loans.loans_of(desk, value_loans.pool_of(desk, number_of(private))).with_columns(coupon=pl.lit(6.0))
    of = value_borrowers.behaviour(
        value_borrowers.Asked(prepayment="model"), {}, None, 12, True, first=parse_month("2009-07")
    )
    (model,) = prepaying(grouped(loans), of, valuation.prepayment_model())
    paths = np.full((2, 60), 4.0)
    slow = model.smm(paths, 6.5, 5, 8)
    form = model.quick(6.5, 5, 8, 60)
    quick = valuation.quick_speeds.speeds(form, np.ascontiguousarray(paths.T), 0, 2, 6.5, 60).T
    assert slow[:, 0].tolist() == quick[:, 0].tolist() == [0.0, 0.0]
    assert slow[0, 1] > 0.003 and np.abs(slow - quick).max() < 4e-7


def test_defaults_by_number_are_on_paths_too(private: Market) -> None:
    """--cdr --severity with --rates: a private pool's OAS is lower by what is lost, a guaranteed one's is not."""
    number = number_of(private)
    kind = {"speeds": {"cdr": 3.0}, "price": 98, "rates": RATES, "paths": 32}
    losing, whole = private.value(number, severity=40.0, **kind)["oas"], private.value(number, **kind)["oas"]
    assert losing["credit_cost_bp"] == pytest.approx(whole["oas_bp"] - losing["oas_bp"], abs=1e-6)
    assert losing["credit_cost_bp"] > 50 and whole["credit_cost_bp"] == pytest.approx(0, abs=1e-9)
    none = private.value(number, price=98, rates=RATES, paths=32)["oas"]
    assert "credit_cost_bp" not in none
